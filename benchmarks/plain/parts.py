"""What the layers have in common: activations, the clip, the gates' weights apart and together, and the way to go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any
Arrays = dict[str, Any]


@dataclass(frozen=True)
class Way:
    """How a layer goes through the batch in one direction, and what it meets there.

    What is over time is indexed with `way.at(s)`: the entry that each sequence reads in its step number s.

    Attributes:
        order (T, B): the time that a sequence reads in its step number s.
        alive (T, B, 1): whether a sequence has a step number s.
        recurrent (T, B, P): what h_prev is multiplied with in front of the recurrent weights; None if with nothing.
        keep: for each state how much of the old one is kept, (T, B, width); empty without zoneout.
        score (T, B, 1): the attention; None without.
    """

    order: Array
    alive: Array
    recurrent: Array | None
    keep: Arrays
    score: Array | None

    def at(self, s: int) -> tuple[Array, Array]:
        """Return the index of what is read in step number s."""
        return self.order[s], np.arange(self.order.shape[1])


def sigmoid(a: Array) -> Array:
    """Return 1 / (1 + exp(-a)); where exp overflows the result is 0, as it should be."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-a))


def clip(a: Array, limit: float) -> Array:
    """Return a within limit of 0; a itself if the limit is 0, which means that there is none."""
    return np.minimum(np.maximum(a, -limit), limit) if limit else a


def unclipped(a: Array, limit: float) -> Array:
    """Return the derivative of the clip: 1 where a is within the limit, 0 where it was cut."""
    return np.where(np.abs(a) <= limit, np.ones_like(a), 0) if limit else np.ones_like(a)


def zeros(like: Array, *shape: int) -> Array:
    """Return zeros of the number type of an array."""
    return np.zeros_like(like, shape=shape)


def apart(params: Arrays, end: str, gates: str) -> Arrays:
    """Return the weights of each gate by names of their own: of W_xh the parts W_xi, W_xf, ...

    Args:
        params: all parameters; W_xh of shape (G*H, I) and so on, the gates one below the other.
        end: what the names of the layer and direction end in.
        gates: the gates in order, a letter each.
    """
    rows = len(params["W_hh" + end])
    parts = {}
    for name in ("W_xh", "W_hh", "b_xh", "b_hh"):
        packed = params.get(name + end)
        if packed is None:  # a layer without biases
            packed = zeros(params["W_hh" + end], rows)
        for gate, part in zip(gates, np.split(packed, len(gates)), strict=True):
            parts[name[:-1] + gate] = part
    own = ("p_i", "p_f", "p_o", "W_hr")
    return parts | {name: params[name + end] for name in own if name + end in params}


def together(gradients: Arrays, gates: str) -> Arrays:
    """Return the gradients of the gates' weights packed as the parameters are; those of other things as they are."""
    names = ("dW_xh", "dW_hh", "db_xh", "db_hh")
    parts = {name[:-1] + gate for name in names for gate in gates}
    packed = {name: array for name, array in gradients.items() if name not in parts}
    for name in names:
        packed[name] = np.concatenate([gradients[name[:-1] + gate] for gate in gates])
    return packed


def begin(p: Arrays) -> Arrays:
    """Return a gradient of zeros for each of some parameters."""
    return {"d" + name: np.zeros_like(array) for name, array in p.items()}
