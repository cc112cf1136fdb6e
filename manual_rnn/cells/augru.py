"""The GRU cell with an attention score, the reset gate after the recurrent product, and clipped pre-activations.

Gates r, z, n.

    r = sigmoid(k(W_xr x + b_xr + W_hr h_prev + b_hr))   reset gate
    z = sigmoid(k(W_xz x + b_xz + W_hz h_prev + b_hz))   update gate
    q = W_hn h_prev + b_hn
    n = tanh(k(W_xn x + b_xn + r q))                     candidate
    u = (1 - score) z                                    update gate as attended to
    h = n + u (h_prev - n)                               that is, (1 - u) n + u h_prev

The score is one number a step and sequence; 0 is no attention. k may be the identity. Reference: Zhou et al., "Deep
interest evolution network for click-through rate prediction", AAAI 2019, arXiv:1809.03672, section 4.3 (AUGRU), with u
and 1 - u as oneDNN has them.

Backward, given dh, each line reversing one above:

    da_n = dh (1 - u) (1 - n^2) k'
    du   = dh (h_prev - n)
    da_z = du (1 - score) z (1 - z) k'
    dq   = da_n r
    da_r = da_n q r (1 - r) k'
    dh_prev = dh u + W_hh^T (da_r, da_z, dq)

    dscore = - sum du z                                  over the units
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from manual_rnn.activations import dsigmoid, dtanh, sigmoid, tanh
from manual_rnn.arrays import Array, blocks
from manual_rnn.cells.cell import Cell, Tape, Weights
from manual_rnn.cells.clip import clipping
from manual_rnn.cells.gru import GRU


def augru(limit: float | None) -> Cell:
    """Return the cell with the limit of the clip."""
    k = clipping(limit)

    def forward_step(
        weights: Weights,
        gates: Array,
        h_in: Array,
        h_prev: Array,
        h: Array,
        q: Array,
        slope: Array,
        score: Array,
    ) -> None:
        H = h.shape[-1]
        recurrent = h_in @ weights.W_hh_T
        r_z, slope_r_z = gates[:, : 2 * H], slope[:, : 2 * H]
        r_z += recurrent[:, : 2 * H]
        k(r_z, slope_r_z)
        sigmoid(r_z)
        r, z, n = blocks(gates, 3)
        np.add(recurrent[:, 2 * H :], weights.b_hh[2 * H :], out=q)  # q = W_hn h_prev + b_hn
        n += r * q  # n = tanh(k(W_xn x + b_xn + r q))
        k(n, slope[:, 2 * H :])
        tanh(n)
        np.subtract(h_prev, n, out=h)  # h = n + u (h_prev - n), u = (1 - score) z
        h *= (1 - score) * z
        h += n

    def local(tape: Tape, da: Array) -> tuple[Array, ...]:
        r, z, n = blocks(tape.gates, 3)
        (h,) = tape.states
        q, slope = tape.saved
        (score,) = tape.given
        slope_r, slope_z, slope_n = blocks(slope, 3)
        da_r, da_z, dq, da_n = blocks(da, 4)
        u = (1 - score) * z
        np.multiply((1 - u) * dtanh(n), slope_n, out=da_n)  # h = n + u (h_prev - n):  dh/da_n = (1 - u) (1 - n^2) k'
        np.multiply((h[:-1] - n) * (1 - score), dsigmoid(z) * slope_z, out=da_z)  # u = (1 - score) z:  dh/da_z = ...
        np.multiply(da_n, r, out=dq)  # a_n = ... + r q:  dh/dq = dh/da_n r
        np.multiply(da_n * q, dsigmoid(r) * slope_r, out=da_r)  # a_n = ... + r q:  dh/da_r = dh/da_n q r (1 - r) k'
        da_h = da[..., : 3 * h.shape[-1]]  # (da_r, da_z, dq), what W_hh h_prev + b_hh receives
        return da_r, da_z, dq, da_n, da_h, u

    return replace(
        GRU,
        saved={"q": 1, "slope": 3},
        forward_step=forward_step,
        local=local,
        given=("attention",),
        sums=attended,
    )


def attended(_weights: Weights, tape: Tape, _da: Array, dh: Array) -> tuple[Array, ...]:
    """Return the gradient of the score (T, B, 1), from dh (T, B, H) of all steps."""
    _, z, n = blocks(tape.gates, 3)
    du = dh * (tape.states[0][:-1] - n)  # h = n + u (h_prev - n):  du = dh (h_prev - n)
    return (-np.sum(du * z, axis=-1, keepdims=True),)  # u = (1 - score) z:  dscore = - sum du z
