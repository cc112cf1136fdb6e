"""The plain recurrent layer, h = f(W_xh x + b_xh + W_hh h_prev + b_hh), one step after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from parts import Array, Arrays, Way, apart, begin, clip, together, unclipped, zeros  # type: ignore[import-not-found]

GATES = "h"


def forward(params: Arrays, end: str, x: Array, states: Arrays, way: Way, spec: Any) -> tuple[Array, Arrays, list[Any]]:
    """Return the outputs (T, B, H), the final state, and a cache for each step.

    Args:
        params: all parameters.
        end: what the names of those of this layer and direction end in.
        x (T, B, I): the input.
        states: the initial state h (B, H).
        way: how to go through the batch.
        spec: the network's options.
    """
    p = apart(params, end, GATES)
    h_prev = states["h"]
    y = zeros(x, *x.shape[:2], h_prev.shape[1])
    caches = []
    for s in range(len(x)):
        at, alive = way.at(s), way.alive[s]
        x_t = x[at]
        h_in = h_prev if way.recurrent is None else h_prev * way.recurrent[at]
        a = x_t @ p["W_xh"].T + p["b_xh"] + h_in @ p["W_hh"].T + p["b_hh"]
        k = clip(a, spec.clip)
        h_new = np.tanh(k) if spec.cell == "rnn_tanh" else np.maximum(k, 0)
        h = h_new
        if way.keep:
            keep = way.keep["h"][at]
            h = keep * h_prev + (1 - keep) * h_new
        h = np.where(alive, h, h_prev)
        caches.append({"x": x_t, "h_prev": h_prev, "h_in": h_in, "a": a, "h_new": h_new, "h": h})
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
    """Return the gradients of the parameters, of x (T, B, I), and of the state before step number `first`.

    Args:
        params: all parameters.
        end: as in `forward`.
        caches: what `forward` returned.
        dy (T, B, H): the gradient of the outputs.
        dstates: the gradient of the state after step number `last` - 1.
        way: as in `forward`.
        spec: likewise.
        first: where to stop.
        last: where to begin.
    """
    p = apart(params, end, GATES)
    g = begin(p)
    dx = zeros(dy, *dy.shape[:2], p["W_xh"].shape[1])
    dh_next = dstates["h"]
    for s in range(last - 1, first - 1, -1):
        at, alive, cache = way.at(s), way.alive[s], caches[s]
        dh = dh_next + dy[at]
        dh_t = np.where(alive, dh, 0)
        dh_new = dh_t
        if way.keep:
            keep = way.keep["h"][at]
            dh_new = (1 - keep) * dh_t
        h_new = cache["h_new"]
        dk = dh_new * (1 - h_new * h_new) if spec.cell == "rnn_tanh" else np.where(h_new > 0, dh_new, 0)
        da = dk * unclipped(cache["a"], spec.clip)
        g["dW_xh"] += da.T @ cache["x"]
        g["dW_hh"] += da.T @ cache["h_in"]
        g["db_xh"] += da.sum(axis=0)
        g["db_hh"] += da.sum(axis=0)
        dx[at] = da @ p["W_xh"]
        dh_in = da @ p["W_hh"]
        dh_prev = dh_in if way.recurrent is None else dh_in * way.recurrent[at]
        if way.keep:
            dh_prev = dh_prev + keep * dh_t
        dh_next = np.where(alive, dh_prev, dh_next)
    return together(g, GATES) | {"dx": dx, "dh": dh_next}
