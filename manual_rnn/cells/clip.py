"""The clip of pre-activations, in place.

    k(a) = max(-limit, min(a, limit))             k'(a) = [|a| <= limit]

At the edge itself the slope is 1, as in torch.clamp. ONNX clips the input of every activation function so.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from manual_rnn.arrays import Array


def clipping(limit: float | None) -> Callable[[Array, Array], None]:
    """Return `k(a, slope)`, which clips `a` and writes k'(a) into `slope`; without a limit, the identity."""
    if limit is None:
        return _identity

    def k(a: Array, slope: Array) -> None:
        slope[...] = (a <= limit) & (a >= -limit)
        np.minimum(a, limit, out=a)
        np.maximum(a, -limit, out=a)

    return k


def _identity(_a: Array, slope: Array) -> None:
    slope[...] = 1
