"""The LSTM cell with peepholes, a constant added to its forget gate, and clipped pre-activations. Gates i, f, g, o.

    a = W_xh x + b_xh + W_hh h_prev + b_hh            a = (a_i, a_f, a_g, a_o)
    i = sigmoid(k(a_i + p_i c_prev))                  input gate
    f = sigmoid(k(a_f + p_f c_prev + forget_bias))    forget gate
    g = tanh(k(a_g))                                  candidate
    c = f c_prev + i g
    o = sigmoid(k(a_o + p_o c))                       output gate
    s = tanh(k(c))
    h = o s

Each may be absent: then p_i, p_f, p_o or forget_bias are 0, or k is the identity. Reference: Gers, Schraudolph &
Schmidhuber, "Learning precise timing with LSTM recurrent networks", JMLR 3 (2002); k as in the operator LSTM of ONNX.

Backward, given dh and dc from the later steps, each line reversing one above:

    da_o = dh s o (1 - o) k'
    dc  += dh o (1 - s^2) k' + p_o da_o
    da_i = dc g i (1 - i) k'
    da_f = dc c_prev f (1 - f) k'
    da_g = dc i (1 - g^2) k'
    dc_prev = dc f + p_i da_i + p_f da_f
    dh_prev = W_hh^T da

    dp_i = sum da_i c_prev        dp_f = sum da_f c_prev        dp_o = sum da_o c
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from manual_rnn.activations import dsigmoid, dtanh, sigmoid, tanh
from manual_rnn.arrays import Array, blocks, steps_below
from manual_rnn.cells.cell import Cell, Tape, Weights, fold_both, nothing
from manual_rnn.cells.clip import clipping
from manual_rnn.cells.lstm import LSTM

PEEPHOLES = {"p_i": ("H",), "p_f": ("H",), "p_o": ("H",)}
NONE = (0, 0, 0)


def lstm_peephole(peephole: bool, forget_bias: float, limit: float | None) -> Cell:
    """Return the cell with or without peepholes, with what is added to the forget gate, and the limit of the clip."""
    k = clipping(limit)

    def fold(weights: Weights) -> Array:
        bias = fold_both(weights)
        f = blocks(bias, 4)[1]
        f += forget_bias
        return bias

    def forward_step(
        weights: Weights,
        gates: Array,
        h_in: Array,
        _h_prev: Array,
        c_prev: Array,
        h: Array,
        c: Array,
        s: Array,
        slope: Array,
        slope_c: Array,
    ) -> None:
        H = c.shape[-1]
        p_i, p_f, p_o = weights.own or NONE
        gates += h_in @ weights.W_hh_T  # a = W_xh x + b_xh + W_hh h_prev + b_hh
        i, f, g, o = blocks(gates, 4)
        i += p_i * c_prev  # i = sigmoid(k(a_i + p_i c_prev))
        f += p_f * c_prev  # f = sigmoid(k(a_f + p_f c_prev + forget_bias))
        k(gates[:, : 3 * H], slope[:, : 3 * H])
        sigmoid(gates[:, : 2 * H])
        tanh(g)  # g = tanh(k(a_g))
        np.multiply(f, c_prev, out=c)
        c += i * g  # c = f c_prev + i g
        o += p_o * c  # o = sigmoid(k(a_o + p_o c))
        k(o, slope[:, 3 * H :])
        sigmoid(o)
        s[...] = c
        k(s, slope_c)
        tanh(s)  # s = tanh(k(c))
        np.multiply(o, s, out=h)  # h = o s

    def local(tape: Tape, da: Array) -> tuple[Array, ...]:
        i, f, g, o = blocks(tape.gates, 4)
        _, c = tape.states
        s, slope, slope_c = tape.saved
        da_i, da_f, da_g, da_o = blocks(da, 4)
        np.multiply(s, dsigmoid(o), out=da_o)  # h = o s:  dh/da_o = s o (1 - o) k'
        dh_dc = o * dtanh(s) * slope_c  # h = o tanh(k(c)):  dh/dc = o (1 - s^2) k'
        np.multiply(i, dtanh(g), out=da_g)  # c = f c_prev + i g:  dc/da_g = i (1 - g^2) k'
        np.multiply(c[:-1], dsigmoid(f), out=da_f)  # c = f c_prev + i g:  dc/da_f = c_prev f (1 - f) k'
        np.multiply(g, dsigmoid(i), out=da_i)  # c = f c_prev + i g:  dc/da_i = g i (1 - i) k'
        da *= slope
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
        p_i, p_f, p_o = weights.own or NONE
        da_o *= dh  # h = o s:  da_o = dh s o (1 - o) k'
        dc += dh * dh_dc  # h = o tanh(k(c)):  dc += dh o (1 - s^2) k'
        dc += p_o * da_o  # a_o + p_o c:  dc += p_o da_o
        da_g *= dc  # c = f c_prev + i g:  da_g = dc i (1 - g^2) k'
        da_f *= dc  # c = f c_prev + i g:  da_f = dc c_prev f (1 - f) k'
        da_i *= dc  # c = f c_prev + i g:  da_i = dc g i (1 - i) k'
        np.multiply(dc, f, out=dc_prev)  # c = f c_prev + i g:  dc_prev = dc f
        dc_prev += p_i * da_i  # a_i + p_i c_prev:  dc_prev = ... + p_i da_i
        dc_prev += p_f * da_f  # a_f + p_f c_prev:  dc_prev = ... + p_f da_f
        return da @ weights.W_hh  # a = ... + W_hh h_prev:  dh_prev = W_hh^T da

    def sums(_weights: Weights, tape: Tape, da: Array, _dh: Array) -> tuple[Array, ...]:
        da_i, da_f, _, da_o = blocks(da, 4)
        c_prev, c = tape.states[1][:-1], tape.proposed[1]
        products = (da_i * c_prev, da_f * c_prev, da_o * c)  # a_i + p_i c_prev:  dp_i = sum da_i c_prev, ...
        return tuple([steps_below(product).sum(axis=0) for product in products])

    return replace(
        LSTM,
        saved={"s": 1, "slope": 4, "slope_c": 1},
        forward_step=forward_step,
        local=local,
        backward_step=backward_step,
        fold=fold,
        own=PEEPHOLES if peephole else {},
        sums=sums if peephole else nothing,
    )
