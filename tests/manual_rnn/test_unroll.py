"""Time: the loop and the products over the whole sequence."""

from __future__ import annotations

import numpy as np
import pytest

from manual_rnn import CELLS, unroll
from manual_rnn.cells.cell import Tape, Weights

T, B, I, H = 6, 2, 3, 4


def case(cell: str) -> tuple[Weights, Tape, np.ndarray, tuple[np.ndarray, ...]]:
    rng = np.random.default_rng(5)
    kind = CELLS[cell]
    GH = kind.num_gates * H
    W_hh = rng.uniform(-0.5, 0.5, (GH, H))
    b_xh, b_hh = rng.uniform(-1, 1, (2, GH))
    weights = Weights(rng.uniform(-1, 1, (GH, I)), W_hh, b_xh, b_hh, W_hh.T.copy())
    states = tuple(rng.uniform(-1, 1, (B, H)) for _ in kind.states)
    tape = unroll.forward(kind, weights, rng.uniform(-1, 1, (T, B, I)), states)
    return weights, tape, rng.uniform(-1, 1, (T, B, H)), tuple(rng.uniform(-1, 1, (B, H)) for _ in kind.states)


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
    # The same operations on the same numbers, but for the products over all steps, which a BLAS may block by size. The
    # values are of order 1 and are sums of at most T*B*4*H = 192 terms of order 1, some through T steps.
    bound = 192 * T * 2.0**-53 * 16
    for k in range(len(whole.states)):
        np.testing.assert_allclose(first.states[k], whole.states[k][: half + 1], rtol=0, atol=bound)
        np.testing.assert_allclose(second.states[k], whole.states[k][half:], rtol=0, atol=bound)
        np.testing.assert_allclose(g1.dstates[k][0], g.dstates[k][0], rtol=0, atol=bound)
    np.testing.assert_allclose(np.concatenate([g1.dx, g2.dx]), g.dx, rtol=0, atol=bound)
    for name in ("dW_xh", "dW_hh", "db_xh", "db_hh"):
        np.testing.assert_allclose(getattr(g1, name) + getattr(g2, name), getattr(g, name), rtol=0, atol=bound)


@pytest.mark.parametrize("cell", CELLS)
def test_a_batch_is_its_items(cell: str) -> None:
    kind = CELLS[cell]
    weights, tape, dy, dstates_n = case(cell)
    g = unroll.backward(kind, weights, tape, dy, dstates_n)
    sums = {name: 0 * getattr(g, name) for name in ("dW_xh", "dW_hh", "db_xh", "db_hh")}
    bound = 192 * T * 2.0**-53 * 16  # as above
    for b in range(B):
        item = slice(b, b + 1)
        alone = unroll.forward(kind, weights, tape.x[:, item], tuple(state[0, item] for state in tape.states))
        np.testing.assert_allclose(alone.states[0], tape.states[0][:, item], rtol=0, atol=bound)
        part = unroll.backward(kind, weights, alone, dy[:, item], tuple(d[item] for d in dstates_n))
        np.testing.assert_allclose(part.dx, g.dx[:, item], rtol=0, atol=bound)
        for name in sums:
            sums[name] += getattr(part, name)
    for name, total in sums.items():
        np.testing.assert_allclose(total, getattr(g, name), rtol=0, atol=bound)


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
    bound = 192 * T * 2.0**-53 * 16  # as above
    for got, expected in zip(g.dstates, want, strict=True):
        np.testing.assert_allclose(got[t], expected, rtol=0, atol=bound)


@pytest.mark.parametrize("length", [1, 5, 16, 17, 100])
def test_spans_cover_every_step_once(length: int) -> None:
    spans = unroll._spans(length, 4, unroll.CACHED // 64)
    assert [t for first, last in spans for t in range(first, last)] == list(range(length))
    assert all(last - first <= 16 for first, last in spans)


def test_a_step_larger_than_the_cache_is_a_span() -> None:
    assert unroll._spans(2, 2, unroll.CACHED) == [(0, 1), (1, 2)]
