"""What is right for a case, and how far rounding may stray from it.

The hand-written network is run on the number type `Bounded`. That gives the values, computed in float64, and for each
element a bound E: the exact result, and every program's result in the case's dtype, are within E of each other. The
values are one such program in float64, so they are within E u64 / u of the exact result themselves (E grows at least
in proportion to the unit roundoff, being a sum of products of errors that vanish with it). So the tolerance is

    tau = E (1 + u64 / u)                 2 E in float64, E to eight digits in float32
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from crosscheck.case import Case
from crosscheck.referee.numbers.bounded import Bounded, bounded
from crosscheck.referee.numbers.format import FORMATS, Format
from crosscheck.subjects.manual import manual

Network = Callable[[Case], Mapping[str, Any]]


@dataclass(frozen=True)
class Reference:
    """What is right for a case.

    Attributes:
        want: every output and gradient by name, float64; infinite where it is larger than the format's largest number,
            so that a program must hold infinity, or what comes of it; NaN where nothing is known.
        bound: the tolerance for each element, of the same shapes, perhaps infinite.
        worst: E, the part of it that is the program's.
        rest: where known, what float64 cut off from `want`: the exact values are `want + rest`.
    """

    want: Mapping[str, Any]
    bound: Mapping[str, Any]
    worst: Mapping[str, Any]
    rest: Mapping[str, Any] = field(default_factory=dict)


def reference(case: Case, network: Network | None = None) -> Reference:
    """Return what is right for a case.

    Args:
        case: the case.
        network: what computes it, the hand-written one if None; another one, such as that with a mistake in it, brings
            its own values and its own bound along.
    """
    format = FORMATS[case.dtype]
    results: Mapping[str, Bounded] = (network or manual)(case.lift(lambda array: bounded(array, format)))
    widening = 1 + FORMATS["float64"].u / format.u
    with np.errstate(all="ignore"):
        worst = {name: _or_infinite(result.E) for name, result in results.items()}
        bound = {name: E * widening for name, E in worst.items()}
        values = {name: np.asarray(result.v) for name, result in results.items()}
        want = {
            name: overflowing(np.where(np.isinf(v), np.nan, v), bound[name], format) for name, v in values.items()
        }  # what overflows float64 itself is known no better than what comes of it
    return Reference(want, bound, worst)


def overflowing(want: Any, bound: Any, format: Format) -> Any:
    """Return what is wanted, infinite where every number within the bound of it is too large for the format."""
    return np.where(np.abs(want) - bound > format.largest, np.copysign(np.inf, want), want)


def _or_infinite(E: Any) -> Any:
    return np.where(np.isnan(E), np.inf, E)
