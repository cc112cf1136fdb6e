"""A case worked through step by step: every quantity that the equations name, and the gradient of each.

The definition is run on numbers that remember what they were made of (`numbers.reverse`), and is watched at each step.
So no equation is written here, and none is reversed by hand: one walk back from the objective gives d<name> for all of
them, whatever the cell and its options. The names are those at the top of the files in `manual_rnn/cells`. float64.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from crosscheck.case import Case
from crosscheck.referee import definition
from crosscheck.referee.definition import State, Vector, Where
from crosscheck.referee.numbers.reverse import Node, gradients, nodes, value

Arrays = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """One step of one sequence in one layer and direction.

    Attributes:
        layer, reverse, t, b: which.
        forward: what is computed, by name, a vector each, in the order of computation: x, h_prev and, of an LSTM,
            c_prev; h_in with recurrent dropout; the pre-activations a, or a_i and so on; the gates and all else that
            the cell's equations name; h_new and c_new with zoneout, what the cell made of the states; h, and c.
        backward: the gradient of each, d + its name; and dy, what reaches h from the layer's output, and dh_next and
            dc_next, what the step after it sends back, or the cotangents of the final states. dh_prev and dc_prev are
            what this one sends back. With truncation all of this is summed over the windows.
    """

    layer: int
    reverse: bool
    t: int
    b: int
    forward: Arrays
    backward: Arrays


@dataclass(frozen=True)
class Trace:
    """A case worked through.

    Attributes:
        steps: one each, layer by layer, forward and then reverse, sequence by sequence, in the order they are run;
            none in the padding.
        results: every output and every gradient by name; see `Case.result_shapes`.
        dy: the gradient of y, of its shape.
    """

    steps: tuple[Step, ...]
    results: Arrays
    dy: Any


def trace(case: Case) -> Trace:
    """Work a case through.

    Args:
        case: the case, its arrays of floating-point numbers.
    """
    seen: dict[Where, list[State]] = {}
    zoned = any(case.spec.zoneout and f"zoneout_{name}" in case.arrays for name in case.spec.states)

    def watch(where: Where, computed: State, state: State) -> tuple[State, Vector]:
        carried, output = {name: _copied(vector) for name, vector in state.items()}, _copied(state["h"])
        made = {f"{name}_new" if zoned and name in state else name: vector for name, vector in computed.items()}
        nexts = {f"{name}_next": vector for name, vector in carried.items()}
        seen.setdefault(where, []).append({**made, **state, **nexts, "y": output})
        return carried, output

    exact = {name: np.asarray(array, np.float64).astype(object) for name, array in case.arrays.items()}
    lifted = replace(case, arrays=exact | {name: nodes(exact[name]) for name in case.input_names})
    with np.errstate(all="ignore"):  # what overflows shows in the numbers
        outputs = definition.outputs(lifted, watch)
        d = gradients(definition.weighted(lifted, outputs))
    results = {name: _values(output) for name, output in outputs.items()}
    results |= {f"d{name}": _gradients(lifted.arrays[name], d) for name in case.input_names}
    order = sorted(seen, key=lambda where: _order(case, where))
    return Trace(tuple(_step(case, where, seen[where], d) for where in order), results, _gradients(outputs["y"], d))


def _order(case: Case, where: Where) -> tuple[int, int, int]:
    k, t, b = where
    return k, b, -t if case.spec.runs[k][1] else t


def _copied(vector: Vector) -> Vector:
    """Return the same numbers as nodes of their own, so that what reaches a state by two ways is known by each."""
    return [u * 1 for u in vector]


def _step(case: Case, where: Where, seen: Sequence[State], d: Mapping[Node, Any]) -> Step:
    """Return a step from all that was seen of it: the same numbers in each window, and gradients that add up."""
    k, t, b = where
    layer, reverse = case.spec.runs[k]
    names = [name for name in seen[0] if name != "h_in" or "recurrent" in case.arrays]  # else it is h_prev itself
    later = {"y", *(f"{name}_next" for name in case.spec.states)}
    forward = {name: _values(np.array(seen[0][name], object)) for name in names if name not in later}
    backward = {f"d{name}": _summed([each[name] for each in seen], d) for name in names}
    return Step(layer, reverse, t, b, forward, backward)


def _summed(vectors: Sequence[Vector], d: Mapping[Node, Any]) -> Any:
    """Return the gradients of one vector that was computed several times; of the same node, once."""
    units = [{u for u in unit if isinstance(u, Node)} for unit in zip(*vectors, strict=True)]
    return np.array([sum(d.get(node, 0.0) for node in unit) for unit in units], np.float64)


def _values(array: Any) -> Any:
    """Return the values of an object array of nodes, or of the plain 0 of padding, as float64."""
    values = np.empty(array.shape)
    for index in np.ndindex(array.shape):
        values[index] = value(array[index])
    return values


def _gradients(array: Any, d: Mapping[Node, Any]) -> Any:
    """Return the gradients of an object array of nodes as float64."""
    found = np.zeros(array.shape)
    for index in np.ndindex(array.shape):
        found[index] = d.get(array[index], 0.0) if isinstance(array[index], Node) else 0.0
    return found
