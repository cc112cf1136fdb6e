"""Every known mistake is found, at the size where it first shows; the copy without one is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from crosscheck import Case, Status, Verdict, check, subject
from crosscheck.examine import examine
from crosscheck.implementation import Function, make
from crosscheck.mistakes.mistake import Mistake
from crosscheck.spec import GATES
from crosscheck.strategies import EVERYTHING
from crosscheck.subjects.manual import manual

EXAMPLES = 60
EXAMPLES_WHERE_HIDDEN = 20

Wrong = Callable[[Verdict], set[str]]
IsSmallest = Callable[[Mistake, Case], bool]


def test_a_mistake_is_found_at_its_smallest(
    mistake: Mistake, wrong_network: Function, wrong: Wrong, is_smallest: IsSmallest
) -> None:
    (verdict,) = check(wrong_network, max_examples=EXAMPLES).failures
    assert verdict.status is Status.FAIL
    assert wrong(verdict) >= set(mistake.tensors)
    assert is_smallest(mistake, verdict.case), f"{verdict.case} is not of the size of {mistake.case}"
    (again,) = examine([make(wrong_network)], Case.parse(str(verdict.case)))
    assert again.status is Status.FAIL
    assert wrong(again) == wrong(verdict)


def test_a_mistake_is_found_in_float32(mistake: Mistake, wrong_network: Function) -> None:
    assert check(wrong_network, max_examples=EXAMPLES, shrink=False, dtype="float32").failures


def test_a_mistake_hides_in_a_blind_regime(mistake: Mistake, hides: Mapping[str, Any], wrong_network: Function) -> None:
    blind: dict[str, Any] = {"max_examples": EXAMPLES_WHERE_HIDDEN, "dtype": "float64", **hides}
    report = check(wrong_network, **blind)
    assert not report.failures
    assert report.inconclusive < report.cases


@pytest.mark.parametrize("dtype", EVERYTHING["dtype"])
@pytest.mark.parametrize("cell", GATES)
def test_the_clean_copy_passes(cell: str, dtype: str, clean: Function) -> None:
    assert clean is not manual
    report = check(subject(**EVERYTHING)(clean), max_examples=EXAMPLES, cell=cell, dtype=dtype)
    assert not report.failures
    assert report.cases == EXAMPLES
    assert report.inconclusive < report.cases
