"""What is kept of a failure: the arrays that show it, and what was found out, in words and as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from crosscheck import Case
from crosscheck.examine import examine
from crosscheck.failure import Failure, explain
from crosscheck.implementation import Function, make
from crosscheck.keep import Record, keep, load
from crosscheck.mistakes.catalogue import CATALOGUE, planted
from crosscheck.record import record
from crosscheck.referee.truth import Known
from crosscheck.subjects.manual import manual
from crosscheck.verdict import Status

NAME = "rnn.carry-without-weights"


def recorded(function: Function, line: str) -> Record:
    subject = make(function)
    return record(subject, explain(subject, examine((subject,), Case.parse(line))[0]))


def test_a_known_mistake_is_told_with_its_lines(tmp_path: Path) -> None:
    mistake = CATALOGUE[NAME]
    found = load(keep(recorded(planted(mistake), mistake.case), tmp_path)).record
    assert found.because[0] == mistake.says
    assert found.because[1].startswith(f"({NAME}, reproduces the numbers to 0 ulp on ")
    assert found.mistake[:4] == (
        f"yours       {mistake.wrong}",
        f"should be   {mistake.right}",
        f"belief      {mistake.belief}",
        f"seen in     {mistake.source}",
    )
    assert found.where
    assert "definition in ball arithmetic (128 bit)" in found.agreed
    first = found.diagnosis["explanations"][0]["mistakes"][0]
    assert (first["name"], first["right"], first["wrong"]) == (NAME, mistake.right, mistake.wrong)
    assert found.location["wrong"]
    assert Case.parse(found.location["case"])


def test_an_unknown_one_by_what_it_looks_like() -> None:
    def odd(case: Case) -> Mapping[str, Any]:
        results = manual(case)
        return dict(results) | {"dx": -results["dx"], "dW_xh": results["dW_xh"] + 1}

    found = recorded(odd, "rnn_tanh:T2B1I1H1:seed=0")
    assert found.because[0].startswith("no known mistake gives these numbers (")
    assert any(line.startswith("dx: -1 times") for line in found.because)
    assert found.mistake == ()
    assert found.diagnosis["explanations"] == []


def test_nothing_is_said_of_what_was_not_asked() -> None:
    subject = make(planted(CATALOGUE[NAME]))
    found = record(subject, Failure(examine((subject,), Case.parse(CATALOGUE[NAME].case))[0]), {"as": "it is"})
    assert (found.because, found.where, found.mistake, found.agreed) == ((), (), (), ())
    assert found.location == {}
    assert found.recipe == {"as": "it is"}


def test_a_failure_by_samples_alone_is_recorded_as_it_was_judged() -> None:
    case = Case.parse("gru:T6B2I4H5:regime=ordinary:seed=2")
    known = Known(case)
    step = 0.5 * (known.settled.bound["y"] + known.confirmed.bound["y"])  # wrong, and less than the worst case

    def shifted(given: Case) -> Mapping[str, Any]:
        results = manual(given)
        return dict(results) | {"y": results["y"] + step}

    subject = make(shifted)
    (verdict,) = examine((subject,), case, deep=True)
    assert verdict.status is Status.FAIL
    found = record(subject, Failure(verdict, known=known))
    wrong = np.abs(found.got["y"] - found.want["y"] - found.rest["y"]) > found.bound["y"]
    (check,) = [check for check in verdict.checks if check.name == "y"]
    assert np.count_nonzero(wrong) == check.wrong > 0
