"""A JAX function as a subject: right ones pass however they take their states, and wrong ones are found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crosscheck import ArgumentError, Case, Status
from crosscheck.conventions import Conventions
from crosscheck.examine import examine
from crosscheck.implementation import load, make

pytest.importorskip("jax")

CODE = """\
import jax
import jax.numpy as jnp


def gru(params, x, h_0):
    def step(h, x_t):
        r_x, z_x, n_x = jnp.split(x_t @ params["W_xh"].T + params["b_xh"], 3, axis=1)
        r_h, z_h, n_h = jnp.split(h @ params["W_hh"].T + params["b_hh"], 3, axis=1)
        r, z = jax.nn.sigmoid(r_x + r_h), jax.nn.sigmoid(z_x + z_h)
        n = jnp.tanh(n_x + r * n_h)
        h = (1 - z) * n + z * h
        return h, h

    h_n, y = jax.lax.scan(step, h_0[0], x)
    return y, h_n[None]


def lstm(p, x, state):
    def step(state, x_t):
        h, c = state
        i, f, o, g = jnp.split(x_t @ p["wx"] + h @ p["wh"] + p["b"], 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    final, y = jax.lax.scan(step, state, x.swapaxes(0, 1))
    return {"y": y.swapaxes(0, 1), "state": final}


def rnn(params, x):
    def step(h, x_t):
        h = jnp.tanh(x_t @ params["W_xh"].T + params["b_xh"] + h @ params["W_hh"].T + params["b_hh"])
        return h, h

    return jax.lax.scan(step, jnp.zeros((x.shape[1], len(params["b_hh"])), x.dtype), x)[1]


def nothing(params, x, h_0):
    return params["W"] @ x


def short(params):
    return params
"""
LSTM = Conventions(gates="ifog", transposed=True, biases="one", batch_first=True, names={"W_xh": "wx", "W_hh": "wh"})
PLAIN = Conventions()


def written(folder: Path, name: str, right: str = "", wrong: str = "") -> Any:
    assert right in CODE
    (folder / "of_jax.py").write_text(CODE.replace(right, wrong) if right else CODE)
    return load(f"{folder}/of_jax.py:{name}")


@pytest.mark.parametrize(
    ("name", "conventions", "options", "line", "not_checked"),
    [
        ("gru", PLAIN, {"cell": ("gru",), "states": ("both",)}, "gru:T3B2I2H3:regime=ordinary:seed=1", ()),
        ("gru", PLAIN, {"cell": ("gru",)}, "gru:T2B2I2H3:dtype=float32:seed=2", ()),
        ("gru", PLAIN, {"cell": ("gru",)}, "gru:T2B1I2H2:dtype=bfloat16:seed=2", ()),
        ("lstm", LSTM, {"cell": ("lstm",), "states": ("both",)}, "lstm:T3B2I2H3:regime=ordinary:seed=1", ()),
        ("rnn", PLAIN, {"states": ("none",)}, "rnn_tanh:T3B2I2H3:states=none:seed=1", ("h_n", "dh_0")),
    ],
)
def test_a_right_one_passes(
    tmp_path: Path, name: str, conventions: Conventions, options: dict[str, Any], line: str, not_checked: Any
) -> None:
    subject = make(written(tmp_path, name), "jax-function", conventions)
    assert {option: subject.options[option] for option in options} == options
    (verdict,) = examine([subject], Case.parse(line))
    assert (verdict.status, verdict.not_checked) == (Status.PASS, not_checked)


@pytest.mark.parametrize(
    ("name", "right", "wrong", "line", "tensors"),
    [
        ("gru", "(1 - z) * n + z * h", "z * n + (1 - z) * h", "gru:T1B1I1H1:regime=ordinary:seed=1", {"y", "dh_0"}),
        ("gru", "h_0[0], x)", "jax.lax.stop_gradient(h_0[0]), x)", "gru:T1B1I1H1:regime=ordinary:seed=1", {"dh_0"}),
    ],
)
def test_a_planted_mistake_is_found(
    tmp_path: Path, name: str, right: str, wrong: str, line: str, tensors: set[str]
) -> None:
    subject = make(written(tmp_path, name, right, wrong), "jax-function")
    (verdict,) = examine([subject], Case.parse(line), deep=False)
    assert tensors <= {check.name for check in verdict.checks if check.status is Status.FAIL}


def test_a_wrong_order_of_gates_is_found(tmp_path: Path) -> None:
    wrong = Conventions(gates="ifgo", transposed=True, biases="one", batch_first=True, names=LSTM.names)
    subject = make(written(tmp_path, "lstm"), "jax-function", wrong)
    (verdict,) = examine([subject], Case.parse("lstm:T1B1I1H1:regime=ordinary:seed=1"), deep=False)
    assert verdict.status is Status.FAIL


@pytest.mark.parametrize(
    ("name", "conventions", "message"),
    [
        ("nothing", PLAIN, "nothing: got rnn_tanh: KeyError: 'W'; rnn_relu: KeyError: 'W'; lstm"),
        ("lstm", Conventions(gates="ifog"), "lstm: got lstm: KeyError: 'wx', wanted a function of params, x and"),
        ("short", PLAIN, "short: got short(params), wanted a function of params, x and initial states"),
    ],
)
def test_what_cannot_be_adapted_is_refused_in_words(
    tmp_path: Path, name: str, conventions: Conventions, message: str
) -> None:
    thing = written(tmp_path, name)
    with pytest.raises(ArgumentError) as error:
        make(thing, "jax-function", conventions)
    assert message in str(error.value)


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(ArgumentError, match="int: got int, wanted a function of params, x and initial states"):
        make(3, "jax-function")
