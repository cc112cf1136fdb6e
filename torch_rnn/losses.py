"""Losses of an output y (T, B, O) and a target of the same shape; autograd derives the gradient.

    half_squared_error   1/2 sum (y - target)^2
    mse                  1/N sum (y - target)^2
    cross_entropy        -1/M sum target log(softmax(y))

N = T*B*O counts all numbers, M = T*B the steps; the softmax goes over O, and a target is a distribution over O, one-hot
or not. References: Bishop, "Pattern Recognition and Machine Learning" (2006), sections 5.2 and 4.3.4.

With lengths, sums go over the steps that are a sequence's own: N = M*O, and M is the sum of the lengths. `mean` says
what is averaged over in their place, by the letters of the axes:

    ""    nothing
    "T"   the steps of each sequence, by its own length
    "B"   the batch, by B
    "TB"  all steps, by M
    "O"   the numbers of a step, by O; alone or after any of these

If no sequence has a step, the loss is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor
from torch.nn import functional

from torch_rnn.axes import AXES, check_axes, time_major
from torch_rnn.checks import check_tensor
from torch_rnn.errors import ArgumentError
from torch_rnn.lengths import AllSteps, Lengths, lengths_of

MEANS = ("", "T", "B", "TB", "O", "TO", "BO", "TBO")
"""What a loss can be averaged over."""


class Loss(Protocol):
    """A loss by its name in `LOSSES`."""

    def __call__(
        self,
        y: Tensor,
        target: Tensor,
        *,
        lengths: Sequence[int] | Tensor | None = None,
        mean: str | None = None,
        axes: str = "TB",
    ) -> Tensor:
        """Return the loss; see `half_squared_error`."""


def half_squared_error(
    y: Tensor,
    target: Tensor,
    *,
    lengths: Sequence[int] | Tensor | None = None,
    mean: str | None = None,
    axes: str = "TB",
) -> Tensor:
    """Return half the summed squared error.

    Args:
        y (T, B, O): the output; padding may hold anything.
        target (T, B, O): what it should have been, likewise.
        lengths (B,): the lengths of the sequences, from 0 to T; T each if None.
        mean: what is averaged over, one of `MEANS`; nothing if None.
        axes: the order of the leading axes of y and target: "TB", "BT" (B, T, O) or "T" (T, O).

    Raises:
        ArgumentError: a shape, dtype or device is wrong, a length is not from 0 to T, or no such mean or order exists.
    """
    y, target, own = _checked(y, target, lengths, axes)
    error = y - target
    return _averaged(error * error, own, "" if mean is None else mean) / 2


def mse(
    y: Tensor,
    target: Tensor,
    *,
    lengths: Sequence[int] | Tensor | None = None,
    mean: str | None = None,
    axes: str = "TB",
) -> Tensor:
    """Return the squared error, averaged over everything if `mean` is None; arguments as `half_squared_error`."""
    y, target, own = _checked(y, target, lengths, axes)
    if lengths is None and mean is None:
        return functional.mse_loss(y, target)  # in one operation, whose sum can't overflow a short format
    error = y - target
    return _averaged(error * error, own, "TBO" if mean is None else mean)


def cross_entropy(
    y: Tensor,
    target: Tensor,
    *,
    lengths: Sequence[int] | Tensor | None = None,
    mean: str | None = None,
    axes: str = "TB",
) -> Tensor:
    """Return the softmax cross-entropy, averaged over steps and batch if `mean` is None.

    Args:
        y (T, B, O): the logits.
        target (T, B, O): a distribution over the last axis.
        lengths (B,): as for `half_squared_error`.
        mean: likewise.
        axes: likewise.

    Raises:
        ArgumentError: as `half_squared_error`.
    """
    y, target, own = _checked(y, target, lengths, axes)
    return -_averaged(target * functional.log_softmax(y, dim=-1), own, "TB" if mean is None else mean)


LOSSES: dict[str, Loss] = {"half_squared_error": half_squared_error, "mse": mse, "cross_entropy": cross_entropy}


def _checked(
    y: Tensor, target: Tensor, lengths: Sequence[int] | Tensor | None, axes: str
) -> tuple[Tensor, Tensor, Lengths | AllSteps]:
    """Return y and target (T, B, O) with zeros for padding, and the lengths."""
    check_axes(axes)
    check_tensor("y", y, (*AXES[axes], "O"))
    check_tensor("target", target, tuple(y.shape), like=y)
    y, target = time_major(y, axes), time_major(target, axes)
    own = lengths_of(lengths, y, axes)
    return own.blank(y), own.blank(target), own


def _averaged(terms: Tensor, lengths: Lengths | AllSteps, mean: str) -> Tensor:
    """Return the sum of terms (T, B, O), which are 0 in the padding, averaged over what `mean` says."""
    if mean not in MEANS:
        raise ArgumentError("mean", repr(mean), "None, or one of " + ", ".join(map(repr, MEANS)))
    _, B, O = terms.shape
    over = mean.removesuffix("O")
    if over == "T":
        terms = terms.sum((0, 2)) / lengths.counts
    count = lengths.total if over == "TB" else B if over == "B" else 1
    return terms.sum() / (count * (O if mean.endswith("O") else 1))
