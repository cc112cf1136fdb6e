"""The LSTM layer, one step after the other, with peepholes, coupled gates, a forget bias, a clip and a projection."""

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


def gates_of(spec: Any) -> str:
    """Return the gates that have weights, in the order of their rows."""
    return "igo" if spec.coupled else "ifgo"


def forward(params: Arrays, end: str, x: Array, states: Arrays, way: Way, spec: Any) -> tuple[Array, Arrays, list[Any]]:
    """Return the outputs (T, B, P), the final states, and a cache for each step; arguments as `elman.forward`."""
    p = apart(params, end, gates_of(spec))
    h_prev, c_prev = states["h"], states["c"]
    y = zeros(x, *x.shape[:2], h_prev.shape[1])
    caches = []
    for s in range(len(x)):
        at, alive = way.at(s), way.alive[s]
        x_t = x[at]
        h_in = h_prev if way.recurrent is None else h_prev * way.recurrent[at]

        a_i = x_t @ p["W_xi"].T + p["b_xi"] + h_in @ p["W_hi"].T + p["b_hi"]
        a_g = x_t @ p["W_xg"].T + p["b_xg"] + h_in @ p["W_hg"].T + p["b_hg"]
        a_o = x_t @ p["W_xo"].T + p["b_xo"] + h_in @ p["W_ho"].T + p["b_ho"]
        if spec.peephole:
            a_i = a_i + p["p_i"] * c_prev
        i = sigmoid(clip(a_i, spec.clip))
        g = np.tanh(clip(a_g, spec.clip))
        if spec.coupled:
            a_f = a_i
            f = 1 - i
        else:
            a_f = x_t @ p["W_xf"].T + p["b_xf"] + h_in @ p["W_hf"].T + p["b_hf"] + spec.forget_bias
            if spec.peephole:
                a_f = a_f + p["p_f"] * c_prev
            f = sigmoid(clip(a_f, spec.clip))
        c_new = f * c_prev + i * g
        if spec.peephole:
            a_o = a_o + p["p_o"] * c_new
        o = sigmoid(clip(a_o, spec.clip))
        tanh_c = np.tanh(clip(c_new, spec.clip))
        m = o * tanh_c
        h_new = m @ p["W_hr"].T if spec.proj_size else m

        h, c = h_new, c_new
        if way.keep:
            keep_h, keep_c = way.keep["h"][at], way.keep["c"][at]
            h = keep_h * h_prev + (1 - keep_h) * h_new
            c = keep_c * c_prev + (1 - keep_c) * c_new
        h = np.where(alive, h, h_prev)
        c = np.where(alive, c, c_prev)
        cache = {"x": x_t, "h_prev": h_prev, "h_in": h_in, "c_prev": c_prev, "c_new": c_new, "tanh_c": tanh_c, "m": m}
        caches.append(cache | {"a_i": a_i, "a_f": a_f, "a_g": a_g, "a_o": a_o, "i": i, "f": f, "g": g, "o": o, "h": h})
        y[at] = np.where(alive, h, 0)
        h_prev, c_prev = h, c
    return y, {"h": h_prev, "c": c_prev}, caches


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
    """Return the gradients of the parameters, of x, and of the states before `first`; arguments as `elman.backward`."""
    gates = gates_of(spec)
    p = apart(params, end, gates)
    g = begin(p)
    dx = zeros(dy, *dy.shape[:2], p["W_xi"].shape[1])
    dh_next, dc_next = dstates["h"], dstates["c"]
    for s in range(last - 1, first - 1, -1):
        at, alive, cache = way.at(s), way.alive[s], caches[s]
        i, f, o, tanh_c, c_prev = (cache[name] for name in ("i", "f", "o", "tanh_c", "c_prev"))
        dh = dh_next + dy[at]
        dh_t, dc_t = np.where(alive, dh, 0), np.where(alive, dc_next, 0)
        dh_new, dc_new = dh_t, dc_t
        if way.keep:
            keep_h, keep_c = way.keep["h"][at], way.keep["c"][at]
            dh_new, dc_new = (1 - keep_h) * dh_t, (1 - keep_c) * dc_t

        dm = dh_new
        if spec.proj_size:
            g["dW_hr"] += dh_new.T @ cache["m"]
            dm = dh_new @ p["W_hr"]
        da = {}
        da["o"] = dm * tanh_c * o * (1 - o) * unclipped(cache["a_o"], spec.clip)
        dc_new = dc_new + dm * o * (1 - tanh_c * tanh_c) * unclipped(cache["c_new"], spec.clip)
        if spec.peephole:
            dc_new = dc_new + da["o"] * p["p_o"]
        di = dc_new * (cache["g"] - c_prev) if spec.coupled else dc_new * cache["g"]
        da["i"] = di * i * (1 - i) * unclipped(cache["a_i"], spec.clip)
        da["g"] = dc_new * i * (1 - cache["g"] * cache["g"]) * unclipped(cache["a_g"], spec.clip)
        if not spec.coupled:
            da["f"] = dc_new * c_prev * f * (1 - f) * unclipped(cache["a_f"], spec.clip)
        dc_prev = dc_new * f
        if spec.peephole:
            g["dp_i"] += (da["i"] * c_prev).sum(axis=0)
            g["dp_o"] += (da["o"] * cache["c_new"]).sum(axis=0)
            dc_prev = dc_prev + da["i"] * p["p_i"]
            if not spec.coupled:
                g["dp_f"] += (da["f"] * c_prev).sum(axis=0)
                dc_prev = dc_prev + da["f"] * p["p_f"]

        dx_t = zeros(dy, len(dh), dx.shape[2])
        dh_in = zeros(dy, *dh.shape)
        for gate in gates:
            g["dW_x" + gate] += da[gate].T @ cache["x"]
            g["dW_h" + gate] += da[gate].T @ cache["h_in"]
            g["db_x" + gate] += da[gate].sum(axis=0)
            g["db_h" + gate] += da[gate].sum(axis=0)
            dx_t += da[gate] @ p["W_x" + gate]
            dh_in += da[gate] @ p["W_h" + gate]
        dx[at] = dx_t
        dh_prev = dh_in if way.recurrent is None else dh_in * way.recurrent[at]
        if way.keep:
            dh_prev = dh_prev + keep_h * dh_t
            dc_prev = dc_prev + keep_c * dc_t
        dh_next = np.where(alive, dh_prev, dh_next)
        dc_next = np.where(alive, dc_prev, dc_next)
    return together(g, gates) | {"dx": dx, "dh": dh_next, "dc": dc_next}
