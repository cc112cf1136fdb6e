"""Sequences of unequal lengths in one batch: what comes after a sequence's own last step is padding.

The batch stays as it is (`manual_rnn` sorts it). Padding is replaced by zeros before it is used, and so is the state
that a finished sequence would put into a step whose result is not taken: what `torch.where` does not select still gets
a gradient of 0, and 0 times infinity or NaN would be NaN. Where every sequence has all steps, there is nothing to be
done: that is `AllSteps`, by the same methods.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from torch_rnn.cells.cell import Cell, Weights
from torch_rnn.checks import check_lengths
from torch_rnn.errors import ArgumentError


@dataclass(frozen=True)
class Lengths:
    """The lengths of the sequences of a batch, step by step.

    Attributes:
        lengths (B,): the lengths.
        running (T, B, 1): whether a step is one of the sequence's own.
        mirror (T, B, 1): the step that takes its place in the reversed sequence; for padding, the step itself.
    """

    lengths: Tensor
    running: Tensor
    mirror: Tensor

    @classmethod
    def of(cls, lengths: Tensor, T: int) -> Lengths:
        """Return the `Lengths` of sequences with lengths (B,), 0 to T each."""
        t = torch.arange(T, device=lengths.device)[:, None, None]
        last = lengths[:, None] - 1
        running = t <= last
        return cls(lengths, running, torch.where(running, last - t, t))

    @property
    def counts(self) -> Tensor:
        """The steps of each sequence (B,), to divide by what they have: 1 where there is none."""
        return self.lengths.clamp(min=1)

    @property
    def total(self) -> int:
        """The steps of all sequences together, likewise."""
        return max(int(self.lengths.sum()), 1)

    def window(self, first: int, last: int) -> Lengths:
        """Return the lengths of what is left of the sequences in steps `first` to `last` - 1."""
        return Lengths.of((self.lengths - first).clamp(0, last - first), last - first)

    def blank(self, x: Tensor) -> Tensor:
        """Return x (T, B, N) with zeros for padding, through which no gradient passes, be it NaN."""
        return torch.where(self.running, x, 0)

    def reverse(self, x: Tensor) -> Tensor:
        """Return x (T, B, N) with each sequence reversed within its own length: twice is once not at all."""
        return x.gather(0, self.mirror.expand_as(x))

    def hold(self, cell: Cell) -> Cell:
        """Return the cell that leaves the states of a finished sequence as they are; see `steps` for its input."""

        def step(weights: Weights, inputs: tuple[Any, Tensor], *states_prev: Tensor) -> tuple[Tensor, ...]:
            x, running = inputs
            states = cell.step(weights, x, *(torch.where(running, prev, 0) for prev in states_prev))
            return tuple(torch.where(running, state, prev) for state, prev in zip(states, states_prev, strict=True))

        return Cell(cell.num_gates, cell.states, step)

    def steps(self, x: Iterable[Any]) -> Iterable[Any]:
        """Return, step by step, pairs: the step of x, and whether each sequence is still running (B, 1)."""
        return zip(x, self.running, strict=True)


@dataclass(frozen=True)
class AllSteps:
    """The lengths of B sequences that have all T steps: nothing is padding."""

    T: int
    B: int

    @property
    def counts(self) -> int:
        """The steps of each sequence."""
        return self.T

    @property
    def total(self) -> int:
        """The steps of all sequences together."""
        return self.T * self.B

    def window(self, first: int, last: int) -> AllSteps:
        """Return the lengths of steps `first` to `last` - 1."""
        return AllSteps(last - first, self.B)

    def blank(self, x: Tensor) -> Tensor:
        """Return x."""
        return x

    def reverse(self, x: Tensor) -> Tensor:
        """Return x (T, B, N) reversed."""
        return x.flip(0)

    def hold(self, cell: Cell) -> Cell:
        """Return the cell."""
        return cell

    def steps(self, x: Iterable[Any]) -> Iterable[Any]:
        """Return x."""
        return x


def lengths_of(lengths: Sequence[int] | Tensor | None, x: Tensor, axes: str) -> Lengths | AllSteps:
    """Return the lengths of the sequences in x (T, B, N) as a caller gives them, who has axes in that order.

    Raises:
        ArgumentError: they are not B whole numbers from 0 to T or None, or given for a sequence without a batch.
    """
    T, B, _ = x.shape
    if lengths is None:
        return AllSteps(T, B)
    if axes == "T":
        raise ArgumentError("lengths", repr(lengths), "None: a sequence without a batch has all steps")
    return Lengths.of(check_lengths(lengths, T, B).to(x.device), T)
