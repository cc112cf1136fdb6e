"""The Elman cell, with tanh or relu.

    a = W_xh x + b_xh + W_hh h_prev + b_hh
    h = f(a)                                      f = tanh or relu

Reference: Elman, "Finding structure in time", Cognitive Science 14 (1990).

Backward, given dh:

    da      = dh f'(a)                            f'(a) = 1 - h^2  or  [h > 0]
    dh_prev = W_hh^T da
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from manual_rnn.activations import drelu, dtanh, relu, tanh
from manual_rnn.arrays import Array
from manual_rnn.cells.cell import Cell, Product, Tape, Weights, fold_both


def elman(f: Callable[[Array], None], df: Callable[[Array], Array]) -> Cell:
    """Return the Elman cell with activation `f` (in place) and its derivative from the output, `df`."""

    def forward_step(weights: Weights, a: Array, h_in: Array, _h_prev: Array, h: Array) -> None:
        np.matmul(h_in, weights.W_hh_T, out=h)  # a = W_xh x + b_xh + W_hh h_prev + b_hh
        h += a
        f(h)  # h = f(a)

    def local(tape: Tape, da: Array) -> tuple[Array, ...]:
        (h,) = tape.proposed
        da[...] = df(h)  # f'(a), from h = f(a)
        return (da,)

    def backward_step(weights: Weights, da: Array, dh: Array, _dh_prev: Array) -> Array:
        da *= dh  # h = f(a):  da = dh f'(a)
        return da @ weights.W_hh  # a = ... + W_hh h_prev:  dh_prev = W_hh^T da

    return Cell(
        num_gates=1,
        states=("h",),
        saved={},
        forward_step=forward_step,
        local=local,
        backward_step=backward_step,
        fold=fold_both,
        num_da=1,
        input_products=(Product((0, 1), (0, 1)),),
        recurrent_products=(Product((0, 1), (0, 1)),),
    )


RNN_TANH = elman(tanh, dtanh)
RNN_RELU = elman(relu, drelu)
