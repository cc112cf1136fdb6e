"""Over which paths through time a gradient goes wrong: a cotangent at one step alone, and where dx is wrong then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from crosscheck.axes import AXES, TIME, padding
from crosscheck.case import Case
from crosscheck.evidence import Seen
from crosscheck.experiments import from_step, tried, with_input_at
from crosscheck.implementation import Subject


@dataclass(frozen=True)
class Paths:
    """What becomes of the gradient of the output of step s at step t.

    Attributes:
        wrong: whether it is wrong, (T, T), by s and t.
        right: whether it is right and not zero; where it is neither, nothing is known.
    """

    wrong: Any
    right: Any


@dataclass(frozen=True)
class Reading:
    """What paths come to; see `crosscheck.location.Location`."""

    path_length: int
    steps: tuple[int, ...] = ()
    sources: tuple[int, ...] = ()
    crossings: tuple[tuple[int, int], ...] = ()


def paths(subject: Subject, case: Case) -> Paths | None:
    """Return over which paths gradients go wrong; None if that can't be found out.

    In layers of two directions a path may go on in one and back in the other, and end at its own step: nothing is told.

    Args:
        subject: the subject.
        case: the case, of no loss or of a squared one.
    """
    if case.spec.bidirectional and case.spec.num_layers > 1:
        return None
    T = case.T
    found = Paths(np.zeros((T, T), dtype=bool), np.zeros((T, T), dtype=bool))
    for s in range(T):
        seen = tried(subject, from_step(case, s))
        if seen is None or "dx" not in seen.got:
            return _by_weights(subject, case)
        found.wrong[s], found.right[s] = _at_steps(seen)
    return found


def merged(found: Paths, other: Paths) -> Paths:
    """Return what two cases of the same size show together."""
    wrong = found.wrong | other.wrong
    return Paths(wrong, (found.right | other.right) & ~wrong)


def _at_steps(seen: Seen) -> tuple[Any, Any]:
    """Return at which steps dx is wrong, padding aside, and at which it is right and not zero."""
    time = AXES[seen.case.spec.axes]["dx"][TIME] or 0
    off = np.moveaxis(seen.off("dx") & ~padding(seen.case, "dx"), time, 0).reshape(seen.case.T, -1).any(axis=1)
    known = seen.known.worst
    some = np.moveaxis(np.abs(known.want["dx"]) > known.bound["dx"], time, 0).reshape(seen.case.T, -1)
    return off, ~off & some.any(axis=1) & ("dx" in seen.right | seen.wrong)


def _by_weights(subject: Subject, case: Case) -> Paths | None:
    """Return the paths from the last step alone, by dW_xh where x is not zero at one step alone.

    With dx that is one run; without, it takes one a step, and a single layer in one direction.
    """
    T = case.T
    found = Paths(np.zeros((T, T), dtype=bool), np.zeros((T, T), dtype=bool))
    if len(case.spec.runs) > 1 or case.lengths is not None:
        return None
    for t in range(T):
        seen = tried(subject, with_input_at(from_step(case, T - 1), t))
        if seen is None or "dW_xh" not in seen.got:
            return None
        found.wrong[-1, t] = "dW_xh" in seen.wrong
        found.right[-1, t] = "dW_xh" in seen.right and bool(np.any(seen.known.worst.want["dW_xh"]))
    return found


def read(found: Paths) -> Reading | None:
    """Return what paths come to; None if nothing is wrong on them."""
    wrong, right = found.wrong, found.right
    T = len(wrong)
    lengths = np.abs(np.arange(T)[:, None] - np.arange(T))
    if not wrong.any():
        return None
    shortest = int(lengths[wrong].min())
    if shortest == 0:
        steps, sources = _own(wrong, right)
        return Reading(0, steps=steps, sources=sources)
    return Reading(shortest, crossings=_crossings(wrong, right) if shortest == 1 else ())


def _own(wrong: Any, right: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the steps that are wrong themselves, or else those whose output's gradient gets in wrongly.

    The gradient of another step's output passes through the former wrongly, through the latter as it should.
    """
    own = np.diagonal(wrong)
    if not (own | np.diagonal(right)).all() or own.all():
        return (), ()
    found = tuple(np.nonzero(own)[0].tolist())
    passing = [(s, t) for t in found for s in np.nonzero(~own)[0] if wrong[s, t] or right[s, t]]
    if all(wrong[at] for at in passing):
        return found, ()
    return (), (() if any(wrong[at] for at in passing) else found)


def _crossings(wrong: Any, right: Any) -> tuple[tuple[int, int], ...]:
    """Return the pairs of neighbours between which the gradient gets lost, if it doesn't between some others."""
    T = len(wrong)
    back = [(s, s - 1) for s in range(T - 1, 0, -1)]
    on = [(s, s + 1) for s in range(T - 1)]
    lost = []
    for pairs in (back, on):
        known = all(wrong[pair] or right[pair] for pair in pairs)
        if any(wrong[pair] for pair in pairs) and known and not all(wrong[pair] for pair in pairs):
            lost += [pair for pair in pairs if wrong[pair]]
    return tuple(lost)
