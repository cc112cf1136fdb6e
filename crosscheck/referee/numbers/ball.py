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

import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import prod
from typing import Any, ClassVar

import flint
import numpy as np
from flint import acb, acb_mat, arb, arb_mat

from crosscheck.referee.numbers.objects import Objects
from crosscheck.referee.numbers.undecided import UndecidedError as UndecidedError

NUMBERS = (arb, acb)
Binary = Callable[[Any, Any], "Ball"]


def _arithmetic(of: Callable[[Any, Any], Any]) -> tuple[Binary, Binary]:
    """Return the method of an operation, and that with its operands exchanged.

    What python-flint computes is put into a new ball as it is, past `__init__`: proofs spend their time here.
    """

    def apply(self: Any, other: Any) -> Ball:
        result = _new(Ball)
        result.value = of(self.value, other.value if type(other) is Ball else _value(other))
        return result

    def exchanged(self: Any, other: Any) -> Ball:
        result = _new(Ball)
        result.value = of(_value(other), self.value)
        return result

    return apply, exchanged


_new = object.__new__


class Ball:
    """One ball.

    Attributes:
        value: an `arb`, or an `acb` for a complex number.
    """

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        """Make the ball of a number that is exact: a float, an int, or a ball of python-flint as it is."""
        self.value = value if isinstance(value, NUMBERS) else arb(_exact(value))

    __add__, __radd__ = _arithmetic(operator.add)
    __sub__, __rsub__ = _arithmetic(operator.sub)
    __mul__, __rmul__ = _arithmetic(operator.mul)
    __truediv__, __rtruediv__ = _arithmetic(operator.truediv)

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


def _matmul(a: Any, b: Any) -> Any:
    """Return the matrix product of two arrays, balls or plain numbers, by python-flint's: the same, ten times as fast.

    Args:
        a: shape=(..., M, K), or (K,), a row.
        b: shape=(..., K, N), or (K,), a column.
    """
    if a.ndim == 1:
        return _matmul(a[None], b)[..., 0, :] if b.ndim > 1 else _matmul(a[None], b)[0]
    if b.ndim == 1:
        return _matmul(a, b[:, None])[..., 0]
    if a.shape[-1] != b.shape[-2]:
        raise ValueError(f"matmul of shapes {a.shape} and {b.shape}")
    if b.ndim == 2:  # all rows at once
        return _matrix_product(a.reshape(prod(a.shape[:-1]), a.shape[-1]), b).reshape(*a.shape[:-1], b.shape[-1])
    leading = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = (np.broadcast_to(array, (*leading, *array.shape[-2:])) for array in (a, b))
    product = np.empty((*leading, a.shape[-2], b.shape[-1]), dtype=object)
    for index in np.ndindex(leading):
        product[index] = _matrix_product(a[index], b[index])
    return product


def _matrix_product(a: Any, b: Any) -> Any:
    entries = [[_value(number) for number in array.flat] for array in (a, b)]
    kind: Any = acb_mat if any(type(value) is acb for values in entries for value in values) else arb_mat
    left, right = (kind(*array.shape, values) for array, values in zip((a, b), entries, strict=True))
    product = np.empty(a.shape[0] * b.shape[1], dtype=object)
    product[:] = [Ball(value) for value in (left * right).entries()]
    return product.reshape(a.shape[0], b.shape[1])


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
    computing: ClassVar[Mapping[np.ufunc, Callable[..., Any]]] = {np.matmul: _matmul}

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function is np.dot and not kwargs and {np.ndim(operand) for operand in args} <= {1, 2}:
            return np.matmul(*args)  # the same, faster
        return super().__array_function__(function, types, args, kwargs)

    def dot(self, *args: Any, **kwargs: Any) -> Any:
        """Return the product of two arrays as `np.dot` understands it."""
        return np.dot(self, *args, **kwargs)


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
    return number.value if type(number) is Ball else Ball(number).value


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
