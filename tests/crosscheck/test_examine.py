"""One case: cheap first, the expensive check where it is needed, and what the verdict says it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from crosscheck import Case, Status, Subject
from crosscheck.examine import SHARE, chosen, examine
from crosscheck.implementation import make, run
from crosscheck.referee.numbers.noisy import SAMPLES
from crosscheck.referee.proof import Outcome, Proof
from crosscheck.referee.reference import Reference, reference
from crosscheck.referee.truth import MORE_SAMPLES, Known
from crosscheck.strategies import EVERYTHING
from crosscheck.subjects.manual import manual
from crosscheck.verdict import BLIND, judge

MANUAL = make("manual")
LINE = "lstm:T2B1I2H2:regime=ordinary:seed="


def case(is_chosen: bool) -> Case:
    return next(c for c in (Case.parse(f"{LINE}{seed}") for seed in range(100)) if chosen(c) is is_chosen)


def off_by(factor: float) -> Subject:
    """Return the hand-written network with one element of dW_hh off by a factor."""

    def function(case: Case) -> Mapping[str, Any]:
        results = dict(manual(case))
        dW_hh = results["dW_hh"].copy()
        dW_hh[1, 0] *= factor
        return results | {"dW_hh": dW_hh}

    return Subject("off", function, EVERYTHING)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of samples of every time that the truth is asked for."""
    calls: list[int] = []
    found = Known._truth

    def counted(known: Known, samples: int) -> Reference:
        calls.append(samples)
        return found(known, samples)

    monkeypatch.setattr(Known, "_truth", counted)
    return calls


def test_what_the_cheap_check_settles_is_settled(asked: list[int]) -> None:
    (verdict,) = examine([MANUAL], case(is_chosen=False))
    assert asked == []
    assert (verdict.subject, verdict.status, verdict.evidence) == ("manual", Status.PASS, ())


def test_a_chosen_case_is_proven_anyway(asked: list[int]) -> None:
    (verdict,) = examine([MANUAL], case(is_chosen=True))
    assert asked == [SAMPLES]
    assert verdict.status is Status.PASS
    assert verdict.evidence == ("formulas proven right on balls of 128 bits", "worst-case and sampled rounding")


@pytest.mark.parametrize("is_chosen", [False, True])
def test_depth_can_be_asked_for(is_chosen: bool, asked: list[int]) -> None:
    (shallow,) = examine([MANUAL], case(is_chosen), deep=False)
    assert (asked, shallow.evidence) == ([], ())
    (deep,) = examine([MANUAL], case(is_chosen), deep=True)
    assert asked == [SAMPLES]
    assert len(deep.evidence) == 2
    assert deep.resolution < shallow.resolution


def test_a_failure_by_the_worst_case_needs_no_more_samples(asked: list[int]) -> None:
    (verdict,) = examine([off_by(1.001)], case(is_chosen=False))
    assert asked == [SAMPLES]
    assert verdict.status is Status.FAIL
    assert [check.name for check in verdict.checks if check.status is Status.FAIL] == ["dW_hh"]
    assert verdict.evidence[0] == "formulas proven right on balls of 128 bits"


def test_a_failure_by_samples_alone_is_looked_at_with_more(asked: list[int]) -> None:
    point = Case.parse("lstm:T8B2I3H4:regime=ordinary:seed=1")
    known = Known(point)
    tau, worst = (reference.bound["dW_hh"][1, 0] for reference in (known.truth, known.settled))
    assert tau < worst / 2  # so that a fault between the two is no matter of rounding
    asked.clear()
    factor = 1 + (tau + worst) / 2 / abs(known.truth.want["dW_hh"][1, 0])
    (verdict,) = examine([off_by(factor)], point, deep=True)
    assert asked == [SAMPLES, MORE_SAMPLES]
    assert [check.name for check in verdict.checks if check.status is Status.FAIL] == ["dW_hh"]


def test_what_stays_open_is_inconclusive(monkeypatch: pytest.MonkeyPatch) -> None:
    open_ = Proof(Outcome.OPEN, (), 4096, {})
    monkeypatch.setattr("crosscheck.referee.truth.prove", lambda *_: open_)
    (verdict,) = examine([MANUAL], case(is_chosen=True))
    assert (verdict.status, verdict.proven) == (Status.INCONCLUSIVE, False)
    assert verdict.evidence[0] == "formulas undecided on balls of 4096 bits"


def test_doubt_of_one_is_examined_for_all(asked: list[int]) -> None:
    good, bad = examine([MANUAL, off_by(1.001)], case(is_chosen=False))
    assert asked
    assert (good.status, bad.status) == (Status.PASS, Status.FAIL)
    assert good.evidence == bad.evidence != ()


def test_what_the_cheap_check_is_blind_to_is_settled(asked: list[int]) -> None:
    point = Case.parse("lstm:T60B1I6H12:regime=ordinary:seed=1")  # where the worst case says nothing
    (shallow,) = examine([MANUAL], point, deep=False)
    assert judge("manual", point, run(MANUAL, point), reference(point)).status is Status.INCONCLUSIVE
    assert (shallow.status, asked) == (Status.PASS, [])  # by sampled rounding, with nothing proven
    assert shallow.resolution <= BLIND * 2.0**-53


def test_no_subject_at_all_and_one_that_raises(asked: list[int]) -> None:
    def raising(case: Case) -> Mapping[str, Any]:
        raise RuntimeError("no")

    assert examine([], case(is_chosen=False)) == ()
    (verdict,) = examine([Subject("raising", raising, EVERYTHING)], case(is_chosen=False))
    assert verdict.status is Status.FAIL
    assert verdict.findings[0].kind == "raised"


def test_the_share_is_one_in_five() -> None:
    n = 4_000
    count = sum(chosen(Case.parse(f"rnn_tanh:T1B1I1H1:seed={seed}")) for seed in range(n))
    # a binomial count; six deviations
    assert SHARE == 5
    assert abs(count - n / SHARE) <= 6 * np.sqrt(n * (1 / SHARE) * (1 - 1 / SHARE))
    assert chosen(Case.parse(f"{LINE}1")) is chosen(Case.parse(f"{LINE}1"))
