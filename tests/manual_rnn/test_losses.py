from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manual_rnn import ArgumentError, losses

Arrays = dict[str, np.ndarray]
ComplexStep = Callable[[Callable[[Arrays], complex], Arrays], Arrays]
SIZE = st.integers(1, 4)
U = 2.0**-53


@pytest.mark.parametrize("name", losses.LOSSES)
@given(T=SIZE, B=SIZE, O=SIZE, seed=st.integers(0, 2**32 - 1))
def test_gradients(name: str, T: int, B: int, O: int, seed: int, complex_step: ComplexStep) -> None:
    loss = losses.named(name)
    rng = np.random.default_rng(seed)
    y, target = rng.uniform(-1, 1, (2, T, B, O))
    _, dy = loss(y, target)  # for cross_entropy too: the gradient holds for any target, its sum being in it
    want = complex_step(lambda a: complex(loss(a["y"], target.astype(complex))[0]), {"y": y})["y"]
    # An element is made of at most 2 O + 2 numbers of at most 2 (2 e^2 < 15 before the softmax's division), through
    # O + 25 roundings (exp and log 6 each, sums of O); the complex step sums T*B*O of them besides.
    assert np.all(np.abs(dy - want) <= 2 * (T * B * O + O + 25) * (2 * O + 2) * 2 * U)


def test_values() -> None:
    y = np.array([[[1.0, 2.0]], [[-1.0, 0.5]], [[0.0, 4.0]]])
    target = np.array([[[0.0, 1.0]], [[1.0, 0.0]], [[0.5, 0.5]]])
    half, dy = losses.half_squared_error(y, target)
    assert half == (1 + 1 + 4 + 0.25 + 0.25 + 12.25) / 2
    np.testing.assert_array_equal(dy, [[[1, 1]], [[-2, 0.5]], [[-0.5, 3.5]]])
    mean, dy_mean = losses.mse(y, target)
    assert mean == pytest.approx(18.75 / 6, rel=2 * U, abs=0)  # one division
    np.testing.assert_allclose(dy_mean, 2 / 6 * dy, rtol=4 * U, atol=0)  # two divisions, two multiplications
    entropy = 0.0
    for t in range(3):
        total = math.exp(y[t, 0, 0]) + math.exp(y[t, 0, 1])
        entropy -= sum(target[t, 0, k] * math.log(math.exp(y[t, 0, k]) / total) for k in range(2)) / 3
    value, _ = losses.cross_entropy(y, target)
    assert value == pytest.approx(entropy, rel=60 * U, abs=0)  # 30 roundings each, all terms positive


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cross_entropy_of_huge_logits(dtype: str, complex_step: ComplexStep) -> None:
    """No overflow and no 0 times infinity at logits of 1e4; and the softmax of a row sums to 1."""
    y = np.array([[[1e4, 0, -1e4]], [[1e4, 1e4, -1e4]]], dtype)
    target = np.array([[[0, 1, 0]], [[1, 0, 0]]], dtype)
    loss, dy = losses.cross_entropy(y, target)
    # the first step costs 1e4, exactly; the second log 2; their sum is rounded once, log 2 itself adds far less
    assert abs(float(loss) - (1e4 + math.log(2)) / 2) <= 4 * float(np.finfo(dtype).eps) / 2 * 1e4
    np.testing.assert_array_equal(dy, np.array([[[0.5, -0.5, 0]], [[-0.25, 0.25, 0]]], dtype))
    assert dy.dtype == dtype
    want = complex_step(
        lambda a: complex(losses.cross_entropy(a["y"], target.astype(complex))[0]), {"y": y.astype(float)}
    )["y"]
    np.testing.assert_allclose(dy, want, rtol=0, atol=16 * U)  # of numbers below 1: two exps, a sum, two divisions


def test_softmax() -> None:
    y = np.array([[1e4, 1e4 - 1, -1e4], [0, 1, 2]])
    s = losses.softmax(y)
    for k in range(2):
        e = [math.exp(value - max(y[k])) for value in y[k]]
        np.testing.assert_allclose(s[k], np.array(e) / sum(e), rtol=20 * U, atol=0)  # exp 4, sum 2, division 1; twice


@pytest.mark.parametrize("loss", losses.LOSSES.values())
def test_nothing_is_written_to(loss: losses.Loss) -> None:
    y, target = np.random.default_rng(0).uniform(0, 1, (2, 3, 2, 4))
    before = y.tobytes(), target.tobytes()
    _, dy = loss(y, target)
    assert (y.tobytes(), target.tobytes()) == before
    assert not np.shares_memory(dy, y)
    assert not np.shares_memory(dy, target)


@pytest.mark.parametrize("loss", losses.LOSSES.values())
@pytest.mark.parametrize(
    ("y", "target", "argument", "got", "wanted"),
    [
        (np.ones((2, 3)), np.ones((2, 3)), "y", "shape (2, 3)", "shape (T, B, O)"),
        (np.ones((0, 1, 3)), np.ones((0, 1, 3)), "y", "shape (0, 1, 3)", "at least 1"),
        (np.ones((2, 1, 3), int), np.ones((2, 1, 3)), "y", "dtype int64", "floating-point"),
        (np.full((2, 1, 3), np.nan), np.ones((2, 1, 3)), "y", "non-finite", "finite"),
        ([[[1.0]]], np.ones((1, 1, 1)), "y", "list", "an array of shape (T, B, O)"),
        (np.ones((2, 1, 3)), np.ones((2, 1, 1)), "target", "shape (2, 1, 1)", "shape (2, 1, 3)"),
        (np.ones((2, 1, 3)), np.ones((1, 1, 3)), "target", "shape (1, 1, 3)", "shape (2, 1, 3)"),
        (np.ones((2, 1, 3)), np.ones((2, 3)), "target", "shape (2, 3)", "shape (2, 1, 3)"),
        (np.ones((2, 1, 3)), np.ones((2, 1, 3), np.float32), "target", "dtype float32", "dtype float64"),
        (np.ones((2, 1, 3)), 1.0, "target", "float", "an array of shape (2, 1, 3)"),
        (np.ones((2, 1, 3)), np.full((2, 1, 3), np.inf), "target", "non-finite", "finite"),
    ],
)
def test_bad_arguments(
    loss: losses.Loss, y: np.ndarray, target: np.ndarray, argument: str, got: str, wanted: str
) -> None:
    with pytest.raises(ArgumentError) as error:
        loss(y, target)
    assert error.value.argument == argument
    assert got in error.value.got
    assert wanted in error.value.wanted


def test_unknown_name() -> None:
    assert losses.named("mse") is losses.mse
    with pytest.raises(ArgumentError, match="loss: got 'l1', wanted one of half_squared_error, mse, cross_entropy"):
        losses.named("l1")
