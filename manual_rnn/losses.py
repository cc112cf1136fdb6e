"""Losses of an output y (T, B, O) and a target of the same shape: the value, and the gradient dy.

    half_squared_error   1/2 sum (y - target)^2                      dy = y - target
    mse                  1/N sum (y - target)^2                      dy = 2/N (y - target)
    cross_entropy        -1/M sum target log(softmax(y))             dy = 1/M (softmax(y) sum(target) - target)

N = T*B*O counts all numbers, M = T*B the steps; the softmax and the sum in the gradient of `cross_entropy` go over O,
and a target is a distribution over O, one-hot or not. References: Bishop, "Pattern Recognition and Machine Learning"
(2006), sections 5.2 and 4.3.4.

The notebook that this project grew from defines the mean squared error and then descends along y - target, which is the
gradient of half the summed squared error: the two differ by the factor 2/N.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from manual_rnn.arrays import Array, check_array
from manual_rnn.errors import ArgumentError

Loss = Callable[[Array, Array], tuple[Array, Array]]


def half_squared_error(y: Array, target: Array) -> tuple[Array, Array]:
    """Return half the summed squared error and its gradient with respect to `y`.

    Args:
        y (T, B, O): the output.
        target (T, B, O): what it should have been.

    Raises:
        ArgumentError: a shape or dtype is wrong.
    """
    _check(y, target)
    error = y - target
    return np.sum(error * error) / 2, error


def mse(y: Array, target: Array) -> tuple[Array, Array]:
    """Return the mean squared error and its gradient with respect to `y`; arguments as `half_squared_error`."""
    _check(y, target)
    error = y - target
    return np.sum(error * error) / error.size, 2 * error / error.size


def softmax(y: Array) -> Array:
    """Return exp(y) / sum(exp(y)) over the last axis, (..., O), from y (..., O).

    The largest y is subtracted first, which cancels in the fraction, so that exp never overflows.
    """
    e = np.exp(y - np.max(y, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def cross_entropy(y: Array, target: Array) -> tuple[Array, Array]:
    """Return the softmax cross-entropy, averaged over steps and batch, and its gradient with respect to `y`.

    Args:
        y (T, B, O): the logits.
        target (T, B, O): a distribution over the last axis.

    Raises:
        ArgumentError: a shape or dtype is wrong.
    """
    _check(y, target)
    steps = y.shape[0] * y.shape[1]
    shifted = y - np.max(y, axis=-1, keepdims=True)
    log_softmax = shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))
    loss = -np.sum(target * log_softmax) / steps
    dy = (softmax(y) * np.sum(target, axis=-1, keepdims=True) - target) / steps
    return loss, dy


LOSSES: dict[str, Loss] = {"half_squared_error": half_squared_error, "mse": mse, "cross_entropy": cross_entropy}


def named(name: str) -> Loss:
    """Return the loss of that name.

    Raises:
        ArgumentError: there is none.
    """
    if name not in LOSSES:
        raise ArgumentError("loss", repr(name), "one of " + ", ".join(LOSSES))
    return LOSSES[name]


def _check(y: Array, target: Array) -> None:
    check_array("y", y, ("T", "B", "O"))
    check_array("target", target, y.shape, like=y)
