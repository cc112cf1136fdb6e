from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from manual_rnn.activations import drelu, dsigmoid, dtanh, relu, sigmoid, tanh

Arrays = dict[str, np.ndarray]
ComplexStep = Callable[[Callable[[Arrays], complex], Arrays], Arrays]
POINTS = np.array([-1000.0, -745.2, -709.8, -88.8, -30, -2.5, -0.75, -1e-9, 0, 1e-300, 1e-9, 0.75, 2.5, 30, 88.8, 1000])


def logistic(a: float) -> float:
    """Return the sigmoid by the formula that cannot overflow on this side of zero."""
    return 1 / (1 + math.exp(-a)) if a >= 0 else math.exp(a) / (1 + math.exp(a))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sigmoid_is_right_everywhere_and_silent(dtype: str) -> None:
    a = POINTS.astype(dtype)
    want = np.array([logistic(float(value)) for value in a])
    sigmoid(a)
    # NumPy's exp to 2 ulp = 4 u, Python's to 1 ulp = 2 u, and an addition and a division of 1 u after each; where exp
    # overflows, 0 is off by less than the smallest normal number
    bound = (4 + 2 + 2 + 2) * np.finfo(dtype).eps / 2 * want + np.finfo(dtype).tiny
    assert a.dtype == dtype
    assert np.all(np.abs(a - want) <= bound)


def test_tanh() -> None:
    a = POINTS.copy()
    tanh(a)
    want = np.array([math.tanh(value) for value in POINTS])
    assert np.all(np.abs(a - want) <= (4 + 4) * 2.0**-53 * np.abs(want))  # both to 2 ulp = 4 u


def test_relu() -> None:
    a = np.array([-2.5, -0.0, 0.0, 5e-324, 0.75, 1e300])
    relu(a)
    np.testing.assert_array_equal(a, [0, 0, 0, 5e-324, 0.75, 1e300])
    np.testing.assert_array_equal(drelu(a), [0, 0, 0, 1, 1, 1])  # 0 at the kink


@pytest.mark.parametrize(("f", "df"), [(sigmoid, dsigmoid), (tanh, dtanh), (relu, drelu)])
def test_derivatives_from_the_outputs(
    f: Callable[[np.ndarray], None], df: Callable[[np.ndarray], np.ndarray], complex_step: ComplexStep
) -> None:
    def total(arrays: Arrays) -> complex:
        a = arrays["a"].copy()
        f(a)
        return complex(np.sum(a))

    a = np.linspace(-3, 3, 24)  # no zero among them: the kink of relu
    want = complex_step(total, {"a": a})["a"]
    f(output := a.copy())
    # h is off by 6 u at most, so 1 - h^2 by 12 u + 2 u, and s (1 - s) by less. The complex step's slope of tanh is
    # 1 / (1 + sinh^2): sinh to 6 u, squared, the sum and the quotient, 12 u + 3 u and less, of at most 1; that of the
    # sigmoid exp / (1 + exp)^2, at most 1/4. Relu is exact.
    assert np.all(np.abs(df(output) - want) <= (14 + 15) * 2.0**-53)
    assert df(output).dtype == output.dtype
