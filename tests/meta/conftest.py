"""What plants the known mistakes, each of which the checker must find."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from crosscheck import Case, Status, Verdict, subject
from crosscheck.implementation import Function
from crosscheck.mistakes.catalogue import CATALOGUE, planted
from crosscheck.mistakes.mistake import Mistake
from crosscheck.referee.patched import Patch, patched


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes a `mistake` on every mistake, and one that takes `hides` too on all that hides one."""
    if "hides" in metafunc.fixturenames:
        hiding = [(mistake, hides) for mistake in CATALOGUE.values() for hides in mistake.hidden_by]
        names = [f"{mistake.name}-{','.join(f'{k}={v}' for k, v in hides.items())}" for mistake, hides in hiding]
        metafunc.parametrize(("mistake", "hides"), hiding, ids=names)
    elif "mistake" in metafunc.fixturenames:
        metafunc.parametrize("mistake", CATALOGUE.values(), ids=CATALOGUE)


def made(mistake: Mistake) -> Function:
    """Return the hand-written network with a mistake in it, as a subject for the cell of the mistake's case alone."""
    options: dict[str, Any] = {**mistake.options, "cell": Case.parse(mistake.case).spec.cell}
    return subject(**options)(planted(mistake))


@pytest.fixture
def clean() -> Function:
    """A copy of the hand-written network with no mistake in it."""
    line = "from __future__ import annotations\n"
    return patched([Patch("manual_rnn/errors.py", line, line)])


@pytest.fixture
def wrong_network(mistake: Mistake) -> Function:
    """A copy of the hand-written network with the mistake in it."""
    return made(mistake)


@pytest.fixture(scope="session")
def plant() -> Callable[[Mistake], Function]:
    """`(mistake) -> a copy of the hand-written network with it, for the cell of its case`."""
    return made


@pytest.fixture(scope="session")
def is_smallest() -> Callable[[Mistake, Case], bool]:
    """`(mistake, case) -> whether the case has the smallest T and B at which the mistake shows, and no smaller rest`.

    I, H and O may be larger: arrays of another shape hold other numbers, where the mistake may be hidden by a zero.
    """

    def sizes(line: str) -> list[int]:
        return [int(size) for size in re.findall(r"\d+", line.split(":")[1])]

    def smallest(mistake: Mistake, case: Case) -> bool:
        got, want = sizes(str(case)), sizes(mistake.case)
        return got[:2] == want[:2] and all(g >= w for g, w in zip(got, want, strict=False))

    return smallest


@pytest.fixture(scope="session")
def named() -> Mapping[str, Mistake]:
    """The mistakes by name."""
    return CATALOGUE


@pytest.fixture(scope="session")
def wrong() -> Callable[[Verdict], set[str]]:
    """`(verdict) -> the tensors in which it found something wrong`."""

    def names(verdict: Verdict) -> set[str]:
        numbers = {check.name for check in verdict.checks if check.status is Status.FAIL}
        return numbers | {finding.name for finding in verdict.findings}

    return names
