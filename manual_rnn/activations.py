"""The activation functions in place, and their derivatives from their outputs."""

from __future__ import annotations

import numpy as np

from manual_rnn.arrays import Array


def sigmoid(a: Array) -> None:
    """Replace `a` by 1 / (1 + exp(-a)).

    Where exp(-a) overflows, 1 / inf = 0 is the sigmoid to within the smallest normal number, so the overflow is
    expected and silent. There is no case split on the sign of `a`: `abs` would cut off a complex step.
    """
    with np.errstate(over="ignore"):
        np.exp(-a, out=a)  # not np.negative(a, out=a): NumPy 2.4 gets it wrong for some strides
    np.add(a, 1, out=a)
    np.reciprocal(a, out=a)


def dsigmoid(s: Array) -> Array:
    """Return the derivative of s = sigmoid(a) from its output: s (1 - s)."""
    return s * (1 - s)


def tanh(a: Array) -> None:
    """Replace `a` by its hyperbolic tangent."""
    np.tanh(a, out=a)


def dtanh(h: Array) -> Array:
    """Return the derivative of h = tanh(a) from its output: 1 - h^2."""
    return 1 - h * h


def relu(a: Array) -> None:
    """Replace `a` by max(a, 0)."""
    np.maximum(a, 0, out=a)


def drelu(h: Array) -> Array:
    """Return the derivative of h = relu(a) from its output: 1 where h > 0, else 0; so 0 at the kink, as in torch."""
    slope = np.empty_like(h)
    slope[...] = h > 0
    return slope
