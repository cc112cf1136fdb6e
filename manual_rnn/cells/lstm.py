"""The LSTM cell. Gate order i, f, g, o, as in torch.

    a = W_xh x + b_xh + W_hh h_prev + b_hh            a = (a_i, a_f, a_g, a_o)
    i = sigmoid(a_i)                                  input gate
    f = sigmoid(a_f)                                  forget gate
    g = tanh(a_g)                                     candidate
    o = sigmoid(a_o)                                  output gate
    c = f c_prev + i g
    s = tanh(c)
    h = o s

Reference: Hochreiter & Schmidhuber, "Long short-term memory", Neural Computation 9 (1997); the forget gate is from
Gers, Schmidhuber & Cummins, "Learning to forget", Neural Computation 12 (2000).

Backward, given dh and dc from the later steps, each line reversing one above:

    da_o = dh s o (1 - o)
    dc  += dh o (1 - s^2)
    da_i = dc g i (1 - i)
    da_f = dc c_prev f (1 - f)
    da_g = dc i (1 - g^2)
    dc_prev = dc f
    dh_prev = W_hh^T da
"""

from __future__ import annotations

import numpy as np

from manual_rnn.activations import dsigmoid, dtanh, sigmoid
from manual_rnn.arrays import Array, blocks
from manual_rnn.cells.cell import Cell, Product, Tape, Weights, fold_both


def forward_step(
    weights: Weights, gates: Array, h_in: Array, _h_prev: Array, c_prev: Array, h: Array, c: Array, s: Array
) -> None:
    gates += h_in @ weights.W_hh_T  # a = W_xh x + b_xh + W_hh h_prev + b_hh
    i, f, g, o = blocks(gates, 4)
    tanh_g = np.tanh(g)
    sigmoid(gates)  # i, f and o in one go; g with them, which the next line puts right
    g[...] = tanh_g
    np.multiply(f, c_prev, out=c)
    c += i * g  # c = f c_prev + i g
    np.tanh(c, out=s)  # s = tanh(c)
    np.multiply(o, s, out=h)  # h = o s


def local(tape: Tape, da: Array) -> tuple[Array, ...]:
    i, f, g, o = blocks(tape.gates, 4)
    _, c = tape.states
    (s,) = tape.saved
    da_i, da_f, da_g, da_o = blocks(da, 4)
    np.multiply(s, dsigmoid(o), out=da_o)  # h = o s:  dh/da_o = s o (1 - o)
    dh_dc = o * dtanh(s)  # h = o tanh(c):  dh/dc = o (1 - s^2)
    np.multiply(i, dtanh(g), out=da_g)  # c = f c_prev + i g:  dc/da_g = i (1 - g^2)
    np.multiply(c[:-1], dsigmoid(f), out=da_f)  # c = f c_prev + i g:  dc/da_f = c_prev f (1 - f)
    np.multiply(g, dsigmoid(i), out=da_i)  # c = f c_prev + i g:  dc/da_i = g i (1 - i)
    return da, da_i, da_f, da_g, da_o, f, dh_dc


def backward_step(
    weights: Weights,
    da: Array,
    da_i: Array,
    da_f: Array,
    da_g: Array,
    da_o: Array,
    f: Array,
    dh_dc: Array,
    dh: Array,
    _dh_prev: Array,
    dc: Array,
    dc_prev: Array,
) -> Array:
    da_o *= dh  # h = o s:  da_o = dh s o (1 - o)
    dc += dh * dh_dc  # h = o tanh(c):  dc += dh o (1 - s^2)
    da_g *= dc  # c = f c_prev + i g:  da_g = dc i (1 - g^2)
    da_f *= dc  # c = f c_prev + i g:  da_f = dc c_prev f (1 - f)
    da_i *= dc  # c = f c_prev + i g:  da_i = dc g i (1 - i)
    np.multiply(dc, f, out=dc_prev)  # c = f c_prev + i g:  dc_prev = dc f
    return da @ weights.W_hh  # a = ... + W_hh h_prev:  dh_prev = W_hh^T da


LSTM = Cell(
    num_gates=4,
    states=("h", "c"),
    saved={"s": 1},
    forward_step=forward_step,
    local=local,
    backward_step=backward_step,
    fold=fold_both,
    num_da=4,
    input_products=(Product((0, 4), (0, 4)),),
    recurrent_products=(Product((0, 4), (0, 4)),),
)
