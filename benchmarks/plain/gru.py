"""The GRU layer, one step after the other, its reset gate before the recurrent weights or after, and attention."""

from __future__ import annotations

from typing import Any

import numpy as np
from parts import (  # type: ignore[import-not-found]
    Array,
    Arrays,
    Way,
    apart,
    begin,
    clip,
    sigmoid,
    together,
    unclipped,
    zeros,
)

GATES = "rzn"


def forward(params: Arrays, end: str, x: Array, states: Arrays, way: Way, spec: Any) -> tuple[Array, Arrays, list[Any]]:
    """Return the outputs (T, B, H), the final state, and a cache for each step; arguments as `elman.forward`."""
    p = apart(params, end, GATES)
    h_prev = states["h"]
    y = zeros(x, *x.shape[:2], h_prev.shape[1])
    caches = []
    for s in range(len(x)):
        at, alive = way.at(s), way.alive[s]
        x_t = x[at]
        h_in = h_prev if way.recurrent is None else h_prev * way.recurrent[at]

        a_r = x_t @ p["W_xr"].T + p["b_xr"] + h_in @ p["W_hr"].T + p["b_hr"]
        a_z = x_t @ p["W_xz"].T + p["b_xz"] + h_in @ p["W_hz"].T + p["b_hz"]
        r = sigmoid(clip(a_r, spec.clip))
        z = sigmoid(clip(a_z, spec.clip))
        if spec.reset_after:
            q = h_in @ p["W_hn"].T + p["b_hn"]
            a_n = x_t @ p["W_xn"].T + p["b_xn"] + r * q
        else:
            q = r * h_in
            a_n = x_t @ p["W_xn"].T + p["b_xn"] + q @ p["W_hn"].T + p["b_hn"]
        n = np.tanh(clip(a_n, spec.clip))
        u = z if way.score is None else (1 - way.score[at]) * z
        h_new = (1 - u) * n + u * h_prev

        h = h_new
        if way.keep:
            keep = way.keep["h"][at]
            h = keep * h_prev + (1 - keep) * h_new
        h = np.where(alive, h, h_prev)
        cache = {"x": x_t, "h_prev": h_prev, "h_in": h_in, "r": r, "z": z, "n": n, "q": q, "u": u, "h": h}
        caches.append(cache | {"a_r": a_r, "a_z": a_z, "a_n": a_n})
        y[at] = np.where(alive, h, 0)
        h_prev = h
    return y, {"h": h_prev}, caches


def backward(
    params: Arrays,
    end: str,
    caches: list[Any],
    dy: Array,
    dstates: Arrays,
    way: Way,
    spec: Any,
    first: int,
    last: int,
) -> Arrays:
    """Return the gradients of the parameters, of x, of the attention (T, B, 1), and of the state before `first`.

    Arguments as `elman.backward`.
    """
    p = apart(params, end, GATES)
    g = begin(p)
    dx = zeros(dy, *dy.shape[:2], p["W_xr"].shape[1])
    dscore = zeros(dy, *dy.shape[:2], 1)
    dh_next = dstates["h"]
    for s in range(last - 1, first - 1, -1):
        at, alive, cache = way.at(s), way.alive[s], caches[s]
        x_t, h_prev, h_in, r, z, n, q, u = (cache[name] for name in ("x", "h_prev", "h_in", "r", "z", "n", "q", "u"))
        dh = dh_next + dy[at]
        dh_t = np.where(alive, dh, 0)
        dh_new = dh_t
        if way.keep:
            keep = way.keep["h"][at]
            dh_new = (1 - keep) * dh_t

        du = dh_new * (h_prev - n)
        dn = dh_new * (1 - u)
        dh_prev = dh_new * u
        dz = du
        if way.score is not None:
            dz = du * (1 - way.score[at])
            dscore[at] = -(du * z).sum(axis=1, keepdims=True)
        da_n = dn * (1 - n * n) * unclipped(cache["a_n"], spec.clip)
        da_z = dz * z * (1 - z) * unclipped(cache["a_z"], spec.clip)
        if spec.reset_after:  # a_n = ... + r q, q = W_hn h_in + b_hn
            dr = da_n * q
            da_q, seen = da_n * r, h_in
            dh_in = da_q @ p["W_hn"]
        else:  # a_n = ... + W_hn q + b_hn, q = r h_in
            dq = da_n @ p["W_hn"]
            dr = dq * h_in
            da_q, seen = da_n, q
            dh_in = dq * r
        da_r = dr * r * (1 - r) * unclipped(cache["a_r"], spec.clip)

        g["dW_xr"] += da_r.T @ x_t
        g["dW_xz"] += da_z.T @ x_t
        g["dW_xn"] += da_n.T @ x_t
        g["db_xr"] += da_r.sum(axis=0)
        g["db_xz"] += da_z.sum(axis=0)
        g["db_xn"] += da_n.sum(axis=0)
        g["db_hr"] += da_r.sum(axis=0)
        g["db_hz"] += da_z.sum(axis=0)
        g["db_hn"] += da_q.sum(axis=0)
        g["dW_hr"] += da_r.T @ h_in
        g["dW_hz"] += da_z.T @ h_in
        g["dW_hn"] += da_q.T @ seen
        dx[at] = da_r @ p["W_xr"] + da_z @ p["W_xz"] + da_n @ p["W_xn"]
        dh_in = dh_in + da_r @ p["W_hr"] + da_z @ p["W_hz"]
        dh_prev = dh_prev + (dh_in if way.recurrent is None else dh_in * way.recurrent[at])
        if way.keep:
            dh_prev = dh_prev + keep * dh_t
        dh_next = np.where(alive, dh_prev, dh_next)
    return together(g, GATES) | {"dx": dx, "dh": dh_next, "dscore": dscore}
