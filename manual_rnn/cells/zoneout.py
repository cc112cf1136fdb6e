"""Zoneout, for any cell: states that keep some of what they were.

    state = new + d (state_prev - new)            for each state, new being what the cell makes of it

d is 1 where a unit keeps its old state and 0 elsewhere, or in evaluation the rate everywhere. An LSTM's new h is made
from the new c, not from the one that zoneout makes of it. Reference: Krueger et al., "Zoneout: regularizing RNNs by
randomly preserving hidden activations", ICLR 2017, arXiv:1606.01305, section 3.

Backward, given dstate:

    dnew = (1 - d) dstate
    dstate_prev = ... + d dstate
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from manual_rnn.arrays import Array
from manual_rnn.cells.cell import Cell, Tape, Weights


@lru_cache(maxsize=128)
def zoned(cell: Cell) -> Cell:
    """Return the cell with zoneout; d (T, B, width) of each state is the last that it is given."""
    count = len(cell.states)
    given = len(cell.given)
    saved = len(cell.saved)

    def forward_step(weights: Weights, gates: Array, h_in: Array, *arrays: Array) -> None:
        prev, states, rest = arrays[:count], arrays[count : 2 * count], arrays[2 * count :]
        kept, new, inputs, zones = _split(rest, saved, count, given)
        cell.forward_step(weights, gates, h_in, *prev, *new, *kept, *inputs)
        for state, state_prev, proposed, d in zip(states, prev, new, zones, strict=True):
            np.subtract(state_prev, proposed, out=state)  # state = new + d (state_prev - new)
            state *= d
            state += proposed

    def local(tape: Tape, da: Array) -> tuple[Array, ...]:
        return *tape.given[given:], *cell.local(tape._replace(given=tape.given[:given]), da)

    def backward_step(weights: Weights, *arrays: Array) -> Array:
        zones, factors, carried = arrays[:count], arrays[count : -2 * count], arrays[-2 * count :]
        dstates, dprevs = carried[::2], carried[1::2]
        dnews = [(1 - d) * dstate for d, dstate in zip(zones, dstates, strict=True)]  # dnew = (1 - d) dstate
        through = [array for pair in zip(dnews, dprevs, strict=True) for array in pair]
        dh_in = cell.backward_step(weights, *factors, *through)
        for dprev, d, dstate in zip(dprevs, zones, dstates, strict=True):
            dprev += d * dstate  # state = new + d (state_prev - new):  dstate_prev = ... + d dstate
        return dh_in

    def sums(weights: Weights, tape: Tape, da: Array, dh: Array) -> tuple[Array, ...]:
        return cell.sums(weights, tape._replace(given=tape.given[:given]), da, (1 - tape.given[given]) * dh)

    return replace(
        cell,
        given=(*cell.given, *[f"zoneout_{state}" for state in cell.states]),
        own_proposed=True,
        forward_step=forward_step,
        local=local,
        backward_step=backward_step,
        sums=sums,
    )


def _split(arrays: tuple[Array, ...], *sizes: int) -> list[tuple[Array, ...]]:
    """Return the arrays in groups of these sizes, and a last group of what is left."""
    groups, start = [], 0
    for size in sizes:
        groups.append(arrays[start : start + size])
        start += size
    return [*groups, arrays[start:]]
