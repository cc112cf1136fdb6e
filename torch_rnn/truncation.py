"""Truncated backpropagation through time: gradients flow back through so many steps, and no further.

    blocks of k1 steps [s, e), e = min(s + k1, T)
    the block's window begins at w = max(0, s + k1 - k2)

The gradient that enters at y[s:e), and for the last block at the final states, flows back to step w: the states before
it are constants, unless w = 0, where they are the initial states as they were given. The values are those of the
forward pass without truncation. A block is cut out of its own window, computed from `detach`ed states; where k2 > k1,
windows overlap, and steps are computed again.

Reference: Williams & Peng, "An efficient gradient-based algorithm for on-line training of recurrent network
trajectories", Neural Computation 2 (1990), where this is BPTT(h; h'), h = k2, h' = k1.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from torch_rnn.errors import ArgumentError

States = tuple[Tensor, ...]
Run = Callable[[int, int, States], tuple[Tensor, States]]


def check_truncate(truncate: Any) -> tuple[int, int]:
    """Return `truncate` if it is a pair (k1, k2), 1 <= k1 <= k2.

    Raises:
        ArgumentError: it is something else.
    """
    wanted = "None, or two integers (k1, k2), 1 <= k1 <= k2"
    if not isinstance(truncate, (tuple, list)) or len(truncate) != 2:
        raise ArgumentError("truncate", repr(truncate), wanted)
    k1, k2 = truncate
    if not all(isinstance(k, int) and not isinstance(k, bool) for k in (k1, k2)) or not 1 <= k1 <= k2:
        raise ArgumentError("truncate", repr(truncate), wanted)
    return k1, k2


def truncated(run: Run, T: int, truncate: tuple[int, int], states_0: States, dim: int = 0) -> tuple[Tensor, States]:
    """Run something recurrent over T steps, so that autograd gives truncated gradients.

    Args:
        run: `(first, last, states) -> (y, states)`: steps `first` to `last` - 1, from the states before `first`, to
            their outputs and the states after them. It goes forward in time, and gives the same each time.
        T: the number of steps, at least 1.
        truncate: (k1, k2), 1 <= k1 <= k2.
        states_0: the initial states.
        dim: the axis of time in y.

    Returns:
        y of all steps, and the final states.

    Raises:
        ArgumentError: (k1, k2) is something else.
    """
    k1, k2 = check_truncate(truncate)
    blocks = [(s, min(s + k1, T)) for s in range(0, T, k1)]
    begins = [max(0, s + k1 - k2) for s, _ in blocks]
    before = {0: states_0}
    with torch.no_grad():  # what is computed here is constant
        for earlier, later in pairwise(sorted({0, *begins})):
            _, before[later] = run(earlier, later, before[earlier])
    ys, states = [], states_0
    for (s, e), w in zip(blocks, begins, strict=True):
        y, states = run(w, e, before[w])
        ys.append(y.narrow(dim, s - w, e - s))
    return torch.cat(ys, dim), states
