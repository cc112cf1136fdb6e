"""The Elman cell with a clipped pre-activation, as ONNX has it.

    a = W_xh x + b_xh + W_hh h_prev + b_hh
    h = f(k(a))                                   f = tanh or relu; k of `manual_rnn.cells.clip`

Reference: the operator RNN of ONNX, attribute clip.

Backward, given dh:

    da      = dh f'(k(a)) k'(a)
    dh_prev = W_hh^T da
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from manual_rnn.arrays import Array
from manual_rnn.cells.cell import Cell, Tape, Weights
from manual_rnn.cells.clip import clipping
from manual_rnn.cells.elman import elman


def elman_clipped(f: Callable[[Array], None], df: Callable[[Array], Array], limit: float | None) -> Cell:
    """Return the cell with activation `f` (in place), its derivative from the output, and the limit of the clip."""
    k = clipping(limit)

    def forward_step(weights: Weights, a: Array, h_in: Array, _h_prev: Array, h: Array, slope: Array) -> None:
        np.matmul(h_in, weights.W_hh_T, out=h)  # a = W_xh x + b_xh + W_hh h_prev + b_hh
        h += a
        k(h, slope)  # h = f(k(a))
        f(h)

    def local(tape: Tape, da: Array) -> tuple[Array, ...]:
        (h,) = tape.proposed
        (slope,) = tape.saved
        np.multiply(df(h), slope, out=da)  # f'(k(a)) k'(a)
        return (da,)

    return replace(elman(f, df), saved={"slope": 1}, forward_step=forward_step, local=local)
