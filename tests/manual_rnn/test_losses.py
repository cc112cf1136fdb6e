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
    # An element is a sum of at most 2 O + 2 terms of at most 2: the error y - target; or a softmax, below 1, times each
    # of O targets, and one target. A term goes through at most O + 25 roundings: exp and log of 6 each, two sums of O,
    # and the differences, products and quotients; in the complex step through a sum of T*B*O besides. Two computations.
    bound = 2 * (T * B * O + O + 25) * (2 * O + 2) * 2 * U
    assert np.all(np.abs(dy - want) <= bound)


def test_values() -> None:
    y = np.array([[[1.0, 2.0]], [[-1.0, 0.5]], [[0.0, 4.0]]])
    target = np.array([[[0.0, 1.0]], [[1.0, 0.0]], [[0.5, 0.5]]])
    half, dy = losses.half_squared_error(y, target)
    assert half == (1 + 1 + 4 + 0.25 + 0.25 + 12.25) / 2
    np.testing.assert_array_equal(dy, [[[1, 1]], [[-2, 0.5]], [[-0.5, 3.5]]])
    mean, dy_mean = losses.mse(y, target)
    assert mean == 18.75 / 6  # the sum is exact, as above, and the division rounds once on both sides
    np.testing.assert_array_equal(dy_mean, 2 * dy / 6)  # and here twice a number is
    entropy = 0.0
    for t in range(3):
        total = math.exp(y[t, 0, 0]) + math.exp(y[t, 0, 1])
        entropy -= sum(target[t, 0, k] * math.log(math.exp(y[t, 0, k]) / total) for k in range(2)) / 3
    value, _ = losses.cross_entropy(y, target)
    # The argument of log is off by 14 u relative at most: two exps of 6 u, a sum, a quotient. So log is off by 14 u and
    # its own 6 u; the product with a target, the sum of six and the division by 3 make 8 roundings. All terms are
    # positive, so the averages are what counts: targets sum to 1 a step, and the logs' average is below 1.35. Twice.
    assert entropy < 1.35
    assert abs(value - entropy) <= 2 * (14 + (6 + 8) * 1.35) * U


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cross_entropy_of_huge_logits(dtype: str, complex_step: ComplexStep) -> None:
    """No overflow and no 0 times infinity at logits of 1e4; and the softmax of a row sums to 1."""
    y = np.array([[[1e4, 0, -1e4]], [[1e4, 1e4, -1e4]]], dtype)
    target = np.array([[[0, 1, 0]], [[1, 0, 0]]], dtype)
    loss, dy = losses.cross_entropy(y, target)
    # The first step costs 1e4, exactly; the second log 2, to 6 u of less than 1. Their sum, below 1e4 + 1, is rounded
    # once, and halved exactly. Twice, for two computations.
    u = float(np.finfo(dtype).eps) / 2
    assert abs(float(loss) - (1e4 + math.log(2)) / 2) <= 2 * (6 + 1e4 + 1) / 2 * u
    np.testing.assert_array_equal(dy, np.array([[[0.5, -0.5, 0]], [[-0.25, 0.25, 0]]], dtype))
    assert dy.dtype == dtype
    want = complex_step(
        lambda a: complex(losses.cross_entropy(a["y"], target.astype(complex))[0]), {"y": y.astype(float)}
    )["y"]
    # of numbers below 1: an exp of 6 u in the numerator and one in the denominator, its sum of three, two divisions
    np.testing.assert_allclose(dy, want, rtol=0, atol=(6 + 6 + 2 + 2) * U)


def test_softmax() -> None:
    y = np.array([[1e4, 1e4 - 1, -1e4], [0, 1, 2]])
    s = losses.softmax(y)
    for k in range(2):
        e = [math.exp(value - max(y[k])) for value in y[k]]
        # exp in numerator and denominator, 2 ulp = 4 u in NumPy and 1 ulp = 2 u in Python; the sum 2, the division 1
        np.testing.assert_allclose(s[k], np.array(e) / sum(e), rtol=(2 * 4 + 3 + 2 * 2 + 3) * U, atol=0)


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
