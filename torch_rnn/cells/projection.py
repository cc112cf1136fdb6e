"""Projection: the hidden state of a cell, made narrower or wider before anything sees it.

    h = W_hr h'                                       h' (H,) as the cell has it, W_hr (P, H), h (P,)

So h_prev has P units, and W_hh is (G*H, P); other states keep their H units.

Reference: Sak, Senior & Beaufays, "Long short-term memory recurrent neural network architectures for large scale
acoustic modeling", Interspeech 2014, arXiv:1402.1128, section 2.2.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from torch_rnn.cells.cell import Cell, Weights


def projection(cell: Cell) -> Cell:
    """Return the cell with its hidden state projected."""

    def step(weights: Weights, x: Any, *states_prev: Tensor) -> tuple[Tensor, ...]:
        h, *others = cell.step(weights, x, *states_prev)
        return h @ weights.further["W_hr"].T, *others

    return Cell(cell.num_gates, cell.states, step)
