"""The order of the leading axes: all that is inside is time-major, (T, B, ...) and (L*D, B, ...).

    "TB"  (T, B, ...)         "BT"  (B, T, ...), batch first         "T"  (T, ...), one sequence and no batch

Without a batch, states have no axis for it either: (L*D, H).
"""

from __future__ import annotations

from manual_rnn.arrays import Array
from manual_rnn.errors import ArgumentError

AXES: dict[str, tuple[str, ...]] = {"TB": ("T", "B"), "BT": ("B", "T"), "T": ("T",)}


def check_axes(axes: str) -> None:
    """Check that `axes` is one of those above.

    Raises:
        ArgumentError: it is not.
    """
    if axes not in AXES:
        raise ArgumentError("axes", repr(axes), "one of " + ", ".join(AXES))


def time_major(array: Array, axes: str) -> Array:
    """Return an array over time as (T, B, ...), a view."""
    if axes == "T":
        return array[:, None]
    return array.swapaxes(0, 1) if axes == "BT" else array


def back(array: Array, axes: str) -> Array:
    """Return (T, B, ...) in the order of `axes`, a view: what `time_major` undoes."""
    if axes == "T":
        return array[:, 0]
    return array.swapaxes(0, 1) if axes == "BT" else array


def sequence(sizes: dict[str, int], axes: str) -> tuple[int, ...]:
    """Return the leading sizes of what is over time, from those of T and B."""
    return tuple([sizes[axis] for axis in AXES[axes]])


def with_batch(state: Array, axes: str) -> Array:
    """Return a state as (L*D, B, width), a view."""
    return state[:, None] if axes == "T" else state


def without_batch(state: Array, axes: str) -> Array:
    """Return (L*D, B, width) as states are in `axes`, a view: what `with_batch` undoes."""
    return state[:, 0] if axes == "T" else state
