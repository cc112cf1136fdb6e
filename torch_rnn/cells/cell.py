"""What a cell is: one step forward. Time is the business of `torch_rnn.unroll`, the backward pass that of autograd."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from torch import Tensor


class Weights(NamedTuple):
    """The parameters of one layer in one direction.

    Attributes:
        W_xh (G*H, I), W_hh (G*H, H), b_xh (G*H,), b_hh (G*H,): as in the equations; gate k owns rows k*H to (k+1)*H.
            With a projection, W_hh is (G*H, P).
        further: what only some cells have, by name: p_i, p_f, p_o (H,), W_hr (P, H).
    """

    W_xh: Tensor
    W_hh: Tensor
    b_xh: Tensor
    b_hh: Tensor
    further: Mapping[str, Tensor] = MappingProxyType({})


@dataclass(frozen=True)
class Cell:
    """A recurrent cell.

    Attributes:
        num_gates: G, the number of gates, each H wide.
        states: the names of the states, `h` first.
        step: `(weights, x, *states_prev) -> states`. One step, from x (B, I) and the states before it, (B, H) each, to
            the states after it, in the order of `states`. Nothing is changed in place.
        attends: whether the step takes, in place of x, a pair: x, and attention (B, 1) in a tuple.
        carries_h: whether h_prev goes into h by another way than the recurrent product, too, and the step takes as its
            last argument what that product sees of it; h_prev itself, if left out.
    """

    num_gates: int
    states: tuple[str, ...]
    step: Callable[..., tuple[Tensor, ...]]
    attends: bool = False
    carries_h: bool = False
