"""The projection of an LSTM's output to a narrower h, as torch.nn's proj_size.

    m = o s                                       what the LSTM without it would call h, (B, H)
    h = W_hr m                                    (B, P); it is h that W_hh multiplies, so W_hh is (G*H, P)

Reference: Sak, Senior & Beaufays, "Long short-term memory based recurrent neural network architectures for large
vocabulary speech recognition", arXiv:1402.1128 (2014), equation 7, whose recurrent projection this is.

Backward, given dh:

    dm = W_hr^T dh
    dW_hr = sum dh m^T
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from manual_rnn.arrays import Array, steps_below
from manual_rnn.cells.cell import Cell, Tape, Weights


def projected(cell: Cell) -> Cell:
    """Return an LSTM with a projection; m is the last of what it keeps, W_hr the last of its own weights."""

    def inner(weights: Weights) -> tuple[Weights, Array]:
        *own, W_hr = weights.own
        return weights._replace(own=tuple(own)), W_hr

    def forward_step(
        weights: Weights, gates: Array, h_in: Array, h_prev: Array, c_prev: Array, h: Array, c: Array, *saved: Array
    ) -> None:
        *kept, m = saved
        weights, W_hr = inner(weights)
        cell.forward_step(weights, gates, h_in, h_prev, c_prev, m, c, *kept)
        np.matmul(m, W_hr.T, out=h)  # h = W_hr m

    def local(tape: Tape, da: Array) -> tuple[Array, ...]:
        return cell.local(tape._replace(saved=tape.saved[:-1]), da)

    def backward_step(weights: Weights, *arrays: Array) -> Array:
        *factors, dh, dh_prev, dc, dc_prev = arrays
        weights, W_hr = inner(weights)
        dm = dh @ W_hr  # h = W_hr m:  dm = W_hr^T dh
        return cell.backward_step(weights, *factors, dm, dh_prev, dc, dc_prev)

    def sums(weights: Weights, tape: Tape, da: Array, dh: Array) -> tuple[Array, ...]:
        dW_hr = steps_below(dh).T @ steps_below(tape.saved[-1])  # h = W_hr m:  dW_hr = sum dh m^T
        return (*cell.sums(weights, tape, da, dh), dW_hr)

    return replace(
        cell,
        saved={**cell.saved, "m": 1},
        own={**cell.own, "W_hr": ("P", "H")},
        forward_step=forward_step,
        local=local,
        backward_step=backward_step,
        sums=sums,
    )
