"""The LSTM cell. Gate order i, f, g, o, as in torch.nn.

    a = W_xh x + b_xh + W_hh h_prev + b_hh            a = (a_i, a_f, a_g, a_o)
    i = sigmoid(a_i)                                  input gate
    f = sigmoid(a_f)                                  forget gate
    g = tanh(a_g)                                     candidate
    o = sigmoid(a_o)                                  output gate
    c = f c_prev + i g
    s = tanh(c)
    h = o s

Reference: Hochreiter & Schmidhuber, "Long short-term memory", Neural Computation 9 (1997); the forget gate is from
Gers, Schmidhuber & Cummins, "Learning to forget", Neural Computation 12 (2000).

Autograd derives the backward pass; `manual_rnn.cells.lstm` has it by hand.
"""

from __future__ import annotations

import torch
from torch import Tensor

from torch_rnn.cells.cell import Cell, Weights


def step(weights: Weights, x: Tensor, h_prev: Tensor, c_prev: Tensor) -> tuple[Tensor, Tensor]:
    W_xh, W_hh, b_xh, b_hh, _ = weights
    a = x @ W_xh.T + b_xh + h_prev @ W_hh.T + b_hh
    a_i, a_f, a_g, a_o = a.chunk(4, dim=-1)
    i = torch.sigmoid(a_i)
    f = torch.sigmoid(a_f)
    g = torch.tanh(a_g)
    o = torch.sigmoid(a_o)
    c = f * c_prev + i * g
    s = torch.tanh(c)
    h = o * s
    return h, c


LSTM = Cell(num_gates=4, states=("h", "c"), step=step)
