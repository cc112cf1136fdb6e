"""A cell through time: the only loop over t."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from torch_rnn.cells.cell import Cell, Weights


def unroll(
    cell: Cell, weights: Weights, x: Iterable[Any], states_0: tuple[Tensor, ...]
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Run the cell over the sequence.

    Args:
        cell: the cell.
        weights: its parameters.
        x (T, B, I): the input, T >= 1; or whatever else the cell's step takes, step by step.
        states_0: the initial states, (B, H) each, in the order of `cell.states`.

    Returns:
        h after every step (T, B, H), and the final states, (B, H) each.
    """
    states = states_0
    h = []
    for x_t in x:
        states = cell.step(weights, x_t, *states)
        h.append(states[0])
    return torch.stack(h), states
