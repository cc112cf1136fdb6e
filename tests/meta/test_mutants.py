"""Every planted mistake is found, at the size where it first shows; the copy without one is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from crosscheck import Case, Status, Verdict, check
from crosscheck.examine import examine
from crosscheck.spec import GATES
from crosscheck.strategies import EVERYTHING
from crosscheck.subject import make

if TYPE_CHECKING:
    from tests.meta.mutants import Mutant, Options, Subject

EXAMPLES = 60
EXAMPLES_WHERE_HIDDEN = 20

Wrong = Callable[[Verdict], set[str]]


def test_a_mutant_is_found_at_its_smallest(mutant: Mutant, planted: Subject, wrong: Wrong) -> None:
    (verdict,) = check(planted, max_examples=EXAMPLES).failures
    assert verdict.status is Status.FAIL
    assert wrong(verdict) >= set(mutant.tensors)
    assert mutant.is_smallest(verdict.case), f"{verdict.case} is not of the size {mutant.size}"
    (again,) = examine([make(planted)], Case.parse(str(verdict.case)))
    assert again.status is Status.FAIL
    assert wrong(again) == wrong(verdict)


def test_a_mutant_is_found_in_float32(mutant: Mutant, planted: Subject) -> None:
    assert check(planted, max_examples=EXAMPLES, shrink=False, dtype="float32").failures


def test_a_mutant_hides_in_a_blind_regime(mutant: Mutant, hides: Options, planted: Subject) -> None:
    blind: dict[str, Any] = {"max_examples": EXAMPLES_WHERE_HIDDEN, "dtype": "float64", **hides}
    report = check(planted, **blind)
    assert not report.failures
    assert report.inconclusive < report.cases


@pytest.mark.parametrize("dtype", EVERYTHING["dtype"])
@pytest.mark.parametrize("cell", GATES)
def test_the_clean_copy_passes(cell: str, dtype: str, clean: Subject) -> None:
    assert clean.__module__.startswith("manual_rnn_copy")
    report = check(clean, max_examples=EXAMPLES, cell=cell, dtype=dtype)
    assert not report.failures
    assert report.cases == EXAMPLES
    assert report.inconclusive < report.cases


def test_a_patch_that_no_longer_applies_says_so(mutant: Mutant, patched: Callable[[str, Mutant], str]) -> None:
    once = f"before {mutant.right} after"
    assert patched(once, mutant) == f"before {mutant.wrong} after"
    for text in ("before after", 2 * once):
        with pytest.raises(LookupError, match=f"{mutant.name} no longer applies"):
            patched(text, mutant)
