"""Spec and Case: which network, and one problem for it with every array filled; framework-neutral.

Sizes: T steps, B batch, I input_size, H hidden_size, O output_size, L num_layers, D directions (1 or 2), G gates (1, 4
for the LSTM, 3 for the GRU). A case is also a short line of text, the reproducer of every finding, from which
`Case.parse` makes the identical case:

    rnn_tanh:T2B1I1H1:seed=7
    gru:T3B2I4H5O2:reset_after=false:loss=mse:regime=ordinary:dtype=float32:seed=12
    lstm:T4B3I2H2:layers=2:bidirectional=true:lengths=2,4,0:seed=3

Options at their default are left out of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from crosscheck.errors import ArgumentError
from crosscheck.regimes import REGIMES

GATES = {"rnn_tanh": 1, "rnn_relu": 1, "lstm": 4, "gru": 3}
LOSSES = ("none", "half_squared_error", "mse", "cross_entropy")
DTYPES = ("float64", "float32", "bfloat16", "float16")
HELD_IN = {"bfloat16": "float32"}  # what NumPy has no dtype for, in one that holds all its numbers
SIZE_LIMIT = 2**16
SEED_LIMIT = 2**32


@dataclass(frozen=True)
class Spec:
    """Which network.

    Attributes:
        cell: "rnn_tanh", "rnn_relu", "lstm" or "gru".
        input_size: I.
        hidden_size: H.
        output_size: O, the width of the output layer; 0 if there is none.
        bias: whether the recurrent layers have biases, b_xh and b_hh.
        reset_after: for the GRU: whether the reset gate comes after the recurrent product.
        loss: "half_squared_error", "mse" or "cross_entropy" against a target, or "none": then the cotangent dy is
            given.
        num_layers: L.
        bidirectional: whether each layer also runs from the last step to the first, D = 2; the outputs of the two are
            concatenated, forward first.

    Raises:
        ArgumentError: a value is not one of these, or an option does not apply to the cell.
    """

    cell: str
    input_size: int
    hidden_size: int
    output_size: int = 0
    bias: bool = True
    reset_after: bool = True
    loss: str = "none"
    num_layers: int = 1
    bidirectional: bool = False

    def __post_init__(self) -> None:
        _one_of("cell", self.cell, GATES)
        _one_of("loss", self.loss, LOSSES)
        _size("input_size", self.input_size, least=1)
        _size("hidden_size", self.hidden_size, least=1)
        _size("output_size", self.output_size, least=0)
        _size("num_layers", self.num_layers, least=1)
        if not self.reset_after and self.cell != "gru":
            raise ArgumentError("reset_after", f"false for {self.cell}", "true, or the gru cell")

    @property
    def states(self) -> tuple[str, ...]:
        """The names of the cell's states."""
        return ("h", "c") if self.cell == "lstm" else ("h",)

    @property
    def runs(self) -> tuple[tuple[int, bool], ...]:
        """The layers and directions, (layer, whether it is the reverse one), in the order of the states: torch's."""
        directions = (False, True) if self.bidirectional else (False,)
        return tuple((layer, reverse) for layer in range(self.num_layers) for reverse in directions)

    @property
    def h_size(self) -> int:
        """The width of a layer's output: D*H."""
        return (1 + self.bidirectional) * self.hidden_size

    @property
    def y_size(self) -> int:
        """The width of the output y: O with an output layer, else D*H."""
        return self.output_size or self.h_size

    def param_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every parameter, by name."""
        H, O, GH = self.hidden_size, self.output_size, GATES[self.cell] * self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {}
        for layer, reverse in self.runs:
            end = suffix(layer, reverse)
            shapes |= {f"W_xh{end}": (GH, self.h_size if layer else self.input_size), f"W_hh{end}": (GH, H)}
            if self.bias:
                shapes |= {f"b_xh{end}": (GH,), f"b_hh{end}": (GH,)}
        if O:
            shapes |= {"W_hy": (O, self.h_size), "b_y": (O,)}
        return shapes


def suffix(layer: int, reverse: bool) -> str:
    """Return what the names of a layer's parameters in one direction end in: "", "_reverse", "_l1", "_l1_reverse"."""
    return (f"_l{layer}" if layer else "") + ("_reverse" if reverse else "")


@dataclass(frozen=True)
class Case:
    """One problem: a network, its parameters, inputs and cotangents.

    The objective is

        sum(dy * y) + sum(dh_n * h_n) + sum(dc_n * c_n)          or, with a loss, loss(y, target)

    and the gradients wanted are those of the objective.

    Attributes:
        spec: which network.
        T, B: steps and batch.
        regime: a name in `crosscheck.regimes.REGIMES`.
        seed: what the numbers are drawn from, 0 to 2^32 - 1.
        dtype: "float64", "float32", "bfloat16" or "float16".
        arrays: every array by name, read-only; a function of the fields above.
        lengths: the steps of each sequence, 0 to T, in any order; None if all have T and nobody is told. What comes
            after is padding: x holds numbers there that nobody may use, y and dx are 0, and dy is ignored. The final
            states are those after a sequence's own last step, and the reverse direction begins there; a sequence
            of length 0 has its initial states as final ones. Only without output layer and loss.

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

    def __post_init__(self) -> None:
        _size("T", self.T, least=1)
        _size("B", self.B, least=1)
        _one_of("regime", self.regime, REGIMES)
        _one_of("dtype", self.dtype, DTYPES)
        if type(self.seed) is not int or not 0 <= self.seed < SEED_LIMIT:
            raise ArgumentError("seed", repr(self.seed), "an integer from 0 to 2^32 - 1")
        if self.lengths is not None:
            _check_lengths(self.lengths, self.T, self.B)
            if self.spec.output_size or self.spec.loss != "none":
                raise ArgumentError("lengths", f"{self.lengths} with an output layer or a loss", "none of the two")
        if not self.arrays:
            object.__setattr__(self, "arrays", _fill(self))

    @property
    def array_dtype(self) -> Any:
        """The NumPy dtype of the arrays: that of the name, but float32 for bfloat16, which NumPy hasn't."""
        return np.dtype(HELD_IN.get(self.dtype, self.dtype))

    @property
    def params(self) -> dict[str, Any]:
        """The parameters: W_xh (G*H, I), W_hh (G*H, H), b_xh (G*H,), b_hh (G*H,), W_hy (O, D*H), b_y (O,).

        Of further layers and of the reverse direction with a suffix, W_xh_reverse, W_xh_l1 (G*H, D*H), ...
        """
        return {name: self.arrays[name] for name in self.spec.param_shapes()}

    @property
    def x(self) -> Any:
        """The input (T, B, I)."""
        return self.arrays["x"]

    @property
    def h_0(self) -> Any:
        """The initial hidden states (L*D, B, H): layer by layer, forward and then reverse."""
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
        """The cotangent of h_n (L*D, B, H); None with a loss."""
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
    def output_names(self) -> tuple[str, ...]:
        """What the forward pass returns: y, h_n, c_n of an LSTM, and with a loss its value."""
        finals = (f"{name}_n" for name in self.spec.states)
        return ("y", *finals, *(("loss",) if self.spec.loss != "none" else ()))

    @cached_property
    def result_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of all that a subject may return: outputs, loss, the gradient of every parameter and input."""
        spec, state = self.spec, self._state_shape
        shapes: dict[str, tuple[int, ...]] = {"y": (self.T, self.B, spec.y_size)}
        shapes |= {f"{name}_n": state for name in spec.states}
        if spec.loss != "none":
            shapes["loss"] = ()
        shapes["dx"] = (self.T, self.B, spec.input_size)
        shapes |= {f"d{name}_0": state for name in spec.states}
        return shapes | {f"d{name}": shape for name, shape in spec.param_shapes().items()}

    @property
    def _state_shape(self) -> tuple[int, ...]:
        return len(self.spec.runs), self.B, self.spec.hidden_size

    def lift(self, number: Callable[[Any], Any]) -> Case:
        """Return the same problem with `number` applied to every array, for running it on another number type."""
        return replace(self, arrays={name: number(array) for name, array in self.arrays.items()})

    def __str__(self) -> str:
        spec = self.spec
        size = f"T{self.T}B{self.B}I{spec.input_size}H{spec.hidden_size}"
        if spec.output_size:
            size += f"O{spec.output_size}"
        options = [
            f"{name}={_text(value)}"
            for name, value in (
                ("layers", spec.num_layers),
                ("bidirectional", spec.bidirectional),
                ("bias", spec.bias),
                ("reset_after", spec.reset_after),
                ("loss", spec.loss),
                ("regime", self.regime),
                ("dtype", self.dtype),
                ("lengths", self.lengths),
            )
            if value != OPTIONS[name]
        ]
        return ":".join([spec.cell, size, *options, f"seed={self.seed}"])

    @classmethod
    def parse(cls, text: str) -> Case:
        """Return the case that a line of text stands for.

        Args:
            text: what `str(case)` gave; options may come in any order.

        Raises:
            ArgumentError: it is not such a line; the message says which part is wrong.
        """
        cell, _, rest = text.strip().partition(":")
        size, *options = rest.split(":")
        sizes = re.fullmatch(r"T(\d+)B(\d+)I(\d+)H(\d+)(?:O(\d+))?", size)
        if not sizes:
            raise ArgumentError("case", repr(text), "a line such as rnn_tanh:T2B1I1H1:seed=7")
        T, B, I, H, O = (int(group or 0) for group in sizes.groups())
        values: dict[str, Any] = {}
        for option in options:
            name, _, value = option.partition("=")
            if name in values or name not in OPTIONS:
                raise ArgumentError("case", repr(option), "each at most once: " + ", ".join(OPTIONS))
            values[name] = _value(name, value)
        of_spec = {field: values.pop(name) for name, field in OF_SPEC.items() if name in values}
        return cls(Spec(cell, I, H, O, **of_spec), T, B, **values)


OPTIONS: dict[str, Any] = {
    "layers": 1,
    "bidirectional": False,
    "bias": True,
    "reset_after": True,
    "loss": "none",
    "regime": "simple",
    "dtype": "float64",
    "lengths": None,
    "seed": 0,
}
"""The options of a case's line, with their defaults."""
OF_SPEC = {
    "layers": "num_layers",
    "bidirectional": "bidirectional",
    "bias": "bias",
    "reset_after": "reset_after",
    "loss": "loss",
}
"""Those of them that belong to the spec, with its names for them."""


def _fill(case: Case) -> dict[str, Any]:
    """Return the arrays of a case, read-only."""
    spec, regime = case.spec, REGIMES[case.regime]
    state, y = case._state_shape, (case.T, case.B, spec.y_size)
    drawn = {
        name: (regime.weights if name.startswith("W") else regime.biases).draw(case.seed, name, shape)
        for name, shape in spec.param_shapes().items()
    }
    drawn["x"] = regime.x.draw(case.seed, "x", (case.T, case.B, spec.input_size))
    drawn |= {f"{name}_0": regime.states.draw(case.seed, f"{name}_0", state) for name in spec.states}
    if spec.loss == "none":
        drawn["dy"] = regime.cotangents.draw(case.seed, "dy", y)
        drawn |= {f"d{name}_n": regime.cotangents.draw(case.seed, f"d{name}_n", state) for name in spec.states}
        if regime.last_step_only:
            drawn["dy"][:-1] = 0
        if regime.outputs_only:
            drawn |= {f"d{name}_n": np.zeros(state) for name in spec.states}
    else:
        drawn["target"] = regime.target.draw(case.seed, "target", y)
        if spec.loss == "cross_entropy":
            drawn["target"] = _distribution(drawn["target"])
    arrays = {name: array.astype(case.array_dtype) for name, array in drawn.items()}
    for array in arrays.values():
        array.flags.writeable = False
    return arrays


def _distribution(drawn: Any) -> Any:
    """Return distributions over the last axis, in eighths: most of the weight on one entry, the rest on the first."""
    target = np.zeros_like(drawn)
    np.put_along_axis(target, drawn.argmax(axis=-1, keepdims=True), 0.875, axis=-1)
    target[..., 0] += 0.125
    return target


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(name: str, text: str) -> Any:
    """Return the value of an option from its text."""
    default = OPTIONS[name]
    if name == "lengths":
        if not re.fullmatch(r"[0-9]{1,10}(,[0-9]{1,10})*", text):
            raise ArgumentError(name, repr(text), "whole numbers such as 2,4,0")
        return tuple(map(int, text.split(",")))
    if isinstance(default, bool):
        _one_of(name, text, ("true", "false"))
        return text == "true"
    if isinstance(default, int):
        if not re.fullmatch(r"[0-9]{1,10}", text):
            raise ArgumentError(name, repr(text), "a whole number")
        return int(text)
    return text


def _one_of(argument: str, got: object, wanted: Any) -> None:
    if got not in wanted:
        raise ArgumentError(argument, repr(got), "one of " + ", ".join(map(str, wanted)))


def _check_lengths(lengths: object, T: int, B: int) -> None:
    whole = isinstance(lengths, tuple) and len(lengths) == B
    if not whole or any(type(length) is not int or not 0 <= length <= T for length in lengths):  # type: ignore[attr-defined]
        raise ArgumentError("lengths", lengths, f"a tuple of {B} whole numbers from 0 to {T}")


def _size(argument: str, got: object, least: int) -> None:
    if type(got) is not int or not least <= got <= SIZE_LIMIT:
        raise ArgumentError(argument, repr(got), f"a whole number from {least} to {SIZE_LIMIT}")
