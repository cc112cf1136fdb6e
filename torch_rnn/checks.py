"""The checks that an argument is as wanted, so that torch broadcasts and casts nothing silently."""

from __future__ import annotations

import torch
from torch import Tensor

from torch_rnn.errors import ArgumentError


def check_size(argument: str, size: int) -> None:
    """Check that `size` is a positive integer.

    Raises:
        ArgumentError: it is not.
    """
    if not isinstance(size, int) or size < 1:
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
