"""Layers written the way people write them run, unchanged, on balls, with bounds and with sampled rounding.

Each is the text of a module that knows NumPy and nothing of us: `run` takes a case's arrays and returns outputs and
gradients by name. It is run four times: in plain float32, and through the stand-in on the three number types. On balls
it must give what the hand-written network gives; the float32 results must be within E of that; and the samples must
scatter around it.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosscheck import Case
from crosscheck.referee.numbers.ball import Balls, balls, overlap, precision, split
from crosscheck.referee.numbers.bounded import Bounded, bounded
from crosscheck.referee.numbers.format import FORMATS
from crosscheck.referee.numbers.noisy import Noisy, noisy
from crosscheck.referee.numbers.standin import lift_module
from crosscheck.strategies import cases, supports
from crosscheck.subjects.manual import manual

SINGLE = FORMATS["float32"]
SAMPLES = 64

LSTM_WITH_ONE_BIG_MATRIX = """
import numpy as np

def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))

def run(x, h_0, c_0, W_xh, W_hh, b_xh, b_hh, dy, dh_n, dc_n):
    T, B, I = x.shape
    H = W_hh.shape[1]
    W = np.concatenate([W_hh, W_xh], axis=1)
    b = (b_xh + b_hh).reshape(1, -1)
    h, c = np.zeros((T + 1, B, H)), np.zeros((T + 1, B, H), dtype=x.dtype)
    gates = np.zeros((T, B, 4 * H))
    z = np.zeros((T, B, H + I))
    h[-1], c[-1] = h_0[0], c_0[0]
    for t in range(T):
        z[t] = np.hstack((h[t - 1], x[t]))
        i, f, g, o = np.split(z[t].dot(W.T) + b, 4, axis=-1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        gates[t] = np.concatenate((i, f, g, o), axis=-1)
        c[t] = f * c[t - 1] + i * g
        h[t] = o * np.tanh(c[t])
    dW, db, dx = np.zeros_like(W), np.zeros_like(b), np.zeros_like(x)
    dh_next, dc_next = dh_n[0].copy(), dc_n[0].copy()
    for t in reversed(range(T)):
        i, f, g, o = np.split(gates[t], 4, axis=-1)
        dh = dy[t] + dh_next
        do = dh * np.tanh(c[t])
        dc = dc_next + dh * o * (1 - np.tanh(c[t]) ** 2)
        da = np.empty((B, 4 * H))
        da[:, :H] = dc * g * i * (1 - i)
        da[:, H:2 * H] = dc * c[t - 1] * f * (1 - f)
        da[:, 2 * H:3 * H] = dc * i * (1 - np.square(g))
        da[:, 3 * H:] = do * o * (1 - o)
        dW += np.dot(da.T, z[t])
        db += da.sum(axis=0, keepdims=True)
        dz = da @ W
        dh_next, dx[t] = dz[:, :H], dz[:, H:]
        dc_next = dc * f
    db = db.flatten()
    return dict(y=h[:T], h_n=h[T - 1:T], c_n=c[T - 1][None], dx=dx, dh_0=dh_next[None], dc_0=dc_next[np.newaxis],
                dW_xh=dW[:, H:], dW_hh=dW[:, :H], db_xh=db, db_hh=db)
"""

GRU_WITH_EINSUM = """
from numpy import einsum, exp, stack, tanh, zeros_like
import numpy

def sigmoid(x):
    return numpy.where(x >= 0, 1 / (1 + exp(-numpy.abs(x))), exp(-numpy.abs(x)) / (1 + exp(-numpy.abs(x))))

def run(x, h_0, W_xh, W_hh, b_xh, b_hh, dy, dh_n):
    T, B, _ = x.shape
    H = W_hh.shape[-1]
    W, U = W_xh.reshape((3, H, -1)), W_hh.reshape(3, H, H)
    b, d = b_xh.reshape(3, H), b_hh.reshape(3, H)
    states, cache, h = [], [], h_0[0]
    for t in range(T):
        a = einsum("ghi,bi->gbh", W, x[t]) + b[:, None]
        q = einsum("ghk,bk->gbh", U, h) + d[:, None]
        r, z = sigmoid(a[:2] + q[:2])
        n = tanh(a[2] + r * q[2])
        cache.append((h, r, z, n, q[2]))
        h = (1 - z) * n + z * h
        states.append(h)
    y = stack(states)
    dx, dW, dU = zeros_like(x), zeros_like(W), zeros_like(U)
    db, dd = zeros_like(b), zeros_like(d)
    dh = dh_n[0]
    for t in range(T - 1, -1, -1):
        h, r, z, n, q = cache[t]
        dh = dh + dy[t]
        dn = dh * (1 - z) * (1 - n**2)
        dz = dh * (h - n) * z * (1 - z)
        dr = dn * q * r * (1 - r)
        da, dq = stack([dr, dz, dn]), stack([dr, dz, dn * r])
        dW += einsum("gbh,bi->ghi", da, x[t])
        dU += einsum("gbh,bk->ghk", dq, h)
        db += da.sum(1)
        dd += dq.sum(axis=1)
        dx[t] = einsum("gbh,ghi->bi", da, W)
        dh = dh * z + einsum("gbh,ghk->bk", dq, U)
    return dict(y=y, h_n=y[-1:], dx=dx, dh_0=numpy.expand_dims(dh, 0), dW_xh=dW.reshape(-1, W_xh.shape[1]),
                dW_hh=dU.reshape(W_hh.shape), db_xh=db.ravel(), db_hh=dd.ravel())
"""

RELU_BATCH_FIRST = """
import numpy as np

def run(x, h_0, W_xh, W_hh, b_xh, b_hh, dy, dh_n):
    inputs, dout = np.swapaxes(x, 0, 1), dy.transpose(1, 0, 2)           # (B, T, .)
    B, T, I = inputs.shape
    H = b_hh.size
    out = np.zeros((B, T, H))
    h = h_0[-1]
    for t in range(T):
        a = inputs[:, t] @ W_xh.T + b_xh + np.matmul(h, W_hh.T) + b_hh
        h = np.where(a > 0, a, 0)
        out[:, t, :] = h
    dinputs = np.zeros(inputs.shape)
    dW_xh, dW_hh = np.zeros(W_xh.shape, np.float32), np.zeros_like(W_hh, dtype=np.float64)
    db = np.zeros(H)
    dh = np.zeros((B, H))
    dh += dh_n[0]
    for t in range(T)[::-1]:
        dh += dout[:, t]
        if t % 2:
            dh[out[:, t] <= 0] = 0
            da = dh
        else:
            da = dh * (out[:, t] > 0).astype(np.float32)
        h_prev = out[:, t - 1] if t > 0 else h_0.squeeze(axis=0)
        dW_xh += np.tensordot(da, inputs[:, t], axes=(0, 0))
        dW_hh += np.einsum("bh,bk->hk", da, h_prev)
        db += np.sum(da, axis=0)
        dinputs[:, t] = np.dot(da, W_xh)
        dh = np.dot(da, W_hh)
    return dict(y=out.swapaxes(0, 1), h_n=np.moveaxis(out, 1, 0)[-1:].copy(), dx=dinputs.transpose((1, 0, 2)),
                dh_0=dh[None, ...], dW_xh=dW_xh, dW_hh=dW_hh, db_xh=db, db_hh=db.astype(float))
"""

TANH_ONE_VECTOR_AT_A_TIME = """
import numpy as np

def run(x, h_0, W_xh, W_hh, b_xh, b_hh, dy, dh_n):
    T, B = x.shape[:2]
    grads = {name: np.zeros_like(value) for name, value in
             dict(dx=x, dh_0=h_0, dW_xh=W_xh, dW_hh=W_hh, db_xh=b_xh, db_hh=b_hh).items()}
    y = np.zeros_like(dy)
    for k in range(B):
        hs = {-1: np.copy(h_0[0, k]).reshape(-1, 1)}
        for t in range(T):
            v = np.atleast_2d(x[t, k]).T
            hs[t] = np.tanh(np.dot(W_xh, v) + np.dot(W_hh, hs[t - 1]) + (b_xh + b_hh)[:, None])
            y[t, k] = hs[t].ravel()
        dhnext = dh_n[0, k]
        for t in reversed(range(T)):
            dh = dy[t, k] + dhnext
            draw = (1 - hs[t][:, 0] * hs[t][:, 0]) * dh
            grads["db_xh"] += draw
            grads["dW_xh"] += np.outer(draw, x[t, k])
            grads["dW_hh"] += np.outer(draw, hs[t - 1])
            grads["dx"][t, k, ...] = W_xh.T.dot(draw)
            dhnext = np.dot(W_hh.T, draw)
        grads["dh_0"][:, k] = dhnext
    for dparam in [grads["dW_xh"], grads["dW_hh"]]:
        np.clip(dparam, -2.0**100, 2.0**100, out=dparam)
    grads["db_hh"][:] = grads["db_xh"]
    return dict(y=y, h_n=np.array([y[-1]]), **grads)
"""

LAYERS = {
    "lstm": ("lstm", LSTM_WITH_ONE_BIG_MATRIX),
    "gru": ("gru", GRU_WITH_EINSUM),
    "relu": ("rnn_relu", RELU_BATCH_FIRST),
    "tanh": ("rnn_tanh", TANH_ONE_VECTOR_AT_A_TIME),
}


def module(source: str) -> ModuleType:
    made = ModuleType("somebodys")
    exec(source, vars(made))
    return made


def lifted(source: str, lift: Callable[[Any], Any], case: Case) -> dict[str, Any]:
    somebodys = module(source)
    lift_module(somebodys, lift)
    results: dict[str, Any] = vars(somebodys)["run"](**case.lift(lift).arrays)
    return results


def drawn(cell: str) -> st.SearchStrategy[Case]:
    allowed = {
        "cell": cell,
        "regime": ("simple", "ordinary"),
        "loss": "none",
        "dtype": "float32",
        "max_T": 3,
        "max_B": 2,
        "max_I": 3,
        "max_H": 3,
    }
    return cases(supports(allowed))


def assert_within(got: Any, exact: Any, result: Any, name: str) -> None:
    """Assert that a program's numbers are within E of the exact ones, and that E says something."""
    E = np.asarray(result.E)
    # exact is rounded to float64, E computed in it: 2^-50 of their size is more than either is off by
    assert np.all(np.abs(got - exact) <= E * (1 + 2.0**-50) + 2.0**-50 * np.abs(exact)), name
    # a fault of 2% of the largest element would be seen: 3 steps of 20 roundings with u = 2^-24, each of which at most
    # 30 times larger in the next, stay 30^2 20 2^-24 = 0.1% of the terms; 20 is for what cancels among them
    assert np.max(E) <= 0.02 * max(1, np.max(np.abs(exact))), name


def assert_centred(samples: Any, exact: Any, name: str) -> None:
    """Assert that the samples' mean is the exact value, to six of its deviations.

    Their bias is of second order, u times their deviation; float64, which they are computed in, is 2^-29 of their
    rounding. A sample of n numbers of one distribution has a mean within six deviations but for once in 10^7.
    """
    mean, deviation = samples.mean(axis=-1), samples.std(axis=-1, ddof=1)
    assert np.all(np.abs(mean - exact) <= 6 * deviation / np.sqrt(samples.shape[-1]) + 2.0**-50 * np.abs(exact)), name


@pytest.mark.parametrize("name", LAYERS)
@given(data=st.data())
def test_a_layer_as_people_write_it(name: str, data: st.DataObject) -> None:
    cell, source = LAYERS[name]
    case = data.draw(drawn(cell))
    plain = vars(module(source))["run"](**case.arrays)
    rng = np.random.Generator(np.random.PCG64(1))
    with precision(256):
        exact = manual(case.lift(balls))
        on_balls = lifted(source, balls, case)
    with_bounds = lifted(source, lambda array: bounded(array, SINGLE), case)
    samples = lifted(source, lambda array: noisy(array, SINGLE, rng, SAMPLES), case)
    one_branch = np.all(samples["y"].truth()[1])  # else noise decides at relu's kink, and takes its both sides
    assert set(on_balls) == set(with_bounds) == set(samples) == set(exact)
    for key, truth in exact.items():
        assert isinstance(on_balls[key], Balls)
        assert isinstance(with_bounds[key], Bounded)
        assert isinstance(samples[key], Noisy)
        assert np.shape(on_balls[key]) == with_bounds[key].shape == samples[key].shape == np.shape(truth)
        for mine, theirs in zip(np.ravel(on_balls[key]), np.ravel(truth), strict=True):
            assert overlap(mine, theirs), key
        hi, _, radius = split(truth)
        assert not np.any(radius > 2.0**-80 * (np.abs(hi) + 1))
        assert_within(plain[key], hi, with_bounds[key], key)
        if one_branch:
            assert_centred(samples[key].samples, hi, key)
