"""What a subject does on a failing case and on others like it, beside what is right: what a diagnosis goes by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crosscheck.case import Case
from crosscheck.probes import probes
from crosscheck.referee.truth import Known
from crosscheck.subject import Subject, run
from crosscheck.verdict import Status, Verdict, judge


@dataclass(frozen=True)
class Seen:
    """What a subject returned for a case.

    Attributes:
        case: the case.
        got: what was returned, float64, by name.
        known: what is known of the case.
        verdict: what it comes to, by the worst case of rounding.
    """

    case: Case
    got: Mapping[str, Any]
    known: Known
    verdict: Verdict

    @property
    def wrong(self) -> frozenset[str]:
        """The tensors that are wrong."""
        return frozenset(check.name for check in self.verdict.checks if check.status is Status.FAIL)


def gather(subject: Subject, case: Case) -> tuple[Seen, ...]:
    """Return what a subject does on a failing case, first, and on grown ones.

    Where it raises, or returns something malformed, its numbers say nothing, and the case is left out.
    """
    return tuple(seen for probe in probes(subject, case) if (seen := look(subject, probe)) is not None)


def look(subject: Subject, case: Case) -> Seen | None:
    """Return what a subject does on a case; None if it raises, or returns nothing well-formed."""
    result = run(subject, case)
    if result.findings and not result.values:
        return None
    known = Known(case)
    overflows = {} if result.finite else known.overflows
    return Seen(case, result.values, known, judge(subject.name, case, result, known.worst, overflows))
