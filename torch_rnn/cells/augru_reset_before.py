"""The GRU cell with attention, the reset gate before the recurrent product, and clipping. Gate order r, z, n.

    r = sigmoid(k(W_xr x + b_xr + W_hr s + b_hr))     reset gate; k as in `clip`
    z = sigmoid(k(W_xz x + b_xz + W_hz s + b_hz))     update gate
    z_left = (1 - attention) z                        attention is a number for each step and sequence
    n = tanh(k(W_xn x + b_xn + W_hn (r s) + b_hn))    candidate
    h = n + z_left (h_prev - n)

s = h_prev, but for recurrent dropout. Without attention (attention = 0) and clipping, this is `gru_reset_before`.

Reference: Zhou et al., "Deep interest evolution network for click-through rate prediction", AAAI 2019,
arXiv:1809.03672, section "Interest evolving layer" (AUGRU), with 1 - attention as oneDNN has it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from torch_rnn.cells.cell import Cell, Weights
from torch_rnn.cells.clip import clipping


def augru_reset_before(clip: float | None) -> Cell:
    """Return the cell; see `Cell.attends` and `Cell.carries_h` for what its step takes."""
    k = clipping(clip)

    def step(
        weights: Weights, inputs: tuple[Tensor, tuple[Tensor]], h_prev: Tensor, h_seen: Tensor | None = None
    ) -> tuple[Tensor]:
        W_xh, W_hh, b_xh, b_hh, _ = weights
        x, (attention,) = inputs
        s = h_prev if h_seen is None else h_seen
        W_hr, W_hz, W_hn = W_hh.chunk(3)
        b_hr, b_hz, b_hn = b_hh.chunk(3)
        x_r, x_z, x_n = (x @ W_xh.T + b_xh).chunk(3, dim=-1)  # the input's share of every gate's pre-activation
        r = torch.sigmoid(k(x_r + s @ W_hr.T + b_hr))
        z = torch.sigmoid(k(x_z + s @ W_hz.T + b_hz))
        z_left = (1 - attention) * z
        n = torch.tanh(k(x_n + (r * s) @ W_hn.T + b_hn))
        h = n + z_left * (h_prev - n)
        return (h,)

    return Cell(num_gates=3, states=("h",), step=step, attends=True, carries_h=True)
