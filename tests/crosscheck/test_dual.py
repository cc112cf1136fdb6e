"""Dual numbers: each operation against mpmath's derivative, and exactly, in fractions, where it is rational.

The parts are balls of 128 bits. mpmath differentiates numerically with more digits than the 500 bits that it is asked
for; its derivatives count as known to 2^-200 of the larger of themselves and 1, far below the radius of a ball here.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import mpmath  # type: ignore[import-untyped]
import numpy as np
import pytest
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from crosscheck.referee.numbers.ball import Ball, precision
from crosscheck.referee.numbers.dual import Dual, Duals, duals

MORE_BITS, KNOWN_BITS = 500, 200

numbers = st.integers(-200, 200).map(lambda k: k / 64)
nonzero = numbers.filter(bool)
positive = st.integers(1, 200).map(lambda k: k / 64)
fractions = st.fractions(-9, 9, max_denominator=9)
nonzero_fractions = fractions.filter(bool)


@pytest.fixture(autouse=True)
def _precise() -> Iterator[None]:
    with precision(128), mpmath.workprec(MORE_BITS):
        yield


def assert_encloses(ball: Any, number: Any) -> None:
    known = arb(number, arb(max(abs(number), 1)) * arb(2) ** -KNOWN_BITS)
    assert ball.value.overlaps(known), f"{ball} does not enclose {number}"
    assert ball.value.rad() <= max(abs(ball.value.mid()), arb(1)) * arb(2) ** -100


def lifted(v: float, d: float) -> Dual:
    return Dual(Ball(v), Ball(d))


UNARY: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], st.SearchStrategy[float]]] = {
    "tanh": (np.tanh, mpmath.tanh, numbers),
    "exp": (np.exp, mpmath.exp, numbers),
    "log": (np.log, mpmath.log, positive),
    "negative": (np.negative, operator.neg, numbers),
    "1 /": (lambda a: 1 / a, lambda x: 1 / x, nonzero),
    "1 -": (lambda a: 1 - a, lambda x: 1 - x, numbers),
    "- 1": (lambda a: a - 1, lambda x: x - 1, numbers),
    "3 *": (lambda a: 3 * a, lambda x: 3 * x, numbers),
    "/ 3": (lambda a: a / 3, lambda x: x / 3, numbers),
    "1 +": (lambda a: 1 + a, lambda x: 1 + x, numbers),
    "sigmoid": (lambda a: 1 / (1 + np.exp(-a)), lambda x: 1 / (1 + mpmath.exp(-x)), numbers),
    "tanh of tanh": (lambda a: np.tanh(a * np.tanh(a)), lambda x: mpmath.tanh(x * mpmath.tanh(x)), numbers),
}


@pytest.mark.parametrize("name", UNARY)
@given(data=st.data())
def test_a_function_has_its_derivative(name: str, data: st.DataObject) -> None:
    of, exact, elements = UNARY[name]
    v, d = data.draw(elements), data.draw(numbers)
    result = of(lifted(v, d))
    assert isinstance(result, Dual)
    assert_encloses(result.v, exact(mpmath.mpf(v)))
    assert_encloses(result.d, mpmath.diff(exact, mpmath.mpf(v)) * d)


BINARY = {"add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv}


@pytest.mark.parametrize("name", BINARY)
@given(a=numbers, b=nonzero, da=numbers, db=numbers)
def test_arithmetic_has_its_derivative(name: str, a: float, b: float, da: float, db: float) -> None:
    of = BINARY[name]
    result = of(lifted(a, da), lifted(b, db))
    v, w = mpmath.mpf(a), mpmath.mpf(b)
    assert_encloses(result.v, of(v, w))
    assert_encloses(result.d, mpmath.diff(of, (v, w), (1, 0)) * da + mpmath.diff(of, (v, w), (0, 1)) * db)


@given(fractions, fractions, fractions, fractions)
def test_sums_and_products_are_exact(v: Fraction, d: Fraction, w: Fraction, e: Fraction) -> None:
    a, b = Dual(v, d), Dual(w, e)
    for of in (operator.add, operator.sub, operator.mul):
        result = of(a, b)
        # of a polynomial of degree 2, a central difference with any step is the derivative
        h = Fraction(1, 3)
        derivative = (of(v + h * d, w + h * e) - of(v - h * d, w - h * e)) / (2 * h)
        assert (result.v, result.d) == (of(v, w), derivative)
        for mixed, same in ((of(a, w), of(a, Dual(w))), (of(v, b), of(Dual(v), b))):
            assert (mixed.v, mixed.d) == (same.v, same.d)


@given(fractions, fractions, nonzero_fractions, fractions)
def test_a_quotient_is_what_gives_the_dividend(v: Fraction, d: Fraction, w: Fraction, e: Fraction) -> None:
    a, b = Dual(v, d), Dual(w, e)
    for quotient, divisor, dividend in ((a / b, b, a), (a / w, Dual(w), a), (v / b, b, Dual(v))):
        product = quotient * divisor
        assert (product.v, product.d) == (dividend.v, dividend.d)


@given(fractions, fractions, fractions, fractions)
def test_comparisons_look_at_the_value(v: Fraction, d: Fraction, w: Fraction, e: Fraction) -> None:
    for compare in (operator.lt, operator.le, operator.eq, operator.ne, operator.ge, operator.gt):
        assert compare(Dual(v, d), Dual(w, e)) is compare(v, w)
        assert compare(Dual(v, d), w) is compare(v, w)
        assert compare(v, Dual(w, e)) is compare(v, w)
    assert bool(Dual(v, d)) is bool(v)


def arrays(shape: tuple[int, ...]) -> st.SearchStrategy[Any]:
    """Draw arrays of duals of fractions."""
    size = int(np.prod(shape))
    one = st.lists(fractions, min_size=size, max_size=size).map(
        lambda values: np.reshape(np.array(values, object), shape)
    )
    return st.builds(duals, one, one)


def parts(array: Any) -> tuple[Any, Any]:
    flat = np.asarray(array, dtype=object).ravel()
    return [number.v for number in flat], [number.d for number in flat]


@given(arrays((2, 3)), arrays((3, 2)), arrays((2,)))
def test_numpy_runs_on_arrays_of_them(A: Any, B: Any, c: Any) -> None:
    by_hand = [[A[i, 0] * B[0, j] + A[i, 1] * B[1, j] + A[i, 2] * B[2, j] for j in range(2)] for i in range(2)]
    plus = [[by_hand[i][j] + c[j] for j in range(2)] for i in range(2)]
    for computed, wanted in (
        (A @ B, by_hand),
        (np.einsum("ij,jk->ik", A, B), by_hand),
        (A @ B + c, plus),
        (np.sum(A, axis=0), [A[0, j] + A[1, j] for j in range(3)]),
        (-(A.T - B), [[B[i, j] - A[j, i] for j in range(2)] for i in range(3)]),
    ):
        assert isinstance(computed, Duals)
        assert parts(computed) == parts(wanted)
    out = np.empty_like(A)
    np.multiply(A, B.T, out=out)
    out *= 2
    assert parts(out) == parts([[2 * A[i, j] * B[j, i] for j in range(3)] for i in range(2)])
    larger = np.maximum(A, B.T)
    assert parts(larger)[0] == [max(a.v, b.v) for a, b in zip(A.ravel(), B.T.ravel(), strict=True)]
    for rectified in (np.maximum(A, 0), np.where(A > 0, A, 0)):
        assert isinstance(rectified, Duals)
        assert parts(rectified)[0] == [max(a.v, 0) for a in A.ravel()]
        for a, d in zip(A.ravel(), parts(rectified)[1], strict=True):
            assert d == (a.d if a.v > 0 else 0) or (a.v == 0 and d == a.d)  # at the kink, either side's


@pytest.mark.parametrize(
    ("named", "call"),
    [
        (r"Dual knows nothing of numpy\.sin", lambda a: np.sin(duals([a.v], a.d))),
        (r"Dual knows nothing of numpy\.floor", lambda a: np.floor(duals([a.v], a.d))),
        (r"Dual knows nothing of numpy\.hypot", lambda a: np.hypot(duals([a.v], a.d), 2.0)),
        (r"\*\*", lambda a: a**2),
        ("abs", lambda a: abs(a)),
        ("float", lambda a: float(a)),
    ],
)
def test_an_unknown_operation_is_named(named: str, call: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=named):
        call(Dual(1.0, 1.0))


def test_it_shows_both_parts() -> None:
    assert repr(Dual(1.5, 2.0)) == "Dual(1.5, 2.0)"
