"""The output layer: o = W_hy y + b_y at every step."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from torch_rnn.axes import AXES, back, check_axes, time_major
from torch_rnn.checks import check_dtype, check_size, check_tensor
from torch_rnn.lengths import lengths_of


def readout(W_hy: Tensor, b_y: Tensor, y: Tensor) -> Tensor:
    """Return o (..., O) from the hidden states y (..., H), W_hy (O, H) and b_y (O,)."""
    return y @ W_hy.T + b_y


class Readout(nn.Module):
    """The output layer as a module.

    Attributes:
        W_hy (O, H), b_y (O,): the weights and the bias.
    """

    def __init__(self, hidden_size: int, output_size: int, dtype: torch.dtype | None = None) -> None:
        """Draw the parameters, uniform in +-1/sqrt(H) as torch.nn does.

        Args:
            hidden_size: H, at least 1.
            output_size: O, at least 1.
            dtype: that of the parameters; torch's default dtype if None.

        Raises:
            ArgumentError: a size is not a positive integer, or the dtype is not of real numbers.
        """
        super().__init__()
        check_size("hidden_size", hidden_size)
        check_size("output_size", output_size)
        if dtype is not None:
            check_dtype("dtype", dtype)
        bound = 1 / math.sqrt(hidden_size)
        self.W_hy = nn.Parameter(torch.empty((output_size, hidden_size), dtype=dtype).uniform_(-bound, bound))
        self.b_y = nn.Parameter(torch.empty(output_size, dtype=dtype).uniform_(-bound, bound))

    def forward(self, y: Tensor, *, lengths: Sequence[int] | Tensor | None = None, axes: str = "TB") -> Tensor:
        """Return o (T, B, O) from the hidden states.

        Args:
            y (T, B, H): the hidden states; padding may hold anything, and o is 0 there.
            lengths (B,): the lengths of the sequences, from 0 to T; T each if None.
            axes: the order of the leading axes of y and o: "TB", "BT" (B, T, .) or "T" (T, .).

        Raises:
            ArgumentError: `y` has a wrong shape, dtype or device, a length is not from 0 to T, or there is no such
                order.
        """
        check_axes(axes)
        check_tensor("y", y, (*AXES[axes], self.W_hy.shape[1]), like=self.W_hy)
        y = time_major(y, axes)
        own = lengths_of(lengths, y, axes)
        return back(own.blank(readout(self.W_hy, self.b_y, own.blank(y))), axes)
