"""The GRU cell with the reset gate before the recurrent product, as in the paper and in ONNX by default. Gates r, z, n.

    r = sigmoid(W_xr x + b_xr + W_hr h_prev + b_hr)   reset gate
    z = sigmoid(W_xz x + b_xz + W_hz h_prev + b_hz)   update gate
    s = r h_prev
    n = tanh(W_xn x + b_xn + W_hn s + b_hn)           candidate
    h = n + z (h_prev - n)                            that is, (1 - z) n + z h_prev

Reference: Cho et al., "Learning phrase representations using RNN encoder-decoder", EMNLP 2014, arXiv:1406.1078v3,
equations 5 to 8, with z and 1 - z as torch has them.

Autograd derives the backward pass; `manual_rnn.cells.gru_reset_before` has it by hand.
"""

from __future__ import annotations

import torch
from torch import Tensor

from torch_rnn.cells.cell import Cell, Weights


def step(weights: Weights, x: Tensor, h_prev: Tensor) -> tuple[Tensor]:
    W_xh, W_hh, b_xh, b_hh, _ = weights
    W_hr, W_hz, W_hn = W_hh.chunk(3)
    b_hr, b_hz, b_hn = b_hh.chunk(3)
    x_r, x_z, x_n = (x @ W_xh.T + b_xh).chunk(3, dim=-1)  # the input's share of every gate's pre-activation
    r = torch.sigmoid(x_r + h_prev @ W_hr.T + b_hr)
    z = torch.sigmoid(x_z + h_prev @ W_hz.T + b_hz)
    s = r * h_prev
    n = torch.tanh(x_n + s @ W_hn.T + b_hn)
    h = n + z * (h_prev - n)
    return (h,)


GRU_RESET_BEFORE = Cell(num_gates=3, states=("h",), step=step)
