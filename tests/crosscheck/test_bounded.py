"""The rounding bound of each operation against exact arithmetic: what programs hold is within E, and E is not vacuous.

Operands are arrays that were rounded themselves, x y + z with random x, y and z. `Rough` has them as several float32
programs compute them (rounded at each step, or fused), exactly as fractions, and as `Bounded`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosscheck.referee.numbers.bounded import Bounded, bounded
from crosscheck.referee.numbers.format import FORMATS, Format

SINGLE, DOUBLE = FORMATS["float32"], FORMATS["float64"]
U, ETA = SINGLE.u, SINGLE.smallest
Exact = Callable[..., Any]


def einsum(*operands: Any) -> Any:
    """Return `np.einsum(*operands)`, of no type."""
    return np.einsum(*operands)


def lift(value: Any, format: Format) -> Any:
    """Return `bounded(value, format)`, of no type: NumPy's annotations know no such array."""
    return bounded(value, format)


numbers = st.floats(-(2.0**10), 2.0**10, width=32)
small = st.floats(-3.0, 3.0, width=32)
dyadic = st.integers(-63, 63).map(lambda k: k / 64)


def arrays(shape: tuple[int, ...], elements: st.SearchStrategy[float]) -> st.SearchStrategy[Any]:
    size = int(np.prod(shape))
    return st.lists(elements, min_size=size, max_size=size).map(lambda values: np.reshape(values, shape))


@dataclass
class Rough:
    """One array: as programs hold it, exactly, and with its bound."""

    programs: list[Any]
    exact: Any
    bounded: Any


def fractions(array: Any) -> Any:
    result = np.empty(np.shape(array), dtype=object)
    for index in np.ndindex(result.shape):
        result[index] = Fraction(float(np.asarray(array)[index]))
    return result


def rough(shape: tuple[int, ...] = (3,), elements: st.SearchStrategy[float] = numbers) -> st.SearchStrategy[Rough]:
    def build(xyz: tuple[Any, Any, Any]) -> Rough:
        x, y, z = xyz
        a, b, c = (array.astype(np.float32) for array in xyz)
        programs = [a * b + c, (x * y + z).astype(np.float32)]  # each step rounded; rounded once, or nearly
        lifted = lift(x, SINGLE) * lift(y, SINGLE) + lift(z, SINGLE)
        return Rough(programs, fractions(x) * fractions(y) + fractions(z), lifted)

    one = arrays(shape, elements)
    return st.tuples(one, one, one).map(build)


def assert_within(got: Any, exact: Any, result: Any) -> None:
    """Assert that a program's numbers are within E of the exact ones."""
    assert np.shape(got) == np.shape(exact) == result.shape
    E, exact = np.asarray(result.E), np.asarray(exact, dtype=object)
    for index in np.ndindex(result.shape):
        value, bound = float(np.asarray(got)[index]), float(E[index])
        assert bound >= 0
        if bound < np.inf:
            error = mpmath_number(Fraction(value) if np.isfinite(value) else value) - mpmath_number(exact[index])
            assert abs(error) <= bound, f"{value} is off by {error} at {index}, E is {bound}"


def mpmath_number(exact: Any) -> Any:
    return mpmath.mpf(exact.numerator) / exact.denominator if isinstance(exact, Fraction) else mpmath.mpf(exact)


@pytest.fixture(autouse=True)
def _precise() -> Any:
    with mpmath.workdps(60), np.errstate(all="ignore"):
        yield


def of(function: Any) -> Exact:
    """Return an mpmath function as a function of arrays of fractions."""

    def each(array: Any) -> Any:
        result = np.empty(array.shape, dtype=object)
        for index in np.ndindex(array.shape):
            result[index] = function(mpmath_number(array[index]))
        return result

    return each


HALF: Any = Fraction(1, 2)  # of no type: NumPy's annotations know no fractions
UNARY: dict[str, tuple[Any, Exact, list[Exact]]] = {
    "negative": (np.negative, lambda a: -a, []),
    "tanh": (np.tanh, of(mpmath.tanh), [lambda a: np.tanh(a.astype(np.float64)).astype(np.float32)]),
    "exp": (np.exp, of(mpmath.exp), [lambda a: np.exp(a.astype(np.float64)).astype(np.float32)]),
    "expm1": (np.expm1, of(mpmath.expm1), [lambda a: np.expm1(a.astype(np.float64)).astype(np.float32)]),
    "sinh": (np.sinh, of(mpmath.sinh), [lambda a: np.sinh(a.astype(np.float64)).astype(np.float32)]),
    "cosh": (np.cosh, of(mpmath.cosh), [lambda a: np.cosh(a.astype(np.float64)).astype(np.float32)]),
    "positive": (np.positive, lambda a: a, []),
    "absolute": (np.abs, abs, []),
    "sign": (np.sign, of(mpmath.sign), []),
    "square": (np.square, lambda a: a * a, [lambda a: a * a, lambda a: a**2, lambda a: np.power(a, np.float32(2))]),
    "** 2": (lambda a: a**2, lambda a: a * a, []),
    "** 3": (lambda a: a**3, lambda a: a * a * a, [lambda a: a * a * a, lambda a: np.power(a, np.float32(3))]),
    "power 5": (lambda a: np.power(a, 5), lambda a: a**5, [lambda a: a * a * (a * a) * a]),
    "** 0": (lambda a: a**0, lambda a: a**0, []),
    "** 1": (lambda a: a**1, lambda a: a, []),
    "clip": (lambda a: np.clip(a, -0.5, 1.5), lambda a: np.clip(a, -HALF, 3 * HALF), []),
    "clip from below": (lambda a: np.clip(a, 0, None), lambda a: np.maximum(a, 0 * HALF), []),
    "clip, the method": (lambda a: a.clip(max=1.0), lambda a: np.minimum(a, 2 * HALF), []),
    "where, relu": (lambda a: np.where(a > 0, a, 0), lambda a: np.maximum(a, 0 * HALF), []),
    "times a condition": (lambda a: a * (a >= 0), lambda a: np.maximum(a, 0 * HALF), []),
    "a condition as floats": (lambda a: (a > 0).astype(a.dtype) * a, lambda a: np.maximum(a, 0 * HALF), []),
    "masked assignment": (lambda a: rectified(a), lambda a: np.maximum(a, 0 * HALF), []),
    "leaky": (lambda a: np.where(a > 0, a, a * 0.25), lambda a: np.where(a > 0, a, a / 4), []),
    "a jump": (lambda a: np.where(a < 0, a, 5.0 + a), lambda a: np.where(a < 0, a, a + 5), []),
}


def rectified(a: Any) -> Any:
    """Return relu the way a backward pass is often written."""
    result = a.copy()
    result[a <= 0] = 0
    return result


BINARY: dict[str, tuple[Any, Exact, list[Exact]]] = {
    "add": (np.add, lambda a, b: a + b, []),
    "subtract": (np.subtract, lambda a, b: a - b, []),
    "multiply": (np.multiply, lambda a, b: a * b, []),
    "maximum": (np.maximum, np.maximum, []),
    "minimum": (np.minimum, np.minimum, []),
    "fmax": (np.fmax, np.maximum, []),
    "fmin": (np.fmin, np.minimum, []),
    "where": (lambda a, b: np.where(a > b, a, b * 2), lambda a, b: np.where(a > b, a, b * 2), []),
    "where, of something else": (lambda a, b: np.where(a != 0, b, a), lambda a, b: np.where(a != 0, b, a), []),
}
COMPARISONS: dict[str, Callable[..., Any]] = {
    "greater": operator.gt,
    "greater or equal": operator.ge,
    "less": operator.lt,
    "less or equal": operator.le,
    "equal": operator.eq,
    "not equal": operator.ne,
    "and": lambda a, b: (a > b) & (a > 0),
    "or": lambda a, b: (a > b) | (b > 0),
    "exclusive or": lambda a, b: (a > 0) ^ (b > 0),
    "not": lambda a, b: ~(a > b),
    "logical and": lambda a, b: np.logical_and(a > 0, b > 0),
    "logical not": lambda a, b: np.logical_not(a > b),
}


@pytest.mark.parametrize("name", UNARY)
@given(data=st.data())
def test_a_function_of_one_array(name: str, data: st.DataObject) -> None:
    function, exact, programs = UNARY[name]
    a = data.draw(rough(elements=small))
    for program in (function, *programs):
        for held in a.programs:
            assert_within(program(held), exact(a.exact), function(a.bounded))


@pytest.mark.parametrize("name", BINARY)
@given(data=st.data())
def test_a_function_of_two_arrays(name: str, data: st.DataObject) -> None:
    function, exact, _ = BINARY[name]
    a, b = data.draw(rough()), data.draw(rough())
    for held_a in a.programs:
        for held_b in b.programs:
            assert_within(function(held_a, held_b), exact(a.exact, b.exact), function(a.bounded, b.bounded))


@given(rough(), rough())
def test_division(a: Rough, b: Rough) -> None:
    quotient, reciprocal = a.bounded / b.bounded, np.reciprocal(b.bounded)
    known = np.abs(b.bounded.v) > b.bounded.E
    assert np.array_equal(np.isfinite(np.asarray(reciprocal.E)), known)
    known &= np.abs(b.bounded.v) > 2.0**-100  # else a / b may overflow, which `reference` notices, not E
    one_over = np.array([1 / e if e else Fraction(0) for e in b.exact], dtype=object)
    for held_a in a.programs:
        for held_b in b.programs:
            for got in (held_a / held_b, held_a * (1 / held_b)):
                assert_within(got[known], (a.exact * one_over)[known], quotient[known])
            assert_within((1 / held_b)[known], one_over[known], reciprocal[known])


@given(rough())
def test_log(a: Rough) -> None:
    logarithm = np.log(a.bounded)
    positive = a.bounded.v > a.bounded.E
    assert np.array_equal(np.isfinite(np.asarray(logarithm.E)), positive)
    exact = of(mpmath.log)(a.exact[positive])
    for held in a.programs:
        held = held[positive]
        assert_within(np.log(held), exact, logarithm[positive])
        assert_within(np.log(held.astype(np.float64)).astype(np.float32), exact, logarithm[positive])


@given(rough())
def test_sqrt_and_log1p(a: Rough) -> None:
    for function, exact_of, least in (
        (np.sqrt, mpmath.sqrt, 0),
        (lambda x: x**0.5, mpmath.sqrt, 0),
        (np.log1p, mpmath.log1p, -1),
    ):
        result = function(a.bounded)
        known = a.bounded.v - least > a.bounded.E
        known |= (a.bounded.v == a.bounded.E) & (least == 0)  # the root of what may be 0 but not less
        assert np.array_equal(np.isfinite(np.asarray(result.E)), known)
        exact = of(exact_of)(a.exact[known])
        for held in a.programs:
            held = held[known]
            assert_within(function(held), exact, result[known])
            assert_within(function(held.astype(np.float64)).astype(np.float32), exact, result[known])


@given(rough())
def test_a_negative_power(a: Rough) -> None:
    result = a.bounded**-2
    known = np.isfinite(np.asarray(result.E)) & (np.abs(a.bounded.v) > 2.0**-60)  # else a program's overflows
    exact = np.array([1 / (e * e) for e in a.exact[known]], dtype=object)
    for held in a.programs:
        assert_within(1 / (held[known] * held[known]), exact, result[known])
        assert_within(held[known] ** np.float32(-2), exact, result[known])


@pytest.mark.parametrize("name", COMPARISONS)
@given(a=rough(), b=rough(), same=st.booleans())
def test_a_comparison(name: str, a: Rough, b: Rough, same: bool) -> None:
    compare = COMPARISONS[name]
    b = a if same else b
    result = compare(a.bounded, b.bounded)
    exact = np.array([Fraction(int(truth)) for truth in compare(a.exact, b.exact)], dtype=object)
    assert set(np.asarray(result.E)) <= {0, 1}
    for held_a in a.programs:
        for held_b in b.programs:
            assert_within(compare(held_a, held_b), exact, result)


@pytest.mark.parametrize("name", COMPARISONS)
@given(a=arrays((3,), dyadic), b=arrays((3,), dyadic))
def test_a_comparison_of_exact_numbers_is_decided(name: str, a: Any, b: Any) -> None:
    result = COMPARISONS[name](lift(a, SINGLE), lift(b, SINGLE))
    assert np.array_equal(result.v, COMPARISONS[name](a, b))
    assert not np.any(result.E)


def test_logic_is_decided_by_one_operand() -> None:
    third = 1 / lift(3.0, SINGLE)
    open_, no, yes = third * 3 > 1, lift(0.0, SINGLE) > 1, lift(2.0, SINGLE) > 1
    assert open_.E == 1
    for result, wanted in (
        (open_ & no, (0, 0)),
        (open_ & yes, (open_.v, 1)),
        (open_ | yes, (1, 0)),
        (open_ | no, (open_.v, 1)),
        (open_ ^ yes, (1 - open_.v, 1)),
        (~no, (1, 0)),
        (~open_, (1 - open_.v, 1)),
    ):
        assert (result.v, result.E) == wanted


def test_an_undecided_choice_covers_both() -> None:
    third = 1 / lift(3.0, SINGLE)
    undecided, far = third * 3 > 1, lift(7.0, SINGLE)
    for chosen in (np.where(undecided, third, far), np.where(~undecided, third, far)):
        # from 1/3 to 7, and no more than 3 of the errors of third besides
        assert abs(7 - 1 / 3) <= chosen.E <= 7 - 1 / 3 + 3 * third.E + 2 * ETA
    assert np.where(lift(1.0, SINGLE) > 0, third + far, far).n == (third + far).n  # a sum stays a sum
    assert np.sign(third * 3 - 1).E == 2
    assert (np.sign(third).v, np.sign(third).E) == (1, 0)


def in_order(terms: Any) -> Any:
    """Return the sum over the last axis, rounded after each addition."""
    total = np.zeros(terms.shape[:-1], np.float32)
    for k in range(terms.shape[-1]):
        total = total + terms[..., k]
    return total


SUMMATIONS: dict[str, Exact] = {
    "in order": in_order,
    "reversed": lambda terms: in_order(terms[..., ::-1]),
    "pairwise": lambda terms: in_order(np.stack([in_order(terms[..., ::2]), in_order(terms[..., 1::2])], axis=-1)),
    "NumPy's": lambda terms: np.sum(terms, axis=-1),
    "in double precision": lambda terms: np.sum(terms.astype(np.float64), axis=-1).astype(np.float32),
}


@pytest.mark.parametrize("order", SUMMATIONS)
@given(a=rough((2, 5)))
def test_sum_in_any_order(order: str, a: Rough) -> None:
    for held in a.programs:
        assert_within(SUMMATIONS[order](held), a.exact.sum(axis=-1), np.sum(a.bounded, axis=-1))
        assert_within(SUMMATIONS[order](held[::-1].T), a.exact[::-1].T.sum(axis=-1), a.bounded[::-1].T.sum(axis=-1))


@pytest.mark.parametrize("order", SUMMATIONS)
@given(a=rough((2, 5)), b=rough((5, 2)), c=rough((2, 2)))
def test_matrix_product_in_any_order(order: str, a: Rough, b: Rough, c: Rough) -> None:
    product, total = a.bounded @ b.bounded, a.bounded @ b.bounded + c.bounded
    exact = np.array([[sum(a.exact[i] * b.exact[:, j]) for j in range(2)] for i in range(2)], dtype=object)
    for held_a, held_b, held_c in zip(a.programs, b.programs, c.programs, strict=True):
        terms = held_a[:, None, :] * held_b.T[None, :, :]
        assert_within(SUMMATIONS[order](terms), exact, product)
        assert_within(held_a @ held_b, exact, product)
        # + c, added last or first: the sum remembers its terms
        first = np.concatenate([held_c[..., None], terms], axis=-1)
        assert_within(SUMMATIONS[order](terms) + held_c, exact + c.exact, total)
        assert_within(SUMMATIONS[order](first), exact + c.exact, total)


@given(rough((2, 4)))
def test_max_over_an_axis(a: Rough) -> None:
    result = np.max(a.bounded, axis=-1, keepdims=True)
    for held in a.programs:
        assert_within(held.max(axis=-1, keepdims=True), a.exact.max(axis=-1, keepdims=True), result)


EINSUMS: dict[str, tuple[str, tuple[tuple[int, ...], ...]]] = {
    "matrix product": ("ij,jk->ik", ((2, 3), (3, 2))),
    "implicit": ("ij,jk", ((2, 3), (3, 2))),
    "implicit, in order of letters": ("ba,bc", ((3, 2), (3, 2))),
    "elementwise": ("ij,ij->ij", ((2, 3), (2, 3))),
    "outer": ("i,j->ji", ((2,), (3,))),
    "inner": ("i,i", ((3,), (3,))),
    "batched": ("bij,bjk->bik", ((2, 1, 2), (2, 2, 1))),
    "Ellipsis": ("...ij,...jk->...ik", ((2, 1, 2), (2, 1))),
    "Ellipsis, implicit": ("...i,ji", ((2, 1, 2), (3, 2))),
    "one, transposed": ("ij->ji", ((2, 3),)),
    "one, summed": ("ij->j", ((2, 3),)),
    "one, a diagonal": ("ii->i", ((2, 2),)),
    "trace": ("ii", ((3, 3),)),
    "a diagonal and another": ("ii,ij->j", ((2, 2), (2, 3))),
    "three": ("ij,jk,k->i", ((2, 2), (2, 2), (2,))),
    "four": ("i,i,ij,j->", ((2,), (2,), (2, 2), (2,))),
    "length 1, repeated": ("ij,ij->i", ((2, 3), (2, 1))),
}


@pytest.mark.parametrize("name", EINSUMS)
@given(data=st.data())
def test_einsum_in_any_order(name: str, data: st.DataObject) -> None:
    text, shapes = EINSUMS[name]
    operands = [data.draw(rough(shape)) for shape in shapes]
    exact = np.einsum(text, *(operand.exact for operand in operands))
    result = np.einsum(text, *(operand.bounded for operand in operands))
    for k in range(2):
        held = [operand.programs[k] for operand in operands]
        wide = [array.astype(np.float64) for array in held]
        programs = [
            np.einsum(text, *held),
            np.einsum(text, *wide).astype(np.float32),
            np.einsum(text, *held, optimize="optimal"),
        ]
        for got in programs:
            assert_within(got, exact, result)


@given(arrays((2, 3), numbers), arrays((3, 2), numbers), arrays((2,), numbers))
def test_einsum_has_the_bound_of_the_textbook(x: Any, y: Any, z: Any) -> None:
    a, b, c = (lift(array, SINGLE) for array in (x, y, z))
    for product in (einsum("ij,jk->ik", a, b), einsum("ij,jk", a, b)):
        # the same sum of 3 positive terms in perhaps another order: 3 roundings each way
        assert np.allclose(product.s, (a @ b).s, rtol=6 * DOUBLE.u, atol=0)  # as above
        assert np.allclose(product.p, (a @ b).p, rtol=6 * DOUBLE.u, atol=0)  # as above
        assert np.array_equal(product.n, (a @ b).n)
    # Higham, lemma 3.1: 3 2 = 6 terms of 3 factors, 5 additions and 2 multiplications; and their underflows
    three = einsum("ij,jk,k->i", a, b, c)
    terms, larger = (
        np.einsum("ij,jk,k->i", *map(of, (x, y, z))) for of in (np.abs, lambda s: np.maximum(np.abs(s), 1))
    )
    bound = 7 * U / (1 - 7 * U) * terms + 8 * ETA + 2 * ETA * larger
    assert np.all(np.asarray(three.E) <= bound * (1 + 2.0**-50))
    inexact = np.asarray(three.E) > 0
    assert np.all(np.asarray(three.E)[inexact] >= (7 * U * terms)[inexact] * (1 - 2.0**-50))


PRODUCTS: dict[str, tuple[Any, tuple[tuple[int, ...], tuple[int, ...]]]] = {
    "dot": (np.dot, ((2, 3), (3, 2))),
    "dot, the method": (lambda a, b: a.dot(b), ((2, 3), (3,))),
    "dot of vectors": (np.dot, ((3,), (3,))),
    "dot of a vector and a matrix": (np.dot, ((3,), (3, 2))),
    "dot with a number": (np.dot, ((), (3,))),
    "dot of many axes": (np.dot, ((2, 2), (2, 2, 1))),
    "matmul of vectors": (np.matmul, ((3,), (3,))),
    "matmul of a stack and a vector": (np.matmul, ((2, 2, 3), (3,))),
    "matmul of a vector and a stack": (np.matmul, ((3,), (2, 3, 1))),
    "matmul of stacks": (np.matmul, ((2, 1, 2), (2, 2, 1))),
    "outer": (np.outer, ((2,), (2, 2))),
    "inner": (np.inner, ((2, 3), (3,))),
    "inner with a number": (np.inner, ((2,), ())),
    "tensordot": (lambda a, b: np.tensordot(a, b, axes=([0, 1], [1, 0])), ((2, 3), (3, 2))),
    "tensordot, one axis": (lambda a, b: np.tensordot(a, b, axes=(0, -1)), ((3, 2), (2, 3))),
    "tensordot, counted": (lambda a, b: np.tensordot(a, b, 0), ((2,), (2,))),
}


@pytest.mark.parametrize("name", PRODUCTS)
@given(data=st.data())
def test_a_product_of_arrays(name: str, data: st.DataObject) -> None:
    of, shapes = PRODUCTS[name]
    a, b = (data.draw(rough(shape)) for shape in shapes)
    exact = of(*(np.array(operand.exact, dtype=object) for operand in (a, b)))
    for held_a, held_b in zip(a.programs, b.programs, strict=True):
        held = [np.asarray(array, dtype=np.float32) for array in (held_a, held_b)]
        result = of(a.bounded, b.bounded)
        assert_within(of(*held), exact, result)
        assert_within(np.float32(of(*(array.astype(np.float64) for array in held))), exact, result)


REDUCTIONS: dict[str, Any] = {
    "mean": lambda a: np.mean(a, axis=0),
    "mean of all": lambda a: np.mean(a),
    "mean, the method": lambda a: a.mean(axis=(0, 1), keepdims=True),
    "sum over axes": lambda a: np.sum(a, axis=(0, -1)),
    "sum, by add": lambda a: np.add.reduce(a, axis=1, keepdims=True),
    "sum over the first, by add": lambda a: np.add.reduce(a),
    "min": lambda a: np.min(a, axis=-1),
    "amin": lambda a: np.amin(a, axis=0),
    "amax": lambda a: np.amax(a),
    "max, the method": lambda a: a.max(axis=0),
    "min, the method": lambda a: a.min(axis=1, keepdims=True),
    "max, by maximum": lambda a: np.maximum.reduce(a, axis=1),
    "cumsum": lambda a: np.cumsum(a, axis=1),
    "cumsum of all": lambda a: a.cumsum(),
}


@pytest.mark.parametrize("name", REDUCTIONS)
@given(a=rough((2, 3)))
def test_a_reduction(name: str, a: Rough) -> None:
    of = REDUCTIONS[name]
    result, exact = of(a.bounded), of(a.exact)
    for held in a.programs:
        assert_within(of(held), exact, result)
        assert_within(np.float32(of(held.astype(np.float64))), exact, result)


@given(arrays((3, 4), numbers), arrays((4, 2), numbers))
def test_a_matrix_product_has_the_bound_of_the_textbook(x: Any, y: Any) -> None:
    # Higham, section 3.5: gamma_k sum |x||y|, here with one rounding a product and k - 1 additions
    result = lift(x, SINGLE) @ lift(y, SINGLE)
    magnitudes = np.abs(x) @ np.abs(y)
    gamma = 4 * U / (1 - 4 * U)
    most = gamma * magnitudes + 5 * ETA
    inexact = np.asarray(result.E) > 0
    # both sides are computed in float64, in fewer than 8 roundings of positive numbers: 8 u64 = 2^-50
    assert np.all(np.asarray(result.E) <= most * (1 + 2.0**-50))
    assert np.all(np.asarray(result.E)[inexact] >= gamma * magnitudes[inexact] * (1 - 2.0**-50))


@given(rough(elements=small), rough(elements=small))
def test_bounds_are_not_vacuous(a: Rough, b: Rough) -> None:
    # Each factor: x y + z has 2 roundings of its terms. An operation passes on the errors of its operands times its
    # derivative, and adds 1 rounding, 6 for an elementary function. 1.01 covers all terms in u^2; 9 ETA the underflows.
    with np.errstate(all="ignore"):
        E_a, E_b = np.asarray(a.bounded.E), np.asarray(b.bounded.E)
        v_a, v_b = np.abs(a.bounded.v), np.abs(b.bounded.v)
        s_a, s_b = np.asarray(a.bounded.s), np.asarray(b.bounded.s)
        assert np.all(E_a <= 1.01 * 2 * U * s_a + 3 * ETA)
        assert np.all(1.01 * 5 * U * (s_a + s_b) + 9 * ETA >= (a.bounded + b.bounded).E)
        product = 1.01 * (v_a * E_b + v_b * E_a + E_a * E_b + U * v_a * v_b)
        assert np.all(product + 9 * ETA >= (a.bounded * b.bounded).E)
        # sech^2 <= 1, and changes by a factor of at most exp(2 E_a)
        slope = np.minimum(1, np.exp(2 * E_a) / np.cosh(v_a) ** 2)
        assert np.all(1.01 * (slope * E_a + 6 * U * np.tanh(v_a)) + 9 * ETA >= np.tanh(a.bounded).E)
        assert np.all(1.01 * (E_a + 6 * U) * np.exp(a.bounded.v) + 9 * ETA >= np.exp(a.bounded).E)
        assert np.all(1.01 * (np.exp(2 * E_a) * np.cosh(v_a) * (E_a + 6 * U)) + 9 * ETA >= np.sinh(a.bounded).E)
        assert np.all(1.01 * (np.exp(2 * E_a) * np.cosh(v_a) * (E_a + 6 * U)) + 9 * ETA >= np.cosh(a.bounded).E)
        assert np.all(1.01 * (E_a + 6 * U) * (np.exp(a.bounded.v) + 1) + 9 * ETA >= np.expm1(a.bounded).E)
        positive = np.abs(a.bounded) + 1  # 1 rounding more, in E; the slope of sqrt is below 1/2, that of log1p below 1
        E_p = np.asarray(positive.E)
        assert np.all(1.01 * (E_p / 2 + 6 * U * np.sqrt(positive.v)) + 9 * ETA >= np.sqrt(positive).E)
        assert np.all(1.01 * (E_p + 6 * U * np.log1p(positive.v)) + 9 * ETA >= np.log1p(positive).E)
        cubed = 1.01 * (3 * E_p * (positive.v + E_p) ** 2 + 6 * U * positive.v**3)
        assert np.all(cubed + 9 * ETA >= (positive**3).E)
        assert np.array_equal(np.asarray((-positive).E), np.asarray(np.abs(positive).E))
        # a mean: its sum's error over the count, and 2 roundings of a division
        total = np.sum(positive)
        assert 1.01 * (total.E + 2 * U * total.v) / positive.size + 9 * ETA >= np.mean(positive).E
        inverse = 1 / lift(v_b + 1, DOUBLE)  # 2 roundings: of the reciprocal, and of its product with 1
        assert np.all(np.asarray(inverse.E) <= 1.01 * 2 * DOUBLE.u * inverse.v + 9 * DOUBLE.smallest)


@given(arrays((3, 4), dyadic), arrays((4, 2), dyadic), arrays((3, 2), dyadic))
def test_exact_arithmetic_has_no_error(x: Any, y: Any, z: Any) -> None:
    a, b, c = (lift(array, SINGLE) for array in (x, y, z))
    for result, exact in (
        (a @ b + c, x @ y + z),
        (c * c - c, z * z - z),
        (np.sum(a, axis=0), x.sum(axis=0)),
        (np.maximum(c, 0), np.maximum(z, 0)),
        (np.max(c, axis=0), z.max(axis=0)),
        (-c, -z),
        (c**2, z**2),
        (np.abs(c), np.abs(z)),
        (np.sign(c), np.sign(z)),
        (np.minimum(c, 0.5), np.minimum(z, 0.5)),
        (np.clip(c, -0.5, 0.5), np.clip(z, -0.5, 0.5)),
        (np.where(c > 0, c, c * 2), np.where(z > 0, z, z * 2)),
        (einsum("ij,jk->ki", a, b), (x @ y).T),
        (c.cumsum(axis=0), z.cumsum(axis=0)),
    ):
        assert np.array_equal(result.v, exact)
        assert not np.any(result.E)


@given(*(arrays((3, 3), st.integers(-3, 3).map(float)) for _ in range(3)))
def test_products_of_three_small_integers_are_exact(x: Any, y: Any, z: Any) -> None:
    a, b, c = (lift(array, SINGLE) for array in (x, y, z))
    result = einsum("ij,jk,kl->il", a, b, c)
    assert np.array_equal(result.v, x @ y @ z)
    assert not np.any(result.E)


def test_exactness_ends_4_bits_below_the_precision() -> None:
    at = lift(2.0**20 - 1, SINGLE) + lift(1.0, SINGLE)
    beyond = lift(2.0**20, SINGLE) + lift(1.0, SINGLE)
    assert (at.v, at.E) == (2.0**20, 0.0)
    assert beyond.E == U / (1 - U) * (2.0**20 + 1) + 2 * ETA
    assert (lift(2.0**49, DOUBLE) - lift(1.0, DOUBLE)).E > 0
    assert (lift(2.0**49 - 1, DOUBLE) + lift(1.0, DOUBLE)).E == 0


def test_rounding_once_is_never_exact_again() -> None:
    third = 1 / lift(3.0, SINGLE)
    assert (third - third).v == 0
    assert (third - third).E >= 2 * third.E
    assert (third * 0).E == 0
    assert (third * 2).E > 0


def test_a_zero_is_a_multiple_of_everything() -> None:
    zero = lift(0.0, SINGLE)
    assert (zero + lift(2.0**100, SINGLE)).E == 0
    assert (zero * (1 / lift(3.0, SINGLE))).E == 0
    assert np.tanh(zero).E == 0
    assert np.log(lift(1.0, SINGLE)).E == 0


def test_the_kink_of_relu_is_decided_at_an_exact_zero_alone() -> None:
    exact = lift(0.5, SINGLE) * 2 - 1
    assert ((exact > 0).v, (exact > 0).E) == (0, 0)
    assert np.maximum(exact, 0).E == 0
    third = 1 / lift(3.0, SINGLE)
    undecided = third * 3 - 1
    assert abs(undecided.v) <= undecided.E
    assert (undecided > 0).E == 1
    assert np.maximum(undecided, 0).E == undecided.E
    decided = third * 3 - 0.5
    assert ((decided > 0).v, (decided > 0).E) == (1, 0)
    assert ((-decided > 0).v, (-decided > 0).E) == (0, 0)
    assert np.maximum(-decided, 0).E == 0


def test_a_decided_maximum_has_the_error_of_the_larger() -> None:
    third, exact = 1 / lift(3.0, SINGLE), lift(4.0, SINGLE)
    assert np.maximum(third, exact).E == np.maximum(exact, third).E == 0
    assert np.maximum(third, -exact).E == third.E


def test_underflow_is_within_the_smallest_normal_number() -> None:
    tiny = lift(2.0**-100, SINGLE)
    product = tiny * tiny
    assert 2.0**-200 <= product.E <= 3 * ETA
    assert np.exp(-100.0) <= np.exp(lift(-100.0, SINGLE)).E


def test_a_sigmoid_is_bounded_where_exp_overflows() -> None:
    a = lift(np.array([-1000.0, -100.0, 0.0, 100.0, 1000.0]), SINGLE)
    sigmoid = 1 / (1 + np.exp(-a))
    assert np.array_equal(sigmoid.v, [0.0, 1 / (1 + np.exp(100.0)), 0.5, 1.0, 1.0])
    with np.errstate(over="ignore"):
        got = 1 / (1 + np.exp(-a.v.astype(np.float32)))
    exact = of(lambda x: 1 / (1 + mpmath.exp(-x)))(fractions(a.v))
    assert_within(got, exact, sigmoid)
    # 2 roundings of 1 / b, one of the sum, unless that is exact; at 0, where they are of 1/2, also 6 of exp over 4
    assert np.all(np.asarray(sigmoid.E) <= 1.01 * np.array([0, 0, 3, 3, 2]) * U + 9 * ETA)


def test_an_error_without_limit_is_infinite() -> None:
    third = 1 / lift(3.0, SINGLE)
    nothing = third * 3 - 1
    assert np.inf == np.reciprocal(nothing).E
    assert not np.isfinite(np.log(nothing).E)
    something = np.reciprocal(third * 3 - (1 - 2.0**-24))  # of either sign
    assert (np.isfinite(something.v), something.E) == (True, np.inf)
    assert np.tanh(something).E <= 1.01 * 2  # whatever its operand is


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "bfloat16"])  # which NumPy hasn't
def test_formats(name: str) -> None:
    format, info = FORMATS[name], np.finfo(name)
    assert (2 * format.u, format.smallest, format.largest) == tuple(map(float, (info.eps, info.tiny, info.max)))


# What makes NumPy code run on it unchanged: buffers, views, `out=`.


def test_a_view_shares_memory() -> None:
    a = lift(np.zeros((2, 3)), SINGLE)
    third = 1 / lift(3.0, SINGLE)
    a[1, 1:] = third
    a[0][...] = 5.0
    for row in a[1:]:
        row[0] = third * 3
    a.T[2, 0] = third - third
    a.reshape(-1, 2)[0, 1] = 7.0
    assert a.v.tolist() == [[5, 7, 0], [1, 1 / 3, 1 / 3]]
    one = (third * 3).E
    assert a.E.tolist() == [[0, 0, (third - third).E], [one, third.E, third.E]]


def test_a_copy_does_not_share_memory() -> None:
    a = lift(np.ones(2), SINGLE)
    b = a.copy()
    b[...] = 1 / lift(3.0, SINGLE)
    assert np.array_equal(a.v, [1, 1])
    assert not np.any(a.E)


def test_out_and_in_place_operations() -> None:
    a, b = lift(np.array([1.0, 2.0]), SINGLE), lift(np.array([3.0, 3.0]), SINGLE)
    quotient = a / b
    out = np.empty_like(a)
    view = out[:]
    assert np.divide(a, b, out=out) is out
    assert np.array_equal(view.v, quotient.v)
    assert np.array_equal(np.asarray(view.E), np.asarray(quotient.E))
    view *= 2
    view += b
    assert np.array_equal(out.v, (quotient * 2 + b).v)
    assert np.array_equal(np.asarray(out.E), np.asarray((quotient * 2 + b).E))


def test_a_buffer_is_of_the_same_type_with_no_error() -> None:
    a = 1 / lift(np.array([[3.0, 7.0]]), SINGLE)
    for buffer, shape in (
        (np.empty_like(a), (1, 2)),
        (np.empty_like(a, shape=(2, 3)), (2, 3)),
        (np.zeros_like(a), (1, 2)),
    ):
        assert isinstance(buffer, Bounded)
        assert buffer.shape == shape
        assert buffer.format is SINGLE
        assert not np.any(buffer.v)
        assert not np.any(buffer.E)


def test_it_looks_like_an_array() -> None:
    a = lift(np.zeros((2, 3), np.float32), SINGLE)
    assert (a.shape, a.ndim, a.size, len(a), a.dtype) == ((2, 3), 2, 6, 2, np.dtype(np.float64))
    assert [row.shape for row in a] == [(3,), (3,)]
    assert (1 - a).v.tolist() == [[1, 1, 1], [1, 1, 1]]
    assert (np.ones((4, 2)) @ a).shape == (4, 3)
    assert lift(a, SINGLE) is a


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("sin", lambda a: np.sin(a)),
        ("arctan", lambda a: np.arctan(a)),
        ("prod", lambda a: np.prod(a)),
        ("sum", lambda a: np.sum(a, initial=1.0)),
        ("power", lambda a: a**1.5),
        ("einsum", lambda a: np.einsum(a, [0], a, [0])),
        ("multiply", lambda a: np.multiply.reduce(a)),
        ("invert", lambda a: ~(a * 2)),
        ("exp", lambda a: np.exp(a, where=np.array([True, False]))),
    ],
)
def test_an_unknown_operation_is_named(name: str, call: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=rf"numpy\.{name}\b"):
        call(lift(np.ones(2), SINGLE))
