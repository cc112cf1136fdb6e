"""Clipping of pre-activations.

    k(u) = max(-clip, min(u, clip))                   its slope is 1 where |u| <= clip, the edge included, else 0

Reference: the attribute `clip` of the operators RNN, LSTM and GRU in ONNX, "applied to the input of activations".
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor


def clipping(clip: float | None) -> Callable[[Tensor], Tensor]:
    """Return k; the identity if `clip` is None."""
    return _as_it_is if clip is None else partial(torch.clamp, min=-clip, max=clip)


def _as_it_is(u: Tensor) -> Tensor:
    return u
