"""The GRU cell with the reset gate after the recurrent product, as in torch and cuDNN. Gate order r, z, n.

    r = sigmoid(W_xr x + b_xr + W_hr h_prev + b_hr)   reset gate
    z = sigmoid(W_xz x + b_xz + W_hz h_prev + b_hz)   update gate
    q = W_hn h_prev + b_hn
    n = tanh(W_xn x + b_xn + r q)                     candidate
    h = n + z (h_prev - n)                            that is, (1 - z) n + z h_prev

Reference: Cho et al., "Learning phrase representations using RNN encoder-decoder", EMNLP 2014, arXiv:1406.1078, in the
variant of its first version (arXiv:1406.1078v1), whose recurrent product of n comes before the reset.

Backward, given dh, each line reversing one above:

    da_n = dh (1 - z) (1 - n^2)
    da_z = dh (h_prev - n) z (1 - z)
    dq   = da_n r
    da_r = da_n q r (1 - r)
    dh_prev = dh z + W_hh^T (da_r, da_z, dq)
"""

from __future__ import annotations

import numpy as np

from manual_rnn.activations import dsigmoid, dtanh, sigmoid, tanh
from manual_rnn.arrays import Array, blocks
from manual_rnn.cells.cell import Cell, Product, Tape, Weights


def fold(weights: Weights) -> Array:
    bias = weights.b_xh.copy()
    H = weights.b_hh.shape[0] // 3
    bias[: 2 * H] += weights.b_hh[: 2 * H]  # b_hn waits inside q
    return bias


def forward_step(weights: Weights, gates: Array, h_in: Array, h_prev: Array, h: Array, q: Array) -> None:
    H = h.shape[-1]
    recurrent = h_in @ weights.W_hh_T
    r_z = gates[:, : 2 * H]
    r_z += recurrent[:, : 2 * H]
    sigmoid(r_z)
    r, z, n = blocks(gates, 3)
    np.add(recurrent[:, 2 * H :], weights.b_hh[2 * H :], out=q)  # q = W_hn h_prev + b_hn
    n += r * q  # n = tanh(W_xn x + b_xn + r q)
    tanh(n)
    np.subtract(h_prev, n, out=h)  # h = n + z (h_prev - n)
    h *= z
    h += n


def local(tape: Tape, da: Array) -> tuple[Array, ...]:
    r, z, n = blocks(tape.gates, 3)
    (h,) = tape.states
    (q,) = tape.saved
    da_r, da_z, dq, da_n = blocks(da, 4)
    np.multiply(1 - z, dtanh(n), out=da_n)  # h = n + z (h_prev - n):  dh/da_n = (1 - z) (1 - n^2)
    np.multiply(h[:-1] - n, dsigmoid(z), out=da_z)  # h = n + z (h_prev - n):  dh/da_z = (h_prev - n) z (1 - z)
    np.multiply(da_n, r, out=dq)  # a_n = ... + r q:  dh/dq = dh/da_n r
    np.multiply(da_n * q, dsigmoid(r), out=da_r)  # a_n = ... + r q:  dh/da_r = dh/da_n q r (1 - r)
    da_h = da[..., : 3 * h.shape[-1]]  # (da_r, da_z, dq), what W_hh h_prev + b_hh receives
    return da_r, da_z, dq, da_n, da_h, z


def backward_step(
    weights: Weights,
    da_r: Array,
    da_z: Array,
    dq: Array,
    da_n: Array,
    da_h: Array,
    z: Array,
    dh: Array,
    dh_prev: Array,
) -> Array:
    da_n *= dh  # h = n + z (h_prev - n):  da_n = dh (1 - z) (1 - n^2)
    da_z *= dh  # h = n + z (h_prev - n):  da_z = dh (h_prev - n) z (1 - z)
    dq *= dh  # a_n = ... + r q:  dq = da_n r
    da_r *= dh  # a_n = ... + r q:  da_r = da_n q r (1 - r)
    dh_prev += dh * z  # h = n + z (h_prev - n):  dh_prev = dh z + ...
    return da_h @ weights.W_hh  # W_hh h_prev + b_hh:  dh_prev = ... + W_hh^T (da_r, da_z, dq)


GRU = Cell(
    num_gates=3,
    states=("h",),
    saved={"q": 1},
    forward_step=forward_step,
    local=local,
    backward_step=backward_step,
    fold=fold,
    num_da=4,
    input_products=(Product((0, 2), (0, 2)), Product((2, 3), (3, 4))),
    recurrent_products=(Product((0, 3), (0, 3)),),
)
