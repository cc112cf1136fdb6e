"""The named ways to fill a case with numbers, each with what it makes visible.

Every number is a small integer times a power of two, so it is the same on every machine and exact in bfloat16, float16,
float32 and float64 alike, and short in messages. The integers come from the raw stream of NumPy's PCG64, which NumPy
promises not to change.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

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

    `step` is a power of two. Without `zeros`, k is never 0. With `alike`, one k is drawn for all arrays of a fill.
    """

    most: int
    step: float
    zeros: bool = True
    alike: bool = False

    def draw(self, seed: int, name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Return such numbers, a pure function of the arguments."""
        if self.alike:
            return np.full(shape, replace(self, alike=False).draw(seed, "", ()))
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
        rows: what the rows of x are: "any"; "repeated", out of two; or "one-hot".
        dy: where the cotangent dy is not zero: "everywhere", at the "last step", at "few" places, or "nowhere".
        outputs_only: whether the cotangents of the final states are zero.
        padding: what stands in the padding: "numbers" or "NaN".
        output: the fill of the output layer's parameters; None: as that of all others.
    """

    shows: str
    weights: Fill
    biases: Fill
    x: Fill
    states: Fill
    cotangents: Fill
    target: Fill
    attention: Fill = Fill(63, 2.0**-6)
    rows: str = "any"
    dy: str = "everywhere"
    outputs_only: bool = False
    padding: str = "numbers"
    output: Fill | None = None

    def of_parameter(self, name: str) -> Fill:
        """Return the fill of a parameter."""
        own = self.output if name in ("W_hy", "b_y") else None
        return own or (self.weights if name.startswith(("W", "p")) else self.biases)


HALVES = Fill(2, 0.5)  # -1, -0.5, 0, 0.5, 1
NONZERO_HALVES = Fill(2, 0.5, zeros=False)
FINE = Fill(63, 2.0**-6)  # just below 1
ZERO = Fill(0, 1.0)
ALIKE = Fill(45, 2.0**-6, zeros=False, alike=True)
ONE = Fill(1, 1.0, zeros=False, alike=True)  # or minus one

ORDINARY = Regime(
    "most mistakes: every array random, nothing zero, nothing equal",
    weights=Fill(45, 2.0**-6),  # to 0.7, root mean square 0.4
    biases=FINE,
    x=FINE,
    states=FINE,
    cotangents=FINE,
    target=FINE,
)

REGIMES: dict[str, Regime] = {
    "simple": Regime(
        "any gross mistake, in numbers to calculate with by hand; x has zeros in it",
        weights=NONZERO_HALVES,
        biases=HALVES,
        x=HALVES,
        states=HALVES,
        cotangents=NONZERO_HALVES,
        target=HALVES,
        attention=HALVES,
    ),
    "ordinary": ORDINARY,
    "last_step": replace(
        ORDINARY, shows="a carry that is lost, since all gradient must travel from the last step", dy="last step"
    ),
    "outputs_only": replace(
        ORDINARY, shows="a final state's cotangent that is expected where there is none", outputs_only=True
    ),
    "zero_state": replace(
        ORDINARY, shows="a gradient of the initial state that is skipped when the state is zero", states=ZERO
    ),
    "zero_bias": replace(ORDINARY, shows="a path that only biases keep alive or hide", biases=ZERO),
    "small": replace(
        ORDINARY, shows="an additive fault that larger gradients drown", weights=Fill(45, 2.0**-11), biases=ZERO
    ),
    "saturated": replace(
        ORDINARY, shows="a derivative from the wrong side of a saturated gate", biases=Fill(80, 2.0**-5)
    ),
    "large_inputs": replace(
        ORDINARY, shows="a sum whose terms cancel", x=Fill(127, 2.0**-5), states=Fill(127, 2.0**-5)
    ),
    "equal_parameters": replace(
        ORDINARY,
        shows="a mistake that shows as a symmetry broken: all parameters of the layers are one number",
        weights=ALIKE,
        biases=ALIKE,
        output=FINE,  # else softmax's gradients add up to zero
    ),
    "one_hot": replace(ORDINARY, shows="a lookup or a sparse product in place of W_xh x", rows="one-hot"),
    "repeated_rows": replace(
        ORDINARY, shows="what is kept by the value of an input, or added once where it occurs twice", rows="repeated"
    ),
    "ones": replace(ORDINARY, shows="a cotangent that is taken for its sum or its mean, or for a flag", cotangents=ONE),
    "sparse": replace(ORDINARY, shows="a step that is skipped as its cotangent is zero", dy="few"),
    "final_only": replace(ORDINARY, shows="a final state's cotangent that is lost where y has none", dy="nowhere"),
    "nan_padding": replace(
        ORDINARY, shows="padding that is multiplied by zero where it must not be read: NaN is in it", padding="NaN"
    ),
}
