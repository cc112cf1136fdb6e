"""JAX's layers agree with the referee over every option, and mistakes in them are found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crosscheck import Case, Status, check
from crosscheck.examine import examine
from crosscheck.implementation import make, run
from crosscheck.strategies import EVERYTHING

jax = pytest.importorskip("jax")

LINES = (
    "rnn_tanh:T3B2I2H2:bidirectional=true:lengths=3,0:axes=BT:clip=0.703125:regime=ordinary:seed=1",
    "rnn_relu:T3B2I4H2O3:layers=2:bias=false:loss=mse:mean=T:lengths=1,3:dtype=float32:seed=2",
    "lstm:T3B2I2H3:proj_size=2:peephole=true:zoneout=0.3:bidirectional=true:merge=sum:regime=ordinary:seed=3",
    "lstm:T3B2I2H2:layers=2:coupled=true:dropout=0.3:recurrent_dropout=0.3:loss=cross_entropy:dtype=float32:seed=4",
    "gru:T4B1I2H2:attention=true:axes=T:loss=half_squared_error:regime=ordinary:seed=5",
    "gru:T3B2I2H2:reset_after=false:recurrent_dropout=0.7:clip=1.296875:regime=ordinary:dtype=float32:seed=6",
    # NaN in the padding of x, the attention, each kind of mask, and the target
    "gru:T4B4I2H1O2:reset_after=false:attention=true:zoneout=0.3:loss=mse:mean=O:regime=nan_padding:lengths=3,0,2,0:seed=7",
    "lstm:T3B3I2H2:layers=2:dropout=0.3:recurrent_dropout=0.3:zoneout=0.7:regime=nan_padding:lengths=3,0,2:seed=8",
    "rnn_tanh:T3B3I2H2:bidirectional=true:loss=cross_entropy:regime=nan_padding:lengths=1,3,2:seed=9",
)


@pytest.mark.parametrize("line", LINES)
def test_every_tensor_is_returned_and_right(line: str) -> None:
    case, subject = Case.parse(line), make("jax_scan")
    assert run(subject, case).values.keys() == case.result_shapes.keys()
    (verdict,) = examine([subject], case)
    assert (verdict.status, verdict.not_checked) == (Status.PASS, ())


def test_it_supports_every_option_but_truncation() -> None:
    assert make("jax_scan").options == EVERYTHING | {"truncate": (False,)}


def test_it_leaves_jax_as_it_was() -> None:
    before = jax.config.jax_enable_x64
    make("jax_scan").function(Case.parse(LINES[0]))
    assert jax.config.jax_enable_x64 == before


@pytest.mark.parametrize(
    ("right", "wrong", "line", "tensors"),
    [
        ("reverse=reverse)", "reverse=False)", "rnn_tanh:T2B1I1H1:bidirectional=true:seed=0", {"y", "h_n"}),
        ('else "ifgo"', 'else "igfo"', "lstm:T1B1I1H1:seed=0", {"y", "h_n", "c_n", "dW_xh"}),
        ('else "ifgo"', 'else "iofg"', "lstm:T1B1I1H1:seed=0", {"y", "h_n", "c_n", "dW_xh"}),
        ('z * (state["h"] - n)', '(1 - z) * (state["h"] - n)', "gru:T1B1I1H1:seed=0", {"y", "dh_0"}),
        (
            "inner = r * h_n",
            'inner = r * (h_n - p.get("b_hh", jnp.zeros(3))[-1])',
            "gru:T1B1I1H1:regime=ordinary:seed=1",
            {"y"},
        ),
        ("jnp.where(running, kept, old)", "kept", "rnn_tanh:T2B2I1H1:lengths=1,2:seed=0", {"h_n"}),
        (
            "{name: blank(others[name])",
            "{name: others[name]",
            "rnn_tanh:T2B2I1H1:zoneout=0.3:regime=nan_padding:lengths=1,2:seed=0",
            {"dx", "dW_xh"},
        ),
    ],
)
def test_a_planted_mistake_is_found(
    right: str, wrong: str, line: str, tensors: set[str], planted: Callable[[str, str, str], Any]
) -> None:
    (verdict,) = examine([make(planted("jax_scan", right, wrong))], Case.parse(line), deep=False)
    assert verdict.status is Status.FAIL
    assert {check.name for check in verdict.checks if check.status is Status.FAIL} >= tensors


def test_a_few_drawn_cases_agree() -> None:
    report = check("jax_scan", max_examples=2, seed=3)
    assert (report.failures, report.cases) == ((), 16)
