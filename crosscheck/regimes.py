"""The named ways to fill a case with numbers, each with what it makes visible.

Every number is a small integer times a power of two, so it is the same on every machine and exact in bfloat16, float16,
float32 and float64 alike, and short in messages. The integers come from the raw stream of NumPy's PCG64, which NumPy
promises not to change.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]


def bernoulli(seed: int, name: str, shape: tuple[int, ...], rate: float) -> NDArray[np.float64]:
    """Return 1 with probability `rate`, to 16 bits, and 0 otherwise: a pure function of the arguments."""
    drawn = _raw(seed, name, shape) % np.uint64(2**16)
    return np.asarray(drawn.reshape(shape) < rate * 2**16, dtype=np.float64)


def _raw(seed: int, name: str, shape: tuple[int, ...]) -> NDArray[np.uint64]:
    """Return 32 random bits for each number of an array; `name` keeps the arrays of a case apart."""
    raw = np.random.PCG64([seed, zlib.crc32(name.encode())]).random_raw(int(np.prod(shape)))
    return np.asarray(raw >> np.uint64(32), dtype=np.uint64)


@dataclass(frozen=True)
class Fill:
    """Numbers k * step with k drawn evenly from -most, ..., most; most <= 127, so that bfloat16's 8 bits hold them.

    `step` is a power of two. Without `zeros`, k is never 0.
    """

    most: int
    step: float
    zeros: bool = True

    def draw(self, seed: int, name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Return such numbers, a pure function of the arguments."""
        count = 2 * self.most + self.zeros
        k = (_raw(seed, name, shape) % np.uint64(count)).astype(np.int64) - self.most
        if not self.zeros:
            k += k >= 0
        return np.asarray(k.reshape(shape) * self.step, dtype=np.float64)


@dataclass(frozen=True)
class Regime:
    """How the arrays of a case are filled.

    Attributes:
        shows: what mistake is visible here that hides elsewhere.
        weights, biases, x, states, cotangents, target, attention: the fill of each kind of array.
        last_step_only: whether the cotangent dy is zero but at the last step.
        outputs_only: whether the cotangents of the final states are zero.
    """

    shows: str
    weights: Fill
    biases: Fill
    x: Fill
    states: Fill
    cotangents: Fill
    target: Fill
    last_step_only: bool = False
    outputs_only: bool = False
    attention: Fill = Fill(63, 2.0**-6)


HALVES = Fill(2, 0.5)  # -1, -0.5, 0, 0.5, 1
NONZERO_HALVES = Fill(2, 0.5, zeros=False)
FINE = Fill(63, 2.0**-6)  # just below 1
ZERO = Fill(0, 1.0)


def _ordinary(
    shows: str,
    *,
    weights: Fill = Fill(45, 2.0**-6),  # to 0.7, root mean square 0.4
    biases: Fill = FINE,
    x: Fill = FINE,
    states: Fill = FINE,
    last_step_only: bool = False,
    outputs_only: bool = False,
) -> Regime:
    return Regime(shows, weights, biases, x, states, FINE, FINE, last_step_only, outputs_only)


REGIMES: dict[str, Regime] = {
    "simple": Regime(
        "any gross mistake, in numbers to calculate with by hand",
        weights=NONZERO_HALVES,
        biases=HALVES,
        x=HALVES,
        states=HALVES,
        cotangents=NONZERO_HALVES,
        target=HALVES,
        attention=HALVES,
    ),
    "ordinary": _ordinary("most mistakes: every array random, nothing zero, nothing equal"),
    "last_step": _ordinary(
        "a carry that is lost, since all gradient must travel from the last step", last_step_only=True
    ),
    "outputs_only": _ordinary("a final state's cotangent that is expected where there is none", outputs_only=True),
    "zero_state": _ordinary("a gradient of the initial state that is skipped when the state is zero", states=ZERO),
    "zero_bias": _ordinary("a path that only biases keep alive or hide", biases=ZERO),
    "small": _ordinary("an additive fault that larger gradients drown", weights=Fill(45, 2.0**-11), biases=ZERO),
    "saturated": _ordinary("a derivative from the wrong side of a saturated gate", biases=Fill(80, 2.0**-5)),
    "large_inputs": _ordinary("a sum whose terms cancel", x=Fill(127, 2.0**-5), states=Fill(127, 2.0**-5)),
}
