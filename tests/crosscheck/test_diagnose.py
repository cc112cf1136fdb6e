"""Why a subject is wrong: each known mistake is named, two at once are, and what is unknown is not given a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from crosscheck import Case, Subject
from crosscheck.diagnose import Diagnosis, diagnose
from crosscheck.implementation import Function, make, subject
from crosscheck.mistakes.catalogue import CATALOGUE, planted
from crosscheck.mistakes.mistake import Mistake
from crosscheck.referee.patched import Patch, patched
from crosscheck.strategies import EVERYTHING
from crosscheck.subjects.manual import manual

SAME = (
    {"time.carry-into-a-copy", "rnn.carry-dropped"},
    {"state.final-gradient-ignored", "state.final-gradient-overwritten"},
)
"""Mistakes of which one gives the numbers of another, in the cells that both may be made in."""


def diagnosed(function: Function, line: str, **options: Any) -> Diagnosis:
    able = make(subject(**options)(lambda case: function(case))) if options else Subject("s", function, EVERYTHING)
    return diagnose(able, Case.parse(line))


def first(diagnosis: Diagnosis) -> set[str]:
    return {mistake.name for mistake in diagnosis.explanations[0].mistakes} if diagnosis.explanations else set()


@pytest.mark.parametrize("mistake", CATALOGUE.values(), ids=CATALOGUE)
def test_a_known_mistake_is_named(mistake: Mistake) -> None:
    diagnosis = diagnosed(planted(mistake), mistake.case, **mistake.options)
    (named,) = first(diagnosis)
    assert named == mistake.name or {named, mistake.name} in SAME
    of_it = next(e for e in diagnosis.explanations if e.mistakes == (mistake,))
    assert of_it.ulps == 0
    assert of_it.cases >= 1


@pytest.mark.parametrize(
    ("a", "b", "line"),
    [
        ("lstm.tanh-twice", "bias.averaged-over-the-batch", "lstm:T2B2I2H2:regime=ordinary:seed=1"),
        ("gru.reset-gate-twice", "time.state-after-for-state-before", "gru:T2B2I2H2:regime=ordinary:seed=1"),
        ("rnn.carry-dropped", "bias.second-not-trained", "rnn_tanh:T2B2I2H2:regime=ordinary:seed=1"),
        ("rnn.carry-dropped", "bias.second-not-trained", "rnn_tanh:T1B1I1H1:seed=1"),
    ],
)
def test_a_pair_is_named(a: str, b: str, line: str) -> None:
    diagnosis = diagnosed(planted([CATALOGUE[a], CATALOGUE[b]]), line)
    assert first(diagnosis) == {a, b}


ELMAN, LSTM, GRU, UNROLL = (f"manual_rnn/{name}.py" for name in ("cells/elman", "cells/lstm", "cells/gru", "unroll"))


@pytest.mark.parametrize(
    ("file", "right", "wrong", "line"),
    [
        (ELMAN, "return da @ weights.W_hh  #", "return 0.99 * da @ weights.W_hh  #", "rnn_tanh:T2B1I1H1:seed=1"),
        (ELMAN, "da *= dh  #", "da *= dh * dh  #", "rnn_tanh:T2B2I2H2:seed=1"),
        (LSTM, "np.multiply(dc, f, out=dc_prev)", "np.multiply(dc, f * f, out=dc_prev)", "lstm:T2B1I1H1:seed=1"),
        (GRU, "dh_prev += dh * z", "dh_prev += dh * z * z", "gru:T1B1I1H1:seed=1"),
        (UNROLL, "db = da.sum(axis=0)", "db = da.sum(axis=0) + da[-B:].sum(axis=0)", "gru:T2B1I1H1:seed=1"),
    ],
)
def test_an_unknown_mistake_is_not_given_a_name(file: str, right: str, wrong: str, line: str) -> None:
    diagnosis = diagnosed(patched([Patch(file, right, wrong)]), line)
    assert (diagnosis.explanations, diagnosis.signatures) == ((), ())
    assert diagnosis.tried > 40
    assert diagnosis.cases == 7


def test_where_no_mistake_fits_the_pattern_is_named() -> None:
    def function(case: Case) -> Mapping[str, Any]:
        results = dict(manual(case))
        return results | {"dW_hh": 3 * results["dW_hh"]}

    diagnosis = diagnosed(function, "gru:T2B2I2H2:seed=1")
    assert diagnosis.explanations == ()
    assert [(s.tensors, s.says) for s in diagnosis.signatures] == [(("dW_hh",), "3 times what it should be")]


def test_right_numbers_have_no_diagnosis() -> None:
    assert diagnosed(manual, "lstm:T2B2I2H2:seed=1") == Diagnosis()


def test_a_subject_that_raises_has_none() -> None:
    def function(case: Case) -> Mapping[str, Any]:
        raise ValueError(str(case))

    assert diagnosed(function, "lstm:T2B2I2H2:seed=1") == Diagnosis()


def test_float32_is_diagnosed_too() -> None:
    mistake = CATALOGUE["lstm.input-gate-for-candidate"]
    diagnosis = diagnosed(planted(mistake), "lstm:T2B2I2H2:regime=ordinary:dtype=float32:seed=1")
    assert first(diagnosis) == {mistake.name}


def test_what_a_subject_leaves_out_is_not_asked_for() -> None:
    mistake = CATALOGUE["rnn.carry-dropped"]
    function = planted(mistake)

    def little(case: Case) -> Mapping[str, Any]:
        return {name: np.array(array) for name, array in function(case).items() if name in ("y", "dx")}

    names = {m.name for e in diagnosed(little, "rnn_tanh:T2B1I1H1:seed=1").explanations for m in e.mistakes}
    assert mistake.name in names
