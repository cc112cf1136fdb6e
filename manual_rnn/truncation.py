"""Truncated backpropagation through time: gradients flow back through so many steps, and no further.

    blocks of k1 steps [s, e), e = min(s + k1, T)
    the window of a block begins at w = max(0, s + k1 - k2), k2 steps before its end, though it may be cut short by T

The gradient that enters at y[s:e), and for the last block at the final states, flows back through steps e-1 to w. The
states before step w are constants then, unless w = 0, where they are the initial states. The gradients of all windows
add up. The forward pass is the ordinary one, and nothing of it is computed again.

Reference: Williams & Peng, "An efficient gradient-based algorithm for on-line training of recurrent network
trajectories", Neural Computation 2 (1990), where this is BPTT(h; h'), h = k2, h' = k1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from manual_rnn import stack
from manual_rnn.arrays import Array, zeros
from manual_rnn.errors import ArgumentError
from manual_rnn.stack import Gradients, Stack


def check_truncate(truncate: Any) -> tuple[int, int]:
    """Return `truncate` if it is a pair (k1, k2), 1 <= k1 <= k2.

    Raises:
        ArgumentError: it is something else.
    """
    pair = isinstance(truncate, tuple) and len(truncate) == 2 and all(type(k) is int for k in truncate)
    if not pair or not 1 <= truncate[0] <= truncate[1]:
        raise ArgumentError("truncate", repr(truncate), "None, or two integers (k1, k2), 1 <= k1 <= k2")
    k1, k2 = truncate
    return k1, k2


def backward(of: Stack, dy: Array, dstates_n: Sequence[Array], k1: int, k2: int) -> Gradients:
    """Return the truncated gradients of a stack of one direction; arguments as `stack.backward`."""
    T, *sizes = of.passes[0].tape.x.shape
    dx = zeros(dy, (T, *sizes))
    dgiven: list[Array] = []
    params: list[list[Array]] = []
    dstates_0 = [zeros(dstate, dstate.shape) for dstate in dstates_n]
    for s in range(0, T, k1):
        e = min(s + k1, T)
        w = max(0, s + k1 - k2)
        entering = zeros(dy, dy[w:e].shape)
        entering[s - w :] = dy[s:e]
        finals = [dstate if e == T else zeros(dstate, dstate.shape) for dstate in dstates_n]
        g = stack.backward(of.part(w, e), entering, finals)
        dx[w:e] += g.dx
        params = [_sum(total, each) for total, each in zip(params or [[]] * len(g.params), g.params, strict=True)]
        dgiven = dgiven or [zeros(d, (T, *d.shape[1:])) for d in g.dgiven]
        for total, d in zip(dgiven, g.dgiven, strict=True):
            total[w:e] += d
        if w == 0:
            dstates_0 = [total + d for total, d in zip(dstates_0, g.dstates_0, strict=True)]
    return Gradients(dx, [tuple(each) for each in params], dstates_0, dgiven)


def _sum(total: list[Array], more: Sequence[Array]) -> list[Array]:
    """Return the gradients of a pass's parameters with those of one more window added."""
    return [a + b for a, b in zip(total, more, strict=True)] if total else list(more)
