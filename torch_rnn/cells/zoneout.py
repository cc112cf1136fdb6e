"""Zoneout: some units keep their previous state, or a share of it.

    state = proposed + d (prev - proposed)            for h with d_h, for c with d_c

In an LSTM, the proposed h comes from the proposed c. d = 1 keeps the previous state, d = 0 takes the proposed one.

Reference: Krueger et al., "Zoneout: regularizing RNNs by randomly preserving hidden activations", ICLR 2017,
arXiv:1606.01305, section 3.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from torch_rnn.cells.cell import Cell, Weights


def zoneout(cell: Cell) -> Cell:
    """Return the cell with zoneout; its step takes, in place of x, a pair: x, and d (B, H), one for each state."""

    def step(weights: Weights, inputs: tuple[Any, tuple[Tensor, ...]], *states_prev: Tensor) -> tuple[Tensor, ...]:
        x, factors = inputs
        proposed = cell.step(weights, x, *states_prev)
        # lerp is exact at both ends
        return tuple(torch.lerp(*states) for states in zip(proposed, states_prev, factors, strict=True))

    return Cell(cell.num_gates, cell.states, step)
