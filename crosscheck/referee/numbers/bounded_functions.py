"""How far an elementary function moves when its operand does: each maps a value a and its error E to f(a) and a bound.

The bound is on |f(x) - f(a)| for every x within E of a; the function's own rounding is not in it. By the mean value
theorem that is E times the largest slope in between, unless something sharper is known:

    tanh     E sech^2(max(|a| - E, 0)), where tanh is steepest; never more than 1 + |tanh a|
    exp      exp(a) (exp(E) - 1), and the same for expm1, whose slope is exp too
    log      -log(1 - E / a), reached at a - E; unknown unless E < a
    log1p    -log(1 - E / (1 + a)), likewise; unknown unless E < 1 + a
    sqrt     E / (sqrt a + sqrt(a - E)), since sqrt x - sqrt a = (x - a) / (sqrt x + sqrt a); unknown unless E <= a
    sinh     E cosh(|a| + E)
    cosh     E sinh(|a| + E)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Pair = tuple[Any, Any]


def tanh(a: Any, E: Any) -> Pair:
    """Return the hyperbolic tangent."""
    h = np.tanh(a)
    steepest = 1 / np.cosh(np.minimum(np.maximum(np.abs(a) - E, 0), 350)) ** 2  # cosh(350)^2 is still finite
    return h, np.minimum(steepest * E, 1 + np.abs(h))


def exp(a: Any, E: Any) -> Pair:
    """Return the exponential."""
    v = np.exp(a)
    return v, v * np.expm1(E)


def expm1(a: Any, E: Any) -> Pair:
    """Return exp(a) - 1."""
    return np.expm1(a), np.exp(a) * np.expm1(E)


def log(a: Any, E: Any) -> Pair:
    """Return the natural logarithm."""
    return np.log(a), np.where(a > E, -np.log1p(-E / a), np.inf)


def log1p(a: Any, E: Any) -> Pair:
    """Return log(1 + a)."""
    return np.log1p(a), np.where(1 + a > E, -np.log1p(-E / (1 + a)), np.inf)


def sqrt(a: Any, E: Any) -> Pair:
    """Return the square root."""
    v = np.sqrt(a)
    return v, np.where(a >= E, np.where(E > 0, E / (v + np.sqrt(a - E)), 0), np.inf)


def sinh(a: Any, E: Any) -> Pair:
    """Return the hyperbolic sine."""
    return np.sinh(a), np.where(E > 0, E * np.cosh(np.abs(a) + E), 0)


def cosh(a: Any, E: Any) -> Pair:
    """Return the hyperbolic cosine."""
    return np.cosh(a), np.where(E > 0, E * np.sinh(np.abs(a) + E), 0)


FUNCTIONS: Mapping[np.ufunc, Callable[[Any, Any], Pair]] = {
    np.tanh: tanh,
    np.exp: exp,
    np.expm1: expm1,
    np.log: log,
    np.log1p: log1p,
    np.sqrt: sqrt,
    np.sinh: sinh,
    np.cosh: cosh,
}
