"""The rounding bound E of each operation against balls: what a program holds is within E of the exact result.

A program's operands are rounded themselves: x y + z, computed in its format from random numbers of many magnitudes. The
exact results are balls of 300 bits, whose radii, below 2^-200 of anything here, are added to the error: the comparison
is made in balls, so "within" is proven.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from flint import arb

from crosscheck.referee.numbers.ball import balls, precision
from crosscheck.referee.numbers.bounded import bounded
from crosscheck.referee.numbers.format import FORMATS
from crosscheck.strategies import EVERYTHING

DTYPES = EVERYTHING["dtype"]  # the formats that NumPy's programs compute in from end to end

BITS = 300
ROWS, COLUMNS = 12, 8
MAGNITUDES = (-20, -4, 0, 2)  # powers of two
Operation = Callable[..., Any]


@dataclass
class Operand:
    """One array: as two programs hold it, exactly, and with its bound."""

    programs: tuple[Any, Any]
    exact: Any
    bounded: Any


@pytest.fixture(autouse=True)
def _precise() -> Iterator[None]:
    with precision(BITS), np.errstate(all="ignore"):
        yield


def operand(seed: int, dtype: str, magnitude: int, *, positive: bool = False) -> Operand:
    rng = np.random.Generator(np.random.PCG64(seed))
    x, y, z = (np.ldexp(rng.standard_normal((ROWS, COLUMNS)), magnitude).astype(dtype) for _ in range(3))
    if positive:
        x, y, z = np.abs(x), np.abs(y), np.abs(z)
    wide = x.astype(np.longdouble) * y + z  # rounded once, or nearly: as with fused multiply-add
    lifted = bounded(x, FORMATS[dtype]) * y + z
    return Operand((x * y + z, wide.astype(dtype)), balls(x) * balls(y) + balls(z), lifted)


def assert_within(got: Any, exact: Any, result: Any) -> None:
    """Assert that a program's numbers are within E of the exact ones, and that E is known nearly everywhere."""
    E = np.asarray(result.E)
    assert np.shape(got) == np.shape(exact) == E.shape
    for index in np.ndindex(E.shape):
        if np.isfinite(E[index]):
            value = exact[index].value if E.shape else exact.value
            assert abs(arb(float(np.asarray(got)[index])) - value) <= arb(float(E[index])), index


ONE: dict[str, tuple[Operation, bool]] = {
    "negative": (np.negative, False),
    "tanh": (np.tanh, False),
    "exp": (np.exp, False),
    "reciprocal": (lambda a: 1 / a, False),
    "log": (np.log, True),
    "sum": (lambda a: np.sum(a, axis=0), False),
    "sum of all": (np.sum, False),
    "max": (lambda a: np.max(a, axis=1, keepdims=True), False),
    "maximum with 0": (lambda a: np.maximum(a, 0), False),
    "sigmoid": (lambda a: 1 / (1 + np.exp(-a)), False),
    "sqrt": (np.sqrt, True),
    "** 0.5": (lambda a: a**0.5, True),
    "log1p": (np.log1p, True),
    "expm1": (np.expm1, False),
    "sinh": (lambda a: np.sinh(a / 8), False),  # else it overflows
    "cosh": (lambda a: np.cosh(a / 8), False),
    "absolute": (np.abs, False),
    "square": (np.square, False),
    "cube": (lambda a: a**3, False),
    "power -2": (lambda a: 1 / a**2, False),
    "min": (lambda a: np.min(a, axis=0), False),
    "mean": (lambda a: np.mean(a, axis=1), False),
    "cumsum": (lambda a: np.cumsum(a, axis=0), False),
    "clip": (lambda a: np.clip(a, -0.25, 0.5), False),
    "where": (lambda a: np.where(a > 0, a, 0.01 * a), False),
    "a sigmoid that doesn't overflow": (lambda a: np.where(a >= 0, 1, np.exp(-abs(a))) / (1 + np.exp(-abs(a))), False),
    "einsum of one": (lambda a: np.einsum("ij->j", a), False),
    "1 - tanh^2": (lambda a: 1 - np.tanh(a) * np.tanh(a), False),
}
TWO: dict[str, Operation] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "maximum": np.maximum,
    "matmul": lambda a, b: a @ b.T,
    "minimum": np.minimum,
    "einsum": lambda a, b: np.einsum("ij,kj->ki", a, b),
    "einsum of three": lambda a, b: np.einsum("ij,kj,kl->il", a, b, a[: len(b)]),
    "tensordot": lambda a, b: np.tensordot(a, b, axes=([0], [0])),
    "dot": lambda a, b: np.dot(a, b[0]),
    "outer": lambda a, b: np.outer(a[:, 0], b[0]),
    "inner": np.inner,
    "matmul plus": lambda a, b: a @ b.T + b[:, :1],
    "matmul, summed the other way": lambda a, b: a[:, ::-1] @ b.T[::-1],
}


def seed_of(*names: object) -> int:
    return zlib.crc32(repr(names).encode())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ONE)
def test_an_operation_on_one_array(name: str, dtype: str) -> None:
    of, positive = ONE[name]
    for magnitude in MAGNITUDES:
        a = operand(seed_of(name, dtype, magnitude), dtype, magnitude, positive=positive)
        exact, result = of(a.exact), of(a.bounded)
        assert np.isfinite(np.asarray(result.E)).mean() > 0.75  # so that the test tests something
        for held in a.programs:
            assert_within(of(held), exact, result)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", TWO)
def test_an_operation_on_two_arrays(name: str, dtype: str) -> None:
    of = TWO[name]
    for magnitude in MAGNITUDES:
        a = operand(seed_of(name, dtype, magnitude), dtype, magnitude)
        b = operand(seed_of(dtype, magnitude, name), dtype, magnitude)
        exact, result = of(a.exact, b.exact), of(a.bounded, b.bounded)
        assert np.isfinite(np.asarray(result.E)).mean() > 0.75
        for held_a in a.programs:
            for held_b in b.programs:
                assert_within(of(held_a, held_b), exact, result)


@pytest.mark.parametrize("dtype", DTYPES)
def test_greater(dtype: str) -> None:
    a, b = operand(1, dtype, 0), operand(2, dtype, 0)
    result = a.bounded > b.bounded
    exact = balls((np.asarray(a.exact) > np.asarray(b.exact)) * 1.0)
    for held_a in a.programs:
        for held_b in b.programs:
            assert_within((held_a > held_b) * 1.0, exact, result)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_bound_is_not_met_by_a_wrong_result(dtype: str) -> None:
    a = operand(3, dtype, 0)
    wrong = np.tanh(a.programs[0])
    wrong[0, 0] += 2 * np.asarray(np.tanh(a.bounded).E)[0, 0]
    with pytest.raises(AssertionError):
        assert_within(wrong, np.tanh(a.exact), np.tanh(a.bounded))
