"""Properties by name: whether a subject has them on a case, and the smallest case on which it has not.

A property says something that holds of every right subject on every case that it applies to. `Checks` is a family of
them: those of `crosscheck.properties`, which need no second implementation, and those of `crosscheck.uses`, of second
use. `search` draws cases by a campaign's settings. A property that failed is not asked for again: one mistake, one
report.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Generic, TypeVar

from crosscheck import strategies
from crosscheck.campaign import Settings, aimed, smallest, within
from crosscheck.case import Case
from crosscheck.features import aim
from crosscheck.implementation import Finding, Subject
from crosscheck.verdict import Status, TensorCheck

Setting = TypeVar("Setting")


class NotApplicableError(Exception):
    """A property says nothing about this case, or about a subject that leaves out what it needs."""


class OverflowedError(Exception):
    """What a subject returned is not finite where no program's results need be, so nothing follows."""


class UnsoundError(Exception):
    """A subject did something wrong besides its numbers, while a property was looked at.

    Attributes:
        findings: what.
    """

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(", ".join(finding.kind for finding in findings))
        self.findings = findings


@dataclass(frozen=True)
class PropertyVerdict:
    """Whether a subject has a property on a case.

    Attributes:
        subject: its name.
        case: the case.
        name: the property.
        says: what it says.
        status: FAIL where something differs by more than its bound; INCONCLUSIVE where nothing does, but rounding would
            have hidden much; NOT_APPLICABLE.
        checks: one a tensor that was compared: got and want are what should have been the same.
        findings: what was wrong besides numbers.
    """

    subject: str
    case: Case
    name: str
    says: str
    status: Status
    checks: tuple[TensorCheck, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def worst(self) -> TensorCheck | None:
        """The tensor with the largest difference, counted in its bound; None if none was compared."""
        return max(self.checks, key=lambda check: (check.status is Status.FAIL, check.ratio), default=None)


@dataclass(frozen=True)
class Property(Generic[Setting]):
    """A property.

    Attributes:
        says: what it says.
        check: compares what should be the same; may raise the errors above.
    """

    says: str
    check: Callable[[Setting], Iterable[TensorCheck]]


@dataclass(frozen=True)
class Checks(Generic[Setting]):
    """Properties that are checked in one setting.

    Attributes:
        option: what asks for them on the command line.
        begin: makes the setting: a subject on a case, and what is known of both.
        properties: the properties by name.
    """

    option: str
    begin: Callable[[Subject, Case], Setting]
    properties: Mapping[str, Property[Setting]]

    def verdicts(self, subject: Subject, case: Case, names: Iterable[str] | None = None) -> tuple[PropertyVerdict, ...]:
        """Return whether a subject has the properties of these names, all if None, on a case."""
        if subject.host is not None:
            return subject.host.verdicts(self, case, tuple(names or self.properties))
        setting = self.begin(subject, case)
        return tuple(self._verdict(subject, case, name, setting) for name in names or self.properties)

    def failed(self, subject: str, case: Case, name: str, finding: Finding) -> PropertyVerdict:
        """Return that a property failed by a finding alone."""
        return PropertyVerdict(subject, case, name, self.properties[name].says, Status.FAIL, findings=(finding,))

    def _verdict(self, subject: Subject, case: Case, name: str, setting: Setting) -> PropertyVerdict:
        says, check = self.properties[name].says, self.properties[name].check
        verdict = PropertyVerdict(subject.name, case, name, says, Status.INCONCLUSIVE)
        try:
            checks = tuple(check(setting))
        except NotApplicableError:
            return replace(verdict, status=Status.NOT_APPLICABLE)
        except OverflowedError:
            return verdict
        except UnsoundError as error:
            return replace(verdict, status=Status.FAIL, findings=error.findings)
        statuses = {check.status for check in checks}
        worst = next((s for s in (Status.FAIL, Status.INCONCLUSIVE) if s in statuses), Status.PASS)
        return replace(verdict, status=worst if checks else Status.INCONCLUSIVE, checks=checks)


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Attributes:
        subject: the subject's name.
        counts: for each property, how many cases came to which status.
        failures: the smallest failing case found of each property that failed.
        cases: how many cases were drawn.
    """

    subject: str
    counts: Mapping[str, Mapping[Status, int]]
    failures: tuple[PropertyVerdict, ...]
    cases: int

    @property
    def status(self) -> Status:
        """FAIL if a property failed, else PASS if one passed."""
        passed = any(counts.get(Status.PASS) for counts in self.counts.values())
        return Status.FAIL if self.failures else Status.PASS if passed else Status.INCONCLUSIVE

    @property
    def inconclusive(self) -> int:
        """How often a property could not be decided."""
        return sum(counts.get(Status.INCONCLUSIVE, 0) for counts in self.counts.values())


def search(subject: Subject, checks: Checks[Any], settings: Settings) -> Found:
    """Look for cases on which a subject lacks a property.

    Args:
        subject: the subject.
        checks: the properties.
        settings: how many cases of each cell and dtype, for how long, and drawn from what.

    Raises:
        ArgumentError: the subject supports nothing of what the settings ask for.
    """
    (able,) = aimed([within(subject, settings.options)], settings.regimes)
    running = _Search(able, checks, settings)
    for cell in able.options["cell"]:
        for dtype in able.options["dtype"]:
            running.group(cell, dtype)
    return Found(subject.name, running.counts, tuple(running.failures), running.cases)


def on_cases(subject: Subject, checks: Checks[Any], cases: Sequence[Case]) -> Found:
    """Look at given cases, each property on each of them."""
    counts: dict[str, Counter[Status]] = {name: Counter() for name in checks.properties}
    failures = []
    for case in cases:
        for verdict in checks.verdicts(subject, case):
            counts[verdict.name][verdict.status] += 1
            failures += [verdict] if verdict.status is Status.FAIL else []
    return Found(subject.name, counts, tuple(failures), len(cases))


class _Search:
    """A search while it runs."""

    def __init__(self, subject: Subject, checks: Checks[Any], settings: Settings) -> None:
        self.subject, self.checks, self.settings = subject, checks, settings
        self.counts: dict[str, Counter[Status]] = {name: Counter() for name in checks.properties}
        self.failures: list[PropertyVerdict] = []
        self.cases = 0
        self.deadline = None if settings.max_time is None else time.monotonic() + settings.max_time

    @property
    def asked(self) -> tuple[str, ...]:
        """The properties that have not failed yet."""
        failed = {failure.name for failure in self.failures}
        return tuple(name for name in self.counts if name not in failed)

    def group(self, cell: str, dtype: str) -> None:
        """Draw the cases of one cell in one dtype."""
        random = Random(f"{self.settings.seed}:{cell}:{dtype}")
        options = {**self.subject.options, "cell": (cell,), "dtype": (dtype,)}
        strategy = strategies.cases(options, aim(self.settings.regimes))
        end = self.cases + self.settings.max_examples
        while self.asked and self.cases < end and not self._late():
            before = self.cases
            failure = self._smallest(strategy, random, end - self.cases)
            if failure is not None:
                self.failures.append(failure)
            elif self.cases == before:  # there are no more cases
                return

    def _smallest(self, strategy: Any, random: Random, max_examples: int) -> PropertyVerdict | None:
        """Draw cases until a property fails; return the smallest failure of it that was found, or None."""
        asked: tuple[str, ...] = self.asked
        failing: list[PropertyVerdict] = []  # of one property, the last being the smallest so far

        def fails(case: Case) -> bool:
            if self._late() or not strategies.supported(case, self.subject.options):
                return False
            verdicts = self.checks.verdicts(self.subject, case, [failing[0].name] if failing else asked)
            wrong = [verdict for verdict in verdicts if verdict.status is Status.FAIL][:1]
            if not failing:
                self.cases += 1
                for verdict in verdicts:
                    if verdict.status is not Status.FAIL or verdict in wrong:  # the others' turn comes
                        self.counts[verdict.name][verdict.status] += 1
            failing.extend(wrong)
            return bool(wrong)

        return smallest(strategy, fails, failing, max_examples, self.settings, random, self._late)

    def _late(self) -> bool:
        return self.deadline is not None and time.monotonic() > self.deadline
