"""The order of the leading axes of inputs, outputs, cotangents, targets and attention.

    TB    time, batch                                 as everything is inside
    BT    batch, time
    T     time alone: one sequence, and no axis for the batch anywhere

States have no time: (L*D, B, H), or (L*D, H) with T. Masks are always time-major, with an axis for the batch.
"""

from __future__ import annotations

from torch import Tensor

from torch_rnn.errors import ArgumentError

AXES = {"TB": ("T", "B"), "BT": ("B", "T"), "T": ("T",)}
"""The leading axes by the name of their order."""


def check_axes(axes: str) -> None:
    """Check that there is such an order.

    Raises:
        ArgumentError: there is not.
    """
    if axes not in AXES:
        raise ArgumentError("axes", repr(axes), "one of " + ", ".join(AXES))


def time_major(tensor: Tensor, axes: str) -> Tensor:
    """Return a tensor with leading axes in that order as (T, B, ...)."""
    if axes == "T":
        return tensor[:, None]
    return tensor.transpose(0, 1) if axes == "BT" else tensor


def back(tensor: Tensor, axes: str) -> Tensor:
    """Return (T, B, ...) with the leading axes in that order: the inverse of `time_major`."""
    if axes == "T":
        return tensor[:, 0]
    return tensor.transpose(0, 1) if axes == "BT" else tensor


def with_batch(state: Tensor, axes: str) -> Tensor:
    """Return a state as (L*D, B, H)."""
    return state[:, None] if axes == "T" else state


def without_batch(state: Tensor, axes: str) -> Tensor:
    """Return a state (L*D, B, H) as `axes` wants it: the inverse of `with_batch`."""
    return state[:, 0] if axes == "T" else state
