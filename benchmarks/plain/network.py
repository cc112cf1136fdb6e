"""A recurrent network in plain NumPy, loop by loop, written from the equations: layers, directions, output layer, loss.

    crosscheck run benchmarks/plain/network.py:plain

It shares no line and no plan with `manual_rnn`: gates have weights of their own, every step is done by itself, each
gradient is summed up step by step, and sequences that have ended stand still. So what is planted in it is planted in
somebody else's code.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import elman  # type: ignore[import-not-found]
import gru  # type: ignore[import-not-found]
import losses  # type: ignore[import-not-found]
import lstm  # type: ignore[import-not-found]
import numpy as np
from parts import Array, Arrays, Way, zeros  # type: ignore[import-not-found]

import crosscheck
from crosscheck.case import Case
from crosscheck.implementation import two_steps
from crosscheck.strategies import EVERYTHING

LAYERS = {"rnn_tanh": elman, "rnn_relu": elman, "lstm": lstm, "gru": gru}


def time_first(array: Array, axes: str) -> Array:
    """Return a sequence (T, B, ...) whatever its order of axes."""
    if axes == "T":
        return array[:, None]
    return array.swapaxes(0, 1) if axes == "BT" else array


def as_given(array: Array, axes: str) -> Array:
    """Return a sequence (T, B, ...) in an order of axes."""
    if axes == "T":
        return array[:, 0]
    return array.swapaxes(0, 1) if axes == "BT" else array


def living(case: Case) -> Array:
    """Return which steps belong to a sequence, (T, B, 1)."""
    lengths = np.array((case.T,) * case.B if case.lengths is None else case.lengths)
    return (np.arange(case.T)[:, None] < lengths)[..., None]


def order_of(alive: Array, reverse: bool) -> Array:
    """Return the time that each sequence reads in each of its steps, (T, B): in reverse its own last one first."""
    T, B, _ = alive.shape
    steps = np.arange(T)[:, None] + np.zeros((1, B), dtype=int)
    lengths = alive[..., 0].sum(axis=0)
    return np.where(steps < lengths, lengths - 1 - steps, steps) if reverse else steps


def states_of(case: Case, run: int, d: str, which: str) -> Arrays:
    """Return the states of a layer and direction: "h", "c", each (B, width).

    Args:
        case: the case.
        run: the number of the layer and direction.
        d: "d" for their gradients, else empty.
        which: "0" for the initial ones, "n" for the final ones.
    """
    states = {}
    for name in case.spec.states:
        array = case.arrays[f"{d}{name}_{which}"][run]
        states[name] = array[None] if case.spec.axes == "T" else array
    return states


def way_of(case: Case, run: int, reverse: bool, alive: Array) -> Way:
    """Return how a layer goes through the batch in one direction, and the masks that it meets."""
    recurrent = None if case.recurrent is None else np.where(alive, case.recurrent[run], 0)
    keep = {name: np.where(alive, mask[run], 0) for name, mask in zip(case.spec.states, case.zoneout, strict=False)}
    score = None
    if case.spec.attention:
        score = np.where(alive, time_first(case.attention, case.spec.axes)[..., None], 0)
    return Way(order_of(alive, reverse), alive, recurrent, keep, score)


def windows(case: Case) -> Iterator[tuple[int, int, int]]:
    """Yield (begin, first, last): the gradients of the outputs of steps first to last - 1 go back to step begin."""
    if case.spec.truncate is None:
        yield 0, 0, case.T
        return
    k1, k2 = case.spec.truncate
    for first in range(0, case.T, k1):
        yield max(0, first + k1 - k2), first, min(first + k1, case.T)


def suffix(layer: int, reverse: bool) -> str:
    """Return what the names of the parameters of a layer and direction end in."""
    return (f"_l{layer}" if layer else "") + ("_reverse" if reverse else "")


def forward(case: Case) -> tuple[Arrays, Any]:
    """Return the outputs of a case, and what `backward` needs of them."""
    spec, params = case.spec, case.params
    layer_of = LAYERS[spec.cell]
    directions = (False, True) if spec.bidirectional else (False,)
    alive = living(case)
    below = np.where(alive, time_first(case.x, spec.axes), 0)
    finals: dict[str, list[Array]] = {name: [] for name in spec.states}
    left: list[tuple[Way, list[Any]]] = []
    masks: list[Array] = []
    for layer in range(spec.num_layers):
        if layer > 0 and case.dropout is not None:
            masks.append(np.where(alive, case.dropout[layer - 1], 0))
            below = below * masks[-1]
        halves = []
        for reverse in directions:
            run = len(left)
            way = way_of(case, run, reverse, alive)
            states = states_of(case, run, "", "0")
            half, states, caches = layer_of.forward(params, suffix(layer, reverse), below, states, way, spec)
            halves.append(half)
            left.append((way, caches))
            for name in spec.states:
                finals[name].append(states[name])
        summed = spec.bidirectional and spec.merge == "sum"
        below = halves[0] + halves[1] if summed else np.concatenate(halves, axis=-1)

    y = below
    if spec.output_size:
        y = zeros(below, case.T, case.B, spec.output_size)
        for t in range(case.T):
            y[t] = np.where(alive[t], below[t] @ params["W_hy"].T + params["b_y"], 0)
    outputs = {"y": as_given(y, spec.axes)}
    for name in spec.states:
        final = np.stack(finals[name])
        outputs[name + "_n"] = final[:, 0] if spec.axes == "T" else final
    if spec.loss == "none":
        dy = np.where(alive, time_first(case.dy, spec.axes), 0)
    else:
        target = np.where(alive, time_first(case.target, spec.axes), 0)
        outputs["loss"], dy = losses.loss_and_gradient(spec.loss, y, target, alive, spec.mean_over)
    return outputs, {"left": left, "masks": masks, "hidden": below, "dy": dy}


def backward(memory: Any, case: Case) -> Arrays:
    """Return the gradients of a case from what `forward` left."""
    spec, params = case.spec, case.params
    hidden, dy = memory["hidden"], memory["dy"]
    gradients = {}
    dhidden = dy
    if spec.output_size:
        dW_hy, db_y = np.zeros_like(params["W_hy"]), np.zeros_like(params["b_y"])
        dhidden = zeros(dy, *hidden.shape)
        for t in range(case.T):
            dW_hy += dy[t].T @ hidden[t]
            db_y += dy[t].sum(axis=0)
            dhidden[t] = dy[t] @ params["W_hy"]
        gradients = {"dW_hy": dW_hy, "db_y": db_y}

    total: Arrays = {}
    for begin, first, last in windows(case):
        dy_window = zeros(dhidden, *dhidden.shape)
        dy_window[first:last] = dhidden[first:last]
        for name, array in window_gradients(memory, case, dy_window, begin, last).items():
            total[name] = total[name] + array if name in total else array

    gradients["dx"] = as_given(total.pop("dx"), spec.axes)
    if spec.attention:
        gradients["dattention"] = as_given(total.pop("dscore")[..., 0], spec.axes)
    for name in spec.states:
        initial = np.stack([total.pop(f"d{name}_0 {run}") for run in range(len(memory["left"]))])
        gradients[f"d{name}_0"] = initial[:, 0] if spec.axes == "T" else initial
    return gradients | {name: total[name] for name in (f"d{name}" for name in case.layer_params)}


def window_gradients(memory: Any, case: Case, dy: Array, begin: int, last: int) -> Arrays:
    """Return the gradients that flow back from step `last` - 1 to step `begin`, through all layers.

    Args:
        memory: what `forward` left.
        case: the case.
        dy (T, B, width): the gradient of the last layer's outputs; 0 outside of the window's own.
        begin: where they stop; the states before that are constants, unless it is 0.
        last: where they begin.
    """
    spec, params = case.spec, case.params
    directions = (False, True) if spec.bidirectional else (False,)
    gradients: Arrays = {}
    dabove = dy
    for layer in reversed(range(spec.num_layers)):
        dbelow = None
        for d, reverse in enumerate(directions):
            run = layer * len(directions) + d
            way, caches = memory["left"][run]
            end = suffix(layer, reverse)
            dstates = states_of_end(case, run, dy, last)
            if spec.bidirectional and spec.merge == "concat":
                width = dabove.shape[-1] // 2
                dhalf = dabove[..., width:] if reverse else dabove[..., :width]
            else:
                dhalf = dabove
            g = LAYERS[spec.cell].backward(params, end, caches, dhalf, dstates, way, spec, begin, last)
            dx = g.pop("dx")
            dbelow = dx if dbelow is None else dbelow + dx
            if "dscore" in g:
                dscore = g.pop("dscore")
                gradients["dscore"] = gradients["dscore"] + dscore if "dscore" in gradients else dscore
            for name in spec.states:
                dstate = g.pop("d" + name)
                gradients[f"d{name}_0 {run}"] = dstate if begin == 0 else np.zeros_like(dstate)
            for name, array in g.items():
                gradients[name + end] = array
        if layer > 0 and memory["masks"]:
            dbelow = dbelow * memory["masks"][layer - 1]
        dabove = dbelow
    return gradients | {"dx": dabove}


def states_of_end(case: Case, run: int, dy: Array, last: int) -> Arrays:
    """Return the gradients of the states after step `last` - 1: those of the final states, if it is the last one."""
    if case.spec.loss == "none" and last == case.T:
        return states_of(case, run, "d", "n")
    return {name: zeros(dy, case.B, size) for name, size in case.spec.state_sizes.items()}


plain = crosscheck.subject(**EVERYTHING)(two_steps("plain", forward, backward))
