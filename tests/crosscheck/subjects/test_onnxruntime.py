"""ONNX Runtime's operators agree with the referee where they are asked; where they don't, how is written down here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from crosscheck import Case, Status, check
from crosscheck.examine import examine
from crosscheck.implementation import make, run
from crosscheck.referee import definition

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")


def test_it_agrees_over_what_it_supports() -> None:
    report = check("onnxruntime_rnn", max_examples=40, seed=1)
    assert (report.failures, report.cases) == ((), 120)


def test_it_agrees_where_it_clips() -> None:
    report = check("onnxruntime_clip", max_examples=20, seed=1)
    assert (report.failures, report.cases) == ((), 40)


@pytest.mark.parametrize(
    ("right", "wrong", "line", "tensors"),
    [
        ('"lstm": "iofg"', '"lstm": "ifgo"', "lstm:T1B1I1H1:dtype=float32:seed=0", {"y", "h_n", "c_n"}),
        ('"gru": "zrn"', '"gru": "rzn"', "gru:T1B1I2H2:regime=ordinary:dtype=float32:seed=0", {"y", "h_n"}),
        (
            'PEEPHOLES = "iof"',
            'PEEPHOLES = "ifo"',
            "lstm:T1B1I1H1:peephole=true:regime=ordinary:dtype=float32:seed=0",
            {"y", "c_n"},
        ),
        ("int(spec.reset_after)", "0", "gru:T1B1I1H2:regime=ordinary:dtype=float32:seed=0", {"y", "h_n"}),
        (
            "perm=[0, 2, 1, 3]",
            "perm=[0, 2, 3, 1]",
            "rnn_relu:T1B1I1H2:bidirectional=true:regime=ordinary:dtype=float32:seed=0",
            {"y"},
        ),
        (
            "(layer + 1) * len(ends)]",
            "(layer + 1) * len(ends)][::-1]",  # each direction with the state of the other one
            "rnn_relu:T2B1I1H1:bidirectional=true:regime=ordinary:dtype=float32:seed=1",
            {"y", "h_n"},
        ),
    ],
)
def test_a_planted_mistake_is_found(
    right: str, wrong: str, line: str, tensors: set[str], planted: Callable[[str, str, str], Any]
) -> None:
    (verdict,) = examine([make(planted("onnxruntime_rnn", right, wrong))], Case.parse(line), deep=False)
    assert verdict.status is Status.FAIL
    assert {check.name for check in verdict.checks if check.status is Status.FAIL} >= tensors


@pytest.mark.parametrize(
    ("line", "tensors"),
    [
        ("rnn_tanh:T1B1I1H1:regime=zero_bias:dtype=float32:seed=3500", {"y", "h_n"}),
        ("lstm:T1B1I1H2:regime=saturated:dtype=float32:seed=1", {"y", "h_n"}),
        ("lstm:T1B2I1H5:dtype=float32:seed=1", {"y", "h_n"}),
        ("lstm:T1B1I1H1:clip=0.703125:dtype=float32:seed=7", {"y", "h_n"}),
        ("rnn_relu:T1B1I1H1:lengths=0:dtype=float32:seed=1", {"h_n"}),
    ],
)
def test_where_it_disagrees(line: str, tensors: set[str]) -> None:
    (verdict,) = examine([make("crosscheck.subjects.onnxruntime_rnn:outputs")], Case.parse(line))
    assert {check.name for check in verdict.checks if check.status is Status.FAIL} == tensors


def test_its_lstm_does_not_clip_the_cell_state() -> None:
    case = Case.parse("lstm:T1B1I1H1:clip=0.703125:dtype=float32:seed=7")
    outputs = make("crosscheck.subjects.onnxruntime_rnn:outputs").function(case)
    c = definition.outputs(case.lift(np.float64))["c_n"].item()
    assert abs(c) > case.spec.clip
    h = definition.outputs(case.lift(np.float64))["h_n"].item()
    unclipped = h * np.tanh(c) / np.tanh(np.copysign(case.spec.clip, c))
    assert np.float32(unclipped) != np.float32(h)
    # seven functions of 6u and as many products, at most, on numbers below 1
    assert abs(outputs["h_n"].item() - unclipped) <= 7 * 7 * 2.0**-24


@pytest.mark.parametrize("cell", ["rnn_tanh", "rnn_relu", "lstm", "gru"])
def test_there_is_no_float64(cell: str) -> None:
    result = run(make("crosscheck.subjects.onnxruntime_rnn:outputs"), Case.parse(f"{cell}:T1B1I1H1:seed=0"))
    (finding,) = result.findings
    assert finding.kind == "raised"
    assert "NOT_IMPLEMENTED" in finding.text or "does not support double" in finding.text
