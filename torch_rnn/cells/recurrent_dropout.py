"""Recurrent dropout: of h_prev, the recurrent product sees no more than a mask lets through.

    s = mask h_prev                                   in place of h_prev in W_hh h_prev

and nowhere else: what a GRU carries over, z h_prev, is h_prev itself.

Reference: Gal & Ghahramani, "A theoretically grounded application of dropout in recurrent neural networks", NIPS 2016,
arXiv:1512.05287, where one mask serves all steps.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from torch_rnn.cells.cell import Cell, Weights


def recurrent_dropout(cell: Cell) -> Cell:
    """Return the cell with recurrent dropout; its step takes, in place of x, a pair: x, and (mask (B, H),)."""

    def step(
        weights: Weights, inputs: tuple[Any, tuple[Tensor]], h_prev: Tensor, *others: Tensor
    ) -> tuple[Tensor, ...]:
        x, (mask,) = inputs
        s = mask * h_prev
        states_prev = (h_prev, *others, s) if cell.carries_h else (s, *others)
        return cell.step(weights, x, *states_prev)

    return Cell(cell.num_gates, cell.states, step)
