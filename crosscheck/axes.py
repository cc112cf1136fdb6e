"""Which axis of each array of a case is that of the steps, and which that of the sequences; other orders of them.

Masks are time-major whatever the axes of a spec are, and parameters have neither axis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from crosscheck.case import Case

Arrays = Mapping[str, Any]
TIME, BATCH = 0, 1
SEQUENCES = ("x", "attention", "y", "target", "dx", "dattention", "dy")
STATES = tuple(f"{d}{state}_{end}" for d in ("", "d") for state in "hc" for end in "0n")
MASKS = ("dropout", "recurrent", "zoneout_h", "zoneout_c")
Axes = tuple[int | None, int | None]
ORDERS: dict[str, Axes] = {"TB": (0, 1), "BT": (1, 0), "T": (0, None)}
AXES: dict[str, dict[str, Axes]] = {
    axes: {
        **dict.fromkeys(SEQUENCES, order),
        **dict.fromkeys(STATES, (None, None if axes == "T" else 1)),
        **dict.fromkeys(MASKS, (1, 2)),
    }
    for axes, order in ORDERS.items()
}
"""For each `Spec.axes` the axis of the steps and that of the sequences in each array that has one."""


def time_major(case: Case) -> Case:
    """Return the same problem with the axes "TB", its arrays being views."""
    axes = case.spec.axes
    arrays = {name: _moved(name, array, axes, slice(None), None) for name, array in case.arrays.items()}
    return replace(case, spec=replace(case.spec, axes="TB"), arrays=arrays)


def in_axes(arrays: Arrays, axes: str) -> dict[str, Any]:
    """Return arrays of the axes "TB", by name, as a case or a result of other axes has them: views, with `axes`."""
    return {name: _moved(name, array, axes, slice(None), 0) for name, array in arrays.items()}


def _moved(name: str, array: Any, axes: str, *batch: Any) -> Any:
    """Return an array with its first two axes swapped, or indexed by `batch` where there is to be, or was, none."""
    if axes == "T" and name in (*SEQUENCES, *STATES):
        return array[batch]
    return array.swapaxes(0, 1) if axes == "BT" and name in SEQUENCES else array


def padding(case: Case, name: str) -> Any:
    """Return where an array over time, as y or dx, is padding, of a shape to go with it."""
    shape = case.result_shapes[name]
    if case.lengths is None:
        return np.zeros(shape, dtype=bool)
    outside = np.arange(case.T)[:, None] >= np.array(case.lengths)
    outside = outside.T if case.spec.axes == "BT" else outside
    return np.broadcast_to(outside.reshape(outside.shape + (1,) * (len(shape) - 2)), shape)
