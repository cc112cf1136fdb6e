"""The LSTM cell whose forget gate is what the input gate leaves, with peepholes and clipped pre-activations.

Gates i, g, o.

    a = W_xh x + b_xh + W_hh h_prev + b_hh            a = (a_i, a_g, a_o)
    i = sigmoid(k(a_i + p_i c_prev))                  input gate; the forget gate is 1 - i
    g = tanh(k(a_g))                                  candidate
    c = c_prev + i (g - c_prev)                       that is, (1 - i) c_prev + i g
    o = sigmoid(k(a_o + p_o c))                       output gate
    s = tanh(k(c))
    h = o s

Each may be absent: then p_i and p_o are 0, or k is the identity. Reference: Greff et al., "LSTM: a search space
odyssey", IEEE TNNLS 28 (2017), variant CIFG; as in the operator LSTM of ONNX with input_forget.

Backward, given dh and dc from the later steps, each line reversing one above:

    da_o = dh s o (1 - o) k'
    dc  += dh o (1 - s^2) k' + p_o da_o
    da_i = dc (g - c_prev) i (1 - i) k'
    da_g = dc i (1 - g^2) k'
    dc_prev = dc (1 - i) + p_i da_i
    dh_prev = W_hh^T da

    dp_i = sum da_i c_prev        dp_o = sum da_o c
"""

from __future__ import annotations

import numpy as np

from manual_rnn.activations import dsigmoid, dtanh, sigmoid, tanh
from manual_rnn.arrays import Array, blocks, steps_below
from manual_rnn.cells.cell import Cell, Product, Tape, Weights, fold_both, nothing
from manual_rnn.cells.clip import clipping

PEEPHOLES = {"p_i": ("H",), "p_o": ("H",)}
NONE = (0, 0)


def lstm_coupled(peephole: bool, limit: float | None) -> Cell:
    """Return the cell with or without peepholes, and with the limit of the clip."""
    k = clipping(limit)

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
        p_i, p_o = weights.own or NONE
        gates += h_in @ weights.W_hh_T  # a = W_xh x + b_xh + W_hh h_prev + b_hh
        i, g, o = blocks(gates, 3)
        i += p_i * c_prev  # i = sigmoid(k(a_i + p_i c_prev))
        k(gates[:, : 2 * H], slope[:, : 2 * H])
        sigmoid(i)
        tanh(g)  # g = tanh(k(a_g))
        np.subtract(g, c_prev, out=c)
        c *= i
        c += c_prev  # c = c_prev + i (g - c_prev)
        o += p_o * c  # o = sigmoid(k(a_o + p_o c))
        k(o, slope[:, 2 * H :])
        sigmoid(o)
        s[...] = c
        k(s, slope_c)
        tanh(s)  # s = tanh(k(c))
        np.multiply(o, s, out=h)  # h = o s

    def local(tape: Tape, da: Array) -> tuple[Array, ...]:
        i, g, o = blocks(tape.gates, 3)
        _, c = tape.states
        s, slope, slope_c = tape.saved
        da_i, da_g, da_o = blocks(da, 3)
        np.multiply(s, dsigmoid(o), out=da_o)  # h = o s:  dh/da_o = s o (1 - o) k'
        dh_dc = o * dtanh(s) * slope_c  # h = o tanh(k(c)):  dh/dc = o (1 - s^2) k'
        np.multiply(i, dtanh(g), out=da_g)  # c = c_prev + i (g - c_prev):  dc/da_g = i (1 - g^2) k'
        np.multiply(g - c[:-1], dsigmoid(i), out=da_i)  # c = ...:  dc/da_i = (g - c_prev) i (1 - i) k'
        da *= slope
        return da, da_i, da_g, da_o, 1 - i, dh_dc

    def backward_step(
        weights: Weights,
        da: Array,
        da_i: Array,
        da_g: Array,
        da_o: Array,
        kept: Array,
        dh_dc: Array,
        dh: Array,
        _dh_prev: Array,
        dc: Array,
        dc_prev: Array,
    ) -> Array:
        p_i, p_o = weights.own or NONE
        da_o *= dh  # h = o s:  da_o = dh s o (1 - o) k'
        dc += dh * dh_dc  # h = o tanh(k(c)):  dc += dh o (1 - s^2) k'
        dc += p_o * da_o  # a_o + p_o c:  dc += p_o da_o
        da_g *= dc  # c = c_prev + i (g - c_prev):  da_g = dc i (1 - g^2) k'
        da_i *= dc  # c = c_prev + i (g - c_prev):  da_i = dc (g - c_prev) i (1 - i) k'
        np.multiply(dc, kept, out=dc_prev)  # c = c_prev + i (g - c_prev):  dc_prev = dc (1 - i)
        dc_prev += p_i * da_i  # a_i + p_i c_prev:  dc_prev = ... + p_i da_i
        return da @ weights.W_hh  # a = ... + W_hh h_prev:  dh_prev = W_hh^T da

    def sums(_weights: Weights, tape: Tape, da: Array, _dh: Array) -> tuple[Array, ...]:
        da_i, _, da_o = blocks(da, 3)
        products = (da_i * tape.states[1][:-1], da_o * tape.proposed[1])  # dp_i = sum da_i c_prev, dp_o = sum da_o c
        return tuple([steps_below(product).sum(axis=0) for product in products])

    return Cell(
        num_gates=3,
        states=("h", "c"),
        saved={"s": 1, "slope": 3, "slope_c": 1},
        forward_step=forward_step,
        local=local,
        backward_step=backward_step,
        fold=fold_both,
        num_da=3,
        input_products=(Product((0, 3), (0, 3)),),
        recurrent_products=(Product((0, 3), (0, 3)),),
        own=PEEPHOLES if peephole else {},
        sums=sums if peephole else nothing,
    )
