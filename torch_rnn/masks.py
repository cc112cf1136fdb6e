"""The random masks of dropout and zoneout, for those who give none themselves.

    dropout              0 with probability `rate`, else 1/(1 - rate)    between layers, anew at each step
    recurrent dropout    the same, one mask for all steps
    zoneout              1 with probability `rate`, else 0, anew at each step; outside of training, `rate` everywhere

References: Srivastava et al., "Dropout", JMLR 15 (2014); for the others, those of their cells.
"""

from __future__ import annotations

import torch
from torch import Tensor


def dropout_mask(rate: float, shape: tuple[int, ...], like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Return a mask of that shape, with dtype and device of `like`; 0 <= `rate` < 1."""
    return like.new_empty(shape).bernoulli_(1 - rate, generator=generator) / (1 - rate)


def recurrent_mask(rate: float, shape: tuple[int, ...], like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Return a mask of shape (L*D, T, B, H) that is the same at each step; otherwise as `dropout_mask`."""
    layers, _, *sizes = shape
    return dropout_mask(rate, (layers, 1, *sizes), like, generator).expand(shape)


def zoneout_factor(rate: float, shape: tuple[int, ...], like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Return zoneout's factor d in training; arguments as for `dropout_mask`, `rate` up to 1."""
    return like.new_empty(shape).bernoulli_(rate, generator=generator)


def zoneout_expected(rate: float, shape: tuple[int, ...], like: Tensor, _: torch.Generator | None = None) -> Tensor:
    """Return zoneout's factor d outside of training, where nothing is drawn."""
    return like.new_full((), rate).expand(shape)
