"""got, want and bound -> PASS, FAIL or INCONCLUSIVE, with the numbers behind it; all of it data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from crosscheck.case import Case
from crosscheck.implementation import Finding, Result
from crosscheck.referee.numbers.format import FORMATS, Format
from crosscheck.referee.proof import Outcome
from crosscheck.referee.reference import Reference
from crosscheck.spec import base

BLIND = 1e-10 * 2.0**53
"""The resolution above which a check is blind, in units of the unit roundoff: 1e-10 in float64 (numerics: "cases worse
than 1e-10 are INCONCLUSIVE"), and for another format the same number of roundings, but where that is too many."""
ALL = 2.0
"""The resolution above which a tensor of zeros might pass for any other; worse is blind in every format."""


def blind_above(format: Format) -> float:
    """Return the resolution above which a check in a format is blind."""
    return min(BLIND * format.u, ALL)


def blind_above_of(dtype: str) -> float:
    """Return the resolution above which a check in a dtype is blind; that of float64 if there is no such dtype."""
    return blind_above(FORMATS.get(dtype, FORMATS["float64"]))


class Status(Enum):
    """What a check came to."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_APPLICABLE = "NOT APPLICABLE"  # of a property that says nothing about the case


@dataclass(frozen=True)
class TensorCheck:
    """One tensor of a result against what is right.

    Attributes:
        name: the tensor.
        status: FAIL where some error exceeds its bound; INCONCLUSIVE where none does but the check was blind.
        index: the element with the largest error, counted in its bound.
        got, want, bound: there.
        ratio: the largest error in units of its bound; inf for NaN, or where the bound is 0 and the error is not.
        resolution: the smallest fault, relative to the largest element, that would have been seen in every element; 0
            where all arithmetic is exact.
        wrong: the number of elements out of bounds, and `size` that of all.
    """

    name: str
    status: Status
    index: tuple[int, ...]
    got: float
    want: float
    bound: float
    ratio: float
    resolution: float
    wrong: int
    size: int


@dataclass(frozen=True)
class Verdict:
    """What is known about a subject on one case.

    Attributes:
        subject: its name.
        case: the case.
        checks: one a tensor that was compared.
        findings: what was wrong besides numbers.
        not_checked: the tensors that the subject left out.
        outcome: what the proof of the formulas came to; None if none was tried.
        evidence: what it rests on, in words; empty if on the worst-case rounding bound or its samples alone.
        notes: what is worth a word and no fault.
    """

    subject: str
    case: Case
    checks: tuple[TensorCheck, ...]
    findings: tuple[Finding, ...]
    not_checked: tuple[str, ...]
    outcome: Outcome | None = None
    evidence: tuple[str, ...] = ()
    notes: tuple[Finding, ...] = ()

    @property
    def proven(self) -> bool:
        """Whether the values it was judged by are proven right."""
        return self.outcome is Outcome.PROVEN

    @property
    def status(self) -> Status:
        """FAIL if anything is wrong; else INCONCLUSIVE if a check was blind or the proof stayed open; else PASS."""
        statuses = {check.status for check in self.checks}
        if self.findings or Status.FAIL in statuses:
            return Status.FAIL
        undecided = Status.INCONCLUSIVE in statuses or self.outcome is Outcome.OPEN
        return Status.INCONCLUSIVE if undecided else Status.PASS

    def named(self, status: Status) -> tuple[str, ...]:
        """Return the tensors whose check came to a status."""
        return tuple(check.name for check in self.checks if check.status is status)

    @property
    def ratio(self) -> float:
        """The largest error in units of its bound."""
        return max((check.ratio for check in self.checks), default=0.0)

    @property
    def resolution(self) -> float:
        """The worst resolution of any tensor."""
        return max((check.resolution for check in self.checks), default=np.inf)


def same_failure(first: Verdict, other: Verdict) -> bool:
    """Say whether a failure may be another one made smaller: of one subject, on the same side, and of a common tensor.

    A subject with two mistakes would else be shrunk from the one to the other. Where the outputs were wrong they have
    to be wrong still, and where only gradients were, only they may be. Other tensors may come and go, since a zero may
    hide what is wrong with them, and so may layers and directions; but no new kind of finding.
    """
    a, b = _wrong(first), _wrong(other)
    outputs = [{name for name in names if not name.startswith("d")} for names in (a, b)]
    kinds = [{finding.sort for finding in verdict.findings} for verdict in (first, other)]
    return (
        other.subject == first.subject
        and bool(a & b) == bool(a)
        and bool(b) == bool(a)
        and bool(outputs[0]) == bool(outputs[1])
        and kinds[1] <= kinds[0]
    )


def _wrong(verdict: Verdict) -> set[str]:
    """Return the tensors whose numbers are wrong, without their layers and directions."""
    return set(map(base, verdict.named(Status.FAIL)))


def judge(
    subject: str, case: Case, result: Result, reference: Reference, overflows: Mapping[str, Any] | None = None
) -> Verdict:
    """Return the verdict on what a subject returned for a case.

    Args:
        subject: its name.
        case: the case.
        result: what it returned.
        reference: what is right.
        overflows: where, by name, a program may hold infinity or NaN; nowhere if None.
    """
    blind = blind_above(FORMATS[case.dtype])
    may = overflows or {}
    checks = tuple(
        compare(
            name,
            result.values[name],
            reference.want[name],
            reference.bound[name],
            blind,
            rest=reference.rest.get(name, 0.0),
            may=may.get(name, False),
        )
        for name in case.result_shapes
        if name in result.values
    )
    named = set(result.values) | {finding.name for finding in result.findings}
    not_checked = tuple(name for name in case.result_shapes if name not in named)
    return Verdict(subject, case, checks, result.findings, not_checked, notes=result.notes)


def compare(name: str, got: Any, want: Any, bound: Any, blind: float, rest: Any = 0.0, may: Any = False) -> TensorCheck:
    """Compare one tensor with what is right, element by element.

    Args:
        name: the tensor.
        got: what was returned, float64.
        want: what is right, float64; infinite where that is too large for the format, NaN where nothing is known.
        bound: the tolerance of each element.
        blind: the resolution above which the check counts as blind.
        rest: what float64 cut off from `want`, so that an error below its precision is seen too.
        may: where a right program may hold infinity or NaN.
    """
    right = ~outside(got, want, bound, rest, may)
    ratio = ratios(got, want, bound, rest, may)
    index = tuple(int(i) for i in np.unravel_index(np.argmax(ratio), ratio.shape))
    unseen = np.isnan(want) | (right & ~np.isfinite(got) & np.isfinite(want))
    resolution = np.inf if np.any(unseen) else _resolution(want, bound, np.isfinite(want))
    status = Status.PASS if resolution <= blind else Status.INCONCLUSIVE
    if not right.all():
        status = Status.FAIL
    return TensorCheck(
        name=name,
        status=status,
        index=index,
        got=float(got[index]),
        want=float(want[index]),
        bound=float(bound[index]),
        ratio=float(ratio[index]),
        resolution=resolution,
        wrong=int(np.size(right) - np.count_nonzero(right)),
        size=int(np.size(right)),
    )


def ratios(got: Any, want: Any, bound: Any, rest: Any = 0.0, may: Any = False) -> Any:
    """Return the error of each element in units of its bound; the arguments are those of `compare`.

    0 where nothing is held against it; infinite for what is no number and should be one, or where the bound is 0 and
    the error is not.
    """
    number = np.isfinite(got)
    right = ~outside(got, want, bound, rest, may)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.abs((got - want) - rest)
        ratio = error / bound
    counted = right & number & np.isfinite(want) & (error > 0)
    return np.where(right, np.where(counted, ratio, 0.0), np.where(number, ratio, np.inf))


def outside(got: Any, want: Any, bound: Any, rest: Any = 0.0, may: Any = False) -> Any:
    """Return which elements of a tensor are out of bounds; the arguments are those of `compare`."""
    number, unknown = np.isfinite(got), np.isnan(want)
    with np.errstate(invalid="ignore"):
        within = number & np.isfinite(want) & (np.abs((got - want) - rest) <= bound)
    return ~(within | unknown | (~number & (np.isinf(want) | may)))  # so that NaN is wrong, unless there is a reason


def _resolution(want: Any, bound: Any, where: Any) -> float:
    """Return twice the largest bound relative to the largest element, both over the tensor.

    Twice: a right program may be off by the bound itself, in the direction that hides a fault of up to as much again.
    """
    largest_bound = float(np.max(bound, where=where, initial=0.0))
    largest = float(np.max(np.abs(want), where=where, initial=0.0))
    if largest_bound == 0 and np.any(where):
        return 0.0
    return 2 * largest_bound / largest if largest > 0 else np.inf
