"""Layers on top of each other, in one direction or two.

    y_l = [forward(x_l), reverse(x_l)]                x_0 = x
    x_l = y_{l-1} mask_{l-1}                          for l >= 1; without masks, x_l = y_{l-1}

The reverse direction is the forward one, with its own parameters, on each sequence reversed within its own length; its
output is reversed back.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from torch_rnn.cells.cell import Cell, Weights
from torch_rnn.lengths import Lengths, holding
from torch_rnn.unroll import unroll


def run_stack(
    cell: Cell,
    layers: Sequence[Sequence[Weights]],
    x: Tensor,
    states_0: Sequence[Tensor],
    lengths: Lengths,
    masks: Sequence[Tensor] = (),
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Run a stack of L layers of D directions over a batch of sequences.

    Args:
        cell: the cell.
        layers: the parameters, by layer and then by direction: forward, reverse.
        x (T, B, I): the input; padding may hold anything.
        states_0: the initial states, (L*D, B, H) each, in the order of `cell.states`.
        lengths: those of the sequences.
        masks: L-1 factors (T, B, D*H), each of the output of a layer before it is the input of the next; or none.

    Returns:
        y (T, B, D*H), 0 in the padding, and the states after each sequence's own last step, (L*D, B, H) each. The axis
        L*D goes layer by layer, forward then reverse.
    """
    held = holding(cell)
    starts = zip(*states_0, strict=True)
    ends = []
    y = x
    for layer, directions in enumerate(layers):
        x = lengths.blank(y * masks[layer - 1] if layer and masks else y)
        outputs = []
        for weights, turned in zip(directions, (_as_it_is, lengths.reverse), strict=False):
            h, states_n = unroll(held, weights, zip(turned(x), lengths.running, strict=True), next(starts))
            outputs.append(turned(h))
            ends.append(states_n)
        y = lengths.blank(torch.cat(outputs, dim=-1))
    return y, tuple(torch.stack(states) for states in zip(*ends, strict=True))


def _as_it_is(x: Tensor) -> Tensor:
    return x
