from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from manual_rnn import ArgumentError, SimpleRNN, losses

Arrays = dict[str, Any]
ComplexStep = Callable[[Callable[[Arrays], Any], Arrays], Arrays]
U = 2.0**-53
PARAMS = ("W_xh", "W_hh", "W_hy", "b_h", "b_y")
X = np.array([[1.0], [2.0], [3.0], [4.0]])
Y = np.array([[2.0], [3.0], [4.0], [5.0]])


def parameters(rnn: SimpleRNN) -> Arrays:
    return {name: getattr(rnn, name) for name in PARAMS}


def trained_a_little() -> tuple[SimpleRNN, np.ndarray, np.ndarray]:
    """Return a network with two inputs and outputs whose weights are all of order 1, and a sequence."""
    rng = np.random.default_rng(1)
    rnn = SimpleRNN(2, 3, 2, rng)
    for name, array in parameters(rnn).items():
        setattr(rnn, name, rng.uniform(-0.5, 0.5, array.shape))
    return rnn, rng.uniform(-1, 1, (5, 2)), rng.uniform(-1, 1, (5, 2))


def test_the_notebook() -> None:
    """The numbers that the notebook prints after 100 epochs, to all of its digits."""
    np.random.seed(42)
    rnn = SimpleRNN(input_size=1, hidden_size=5, output_size=1)
    for _ in range(100):
        output = rnn.forward(X)
        rnn.backward(X, Y, learning_rate=0.01)
    assert str(output) == (
        "[array([[2.24143915]]), array([[3.18450265]]), array([[4.04305928]]), array([[4.57419398]])]"
    )


def test_rng_is_reproducible_and_leaves_the_global_generator_alone() -> None:
    np.random.seed(7)
    before = np.random.get_state(legacy=False)
    first, second = (SimpleRNN(2, 3, 4, np.random.default_rng(11)) for _ in range(2))
    after = np.random.get_state(legacy=False)
    assert before["state"]["pos"] == after["state"]["pos"]
    np.testing.assert_array_equal(before["state"]["key"], after["state"]["key"])
    for name, array in parameters(first).items():
        np.testing.assert_array_equal(array, getattr(second, name))
    other = SimpleRNN(2, 3, 4, np.random.default_rng(12))
    assert np.all(other.W_xh != first.W_xh)
    assert [array.shape for array in parameters(first).values()] == [(3, 2), (3, 3), (4, 3), (3, 1), (4, 1)]
    assert not np.any(first.b_h)
    assert not np.any(first.b_y)


def test_outputs_are_the_equations() -> None:
    rnn, x, _ = trained_a_little()
    h = np.zeros(3)
    for x_t, y_t in zip(x, rnn.forward(x), strict=True):
        h = np.tanh([rnn.W_xh[j] @ x_t + rnn.W_hh[j] @ h + rnn.b_h[j, 0] for j in range(3)])
        want = [[rnn.W_hy[k] @ h + rnn.b_y[k, 0]] for k in range(2)]
        # A step rounds 6 sums and products and, 6 u, the tanh: of numbers of at most 3. An error grows by the row sums
        # of W_hh, at most 3/2, in each of the 4 further steps, and by those of W_hy, as large, in the output, which has
        # 4 roundings of numbers of at most 3 itself. Twice, for two computations.
        atol = 2 * (5 * 12 * 3 * 1.5**5 + 4 * 3) * U
        np.testing.assert_allclose(y_t, want, rtol=0, atol=atol)


def test_gradients_are_those_of_half_the_squared_error(
    balls: Callable[[Any], Any], proven_step: ComplexStep, assert_same: Callable[..., None]
) -> None:
    rnn, x, y = trained_a_little()
    target = balls(y)

    def network(arrays: Arrays) -> SimpleRNN:
        moved = SimpleRNN(2, 3, 2, np.random.default_rng(0))
        for name in PARAMS:
            setattr(moved, name, arrays[name])
        return moved

    def half(arrays: Arrays) -> Any:
        error = np.array(network(arrays).forward(arrays["x"]))[:, :, 0] - target
        return np.sum(error * error) / 2

    arrays = parameters(rnn) | {"x": x}
    lifted = {name: balls(array) for name, array in arrays.items()}
    loss, g = network(lifted).gradients(lifted["x"], target)
    assert set(g) == {f"d{name}" for name in arrays}
    assert loss == float(half(lifted).mid())
    for name, want in proven_step(half, arrays).items():
        assert_same(g[f"d{name}"], want, name)
    for name, want in proven_step(lambda a: half(a) * 2 / y.size, arrays).items():  # the notebook's mse has 2/N of this
        assert_same(2 * g[f"d{name}"] / y.size, want, name)
        assert not any(mine.overlaps(its) for mine, its in zip(g[f"d{name}"].flat, want.flat, strict=True)), name


def test_gradients_in_float64_are_the_proven_ones_rounded(balls: Callable[[Any], Any]) -> None:
    """With one step there are few roundings, all of which can be counted."""
    rnn, x, y = trained_a_little()
    x, y = x[:1], y[:1]
    loss, g = rnn.gradients(x, y)
    for name in PARAMS:
        setattr(rnn, name, balls(getattr(rnn, name)))
    want_loss, want = rnn.gradients(balls(x), balls(y))
    # In u. h: three roundings of terms that add up to 3/2 (the recurrent share is an exact 0), and tanh's 6.
    of_h = 3 * 1.5 + 6
    # o: h times three weights of 1/2, and four roundings of terms that add up to 2. The error o - y is at most 3.
    of_error = 1.5 * of_h + 4 * 2 + 3
    # dh: two weights of 1/2 times that, so at most 3, rounded twice. da: times 1 - h^2, off by twice h's error and 2.
    of_da = (of_error + 2 * 3) + 3 * (2 * of_h + 2) + 3
    # dx: three weights of 1/2 times that, rounded three times. The others: da, or the error, times a number below 1.
    bound = {name: max(of_da + 3, of_error + 3 * of_h + 3) * U for name in g} | {"dx": (1.5 * of_da + 3 * 4.5) * U}
    for name, array in g.items():
        error = np.vectorize(float, [float])(balls(array) - want[name])
        assert np.all(np.abs(error) <= bound[name]), name
    # two squares of at most 9, each off by twice 3 times the error's and one rounding, and their sum's; half of that
    assert abs(loss - want_loss) <= (2 * (6 * of_error + 9) + 18) / 2 * U


def test_the_two_losses_differ_by_two_over_n() -> None:
    output, target = np.arange(8.0).reshape(4, 1, 2), np.zeros((4, 1, 2))
    half, dy = losses.half_squared_error(output, target)
    mean, dy_mean = losses.mse(output, target)
    assert (half, mean) == (70, 17.5)
    np.testing.assert_array_equal(dy_mean, 2 / 8 * dy)


def test_gradients_update_nothing() -> None:
    rnn, x, y = trained_a_little()
    before = {name: array.tobytes() for name, array in (parameters(rnn) | {"x": x, "y": y}).items()}
    loss, first = rnn.gradients(x, y)
    again, second = rnn.gradients(x, y)
    assert {name: array.tobytes() for name, array in (parameters(rnn) | {"x": x, "y": y}).items()} == before
    assert loss == again
    assert all(first[name].tobytes() == second[name].tobytes() for name in first)


def test_backward_is_one_step_of_descent() -> None:
    rnn, x, y = trained_a_little()
    before = {name: array.copy() for name, array in parameters(rnn).items()}
    _, g = rnn.gradients(x, y)
    rnn.backward(x, y, learning_rate=0.125)
    for name, array in before.items():
        np.testing.assert_array_equal(getattr(rnn, name), array - 0.125 * g[f"d{name}"])
        assert np.any(getattr(rnn, name) != array)


def test_backward_does_not_depend_on_an_earlier_forward() -> None:
    rnn, x, y = trained_a_little()
    _, want = rnn.gradients(x, y)
    rnn.forward(x[::-1].copy())
    _, got = rnn.gradients(x, y)
    assert all(got[name].tobytes() == want[name].tobytes() for name in want)


@pytest.mark.parametrize("name", ["input_size", "hidden_size", "output_size"])
@pytest.mark.parametrize("size", [0, -1, 2.0, "3", None])
def test_bad_sizes(name: str, size: object) -> None:
    sizes: dict[str, object] = {"input_size": 1, "hidden_size": 1, "output_size": 1}
    with pytest.raises(ArgumentError) as error:
        SimpleRNN(**(sizes | {name: size}))  # type: ignore[arg-type]
    assert (error.value.argument, error.value.got, error.value.wanted) == (name, repr(size), "an integer, at least 1")


@pytest.mark.parametrize(
    ("x", "y", "argument", "got", "wanted"),
    [
        (X[:, 0], Y, "x", "shape (4,)", "shape (T, 1)"),
        (X.T, Y, "x", "shape (1, 4)", "shape (T, 1)"),
        (X[:0], Y[:0], "x", "shape (0, 1)", "at least 1"),
        (X.astype(int), Y, "x", "dtype int64", "floating-point"),
        (X.astype(np.float32), Y, "x", "dtype float32", "dtype float64"),
        (X.tolist(), Y, "x", "list", "an array of shape (T, 1)"),
        (X * np.inf, Y, "x", "non-finite", "finite"),
        (X, Y[:, 0], "y", "shape (4,)", "shape (4, 1)"),
        (X, Y[:1], "y", "shape (1, 1)", "shape (4, 1)"),
        (X, Y.astype(int), "y", "dtype int64", "floating-point"),
        (X, Y * np.nan, "y", "non-finite", "finite"),
    ],
)
def test_bad_sequences(x: np.ndarray, y: np.ndarray, argument: str, got: str, wanted: str) -> None:
    rnn = SimpleRNN(1, 5, 1, np.random.default_rng(0))
    before = {name: array.tobytes() for name, array in parameters(rnn).items()}
    for call in (lambda: rnn.gradients(x, y), lambda: rnn.backward(x, y, 0.1)):
        with pytest.raises(ArgumentError) as error:
            call()
        assert error.value.argument == argument
        assert got in error.value.got
        assert wanted in error.value.wanted
    if argument == "x":
        with pytest.raises(ArgumentError):
            rnn.forward(x)
    assert {name: array.tobytes() for name, array in parameters(rnn).items()} == before
