"""Case -> golden vector: the proven truth, rounded to the vector's own format, with the bound that holds around that.

    want  = the number of the format nearest to the truth
    bound = the largest, over a tensor's elements, of (what is right too around the truth + |truth - want|)

What is right too is that of a failure's last word, `Known.confirmed`: the worst case of rounding, or what many samples
of it show where that is smaller. Everything is computed twice, from the case's line on, and compared bit for bit.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from crosscheck.campaign import Checked, Event, Settings, campaign
from crosscheck.case import Case
from crosscheck.errors import ArgumentError
from crosscheck.golden.flags import flags
from crosscheck.golden.vector import Kind, Recording, Vector, Wrong
from crosscheck.implementation import Result, Subject, run
from crosscheck.referee.numbers.format import FORMATS
from crosscheck.referee.proof import Outcome
from crosscheck.referee.truth import Known
from crosscheck.verdict import Status, Verdict, judge, outside
from crosscheck.versions import versions

PACKAGES = ("numpy", "python-flint")


class CannotRecordError(ArgumentError):
    """A case that makes no vector: its truth isn't proven or isn't finite, or a check by it would see nothing."""


def recording(subject: str = "") -> Recording:
    """Return a recording of now.

    Args:
        subject: the text of the subject whose numbers are recorded too; empty if of none.
    """
    return Recording(datetime.now(UTC).isoformat(timespec="seconds"), versions(PACKAGES), subject)


def record(case: Case, recording: Recording, subject: Subject | None = None) -> Vector:
    """Return the vector of a case.

    Args:
        case: the case; the numbers of its arrays are those of its line.
        recording: what is said of when and with what.
        subject: whose numbers are recorded too; None for nobody's.

    Raises:
        CannotRecordError: the case makes no vector.
        ArgumentError: recorded again, it came out otherwise.
    """
    first, second = (_once(Case.parse(str(case)), recording, subject) for _ in range(2))
    moved = list(_differing(first, second))
    if moved:
        raise ArgumentError(str(case), f"other numbers for {', '.join(moved)} the second time", "the same, bit for bit")
    return first


def recorded(cases: Iterable[Case], recording: Recording, subject: Subject | None = None) -> Iterator[Vector]:
    """Yield the vectors of those cases that make one; see `record`."""
    for case in cases:
        try:
            yield record(case, recording, subject)
        except CannotRecordError:
            continue


def drawn(subject: Subject, settings: Settings) -> tuple[Case, ...]:
    """Return the cases that a campaign would check a subject on, each once.

    Raises:
        ArgumentError: see `crosscheck.campaign.campaign`.
    """
    cases: list[Case] = []

    def listen(event: Event) -> None:
        if isinstance(event, Checked):
            cases.append(event.case)

    campaign((subject,), settings, listen, lambda subjects, case, _: (Verdict(subjects[0].name, case, (), (), ()),))
    return tuple(dict.fromkeys(cases))


def planted(vector: Vector, kind: Kind, wrong: Wrong, returned: Mapping[str, Any], comment: str = "") -> Vector:
    """Return a vector with numbers in it that are wrong, or right by another convention.

    Args:
        vector: a valid vector.
        kind: INVALID or ACCEPTABLE.
        wrong: what is planted.
        returned: what a network with that in it returned, by name.
        comment: what else there is to say.

    Raises:
        CannotRecordError: nothing in it is out of its bound.
    """
    reference = vector.reference
    got = {
        name: np.asarray(returned[name], vector.case.array_dtype)
        for name in vector.want
        if name in returned and outside(returned[name], reference.want[name], reference.bound[name]).any()
    }
    if not got:
        raise CannotRecordError(wrong.name, f"numbers within all bounds of {vector.id}", "some that are not")
    return replace(vector, kind=kind, wrong=wrong, got=got, comment=comment)


@dataclass(frozen=True)
class _Rounded:
    """A tensor of the truth, rounded, and what its elements may be off by at the most."""

    want: Any
    bound: float


def _once(case: Case, recording: Recording, subject: Subject | None) -> Vector:
    known = Known(case)
    if known.proof.outcome is not Outcome.PROVEN:
        raise CannotRecordError(str(case), f"formulas {known.proof.outcome.value}", "formulas that are proven")
    truth = known.confirmed
    infinite = [name for name, want in truth.want.items() if not np.isfinite(want).all()]
    if infinite:
        raise CannotRecordError(str(case), f"{', '.join(infinite)} too large for {case.dtype}", "finite numbers")
    rounded = {name: _rounded(case, want, truth.rest[name], truth.bound[name]) for name, want in truth.want.items()}
    want = {name: tensor.want for name, tensor in rounded.items()}
    bounds = {name: tensor.bound for name, tensor in rounded.items()}
    vector = Vector(case, want, bounds, recording, got=_returned(case, subject), flags=flags(case))
    by_itself = judge("", case, Result(dict(vector.reference.want)), vector.reference)
    blind = by_itself.named(Status.INCONCLUSIVE)
    if blind:
        raise CannotRecordError(str(case), f"a check that sees nothing in {', '.join(blind)}", "one that sees faults")
    return vector


def _rounded(case: Case, hi: Any, lo: Any, bound: Any) -> _Rounded:
    """Return hi + lo, rounded to the case's format, with a bound around that.

    |truth - want| <= |(hi - want) + lo|: two roundings in it, and one in adding the bound, each upwards.
    """
    want = rounded_to(case.dtype, hi + lo)
    off = np.abs((hi - want.astype(np.float64)) + lo)
    for _ in range(2):
        off = np.where(off > 0, np.nextafter(off, np.inf), 0.0)
    total = np.where(off > 0, np.nextafter(bound + off, np.inf), bound)
    return _Rounded(want, float(np.max(total, initial=0.0)))


def rounded_to(dtype: str, array: Any) -> Any:
    """Return the nearest numbers of a format, held as `Case.array_dtype` holds them.

    Args:
        dtype: the format's name.
        array: float64, nothing in it too large or subnormal in the format.
    """
    if dtype != "bfloat16":
        return np.asarray(array, dtype=dtype)
    significand, exponent = np.frexp(array)
    scale = FORMATS[dtype].precision
    return np.ldexp(np.rint(np.ldexp(significand, scale)), exponent - scale).astype(np.float32)


def _returned(case: Case, subject: Subject | None) -> dict[str, Any]:
    """Return what a subject returns for a case, in the case's dtype; nothing of what is wrong with it but numbers."""
    if subject is None:
        return {}
    return {name: np.asarray(array, case.array_dtype) for name, array in run(subject, case).values.items()}


def _differing(first: Vector, second: Vector) -> Iterator[str]:
    """Yield what is not the same in two vectors of a case."""
    for part in ("want", "got"):
        one, other = getattr(first, part), getattr(second, part)
        for name in dict.fromkeys(itertools.chain(one, other)):
            if name not in one or name not in other or one[name].tobytes() != other[name].tobytes():
                yield f"{name}" if part == "want" else f"{name}, as returned"
    yield from (f"the bound of {name}" for name in first.bounds if first.bounds[name] != second.bounds.get(name))
