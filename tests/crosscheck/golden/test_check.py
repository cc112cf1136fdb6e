"""Subjects judged by vectors, and vectors by the referee, each with what must be found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from crosscheck import Case
from crosscheck.failure import explain
from crosscheck.golden.check import check, check_set, uses
from crosscheck.golden.record import planted, record
from crosscheck.golden.vector import Golden, Kind, Recording, Vector, Wrong
from crosscheck.implementation import Subject, make
from crosscheck.mistakes.catalogue import CATALOGUE
from crosscheck.referee.patched import patched
from crosscheck.strategies import supports
from crosscheck.subjects.manual import manual
from crosscheck.verdict import Status

NOW = Recording("2026-11-26T08:00:00+00:00", {"numpy": "2.3.5"})
LINES = (
    "rnn_tanh:T3B2I1H2:seed=1",
    "lstm:T3B2I2H3:lengths=3,1:regime=nan_padding:seed=1",
    "lstm:T2B1I2H2:layers=2:bidirectional=true:dtype=float32:seed=2",
    "gru:T3B2I2H2:dtype=float32:seed=3",
    "gru:T2B2I1H3:seed=4",
)
MISTAKE = CATALOGUE["rnn.carry-dropped"]
DROPPED = Wrong(MISTAKE.name, MISTAKE.family, MISTAKE.says, MISTAKE.right, MISTAKE.wrong)


@pytest.fixture(scope="module")
def recorded_set() -> Golden:
    return Golden(tuple(record(Case.parse(line), NOW) for line in LINES))


@pytest.fixture(scope="module")
def tanh(recorded_set: Golden) -> Vector:
    return recorded_set.vectors[0]


def of_tanh(function: Any) -> Subject:
    return replace(make(function), options=supports({"cell": "rnn_tanh"}), declared=frozenset({"cell"}))


@pytest.mark.parametrize("name", ["manual", "torch_rnn"])
def test_what_sums_in_another_order_passes_every_vector(name: str, recorded_set: Golden) -> None:
    found = check(make(name), recorded_set)
    assert {id: verdict.status for id, verdict in found.verdicts.items()} == {
        vector.id: Status.PASS for vector in recorded_set.vectors
    }
    assert (found.failures, found.unused, found.shown) == ({}, (), ())


def test_a_mistake_is_found_by_a_vector_and_named(recorded_set: Golden, tanh: Vector) -> None:
    wrong = patched(MISTAKE.patches)
    subject = of_tanh(lambda case: wrong(case))
    found = check(subject, recorded_set)
    assert list(found.failures) == [tanh.id]
    (verdict,) = found.shown
    assert verdict.evidence == (f"golden vector {tanh.id}, recorded 2026-11-26T08:00:00+00:00",)
    assert set(verdict.named(Status.FAIL)) == {"dx", "dh_0", "dW_xh", "dW_hh", "db_xh", "db_hh"}
    diagnosis = explain(subject, verdict).diagnosis
    assert diagnosis is not None
    assert MISTAKE.says in str(diagnosis)


def test_a_subject_is_right_within_the_bound_and_wrong_beyond(tanh: Vector) -> None:
    def off_by(bounds: float) -> Status:
        def function(case: Case) -> Mapping[str, Any]:
            return {**manual(case), "y": tanh.want["y"] + bounds * tanh.bounds["y"]}

        return check(of_tanh(function), Golden((tanh,))).verdicts[tanh.id].status

    assert off_by(0.5) is Status.PASS
    assert off_by(1.5) is Status.FAIL


def test_what_is_wrong_besides_numbers_fails_too(tanh: Vector) -> None:
    def findings(function: Any) -> list[str]:
        return [one.kind for one in check(of_tanh(function), Golden((tanh,))).failures[tanh.id].findings]

    def raising(case: Case) -> Mapping[str, Any]:
        raise RuntimeError("out of luck")

    assert findings(raising) == ["raised"]
    assert findings(lambda case: {**manual(case), "y": np.zeros(3)}) == ["wrong shape"]
    assert findings(lambda _: {}) == ["nothing returned"]


def test_in_the_padding_nothing_but_zero_is_right(recorded_set: Golden) -> None:
    padded = recorded_set.vectors[1]

    def leaking(case: Case) -> Mapping[str, Any]:
        returned = {name: np.array(array) for name, array in manual(case).items()}
        returned["dx"][2, 1] = padded.bounds["dx"] / 2
        return returned

    subject = replace(make("manual"), name="leaking", function=leaking)
    assert list(check(subject, Golden((padded,))).failures[padded.id].named(Status.FAIL)) == ["dx"]


def test_what_a_subject_does_not_support_is_unused_and_what_is_planted_is_not_for_it(
    recorded_set: Golden, tanh: Vector
) -> None:
    invalid = planted(tanh, Kind.INVALID, DROPPED, patched(MISTAKE.patches)(tanh.case))
    found = check(of_tanh(manual), Golden((*recorded_set.vectors, invalid)))
    assert list(found.verdicts) == [tanh.id]
    assert found.unused == recorded_set.vectors[1:]


def test_sizes_limit_what_is_drawn_and_no_vector_unless_they_are_stated(tanh: Vector) -> None:
    large = replace(tanh, case=Case.parse("rnn_tanh:T40B1I1H1:seed=1"))
    assert uses(of_tanh(manual), large)
    small = make(manual, options={"cell": "rnn_tanh", "max_T": 4})
    assert uses(small, tanh)
    assert not uses(small, large)
    assert uses(small, replace(large, recording=replace(NOW, subject=small.name)))


@pytest.mark.parametrize("processes", [1, 2])
def test_the_referee_passes_what_is_right_and_finds_what_is_planted(
    processes: int, recorded_set: Golden, tanh: Vector
) -> None:
    invalid = planted(tanh, Kind.INVALID, DROPPED, patched(MISTAKE.patches)(tanh.case))
    golden = Golden((*recorded_set.vectors, invalid, *([tanh] * 12)))
    found = check_set(golden, processes)
    assert [one.id for one in found] == [vector.id for vector in golden.vectors]
    assert all(one.right for one in found)
    assert found[len(LINES)].verdict.status is Status.FAIL


def test_the_referee_finds_what_is_not_as_a_vector_says(tanh: Vector) -> None:
    dx = np.array(tanh.want["dx"])
    dx[0, 0, 0] += 1e3 * tanh.bounds["dx"]
    wrong = replace(tanh, want={**tanh.want, "dx": dx})
    harmless = replace(tanh, kind=Kind.INVALID, wrong=DROPPED, got={"dx": tanh.want["dx"]})
    loose = replace(tanh, bounds={**tanh.bounds, "dx": 1.0})
    found = check_set(Golden((wrong, harmless, loose, tanh)), 1)
    assert [one.right for one in found] == [False, False, False, True]
    assert list(found[0].verdict.named(Status.FAIL)) == ["dx"]
    assert found[2].loose == ("dx",)


def test_of_an_acceptable_vector_either_may_be_said_but_its_bounds_hide_nothing(tanh: Vector) -> None:
    got = {"dx": tanh.want["dx"] + 1.0}
    convention = Wrong("slope", "convention", "", "", "")
    acceptable = replace(tanh, kind=Kind.ACCEPTABLE, wrong=convention, got=got)
    same = replace(acceptable, got={"dx": tanh.want["dx"]})
    loose = replace(acceptable, bounds={**tanh.bounds, "y": 1.0})
    assert [one.right for one in check_set(Golden((acceptable, same, loose)), 1)] == [True, True, False]


def test_of_the_failures_of_a_cell_the_smallest_case_is_shown(tanh: Vector) -> None:
    small = record(Case.parse("rnn_tanh:T2B1I1H1:seed=1"), NOW)
    wrong = patched(MISTAKE.patches)
    found = check(of_tanh(lambda case: wrong(case)), Golden((tanh, small)))
    assert set(found.failures) == {tanh.id, small.id}
    assert [str(verdict.case) for verdict in found.shown] == ["rnn_tanh:T2B1I1H1:seed=1"]
