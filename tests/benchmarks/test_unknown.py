"""What is planted beside the catalogue makes wrong what is written beside it, and is not in the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crosscheck import Case
from crosscheck.examine import examine
from crosscheck.implementation import make
from crosscheck.verdict import Status

if TYPE_CHECKING:
    from benchmarks.planted import PLANTINGS
    from benchmarks.planting import copied
    from benchmarks.unknown import CARRIED, ONE_STEP, UNKNOWN
else:
    from planted import PLANTINGS
    from planting import copied
    from unknown import CARRIED, ONE_STEP, UNKNOWN


@pytest.mark.parametrize("name", UNKNOWN)
def test_it_makes_wrong_what_is_written_beside_it(name: str) -> None:
    mistake = UNKNOWN[name]
    case = Case.parse(mistake.case)
    with copied(mistake.changes) as target:
        (verdict,) = examine([make(target)], case, deep=False)
    wrong = {check.name for check in verdict.checks if check.status is Status.FAIL}
    assert wrong
    assert bool(wrong & set(case.output_names)) == mistake.outputs
    if not mistake.outputs:
        assert {tensor for tensor in wrong if tensor.startswith(("dW", "db", "dp"))} == set(mistake.parameters)


@pytest.mark.parametrize("name", [name for name, mistake in UNKNOWN.items() if mistake.reach == CARRIED])
def test_what_is_carried_is_right_within_a_step(name: str) -> None:
    mistake = UNKNOWN[name]
    with copied(mistake.changes) as target:
        (verdict,) = examine([make(target)], Case.parse(mistake.case.replace(":T4", ":T1")), deep=False)
    wrong = {check.name for check in verdict.checks if check.status is Status.FAIL}
    assert wrong <= {"dh_0", "dc_0"}


def test_there_are_enough_of_each_kind() -> None:
    reaches = [mistake.reach for mistake in UNKNOWN.values()]
    assert len(reaches) >= 25
    assert min(reaches.count(reach) for reach in ("", ONE_STEP, CARRIED)) >= 5


def test_none_is_in_the_catalogue() -> None:
    planted = {frozenset(changes) for changes in PLANTINGS.values()}
    assert [name for name, mistake in UNKNOWN.items() if frozenset(mistake.changes) in planted] == []
