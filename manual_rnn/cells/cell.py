"""What a cell is: one step forward and the same step backward. Time is the business of `manual_rnn.unroll`.

The pre-activations of all gates are a = (W_xh x + b_xh) + (W_hh h_prev + b_hh): the input's share, known for all steps
before the loop, and the recurrent share. The loop forward needs the steps in order for the recurrent share alone; the
loop backward for da, the gradient of a, alone. All else is done for all steps at once.

A step works on arrays of one step, (B, G*H) or (B, H). It reads its inputs and writes its outputs into the buffers that
it is given (the time loop owns them); nothing else is touched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from manual_rnn.arrays import Array


class Weights(NamedTuple):
    """The parameters of one layer in one direction.

    Attributes:
        W_xh (G*H, I), W_hh (G*H, H), b_xh (G*H,), b_hh (G*H,): as in the equations; gate k owns rows k*H to (k+1)*H.
        W_hh_T (H, G*H): a contiguous copy of W_hh.T, which the time loop multiplies with at every step.
    """

    W_xh: Array
    W_hh: Array
    b_xh: Array
    b_hh: Array
    W_hh_T: Array


class Tape(NamedTuple):
    """What the forward pass leaves for the backward pass.

    Attributes:
        x (T, B, I): the input.
        gates (T, B, G*H): the activated gates.
        states: an array (T+1, B, H) for each state of the cell, `h` first. Entry t is the state before step t, so entry
            0 is the initial state and entry T the final one.
        saved: an array (T, B, H) for each further quantity that the cell keeps.
    """

    x: Array
    gates: Array
    states: tuple[Array, ...]
    saved: tuple[Array, ...]

    def part(self, first: int, last: int, n: int) -> Tape:
        """Return the tape of the first `n` sequences at steps `first` to `last` - 1, as views."""
        return Tape(
            self.x[first:last, :n],
            self.gates[first:last, :n],
            tuple(state[first : last + 1, :n] for state in self.states),
            tuple(kept[first:last, :n] for kept in self.saved),
        )


@dataclass(frozen=True)
class Product:
    """A part of one of the two matrix products, W_xh x or W_hh h_prev; ranges (first, end) are counted in gates.

    Attributes:
        rows: its rows of the weight matrix.
        da: the blocks of `da` that hold its gradient.
        operand: what the rows are multiplied with, as an index into `Tape.saved`; None for x or h_prev.
    """

    rows: tuple[int, int]
    da: tuple[int, int]
    operand: int | None = None


def fold_both(weights: Weights) -> Array:
    """Return b_xh + b_hh (G*H,), for a cell that only ever adds them."""
    return weights.b_xh + weights.b_hh


@dataclass(frozen=True)
class Cell:
    """A recurrent cell.

    Attributes:
        num_gates: G, the number of gates, each H wide.
        states: the names of the states, `h` first.
        saved: the names of what `forward_step` keeps besides gates and states.
        forward_step: `(weights, gates, *states_prev, *states, *saved) -> None`. `gates` comes with the input's share of
            the pre-activations and leaves activated; `states` and `saved` are written.
        local: `(tape, da) -> factors`. Every derivative that needs no gradient from a later step, for all steps at
            once. It writes `da` (T, B, num_da*H) and returns all that the steps need, views of `da` among it.
        backward_step: `(weights, *factors, dh, dh_prev[, dc, dc_prev]) -> None`. `dh` and `dc` come with all that
            reaches the state from later steps and, for h, from the output; `da` is multiplied up to the gradient,
            `dh_prev` is added to, `dc_prev` is written.
        fold: `(weights) -> bias (G*H,)`. The biases that are added before the loop.
        num_da: the number of blocks of `da`: one a gate, and one more where the two shares of a gate's pre-activation
            have different gradients.
        input_products, recurrent_products: how W_xh x and W_hh h_prev fall into parts.
    """

    num_gates: int
    states: tuple[str, ...]
    saved: tuple[str, ...]
    forward_step: Callable[..., None]
    local: Callable[[Tape, Array], tuple[Array, ...]]
    backward_step: Callable[..., None]
    fold: Callable[[Weights], Array]
    num_da: int
    input_products: tuple[Product, ...]
    recurrent_products: tuple[Product, ...]
