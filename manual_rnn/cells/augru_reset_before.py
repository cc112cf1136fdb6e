"""The GRU cell with an attention score, the reset gate before the recurrent product, and clipped pre-activations.

Gates r, z, n.

    r = sigmoid(k(W_xr x + b_xr + W_hr h_prev + b_hr))   reset gate
    z = sigmoid(k(W_xz x + b_xz + W_hz h_prev + b_hz))   update gate
    s = r h_prev
    n = tanh(k(W_xn x + b_xn + W_hn s + b_hn))           candidate
    u = (1 - score) z                                    update gate as attended to
    h = n + u (h_prev - n)                               that is, (1 - u) n + u h_prev

The score and k are as in `manual_rnn.cells.augru`, whose reference has the reset gate here.

Backward, given dh, each line reversing one above:

    da_n = dh (1 - u) (1 - n^2) k'
    du   = dh (h_prev - n)
    da_z = du (1 - score) z (1 - z) k'
    ds   = W_hn^T da_n
    da_r = ds h_prev r (1 - r) k'
    dh_prev = dh u + ds r + W_hr^T da_r + W_hz^T da_z

    dscore = - sum du z                                  over the units
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from manual_rnn.activations import dsigmoid, dtanh, sigmoid, tanh
from manual_rnn.arrays import Array, blocks
from manual_rnn.cells.augru import attended
from manual_rnn.cells.cell import Cell, Tape, Weights
from manual_rnn.cells.clip import clipping
from manual_rnn.cells.gru_reset_before import GRU_RESET_BEFORE


def augru_reset_before(limit: float | None) -> Cell:
    """Return the cell with the limit of the clip."""
    k = clipping(limit)

    def forward_step(
        weights: Weights,
        gates: Array,
        h_in: Array,
        h_prev: Array,
        h: Array,
        s: Array,
        slope: Array,
        score: Array,
    ) -> None:
        H = h.shape[-1]
        r, z, n = blocks(gates, 3)
        r_z, slope_r_z = gates[:, : 2 * H], slope[:, : 2 * H]
        r_z += h_in @ weights.W_hh_T[:, : 2 * H]
        k(r_z, slope_r_z)
        sigmoid(r_z)
        np.multiply(r, h_in, out=s)  # s = r h_prev
        n += s @ weights.W_hh_T[:, 2 * H :]  # n = tanh(k(W_xn x + b_xn + W_hn s + b_hn))
        k(n, slope[:, 2 * H :])
        tanh(n)
        np.subtract(h_prev, n, out=h)  # h = n + u (h_prev - n), u = (1 - score) z
        h *= (1 - score) * z
        h += n

    def local(tape: Tape, da: Array) -> tuple[Array, ...]:
        r, z, n = blocks(tape.gates, 3)
        (h,) = tape.states
        _, slope = tape.saved
        (score,) = tape.given
        da_r, da_z, da_n = blocks(da, 3)
        u = (1 - score) * z
        np.multiply(1 - u, dtanh(n), out=da_n)  # h = n + u (h_prev - n):  dh/da_n = (1 - u) (1 - n^2) k'
        np.multiply((h[:-1] - n) * (1 - score), dsigmoid(z), out=da_z)  # u = (1 - score) z:  dh/da_z = ...
        np.multiply(tape.h_in, dsigmoid(r), out=da_r)  # s = r h_prev:  ds/da_r = h_prev r (1 - r) k'
        da *= slope
        da_rz = da[..., : 2 * h.shape[-1]]
        return da_r, da_z, da_n, da_rz, r, u

    return replace(
        GRU_RESET_BEFORE,
        saved={"s": 1, "slope": 3},
        forward_step=forward_step,
        local=local,
        given=("attention",),
        sums=attended,
    )
