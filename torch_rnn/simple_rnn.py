"""SimpleRNN, the model of the notebook that this project grew from: an Elman layer and an output layer.

    h_t = tanh(W_xh x_t + W_hh h_{t-1} + b_h)         h_{-1} = 0
    y_t = W_hy h_t + b_y

Autograd derives the backward pass; the notebook's training is torch.optim.SGD on half the summed squared error.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from torch_rnn.cells.cell import Weights
from torch_rnn.cells.elman import RNN_TANH
from torch_rnn.checks import check_size, check_tensor
from torch_rnn.readout import readout
from torch_rnn.unroll import unroll


class SimpleRNN(nn.Module):
    """An Elman network for one sequence at a time, in float64 as the notebook's.

    Attributes:
        W_xh (H, I), W_hh (H, H), W_hy (O, H): random, 0.01 times a standard normal draw.
        b_h (H, 1), b_y (O, 1): zero.
    """

    def __init__(
        self, input_size: int, hidden_size: int, output_size: int, generator: torch.Generator | None = None
    ) -> None:
        """Draw the weights.

        Args:
            input_size: I, at least 1.
            hidden_size: H, at least 1.
            output_size: O, at least 1.
            generator: where the weights come from; torch's global generator if None.

        Raises:
            ArgumentError: a size is not a positive integer.
        """
        super().__init__()
        check_size("input_size", input_size)
        check_size("hidden_size", hidden_size)
        check_size("output_size", output_size)

        def normal(*shape: int) -> nn.Parameter:
            return nn.Parameter(0.01 * torch.randn(shape, generator=generator, dtype=torch.float64))

        self.W_xh = normal(hidden_size, input_size)
        self.W_hh = normal(hidden_size, hidden_size)
        self.W_hy = normal(output_size, hidden_size)
        self.b_h = nn.Parameter(torch.zeros(hidden_size, 1, dtype=torch.float64))
        self.b_y = nn.Parameter(torch.zeros(output_size, 1, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs (T, O) for the sequence x (T, I).

        Raises:
            ArgumentError: `x` has a wrong shape, dtype or device.
        """
        check_tensor("x", x, ("T", self.W_xh.shape[1]), like=self.W_xh)
        b_h = self.b_h[:, 0]
        weights = Weights(self.W_xh, self.W_hh, b_h, torch.zeros_like(b_h))  # the notebook has one bias
        h, _ = unroll(RNN_TANH, weights, x[:, None], (x.new_zeros((1, self.W_hh.shape[0])),))
        return readout(self.W_hy, self.b_y[:, 0], h[:, 0])
