"""What several test files here need: derivatives by the complex step, in float64 and, with proven radii, in balls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import flint
import numpy as np
import pytest
from flint import acb, arb

Arrays = dict[str, Any]
ComplexStep = Callable[[Callable[[Arrays], Any], Arrays], Arrays]

STEP_BITS = 600
STEP = 2.0**-STEP_BITS
"""A power of two, so multiplying and dividing by it is exact; its square, 2^-1200, underflows to nothing in float64, so
the truncation error is zero and no difference is ever taken."""
BITS = 1000
"""Of the balls: their radii, 2^-1000 of the numbers at each operation, are far above what a step of 2^-600 truncates,
2^-1200 of a third derivative, so that balls of one number overlap."""
TIGHT_BITS = 700
"""Of numbers near 1, some thousand operations on 1000 bits leave more than this; so no mistake hides in a radius."""


@pytest.fixture(scope="session")
def complex_step() -> ComplexStep:
    """Return the function that differentiates `f(arrays)` by every number in `arrays`: Im f(a + i STEP) / STEP.

    No derivative formula and no subtraction is in it, so it is as accurate as the forward pass itself.
    """

    def gradients(f: Callable[[Arrays], Any], arrays: Arrays) -> Arrays:
        point = {name: array.astype(complex) for name, array in arrays.items()}
        result = {}
        for name, array in point.items():
            result[name] = np.empty(array.shape)
            for index in np.ndindex(array.shape):
                kept = array[index]
                array[index] = kept + 1j * STEP
                result[name][index] = f(point).imag / STEP
                array[index] = kept
        return result

    return gradients


@pytest.fixture
def _precise() -> Iterator[None]:
    before, flint.ctx.prec = flint.ctx.prec, BITS
    yield
    flint.ctx.prec = before


@pytest.fixture
def balls(_precise: None) -> Callable[[Any], Any]:
    """`(array of floats) -> the same numbers as balls of 1000 bits, exact, in an object array`."""

    def lift(array: Any) -> Any:
        return np.array([arb(float(number)) for number in array.ravel()] + [None], object)[:-1].reshape(array.shape)

    return lift


@pytest.fixture
def stepped(balls: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """`(array, direction) -> array + i STEP direction`, in complex balls."""

    def step(array: Any, direction: Any) -> Any:
        result = balls(array)
        for index in np.ndindex(array.shape):
            result[index] = acb(result[index], arb(float(direction[index])) * arb(2) ** -STEP_BITS)
        return result

    return step


@pytest.fixture
def slope() -> Callable[[Any], arb]:
    """`(complex ball) -> its imaginary part / STEP`: the derivative along the direction of the step."""
    return lambda number: acb(number).imag * arb(2) ** STEP_BITS


@pytest.fixture
def proven_step(balls: Any, stepped: Any, slope: Any) -> ComplexStep:
    """Return the same function as `complex_step`, in balls: what it returns encloses the derivatives."""

    def gradients(f: Callable[[Arrays], Any], arrays: Arrays) -> Arrays:
        point, result = {name: balls(array) for name, array in arrays.items()}, {}
        for name, array in arrays.items():
            result[name] = np.empty(array.shape, object)
            for index in np.ndindex(array.shape):
                direction = np.zeros(array.shape)
                direction[index] = 1
                result[name][index] = slope(f(point | {name: stepped(array, direction)}))
        return result

    return gradients


@pytest.fixture
def assert_same() -> Callable[..., None]:
    """`(balls, balls, message)`: each two have a number in common, and are too tight for a mistake to hide there."""

    def check(a: Any, b: Any, message: str = "") -> None:
        assert np.shape(a) == np.shape(b), message
        for mine, yours in zip(np.ravel(a), np.ravel(b), strict=True):
            one, other = arb(mine), arb(yours)
            assert one.overlaps(other), f"{message}: {one} and {other}"
            assert max(one.rad(), other.rad()) <= arb(2) ** -TIGHT_BITS, message

    return check
