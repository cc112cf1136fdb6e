"""All that is wrong with a set of vectors: what `load` refuses, and what could be read but is no good."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from crosscheck.axes import SEQUENCES, padding
from crosscheck.errors import ArgumentError
from crosscheck.fill import fill
from crosscheck.golden.disk import LEFT
from crosscheck.golden.files import read
from crosscheck.golden.flags import FLAGS
from crosscheck.golden.format import ENDINGS, INDEX
from crosscheck.golden.strict import shown
from crosscheck.golden.vector import Arrays, Kind, Vector
from crosscheck.implementation import Result
from crosscheck.mistakes.catalogue import CATALOGUE
from crosscheck.verdict import Status, Verdict, judge


def lint(folder: Path) -> tuple[str, ...]:
    """Return all that is wrong with a set, a line each; of a vector that can't be read, the first thing.

    Args:
        folder: the folder of the set.
    """
    try:
        found = read(folder)
    except ArgumentError as error:
        return (str(error),)
    said = [str(fault) for fault in found.faults]
    if found.named is not None:
        said += [f"{folder / name}: {INDEX} does not name it" for name in _ours(folder) if name not in found.named]
    return (*said, *(f"{folder}: {vector.id}: {text}" for vector in found.golden.vectors for text in _wrong(vector)))


def _ours(folder: Path) -> list[str]:
    """Return the names of the files that a set may consist of, and of those that a save was killed at."""
    names = (path.name for path in folder.iterdir() if path.name != INDEX)
    return sorted(name for name in names if name.endswith(tuple(ENDINGS.values())) or LEFT.fullmatch(name))


def _wrong(vector: Vector) -> Iterator[str]:
    """Yield what is wrong with a vector by itself."""
    unknown = [shown(flag) for flag in vector.flags if flag not in FLAGS]
    if unknown:
        yield f"the flags {', '.join(unknown)} are none of crosscheck.golden.flags"
    if vector.kind is Kind.VALID:
        yield from _wrong_numbers(vector)
        if vector.got and not vector.recording.subject:
            yield "there are numbers of a subject, and its recording names none"
        return
    verdict = _judged(vector, vector.got)
    for check in verdict.checks:
        if check.status is not Status.FAIL:
            yield f"got/{check.name} is within its bound, so that nobody need find it"
    name = vector.wrong.name if vector.wrong else ""
    if vector.kind is Kind.INVALID and name not in CATALOGUE:
        yield f"the catalogue has no mistake {shown(name)}"


def _wrong_numbers(vector: Vector) -> Iterator[str]:
    """Yield what is wrong with the problem of a vector, and with what is said to be right for it."""
    case = vector.case
    for name, array in fill(case).items():
        if not np.array_equal(case.arrays[name], array, equal_nan=True):
            yield f"in/{name}: the numbers are not those of the case line {case}"
    for name in vector.want.keys() & set(SEQUENCES):
        if np.any(vector.want[name][padding(case, name)]):
            yield f"want/{name} is not 0 in the padding"
    for name in _judged(vector, vector.want).named(Status.INCONCLUSIVE):
        yield f"want/{name}: its bound {vector.bounds[name]:.3g} is so wide that a check is blind"


def _judged(vector: Vector, numbers: Arrays) -> Verdict:
    values = {name: np.asarray(array, dtype=np.float64) for name, array in numbers.items()}
    return judge(vector.id, vector.case, Result(values), vector.reference)
