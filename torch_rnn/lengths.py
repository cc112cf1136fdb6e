"""Sequences of unequal lengths in one batch: what comes after a sequence's own last step is padding.

The batch stays as it is (`manual_rnn` sorts it). Padding is replaced by zeros before it is used, and so is the state
that a finished sequence would put into a step whose result is not taken: what `torch.where` does not select still gets
a gradient of 0, and 0 times infinity or NaN would be NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from torch_rnn.cells.cell import Cell, Weights


@dataclass(frozen=True)
class Lengths:
    """The lengths of the sequences of a batch, step by step.

    Attributes:
        running (T, B, 1): whether a step is one of the sequence's own.
        mirror (T, B, 1): the step that takes its place in the reversed sequence; for padding, the step itself.
    """

    running: Tensor
    mirror: Tensor

    @classmethod
    def of(cls, lengths: Tensor, T: int) -> Lengths:
        """Return the `Lengths` of sequences with lengths (B,), 0 to T each."""
        t = torch.arange(T, device=lengths.device)[:, None, None]
        last = lengths[:, None] - 1
        running = t <= last
        return cls(running, torch.where(running, last - t, t))

    def blank(self, x: Tensor) -> Tensor:
        """Return x (T, B, N) with zeros for padding, through which no gradient passes, be it NaN."""
        return torch.where(self.running, x, 0)

    def reverse(self, x: Tensor) -> Tensor:
        """Return x (T, B, N) with each sequence reversed within its own length: twice is once not at all."""
        return x.gather(0, self.mirror.expand_as(x))


def holding(cell: Cell) -> Cell:
    """Return the cell that leaves the states of a finished sequence as they are.

    The input of its step is a pair: x (B, I), and whether each sequence is still running (B, 1).
    """

    def step(weights: Weights, inputs: tuple[Tensor, Tensor], *states_prev: Tensor) -> tuple[Tensor, ...]:
        x, running = inputs
        states = cell.step(weights, x, *(torch.where(running, prev, 0) for prev in states_prev))
        return tuple(torch.where(running, state, prev) for state, prev in zip(states, states_prev, strict=True))

    return Cell(cell.num_gates, cell.states, step)
