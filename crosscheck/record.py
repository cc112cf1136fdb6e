"""What there is to keep of a failure: the arrays that show it, and what was found out, in words and as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from crosscheck.diagnose import Diagnosis
from crosscheck.failure import Failure
from crosscheck.implementation import Subject, run
from crosscheck.keep import Record
from crosscheck.localise import Location
from crosscheck.referee.reference import Reference
from crosscheck.referee.truth import Known
from crosscheck.report.text import count, number
from crosscheck.verdict import Status, judge


def record(subject: Subject, failure: Failure, recipe: Mapping[str, Any] | None = None) -> Record:
    """Return the record of a failure, with the arrays that a further run gives.

    Args:
        subject: the subject.
        failure: what is known about it.
        recipe: how the subject was made of what its name says, if not by itself; plain data.
    """
    case, known = failure.verdict.case, failure.known or Known(failure.verdict.case)
    result = run(subject, case)
    overflows = {} if result.finite else known.overflows

    def failing(reference: Reference) -> set[str]:
        return set(judge(subject.name, case, result, reference, overflows).named(Status.FAIL))

    right = known.to_judge_by(failing)
    return Record(
        subject.name,
        case,
        failure.verdict,
        got=result.values,
        want=right.want,
        bound={name: np.where(overflows.get(name, False), np.inf, array) for name, array in right.bound.items()},
        rest=right.rest,
        recipe=recipe or {},
        because=tuple(_because(failure.diagnosis)),
        where=failure.location.sentences if failure.location else (),
        mistake=tuple(_mistake(failure.diagnosis)),
        agreed=failure.agreed,
        location=_plain_location(failure.location) if failure.location else {},
        diagnosis=plain_diagnosis(failure.diagnosis),
    )


def _because(diagnosis: Diagnosis) -> Iterator[str]:
    """Yield why, or what the wrong numbers look like."""
    cases = count(diagnosis.cases, "case")
    for explanation in diagnosis.explanations[:1]:
        yield explanation.says
        yield f"({explanation.names}, reproduces the numbers to {number(explanation.ulps, 2)} ulp on {cases})"
    if diagnosis.cases and not diagnosis.explanations:
        yield f"no known mistake gives these numbers ({diagnosis.tried} tried on {cases})"
    for signature in diagnosis.signatures:
        yield f"{', '.join(signature.tensors)}: {signature.says}"


def _mistake(diagnosis: Diagnosis) -> Iterator[str]:
    """Yield what is known of the mistake, its right line beside the wrong one."""
    for explanation in diagnosis.explanations[:1]:
        for mistake in explanation.mistakes:
            yield f"yours       {mistake.wrong}"
            yield f"should be   {mistake.right}"
            yield f"belief      {mistake.belief}"
            if mistake.source:
                yield f"seen in     {mistake.source}"
    for other in diagnosis.explanations[1:]:
        yield f"or          {other.names}, which gives the same numbers"


def _plain_location(location: Location) -> dict[str, Any]:
    fields = {name: getattr(location, name) for name in location.__dataclass_fields__}
    return fields | {"case": str(location.case), "reach": location.reach.value}


def plain_diagnosis(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return a diagnosis as plain data."""
    told = ("name", "family", "says", "right", "wrong", "belief", "source")
    explanations = [
        {
            "mistakes": [{name: getattr(mistake, name) for name in told} for mistake in explanation.mistakes],
            "ulps": explanation.ulps,
            "cases": explanation.cases,
        }
        for explanation in diagnosis.explanations
    ]
    signatures = [asdict(signature) for signature in diagnosis.signatures]
    return {
        "explanations": explanations,
        "signatures": signatures,
        "tried": diagnosis.tried,
        "cases": diagnosis.cases,
    }
