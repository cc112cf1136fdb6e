"""Time: the loop and the products over the whole sequence.

What holds for every activation function holds exactly in exact arithmetic: so the numbers are fractions, and the
activations are those of float64, taken for functions of fractions (`Exact`). Nothing rounds, whatever the order of
sums, and two ways to one number end at the same one.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from manual_rnn import CELLS, unroll
from manual_rnn.cells.cell import Tape, Weights

T, B, I, H = 6, 2, 3, 4


class Exact:
    """A fraction that NumPy's functions take: sums and products are exact; exp, tanh and 1 / x are some functions."""

    def __init__(self, value: Any) -> None:
        self.value: Fraction = value.value if isinstance(value, Exact) else Fraction(value)

    def __add__(self, other: Any) -> Exact:
        return Exact(self.value + Exact(other).value)

    def __sub__(self, other: Any) -> Exact:
        return Exact(self.value - Exact(other).value)

    def __rsub__(self, other: Any) -> Exact:
        return Exact(Exact(other).value - self.value)

    def __mul__(self, other: Any) -> Exact:
        return Exact(self.value * Exact(other).value)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> Exact:
        return Exact(-self.value)

    def __pow__(self, power: int) -> Exact:
        return Exact(self.value**power)

    def __rtruediv__(self, other: int) -> Exact:
        return Exact(other / float(self.value))

    def __eq__(self, other: object) -> bool:
        return bool(self.value == Exact(other).value)

    def __ge__(self, other: Any) -> bool:
        return bool(self.value >= Exact(other).value)

    def __gt__(self, other: Any) -> bool:
        return bool(self.value > Exact(other).value)

    __hash__ = None  # type: ignore[assignment]

    def exp(self) -> Exact:
        return Exact(math.exp(self.value))

    def tanh(self) -> Exact:
        return Exact(math.tanh(self.value))


def exact(array: np.ndarray) -> np.ndarray:
    result = np.empty(array.shape, object)
    for index in np.ndindex(array.shape):
        result[index] = Exact(array[index])
    return result


def assert_equal(a: Any, b: Any) -> None:
    assert a.shape == b.shape
    assert a.dtype == b.dtype == object
    assert all(x == y for x, y in zip(a.flat, b.flat, strict=True))


def case(cell: str) -> tuple[Weights, Tape, np.ndarray, tuple[np.ndarray, ...]]:
    rng = np.random.default_rng(5)
    kind = CELLS[cell]
    GH = kind.num_gates * H

    def drawn(most: float, *shape: int) -> np.ndarray:
        return exact(rng.uniform(-most, most, shape))

    W_hh = drawn(0.5, GH, H)
    weights = Weights(drawn(1, GH, I), W_hh, drawn(1, GH), drawn(1, GH), W_hh.T.copy())
    tape = unroll.forward(kind, weights, drawn(1, T, B, I), tuple(drawn(1, B, H) for _ in kind.states))
    return weights, tape, drawn(1, T, B, H), tuple(drawn(1, B, H) for _ in kind.states)


@pytest.mark.parametrize("cell", CELLS)
def test_a_sequence_is_its_halves(cell: str) -> None:
    """The second half from the first's final states, and backward the first from the gradients of those states."""
    kind = CELLS[cell]
    weights, whole, dy, dstates_n = case(cell)
    half = T // 2
    first = unroll.forward(kind, weights, whole.x[:half], tuple(state[0] for state in whole.states))
    second = unroll.forward(kind, weights, whole.x[half:], tuple(state[-1] for state in first.states))
    g = unroll.backward(kind, weights, whole, dy, dstates_n)
    g2 = unroll.backward(kind, weights, second, dy[half:], dstates_n)
    g1 = unroll.backward(kind, weights, first, dy[:half], tuple(d[0] for d in g2.dstates))
    for k in range(len(whole.states)):
        assert_equal(first.states[k], whole.states[k][: half + 1])
        assert_equal(second.states[k], whole.states[k][half:])
        assert_equal(g1.dstates[k][0], g.dstates[k][0])
    assert_equal(np.concatenate([g1.dx, g2.dx]), g.dx)
    for name in ("dW_xh", "dW_hh", "db_xh", "db_hh"):
        assert_equal(getattr(g1, name) + getattr(g2, name), getattr(g, name))


@pytest.mark.parametrize("cell", CELLS)
def test_a_batch_is_its_items(cell: str) -> None:
    kind = CELLS[cell]
    weights, tape, dy, dstates_n = case(cell)
    g = unroll.backward(kind, weights, tape, dy, dstates_n)
    sums = {name: 0 * getattr(g, name) for name in ("dW_xh", "dW_hh", "db_xh", "db_hh")}
    for b in range(B):
        item = slice(b, b + 1)
        alone = unroll.forward(kind, weights, tape.x[:, item], tuple(state[0, item] for state in tape.states))
        assert_equal(alone.states[0], tape.states[0][:, item])
        part = unroll.backward(kind, weights, alone, dy[:, item], tuple(d[item] for d in dstates_n))
        assert_equal(part.dx, g.dx[:, item])
        for name in sums:
            sums[name] += getattr(part, name)
    for name, total in sums.items():
        assert_equal(total, getattr(g, name))


@pytest.mark.parametrize("cell", CELLS)
def test_no_gradient_comes_from_the_future(cell: str) -> None:
    """With dy at one step alone, the steps after it get exactly nothing and those up to it something."""
    weights, tape, dy, dstates_n = case(cell)
    dy[:2] = dy[3:] = 0
    g = unroll.backward(CELLS[cell], weights, tape, dy, tuple(0 * d for d in dstates_n))
    assert np.all(g.dx[3:] == 0)
    assert all(np.any(g.dx[t] != 0) for t in range(3))


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_of_states_are_those_of_a_start_there(cell: str) -> None:
    """dstates[k][t] is the gradient of an initial state for the steps from t on, and of what step t - 1 makes of it."""
    kind = CELLS[cell]
    weights, tape, dy, dstates_n = case(cell)
    g = unroll.backward(kind, weights, tape, dy, dstates_n)
    t = 4
    later = unroll.forward(kind, weights, tape.x[t:], tuple(state[t] for state in tape.states))
    want = [d[0] for d in unroll.backward(kind, weights, later, dy[t:], dstates_n).dstates]
    want[0] = want[0] + dy[t - 1]  # y is h
    if cell == "lstm":  # h = o tanh(c)
        o = tape.gates[t - 1, :, 3 * H :]
        want[1] = want[1] + want[0] * o * (1 - np.tanh(tape.states[1][t]) ** 2)
    for got, expected in zip(g.dstates, want, strict=True):
        assert_equal(got[t], expected)


@pytest.mark.parametrize("length", [1, 5, 16, 17, 100])
def test_spans_cover_every_step_once(length: int) -> None:
    spans = unroll._spans(((0, length, 4),), unroll.CACHED // 64)
    assert [t for first, last, _ in spans for t in range(first, last)] == list(range(length))
    assert all(last - first <= 16 and n == 4 for first, last, n in spans)


def test_spans_are_longer_where_fewer_sequences_run() -> None:
    spans = unroll._spans(((0, 3, 4), (3, 7, 2), (7, 10, 1)), unroll.CACHED // 8)
    assert spans == ((0, 2, 4), (2, 3, 4), (3, 7, 2), (7, 10, 1))


def test_a_step_larger_than_the_cache_is_a_span() -> None:
    assert unroll._spans(((0, 2, 2),), unroll.CACHED) == ((0, 1, 2), (1, 2, 2))
