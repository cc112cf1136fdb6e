"""What a cell is: one step forward and the same step backward. Time is the business of `manual_rnn.unroll`.

The pre-activations of all gates are a = (W_xh x + b_xh) + (W_hh h_in + b_hh): the input's share, known for all steps
before the loop, and the recurrent share, of h_in = h_prev. The loop forward needs the steps in order for the recurrent
share alone; the loop backward for da, the gradient of a, alone. All else is done for all steps at once.

A step works on arrays of one step, (B, G*H) or (B, H). It reads its inputs and writes its outputs into the buffers that
it is given (the time loop owns them); nothing else is touched. H is the width of a gate, P that of h: the same, but for
a projection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from manual_rnn.arrays import Array


class Weights(NamedTuple):
    """The parameters of one layer in one direction.

    Attributes:
        W_xh (G*H, I), W_hh (G*H, P), b_xh (G*H,), b_hh (G*H,): as in the equations; gate k owns rows k*H to (k+1)*H.
        W_hh_T (P, G*H): a contiguous copy of W_hh.T, which the time loop multiplies with at every step.
        own: those that only this cell has, in the order of `Cell.own`.
    """

    W_xh: Array
    W_hh: Array
    b_xh: Array
    b_hh: Array
    W_hh_T: Array
    own: tuple[Array, ...] = ()


class Tape(NamedTuple):
    """What the forward pass leaves for the backward pass.

    Attributes:
        x (T, B, I): the input.
        gates (T, B, G*H): the activated gates.
        states: an array (T+1, B, width) for each state of the cell, `h` first. Entry t is the state before step t, so
            entry 0 is the initial state and entry T the final one.
        h_in (T, B, P): what the recurrent products saw of h.
        proposed: an array (T, B, width) for each state: what the cell made of it.
        saved: an array (T, B, width) for each further quantity that the cell keeps.
        given: an array (T, B, width) for each thing that the cell was given besides x.
    """

    x: Array
    gates: Array
    states: tuple[Array, ...]
    h_in: Array
    proposed: tuple[Array, ...]
    saved: tuple[Array, ...]
    given: tuple[Array, ...] = ()

    def part(self, first: int, last: int, n: int | None = None) -> Tape:
        """Return the tape of the first `n` sequences, all if None, at steps `first` to `last` - 1, as views."""
        T, B, _ = self.x.shape
        if last - first == T and n in (None, B):  # a short sequence is one span
            return self
        return Tape(
            self.x[first:last, :n],
            self.gates[first:last, :n],
            tuple([state[first : last + 1, :n] for state in self.states]),
            self.h_in[first:last, :n],
            tuple([new[first:last, :n] for new in self.proposed]),
            tuple([kept[first:last, :n] for kept in self.saved]),
            tuple([array[first:last, :n] for array in self.given]),
        )


class Product(NamedTuple):
    """A part of one of the two matrix products, W_xh x or W_hh h_in; ranges (first, end) are counted in gates.

    Attributes:
        rows: its rows of the weight matrix.
        da: the blocks of `da` that hold its gradient.
        operand: what the rows are multiplied with, as an index into `Tape.saved`; None for x or h_in.
    """

    rows: tuple[int, int]
    da: tuple[int, int]
    operand: int | None = None


def fold_both(weights: Weights) -> Array:
    """Return b_xh + b_hh (G*H,), for a cell that only ever adds them."""
    return weights.b_xh + weights.b_hh


def nothing(weights: Weights, tape: Tape, da: Array, dh: Array) -> tuple[Array, ...]:  # noqa: ARG001
    """Return no gradients: those of a cell with neither weights of its own nor inputs but x."""
    return ()


@dataclass(frozen=True, eq=False)
class Cell:
    """A recurrent cell.

    Attributes:
        num_gates: G, the number of gates, each H wide.
        states: the names of the states, `h` first.
        saved: what `forward_step` keeps besides gates and states: names, and widths in units of H.
        forward_step: `(weights, gates, h_in, *states_prev, *states, *saved, *given) -> None`. `gates` comes with the
            input's share of the pre-activations and leaves activated; `states` and `saved` are written. h_in is what
            the recurrent products see of h, and it is h_prev, unless `own_h_in`.
        local: `(tape, da) -> factors`. Every derivative that needs no gradient from a later step, for all steps at
            once. It writes `da` (T, B, num_da*H) and returns all that the steps need, views of `da` among it.
        backward_step: `(weights, *factors, dh, dh_prev[, dc, dc_prev]) -> dh_in`. `dh` and `dc` come with all that
            reaches the state from later steps and, for h, from the output; `da` is multiplied up to the gradient;
            `dh_prev` is added to, all but what goes through h_in, which is returned; `dc_prev` is written.
        fold: `(weights) -> bias (G*H,)`. The biases that are added before the loop.
        num_da: the number of blocks of `da`: one a gate, and one more where the two shares of a gate's pre-activation
            have different gradients.
        input_products, recurrent_products: how W_xh x and W_hh h_in fall into parts.
        own: the weights that only this cell has: names, and shapes in letters.
        given: the names of what a step is given besides x: an array (T, B, width) each.
        sums: `(weights, tape, da, dh) -> gradients` of `own` and, where they have one, `given`, for all steps at once;
            dh (T, B, P) is all that reached the h that each step proposed.
        own_h_in: whether h_in is the step's to write.
        own_proposed: whether what the cell proposes is kept apart from the states that it leads to. Then forward_step
            gets an array for each proposed state before the given.
    """

    num_gates: int
    states: tuple[str, ...]
    saved: Mapping[str, int]
    forward_step: Callable[..., None]
    local: Callable[[Tape, Array], tuple[Array, ...]]
    backward_step: Callable[..., Array]
    fold: Callable[[Weights], Array]
    num_da: int
    input_products: tuple[Product, ...]
    recurrent_products: tuple[Product, ...]
    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    sums: Callable[[Weights, Tape, Array, Array], tuple[Array, ...]] = nothing
    own_h_in: bool = False
    own_proposed: bool = False
