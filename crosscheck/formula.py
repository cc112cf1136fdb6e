"""Is a subject's own formula right? Its own code, run on balls, against the definition.

That is possible for code that NumPy runs on any numbers. Compiled code, torch, `math.exp`, `float(...)` can't be
lifted, and nothing is said of their formulas; their numbers are judged all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from crosscheck.case import Case
from crosscheck.implementation import OURS, Subject
from crosscheck.referee.proof import Outcome, Proof, prove


@dataclass(frozen=True)
class Formula:
    """What is known about a subject's own formulas on a case.

    Attributes:
        proof: how they compare with the definition; None if the code can't be lifted.
        reason: why it can't; empty if it can.
    """

    proof: Proof | None
    reason: str = ""


class _NotLiftedError(Exception):
    """What came back are plain numbers."""


def formula(subject: Subject, case: Case, names: frozenset[str]) -> Formula | None:
    """Compare a subject's own formulas with the definition; None for the subjects that come with the package.

    Args:
        subject: the subject.
        case: the case.
        names: the outputs and gradients to look at: those that came back well-formed in floating point.
    """
    if subject.name in OURS:  # of these, the hand-written one is what is proven anyway, and the others are compiled
        return None
    if subject.host is not None:
        return subject.host.formula(case, names)

    def network(lifted: Case) -> Mapping[str, Any]:
        returned = {name: np.asarray(array) for name, array in subject.lifted(lifted).items() if name in names}
        plain = [name for name, array in returned.items() if array.dtype != object]
        if plain:
            raise _NotLiftedError(f"{', '.join(plain)} came back in plain numbers")
        return returned

    try:
        return Formula(prove(network, case))
    except (Exception, SystemExit) as error:  # anything at all may stand in the way of somebody's code
        return Formula(None, f"{type(error).__name__.lstrip('_')}: {error}")


def wrong(found: Formula | None) -> tuple[str, ...]:
    """Return the outputs and gradients whose formula is proven wrong."""
    return found.proof.wrong if found and found.proof and found.proof.outcome is Outcome.WRONG else ()
