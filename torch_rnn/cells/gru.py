"""The GRU cell with the reset gate after the recurrent product, as in torch.nn and cuDNN. Gate order r, z, n.

    r = sigmoid(W_xr x + b_xr + W_hr h_prev + b_hr)   reset gate
    z = sigmoid(W_xz x + b_xz + W_hz h_prev + b_hz)   update gate
    q = W_hn h_prev + b_hn
    n = tanh(W_xn x + b_xn + r q)                     candidate
    h = n + z (h_prev - n)                            that is, (1 - z) n + z h_prev

Reference: Cho et al., "Learning phrase representations using RNN encoder-decoder", EMNLP 2014, arXiv:1406.1078, in the
variant of its first version (arXiv:1406.1078v1), whose recurrent product of n comes before the reset.

Autograd derives the backward pass; `manual_rnn.cells.gru` has it by hand.
"""

from __future__ import annotations

import torch
from torch import Tensor

from torch_rnn.cells.cell import Cell, Weights


def step(weights: Weights, x: Tensor, h_prev: Tensor) -> tuple[Tensor]:
    W_xh, W_hh, b_xh, b_hh, _ = weights
    x_r, x_z, x_n = (x @ W_xh.T + b_xh).chunk(3, dim=-1)  # the two shares of every gate's pre-activation
    h_r, h_z, q = (h_prev @ W_hh.T + b_hh).chunk(3, dim=-1)
    r = torch.sigmoid(x_r + h_r)
    z = torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + r * q)
    h = n + z * (h_prev - n)
    return (h,)


GRU = Cell(num_gates=3, states=("h",), step=step)
