"""What is right for a case, to a proven radius, and the tolerance around it: the expensive reference.

The hand-written formulas are proven on balls against the definition (`proof`). Then what they give, to far more digits
than any format has, is the truth, and the tolerance is

    tau = min(E, K s) + radius

E is the worst case (`numbers.bounded`); s the largest root mean square deviation of the tensor's elements under sampled
rounding (`numbers.noisy`), K = 8: the largest error ever seen was 3.4 s, in 1.2 million tensors. A sample is believed
only where max s / max |truth| < 0.1: beyond, rounding has taken over, and 16 samples say too little about its tails.

Where the hand-written network and the definition are proven different, PyTorch is asked, and the two that agree name
the third.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from crosscheck.case import Case
from crosscheck.referee import definition
from crosscheck.referee.numbers.format import FORMATS
from crosscheck.referee.numbers.noisy import SAMPLES, deviation, noisy
from crosscheck.referee.proof import Outcome, Proof, prove
from crosscheck.referee.reference import Reference, reference
from crosscheck.subjects.manual import manual

Arrays = Mapping[str, Any]
K = 8.0
GUARD = 0.1
MORE_SAMPLES = 8 * SAMPLES


@dataclass(frozen=True)
class Truth:
    """What is right for a case.

    Attributes:
        reference: values and tolerances.
        proof: how the hand-written formulas compare with the definition.
        odd: who is wrong, where these two are proven different: "manual" or "definition"; empty where they agree.
    """

    reference: Reference
    proof: Proof
    odd: str = ""


def truth(case: Case, samples: int = SAMPLES) -> Truth:
    """Return what is right for a case.

    Args:
        case: the case.
        samples: how many evaluations with sampled rounding to take.
    """
    proof = prove(manual, case)
    cheap = reference(case)
    if proof.outcome is Outcome.PROVEN:
        return Truth(_proven(case, proof, cheap, samples), proof)
    if proof.outcome is Outcome.OPEN:
        return Truth(cheap, proof)
    if _torch_sides_with_manual(case, proof, cheap):
        return Truth(cheap, proof, odd="definition")
    return Truth(_defined(case, proof, cheap), proof, odd="manual")


def sampled(case: Case, cheap: Reference) -> Reference:
    """Return the cheap reference with sampled rounding in place of the worst case, where that is smaller.

    Two programs are compared, each with its own rounding: the values, in float64, and a subject's. Independent errors
    add in squares, so K s becomes K s sqrt(1 + (u64 / u)^2): K sqrt(2) s in float64.
    """
    factor = K * math.hypot(1, FORMATS["float64"].u / FORMATS[case.dtype].u)
    return replace(cheap, bound=_smaller(case, cheap.want, cheap.bound, factor, SAMPLES))


def _proven(case: Case, proof: Proof, cheap: Reference, samples: int) -> Reference:
    """Return the truth from balls, and the tightest tolerance that is known to hold."""
    want = {name: hi for name, (hi, _, _) in proof.values.items()}
    rest = {name: lo for name, (_, lo, _) in proof.values.items()}
    tolerance = _smaller(case, want, cheap.worst, K, samples)
    bound = {name: tolerance[name] + radius for name, (_, _, radius) in proof.values.items()}
    largest = float(np.finfo(case.dtype).max)
    overflows = not all(np.max(np.abs(array)) < largest for array in want.values())
    for name, array in bound.items():  # NaN and infinity are wrong everywhere, or, after an overflow, nothing is known
        bound[name] = np.full(np.shape(array), np.inf) if overflows else np.minimum(array, largest)
    return Reference(want, bound, cheap.worst, rest)


def _smaller(case: Case, want: Arrays, worst: Arrays, factor: float, samples: int) -> dict[str, Any]:
    """Return the smaller of the worst case and `factor` times the sampled deviation, where that is believed."""
    evaluated = manual(case.lift(_noise(case, samples)))
    tolerance = {}
    for name, center in want.items():
        s = float(np.max(deviation(evaluated[name], center)))
        believed = s < GUARD * float(np.max(np.abs(center)))  # not so where either is NaN
        tolerance[name] = np.minimum(worst[name], factor * s) if believed else worst[name]
    return tolerance


def _noise(case: Case, samples: int) -> Any:
    rng = np.random.Generator(np.random.PCG64([case.seed, zlib.crc32(str(case).encode())]))
    return lambda array: noisy(array, FORMATS[case.dtype], rng, samples)


def _torch_sides_with_manual(case: Case, proof: Proof, cheap: Reference) -> bool:
    from crosscheck.subjects.torch_rnn import torch_rnn

    exact = replace(case.lift(lambda array: np.asarray(array, dtype=np.float64)), dtype="float64")
    third, bound = torch_rnn(exact), reference(exact).bound
    return all(bool(np.all(np.abs(third[name] - cheap.want[name]) <= bound[name])) for name in proof.wrong)


def _defined(case: Case, proof: Proof, cheap: Reference) -> Reference:
    """Return the definition's own values, element by element, with the hand-written network's tolerances.

    Of a wrong tensor the tolerance is that of a wrong formula, perhaps 0: nothing is held against others by it.
    """
    want = definition.values(case)
    bound = dict(cheap.bound)
    for name in proof.wrong:
        bound[name] = np.full(np.shape(bound[name]), np.inf)
    return Reference(want, bound, cheap.worst)
