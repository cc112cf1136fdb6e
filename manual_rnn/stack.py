"""Layers and directions: every layer runs in each direction as a cell through time of its own.

    x^0 = x              x^l = mask^l y^{l-1}                               l = 1 ... L-1
    y^l = (h, h')        h of the forward direction, h' of the reverse one, both on x^l

x (T, B, I), y^l and mask^l (T, B, D*H); without masks, x^l = y^{l-1}. The output is y^{L-1}.

Backward, given dy^{L-1}, each line reversing one above:

    dx^l = dx + dx'      dx from dh and dx' from dh', (dh, dh') = dy^l
    dy^{l-1} = mask^l dx^l
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np

from manual_rnn import unroll
from manual_rnn.arrays import Array, blocks, joined
from manual_rnn.cells.cell import Cell, Tape, Weights
from manual_rnn.lengths import Batch, Order

States = tuple[Array, ...]
"""An array (B, H) for each state of the cell, in the order of `cell.states`."""


class Pass(NamedTuple):
    """One layer in one direction.

    Attributes:
        weights: its parameters.
        order: its way through the batch.
        tape: what its forward pass left, in that order.
    """

    weights: Weights
    order: Order
    tape: Tape


class Stack(NamedTuple):
    """What the forward pass leaves for the backward pass.

    Attributes:
        cell: the cell of all layers.
        batch: the sequences.
        layers: for each layer, its passes: forward, and reverse if there are two directions.
        masks: what each layer's input was multiplied with, (T, B, D*H); None for that of the first, and if there are
            none.
    """

    cell: Cell
    batch: Batch
    layers: tuple[tuple[Pass, ...], ...]
    masks: tuple[Array | None, ...]

    @property
    def passes(self) -> list[Pass]:
        """All passes in torch's order: layer by layer, forward then reverse."""
        return [one for layer in self.layers for one in layer]

    def final_states(self) -> tuple[Array, ...]:
        """Return the states after each sequence's last step, (L*D, B, H) each."""
        each = [[state[-1:, one.order.rows_back] for state in one.tape.states] for one in self.passes]
        return tuple(joined(state, axis=0) for state in zip(*each, strict=True))


class Gradients(NamedTuple):
    """The gradients of a loss.

    Attributes:
        dx (T, B, I): that of the input.
        passes: those of each pass, in torch's order; all but the parameters' in the pass's own order of the batch.
        dstates_0: those of the initial states, (L*D, B, H) each.
    """

    dx: Array
    passes: list[unroll.Gradients]
    dstates_0: tuple[Array, ...]


def forward(
    cell: Cell,
    weights: Sequence[Sequence[Weights]],
    x: Array,
    states_0: Iterable[States],
    batch: Batch,
    masks: Sequence[Array],
) -> tuple[Array, Stack]:
    """Return the output y (T, B, D*H), and what `backward` needs.

    Args:
        cell: the cell.
        weights: the parameters: for each layer those of each direction.
        x (T, B, I): the input; 0 in the padding.
        states_0: the initial states of each pass, in torch's order.
        batch: the sequences.
        masks: L-1 masks (T, B, D*H), 0 in the padding, or none.
    """
    before = (None, *masks) if masks else (None,) * len(weights)
    given, layers, y = iter(states_0), [], x
    for of_layer, mask in zip(weights, before, strict=True):
        x = y if mask is None else y * mask  # x^l = mask^l y^{l-1}
        orders = batch.orders[: len(of_layer)]
        layer = tuple(
            _forward(cell, w, x, next(given), batch, order) for w, order in zip(of_layer, orders, strict=True)
        )
        h = [unroll.outputs(one.tape, batch.schedule)[one.order.back] for one in layer]
        y = joined(h, axis=-1)  # y^l = (h, h')
        layers.append(layer)
    return y, Stack(cell, batch, tuple(layers), before)


def backward(stack: Stack, dy: Array, dstates_n: Sequence[States]) -> Gradients:
    """Return the gradients.

    Args:
        stack: what `forward` returned; it is only read.
        dy (T, B, D*H): the gradient of the output; 0 in the padding.
        dstates_n: the gradients of the final states of each pass, in torch's order.
    """
    given, found = list(dstates_n), list[unroll.Gradients]()
    for layer, mask in zip(reversed(stack.layers), reversed(stack.masks), strict=True):
        dh = blocks(dy, len(layer))  # y^l = (h, h'):  (dh, dh') = dy^l
        given, of_layer = given[: -len(layer)], given[-len(layer) :]
        gradients = [_backward(stack, *each) for each in zip(layer, dh, of_layer, strict=True)]
        # h and h' on x^l:  dx^l = dx + dx'
        dx = reduce(np.add, [g.dx[one.order.back] for one, g in zip(layer, gradients, strict=True)])
        dy = dx if mask is None else dx * mask  # x^l = mask^l y^{l-1}:  dy^{l-1} = mask^l dx^l
        found[:0] = gradients
    pairs = list(zip(stack.passes, found, strict=True))
    each = [[dstate[:1, one.order.rows_back] for dstate in g.dstates] for one, g in pairs]
    return Gradients(dx, found, tuple(joined(dstate, axis=0) for dstate in zip(*each, strict=True)))


def _forward(cell: Cell, weights: Weights, x: Array, states_0: States, batch: Batch, order: Order) -> Pass:
    """Run one layer in one direction."""
    sorted_0 = tuple(state[order.rows] for state in states_0)
    return Pass(weights, order, unroll.forward(cell, weights, x[order.there], sorted_0, batch.schedule))


def _backward(stack: Stack, one: Pass, dh: Array, dstates_n: States) -> unroll.Gradients:
    """Run one layer in one direction backward; `dh` (T, B, H) and `dstates_n` are in the caller's order."""
    sorted_n = tuple(dstate[one.order.rows] for dstate in dstates_n)
    schedule = stack.batch.schedule
    return unroll.backward(stack.cell, one.weights, one.tape, dh[one.order.there], sorted_n, schedule)
