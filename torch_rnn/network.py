"""A recurrent layer as a module: what most callers want.

The arguments are checked here, once, so that nothing below has to. Parameters go by their names in the equations, which
are those of `manual_rnn`: W_xh (G*H, I), W_hh (G*H, H), b_xh (G*H,), b_hh (G*H,). States have torch.nn's shape,
(1, B, H), one layer and one direction.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from torch_rnn.cells.cell import Cell, Weights
from torch_rnn.cells.elman import RNN_RELU, RNN_TANH
from torch_rnn.cells.gru import GRU
from torch_rnn.cells.gru_reset_before import GRU_RESET_BEFORE
from torch_rnn.cells.lstm import LSTM
from torch_rnn.checks import check_dtype, check_size, check_tensor
from torch_rnn.errors import ArgumentError
from torch_rnn.unroll import unroll

CELLS: dict[str, Cell] = {
    "rnn_tanh": RNN_TANH,
    "rnn_relu": RNN_RELU,
    "lstm": LSTM,
    "gru": GRU,
    "gru_reset_before": GRU_RESET_BEFORE,
}


class Recurrent(nn.Module):
    """A recurrent layer, time-major, one layer and one direction.

    Attributes:
        cell: a name in `CELLS`.
        W_xh (G*H, I), W_hh (G*H, H): the weights.
        b_xh (G*H,), b_hh (G*H,): the biases; None in a layer without.
    """

    b_xh: nn.Parameter | None
    b_hh: nn.Parameter | None

    def __init__(
        self, cell: str, input_size: int, hidden_size: int, bias: bool = True, dtype: torch.dtype | None = None
    ) -> None:
        """Draw the parameters, uniform in +-1/sqrt(H) as torch.nn does.

        Args:
            cell: a name in `CELLS`.
            input_size: I, at least 1.
            hidden_size: H, at least 1.
            bias: whether there are biases.
            dtype: that of the parameters; torch's default dtype if None.

        Raises:
            ArgumentError: the name is unknown, a size is not a positive integer, or the dtype is not of real numbers.
        """
        super().__init__()
        if cell not in CELLS:
            raise ArgumentError("cell", repr(cell), "one of " + ", ".join(CELLS))
        check_size("input_size", input_size)
        check_size("hidden_size", hidden_size)
        if dtype is not None:
            check_dtype("dtype", dtype)
        self.cell = cell
        rows = CELLS[cell].num_gates * hidden_size
        bound = 1 / math.sqrt(hidden_size)

        def uniform(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(shape, dtype=dtype).uniform_(-bound, bound))

        self.W_xh = uniform(rows, input_size)
        self.W_hh = uniform(rows, hidden_size)
        self.register_parameter("b_xh", uniform(rows) if bias else None)
        self.register_parameter("b_hh", uniform(rows) if bias else None)

    def forward(self, x: Tensor, h_0: Tensor | None = None, c_0: Tensor | None = None) -> tuple[Tensor, ...]:
        """Run the layer over a batch of sequences.

        Args:
            x (T, B, I): the input.
            h_0 (1, B, H): the initial hidden state; zero if None.
            c_0 (1, B, H): the initial cell state, for an LSTM only; zero if None.

        Returns:
            y (T, B, H), the hidden state after every step; h_n (1, B, H), the final one; and, for an LSTM, c_n
            (1, B, H), the final cell state.

        Raises:
            ArgumentError: a tensor has a wrong shape, dtype or device, or the cell has no such state.
        """
        cell = CELLS[self.cell]
        H, I = self.W_hh.shape[1], self.W_xh.shape[1]
        check_tensor("x", x, ("T", "B", I), like=self.W_xh)
        given = {"h": h_0, "c": c_0}
        for state, tensor in given.items():
            if tensor is not None and state not in cell.states:
                raise ArgumentError(f"{state}_0", "a tensor", f"None: {self.cell} has no such state")
        states_0 = []
        for state in cell.states:
            tensor = given[state]
            if tensor is None:
                tensor = x.new_zeros((1, x.shape[1], H))
            check_tensor(f"{state}_0", tensor, (1, x.shape[1], H), like=x)
            states_0.append(tensor[0])
        y, states_n = unroll(cell, self._weights(), x, tuple(states_0))
        return y, *(state[None] for state in states_n)

    def _weights(self) -> Weights:
        """Return the parameters, with zero biases where there are none: adding zero is exact."""
        zeros = self.W_hh.new_zeros(self.W_hh.shape[0])
        return Weights(
            self.W_xh,
            self.W_hh,
            zeros if self.b_xh is None else self.b_xh,
            zeros if self.b_hh is None else self.b_hh,
        )
