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
    "concat": Merge(lambda h: joined(h, axis=-1), blocks),  # y = (h, h'):  (dh, dh') = dy
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

    def final_states(self) -> list[Array]:
        """Return the states after each sequence's last step, (L*D, B, width) each."""
        finals = []
        for each in zip(*[one.tape.states for one in self.passes], strict=True):
            afters = [state[-1:, order.rows_back] for (_, order, _), state in zip(self.passes, each, strict=True)]
            finals.append(joined(afters, axis=0))
        return finals

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
) -> tuple[Array, Stack]:
    """Return the output y (T, B, width), and what `backward` needs.

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
        y = merge.outputs(h)  # y^l = (h, h')
    return y, Stack(cell, batch, directions, passes, masks_of_inputs, merge)


def backward(stack: Stack, dy: Array, dstates_n: Sequence[Array]) -> Gradients:
    """Return the gradients.

    Args:
        stack: what `forward` returned; it is only read.
        dy (T, B, width): the gradient of the output; 0 in the padding.
        dstates_n: the gradients of the final states, (L*D, B, width) each, in the order of `cell.states`.
    """
    cell, batch, directions, passes, masks, merge = stack
    gradients: list[unroll.Gradients] = []  # from the last layer to the first, in each forward then reverse
    for layer in reversed(range(len(masks))):
        shares = []
        for d, dh in enumerate(merge.gradients(dy, directions)):  # y^l = (h, h'):  (dh, dh') = dy^l
            weights, order, tape = passes[layer * directions + d]
            in_order = tuple([dstate[layer * directions + d, order.rows] for dstate in dstates_n])
            g = unroll.backward(cell, weights, tape, dh[order.there], in_order, batch.schedule)
            gradients.insert(d, g)
            shares.append(g.dx[order.back])
        dx = reduce(np.add, shares)  # h and h' from x^l:  dx^l = dx + dx'
        mask = masks[layer]
        dy = dx if mask is None else dx * mask  # x^l = mask^l y^{l-1}:  dy^{l-1} = mask^l dx^l
    own = len(cell.own)
    params = [(g.dW_xh, g.dW_hh, g.db_xh, g.db_hh, *g.sums[:own]) for g in gradients]
    dstates_0, dgiven = [], []
    for each in zip(*[g.dstates for g in gradients], strict=True):
        befores = [d[:1, one.order.rows_back] for one, d in zip(passes, each, strict=True)]
        dstates_0.append(joined(befores, axis=0))
    for each in zip(*[g.sums[own:] for g in gradients], strict=True):
        dgiven.append(reduce(np.add, [d[one.order.back] for one, d in zip(passes, each, strict=True)]))
    return Gradients(dx, params, dstates_0, dgiven)
