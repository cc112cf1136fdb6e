"""Losses step by step: half squared error, mean squared error, and cross-entropy after a softmax."""

from __future__ import annotations

from typing import Any

import numpy as np
from parts import Array, zeros  # type: ignore[import-not-found]


def count(mean: str, alive: Array, width: int) -> Any:
    """Return what the loss of a sequence is divided by, (B, 1) or one number.

    Args:
        mean: the axes that the loss is the mean over, a text out of T, B and O.
        alive (T, B, 1): which steps belong to a sequence.
        width: O.
    """
    B = alive.shape[1]
    n = width if "O" in mean else 1
    lengths = alive.sum(axis=0)  # (B, 1)
    if "T" in mean and "B" in mean:
        return n * max(int(lengths.sum()), 1)
    if "T" in mean:
        return n * np.maximum(lengths, 1)
    return n * B if "B" in mean else n


def softmax(o: Array) -> Array:
    """Return exp(o) / sum(exp(o)) over the last axis; the largest is subtracted first, so that nothing overflows."""
    e = np.exp(o - o.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def loss_and_gradient(name: str, y: Array, target: Array, alive: Array, mean: str) -> tuple[Array, Array]:
    """Return the loss and the gradient of y.

    Args:
        name: "half_squared_error", "mse" or "cross_entropy".
        y (T, B, O): the outputs.
        target (T, B, O): what they should have been; 0 in the padding.
        alive (T, B, 1): which steps belong to a sequence.
        mean: see `count`.
    """
    T, B, O = y.shape
    losses = zeros(y, B, 1)
    dy = zeros(y, T, B, O)
    n = zeros(y, B, 1)
    n[...] = count(mean, alive, O)
    for t in range(T):
        if name == "cross_entropy":
            shifted = y[t] - y[t].max(axis=1, keepdims=True)
            log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
            term = -(target[t] * log_p).sum(axis=1, keepdims=True)
            dy_t = softmax(y[t]) * target[t].sum(axis=1, keepdims=True) - target[t]
        else:
            error = y[t] - target[t]
            square = (error * error).sum(axis=1, keepdims=True)
            term, dy_t = (square / 2, error) if name == "half_squared_error" else (square, 2 * error)
        losses = losses + np.where(alive[t], term, 0)
        dy[t] = np.where(alive[t], dy_t / n, 0)
    return (losses / n).sum(), dy
