"""Golden vectors put to use: a subject is judged by them, and they themselves by the referee."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from multiprocessing import get_context

import numpy as np

from crosscheck.golden.vector import Golden, Kind, Vector
from crosscheck.implementation import Result, Subject, run
from crosscheck.referee.proof import Outcome
from crosscheck.referee.truth import Known
from crosscheck.strategies import supported
from crosscheck.verdict import Status, Verdict, judge

SIZES = ("max_T", "max_B", "max_I", "max_H")
AT_A_TIME = 16
"""Vectors that a process is handed together."""


@dataclass(frozen=True)
class Checked:
    """A subject and the vectors of a set.

    Attributes:
        verdicts: one a vector that it supports, by the vector's ID.
        unused: the valid vectors that it does not.
    """

    verdicts: Mapping[str, Verdict]
    unused: tuple[Vector, ...]

    @property
    def failures(self) -> dict[str, Verdict]:
        """The verdicts that are FAIL, by the vector's ID."""
        return {id: verdict for id, verdict in self.verdicts.items() if verdict.status is Status.FAIL}

    @property
    def shown(self) -> tuple[Verdict, ...]:
        """Of the failures, one a cell: that on the smallest case."""
        by_size = sorted(self.failures.values(), key=lambda verdict: sum(map(np.size, verdict.case.arrays.values())))
        return tuple({verdict.case.spec.cell: verdict for verdict in reversed(by_size)}.values())


@dataclass(frozen=True)
class Weighed:
    """A vector judged by the referee.

    Attributes:
        id: the vector's.
        kind: what it says of its numbers.
        verdict: what the referee says of them.
        loose: the tensors whose bound is more than the worst case of rounding.
    """

    id: str
    kind: Kind
    verdict: Verdict
    loose: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """Whether the two say the same, and no bound hides anything."""
        if self.kind is Kind.ACCEPTABLE:
            return not self.loose
        failing = self.verdict.status is Status.FAIL
        return failing is (self.kind is Kind.INVALID) and not self.loose


def check(subject: Subject, golden: Golden) -> Checked:
    """Judge a subject by the valid vectors of a set.

    Args:
        subject: the subject.
        golden: the set.
    """
    used = [vector for vector in golden.valid if uses(subject, vector)]
    ids = {vector.id for vector in used}
    verdicts = {vector.id: judged(subject, vector) for vector in used}
    return Checked(verdicts, tuple(vector for vector in golden.valid if vector.id not in ids))


def uses(subject: Subject, vector: Vector) -> bool:
    """Say whether a vector is for a subject: recorded of it, or of a case that it supports.

    Its largest sizes limit what is drawn, and no vector, unless it states them itself.
    """
    case = vector.case
    sizes = dict(zip(SIZES, (case.T, case.B, case.spec.input_size, case.spec.hidden_size), strict=True))
    free = {name: (size,) for name, size in sizes.items() if name not in subject.declared}
    return vector.recording.subject == subject.name or supported(case, {**subject.options, **free})


def judged(subject: Subject, vector: Vector) -> Verdict:
    """Return the verdict on what a subject returns for a vector's case."""
    verdict = judge(subject.name, vector.case, run(subject, vector.case), vector.reference)
    return replace(
        verdict, outcome=Outcome.PROVEN, evidence=(f"golden vector {vector.id}, recorded {vector.recording.date}",)
    )


def check_set(golden: Golden, processes: int | None = None) -> tuple[Weighed, ...]:
    """Judge the vectors of a set by the referee, which knows no more of them than their cases.

    Args:
        golden: the set.
        processes: how many processes share the work; None: one a processor.
    """
    count = min(processes or os.cpu_count() or 1, -(-len(golden.vectors) // AT_A_TIME))
    if count <= 1:
        return tuple(_weighed(golden.vectors))
    parts = [golden.vectors[k : k + AT_A_TIME] for k in range(0, len(golden.vectors), AT_A_TIME)]
    with ProcessPoolExecutor(count, get_context("spawn")) as pool:
        return tuple(chain.from_iterable(pool.map(_weighed_all, parts)))


def _weighed_all(vectors: tuple[Vector, ...]) -> list[Weighed]:
    return list(_weighed(vectors))


def _weighed(vectors: Iterable[Vector]) -> Iterator[Weighed]:
    known: Known | None = None
    for vector in vectors:
        if known is None or known.case != vector.case:  # vectors of one case lie together
            known = Known(vector.case)
        yield weighed(vector, known)


def weighed(vector: Vector, known: Known) -> Weighed:
    """Judge a vector by the referee.

    Args:
        vector: the vector.
        known: what is known of its case.
    """
    returned = {**vector.want, **(vector.got if vector.kind is not Kind.VALID else {})}
    result = Result({name: np.asarray(array, dtype=np.float64) for name, array in returned.items()})
    verdict = judge("the vector", vector.case, result, known.worst)
    if verdict.status is Status.INCONCLUSIVE:
        verdict = judge("the vector", vector.case, result, known.sampled)
    if verdict.status is Status.INCONCLUSIVE:
        verdict = judge("the vector", vector.case, result, known.truth)
    loose = tuple(name for name, bound in vector.bounds.items() if bound > _most(vector, known, name))
    return Weighed(vector.id, vector.kind, verdict, loose)


def _most(vector: Vector, known: Known, name: str) -> float:
    """Return what a bound may come to: the worst case of a program's rounding, and what rounding `want` may cost."""
    largest = np.max(np.abs(vector.want[name]), initial=0.0).astype(vector.case.array_dtype)
    worst = float(np.max(known.worst.worst[name], initial=0.0))
    return float(np.nextafter(worst, np.inf) + np.spacing(largest))
