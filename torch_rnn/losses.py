"""Losses of an output y (T, B, O) and a target of the same shape; autograd derives the gradient.

    half_squared_error   1/2 sum (y - target)^2
    mse                  1/N sum (y - target)^2
    cross_entropy        -1/M sum target log(softmax(y))

N = T*B*O counts all numbers, M = T*B the steps; the softmax goes over O, and a target is a distribution over O, one-hot
or not. References: Bishop, "Pattern Recognition and Machine Learning" (2006), sections 5.2 and 4.3.4.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

from torch_rnn.checks import check_tensor

Loss = Callable[[Tensor, Tensor], Tensor]


def half_squared_error(y: Tensor, target: Tensor) -> Tensor:
    """Return half the summed squared error.

    Args:
        y (T, B, O): the output.
        target (T, B, O): what it should have been.

    Raises:
        ArgumentError: a shape, dtype or device is wrong.
    """
    _check(y, target)
    error = y - target
    return (error * error).sum() / 2


def mse(y: Tensor, target: Tensor) -> Tensor:
    """Return the mean squared error; arguments as `half_squared_error`."""
    _check(y, target)
    return functional.mse_loss(y, target)


def cross_entropy(y: Tensor, target: Tensor) -> Tensor:
    """Return the softmax cross-entropy, averaged over steps and batch.

    Args:
        y (T, B, O): the logits.
        target (T, B, O): a distribution over the last axis.

    Raises:
        ArgumentError: a shape, dtype or device is wrong.
    """
    _check(y, target)
    T, B, _ = y.shape
    return -(target * functional.log_softmax(y, dim=-1)).sum() / (T * B)


LOSSES: dict[str, Loss] = {"half_squared_error": half_squared_error, "mse": mse, "cross_entropy": cross_entropy}


def _check(y: Tensor, target: Tensor) -> None:
    check_tensor("y", y, ("T", "B", "O"))
    check_tensor("target", target, tuple(y.shape), like=y)
