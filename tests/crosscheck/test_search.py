"""The search for a case on which a property is broken, and what becomes of its comparisons."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from crosscheck import ArgumentError, Case, Status, Subject, subject
from crosscheck.campaign import Settings
from crosscheck.implementation import Finding, make
from crosscheck.search import (
    Checks,
    NotApplicableError,
    OverflowedError,
    Property,
    UnsoundError,
    on_cases,
    search,
)
from crosscheck.verdict import TensorCheck, compare

CASE = Case.parse("rnn_tanh:T2B1I1H1:seed=1")
FINDING = Finding("raised", "", "by hand")


@subject(cell=("rnn_tanh", "gru"), dtype="float64", lengths=("none", "positive"))
def nothing(case: Case) -> dict[str, Any]:
    return {}


def comparison(got: float, bound: float = 0.0) -> TensorCheck:
    return compare("y", np.array([1.0, got]), np.array([1.0, 2.0]), np.array([0.0, bound]), blind=0.5)


def checks(**properties: Any) -> Checks[Case]:
    """Return properties of the case alone, each a function that returns comparisons."""
    return Checks("mine", lambda _, case: case, {name: Property(name, check) for name, check in properties.items()})


def raising(error: Exception) -> Any:
    def check(case: Case) -> Iterator[TensorCheck]:
        yield comparison(2.0)
        raise error

    return check


@pytest.mark.parametrize(
    ("check", "status"),
    [
        (lambda _: [comparison(2.0)], Status.PASS),
        (lambda _: [comparison(2.0), comparison(2.5), comparison(2.1, 1.0)], Status.FAIL),
        (lambda _: [comparison(2.0), comparison(2.1, 1.0)], Status.INCONCLUSIVE),
        (lambda _: [], Status.INCONCLUSIVE),
        (raising(NotApplicableError()), Status.NOT_APPLICABLE),
        (raising(OverflowedError()), Status.INCONCLUSIVE),
        (raising(UnsoundError((FINDING,))), Status.FAIL),
    ],
)
def test_what_comparisons_come_to(check: Any, status: Status) -> None:
    (verdict,) = checks(one=check).verdicts(make(nothing), CASE)
    assert (verdict.status, verdict.subject, verdict.case, verdict.name) == (status, "nothing", CASE, "one")
    assert verdict.findings == ((FINDING,) if verdict.status is Status.FAIL and not verdict.checks else ())


def test_the_worst_is_the_largest_difference_of_what_fails() -> None:
    blind, failing = comparison(2.9, 1.0), comparison(2.5, 0.25)
    (verdict,) = checks(one=lambda _: [blind, failing]).verdicts(make(nothing), CASE)
    assert verdict.worst == failing
    assert (failing.index, failing.got, failing.want, failing.bound, failing.ratio) == ((1,), 2.5, 2.0, 0.25, 2.0)


def test_an_error_of_the_checker_is_not_taken_for_the_subject() -> None:
    with pytest.raises(KeyError):
        checks(one=raising(KeyError("mine"))).verdicts(make(nothing), CASE)


def broken_when(condition: Any) -> Any:
    return lambda case: [comparison(3.0 if condition(case) else 2.0)]


FAMILY = checks(
    never=broken_when(lambda _: False),
    steps=broken_when(lambda case: case.T >= 3 and case.spec.hidden_size >= 2),
    lengths=broken_when(lambda case: case.lengths is not None and min(case.lengths) < case.T),
)


def test_each_broken_property_has_its_smallest_case() -> None:
    found = search(make(nothing), FAMILY, Settings(max_examples=60))
    assert {failure.name: str(failure.case) for failure in found.failures} == {
        "steps": "rnn_tanh:T3B1I1H2:seed=0",
        "lengths": "rnn_tanh:T2B1I1H1:lengths=1:seed=0",
    }
    assert found.status is Status.FAIL
    assert found.cases == 120
    assert found.counts["never"] == {Status.PASS: 120}
    for name in ("steps", "lengths"):
        assert found.counts[name][Status.FAIL] == 1  # and then it is not asked for again


def test_a_search_without_shrinking_gives_the_case_that_was_found() -> None:
    found = search(make(nothing), FAMILY, Settings(max_examples=60, shrink=False))
    (steps,) = [failure.case for failure in found.failures if failure.name == "steps"]
    assert str(steps) != "rnn_tanh:T3B1I1H2:seed=0"


def test_settings_say_what_is_drawn() -> None:
    seen: list[Case] = []

    def see(case: Case) -> list[TensorCheck]:
        seen.append(case)
        return []

    family = checks(one=see)
    found = search(make(nothing), family, Settings(max_examples=15, options={"cell": "gru", "max_T": 2}))
    assert found.cases == len(seen) == 15
    assert {case.spec.cell for case in seen} == {"gru"}
    assert max(case.T for case in seen) == 2
    assert found.status is Status.INCONCLUSIVE
    with pytest.raises(ArgumentError, match="something that nothing supports"):
        search(make(nothing), family, Settings(options={"cell": "lstm"}))


def test_no_case_is_begun_when_the_time_is_up() -> None:
    found = search(make(nothing), FAMILY, Settings(max_examples=60, max_time=1e-9))
    assert (found.cases, found.failures) == (0, ())


def test_what_does_not_repeat_says_so() -> None:
    calls = iter(range(10**9))
    family = checks(one=lambda _: [comparison(3.0 if next(calls) == 4 else 2.0)])
    (failure,) = search(make(nothing), family, Settings(max_examples=20)).failures
    assert [finding.kind for finding in failure.findings] == ["not repeatable"]


def test_given_cases_are_looked_at_by_every_property() -> None:
    cases = [CASE, Case.parse("gru:T3B1I1H2:seed=1"), Case.parse("gru:T4B1I1H2:seed=1")]
    found = on_cases(Subject("nothing", nothing, {}), FAMILY, cases)
    assert found.counts == {
        "never": {Status.PASS: 3},
        "steps": {Status.PASS: 1, Status.FAIL: 2},
        "lengths": {Status.PASS: 3},
    }
    assert [failure.case for failure in found.failures] == cases[1:]
