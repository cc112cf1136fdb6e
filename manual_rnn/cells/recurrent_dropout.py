"""Dropout of what the recurrent products see, for any cell.

    h_in = mask h_prev                            in place of h_prev in W_hh h_prev, and in the GRU's s = r h_prev

Whatever else the cell does with h_prev, such as the GRU's z h_prev, it does with h_prev itself. With one mask for all
steps it is variational. Reference: Gal & Ghahramani, "A theoretically grounded application of dropout in recurrent
neural networks", NIPS 2016, arXiv:1512.05287, equation 7.

Backward, given dh_in:

    dh_prev = ... + mask dh_in
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from manual_rnn.arrays import Array
from manual_rnn.cells.cell import Cell, Tape, Weights


@lru_cache(maxsize=128)
def dropping(cell: Cell) -> Cell:
    """Return the cell with dropout; the mask (T, B, P) is the last thing it is given."""

    def forward_step(weights: Weights, gates: Array, h_in: Array, h_prev: Array, *arrays: Array) -> None:
        *rest, mask = arrays
        np.multiply(mask, h_prev, out=h_in)  # h_in = mask h_prev
        cell.forward_step(weights, gates, h_in, h_prev, *rest)

    def local(tape: Tape, da: Array) -> tuple[Array, ...]:
        return tape.given[-1], *cell.local(tape._replace(given=tape.given[:-1]), da)

    def backward_step(weights: Weights, mask: Array, *arrays: Array) -> Array:
        return mask * cell.backward_step(weights, *arrays)  # h_in = mask h_prev:  dh_prev = ... + mask dh_in

    return replace(
        cell,
        given=(*cell.given, "recurrent"),
        own_h_in=True,
        forward_step=forward_step,
        local=local,
        backward_step=backward_step,
    )
