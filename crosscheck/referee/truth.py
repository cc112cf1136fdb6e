"""What is known of a case, from cheap to dear, each part found out when it is first asked for.

    worst      the hand-written network's own values in float64, and the worst case of rounding, 2 E
    sampled    the same values with sampled rounding in its place, K s sqrt(2), where that is smaller
    proof      the hand-written formulas, on balls, against the definition
    truth      what proven formulas give, to far more digits than any format has, within tau = min(E, K s) + radius
    settled    the same within the worst case alone, E + radius: what is outside is wrong, and no sample is asked
    confirmed  the truth again, with eight times as many samples

E is the worst case (`numbers.bounded`); s the largest root mean square deviation of the tensor's elements under sampled
rounding (`numbers.noisy`), K = 8: the largest error ever seen was 3.4 s, in 1.2 million tensors. A sample is believed
only where max s / max |truth| < 0.1: beyond, rounding has taken over, and 16 samples say too little about its tails.

Where the hand-written network and the definition are proven different, PyTorch is asked, and the two that agree name
the third.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping, Set
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from crosscheck.case import Case
from crosscheck.referee import definition
from crosscheck.referee.numbers.format import FORMATS
from crosscheck.referee.numbers.noisy import SAMPLES, Pieces, deviation, noisy
from crosscheck.referee.proof import Outcome, Proof, prove
from crosscheck.referee.reference import Reference, overflowing, reference
from crosscheck.subjects.manual import manual

Arrays = Mapping[str, Any]
K = 8.0
GUARD = 0.1
MORE_SAMPLES = 8 * SAMPLES
NEAR = 2.0**-4
"""Within this of the format's largest number another program may overflow where the hand-written one does not; the same
four bits that `numbers.bounded` spares."""


class Known:
    """What is known of a case; see the top of this file.

    Attributes:
        case: the case.
    """

    def __init__(self, case: Case) -> None:
        self.case = case

    @cached_property
    def worst(self) -> Reference:
        """The hand-written network's values, and the worst case of rounding around them."""
        return reference(self.case)

    @cached_property
    def sampled(self) -> Reference:
        """The same values with sampled rounding in place of the worst case, where that is smaller.

        Two programs are compared, each with its own rounding: the values, in float64, and a subject's. Independent
        errors add in squares, so K s becomes K s sqrt(1 + (u64 / u)^2): K sqrt(2) s in float64.
        """
        factor = K * math.hypot(1, FORMATS["float64"].u / FORMATS[self.case.dtype].u)
        return replace(self.worst, bound=self._smaller(self.worst.want, self.worst.bound, factor, SAMPLES))

    @cached_property
    def proof(self) -> Proof:
        """How the hand-written formulas compare with the definition."""
        return prove(manual, self.case)

    @cached_property
    def odd(self) -> str:
        """Who is wrong, where these two are proven different: "manual" or "definition"; empty where they agree."""
        if self.proof.outcome is not Outcome.WRONG:
            return ""
        return "definition" if self._torch_sides_with_manual() else "manual"

    @cached_property
    def truth(self) -> Reference:
        """What is right, from balls, and the tightest tolerance that is known to hold.

        Where nothing could be proven, the hand-written values; where these are wrong, the definition's.
        """
        return self._truth(SAMPLES)

    @cached_property
    def confirmed(self) -> Reference:
        """The same with more samples."""
        return self._truth(MORE_SAMPLES)

    @cached_property
    def settled(self) -> Reference:
        """The same with the worst case of rounding alone, to which no chance belongs."""
        return self._proven(self.worst.worst) if self.proof.outcome is Outcome.PROVEN else self.truth

    def to_judge_by(self, failing: Callable[[Reference], Set[Any]]) -> Reference:
        """Return the truth, or, where by its samples alone something fails, which is no failure yet, that confirmed.

        Args:
            failing: says what fails by a reference.
        """
        found = failing(self.truth)
        return self.truth if not found or found == failing(self.settled) else self.confirmed

    @cached_property
    def overflows(self) -> Arrays:
        """Where a program may hold infinity or NaN: the hand-written network, run in this very format, does or nearly.

        So what overflows on the way is seen too.
        """
        format = FORMATS[self.case.dtype]
        with np.errstate(all="ignore"):
            held = manual(self.case)
            return {name: ~(np.abs(array) < NEAR * format.largest) for name, array in held.items()}

    def _truth(self, samples: int) -> Reference:
        match self.proof.outcome:
            case Outcome.PROVEN:
                want = {name: hi for name, (hi, _, _) in self.proof.values.items()}
                return self._proven(self._smaller(want, self.worst.worst, K, samples))
            case Outcome.WRONG if self.odd == "manual":
                return self._as_far_as_known(self._defined())
            case _:
                return self._as_far_as_known(self.worst)

    def _proven(self, tolerance: Arrays) -> Reference:
        """Return the proven values with a tolerance."""
        format = FORMATS[self.case.dtype]
        rest = {name: lo for name, (_, lo, _) in self.proof.values.items()}
        with np.errstate(all="ignore"):
            bound = {name: tolerance[name] + radius for name, (_, _, radius) in self.proof.values.items()}
            want = {name: overflowing(hi, bound[name], format) for name, (hi, _, _) in self.proof.values.items()}
        return self._as_far_as_known(Reference(want, bound, self.worst.worst, rest))

    def _as_far_as_known(self, reference: Reference) -> Reference:
        """Return the reference without the gradients where the forward pass overflows.

        What becomes of them is the program's own affair: infinity minus itself is NaN, no comparison holds for NaN, and
        so relu's slope there is 0, and the gradient a number like any other.
        """
        if not any(self.overflows[name].any() for name in self.case.output_names):
            return reference
        outputs = self.case.output_names
        want = {
            name: array if name in outputs else np.full_like(array, np.nan) for name, array in reference.want.items()
        }
        return replace(reference, want=want)

    def _smaller(self, want: Arrays, worst: Arrays, factor: float, samples: int) -> dict[str, Any]:
        """Return the smaller of the worst case and `factor` times the sampled deviation, where that is believed."""
        evaluated = manual(self.case.lift(self._noise(samples)))
        tolerance = {}
        for name, center in want.items():
            finite = np.isfinite(center)
            s = float(np.max(deviation(evaluated[name], center), where=finite, initial=0.0))
            believed = s < GUARD * float(np.max(np.abs(center), where=finite, initial=0.0))  # not so where s is NaN
            tolerance[name] = np.minimum(worst[name], factor * s) if believed else worst[name]
        return tolerance

    def _noise(self, samples: int) -> Any:
        rng = np.random.Generator(np.random.PCG64([self.case.seed, zlib.crc32(str(self.case).encode())]))
        spec, format = self.case.spec, FORMATS[self.case.dtype]
        longest = max(spec.input_size, spec.hidden_size, spec.h_size, spec.output_size)
        pieces = Pieces(longest, self.case.B) if format.inner else None
        return lambda array: noisy(array, format, rng, samples, pieces)

    def _torch_sides_with_manual(self) -> bool:
        from crosscheck.subjects.torch_rnn import torch_rnn

        exact = replace(self.case.lift(lambda array: np.asarray(array, dtype=np.float64)), dtype="float64")
        third, bound = torch_rnn(exact), reference(exact).bound
        return all(
            bool(np.all(np.abs(third[name] - self.worst.want[name]) <= bound[name])) for name in self.proof.wrong
        )

    def _defined(self) -> Reference:
        """Return the definition's own values, element by element, with the hand-written network's tolerances.

        Of a wrong tensor the tolerance is that of a wrong formula, perhaps 0: nothing is held against others by it.
        """
        bound = dict(self.worst.bound)
        for name in self.proof.wrong:
            bound[name] = np.full(np.shape(bound[name]), np.inf)
        return Reference(definition.values(self.case), bound, self.worst.worst)
