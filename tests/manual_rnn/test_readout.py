from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from manual_rnn import readout

Arrays = dict[str, Any]
ComplexStep = Callable[[Callable[[Arrays], Any], Arrays], Arrays]
SIZE = st.integers(1, 4)


@given(T=SIZE, B=SIZE, H=SIZE, O=SIZE, seed=st.integers(0, 2**32 - 1))
def test_values_and_gradients(T: int, B: int, H: int, O: int, seed: int, complex_step: ComplexStep) -> None:
    """In multiples of 2^-6 up to 1: no sum of at most 64 products of three of them rounds, so all is equal."""
    rng = np.random.default_rng(seed)
    shapes = {"W_hy": (O, H), "b_y": (O,), "y": (T, B, H)}
    arrays = {name: rng.integers(-64, 65, shape) / 64 for name, shape in shapes.items()}
    W_hy, b_y, y = arrays.values()
    do = rng.integers(-64, 65, (T, B, O)) / 64

    o = readout.forward(W_hy, b_y, y)
    assert o.shape == (T, B, O)
    for t, b, k in np.ndindex(o.shape):
        assert o[t, b, k] == sum(W_hy[k, j] * y[t, b, j] for j in range(H)) + b_y[k]

    dW_hy, db_y, dy = readout.backward(W_hy, y, do)
    truth = complex_step(lambda a: np.sum(readout.forward(**a) * do), arrays)
    for got, name in ((dW_hy, "W_hy"), (db_y, "b_y"), (dy, "y")):
        np.testing.assert_array_equal(got, truth[name], name, strict=True)


def test_nothing_is_written_to() -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.uniform(-1, 1, shape) for shape in ((2, 3), (2,), (4, 1, 3), (4, 1, 2))]
    before = [array.tobytes() for array in arrays]
    W_hy, b_y, y, do = arrays
    readout.forward(W_hy, b_y, y)
    readout.backward(W_hy, y, do)
    assert [array.tobytes() for array in arrays] == before
