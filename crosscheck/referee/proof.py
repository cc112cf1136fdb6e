"""Is the formula right? The hand-written network, run on balls, against the definition.

The outputs are compared element by element. The gradients are compared along one random direction v: the hand-written
network gives every element, so its sum of v times gradient; the definition, run once on dual numbers over balls, gives
the derivative along v, with nothing truncated. Balls that are disjoint prove the two different. Where they overlap and
are tight, they agree at this point to so many digits; and since both are analytic functions (for relu: on the branch
that this point is on, which balls decide), two that agree at a random point to that many digits are the same function,
but for a chance of the order of the radius. That covers the shape at hand, no other.

Tight means: a fault of 2^-50 of any element that is not zero would have moved the sum out of the ball. An element whose
ball contains 0 counts as zero once it is below 2^-1075, which every format rounds to 0. Else the precision is doubled,
up to a cap; beyond it the question stays open.

The direction's components are Gaussian: signs alone would miss half of all pairs of equal faults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
from flint import arb

from crosscheck.case import Case
from crosscheck.referee import definition
from crosscheck.referee.numbers.ball import Ball, UndecidedError, balls, overlap, precision, split
from crosscheck.referee.numbers.dual import Dual, duals

FIRST_BITS, MOST_BITS = 128, 4096
FAULT = arb(2) ** -50
NOTHING = arb(2) ** -1075

Numbers = Mapping[str, Any]
Network = Callable[[Case], Numbers]


class Outcome(Enum):
    """What a proof came to."""

    PROVEN = "proven right"
    WRONG = "proven wrong"
    OPEN = "undecided"


@dataclass(frozen=True)
class Proof:
    """What is known about a network's formulas on a case.

    Attributes:
        outcome: whether they are those of the definition.
        wrong: the tensors that are not, if any.
        bits: the precision it took.
        values: what the formulas give, by name, as (hi, lo, radius) float64 arrays: within radius of hi + lo.
    """

    outcome: Outcome
    wrong: tuple[str, ...]
    bits: int
    values: Mapping[str, tuple[Any, Any, Any]]


def prove(network: Network, case: Case) -> Proof:
    """Compare the formulas of a network with the definition on a case.

    Args:
        network: computes outputs and gradients of a case in whatever numbers its arrays are.
        case: the case.
    """
    bits = FIRST_BITS
    while True:
        with precision(bits):
            try:
                outcome, wrong, results = _compare(network, case)
            except UndecidedError:
                outcome, wrong, results = Outcome.OPEN, (), {}
            if outcome is not Outcome.OPEN or 2 * bits > MOST_BITS:
                return Proof(outcome, wrong, bits, {name: split(result) for name, result in results.items()})
        bits *= 2


def _compare(network: Network, case: Case) -> tuple[Outcome, tuple[str, ...], Numbers]:
    results = {name: balls(array) for name, array in network(case.lift(balls)).items()}
    gradients = {name: array for name, array in results.items() if name not in case.output_names}
    directions = _directions(case, gradients)
    defined, want = _defined(case, directions)
    wrong = [name for name in defined if name in results and not _all_overlap(results[name], defined[name])]
    open_ = any(not _tight(results[name], defined[name]) for name in defined if name in results)
    agree, tight = _along(gradients, directions, want)
    if not agree:
        wrong += [name for name in gradients if not _agrees(case, name, gradients[name], directions[name])]
    if wrong:
        return Outcome.WRONG, tuple(wrong), results
    return (Outcome.PROVEN if agree and tight and not open_ else Outcome.OPEN), (), results


def _defined(case: Case, directions: Numbers) -> tuple[Numbers, Any]:
    """Return the definition's outputs, and the derivative of its objective along the directions of the gradients."""
    lifted = {
        name: duals(balls(array), balls(directions.get(f"d{name}", np.zeros(np.shape(array)))))
        for name, array in case.arrays.items()
    }
    dual = replace(case, arrays=lifted)
    outputs = definition.outputs(dual)
    values = {name: balls(_values(array)) for name, array in outputs.items()}
    total = definition.weighted(dual, outputs)
    return values, total.d if isinstance(total, Dual) else Ball(0.0)  # of a loss over no step at all


def _values(array: Any) -> Any:
    """Return the values of an object array of dual numbers."""
    values = np.empty(array.shape, dtype=object)
    for index in np.ndindex(array.shape):
        number = array[index]
        values[index] = number.v if isinstance(number, Dual) else number  # the 0 of padding is a plain one
    return values


def _agrees(case: Case, name: str, gradient: Any, direction: Any) -> bool:
    """Say whether one gradient by itself may be that of the definition."""
    _, want = _defined(case, {name: direction})
    return _along({name: gradient}, {name: direction}, want)[0]


def _along(gradients: Numbers, directions: Numbers, want: Any) -> tuple[bool, bool]:
    """Compare gradients along a direction; return whether the balls overlap, and whether they are tight."""
    terms = [
        g * Ball(v)
        for name, gradient in gradients.items()
        for g, v in zip(gradient.ravel(), directions[name].ravel(), strict=True)
    ]
    got = sum(terms, start=Ball(0.0))
    radius = (got - want).value.rad()
    sizes = [abs(term.value) for term in terms]
    seen = [size.lower() for size in sizes if size > 0]
    hidden = any(not size > 0 and size.upper() > NOTHING for size in sizes)
    return overlap(got, want), not hidden and bool(radius <= FAULT * min(seen, default=NOTHING))


def _directions(case: Case, gradients: Numbers) -> dict[str, Any]:
    """Return a Gaussian direction for each gradient, from the case's seed."""
    rng = np.random.Generator(np.random.PCG64([case.seed, 1]))
    return {name: rng.standard_normal(np.shape(gradient)) for name, gradient in gradients.items()}


def _all_overlap(a: Any, b: Any) -> bool:
    return all(overlap(u, w) for u, w in zip(a.ravel(), b.ravel(), strict=True))


def _tight(a: Any, b: Any) -> bool:
    """Say whether two overlapping arrays of balls agree to within a fault of their largest element."""
    limit = max(FAULT * max(abs(u.value.mid()) for u in a.ravel()), NOTHING)
    return all((u - w).value.abs_upper() <= limit for u, w in zip(a.ravel(), b.ravel(), strict=True))
