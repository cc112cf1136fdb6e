"""The Elman cell, with tanh or relu.

    a = W_xh x + b_xh + W_hh h_prev + b_hh
    h = f(a)                                      f = tanh or relu

Reference: Elman, "Finding structure in time", Cognitive Science 14 (1990).

Autograd derives the backward pass; `manual_rnn.cells.elman` has it by hand.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from torch_rnn.cells.cell import Cell, Weights


def elman(f: Callable[[Tensor], Tensor]) -> Cell:
    """Return the Elman cell with activation `f`."""

    def step(weights: Weights, x: Tensor, h_prev: Tensor) -> tuple[Tensor]:
        W_xh, W_hh, b_xh, b_hh, _ = weights
        a = x @ W_xh.T + b_xh + h_prev @ W_hh.T + b_hh
        return (f(a),)

    return Cell(num_gates=1, states=("h",), step=step)


RNN_TANH = elman(torch.tanh)
RNN_RELU = elman(torch.relu)
