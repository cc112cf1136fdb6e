"""A number type that carries a worst-case rounding error through the operations of unmodified NumPy code.

A `Bounded` array stands for what any sensible program might hold in this place: its value `v`, computed in float64, and
an error `E` such that every program that computes the same formula in the given format, in whatever order of summation
and with or without fused multiply-add, holds a number within E of the exact one. Componentwise, after Higham, "Accuracy
and Stability of Numerical Algorithms", 2nd ed., chapters 3 and 4, with u the unit roundoff and eta the smallest normal:

    E = p + gamma_k s + n eta             gamma_k = k u / (1 - k u), infinite from k u = 1 on

A number may be a sum still growing. It remembers its terms: `p`, the errors that the terms came with; `s`, the sum of
the largest magnitudes that they may have, |v| + E each; `n`, how many they are. A term met k = n - 1 roundings at most,
whatever the order. Adding two sums adds p, s and n; so W_xh x + b_xh + b_hh + W_hh h_prev, computed here in four
operations, gets the bound of one sum of I + H + 2 terms, which covers every other order too. Any other operation
closes the sum: its E becomes the error p of a new term.

Each other operation adds the error that its operands' errors cause, and its own rounding:

    a b       |a| E_b + E_a (|b| + E_b), and one rounding (counted as a second term: n = 2)
    1 / b     E_b / (|b| (|b| - E_b)), and one rounding
    a / b     as a (1 / b), and so two roundings, since some programs compute it so
    a^n       n E_a (|a| + E_a)^(n-1), by the mean value theorem, and max(n - 1, 6) roundings, since some programs
              multiply n - 1 times and others call an elementary function; a^2 is a a, a^0.5 is sqrt a, a^-n is 1 / a^n
    f(a)      what `bounded_functions` says of tanh, exp and so on, and 6 u |f(a)|
    |a|, -a   E_a
    max(a, b) the error of the larger where it is decided which that is, else the larger error
    [a > b]   0 where it is decided, |a - b| > E_a + E_b or both exact, else 1; so all six comparisons
    sign a    0 where it is decided, |a| > E_a or a exact, else 2, from -1 to 1
    c ? a : b the chosen one, still a sum if it was one, where c is decided. Elsewhere a program may take either: the
              exact result is one of a, b, a program's the other, so |a - b| + E_a + E_b + max(E_a, E_b), the values a
              and b being within E_a and E_b of the exact ones themselves
    not, and  of conditions: 1 where what they depend on is undecided
    einsum    a sum of N products of m factors is a sum still growing, in whatever order factors are contracted and
              terms added: p = sum prod (|a_i| + E_i) - sum prod |a_i|, s = sum prod (|a_i| + E_i), n = N + m - 1, for
              N - 1 additions and m - 1 multiplications. A partial product that underflows is multiplied on: with three
              factors or more, also (m - 1) eta sum prod max(|a_i| + E_i, 1) in p. So matmul, with m = 2
    mean      a sum, divided by its exact count

The 6 is the allowance for an elementary function: the largest error seen was 3.9 u (NumPy's sigmoid as a whole), tanh
1.8 u in NumPy and 1.25 u in torch.

Exact arithmetic stays exact. `q` is a power of two that v is a multiple of, 0 if there was any rounding before. Where
all terms of a sum are multiples of q and s <= 2^(precision - 4) q, every partial sum in every order is a number of the
format, so there is no rounding, E = 0, and relu's kink at an exact 0 is decided. The 4 bits are spare: for programs
that also multiply by small powers of two on the way.

A new operation is an entry in `Bounded.operations` or `Bounded.functions`; one that is in neither raises TypeError.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from crosscheck.referee.numbers import bounded_functions
from crosscheck.referee.numbers.format import Format
from crosscheck.referee.numbers.lifted import Lifted
from crosscheck.referee.numbers.structure import (
    BITWISE,
    COMPARISONS,
    DERIVED,
    DERIVED_OPERATIONS,
    LOGICAL,
    STRUCTURE,
    first_lifted,
    lifting,
    of_conditions,
    reduction,
)
from crosscheck.referee.numbers.subscripts import Subscripts, distinct, spelled_out

ELEMENTARY = 6.0  # roundings allowed to an elementary function, in u; see above
SPARE_BITS = 4
NO_LIMIT = 2.0**400  # the q of an exact zero, which is a multiple of everything


class Bounded(Lifted):
    """An array of numbers with worst-case errors; see the top of this file.

    Attributes:
        v, p, s, n, q: arrays of one shape, float64.
        format: the format that programs compute in.
    """

    def __init__(self, v: Any, p: Any, s: Any, n: Any, q: Any, format: Format) -> None:
        self.parts = self.v, self.p, self.s, self.n, self.q = v, p, s, n, q
        self.format = format

    def like(self, parts: tuple[Any, ...]) -> Bounded:
        """Return a number of the same format with other parts."""
        v, p, s, n, q = parts
        return Bounded(v, p, s, n, q, self.format)

    def lift(self, value: Any) -> Bounded:
        """Return exact numbers in the same format."""
        return bounded(value, self.format)

    def zeros(self, shape: tuple[int, ...]) -> Bounded:
        """Return a new array in the same format, of exact zeros."""
        return bounded(np.zeros(shape), self.format)

    def truth(self) -> tuple[Any, Any]:
        """Return which elements are not zero, and where that is decided, as arrays of booleans."""
        E = self.E
        return self.v != 0, (np.abs(self.v) > E) | (E == 0)

    @property
    def values(self) -> Any:
        """The values."""
        return self.v

    @property
    def E(self) -> Any:
        """The worst-case error of each element."""
        k = (self.n - 1) * self.format.u
        rounded = self.p + k / np.maximum(1 - k, 0) * self.s + self.n * self.format.eta * (self.s > 0)
        return np.where(self.q > 0, self.p, rounded)


def bounded(value: Any, format: Format) -> Bounded:
    """Return exact numbers as `Bounded`; what is `Bounded` already is returned as it is.

    Args:
        value: an array, or a number, exactly representable in `format`.
        format: the format that programs compute in.
    """
    if isinstance(value, Bounded):
        return value
    v = np.array(value, dtype=np.float64)
    return Bounded(v, np.zeros(v.shape), np.abs(v), np.ones(v.shape), _quantum(v), format)


def _quantum(v: Any) -> Any:
    """Return the largest power of two that divides each element; `NO_LIMIT` for zero; any number for NaN."""
    significand, exponent = np.frexp(np.where(np.isnan(v), 1.0, v))
    integer = (np.abs(significand) * 2.0**53).astype(np.int64)
    lowest_bit = (integer & -integer).astype(np.float64)
    return np.where(v == 0, NO_LIMIT, np.ldexp(lowest_bit, exponent - 53))


def _exact(q: Any, s: Any, format: Format) -> Any:
    """Return q where sums of multiples of q, of magnitude s, are exact in every order, else 0."""
    if not np.any(q):  # so it is after the first rounding, nearly everywhere
        return np.zeros_like(s)
    return np.where((q >= format.smallest) & (s <= 2.0 ** (format.precision - SPARE_BITS) * q), q, 0)


def _term(v: Any, E: Any, format: Format, roundings: float = 0, q: Any = 0) -> Bounded:
    """Return a new term with error E, plus so many roundings of its own unless it is exact."""
    magnitude = np.abs(v) + E
    ones = np.ones(np.shape(v))
    return Bounded(v, E, magnitude, ones + roundings, _exact(q * ones, magnitude, format), format)


def _add(a: Bounded, b: Bounded) -> Bounded:
    s = a.s + b.s
    return Bounded(a.v + b.v, a.p + b.p, s, a.n + b.n, _exact(np.minimum(a.q, b.q), s, a.format), a.format)


def _negative(a: Bounded) -> Bounded:
    return Bounded(-a.v, a.p, a.s, a.n, a.q, a.format)


def _sum(a: Bounded, axis: Any = None, keepdims: bool = False) -> Bounded:
    v, p, s, n = (part.sum(axis=axis, keepdims=keepdims) for part in (a.v, a.p, a.s, a.n))
    return Bounded(v, p, s, n, _exact(a.q.min(axis=axis, keepdims=keepdims, initial=NO_LIMIT), s, a.format), a.format)


def _multiply(a: Bounded, b: Bounded) -> Bounded:
    E_a, E_b = a.E, b.E
    E = np.abs(a.v) * E_b + E_a * (np.abs(b.v) + E_b)
    return _term(a.v * b.v, E, a.format, roundings=1, q=np.minimum(a.q * b.q, NO_LIMIT))


def _matmul(a: Bounded, b: Bounded) -> Bounded:
    E_a, E_b = a.E, b.E
    A, B = np.abs(a.v), np.abs(b.v)
    p = A @ E_b + E_a @ (B + E_b)
    s = (A + E_a) @ (B + E_b)
    n = np.full(s.shape, a.shape[-1] + 1.0)  # one rounding for each product, and the additions
    q = np.minimum(a.q.min(axis=-1, initial=NO_LIMIT)[..., None] * b.q.min(axis=-2, initial=NO_LIMIT), NO_LIMIT)
    return Bounded(a.v @ b.v, p, s, n, _exact(q, s, a.format), a.format)


def _reciprocal(b: Bounded) -> Bounded:
    magnitude, E_b = np.abs(b.v), b.E
    E = np.where(E_b < magnitude, E_b / (magnitude * (magnitude - E_b)), np.inf)
    overflown = np.isinf(b.v)  # then the exact reciprocal is below the smallest normal number, and so is 0's error
    return _term(1 / b.v, np.where(overflown, b.format.smallest, np.where(E_b == 0, 0, E)), b.format, roundings=1)


def _divide(a: Bounded, b: Bounded) -> Bounded:
    quotient = _multiply(a, _reciprocal(b))
    return quotient.like((a.v / b.v, *quotient.parts[1:]))


def _elementary(v: Any, E: Any, format: Format) -> Bounded:
    """Return a new term with error E from the operand, plus what an elementary function may err by itself."""
    own = ELEMENTARY * format.u * (np.abs(v) + E)
    return _term(v, E + own + format.eta * ((v != 0) | (E > 0)), format, q=np.where((v == 0) & (E == 0), NO_LIMIT, 0))


def _function(of: Callable[[Any, Any], tuple[Any, Any]]) -> Callable[[Bounded], Bounded]:
    """Return an elementary function on `Bounded` from one that maps a value and its error to the result's."""
    return lambda a: _elementary(*of(a.v, a.E), a.format)


def _power(a: Bounded, exponent: Bounded) -> Bounded:
    n = exponent.v.flat[0] if exponent.size == 1 and not np.any(exponent.E) else np.nan
    if n == 0.5:
        return _function(bounded_functions.sqrt)(a)
    if n != np.rint(n):
        raise TypeError("a power that is not one exact integer, nor 0.5")
    if n < 0:
        return _reciprocal(_power(a, exponent.lift(-n)))
    if n < 3:
        return (a.lift(np.ones(a.shape)), a.copy(), _multiply(a, a))[int(n)]
    E = n * a.E * (np.abs(a.v) + a.E) ** (n - 1)
    return _term(a.v**n, E, a.format, roundings=max(n - 1, ELEMENTARY), q=np.minimum(a.q**n, NO_LIMIT))


def _maximum(a: Bounded, b: Bounded) -> Bounded:
    E_a, E_b, first = a.E, b.E, a.v >= b.v
    decided = np.abs(a.v - b.v) > E_a + E_b
    E = np.where(decided, np.where(first, E_a, E_b), np.maximum(E_a, E_b))
    return _term(np.maximum(a.v, b.v), E, a.format, q=np.where(E == 0, np.where(first, a.q, b.q), 0))


def _max(a: Bounded, axis: Any = None, keepdims: bool = False) -> Bounded:
    E = a.E.max(axis=axis, keepdims=keepdims)
    return _term(a.v.max(axis=axis, keepdims=keepdims), E, a.format, q=a.q.min(axis=axis, keepdims=keepdims) * (E == 0))


def _absolute(a: Bounded) -> Bounded:
    return _term(np.abs(a.v), a.E, a.format, q=a.q)


def _sign(a: Bounded) -> Bounded:
    _, decided = a.truth()
    return _term(np.sign(a.v), np.where(decided, 0.0, 2.0), a.format, q=np.where(decided, 1.0, 0))


def _comparison(of: np.ufunc) -> Callable[[Bounded, Bounded], Bounded]:
    def compare(a: Bounded, b: Bounded) -> Bounded:
        E = a.E + b.E
        decided = (np.abs(a.v - b.v) > E) | (E == 0)
        return _condition(of(a.v, b.v), decided, a.format)

    return compare


def _logical(of: np.ufunc) -> Callable[..., Bounded]:
    """Return a function of truths; undecided where another truth of an undecided operand would make another result."""

    def apply(*conditions: Bounded) -> Bounded:
        truths, decided = zip(*(condition.truth() for condition in conditions), strict=True)
        result, same = of(*truths), True
        for others in product(*((truth, truth ^ ~known) for truth, known in zip(truths, decided, strict=True))):
            same = same & (of(*others) == result)
        return _condition(result, same, conditions[0].format)

    return apply


def _condition(truth: Any, decided: Any, format: Format) -> Bounded:
    return _term(truth * 1.0, np.where(decided, 0.0, 1.0), format, q=np.where(decided, 1.0, 0))


def _where(condition: Bounded, a: Bounded, b: Bounded) -> Bounded:
    first, decided = condition.truth()
    chosen: Bounded = a.each(lambda x, y: np.where(first, x, y), b)
    if np.all(decided):
        return chosen
    E_a, E_b = a.E, b.E
    either = _term(chosen.v, np.abs(a.v - b.v) + E_a + E_b + np.maximum(E_a, E_b), a.format)
    known: Bounded = chosen.each(lambda x, y: np.where(decided, x, y), either)
    return known


def _product(a: Bounded, b: Bounded) -> Bounded:
    """Return a matrix product; a vector counts as a row on the left, as a column on the right."""
    if a.ndim == 1:
        return _product(a[None], b)[..., 0, :] if b.ndim > 1 else _product(a[None], b)[0]
    return _matmul(a, b[:, None])[..., 0] if b.ndim == 1 else _matmul(a, b)


def _einsum(text: str, *operands: Any, optimize: Any = False) -> Bounded:  # noqa: ARG001 - any order is covered
    one = first_lifted(operands)
    numbers = [one.lift(operand) for operand in operands]
    subscripts, numbers = distinct(spelled_out(text, [number.ndim for number in numbers]), numbers)
    axes = subscripts.summed_axes()
    if len(numbers) == 1:
        summed = _sum(numbers[0], axes[0]) if axes[0] else numbers[0]
        kept: Bounded = summed.each(lambda part: np.einsum(str(subscripts.kept()), part).copy())
        return kept
    return _sum_of_products(subscripts, numbers, axes)


def _sum_of_products(subscripts: Subscripts, numbers: list[Bounded], axes: list[tuple[int, ...]]) -> Bounded:
    def contract(factors: Any) -> Any:
        return np.einsum(str(subscripts), *factors)

    format, m = numbers[0].format, len(numbers)
    errors, least = [number.E for number in numbers], [np.abs(number.v) for number in numbers]
    most = [size + E for size, E in zip(least, errors, strict=True)]
    # the difference of the two products, each factor in turn replaced by its error
    p = sum(contract([*least[:i], errors[i], *most[i + 1 :]]) for i in range(m))
    s = contract(most)
    n = np.full(np.shape(s), subscripts.terms([number.shape for number in numbers]) + m - 1.0)
    q = _exact(_quantum_of_products(subscripts, numbers, axes), s, format)
    if m > 2:
        p = p + (m - 1) * format.smallest * contract([np.maximum(size, 1) for size in most]) * (q == 0)
    return Bounded(contract([number.v for number in numbers]), p, s, n, q, format)


def _quantum_of_products(subscripts: Subscripts, numbers: list[Bounded], axes: list[tuple[int, ...]]) -> Any:
    quanta = [number.q.min(axis=summed) for number, summed in zip(numbers, axes, strict=True)]
    if len(numbers) > 2:  # so that no partial product is a multiple of less than the whole is
        quanta = [np.minimum(q, 1) for q in quanta]
    return np.minimum(np.einsum(str(subscripts.kept()), *quanta), NO_LIMIT)


def _cumsum(a: Bounded, axis: Any = None) -> Bounded:
    if axis is None:
        return _cumsum(a.ravel(), axis=0)
    v, p, s, n = (part.cumsum(axis=axis) for part in (a.v, a.p, a.s, a.n))
    return Bounded(v, p, s, n, _exact(np.minimum.accumulate(a.q, axis=axis), s, a.format), a.format)


Bounded.operations = {
    **DERIVED_OPERATIONS,
    np.add: _add,
    np.subtract: lambda a, b: _add(a, _negative(b)),
    np.negative: _negative,
    np.multiply: _multiply,
    np.matmul: _product,
    np.divide: _divide,
    np.reciprocal: _reciprocal,
    np.power: _power,
    np.float_power: _power,
    np.absolute: _absolute,
    np.fabs: _absolute,
    np.sign: _sign,
    np.maximum: _maximum,
    **{ufunc: _function(of) for ufunc, of in bounded_functions.FUNCTIONS.items()},
    **{ufunc: _comparison(ufunc) for ufunc in COMPARISONS},
    **{ufunc: _logical(ufunc) for ufunc in LOGICAL},
    **{ufunc: of_conditions(_logical(ufunc_of_truths)) for ufunc, ufunc_of_truths in BITWISE.items()},
}
Bounded.functions = {
    **STRUCTURE,
    **DERIVED,
    np.sum: reduction(_sum),
    np.max: reduction(_max),
    np.cumsum: _cumsum,
    np.where: lifting(_where),
    np.einsum: _einsum,
}
