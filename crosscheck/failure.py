"""A failing verdict with all that can be found out about it: where it is wrong, why, and who says so."""

from __future__ import annotations

from dataclasses import dataclass, field

from crosscheck.campaign import Explained, Keep
from crosscheck.diagnose import Diagnosis, diagnose
from crosscheck.implementation import ENDS, Subject
from crosscheck.localise import Location, localise
from crosscheck.referee.truth import Known
from crosscheck.referee.witnesses import witnesses
from crosscheck.verdict import Status, Verdict


@dataclass(frozen=True)
class Failure:
    """A failure, explained.

    Attributes:
        verdict: what is wrong, on the smallest case found.
        after: how many cases it took to find; None if the case was given.
        location: where it is wrong; None where that can't be asked.
        diagnosis: why.
        agreed: who else computes what is right.
        known: what is known of the case, as far as that was asked for.
    """

    verdict: Verdict
    after: int | None = None
    location: Location | None = None
    diagnosis: Diagnosis = field(default_factory=Diagnosis)
    agreed: tuple[str, ...] = ()
    known: Known | None = field(default=None, repr=False, compare=False)


def explain(subject: Subject | None, verdict: Verdict, after: int | None = None) -> Failure:
    """Return a failure with where and why, by experiments on the subject.

    Args:
        subject: the subject; None if the verdict is on a part of the referee.
        verdict: on a case that it fails.
        after: how many cases it took to find.
    """
    wrong = [check for check in verdict.checks if check.status is Status.FAIL]
    if subject is None or any(finding.kind in ENDS for finding in verdict.findings):  # nothing is left to ask
        return Failure(verdict, after)
    known = Known(verdict.case)
    return Failure(
        verdict,
        after,
        localise(subject, verdict, known) if wrong else None,
        diagnose(subject, verdict.case, known),
        witnesses(known, wrong) if wrong else (),
        known,
    )


def explained(
    subject: Subject | None, verdict: Verdict, after: int | None = None, keep: Keep | None = None
) -> Explained:
    """Return a failure explained and kept, as an event for whoever shows or reports it; see `explain`.

    Args:
        subject: the subject; None if the verdict is on a part of the referee.
        verdict: on a case that it fails.
        after: how many cases it took to find.
        keep: keeps it; None if nobody does.
    """
    failure = explain(subject, verdict, after)
    return Explained(subject, failure, keep(subject, failure) if keep and subject else "")
