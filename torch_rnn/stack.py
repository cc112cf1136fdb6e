"""Layers on top of each other, in one direction or two.

    y_l = merge(forward(x_l), reverse(x_l))           x_0 = x; merge is concatenation, or the sum
    x_l = y_{l-1} mask_{l-1}                          for l >= 1; without masks, x_l = y_{l-1}

The reverse direction is the forward one, with its own parameters, on each sequence reversed within its own length; its
output is reversed back. What a modified cell takes besides x is reversed with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from torch_rnn.cells.cell import Cell, Weights
from torch_rnn.lengths import AllSteps, Lengths
from torch_rnn.unroll import unroll


def concatenated(outputs: Sequence[Tensor]) -> Tensor:
    """Return the outputs of the directions, (T, B, H) each, side by side (T, B, D*H)."""
    return torch.cat(list(outputs), dim=-1) if len(outputs) > 1 else outputs[0]


def summed(outputs: Sequence[Tensor]) -> Tensor:
    """Return the sum (T, B, H) of the outputs of the directions."""
    first, *others = outputs
    return sum(others, first)


MERGES: dict[str, Callable[[Sequence[Tensor]], Tensor]] = {"concat": concatenated, "sum": summed}


@dataclass(frozen=True)
class Modifier:
    """Something that changes a cell, by what it is given at each step.

    Attributes:
        wrap: the cell so changed, whose step takes, in place of x, a pair: x, and a tuple of what is given.
        given: what is given, (L*D, T, B, N) each; padding may hold anything.
    """

    wrap: Callable[[Cell], Cell]
    given: tuple[Tensor, ...]


@dataclass(frozen=True)
class Inputs:
    """All that a stack takes step by step.

    Attributes:
        x (T, B, I): the input; padding may hold anything.
        lengths: those of the sequences.
        masks: L-1 factors (T, B, N), each of the output of a layer before it is the input of the next; or none.
        modifiers: what changes the cell, from the inside out.
    """

    x: Tensor
    lengths: Lengths | AllSteps
    masks: Sequence[Tensor] = ()
    modifiers: Sequence[Modifier] = ()

    def window(self, first: int, last: int) -> Inputs:
        """Return steps `first` to `last` - 1."""
        return Inputs(
            self.x[first:last],
            self.lengths.window(first, last),
            [mask[first:last] for mask in self.masks],
            [Modifier(m.wrap, tuple(series[:, first:last] for series in m.given)) for m in self.modifiers],
        )

    def cell(self, cell: Cell) -> Cell:
        """Return the cell that `steps` is for."""
        for modifier in self.modifiers:
            cell = modifier.wrap(cell)
        return self.lengths.hold(cell)

    def steps(self, x: Tensor, turned: Callable[[Tensor], Tensor], number: int) -> Iterable[Any]:
        """Return, step by step, what the cell takes in a layer and direction.

        Args:
            x (T, B, I): the input of the layer.
            turned: what the direction does to time.
            number: that of the layer and direction on the axis L*D.
        """
        steps: Iterable[Any] = turned(x)
        for modifier in self.modifiers:
            given = (turned(self.lengths.blank(series[number])) for series in modifier.given)
            steps = zip(steps, zip(*given, strict=True), strict=True)
        return self.lengths.steps(steps)


def run_stack(
    cell: Cell,
    layers: Sequence[Sequence[Weights]],
    inputs: Inputs,
    states_0: Sequence[Tensor],
    merge: Callable[[Sequence[Tensor]], Tensor] = concatenated,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Run a stack of L layers of D directions over a batch of sequences.

    Args:
        cell: the cell.
        layers: the parameters, by layer and then by direction: forward, reverse.
        inputs: the input, and what else is given step by step.
        states_0: the initial states, (L*D, B, H) each, in the order of `cell.states`.
        merge: makes one output of those of the directions.

    Returns:
        y (T, B, D*H), or (T, B, H) if summed, 0 in the padding, and the states after each sequence's own last step,
        (L*D, B, H) each. The axis L*D goes layer by layer, forward then reverse.
    """
    lengths, masks = inputs.lengths, inputs.masks
    modified = inputs.cell(cell)
    starts = zip(*states_0, strict=True)
    ends: list[tuple[Tensor, ...]] = []
    y = inputs.x
    for layer, directions in enumerate(layers):
        x = lengths.blank(y * masks[layer - 1] if layer and masks else y)
        outputs = []
        for weights, turned in zip(directions, (_as_it_is, lengths.reverse), strict=False):
            h, states_n = unroll(modified, weights, inputs.steps(x, turned, len(ends)), next(starts))
            outputs.append(turned(h))
            ends.append(states_n)
        y = lengths.blank(merge(outputs))
    return y, tuple(torch.stack(states) for states in zip(*ends, strict=True))


def _as_it_is(x: Tensor) -> Tensor:
    return x
