"""The equations of every network: from the file that computes it, under the names of its trace."""

from __future__ import annotations

import pytest
from hypothesis import given

from crosscheck import Case
from crosscheck.referee.equations import equations
from crosscheck.referee.trace import trace
from crosscheck.strategies import EVERYTHING, cases, supports
from manual_rnn.cells import elman, gru, lstm, lstm_peephole, projection, recurrent_dropout, zoneout


def test_those_of_the_lstm() -> None:
    said = equations(Case.parse("lstm:T1B1I1H1").spec)
    assert said.texts == (str(lstm.__doc__).strip(),)
    assert said.forward == {
        "a": "W_xh x + b_xh + W_hh h_prev + b_hh",
        "i": "sigmoid(a_i)",
        "f": "sigmoid(a_f)",
        "g": "tanh(a_g)",
        "o": "sigmoid(a_o)",
        "c": "f c_prev + i g",
        "s": "tanh(c)",
        "h": "o s",
    }
    assert list(said.backward.items())[:9] == [
        ("dh", "dy + dh_next"),
        ("da_o", "dh s o (1 - o)"),
        ("dc", "dc_next + dh o (1 - s^2)"),
        ("da_i", "dc g i (1 - i)"),
        ("da_f", "dc c_prev f (1 - f)"),
        ("da_g", "dc i (1 - g^2)"),
        ("dc_prev", "dc f"),
        ("dh_prev", "W_hh^T da"),
        ("dW_xh", "sum_t da_x[t]^T x[t]"),
    ]


def test_options_rename_what_they_come_between() -> None:
    line = "lstm:T1B1I1H2O1:peephole=true:proj_size=1:recurrent_dropout=0.3:zoneout=0.3:loss=mse"
    said = equations(Case.parse(line).spec)
    assert said.texts[:4] == tuple(
        str(module.__doc__).strip() for module in (lstm_peephole, projection, recurrent_dropout, zoneout)
    )
    assert said.texts[-1].splitlines()[-1].split()[:2] == ["mse", "sum"]
    forward = {
        "a": "W_xh x + b_xh + W_hh h_in + b_hh",
        "h_in": "mask h_prev",
        "c_new": "f c_prev + i g",
        "m": "o s",
        "h_new": "W_hr m",
        "h": "h_new + d (h_prev - h_new)",
        "c": "c_new + d (c_prev - c_new)",
    }
    assert forward.items() <= said.forward.items()
    backward = {
        "dh": "dy + dh_next",
        "dc": "dc_next",
        "dh_new": "(1 - d) dh",
        "dm": "W_hr^T dh_new",
        "da_o": "dm s o (1 - o) k'",
        "dc_new": "(1 - d) dc + dm o (1 - s^2) k' + p_o da_o",
        "dh_prev": "... + d dh",
        "dp_o": "sum da_o c_new",
        "dW_hy": "sum_{t,b} do^T y",
    }
    assert backward.items() <= said.backward.items()


def test_a_dropout_that_does_nothing_is_not_spoken_of() -> None:
    said = equations(Case.parse("rnn_tanh:T1B1I1H1:recurrent_dropout=0.3:train=false").spec)
    assert said.texts == (str(elman.__doc__).strip(),)


def test_the_reset_gate_sees_what_dropout_leaves() -> None:
    said = equations(Case.parse("gru:T1B1I1H1:reset_after=false:recurrent_dropout=0.3").spec)
    assert (said.forward["s"], said.backward["da_r"]) == ("r h_in", "ds h_in r (1 - r)")
    plain = equations(Case.parse("gru:T1B1I1H1").spec)
    assert plain.texts == (str(gru.__doc__).strip(),)
    assert (plain.forward["q"], plain.backward["dq"]) == ("W_hn h_prev + b_hn", "da_n r")


UNSAID = {"x", "h_prev", "c_prev", "a_i", "a_f", "a_g", "a_o", "a_r", "a_z", "a_n"}
"""What a step is given, and the parts of a, which the equations name on the right alone."""


@given(cases(supports({"max_T": 1, "max_B": 1, "max_I": 1, "max_H": 2, "wide": False}, EVERYTHING)))
def test_every_quantity_has_an_equation_and_every_equation_its_quantity(case: Case) -> None:
    said = equations(case.spec)
    for step in trace(case).steps:
        assert set(step.forward) - UNSAID <= said.forward.keys()
        assert said.forward.keys() - {"a", "f"} <= step.forward.keys()
        da = {name for name in step.backward if name.startswith("da")}
        assert da | {"dh", "dh_prev", "dx"} <= said.backward.keys()
        of_step = {name for name in said.backward if not name.startswith(("dW", "db", "dp", "dscore"))}
        assert of_step <= step.backward.keys()


@pytest.mark.parametrize("line", ["rnn_tanh:T1B1I1H1:layers=2", "rnn_tanh:T2B1I1H1:truncate=1,1:clip=1.25"])
def test_layers_truncation_and_the_clip_have_their_texts(line: str) -> None:
    titles = [text.splitlines()[0] for text in equations(Case.parse(line).spec).texts]
    wanted = {
        "layers=2": ["Layers and directions"],
        "clip=1.25": ["The clip of pre-activations", "Truncated backpropagation through time"],
    }[line.rpartition(":")[2]]
    assert len(titles) == 1 + len(wanted)
    assert all(title.startswith(start) for title, start in zip(titles[1:], wanted, strict=True))
