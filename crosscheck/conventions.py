"""Conventions: how somebody else lays out what is laid out one way here.

Gate blocks in another order, a weight for each gate, weights (in, out), one weight on [h, x], one bias for two, vectors
as columns, batch before time, z as the share of the new state, names of their own. Every one of these only moves
numbers, or changes their sign; one bias is the sum of two, which is exact for the numbers that cases are filled with.
So nothing is rounded on the way there or back, and a gradient in their layout is the one in ours.

Names, ours and the keys of `Conventions.names`:

    W_xh, W_hh, b_xh, b_hh     as everywhere; b for the one bias, W for the one weight
    W_xi, W_hi, b_xi, b_hi     of the gate i, where each gate has its own; b_i for the one bias, W_i for the one W
    dW_xh, dx, dh_0, ...       a gradient: theirs is "d" + their name of W_xh, if it isn't given too
    x, h_0, c_0, dy, dh_n, y   inputs, cotangents, outputs
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from crosscheck.errors import ArgumentError
from crosscheck.spec import GATES, LETTERS, LOSSES, MEANS, Spec, base, one_of, suffix

BIASES = ("two", "one", "none")
JOINED = ("", "hx", "xh")
RESETS = ("", "after", "before")
SEQUENCES = ("x", "y", "dy", "dx", "target", "attention", "dattention")
STATES = tuple(d + state + end for d in ("", "d") for state in "hc" for end in ("_0", "_n"))
GATED = ("W_xh", "W_hh", "b_xh", "b_hh")
"""The parameters that have a block for each gate."""
UNGATED = ("W_hy", "W_hr", "b_y", "p_i", "p_f", "p_o")
"""Those that have not."""


@dataclass(frozen=True)
class Conventions:
    """How somebody lays out parameters and arrays; the defaults are ours.

    Attributes:
        gates: the order of the gate blocks as letters, such as "ifog"; empty for ours, "ifgo" and "rzn".
        transposed: whether weights are (in, out).
        biases: "two", b_xh and b_hh; "one", b, which stands for their sum; or "none".
        columns: whether vectors are columns: x (T, I, B), states (L*D, H, B), biases (G*H, 1).
        batch_first: whether the batch comes before time: x (B, T, I).
        time_last: whether time comes last: x (B, I, T), and with columns (I, B, T).
        unbatched: whether there is no batch: x (T, I), states (L*D, H), or (L*D, H, 1) with columns. What comes back
            may have further axes of length 1.
        separate: whether each gate has weights and biases of its own.
        joined: "hx" or "xh" where one weight W is multiplied with [h_prev, x_t] or [x_t, h_prev]; else empty.
        z_new: for the GRU: whether z is the share of the new state, h = z n + (1 - z) h_prev.
        reset: for the GRU: whether the reset gate comes "after" the recurrent product or "before"; empty: after, or
            before where only that can be.
        loss: what is descended along, of code that has its loss built in, a name in `crosscheck.spec.LOSSES`; empty
            if it has none, or the one that is usual there.
        mean: what that loss is the mean over; see `Spec.mean`.
        names: our name -> theirs, where it is another; see the top of this file.

    Raises:
        ArgumentError: a value is not one of these, or two of them exclude each other.
    """

    gates: str = ""
    transposed: bool = False
    biases: str = "two"
    columns: bool = False
    batch_first: bool = False
    time_last: bool = False
    unbatched: bool = False
    separate: bool = False
    joined: str = ""
    z_new: bool = False
    reset: str = ""
    loss: str = ""
    mean: str = "default"
    names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        orders = (*LETTERS.values(), "igo")
        if self.gates and sorted(self.gates) not in [sorted(letters) for letters in orders]:
            raise ArgumentError("gates", repr(self.gates), "the letters of ifgo or of rzn in another order")
        one_of("biases", self.biases, BIASES)
        one_of("joined", self.joined, JOINED)
        one_of("reset", self.reset, RESETS)
        one_of("loss", self.loss, ("", *LOSSES[1:]))
        one_of("mean", self.mean, MEANS)
        if self.mean != "default" and not self.loss:
            raise ArgumentError("mean", self.mean, "a loss with it")
        axes = [name for name in ("batch_first", "time_last", "unbatched") if getattr(self, name)]
        if len(axes) > 1 or (self.batch_first and self.columns):
            raise ArgumentError(axes[0], " with ".join([*axes, *["columns"] * self.columns]), "one of these")
        if self.reset == "after" and self._only_before:
            raise ArgumentError(
                "reset",
                f"after with {'one weight' if self.joined else 'one bias'}",
                "before: r would multiply what is added up already",
            )

    @property
    def reset_after(self) -> bool:
        """Whether a GRU's reset gate comes after the recurrent product."""
        return self.reset != "before" and not self._only_before

    @property
    def _only_before(self) -> bool:
        return bool(self.joined) or self.biases == "one"

    def name(self, ours: str) -> str:
        """Return their name of a parameter, an input, an output or a gradient."""
        if ours in self.names or not is_gradient(ours):
            return self.names.get(ours, ours)
        return "d" + self.name(ours[1:])

    def options(self) -> dict[str, tuple[Any, ...]]:
        """Return what a layer with these conventions supports; see `crosscheck.strategies.supports`."""
        cells = tuple(cell for cell, letters in LETTERS.items() if sorted(letters) == sorted(self.gates))
        options: dict[str, tuple[Any, ...]] = {
            "bias": (self.biases != "none",),
            "reset_after": (self.reset_after,),
        }
        if self.gates == "" and (self.z_new or self.reset):
            cells = ("gru",)
        return options | ({"cell": cells} if cells else {}) | ({"max_B": (1,)} if self.unbatched else {})


def theirs(arrays: Mapping[str, Any], spec: Spec, conventions: Conventions) -> dict[str, Any]:
    """Return parameters, inputs, states and cotangents as somebody lays them out, by their names.

    Args:
        arrays: what `Case.arrays` holds, or some of it, but all parameters of a layer or none.
        spec: which network; its axes are "TB".
        conventions: theirs.

    Raises:
        ArgumentError: the network can't be laid out so.
    """
    _check(spec, conventions)
    result: dict[str, Any] = {}
    for layer, reverse in spec.runs:
        end = suffix(layer, reverse)
        if f"W_xh{end}" in arrays:
            of_layer = {name: arrays[name + end] for name in _base_names(spec)}
            result |= {name + end: array for name, array in _layer_there(of_layer, spec, conventions).items()}
    names = {base + suffix(*run) for run in spec.runs for base in _base_names(spec)}
    for name, array in arrays.items():
        if name not in names:
            result[name] = _there(name, array, conventions)
    return {conventions.name(name): array for name, array in result.items()}


def ours(results: Mapping[str, Any], spec: Spec, conventions: Conventions) -> dict[str, Any]:
    """Return outputs and gradients in our layout, by our names.

    Of a parameter whose gradient came back only in part, there is none. What has another name is left as it is.

    Args:
        results: by their names: outputs, gradients.
        spec: which network; its axes are "TB".
        conventions: theirs.

    Raises:
        ArgumentError: the network can't be laid out so, or something has another shape than it has to have.
    """
    _check(spec, conventions)
    left = dict(results)
    found: dict[str, Any] = {}
    for layer, reverse in spec.runs:
        end = suffix(layer, reverse)
        width = spec.h_size if layer else spec.input_size
        parts = {}
        for name, shape in _layer_shapes(spec, width, conventions).items():
            theirs = conventions.name(f"d{name}{end}")
            if theirs in left:
                parts[name] = _shaped(theirs, left.pop(theirs), shape)
        found |= {f"d{name}{end}": array for name, array in _layer_back(parts, spec, width, conventions).items()}
    back = {conventions.name(name): name for name in _widths(spec)}
    for name, array in left.items():
        known = name in back
        found[back.get(name, name)] = (
            _back(back[name], np.asarray(array), _widths(spec)[back[name]], conventions) if known else array
        )
    return found


def pieces(spec: Spec, conventions: Conventions) -> tuple[str, ...]:
    """Return our names of all that somebody's layers have as parameters."""
    _check(spec, conventions)
    of_layer = [*_layer_shapes(spec, spec.input_size, conventions)]
    gated = [name + suffix(*run) for run in spec.runs for name in of_layer]
    ungated = [name for name in spec.param_shapes() if base(name) not in GATED]
    return (*gated, *ungated)


def _check(spec: Spec, conventions: Conventions) -> None:
    letters = spec.letters
    if conventions.gates and sorted(conventions.gates) != sorted(letters):
        raise ArgumentError("gates", conventions.gates, f"the letters of {letters}, the gates of {spec.cell}")
    if spec.bias is not (conventions.biases != "none"):
        raise ArgumentError("biases", conventions.biases, "two or one" if spec.bias else "none: the network has none")
    if spec.cell == "gru" and spec.reset_after is not conventions.reset_after:
        wanted = "after" if spec.reset_after else "before"
        raise ArgumentError("reset", conventions.reset or f"{conventions.biases} bias", wanted)
    moved = conventions.columns or conventions.batch_first or conventions.time_last or conventions.unbatched
    if moved and spec.axes != "TB":
        raise ArgumentError("axes", spec.axes, "TB: conventions say the order of axes")


def _order(spec: Spec, conventions: Conventions) -> str:
    return conventions.gates or spec.letters


def _base_names(spec: Spec) -> tuple[str, ...]:
    """Return the names of the parameters that have gate blocks."""
    return GATED if spec.bias else GATED[:2]


def is_gradient(name: str) -> bool:
    """Say whether one of our names is that of a gradient, and no cotangent's."""
    return name.startswith("d") and (name[1:2] in ("W", "b", "p", "x") or name in ("dh_0", "dc_0", "dattention"))


def _widths(spec: Spec) -> dict[str, int]:
    """Return the length of the last axis of all that may come back but the gradients of what has gate blocks."""
    outputs = {"y": spec.y_size, "loss": 0, "dx": spec.input_size, "dattention": 1}
    states = {name: size for of, size in spec.state_sizes.items() for name in (f"{of}_n", f"d{of}_0")}
    params = {f"d{name}": shape[-1] for name, shape in spec.param_shapes().items() if base(name) not in GATED}
    return outputs | states | params


def _layer_there(arrays: Mapping[str, Any], spec: Spec, conventions: Conventions) -> dict[str, Any]:
    """Return a layer's parameters that have gate blocks as somebody has them, by our names of theirs."""
    blocks = {name: _blocks(array, spec, conventions) for name, array in arrays.items()}
    if conventions.biases == "one":
        b_xh, b_hh = blocks.pop("b_xh"), blocks.pop("b_hh")
        blocks["b"] = {gate: b_xh[gate] + b_hh[gate] for gate in b_xh}
    if conventions.joined:
        W = {"x": blocks.pop("W_xh"), "h": blocks.pop("W_hh")}
        first, second = (W[of] for of in conventions.joined)
        blocks["W"] = {gate: np.concatenate((first[gate], second[gate]), axis=1) for gate in first}
    order = _order(spec, conventions)
    if conventions.separate and len(order) > 1:
        parts = {_of_gate(name, gate): of_gate[gate] for name, of_gate in blocks.items() for gate in order}
    else:
        parts = {name: np.concatenate([of_gate[gate] for gate in order]) for name, of_gate in blocks.items()}
        if order == spec.letters and not (conventions.z_new and spec.cell == "gru"):
            parts |= {name: arrays[name] for name in parts if name in arrays}  # no copies: a write into one is seen
    return {name: _turned(name, array, conventions) for name, array in parts.items()}


def _layer_back(parts: Mapping[str, Any], spec: Spec, width: int, conventions: Conventions) -> dict[str, Any]:
    """Return the gradients of a layer's parameters, from those of what `_layer_there` returns."""
    order = _order(spec, conventions)
    H = spec.hidden_size
    blocks: dict[str, dict[str, Any]] = {}
    for name in ("W_xh", "W_hh", "W", "b_xh", "b_hh", "b"):
        if conventions.separate and len(order) > 1:
            of_gate = {gate: _of_gate(name, gate) for gate in order}
            if all(part in parts for part in of_gate.values()):
                blocks[name] = {gate: _turned_back(part, parts[part], conventions) for gate, part in of_gate.items()}
        elif name in parts:
            array = _turned_back(name, parts[name], conventions)
            blocks[name] = {gate: array[k * H : (k + 1) * H] for k, gate in enumerate(order)}
    if "W" in blocks:
        W = blocks.pop("W")
        edge = width if conventions.joined == "xh" else spec.state_sizes["h"]
        first, second = (f"W_{of}h" for of in conventions.joined)
        blocks[first] = {gate: array[:, :edge] for gate, array in W.items()}
        blocks[second] = {gate: array[:, edge:] for gate, array in W.items()}
    if "b" in blocks:
        blocks["b_xh"] = blocks["b_hh"] = blocks.pop("b")  # each of two summands has the sum's gradient
    return {name: _whole(blocks[name], spec, conventions) for name in _base_names(spec) if name in blocks}


def _layer_shapes(spec: Spec, width: int, conventions: Conventions) -> dict[str, tuple[int, ...]]:
    """Return the shape of each of a layer's parameters in their layout, by our names of theirs."""
    H, G = spec.hidden_size, GATES[spec.cell] - spec.coupled
    zeros = {"W_xh": np.zeros((G * H, width)), "W_hh": np.zeros((G * H, spec.state_sizes["h"]))}
    biases = {"b_xh": np.zeros(G * H), "b_hh": np.zeros(G * H)} if spec.bias else {}
    return {name: np.shape(array) for name, array in _layer_there(zeros | biases, spec, conventions).items()}


def _blocks(array: Any, spec: Spec, conventions: Conventions) -> dict[str, Any]:
    """Return an array's block of each gate; with z for 1 - z, that of the gate z negated."""
    H = spec.hidden_size
    blocks = {gate: array[k * H : (k + 1) * H] for k, gate in enumerate(spec.letters)}
    return _flipped(blocks, spec, conventions)


def _whole(blocks: Mapping[str, Any], spec: Spec, conventions: Conventions) -> Any:
    """Return the array of some blocks, in our order."""
    flipped = _flipped(blocks, spec, conventions)
    return np.concatenate([flipped[gate] for gate in spec.letters])


def _flipped(blocks: Mapping[str, Any], spec: Spec, conventions: Conventions) -> dict[str, Any]:
    """Return blocks with the sign changed of the gate z if theirs is 1 - z: sigmoid(-a) = 1 - sigmoid(a)."""
    flips = conventions.z_new and spec.cell == "gru"
    return {gate: -block if flips and gate == "z" else block for gate, block in blocks.items()}


def _of_gate(name: str, gate: str) -> str:
    """Return the name of one gate's part: W_xi of W_xh, b_i of b."""
    return name[:-1] + gate if name.endswith("h") else f"{name}_{gate}"


def _turned(name: str, array: Any, conventions: Conventions) -> Any:
    """Return a weight or a bias, ours, as it lies with them."""
    if name.startswith("W"):
        return array.T if conventions.transposed else array
    return array[:, None] if conventions.columns else array


def _turned_back(name: str, array: Any, conventions: Conventions) -> Any:
    """Return a weight or a bias, theirs, as it lies with us."""
    if name.startswith("W"):
        return array.T if conventions.transposed else array
    return array[:, 0] if conventions.columns else array


def _shaped(name: str, array: Any, shape: tuple[int, ...]) -> Any:
    array = np.asarray(array)
    if array.shape != shape:
        raise ArgumentError(name, f"shape {array.shape}", shape)
    return array


def _there(name: str, array: Any, conventions: Conventions) -> Any:
    """Return anything but what has gate blocks, ours, as it lies with them."""
    if name in SEQUENCES:
        return _sequence_there(array, conventions)
    if name in STATES:
        if conventions.unbatched:
            return array[:, 0, :, None] if conventions.columns else array[:, 0]
        return array.swapaxes(1, 2) if conventions.columns else array
    return _turned(name, array, conventions) if name in UNGATED else array


def _sequence_there(array: Any, conventions: Conventions) -> Any:
    """Return an array (T, B) or (T, B, width) as it lies with them."""
    if conventions.unbatched:
        return array[:, 0]
    if conventions.columns and array.ndim == 3:
        array = array.swapaxes(1, 2)
    if conventions.time_last:
        return np.moveaxis(array, 0, -1)
    return array.swapaxes(0, 1) if conventions.batch_first else array


def _back(name: str, array: Any, width: int, conventions: Conventions) -> Any:
    """Return an output, or a gradient of anything but what has gate blocks, theirs, as it lies with us.

    One that has another number of axes than it has to have is left as it is, and is found out later.
    """
    if name.removeprefix("d") in UNGATED:
        axes = 2 if conventions.columns or name.startswith("dW") else 1
        return _turned_back(name.removeprefix("d"), array, conventions) if array.ndim == axes else array
    if name not in SEQUENCES + STATES:
        return array
    if conventions.unbatched:
        unbatched = array.ndim > 0 and [n for n in array.shape[1:] if n != 1] == [n for n in (width,) if n != 1]
        return array.reshape(len(array), 1, *(() if name == "dattention" else (width,))) if unbatched else array
    if array.ndim != (2 if name == "dattention" else 3):
        return array
    if name in STATES:
        return array.swapaxes(1, 2) if conventions.columns else array
    array = array.swapaxes(0, 1) if conventions.batch_first else array
    array = np.moveaxis(array, -1, 0) if conventions.time_last else array
    return array.swapaxes(1, 2) if conventions.columns and array.ndim == 3 else array
