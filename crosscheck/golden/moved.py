"""What moved between two recordings, or since one: in units of the bound, and in ulps.

An ulp is the distance between neighbouring numbers of the case's format at the largest number of the tensor as it was:
most of a gradient's elements are sums in which numbers of that size were added. A tensor of zeros moves by infinitely
many.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from crosscheck.golden.check import uses
from crosscheck.golden.vector import Golden, Recording, Vector
from crosscheck.implementation import Subject, run
from crosscheck.referee.numbers.format import FORMATS

EXPECTED, RETURNED = "expected", "returned"


@dataclass(frozen=True)
class Move:
    """A tensor of a vector that is not as it was.

    Attributes:
        id, case: the vector's, and the line of its case.
        tensor: the tensor's name.
        what: "expected", what is right, or "returned", by a subject.
        index: the element that moved most.
        before, now: there; NaN of what is not there.
        bounds: by how many bounds it moved.
        ulps: by how many ulps.
        moved: how many elements did, of how many in all.
        size: of how many in all.
        since: the recording that it was so in.
    """

    id: str
    case: str
    tensor: str
    what: str
    index: tuple[int, ...]
    before: float
    now: float
    bounds: float
    ulps: float
    moved: int
    size: int
    since: Recording


@dataclass(frozen=True)
class Moved:
    """The difference of two sets.

    Attributes:
        moves: what moved.
        compared: how many vectors both have.
        added, gone: the IDs of those that only one has.
    """

    moves: tuple[Move, ...]
    compared: int
    added: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


def moved(old: Golden, new: Golden) -> Moved:
    """Return what moved from one set to another: of the vectors that both have, what is expected and was returned."""
    before, now = ({vector.id: vector for vector in golden.vectors} for golden in (old, new))
    both = [id for id in before if id in now]
    moves = [move for id in both for move in _moves(before[id], _parts(now[id]))]
    added, gone = (tuple(id for id in a if id not in b) for a, b in ((now, before), (before, now)))
    return Moved(tuple(moves), len(both), added, gone)


def moved_since(golden: Golden, subject: Subject) -> Moved:
    """Return what a subject returns otherwise than when a set was recorded; where nothing was, than is expected.

    Args:
        golden: the set.
        subject: the subject; vectors that it does not support are left out.
    """
    used = [vector for vector in golden.valid if uses(subject, vector)]
    moves = [move for vector in used for move in _since(vector, run(subject, vector.case).values)]
    return Moved(tuple(moves), len(used))


def _since(vector: Vector, returned: Mapping[str, Any]) -> Iterator[Move]:
    what = RETURNED if vector.got else EXPECTED
    yield from _moves(vector, {what: returned}, missing=what == RETURNED)


def _parts(vector: Vector) -> dict[str, Mapping[str, Any]]:
    return {EXPECTED: vector.want, RETURNED: vector.got}


def _moves(vector: Vector, now: Mapping[str, Mapping[str, Any]], missing: bool = False) -> Iterator[Move]:
    """Yield what is not as it was in a vector.

    Args:
        vector: as it was.
        now: of what is expected and of what was returned, what there is now, by name.
        missing: whether what is no longer there has moved.
    """
    before = _parts(vector)
    for what, arrays in now.items():
        for name, old in before[what].items():
            if name in arrays:
                yield from _move(vector, what, name, old, np.asarray(arrays[name]))
            elif missing:
                yield from _move(vector, what, name, old, np.full_like(old, np.nan))


def _move(vector: Vector, what: str, name: str, old: Any, new: Any) -> Iterator[Move]:
    old, new = (np.asarray(array, dtype=np.float64) for array in (old, new))
    differ = ~((old == new) | (np.isnan(old) & np.isnan(new)))
    if not differ.any():
        return
    with np.errstate(invalid="ignore"):
        distance = np.where(differ, np.abs(new - old), 0.0)
    distance = np.where(np.isnan(distance), np.inf, distance)
    index = tuple(int(k) for k in np.unravel_index(np.argmax(distance), distance.shape))
    largest, bound = float(distance[index]), vector.bounds[name]
    yield Move(
        vector.id,
        str(vector.case),
        name,
        what,
        index,
        float(old[index]),
        float(new[index]),
        largest / bound if bound > 0 else np.inf,
        largest / ulp if (ulp := _ulp(vector.case.dtype, old)) > 0 else np.inf,
        int(np.count_nonzero(differ)),
        differ.size,
        vector.recording,
    )


def _ulp(dtype: str, array: Any) -> float:
    """Return the distance between neighbouring numbers of a format at the largest number of an array; of zeros, 0."""
    largest = float(np.max(np.abs(array), where=np.isfinite(array), initial=0.0))
    _, exponent = np.frexp(largest)
    return float(np.ldexp(1.0, int(exponent) - FORMATS[dtype].precision)) if largest else 0.0
