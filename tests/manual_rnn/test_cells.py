"""The forward pass of every cell against the textbook equations, one number at a time."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from manual_rnn import CELLS, forward

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
    states = {f"{state}_0": rng.uniform(-1, 1, (1, B, H)).astype(dtype) for state in CELLS[cell].states}
    run = forward(cell, params, x, **states)

    # A step makes at most I + H + 2 roundings in a pre-activation and 40 in activations (6 u each) and elementwise
    # operations, on numbers of at most 4 (|c| <= 1 + T); an error grows by at most 1 + 3 v a step, v being the largest
    # row sum of |W_hh|, as in test_network.py. The loops below are in float64 and add theirs.
    v = float(np.abs(params["W_hh"]).sum(axis=1).max())
    u = float(np.finfo(dtype).eps) / 2 + 2.0**-53
    bound = (I + H + 2 + 40) * 4 * T * (1 + 3 * v) ** T * u
    assert bound < (1e-3 if dtype == "float32" else 1e-10)

    W, U, b, d = (params[name].astype(float).tolist() for name in shapes)
    for item in range(B):
        h = states["h_0"][0, item].astype(float).tolist()
        c = states["c_0"][0, item].astype(float).tolist() if "c_0" in states else []
        for t in range(T):
            h, c = STEPS[cell](W, U, b, d, x[t, item].astype(float).tolist(), h, c)
            assert np.all(np.abs(run.y[t, item] - h) <= bound), (t, item)
        assert np.all(np.abs(run.h_n[0, item] - h) <= bound)
        if run.c_n is not None:
            assert np.all(np.abs(run.c_n[0, item] - c) <= bound)
    assert run.y.dtype == dtype
