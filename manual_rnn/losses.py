"""Losses of an output y (T, B, O) and a target of the same shape: the value, and the gradient dy.

    half_squared_error   1/2 sum (y - target)^2 / n              dy = (y - target) / n
    mse                  sum (y - target)^2 / n                  dy = 2 (y - target) / n
    cross_entropy        - sum target log(softmax(y)) / n        dy = (softmax(y) sum(target) - target) / n

The softmax and the sum in the gradient of `cross_entropy` go over O, and a target is a distribution over O, one-hot or
not. The loss is a mean over some of the axes T, B and O, and n counts what it is the mean over: by default nothing (n =
1) for half_squared_error, all (n = T*B*O) for mse, the steps (n = T*B) for cross_entropy. With lengths the sums go over
the steps that are a sequence's own; a mean over T alone is then over those of each sequence, n = its length, and one
over T and B is over all of them, n = the sum of the lengths. A loss of no step at all is 0. References: Bishop,
"Pattern Recognition and Machine Learning" (2006), sections 5.2 and 4.3.4.

The notebook that this project grew from defines the mean squared error and then descends along y - target, which is the
gradient of half the summed squared error: the two differ by the factor 2/N, N = T*B*O.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from manual_rnn import lengths as ragged
from manual_rnn.arrays import Array, check_array
from manual_rnn.axes import AXES, back, check_axes, time_major
from manual_rnn.errors import ArgumentError

MEANS = ("", "T", "B", "TB", "O", "TO", "BO", "TBO")
"""What a loss may be the mean over."""


class Loss(Protocol):
    """A loss by its name in `LOSSES`."""

    def __call__(
        self, y: Array, target: Array, *, lengths: Any = None, mean: str = "", axes: str = "TB"
    ) -> tuple[Array, Array]:
        """Return the loss and its gradient; see `half_squared_error`."""


def half_squared_error(
    y: Array, target: Array, *, lengths: Any = None, mean: str = "", axes: str = "TB"
) -> tuple[Array, Array]:
    """Return half the summed squared error and its gradient with respect to `y`.

    Args:
        y (T, B, O): the output; its padding isn't read.
        target (T, B, O): what it should have been, likewise.
        lengths (B,): how many steps each sequence has; T each if None.
        mean: what it is the mean over, one of `MEANS`.
        axes: the order of the leading axes of y and target; see `manual_rnn.axes`.

    Raises:
        ArgumentError: a shape or dtype is wrong, or an option is none.
    """
    y, target, n = _prepared(y, target, lengths, mean, axes)
    error = y - target
    return _sum(error * error, n) / 2, back(error / n, axes)


def mse(y: Array, target: Array, *, lengths: Any = None, mean: str = "TBO", axes: str = "TB") -> tuple[Array, Array]:
    """Return the mean squared error and its gradient with respect to `y`; arguments as `half_squared_error`."""
    y, target, n = _prepared(y, target, lengths, mean, axes)
    error = y - target
    return _sum(error * error, n), back(2 * error / n, axes)


def softmax(y: Array) -> Array:
    """Return exp(y) / sum(exp(y)) over the last axis, (..., O), from y (..., O).

    The largest y is subtracted first, which cancels in the fraction, so that exp never overflows.
    """
    e = np.exp(y - np.max(y, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def cross_entropy(
    y: Array, target: Array, *, lengths: Any = None, mean: str = "TB", axes: str = "TB"
) -> tuple[Array, Array]:
    """Return the softmax cross-entropy, averaged over steps and batch, and its gradient with respect to `y`.

    Args:
        y (T, B, O): the logits; their padding isn't read.
        target (T, B, O): a distribution over the last axis, likewise.
        lengths (B,): as `half_squared_error`.
        mean: likewise.
        axes: likewise.

    Raises:
        ArgumentError: as `half_squared_error`.
    """
    y, target, n = _prepared(y, target, lengths, mean, axes)
    shifted = y - np.max(y, axis=-1, keepdims=True)
    log_softmax = shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))
    dy = (softmax(y) * np.sum(target, axis=-1, keepdims=True) - target) / n
    return -_sum(target * log_softmax, n), back(dy, axes)


LOSSES: dict[str, Loss] = {"half_squared_error": half_squared_error, "mse": mse, "cross_entropy": cross_entropy}


def named(name: str) -> Loss:
    """Return the loss of that name.

    Raises:
        ArgumentError: there is none.
    """
    if name not in LOSSES:
        raise ArgumentError("loss", repr(name), "one of " + ", ".join(LOSSES))
    return LOSSES[name]


def _prepared(y: Array, target: Array, lengths: Any, mean: str, axes: str) -> tuple[Array, Array, Any]:
    """Return y and target (T, B, O) with 0 for padding, and n, a number or (B, 1)."""
    check_axes(axes)
    check_array("y", y, (*AXES[axes], "O"), finite=False)
    check_array("target", target, y.shape, like=y, finite=False)
    if mean not in MEANS:
        raise ArgumentError("mean", repr(mean), "one of " + ", ".join(map(repr, MEANS)))
    y, target = time_major(y, axes), time_major(target, axes)
    batch = ragged.batch(y, lengths)
    return batch.finite("y", y), batch.finite("target", target), _count(y, lengths, mean)


def _count(y: Array, lengths: Any, mean: str) -> Any:
    """Return n for y (T, B, O): a number, or, where sequences are averaged by themselves, (B, 1) of y's number type."""
    T, B, O = y.shape
    n = O if "O" in mean else 1
    if "B" in mean:
        steps = T * B if lengths is None else max(int(np.sum(lengths)), 1)
        return n * (steps if "T" in mean else B)
    if "T" not in mean:
        return n
    count = np.empty_like(y, shape=(B, 1))
    count[...] = n * T if lengths is None else n * np.maximum(lengths, 1)[:, None]
    return count


def _sum(terms: Array, n: Any) -> Array:
    """Return the sum of terms (T, B, O) over n."""
    return np.sum(np.sum(terms, axis=0) / n)
