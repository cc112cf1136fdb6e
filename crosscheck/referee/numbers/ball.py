"""A number with a proven error radius: a ball of python-flint, real or complex, as an element of NumPy object arrays.

NumPy code runs on arrays of `Ball` unchanged: NumPy asks each element for `+`, `*`, `tanh()` and so on. What makes a
ball safe there, and a bare `arb` not, is comparison. A ball that straddles the other operand is neither greater nor
not; `arb` answers False, and the code takes a branch that was never proven. `Ball` raises `UndecidedError`, and the
caller tries again with more precision. An operation that has no method raises a TypeError that names it.

`Balls` is the array: an ndarray of objects, all of them balls; see `objects`.

Reference: Johansson, "Arb: efficient arbitrary-precision midpoint-radius interval arithmetic", IEEE Transactions on
Computers 66 (2017).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import flint
import numpy as np
from flint import acb, arb

from crosscheck.referee.numbers.objects import Objects
from crosscheck.referee.numbers.undecided import UndecidedError as UndecidedError


class Ball:
    """One ball.

    Attributes:
        value: an `arb`, or an `acb` for a complex number.
    """

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        """Make the ball of a number that is exact: a float, an int, or a ball of python-flint as it is."""
        self.value = value if isinstance(value, arb | acb) else arb(_exact(value))

    def __add__(self, other: Any) -> Ball:
        return Ball(self.value + _value(other))

    def __radd__(self, other: Any) -> Ball:
        return Ball(_value(other) + self.value)

    def __sub__(self, other: Any) -> Ball:
        return Ball(self.value - _value(other))

    def __rsub__(self, other: Any) -> Ball:
        return Ball(_value(other) - self.value)

    def __mul__(self, other: Any) -> Ball:
        return Ball(self.value * _value(other))

    def __rmul__(self, other: Any) -> Ball:
        return Ball(_value(other) * self.value)

    def __truediv__(self, other: Any) -> Ball:
        return Ball(self.value / _value(other))

    def __rtruediv__(self, other: Any) -> Ball:
        return Ball(_value(other) / self.value)

    def __pow__(self, other: Any) -> Ball:
        return Ball(self.value ** _value(other))

    def __neg__(self) -> Ball:
        return Ball(-self.value)

    def __pos__(self) -> Ball:
        return self

    def __abs__(self) -> Ball:
        """Return the absolute value of a real ball; of a complex one, plus or minus it, as its real part is signed.

        So a complex step goes through `abs` as through any other function: abs is not analytic, but on each side of 0
        it is the restriction to real numbers of one that is.
        """
        return self if self >= 0 else -self

    def __gt__(self, other: Any) -> bool:
        return _sign(self, other) > 0

    def __lt__(self, other: Any) -> bool:
        return _sign(self, other) < 0

    def __ge__(self, other: Any) -> bool:
        return _sign(self, other) >= 0

    def __le__(self, other: Any) -> bool:
        return _sign(self, other) <= 0

    def __eq__(self, other: object) -> bool:
        return _sign(self, other) == 0

    def __ne__(self, other: object) -> bool:
        return _sign(self, other) != 0

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return self != 0

    def __repr__(self) -> str:
        return f"Ball({self.value})"

    def tanh(self) -> Ball:
        """Return the hyperbolic tangent."""
        return Ball(self.value.tanh())

    def exp(self) -> Ball:
        """Return the exponential."""
        return Ball(self.value.exp())

    def log(self) -> Ball:
        """Return the natural logarithm."""
        return Ball(self.value.log())

    def log1p(self) -> Ball:
        """Return log(1 + self)."""
        return Ball((self.value + 1).log())

    def expm1(self) -> Ball:
        """Return exp(self) - 1."""
        return Ball(self.value.exp() - 1)

    def sqrt(self) -> Ball:
        """Return the square root."""
        return Ball(self.value.sqrt())

    def sin(self) -> Ball:
        """Return the sine."""
        return Ball(self.value.sin())

    def cos(self) -> Ball:
        """Return the cosine."""
        return Ball(self.value.cos())

    def sinh(self) -> Ball:
        """Return the hyperbolic sine."""
        return Ball(self.value.sinh())

    def cosh(self) -> Ball:
        """Return the hyperbolic cosine."""
        return Ball(self.value.cosh())

    def square(self) -> Ball:
        """Return the square."""
        return Ball(self.value * self.value)

    def conjugate(self) -> Ball:
        """Return the number itself: code that conjugates means the transpose, and its numbers are real."""
        return self

    @property
    def real(self) -> Ball:
        """The real part."""
        return Ball(self.value.real)

    @property
    def imag(self) -> Ball:
        """The imaginary part."""
        return Ball(self.value.imag)


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Compute with balls of so many bits inside a `with`."""
    before = flint.ctx.prec
    flint.ctx.prec = bits
    try:
        yield
    finally:
        flint.ctx.prec = before


def _larger(a: Ball, b: Ball) -> Ball:
    """Return a ball that encloses the larger of two numbers: of real ones without deciding which that is."""
    if isinstance(a.value, arb) and isinstance(b.value, arb):
        return Ball(a.value.max(b.value))
    return a if a >= b else b


def _smaller(a: Ball, b: Ball) -> Ball:
    return -_larger(-a, -b)


LARGER, SMALLER = np.frompyfunc(_larger, 2, 1, identity=None), np.frompyfunc(_smaller, 2, 1, identity=None)


class Balls(Objects):
    """An object array of balls.

    Left to NumPy, `maximum` would compare, which is undecided at every precision where two balls stand for one number.
    What the larger one encloses is known even so.
    """

    number = Ball
    selecting: ClassVar[Mapping[np.ufunc, np.ufunc]] = {
        np.maximum: LARGER,
        np.fmax: LARGER,
        np.minimum: SMALLER,
        np.fmin: SMALLER,
    }


def balls(array: Any) -> Balls:
    """Return an array of balls from an array of numbers, each exact unless it is a ball already."""
    return Balls.of(array)


def overlap(a: Any, b: Any) -> bool:
    """Say whether two real balls have a number in common; if not, what they enclose is proven different."""
    return bool(_value(a).overlaps(_value(b)))


def split(array: Any) -> tuple[Any, Any, Any]:
    """Return an object array of real balls as (hi, lo, radius), float64 arrays.

    What a ball encloses is within `radius` of hi + lo; hi is the float64 nearest to its middle.
    """
    numbers = np.asarray(array, dtype=object)
    hi, lo, radius = (np.empty(numbers.shape) for _ in range(3))
    for index in np.ndindex(numbers.shape):
        value = _value(numbers[index])
        first = float(value.mid())
        if not np.isfinite(first):
            hi[index], lo[index], radius[index] = first, 0, np.inf
            continue
        rest = value - arb(first)
        second = float(rest.mid())
        left = (rest - arb(second)).abs_upper()
        hi[index], lo[index], radius[index] = first, second, np.nextafter(float(left), np.inf) if left > 0 else 0.0
    return hi, lo, radius


def _value(number: Any) -> Any:
    return number.value if isinstance(number, Ball) else Ball(number).value


def _exact(number: Any) -> Any:
    """Return a number as python-flint takes it; a NumPy scalar as Python's own."""
    if isinstance(number, np.generic):
        number = number.item()
    if not isinstance(number, int | float):
        raise TypeError(f"no ball is known for {type(number).__name__}")
    return number


def _sign(a: Any, b: Any) -> int:
    """Return the sign of a - b, of the real parts.

    Raises:
        UndecidedError: it depends on where in the balls the numbers are.
    """
    difference = _value(a) - _value(b)
    if isinstance(difference, acb):
        difference = difference.real
    if difference > 0:
        return 1
    if difference < 0:
        return -1
    if difference == 0:
        return 0
    raise UndecidedError(f"the sign of {difference} is not decided")
