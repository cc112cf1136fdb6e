"""The Elman cell with its pre-activation clipped, with tanh or relu.

    a = W_xh x + b_xh + W_hh h_prev + b_hh
    h = f(k(a))                                       f = tanh or relu, k as in `clip`

Reference: the operator RNN of ONNX, with its attribute `clip`.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from torch_rnn.cells.cell import Cell, Weights
from torch_rnn.cells.clip import clipping


def elman_clipped(f: Callable[[Tensor], Tensor], clip: float | None) -> Cell:
    """Return the Elman cell with activation `f`, clipped."""
    k = clipping(clip)

    def step(weights: Weights, x: Tensor, h_prev: Tensor) -> tuple[Tensor]:
        W_xh, W_hh, b_xh, b_hh, _ = weights
        a = x @ W_xh.T + b_xh + h_prev @ W_hh.T + b_hh
        return (f(k(a)),)

    return Cell(num_gates=1, states=("h",), step=step)
