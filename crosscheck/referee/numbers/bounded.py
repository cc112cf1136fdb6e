"""A number type that carries a worst-case rounding error through the operations of unmodified NumPy code.

A `Bounded` array stands for what any sensible program might hold in this place: its value `v`, computed in float64, and
an error `E` such that every program that computes the same formula in the given format, in whatever order of summation
and with or without fused multiply-add, holds a number within E of the exact one. Componentwise, after Higham, "Accuracy
and Stability of Numerical Algorithms", 2nd ed., chapters 3 and 4, with u the unit roundoff and eta the smallest normal:

    E = p + gamma_k s + n eta             gamma_k = k u / (1 - k u)

A number may be a sum still growing. It remembers its terms: `p`, the errors that the terms came with; `s`, the sum of
the largest magnitudes that they may have, |v| + E each; `n`, how many they are. A term met k = n - 1 roundings at most,
whatever the order. Adding two sums adds p, s and n; so W_xh x + b_xh + b_hh + W_hh h_prev, computed here in four
operations, gets the bound of one sum of I + H + 2 terms, which covers every other order too. Any other operation
closes the sum: its E becomes the error p of a new term.

Each other operation adds the error that its operands' errors cause, and its own rounding:

    a b       |a| E_b + E_a (|b| + E_b), and one rounding (counted as a second term: n = 2)
    1 / b     E_b / (|b| (|b| - E_b)), and one rounding
    a / b     as a (1 / b), and so two roundings, since some programs compute it so
    tanh a    min(sech^2(max(|a| - E_a, 0)) E_a, 1 + |h|), and 6 u |h|
    exp a     exp(a) (exp(E_a) - 1), and 6 u exp(a)
    log a     -log(1 - E_a / a), and 6 u |log a|
    max(a, b) the error of the larger where it is decided which that is, else the larger error
    [a > b]   0 where it is decided, |a - b| > E_a + E_b or both exact, else 1

The 6 is the allowance for an elementary function: the largest error seen was 3.9 u (NumPy's sigmoid as a whole), tanh
1.8 u in NumPy and 1.25 u in torch.

Exact arithmetic stays exact. `q` is a power of two that v is a multiple of, 0 if there was any rounding before. Where
all terms of a sum are multiples of q and s <= 2^(precision - 4) q, every partial sum in every order is a number of the
format, so there is no rounding, E = 0, and relu's kink at an exact 0 is decided. The 4 bits are spare: for programs
that also multiply by small powers of two on the way.

A new operation is an entry in `Bounded.operations` or `Bounded.functions`; one that is in neither raises TypeError.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from crosscheck.referee.numbers.format import Format
from crosscheck.referee.numbers.lifted import Lifted

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

    @property
    def E(self) -> Any:
        """The worst-case error of each element."""
        k = (self.n - 1) * self.format.u
        rounded = self.p + k / (1 - k) * self.s + self.n * self.format.smallest * (self.s > 0)
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
    """Return the largest power of two that divides each element; `NO_LIMIT` for zero."""
    significand, exponent = np.frexp(v)
    integer = (np.abs(significand) * 2.0**53).astype(np.int64)
    lowest_bit = (integer & -integer).astype(np.float64)
    return np.where(v == 0, NO_LIMIT, np.ldexp(lowest_bit, exponent - 53))


def _exact(q: Any, s: Any, format: Format) -> Any:
    """Return q where sums of multiples of q, of magnitude s, are exact in every order, else 0."""
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
    return Bounded(v, p, s, n, _exact(a.q.min(axis=axis, keepdims=keepdims), s, a.format), a.format)


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
    q = np.minimum(a.q.min(axis=-1)[..., None] * b.q.min(axis=-2), NO_LIMIT)
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
    return _term(
        v, E + own + format.smallest * ((v != 0) | (E > 0)), format, q=np.where((v == 0) & (E == 0), NO_LIMIT, 0)
    )


def _tanh(a: Bounded) -> Bounded:
    E_a, h = a.E, np.tanh(a.v)
    steepest = 1 / np.cosh(np.minimum(np.maximum(np.abs(a.v) - E_a, 0), 350)) ** 2  # cosh(350)^2 is still finite
    return _elementary(h, np.minimum(steepest * E_a, 1 + np.abs(h)), a.format)


def _exp(a: Bounded) -> Bounded:
    v = np.exp(a.v)
    return _elementary(v, v * np.expm1(a.E), a.format)


def _log(a: Bounded) -> Bounded:
    E_a = a.E
    return _elementary(np.log(a.v), np.where(E_a < a.v, -np.log1p(-E_a / a.v), np.inf), a.format)


def _maximum(a: Bounded, b: Bounded) -> Bounded:
    E_a, E_b, first = a.E, b.E, a.v >= b.v
    decided = np.abs(a.v - b.v) > E_a + E_b
    E = np.where(decided, np.where(first, E_a, E_b), np.maximum(E_a, E_b))
    return _term(np.maximum(a.v, b.v), E, a.format, q=np.where(E == 0, np.where(first, a.q, b.q), 0))


def _max(a: Bounded, axis: Any = None, keepdims: bool = False) -> Bounded:
    E = a.E.max(axis=axis, keepdims=keepdims)
    return _term(a.v.max(axis=axis, keepdims=keepdims), E, a.format, q=a.q.min(axis=axis, keepdims=keepdims) * (E == 0))


def _greater(a: Bounded, b: Bounded) -> Bounded:
    E = a.E + b.E
    decided = (np.abs(a.v - b.v) > E) | (E == 0)
    return _term((a.v > b.v) * 1.0, np.where(decided, 0.0, 1.0), a.format, q=np.where(decided, 1.0, 0))


def _empty_like(prototype: Bounded, shape: tuple[int, ...] | None = None) -> Bounded:
    return bounded(np.zeros(prototype.shape if shape is None else shape), prototype.format)


Bounded.operations = {
    np.add: _add,
    np.subtract: lambda a, b: _add(a, _negative(b)),
    np.negative: _negative,
    np.multiply: _multiply,
    np.matmul: _matmul,
    np.divide: _divide,
    np.reciprocal: _reciprocal,
    np.tanh: _tanh,
    np.exp: _exp,
    np.log: _log,
    np.maximum: _maximum,
    np.greater: _greater,
}
Bounded.functions = {np.empty_like: _empty_like, np.zeros_like: _empty_like, np.sum: _sum, np.max: _max}
