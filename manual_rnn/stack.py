"""Layers and directions: every layer runs in each direction as a cell through time of its own.

    x^0 = x              x^l = mask^l y^{l-1}                               l = 1 ... L-1
    y^l = (h, h')        h of the forward direction, h' of the reverse one, both on x^l; or y^l = h + h'

x (T, B, I), y^l and mask^l (T, B, D*P), or P wide if summed; without masks, x^l = y^{l-1}. The output is y^{L-1}.

Backward, given dy^{L-1}, each line reversing one above:

    dx^l = dx + dx'      dx from dh and dx' from dh', (dh, dh') = dy^l; or dh = dh' = dy^l
    dy^{l-1} = mask^l dx^l
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np

from manual_rnn import unroll
from manual_rnn.arrays import Array, blocks, joined
from manual_rnn.cells.cell import Cell, Tape, Weights
from manual_rnn.lengths import Batch, Order


class Merge(NamedTuple):
    """What becomes of the outputs of the directions.

    Attributes:
        outputs: the output of a layer from theirs.
        gradients: theirs from that of the output, and the number of directions.
    """

    outputs: Callable[[list[Array]], Array]
    gradients: Callable[[Array, int], Sequence[Array]]


MERGES = {
    "concat": Merge(joined, blocks),  # y = (h, h'):  (dh, dh') = dy
    "sum": Merge(lambda h: reduce(np.add, h), lambda dy, directions: [dy] * directions),  # y = h + h':  dh = dh' = dy
}


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
        directions: D.
        passes: each layer in each direction, in torch's order: layer by layer, forward then reverse.
        masks: what the input of each layer was multiplied with, (T, B, width of y); None if with nothing.
        merge: what became of the outputs of the directions.
    """

    cell: Cell
    batch: Batch
    directions: int
    passes: list[Pass]
    masks: Sequence[Array | None]
    merge: Merge

    def part(self, first: int, last: int) -> Stack:
        """Return what steps `first` to `last` - 1 have left, as views, in one direction."""
        batch = self.batch.part(first, last)
        passes = [Pass(weights, batch.orders[0], tape.part(first, last)) for weights, _, tape in self.passes]
        masks = [None if mask is None else mask[first:last] for mask in self.masks]
        return self._replace(batch=batch, passes=passes, masks=masks)


class Gradients(NamedTuple):
    """The gradients of a loss.

    Attributes:
        dx (T, B, I): that of the input.
        params: those of the parameters of each pass, in torch's order: W_xh W_hh b_xh b_hh and the cell's own.
        dstates_0: those of the initial states, (L*D, B, width) each.
        dgiven: those of what the cell was given, (T, B, width), summed over all passes; of what has one.
    """

    dx: Array
    params: list[tuple[Array, ...]]
    dstates_0: list[Array]
    dgiven: list[Array]


def forward(
    cell: Cell,
    weights: Sequence[Weights],
    directions: int,
    x: Array,
    states_0: Sequence[Array],
    batch: Batch,
    masks: Sequence[Array],
    given: Sequence[tuple[Array, ...]],
    merge: Merge,
) -> tuple[Array, list[Array], Stack]:
    """Return the output y (T, B, width), the final states, (L*D, B, width) each, and what `backward` needs.

    Args:
        cell: the cell.
        weights: the parameters of each pass, in torch's order: layer by layer, forward then reverse.
        directions: D.
        x (T, B, I): the input; 0 in the padding.
        states_0: the initial states, (L*D, B, width) each, in the order of `cell.states`.
        batch: the sequences.
        masks: L-1 masks (T, B, width of y), 0 in the padding, or none.
        given: for each pass, what the cell is given, (T, B, width) each, 0 in the padding.
        merge: one of `MERGES`.
    """
    masks_of_inputs = (None, *masks) if masks else (None,) * (len(weights) // directions)
    states_n = [np.empty_like(x, shape=state_0.shape) for state_0 in states_0]
    passes, y = [], x
    for layer, mask in enumerate(masks_of_inputs):
        x = y if mask is None else y * mask  # x^l = mask^l y^{l-1}
        h = []
        for k, order in enumerate(batch.orders[:directions], layer * directions):
            in_order = tuple([state[k, order.rows] for state in states_0])
            series = tuple([array[order.there] for array in given[k]])
            tape = unroll.forward(cell, weights[k], x[order.there], in_order, batch.schedule, series)
            h.append(unroll.outputs(tape, batch.schedule)[order.back])
            passes.append(Pass(weights[k], order, tape))
            for state_n, state in zip(states_n, tape.states, strict=True):
                state_n[k, order.rows] = state[-1]
        y = merge.outputs(h)  # y^l = (h, h')
    return y, states_n, Stack(cell, batch, directions, passes, masks_of_inputs, merge)


def backward(stack: Stack, dy: Array, dstates_n: Sequence[Array]) -> Gradients:
    """Return the gradients.

    Args:
        stack: what `forward` returned; it is only read.
        dy (T, B, width): the gradient of the output; 0 in the padding.
        dstates_n: the gradients of the final states, (L*D, B, width) each, in the order of `cell.states`.
    """
    cell, batch, directions, passes, masks, merge = stack
    dstates_0 = [np.empty_like(dy, shape=dstate_n.shape) for dstate_n in dstates_n]
    gradients: list[unroll.Gradients] = []  # from the last layer to the first, in each forward then reverse
    for layer in reversed(range(len(masks))):
        shares = []
        for d, dh in enumerate(merge.gradients(dy, directions)):  # y^l = (h, h'):  (dh, dh') = dy^l
            k = layer * directions + d
            weights, order, tape = passes[k]
            in_order = tuple([dstate_n[k, order.rows] for dstate_n in dstates_n])
            g = unroll.backward(cell, weights, tape, dh[order.there], in_order, batch.schedule)
            gradients.insert(d, g)
            shares.append(g.dx[order.back])
            for dstate_0, dstate in zip(dstates_0, g.dstates, strict=True):
                dstate_0[k, order.rows] = dstate[0]
        dx = reduce(np.add, shares)  # h and h' from x^l:  dx^l = dx + dx'
        mask = masks[layer]
        dy = dx if mask is None else dx * mask  # x^l = mask^l y^{l-1}:  dy^{l-1} = mask^l dx^l
    own = len(cell.own)
    params = [(g.dW_xh, g.dW_hh, g.db_xh, g.db_hh, *g.sums[:own]) for g in gradients]
    dgiven = []
    for k in range(own, len(gradients[0].sums)):
        of_passes = [g.sums[k][one.order.back] for one, g in zip(passes, gradients, strict=True)]
        dgiven.append(reduce(np.add, of_passes))
    return Gradients(dx, params, dstates_0, dgiven)
