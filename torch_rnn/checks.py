"""The checks that an argument is as wanted, so that torch broadcasts and casts nothing silently."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from torch_rnn.errors import ArgumentError


def check_size(argument: str, size: int) -> None:
    """Check that `size` is a positive integer.

    Raises:
        ArgumentError: it is not.
    """
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise ArgumentError(argument, repr(size), "an integer, at least 1")


def check_dtype(argument: str, dtype: torch.dtype) -> None:
    """Check that `dtype` is one of real floating-point numbers.

    Raises:
        ArgumentError: it is not.
    """
    if not dtype.is_floating_point:
        raise ArgumentError(argument, f"dtype {dtype}", "a real floating-point dtype")


def check_tensor(argument: str, tensor: Tensor, shape: tuple[int | str, ...], like: Tensor | None = None) -> None:
    """Check that `tensor` holds floating-point numbers in the wanted shape.

    Values are not looked at: that would wait for the accelerator, and NaN shows in the result.

    Args:
        argument: the name to use in the error.
        tensor: what was passed.
        shape: one entry an axis: its size, or the letter that stands for a size of the caller's choice (at least 1).
        like: a tensor whose dtype and device `tensor` must share.

    Raises:
        ArgumentError: it is not a tensor, or has another shape, dtype or device.
    """
    wanted = "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"
    if not isinstance(tensor, Tensor):
        raise ArgumentError(argument, type(tensor).__name__, f"a tensor of shape {wanted}")
    got = tuple(tensor.shape)
    if len(got) != len(shape) or any(a != b for a, b in zip(got, shape, strict=True) if isinstance(b, int)):
        raise ArgumentError(argument, f"shape {got}", f"shape {wanted}")
    if 0 in got:
        raise ArgumentError(argument, f"shape {got}", f"shape {wanted} with every size at least 1")
    check_dtype(argument, tensor.dtype)
    if like is not None and tensor.dtype != like.dtype:
        raise ArgumentError(argument, f"dtype {tensor.dtype}", f"dtype {like.dtype}, that of the other tensors")
    if like is not None and tensor.device != like.device:
        raise ArgumentError(argument, f"device {tensor.device}", f"device {like.device}, that of the other tensors")


def check_tensors(argument: str, tensors: Any, shapes: Sequence[tuple[int, ...]], like: Tensor) -> None:
    """Check that `tensors` is a sequence of tensors of these shapes, with dtype and device of `like`, or of none.

    Raises:
        ArgumentError: it is not.
    """
    wanted = f"a sequence of {len(shapes)} tensors, or of none"
    if not isinstance(tensors, Sequence):
        raise ArgumentError(argument, type(tensors).__name__, wanted)
    if len(tensors) not in (0, len(shapes)):
        raise ArgumentError(argument, f"{len(tensors)} tensors", wanted)
    for number, (tensor, shape) in enumerate(zip(tensors, shapes, strict=False)):
        check_tensor(f"{argument}[{number}]", tensor, shape, like)


def check_lengths(lengths: Any, T: int, B: int) -> Tensor:
    """Check that `lengths` holds the lengths of B sequences of at most T steps.

    Values are looked at here: a length beyond T would be cut silently.

    Args:
        lengths: what was passed; None for T each.
        T: the number of steps.
        B: the number of sequences.

    Returns:
        The lengths (B,) in int64, on the CPU.

    Raises:
        ArgumentError: it is not a sequence or a tensor of B whole numbers from 0 to T.
    """
    wanted = f"None, or {B} whole numbers from 0 to {T}"
    try:
        # torch.tensor copies, where as_tensor would warn of a NumPy array that is not to be written to
        given = [T] * B if lengths is None else lengths
        found = given.cpu() if isinstance(given, Tensor) else torch.tensor(given, device="cpu")
    except (TypeError, ValueError, RuntimeError):  # what torch raises for what is no tensor, or has no numbers
        raise ArgumentError("lengths", repr(lengths), wanted) from None
    if tuple(found.shape) != (B,):
        raise ArgumentError("lengths", f"shape {tuple(found.shape)}", wanted)
    if found.dtype == torch.bool or found.is_floating_point() or found.is_complex():
        raise ArgumentError("lengths", f"dtype {found.dtype}", wanted)
    numbers = found.to(torch.int64)
    if min(numbers.tolist()) < 0 or max(numbers.tolist()) > T:
        raise ArgumentError("lengths", found.tolist(), wanted)
    return numbers
