"""Who else computes what is right: each of these is asked about a failing case, by its own road.

    definition in ball arithmetic     the scalar equations, differentiated on dual numbers; the hand-written formulas
                                      agree with it to a hundred digits
    torch autograd                    torch_rnn, in floating point
    complex step                      the scalar equations on complex balls: of one element theta of a wrong gradient,
                                      Im f(theta + i h) / h = f'(theta) + O(h^2), h = 2^-200; not of a truncated
                                      gradient, which is no derivative

Reference for the last: Squire & Trapp, "Using complex variables to estimate derivatives of real functions", SIAM
Review 40 (1998).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from flint import acb, arb

from crosscheck.case import HELD_IN
from crosscheck.implementation import make, run
from crosscheck.referee import definition
from crosscheck.referee.numbers.ball import Ball, UndecidedError, balls, precision
from crosscheck.referee.proof import Outcome
from crosscheck.referee.truth import Known
from crosscheck.verdict import Status, TensorCheck, judge

STEP_BITS, BITS = 200, 512


def witnesses(known: Known, wrong: Sequence[TensorCheck]) -> tuple[str, ...]:
    """Return, in words, who agrees with what is right in the tensors that a subject gets wrong.

    Args:
        known: what is known of the case.
        wrong: the tensors, and where in each the worst element is.
    """
    asked = {
        f"definition in ball arithmetic ({known.proof.bits} bit)": known.proof.outcome is Outcome.PROVEN,
        "torch autograd": _torch_agrees(known, wrong),
        "complex step": _complex_step_agrees(known, wrong),
    }
    return tuple(name for name, agrees in asked.items() if agrees)


def _torch_agrees(known: Known, wrong: Sequence[TensorCheck]) -> bool:
    case = known.case
    if case.dtype in HELD_IN:  # torch's short formats round where they like; truth has its own model of them
        return False
    verdict = judge("", case, run(make("torch_rnn"), case), known.truth)
    statuses = {check.name: check.status for check in verdict.checks}
    return bool(wrong) and all(statuses.get(check.name) is Status.PASS for check in wrong)


def _complex_step_agrees(known: Known, wrong: Sequence[TensorCheck]) -> bool:
    gradients = [check for check in wrong if check.name not in known.case.output_names]
    return known.case.spec.truncate is None and bool(gradients) and _agrees(known, gradients[0])


def _agrees(known: Known, check: TensorCheck) -> bool:
    """Say whether the complex step gives what is right for the worst element of a gradient, within its tolerance."""
    truth, index = known.truth, check.index
    try:
        slope = complex_step(known, check.name.removeprefix("d"), index)
    except UndecidedError:
        return False
    error = abs(slope - truth.want[check.name][index])
    return bool(error <= truth.bound[check.name][index])


def complex_step(known: Known, name: str, index: tuple[int, ...]) -> float:
    """Return the derivative of a case's objective by one element of an array, by the complex step.

    Args:
        known: what is known of the case.
        name: the array.
        index: the element.

    Raises:
        UndecidedError: a comparison on the way is not settled by the balls.
    """
    case = known.case
    with precision(BITS):
        lifted = case.lift(balls)
        array: Any = np.array(lifted.arrays[name], dtype=object)
        step = arb(2) ** -STEP_BITS
        array[index] = Ball(acb(arb(float(case.arrays[name][index])), step))
        total = definition.objective(replace(case, arrays={**lifted.arrays, name: array}))
        depends = isinstance(total, Ball) and isinstance(total.value, acb)  # a loss over no step is a plain 0
        return float((total.value.imag / step).mid()) if depends else 0.0
