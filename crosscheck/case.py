"""Case: one problem for a network, with every array filled; framework-neutral.

T steps, B batch; the other sizes are in `crosscheck.spec`. A case is also a short line of text (`crosscheck.line`),
from which `Case.parse` makes the identical case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from crosscheck.errors import ArgumentError
from crosscheck.fill import fill
from crosscheck.line import line, parsed
from crosscheck.memory import MEMORY, laid_out
from crosscheck.regimes import REGIMES
from crosscheck.spec import Spec, one_of, whole, written

DTYPES = ("float64", "float32", "bfloat16", "float16")
HELD_IN = {"bfloat16": "float32"}  # what NumPy has no dtype for, in one that holds all its numbers
STATES = ("both", "initial", "final", "none")
SEED_LIMIT = 2**32


@dataclass(frozen=True)
class Case:
    """One problem: a network, its parameters, inputs and cotangents.

    The objective is

        sum(dy * y) + sum(dh_n * h_n) + sum(dc_n * c_n)          or, with a loss, loss(y, target)

    and the gradients wanted are those of the objective. Shapes are given for the axes "TB"; see `Spec.axes`.

    Attributes:
        spec: which network.
        T, B: steps and batch.
        regime: a name in `crosscheck.regimes.REGIMES`.
        seed: what the numbers are drawn from, 0 to 2^32 - 1.
        dtype: "float64", "float32", "bfloat16" or "float16".
        arrays: every array by name, read-only; a function of the fields above.
        lengths: the steps of each sequence, 0 to T, in any order; None if all have T and nobody is told. What comes
            after is padding: x holds numbers there that nobody may use, y (of an output layer too) and dx are 0, and dy
            and target are ignored. The final states are those after a sequence's own last step, and the reverse
            direction begins there; a sequence of length 0 has its initial states as final ones. A loss that is a mean
            over T is one over a sequence's own steps, and over T and B one over all that are no padding; of no steps
            at all it is 0.
        memory: how a subject's arrays lie in memory, a name in `crosscheck.memory.MEMORY`; see `laid_out`.
        states: which states whoever uses the network has a hand in, for a layer that lets nobody: "initial", the final
            ones have no cotangents; "final", the initial ones are 0; "both" or "none".

    Raises:
        ArgumentError: a value is not one of these.
    """

    spec: Spec
    T: int
    B: int
    regime: str = "simple"
    seed: int = 0
    dtype: str = "float64"
    arrays: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    lengths: tuple[int, ...] | None = None
    memory: str = "contiguous"
    states: str = "both"

    def __post_init__(self) -> None:
        whole("T", self.T, least=1)
        whole("B", self.B, least=1)
        one_of("regime", self.regime, REGIMES)
        one_of("dtype", self.dtype, DTYPES)
        one_of("memory", self.memory, MEMORY)
        one_of("states", self.states, STATES)
        if type(self.seed) is not int or not 0 <= self.seed < SEED_LIMIT:
            raise ArgumentError("seed", repr(self.seed), "an integer from 0 to 2^32 - 1")
        if self.lengths is not None:
            _check_lengths(self.lengths, self.T, self.B)
        if self.spec.axes == "T" and (self.B != 1 or self.lengths is not None):
            lengths = "" if self.lengths is None else f" and lengths {written(self.lengths)}"
            raise ArgumentError(
                "axes", f"T with B={self.B}{lengths}", "T with B=1 and no lengths, or axes with a batch"
            )
        if not self.arrays:
            object.__setattr__(self, "arrays", fill(self))

    @property
    def array_dtype(self) -> Any:
        """The NumPy dtype of the arrays: that of the name, but float32 for bfloat16, which NumPy hasn't."""
        return np.dtype(HELD_IN.get(self.dtype, self.dtype))

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of the recurrent layers and of an output layer, by name; see `Spec.param_shapes`."""
        return {name: self.arrays[name] for name in self.spec.param_shapes()}

    @property
    def layer_params(self) -> dict[str, Any]:
        """The parameters of the recurrent layers alone."""
        return {name: array for name, array in self.params.items() if name not in ("W_hy", "b_y")}

    @property
    def x(self) -> Any:
        """The input (T, B, I)."""
        return self.arrays["x"]

    @property
    def attention(self) -> Any:
        """The attention score of each step (T, B); None without."""
        return self.arrays.get("attention")

    @property
    def h_0(self) -> Any:
        """The initial hidden states (L*D, B, P or H): layer by layer, forward and then reverse."""
        return self.arrays["h_0"]

    @property
    def c_0(self) -> Any:
        """The initial cell states (L*D, B, H) of an LSTM; None for other cells."""
        return self.arrays.get("c_0")

    @property
    def dy(self) -> Any:
        """The cotangent of y, of its shape; None with a loss."""
        return self.arrays.get("dy")

    @property
    def dh_n(self) -> Any:
        """The cotangent of h_n, of its shape; None with a loss."""
        return self.arrays.get("dh_n")

    @property
    def dc_n(self) -> Any:
        """The cotangent of c_n (L*D, B, H) of an LSTM; None with a loss and for other cells."""
        return self.arrays.get("dc_n")

    @property
    def target(self) -> Any:
        """What y should have been, of its shape; None without a loss."""
        return self.arrays.get("target")

    @property
    def dropout(self) -> Any:
        """What the output of each layer but the last is multiplied with, (L-1, T, B, its width); None if with nothing.

        This mask and those below are time-major whatever the axes are; of the reverse direction too, entry t belongs
        to the step that reads x[t].
        """
        return self.arrays.get("dropout")

    @property
    def recurrent(self) -> Any:
        """What h_prev is multiplied with before the recurrent product, (L*D, T, B, P or H); None if with nothing."""
        return self.arrays.get("recurrent")

    @property
    def zoneout(self) -> tuple[Any, ...]:
        """For each state how much of the old one is kept, (L*D, T, B, its width); empty without zoneout.

        state = proposed + zoneout (state_prev - proposed); the LSTM's h is made from the c proposed.
        """
        names = [f"zoneout_{name}" for name in self.spec.states]
        return tuple(self.arrays[name] for name in names if name in self.arrays)

    @property
    def output_names(self) -> tuple[str, ...]:
        """What the forward pass returns: y, h_n, c_n of an LSTM, and with a loss its value."""
        finals = (f"{name}_n" for name in self.spec.states)
        return ("y", *finals, *(("loss",) if self.spec.loss != "none" else ()))

    @property
    def input_names(self) -> tuple[str, ...]:
        """What has a gradient: x, the attention, the initial states, the parameters."""
        attention = ("attention",) if self.spec.attention else ()
        return ("x", *attention, *(f"{name}_0" for name in self.spec.states), *self.spec.param_shapes())

    @cached_property
    def result_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of all that a subject may return: outputs, loss, the gradient of every parameter and input."""
        spec = self.spec
        shapes: dict[str, tuple[int, ...]] = {"y": (*self._sequence, spec.y_size)}
        shapes |= {f"{name}_n": self._state(name) for name in spec.states}
        if spec.loss != "none":
            shapes["loss"] = ()
        inputs = {"x": (*self._sequence, spec.input_size)} | ({"attention": self._sequence} if spec.attention else {})
        inputs |= {f"{name}_0": self._state(name) for name in spec.states} | spec.param_shapes()
        return shapes | {f"d{name}": shape for name, shape in inputs.items()}

    @property
    def _sequence(self) -> tuple[int, ...]:
        """The leading sizes of what is over time."""
        return {"TB": (self.T, self.B), "BT": (self.B, self.T), "T": (self.T,)}[self.spec.axes]

    def _state(self, name: str) -> tuple[int, ...]:
        batch = () if self.spec.axes == "T" else (self.B,)
        return (len(self.spec.runs), *batch, self.spec.state_sizes[name])

    def lift(self, number: Callable[[Any], Any]) -> Case:
        """Return the same problem with `number` applied to every array, for running it on another number type."""
        return replace(self, arrays={name: number(array) for name, array in self.arrays.items()})

    def laid_out(self) -> Case:
        """Return the same problem in arrays of its own, which lie in memory as `memory` says."""
        return replace(self, arrays=laid_out(self.arrays, self.memory))

    def __str__(self) -> str:
        return line(self)

    @classmethod
    def parse(cls, text: str) -> Case:
        """Return the case that a line of text stands for.

        Args:
            text: what `str(case)` gave; options may come in any order.

        Raises:
            ArgumentError: it is not such a line; the message says which part is wrong.
        """
        of_spec, of_case = parsed(text)
        return cls(Spec(**of_spec), **of_case)


def _check_lengths(lengths: object, T: int, B: int) -> None:
    right = isinstance(lengths, tuple) and len(lengths) == B
    if not right or any(type(length) is not int or not 0 <= length <= T for length in lengths):  # type: ignore[attr-defined]
        raise ArgumentError("lengths", lengths, f"a tuple of {B} whole numbers from 0 to {T}")
