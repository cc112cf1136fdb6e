"""Masks for dropout, recurrent dropout and zoneout, drawn from a generator.

    dropout    0 with probability `rate`, else 1 / (1 - rate): its mean is 1
    zoneout    1 with probability `rate`, else 0: how much of the old state is kept; in evaluation, `rate` everywhere

In evaluation nothing is dropped, so no dropout masks are needed. References: Srivastava et al., "Dropout", JMLR 15
(2014); Krueger et al., "Zoneout", ICLR 2017, arXiv:1606.01305.
"""

from __future__ import annotations

import numpy as np

from manual_rnn.arrays import Array
from manual_rnn.errors import ArgumentError


def dropout_mask(
    rate: float, shape: tuple[int, ...], rng: np.random.Generator, like: Array, *, over_time: bool = True
) -> Array:
    """Return a mask of dropout.

    Args:
        rate: the probability of dropping, from 0 to less than 1.
        shape: (..., T, B, width).
        rng: where it comes from.
        like: an array of its dtype.
        over_time: whether each step has a mask of its own; if not, all have the same, as variational dropout wants it.

    Raises:
        ArgumentError: the rate is none.
    """
    if not 0 <= rate < 1:
        raise ArgumentError("rate", rate, "a number from 0 to less than 1")
    drawn = rng.random(shape if over_time else (*shape[:-3], 1, *shape[-2:]))
    mask = np.empty_like(like, shape=shape)
    mask[...] = (drawn >= rate) / (1 - rate)
    return mask


def zoneout_mask(
    rate: float, shape: tuple[int, ...], rng: np.random.Generator, like: Array, *, training: bool = True
) -> Array:
    """Return how much of each old state zoneout keeps; arguments as `dropout_mask`, of a rate from 0 to 1.

    Raises:
        ArgumentError: the rate is none.
    """
    if not 0 <= rate <= 1:
        raise ArgumentError("rate", rate, "a number from 0 to 1")
    mask = np.empty_like(like, shape=shape)
    mask[...] = rng.random(shape) < rate if training else rate
    return mask
