"""The LSTM cell with peepholes, coupled gates, a forget bias and clipping, in any combination. Gate order i, f, g, o.

    a = W_xh x + b_xh + W_hh h_prev + b_hh            a = (a_i, a_f, a_g, a_o); coupled, (a_i, a_g, a_o)
    i = sigmoid(k(a_i + p_i c_prev))                  k as in `clip`
    f = sigmoid(k(a_f + p_f c_prev + forget_bias))    coupled, f = 1 - i
    g = tanh(k(a_g))
    c = f c_prev + i g
    o = sigmoid(k(a_o + p_o c))                       the new c
    s = tanh(k(c))
    h = o s

Without peepholes, p = 0. The products with p are elementwise.

Reference: Greff, Srivastava, Koutník, Steunebrink & Schmidhuber, "LSTM: a search space odyssey", IEEE Transactions on
Neural Networks and Learning Systems 28 (2017), arXiv:1503.04069, whose equations have the peepholes of Gers &
Schmidhuber, and whose variant CIFG has the coupled gates.
"""

from __future__ import annotations

import torch
from torch import Tensor

from torch_rnn.cells.cell import Cell, Weights
from torch_rnn.cells.clip import clipping


def lstm_variant(coupled: bool, forget_bias: float, clip: float | None) -> Cell:
    """Return the LSTM cell with these options; it has the peepholes that its weights have."""
    k = clipping(clip)

    def step(weights: Weights, x: Tensor, h_prev: Tensor, c_prev: Tensor) -> tuple[Tensor, Tensor]:
        W_xh, W_hh, b_xh, b_hh, p = weights
        a = x @ W_xh.T + b_xh + h_prev @ W_hh.T + b_hh
        a_i, *a_f, a_g, a_o = a.chunk(3 if coupled else 4, dim=-1)
        i = torch.sigmoid(k(_peep(a_i, p.get("p_i"), c_prev)))
        f = 1 - i if coupled else torch.sigmoid(k(_peep(a_f[0], p.get("p_f"), c_prev) + forget_bias))
        g = torch.tanh(k(a_g))
        c = f * c_prev + i * g
        o = torch.sigmoid(k(_peep(a_o, p.get("p_o"), c)))
        s = torch.tanh(k(c))
        h = o * s
        return h, c

    return Cell(num_gates=3 if coupled else 4, states=("h", "c"), step=step)


def _peep(a: Tensor, p: Tensor | None, c: Tensor) -> Tensor:
    return a if p is None else a + p * c
