"""A cell through time, forward and backward: the only loop over t.

The gradients of the parameters are sums over all steps of products with the gradients of the pre-activations, so they
are one matrix product each, over the whole sequence:

    dW_xh = sum_t da_x[t]^T x[t]          db_xh = sum_t da_x[t]
    dW_hh = sum_t da_h[t]^T h_in[t]       db_hh = sum_t da_h[t]          dx = da_x W_xh

Sequences of a batch may end before step T. They come longest first, so at each step those still running are the first
rows, and a step is given no others:

    state[t+1] = step(state[t])           where it runs          y[t] = h[t+1]
    state[t+1] = state[t]                 once it has ended      y[t] = 0

So the final states are at T for all. Backward, where a sequence has ended, dstate[t] = dstate[t+1] and da[t] = 0.
"""

from __future__ import annotations

from functools import lru_cache, reduce
from itertools import repeat
from typing import NamedTuple

import numpy as np

from manual_rnn.arrays import Array, steps_below
from manual_rnn.cells.cell import Cell, Product, Tape, Weights
from manual_rnn.lengths import Run, Schedule, all_running

CACHED = 2**16  # numbers in the gates of a span of steps: half a MiB of float64


class Gradients(NamedTuple):
    """The gradients of a loss, each of the shape of what it is the gradient of.

    Attributes:
        dW_xh (G*H, I), dW_hh (G*H, P), db_xh (G*H,), db_hh (G*H,), dx (T, B, I).
        dstates: an array (T+1, B, width) for each state of the cell: the gradient of the state before each step; entry
            0 is that of the initial state.
        sums: those of the cell's own weights, and then of what it was given that has one.
    """

    dW_xh: Array
    dW_hh: Array
    db_xh: Array
    db_hh: Array
    dx: Array
    dstates: tuple[Array, ...]
    sums: tuple[Array, ...]


def forward(
    cell: Cell,
    weights: Weights,
    x: Array,
    states_0: tuple[Array, ...],
    schedule: Schedule | None = None,
    given: tuple[Array, ...] = (),
) -> Tape:
    """Run the cell over the sequence.

    Args:
        cell: the cell.
        weights: its parameters.
        x (T, B, I): the input, T >= 1; 0 where a sequence has ended.
        states_0: the initial states, (B, width) each, in the order of `cell.states`.
        schedule: which sequences run when; all at every step if None.
        given: an array (T, B, width) for each name in `cell.given`; 0 where a sequence has ended.
    """
    T, B, I = x.shape
    GH = len(weights.W_hh)
    H = GH // cell.num_gates
    gates = (x.reshape(T * B, I) @ weights.W_xh.T).reshape(T, B, GH)
    gates += cell.fold(weights)
    states = tuple([np.empty_like(x, shape=(T + 1, *state_0.shape)) for state_0 in states_0])
    saved = tuple([np.empty_like(x, shape=(T, B, width * H)) for width in cell.saved.values()])
    for state, state_0 in zip(states, states_0, strict=True):
        state[0] = state_0
    h_in = np.empty_like(states[0][1:]) if cell.own_h_in else states[0][:-1]
    after = tuple([state[1:] for state in states])
    proposed = tuple([np.empty_like(state) for state in after]) if cell.own_proposed else after
    kept = (*saved, *proposed) if cell.own_proposed else saved
    running, ended = schedule or all_running(T, B)
    over_time = (gates, h_in, *states, *after, *kept, *given)
    for first, last, n in running:
        times = repeat(weights, last - first)
        for step in zip(times, *[array[first:last, :n] for array in over_time], strict=False):
            cell.forward_step(*step)
    for first, last, n in ended:
        for state in states:
            state[first + 1 : last + 1, n:] = state[first, n:]  # state[t+1] = state[t]
        for array in (gates, *kept, *((h_in,) if cell.own_h_in else ())):
            array[first:last, n:] = 0
    return Tape(x, gates, states, h_in, proposed, saved, given)


def outputs(tape: Tape, schedule: Schedule) -> Array:
    """Return y (T, B, P), the hidden state after every step, 0 where a sequence has ended."""
    y = tape.states[0][1:]
    if schedule.ended:
        y = y.copy()
    for first, last, n in schedule.ended:
        y[first:last, n:] = 0
    return y


def backward(
    cell: Cell,
    weights: Weights,
    tape: Tape,
    dy: Array,
    dstates_n: tuple[Array, ...],
    schedule: Schedule | None = None,
) -> Gradients:
    """Run the cell's sequence backward.

    Args:
        cell: the cell.
        weights: its parameters.
        tape: what `forward` returned; it is only read.
        dy (T, B, P): the gradient of the output h at every step; 0 where a sequence has ended.
        dstates_n: the gradients of the final states, (B, width) each, in the order of `cell.states`.
        schedule: which sequences ran when, as `forward` was told.
    """
    dstates = tuple([np.empty_like(state) for state in tape.states])
    for dstate, dstate_n in zip(dstates, dstates_n, strict=True):
        dstate[-1] = dstate_n
    dh = dstates[0]
    dh[0] = 0
    dh[1:-1] = dy[:-1]
    dh[-1] += dy[-1]
    T, B, _ = tape.x.shape
    H = len(weights.W_hh) // cell.num_gates
    da = np.empty_like(tape.x, shape=(T, B, cell.num_da * H))
    running, ended = schedule or all_running(T, B)
    for first, last, n in reversed(ended):
        dh[first:last, n:] += dh[last, n:]  # h[t+1] = h[t]:  dh[t] = dy[t-1] + dh[t+1]
        for dstate in dstates[1:]:
            dstate[first:last, n:] = dstate[last, n:]  # state[t+1] = state[t]:  dstate[t] = dstate[t+1]
        da[first:last, n:] = 0
    for first, last, n in reversed(_spans(running, da.shape[-1])):
        factors = cell.local(tape.part(first, last, n), da[first:last, :n])
        carried = [ends for dstate in dstates for ends in (dstate[first + 1 : last + 1, :n], dstate[first:last, :n])]
        at = 1 + len(factors) + 1  # weights, factors, dh, dh_prev
        times = repeat(weights, last - first)
        for step in zip(times, *[array[::-1] for array in (*factors, *carried)], strict=False):
            dh_prev = step[at]
            dh_prev += cell.backward_step(*step)  # h_in = h_prev:  dh_prev = ... + dh_in

    sums = cell.sums(weights, tape, da, dh[1:])
    da, x, h_in = steps_below(da), steps_below(tape.x), steps_below(tape.h_in)
    db = da.sum(axis=0)
    dW_xh, db_xh = np.empty_like(weights.W_xh), np.empty_like(weights.b_xh)
    dW_hh, db_hh = np.empty_like(weights.W_hh), np.empty_like(weights.b_hh)
    shares = []
    for rows, blocks, _ in _elements(cell.input_products, H):
        np.matmul(da[:, blocks].T, x, out=dW_xh[rows])
        db_xh[rows] = db[blocks]
        shares.append(da[:, blocks] @ weights.W_xh[rows])
    for rows, blocks, saved in _elements(cell.recurrent_products, H):
        operand = h_in if saved is None else steps_below(tape.saved[saved])
        np.matmul(da[:, blocks].T, operand, out=dW_hh[rows])
        db_hh[rows] = db[blocks]
    dx = reduce(np.add, shares).reshape(tape.x.shape)
    return Gradients(dW_xh, dW_hh, db_xh, db_hh, dx, dstates, sums)


@lru_cache(maxsize=1024)
def _elements(products: tuple[Product, ...], H: int) -> tuple[tuple[slice, slice, int | None], ...]:
    """Return products with their ranges of gates, each H wide, as slices."""

    def elements(gates: tuple[int, int]) -> slice:
        first, end = gates
        return slice(first * H, end * H)

    return tuple([(elements(product.rows), elements(product.da), product.operand) for product in products])


@lru_cache(maxsize=1024)
def _spans(running: tuple[Run, ...], GH: int) -> tuple[Run, ...]:
    """Return the steps in spans (first, last + 1, n) whose `da` of n rows fits a processor's cache, since the local
    derivatives of a span are read again soon after they are written; a short sequence is one span.
    """
    spans: list[Run] = []
    for first, end, n in running:
        length = max(1, CACHED // (n * GH))
        spans += [(start, min(start + length, end), n) for start in range(first, end, length)]
    return tuple(spans)
