"""SimpleRNN, the model of the notebook that this project grew from: an Elman layer, an output layer, SGD.

    h_t = tanh(W_xh x_t + W_hh h_{t-1} + b_h)         h_{-1} = 0
    y_t = W_hy h_t + b_y
    loss = 1/2 sum_t (y_t - target_t)^2

What the notebook has and this has not: a loss function whose gradient is not the one descended along (see
`manual_rnn.losses`), a softmax that overflows, a backward pass that cannot be had without the update, and a last cell
that reads a name before it is defined.
"""

from __future__ import annotations

import numpy as np

from manual_rnn import losses, readout, unroll
from manual_rnn.arrays import Array, check_array
from manual_rnn.cells.cell import Tape, Weights
from manual_rnn.cells.elman import RNN_TANH
from manual_rnn.errors import ArgumentError


class SimpleRNN:
    """An Elman network for one sequence at a time, with weights that it updates itself.

    Attributes:
        W_xh (H, I), W_hh (H, H), W_hy (O, H): random, 0.01 times a standard normal draw.
        b_h (H, 1), b_y (O, 1): zero.
    """

    def __init__(
        self, input_size: int, hidden_size: int, output_size: int, rng: np.random.Generator | None = None
    ) -> None:
        """Draw the weights.

        Args:
            input_size: I, at least 1.
            hidden_size: H, at least 1.
            output_size: O, at least 1.
            rng: where the weights come from; if None, NumPy's global generator, as in the notebook, so that
                `np.random.seed` governs them.

        Raises:
            ArgumentError: a size is not a positive integer.
        """
        sizes = {"input_size": input_size, "hidden_size": hidden_size, "output_size": output_size}
        for name, size in sizes.items():
            if not isinstance(size, int) or size < 1:
                raise ArgumentError(name, repr(size), "an integer, at least 1")
        normal = np.random.standard_normal if rng is None else rng.standard_normal
        self.W_xh: Array = normal((hidden_size, input_size)) * 0.01
        self.W_hh: Array = normal((hidden_size, hidden_size)) * 0.01
        self.W_hy: Array = normal((output_size, hidden_size)) * 0.01
        self.b_h: Array = np.zeros((hidden_size, 1))
        self.b_y: Array = np.zeros((output_size, 1))

    def forward(self, x: Array) -> list[Array]:
        """Return the outputs y_t, (O, 1) each, for the sequence x (T, I).

        Raises:
            ArgumentError: `x` has a wrong shape or dtype or is not finite.
        """
        check_array("x", x, ("T", self.W_xh.shape[1]), like=self.W_xh)
        h = self._tape(x).states[0][1:]
        y = readout.forward(self.W_hy, self.b_y[:, 0], h)
        return [y_t.T for y_t in y]

    def gradients(self, x: Array, y: Array) -> tuple[float, dict[str, Array]]:
        """Return the loss on one sequence and its gradients; nothing is updated.

        Args:
            x (T, I): the input.
            y (T, O): the target.

        Returns:
            Half the summed squared error, and `dW_xh`, `dW_hh`, `dW_hy`, `db_h`, `db_y`, each of its parameter's shape,
            and `dx` (T, I).

        Raises:
            ArgumentError: an array has a wrong shape or dtype or is not finite.
        """
        check_array("x", x, ("T", self.W_xh.shape[1]), like=self.W_xh)
        check_array("y", y, (x.shape[0], self.W_hy.shape[0]), like=self.W_xh)
        tape = self._tape(x)
        h = tape.states[0][1:]
        loss, do = losses.half_squared_error(readout.forward(self.W_hy, self.b_y[:, 0], h), y[:, None])
        dW_hy, db_y, dh = readout.backward(self.W_hy, h, do)
        g = unroll.backward(RNN_TANH, self._weights(), tape, dh, (np.zeros_like(h[0]),))
        gradients = {"dW_xh": g.dW_xh, "dW_hh": g.dW_hh, "dW_hy": dW_hy}
        return float(loss), gradients | {"db_h": g.db_xh[:, None], "db_y": db_y[:, None], "dx": g.dx[:, 0]}

    def backward(self, x: Array, y: Array, learning_rate: float) -> None:
        """Take one step of gradient descent on one sequence; arguments as `gradients`."""
        _, g = self.gradients(x, y)
        self.W_xh -= learning_rate * g["dW_xh"]
        self.W_hh -= learning_rate * g["dW_hh"]
        self.W_hy -= learning_rate * g["dW_hy"]
        self.b_h -= learning_rate * g["db_h"]
        self.b_y -= learning_rate * g["db_y"]

    def _weights(self) -> Weights:
        b_h = self.b_h[:, 0]
        return Weights(self.W_xh, self.W_hh, b_h, np.zeros_like(b_h), W_hh_T=self.W_hh.T.copy())

    def _tape(self, x: Array) -> Tape:
        h_0 = np.zeros((1, self.W_hh.shape[0]))
        return unroll.forward(RNN_TANH, self._weights(), x[:, None], (h_0,))
