"""A recurrent network as a module: what most callers want.

The arguments are checked here, once, so that nothing below has to. Parameters go by their names in the equations, which
are those of `manual_rnn`: W_xh (G*H, I), W_hh (G*H, H), b_xh (G*H,), b_hh (G*H,), with the suffixes of `params` for
further layers and the reverse direction; there, W_xh of a layer above the first is (G*H, D*H). States have torch.nn's
shape and order, (L*D, B, H): layer by layer, forward then reverse.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from torch_rnn.cells.cell import Cell, Weights
from torch_rnn.cells.elman import RNN_RELU, RNN_TANH
from torch_rnn.cells.gru import GRU
from torch_rnn.cells.gru_reset_before import GRU_RESET_BEFORE
from torch_rnn.cells.lstm import LSTM
from torch_rnn.checks import check_dtype, check_lengths, check_size, check_tensor
from torch_rnn.errors import ArgumentError
from torch_rnn.lengths import Lengths
from torch_rnn.params import param_shapes, suffix
from torch_rnn.stack import run_stack

CELLS: dict[str, Cell] = {
    "rnn_tanh": RNN_TANH,
    "rnn_relu": RNN_RELU,
    "lstm": LSTM,
    "gru": GRU,
    "gru_reset_before": GRU_RESET_BEFORE,
}


class Recurrent(nn.Module):
    """A recurrent network, time-major: L layers of D directions.

    Attributes:
        cell: a name in `CELLS`.
        num_layers: L.
        bidirectional: whether D is 2; else it is 1.
        W_xh (G*H, I), W_hh (G*H, H): the weights of the first layer, forward.
        b_xh (G*H,), b_hh (G*H,): its biases; None in a network without.
        W_xh_reverse, ..., W_xh_l1 (G*H, D*H), ...: those of the others, as `param_names` says.
    """

    W_xh: nn.Parameter
    W_hh: nn.Parameter
    b_xh: nn.Parameter | None
    b_hh: nn.Parameter | None

    def __init__(
        self,
        cell: str,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        dtype: torch.dtype | None = None,
        *,
        num_layers: int = 1,
        bidirectional: bool = False,
    ) -> None:
        """Draw the parameters, uniform in +-1/sqrt(H) as torch.nn does.

        Args:
            cell: a name in `CELLS`.
            input_size: I, at least 1.
            hidden_size: H, at least 1.
            bias: whether there are biases.
            dtype: that of the parameters; torch's default dtype if None.
            num_layers: L, at least 1.
            bidirectional: whether each layer has a reverse direction, too.

        Raises:
            ArgumentError: the name is unknown, a size is not a positive integer, or the dtype is not of real numbers.
        """
        super().__init__()
        if cell not in CELLS:
            raise ArgumentError("cell", repr(cell), "one of " + ", ".join(CELLS))
        check_size("input_size", input_size)
        check_size("hidden_size", hidden_size)
        check_size("num_layers", num_layers)
        if dtype is not None:
            check_dtype("dtype", dtype)
        self.cell = cell
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        bound = 1 / math.sqrt(hidden_size)
        shapes = param_shapes(CELLS[cell].num_gates, input_size, hidden_size, num_layers, bidirectional)
        for name, shape in shapes.items():
            drawn = bias or not name.startswith("b_")
            value = nn.Parameter(torch.empty(shape, dtype=dtype).uniform_(-bound, bound)) if drawn else None
            self.register_parameter(name, value)

    def forward(
        self,
        x: Tensor,
        h_0: Tensor | None = None,
        c_0: Tensor | None = None,
        *,
        lengths: Sequence[int] | Tensor | None = None,
        masks: Sequence[Tensor] = (),
    ) -> tuple[Tensor, ...]:
        """Run the network over a batch of sequences.

        Args:
            x (T, B, I): the input. Sequence b is x[:lengths[b], b]; what comes after it is padding, of any value.
            h_0 (L*D, B, H): the initial hidden states; zero if None.
            c_0 (L*D, B, H): the initial cell states, for an LSTM only; zero if None.
            lengths (B,): the lengths of the sequences, whole numbers from 0 to T in any order; T each if None.
            masks: one for each layer but the last, (T, B, D*H), to be multiplied with its output before that is the
                input of the next layer: a dropout mask is 0 or 1/(1-p). Or none at all.

        Returns:
            y (T, B, D*H), the last layer's hidden states after every step, forward then reverse, and 0 in the padding;
            h_n (L*D, B, H), the hidden states after each sequence's own last step, which is step 0 for the reverse
            direction; and, for an LSTM, c_n (L*D, B, H), the cell states then. A sequence of length 0 ends where it
            starts.

        Raises:
            ArgumentError: a tensor has a wrong shape, dtype or device, the cell has no such state, a length is not
                from 0 to T, or there are too few or too many of something.
        """
        check_tensor("x", x, ("T", "B", self.W_xh.shape[1]), like=self.W_xh)
        T, B, _ = x.shape
        own = Lengths.of(check_lengths(lengths, T, B).to(x.device), T)
        self._check_masks(masks, x)
        y, states_n = run_stack(CELLS[self.cell], self._layers(), x, self._states_0(x, h_0, c_0), own, masks)
        return y, *states_n

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def _check_masks(self, masks: Sequence[Tensor], x: Tensor) -> None:
        """Check that the masks fit the layers and x (T, B, I)."""
        between = self.num_layers - 1
        if not isinstance(masks, Sequence):
            raise ArgumentError("masks", type(masks).__name__, f"a sequence of {between} tensors, or of none")
        if len(masks) not in (0, between):
            raise ArgumentError("masks", f"{len(masks)} tensors", f"{between}, one between two layers each, or none")
        for number, mask in enumerate(masks):
            check_tensor(f"masks[{number}]", mask, (*x.shape[:2], self._directions * self.W_hh.shape[1]), like=x)

    def _states_0(self, x: Tensor, h_0: Tensor | None, c_0: Tensor | None) -> list[Tensor]:
        """Return the initial states (L*D, B, H) for x (T, B, I), in the order of the cell's states."""
        cell = CELLS[self.cell]
        given = {"h": h_0, "c": c_0}
        for state, tensor in given.items():
            if tensor is not None and state not in cell.states:
                raise ArgumentError(f"{state}_0", "a tensor", f"None: {self.cell} has no such state")
        shape = (self.num_layers * self._directions, x.shape[1], self.W_hh.shape[1])
        states_0 = []
        for state in cell.states:
            tensor = given[state]
            if tensor is None:
                tensor = x.new_zeros(shape)
            check_tensor(f"{state}_0", tensor, shape, like=x)
            states_0.append(tensor)
        return states_0

    def _layers(self) -> list[list[Weights]]:
        """Return the parameters by layer and direction."""
        return [[self._weights(suffix(l, d)) for d in range(self._directions)] for l in range(self.num_layers)]

    def _weights(self, end: str) -> Weights:
        """Return the parameters whose names end so, with zero biases where there are none: adding zero is exact."""
        zeros = self.W_hh.new_zeros(self.W_hh.shape[0])
        given = [getattr(self, field + end) for field in Weights._fields]
        return Weights(*(zeros if value is None else value for value in given))
