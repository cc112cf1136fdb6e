"""Layers in JAX, a `jax.lax.scan` for each layer and direction, as a subject: `jax.vjp` does the backward."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from crosscheck.axes import MASKS
from crosscheck.case import Case
from crosscheck.implementation import subject
from crosscheck.spec import Spec, suffix
from crosscheck.strategies import EVERYTHING
from crosscheck.subjects import jax_case
from crosscheck.subjects.jax_case import Arrays

State = dict[str, Any]
"""h and, of an LSTM, c, by name."""


def _outputs(spec: Spec, inputs: Arrays, others: Arrays, lengths: Any) -> dict[str, Any]:
    """Return y, h_n, c_n and the loss by name."""
    x = inputs["x"]
    running = jnp.arange(len(x))[:, None] < lengths

    def blank(array: Any) -> Any:
        """Return (..., T, B, N) with 0 in the padding, where 0 times what is read would be NaN if NaN is there."""
        return jnp.where(running[..., None], array, 0)

    given = {name: blank(others[name]) for name in MASKS if name in others} | {"x": blank(x), "running": running}
    if spec.attention:
        given["attention"] = blank(inputs["attention"][..., None])
    y, states = _stack(spec, inputs, given, {name: inputs[f"{name}_0"] for name in spec.states})
    if spec.output_size:
        y = blank(y @ inputs["W_hy"].T + inputs["b_y"])
    outputs = {"y": y} | {f"{name}_n": state for name, state in states.items()}
    if spec.loss != "none":
        outputs["loss"] = _loss(spec, y, blank(others["target"]), running)
    return outputs


def _stack(spec: Spec, params: Arrays, given: dict[str, Any], states: State) -> tuple[Any, State]:
    """Return the last layer's output (T, B, its width), and the final states (L*D, B, their width)."""
    y = given["x"]
    halves: list[Any] = []
    after: list[Any] = []
    for k, (layer, reverse) in enumerate(spec.runs):
        if not reverse:
            x = y * given["dropout"][layer - 1] if layer and "dropout" in given else y
            halves = []
        of_step = {name: given[name] for name in ("running", "attention") if name in given} | {"x": x}
        of_step |= {name: given[name][k] for name in MASKS[1:] if name in given}
        end = suffix(layer, reverse)
        own = {name.removesuffix(end): params[name + end] for name in PARAMS if name + end in params}
        state = {name: of_all[k] for name, of_all in states.items()}
        final, half = jax.lax.scan(partial(_step, spec, own), state, of_step, reverse=reverse)
        after.append(final)
        halves.append(half)
        y = sum(halves[1:], start=halves[0]) if spec.merge == "sum" else jnp.concatenate(halves, axis=-1)
    return y, {name: jnp.stack([final[name] for final in after]) for name in spec.states}


PARAMS = ("W_xh", "W_hh", "b_xh", "b_hh", "p_i", "p_f", "p_o", "W_hr")


def _step(spec: Spec, p: Arrays, state: State, at: Arrays) -> tuple[State, Any]:
    """Return the next states (B, H), and the output: h, or 0 in the padding."""
    proposed = CELLS[spec.cell](spec, p, state, at)
    running = at["running"][:, None]
    for name, new in proposed.items():
        old = state[name]
        kept = new + at[f"zoneout_{name}"] * (old - new) if f"zoneout_{name}" in at else new
        proposed[name] = jnp.where(running, kept, old)
    return proposed, jnp.where(running, proposed["h"], 0)


def _products(p: Arrays, h: Any, at: Arrays) -> tuple[Any, Any, Any]:
    """Return W_xh x + b_xh and W_hh h + b_hh, both (B, G*H), and h as the recurrent product sees it."""
    h = h * at["recurrent"] if "recurrent" in at else h
    return at["x"] @ p["W_xh"].T + p.get("b_xh", 0), h @ p["W_hh"].T + p.get("b_hh", 0), h


def _clip(spec: Spec, a: Any) -> Any:
    """Return a within spec.clip of 0, with slope 1 at the edge."""
    if not spec.clip:
        return a
    return jnp.where(jnp.abs(a) <= spec.clip, a, jnp.sign(jax.lax.stop_gradient(a)) * spec.clip)


def _elman(spec: Spec, p: Arrays, state: State, at: Arrays) -> State:
    from_x, from_h, _ = _products(p, state["h"], at)
    f = jnp.tanh if spec.cell == "rnn_tanh" else jax.nn.relu
    return {"h": f(_clip(spec, from_x + from_h))}


def _lstm(spec: Spec, p: Arrays, state: State, at: Arrays) -> State:
    from_x, from_h, _ = _products(p, state["h"], at)
    gates = "igo" if spec.coupled else "ifgo"
    a = dict(zip(gates, jnp.split(from_x + from_h, len(gates), axis=1), strict=True))

    def opened(gate: str, c: Any, bias: float = 0) -> Any:
        return jax.nn.sigmoid(_clip(spec, a[gate] + (p[f"p_{gate}"] * c if spec.peephole else 0) + bias))

    i = opened("i", state["c"])
    f = 1 - i if spec.coupled else opened("f", state["c"], spec.forget_bias)
    g = jnp.tanh(_clip(spec, a["g"]))
    c = f * state["c"] + i * g
    h = opened("o", c) * jnp.tanh(_clip(spec, c))
    return {"h": h @ p["W_hr"].T if spec.proj_size else h, "c": c}


def _gru(spec: Spec, p: Arrays, state: State, at: Arrays) -> State:
    from_x, from_h, h_in = _products(p, state["h"], at)
    (x_r, x_z, x_n), (h_r, h_z, h_n) = (jnp.split(from_, 3, axis=1) for from_ in (from_x, from_h))
    r = jax.nn.sigmoid(_clip(spec, x_r + h_r))
    z = jax.nn.sigmoid(_clip(spec, x_z + h_z))
    if spec.reset_after:
        inner = r * h_n
    else:
        inner = (r * h_in) @ jnp.split(p["W_hh"], 3)[2].T + (jnp.split(p["b_hh"], 3)[2] if spec.bias else 0)
    n = jnp.tanh(_clip(spec, x_n + inner))
    if spec.attention:
        z = (1 - at["attention"]) * z
    return {"h": n + z * (state["h"] - n)}


CELLS = {"rnn_tanh": _elman, "rnn_relu": _elman, "lstm": _lstm, "gru": _gru}


def _loss(spec: Spec, y: Any, target: Any, running: Any) -> Any:
    """Return the loss of y against target, both (T, B, O), over the steps that are no padding."""
    if spec.loss == "cross_entropy":
        term = -(target * jax.nn.log_softmax(y)).sum(axis=-1)
    else:
        term = ((y - target) ** 2).sum(axis=-1) * (0.5 if spec.loss == "half_squared_error" else 1)
    over = spec.mean_over
    number = running.sum() if "TB" in over else running.sum(axis=0) if "T" in over else y.shape[1] if "B" in over else 1
    number = jnp.maximum(number, 1) * (y.shape[2] if "O" in over else 1)  # of no steps the sum is 0, the mean too
    return jnp.where(running, term / number, 0).sum()


@subject(**EVERYTHING | {"truncate": False})
def jax_scan(case: Case) -> dict[str, Any]:
    """Return every output and gradient of a case."""
    return jax_case.results(case, _outputs)
