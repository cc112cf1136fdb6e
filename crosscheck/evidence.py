"""What a subject does on a failing case and on others like it, beside what is right: what a diagnosis goes by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from crosscheck.case import Case
from crosscheck.implementation import Result, Subject, run
from crosscheck.probes import probes
from crosscheck.referee.truth import Known
from crosscheck.verdict import Status, Verdict, judge, outside, ratios


@dataclass(frozen=True)
class Seen:
    """What a subject returned for a case.

    Attributes:
        case: the case.
        got: what was returned, float64, by name.
        known: what is known of the case.
        verdict: what it comes to, by the worst case of rounding, with what is wrong besides numbers.
    """

    case: Case
    got: Mapping[str, Any]
    known: Known
    verdict: Verdict

    @property
    def wrong(self) -> frozenset[str]:
        """The tensors whose numbers are wrong."""
        return frozenset(self.verdict.named(Status.FAIL))

    @property
    def right(self) -> frozenset[str]:
        """The tensors that are right, and would have been seen to be wrong."""
        return frozenset(self.verdict.named(Status.PASS))

    def off(self, name: str) -> Any:
        """Return which elements of a tensor are wrong."""
        return outside(*self._compared(name))

    def errors(self, name: str) -> Any:
        """Return the error of each element of a tensor in units of its bound."""
        return ratios(*self._compared(name))

    def _compared(self, name: str) -> tuple[Any, ...]:
        reference, got = self.known.worst, self.got[name]
        may = False if np.isfinite(got).all() else self.known.overflows[name]
        return got, reference.want[name], reference.bound[name], reference.rest.get(name, 0.0), may

    @property
    def oddities(self) -> frozenset[tuple[str, str]]:
        """What is wrong besides numbers: the kind, and the tensor."""
        return frozenset((finding.kind, finding.name) for finding in self.verdict.findings)


def gather(subject: Subject, case: Case, known: Known | None = None) -> tuple[Seen, ...]:
    """Return what a subject does on a failing case, first, and on grown ones.

    Where it raises, or returns nothing that can be read, its numbers say nothing, and the case is left out.

    Args:
        subject: the subject.
        case: the failing case.
        known: what is known of it already.
    """
    looks = (look(subject, probe, known if probe == case else None) for probe in probes(subject, case))
    return tuple(seen for seen in looks if seen is not None)


def look(subject: Subject, case: Case, known: Known | None = None, names: frozenset[str] | None = None) -> Seen | None:
    """Return what a subject does on a case; None if it raises, or returns nothing that can be read.

    Args:
        subject: the subject.
        case: the case.
        known: what is known of the case already.
        names: the tensors to look at; all if None.
    """
    result = run(subject, case)
    values = {name: array for name, array in result.values.items() if names is None or name in names}
    if any(finding.kind == "raised" for finding in result.findings) or not (values or result.findings):
        return None
    known = known or Known(case)
    overflows = {} if result.finite else known.overflows
    seen = judge(subject.name, case, Result(values, result.findings), known.worst, overflows)
    return Seen(case, values, known, seen)
