"""A number with its derivative in one direction: forward-mode differentiation, exact, with nothing truncated.

    (v, d) stands for v + d e with e^2 = 0, so f(v, d) = (f(v), f'(v) d)

The parts are numbers of any type: floats, balls, fractions. NumPy code runs on `Duals`, object arrays of `Dual`; the
scalar loops of `crosscheck.referee.definition` run on them as they are. Comparisons look at the value. Reference:
Griewank & Walther, "Evaluating Derivatives", 2nd ed., section 3.1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from crosscheck.referee.numbers.objects import Objects


class Dual:
    """One number with its derivative.

    Attributes:
        v: the value.
        d: the derivative.
    """

    __slots__ = ("d", "v")

    def __init__(self, v: Any, d: Any = 0) -> None:
        self.v, self.d = v, d

    def __add__(self, other: Any) -> Dual:
        if isinstance(other, Dual):
            return Dual(self.v + other.v, self.d + other.d)
        return Dual(self.v + other, self.d)

    __radd__ = __add__

    def __neg__(self) -> Dual:
        return Dual(-self.v, -self.d)

    def __sub__(self, other: Any) -> Dual:
        if isinstance(other, Dual):
            return Dual(self.v - other.v, self.d - other.d)
        return Dual(self.v - other, self.d)

    def __rsub__(self, other: Any) -> Dual:
        return Dual(other - self.v, -self.d)

    def __mul__(self, other: Any) -> Dual:
        if isinstance(other, Dual):
            return Dual(self.v * other.v, self.d * other.v + self.v * other.d)
        return Dual(self.v * other, self.d * other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Dual:
        if isinstance(other, Dual):
            v = self.v / other.v
            return Dual(v, (self.d - v * other.d) / other.v)
        return Dual(self.v / other, self.d / other)

    def __rtruediv__(self, other: Any) -> Dual:
        v = other / self.v
        return Dual(v, -v * self.d / self.v)

    def __gt__(self, other: Any) -> bool:
        return bool(self.v > _value(other))

    def __lt__(self, other: Any) -> bool:
        return bool(self.v < _value(other))

    def __ge__(self, other: Any) -> bool:
        return bool(self.v >= _value(other))

    def __le__(self, other: Any) -> bool:
        return bool(self.v <= _value(other))

    def __eq__(self, other: object) -> bool:
        return bool(self.v == _value(other))

    def __ne__(self, other: object) -> bool:
        return bool(self.v != _value(other))

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return bool(self.v)

    def __repr__(self) -> str:
        return f"Dual({self.v}, {self.d})"

    def tanh(self) -> Dual:
        """Return the hyperbolic tangent."""
        v = np.tanh(self.v)
        return Dual(v, (1 - v * v) * self.d)

    def exp(self) -> Dual:
        """Return the exponential."""
        v = np.exp(self.v)
        return Dual(v, v * self.d)

    def log(self) -> Dual:
        """Return the natural logarithm."""
        return Dual(np.log(self.v), self.d / self.v)


class Duals(Objects):
    """An object array of dual numbers."""

    number = Dual


def duals(array: Any, direction: Any = 0) -> Duals:
    """Return an array of dual numbers from an array of values and one of derivatives.

    Args:
        array: the values.
        direction: the derivatives, of its shape, or one for all.
    """
    array = np.asarray(array)
    lifted = np.empty(array.shape, dtype=object)
    for index, d in zip(np.ndindex(array.shape), np.broadcast_to(direction, array.shape).flat, strict=True):
        lifted[index] = Dual(array[index], d)
    return lifted.view(Duals)


def _value(number: Any) -> Any:
    return number.v if isinstance(number, Dual) else number
