"""What several test files here need."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

Arrays = dict[str, np.ndarray]
ComplexStep = Callable[[Callable[[Arrays], complex], Arrays], Arrays]

STEP = 1e-100  # its square underflows to nothing, so the truncation error is zero and no difference is ever taken


@pytest.fixture(scope="session")
def complex_step() -> ComplexStep:
    """Return the function that differentiates `f(arrays)` by every number in `arrays`: Im f(a + i STEP) / STEP.

    No derivative formula and no subtraction is in it, so it is as accurate as the forward pass itself.
    """

    def gradients(f: Callable[[Arrays], complex], arrays: Arrays) -> Arrays:
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
