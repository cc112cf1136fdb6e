from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from manual_rnn import readout

Arrays = dict[str, np.ndarray]
ComplexStep = Callable[[Callable[[Arrays], complex], Arrays], Arrays]
SIZE = st.integers(1, 4)


@given(T=SIZE, B=SIZE, H=SIZE, O=SIZE, seed=st.integers(0, 2**32 - 1))
def test_values_and_gradients(T: int, B: int, H: int, O: int, seed: int, complex_step: ComplexStep) -> None:
    rng = np.random.default_rng(seed)
    shapes = {"W_hy": (O, H), "b_y": (O,), "y": (T, B, H)}
    arrays = {name: rng.uniform(-1, 1, shape) for name, shape in shapes.items()}
    W_hy, b_y, y = arrays.values()
    do = rng.uniform(-1, 1, (T, B, O))
    u = 2.0**-53

    o = readout.forward(W_hy, b_y, y)
    assert o.shape == (T, B, O)
    for t, b, k in np.ndindex(o.shape):
        want = sum(W_hy[k, j] * y[t, b, j] for j in range(H)) + b_y[k]
        assert abs(o[t, b, k] - want) <= 2 * (H + 1) * u * (H + 1)  # H + 1 roundings and terms of at most 1, twice

    dW_hy, db_y, dy = readout.backward(W_hy, y, do)
    truth = complex_step(lambda a: complex(np.sum(readout.forward(**a) * do)), arrays)
    for got, name in ((dW_hy, "W_hy"), (db_y, "b_y"), (dy, "y")):
        # sums of at most T*B or O terms of at most 1; the complex step sums all T*B*O, zeros mostly, after H + 1
        assert got.shape == truth[name].shape
        assert np.all(np.abs(got - truth[name]) <= (T * B + O + T * B * O + H + 1) * u * max(T * B, O)), name


def test_nothing_is_written_to() -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.uniform(-1, 1, shape) for shape in ((2, 3), (2,), (4, 1, 3), (4, 1, 2))]
    before = [array.tobytes() for array in arrays]
    W_hy, b_y, y, do = arrays
    readout.forward(W_hy, b_y, y)
    readout.backward(W_hy, y, do)
    assert [array.tobytes() for array in arrays] == before
