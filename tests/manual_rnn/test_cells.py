"""The forward pass of every cell against the textbook equations, one number at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from manual_rnn import CELLS, Forward, forward

Vector = list[float]
Step = Callable[[list[Vector], list[Vector], Vector, Vector, Vector, Vector, Vector], tuple[Vector, Vector]]


def sigmoid(a: float) -> float:
    return 1 / (1 + math.exp(-a))


def dot(row: Vector, vector: Vector) -> float:
    return sum(a * b for a, b in zip(row, vector, strict=True))


def elman(f: Callable[[float], float]) -> Step:
    def step(
        W: list[Vector], U: list[Vector], b: Vector, d: Vector, x: Vector, h: Vector, c: Vector
    ) -> tuple[Vector, Vector]:
        return [f(dot(W[j], x) + b[j] + dot(U[j], h) + d[j]) for j in range(len(h))], c

    return step


def lstm(
    W: list[Vector], U: list[Vector], b: Vector, d: Vector, x: Vector, h: Vector, c: Vector
) -> tuple[Vector, Vector]:
    H = len(h)
    new_h, new_c = [], []
    for j in range(H):
        a = [dot(W[k * H + j], x) + b[k * H + j] + dot(U[k * H + j], h) + d[k * H + j] for k in range(4)]
        i, f, g, o = sigmoid(a[0]), sigmoid(a[1]), math.tanh(a[2]), sigmoid(a[3])
        new_c.append(f * c[j] + i * g)
        new_h.append(o * math.tanh(new_c[j]))
    return new_h, new_c


def gru(
    W: list[Vector], U: list[Vector], b: Vector, d: Vector, x: Vector, h: Vector, c: Vector
) -> tuple[Vector, Vector]:
    H = len(h)
    new_h = []
    for j in range(H):
        r = sigmoid(dot(W[j], x) + b[j] + dot(U[j], h) + d[j])
        z = sigmoid(dot(W[H + j], x) + b[H + j] + dot(U[H + j], h) + d[H + j])
        n = math.tanh(dot(W[2 * H + j], x) + b[2 * H + j] + r * (dot(U[2 * H + j], h) + d[2 * H + j]))
        new_h.append((1 - z) * n + z * h[j])
    return new_h, c


def gru_reset_before(
    W: list[Vector], U: list[Vector], b: Vector, d: Vector, x: Vector, h: Vector, c: Vector
) -> tuple[Vector, Vector]:
    H = len(h)
    r = [sigmoid(dot(W[j], x) + b[j] + dot(U[j], h) + d[j]) for j in range(H)]
    z = [sigmoid(dot(W[H + j], x) + b[H + j] + dot(U[H + j], h) + d[H + j]) for j in range(H)]
    reset = [r[j] * h[j] for j in range(H)]
    n = [math.tanh(dot(W[2 * H + j], x) + b[2 * H + j] + dot(U[2 * H + j], reset) + d[2 * H + j]) for j in range(H)]
    return [(1 - z[j]) * n[j] + z[j] * h[j] for j in range(H)], c


STEPS: dict[str, Step] = {
    "rnn_tanh": elman(math.tanh),
    "rnn_relu": elman(lambda a: max(a, 0.0)),
    "lstm": lstm,
    "gru": gru,
    "gru_reset_before": gru_reset_before,
}


def test_every_cell_has_its_equations_here() -> None:
    assert set(STEPS) == set(CELLS)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cell", CELLS)
def test_values(cell: str, dtype: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    T, B, I, H = 3, 2, 3, 2
    GH = CELLS[cell].num_gates * H
    shapes = {"W_xh": (GH, I), "W_hh": (GH, H), "b_xh": (GH,), "b_hh": (GH,)}
    params = {name: rng.uniform(-0.25, 0.25, shape).astype(dtype) for name, shape in shapes.items()}
    x = rng.uniform(-1, 1, (T, B, I)).astype(dtype)
    states: dict[str, Any] = {f"{state}_0": rng.uniform(-1, 1, (1, B, H)).astype(dtype) for state in CELLS[cell].states}
    run = forward(cell, params, x, **states)

    # In u: a pre-activation is off by I + H + 2 roundings of terms that add up to 2.5 at most (3/4 of W x, 1/2 of the
    # biases, 1/2 times h of W h, and with relu h grows to 2.4). At most 2.5 times that reaches a state: |c_prev|/4, 1/4
    # and 1 through the gates f, i and g of an LSTM (|c| < 4), 1/4 through o; less in the other cells. So 6.25 each.
    # Then the activations of 6, products and sums: 4 (6 + 1) in f c, 6 + 6 + 1 in i g, 4 in c, 6 in tanh c, 6 + 1 in h.
    # An error grows by at most 1 + 3 v a step, v being the largest row sum of |W_hh|, as in test_network.py. The loops
    # below are in float64 and add theirs.
    v = float(np.abs(params["W_hh"]).sum(axis=1).max())
    u = float(np.finfo(dtype).eps) / 2 + 2.0**-53
    bound = (6.25 * (I + H + 2) + 58) * T * (1 + 3 * v) ** (T - 1) * u
    arrays = {**params, "x": x, **states}
    assert largest_difference(run, cell, arrays) <= bound
    for name, array in arrays.items():  # each of which matters, by more than rounding could hide
        assert largest_difference(run, cell, arrays | {name: np.roll(array, 1)}) > 2 * bound, name
    assert run.y.dtype == dtype


def largest_difference(run: Forward, cell: str, arrays: dict[str, np.ndarray]) -> float:
    """Return the largest difference of a network's outputs and the equations' on some arrays."""
    W, U, b, d = (arrays[name].astype(float).tolist() for name in ("W_xh", "W_hh", "b_xh", "b_hh"))
    x, differences = arrays["x"].astype(float), [0.0]
    for item in range(x.shape[1]):
        h = arrays["h_0"][0, item].astype(float).tolist()
        c = arrays["c_0"][0, item].astype(float).tolist() if "c_0" in arrays else []
        for t in range(len(x)):
            h, c = STEPS[cell](W, U, b, d, x[t, item].tolist(), h, c)
            differences += np.abs(run.y[t, item] - h).tolist()
        differences += np.abs(run.h_n[0, item] - h).tolist()
        if run.c_n is not None:
            differences += np.abs(run.c_n[0, item] - c).tolist()
    return float(np.max(differences))  # NaN if any is
