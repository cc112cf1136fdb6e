"""The GRU cell with the reset gate before the recurrent product, as in the paper and in ONNX by default. Gates r, z, n.

    r = sigmoid(W_xr x + b_xr + W_hr h_prev + b_hr)   reset gate
    z = sigmoid(W_xz x + b_xz + W_hz h_prev + b_hz)   update gate
    s = r h_prev
    n = tanh(W_xn x + b_xn + W_hn s + b_hn)           candidate
    h = n + z (h_prev - n)                            that is, (1 - z) n + z h_prev

Reference: Cho et al., "Learning phrase representations using RNN encoder-decoder", EMNLP 2014, arXiv:1406.1078v3,
equations 5 to 8, with z and 1 - z as torch has them.

Backward, given dh, each line reversing one above:

    da_n = dh (1 - z) (1 - n^2)
    da_z = dh (h_prev - n) z (1 - z)
    ds   = W_hn^T da_n
    da_r = ds h_prev r (1 - r)
    dh_prev = dh z + ds r + W_hr^T da_r + W_hz^T da_z
"""

from __future__ import annotations

import numpy as np

from manual_rnn.activations import dsigmoid, dtanh, sigmoid, tanh
from manual_rnn.arrays import Array, blocks
from manual_rnn.cells.cell import Cell, Product, Tape, Weights, fold_both


def forward_step(weights: Weights, gates: Array, h_in: Array, h_prev: Array, h: Array, s: Array) -> None:
    H = h.shape[-1]
    r, z, n = blocks(gates, 3)
    r_z = gates[:, : 2 * H]
    r_z += h_in @ weights.W_hh_T[:, : 2 * H]
    sigmoid(r_z)
    np.multiply(r, h_in, out=s)  # s = r h_prev
    n += s @ weights.W_hh_T[:, 2 * H :]  # n = tanh(W_xn x + b_xn + W_hn s + b_hn)
    tanh(n)
    np.subtract(h_prev, n, out=h)  # h = n + z (h_prev - n)
    h *= z
    h += n


def local(tape: Tape, da: Array) -> tuple[Array, ...]:
    r, z, n = blocks(tape.gates, 3)
    (h,) = tape.states
    da_r, da_z, da_n = blocks(da, 3)
    np.multiply(1 - z, dtanh(n), out=da_n)  # h = n + z (h_prev - n):  dh/da_n = (1 - z) (1 - n^2)
    np.multiply(h[:-1] - n, dsigmoid(z), out=da_z)  # h = n + z (h_prev - n):  dh/da_z = (h_prev - n) z (1 - z)
    np.multiply(tape.h_in, dsigmoid(r), out=da_r)  # s = r h_prev:  ds/da_r = h_prev r (1 - r)
    da_rz = da[..., : 2 * h.shape[-1]]
    return da_r, da_z, da_n, da_rz, r, z


def backward_step(
    weights: Weights,
    da_r: Array,
    da_z: Array,
    da_n: Array,
    da_rz: Array,
    r: Array,
    z: Array,
    dh: Array,
    dh_prev: Array,
) -> Array:
    H = dh.shape[-1]
    da_n *= dh  # h = n + z (h_prev - n):  da_n = dh (1 - z) (1 - n^2)
    da_z *= dh  # h = n + z (h_prev - n):  da_z = dh (h_prev - n) z (1 - z)
    ds = da_n @ weights.W_hh[2 * H :]  # a_n = ... + W_hn s:  ds = W_hn^T da_n
    da_r *= ds  # s = r h_prev:  da_r = ds h_prev r (1 - r)
    dh_prev += dh * z  # h = n + z (h_prev - n):  dh_prev = dh z + ...
    dh_in = da_rz @ weights.W_hh[: 2 * H]  # a_r, a_z:  dh_prev = ... + W_hr^T da_r + W_hz^T da_z
    dh_in += ds * r  # s = r h_prev:  dh_prev = ... + ds r
    return dh_in


GRU_RESET_BEFORE = Cell(
    num_gates=3,
    states=("h",),
    saved={"s": 1},
    forward_step=forward_step,
    local=local,
    backward_step=backward_step,
    fold=fold_both,
    num_da=3,
    input_products=(Product((0, 3), (0, 3)),),
    recurrent_products=(Product((0, 2), (0, 2)), Product((2, 3), (2, 3), operand=0)),
)
