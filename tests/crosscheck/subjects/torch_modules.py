"""Torch modules as people write them, for the tests of the adapter."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class Base(nn.Module):
    """Elman with torch.nn's names and shapes; the others differ in what they take and return."""

    G = 1

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        rows = self.G * hidden_size
        self.weight_ih_l0 = nn.Parameter(torch.randn(rows, input_size))
        self.weight_hh_l0 = nn.Parameter(torch.randn(rows, hidden_size))
        self.bias_ih_l0 = nn.Parameter(torch.randn(rows))
        self.bias_hh_l0 = nn.Parameter(torch.randn(rows))

    def steps(self, x: Tensor, h: Tensor) -> list[Tensor]:
        """Return h after each step."""
        ys = []
        for x_t in x:
            h = torch.tanh(x_t @ self.weight_ih_l0.T + self.bias_ih_l0 + h @ self.weight_hh_l0.T + self.bias_hh_l0)
            ys.append(h)
        return ys

    def zeros(self, x: Tensor) -> Tensor:
        """Return an initial state (B, H)."""
        return x.new_zeros(x.shape[1], self.weight_hh_l0.shape[1])


class TakesAll(Base):
    def forward(self, x: Tensor, h_0: Tensor) -> Any:
        ys = self.steps(x, h_0[0])
        return torch.stack(ys), ys[-1][None]


class Flat(Base):
    def forward(self, x: Tensor, hidden: Tensor) -> Any:
        ys = self.steps(x, hidden)
        return {"outputs": torch.stack(ys), "hidden": [ys[-1]]}


class NoStates(Base):
    def forward(self, x: Tensor, lengths: Any = None) -> Any:  # noqa: ARG002
        return torch.stack(self.steps(x, self.zeros(x)))


class NoInitial(Base):
    def forward(self, x: Tensor) -> Any:
        ys = self.steps(x, self.zeros(x))
        return torch.stack(ys), ys[-1]


class NoFinal(Base):
    def forward(self, x: Tensor, hx: Tensor) -> Any:
        return torch.stack(self.steps(x, hx[0]))


class FinalOnly(Base):
    def forward(self, x: Tensor, hx: Tensor) -> Any:
        return self.steps(x, hx[0])[-1]


class BatchFirst(Base):
    batch_first = True

    def forward(self, x: Tensor, hx: Tensor) -> Any:
        ys = self.steps(x.transpose(0, 1), hx[0])
        return torch.stack(ys, dim=1), ys[-1][None]


class Detached(Base):
    """The carry is cut: a mistake."""

    def forward(self, x: Tensor, hx: Tensor) -> Any:
        ys, h = [], hx[0]
        for x_t in x:
            (h,) = self.steps(x_t[None], h.detach())
            ys.append(h)
        return torch.stack(ys), h[None]


class Data(Base):
    """No gradient reaches W_hh: a mistake."""

    def forward(self, x: Tensor, hx: Tensor) -> Any:
        ys, h = [], hx[0]
        for x_t in x:
            h = torch.tanh(x_t @ self.weight_ih_l0.T + h @ self.weight_hh_l0.data.T + self.bias_ih_l0 + self.bias_hh_l0)
            ys.append(h)
        return torch.stack(ys), h[None]


class Single(Base):
    """Works in float32 alone."""

    def forward(self, x: Tensor, hx: Tensor) -> Any:
        ys = self.steps(x, hx[0])
        return torch.stack(ys) @ torch.eye(self.weight_hh_l0.shape[1]), ys[-1][None]


class Raises(Base):
    def forward(self, x: Tensor, hx: Tensor) -> Any:  # noqa: ARG002
        raise RuntimeError("out of luck")


class Lstm(Base):
    """Gates i, o, f, g in one weight each (in, out), one bias, states apart."""

    def __init__(self, n_in: int, n_hidden: int) -> None:
        nn.Module.__init__(self)
        self.wx = nn.Parameter(torch.randn(n_in, 4 * n_hidden))
        self.wh = nn.Parameter(torch.randn(n_hidden, 4 * n_hidden))
        self.bias = nn.Parameter(torch.randn(4 * n_hidden))

    def forward(self, x: Tensor, h_0: Tensor, c_0: Tensor) -> Any:
        h, c, ys = h_0, c_0, []
        for x_t in x:
            i, o, f, g = (x_t @ self.wx + h @ self.wh + self.bias).chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            ys.append(h)
        return torch.stack(ys), h, c


class WithHead(nn.Module):
    def __init__(self, input_size: int, hidden_size: int, output_size: int, num_layers: int = 1) -> None:
        super().__init__()
        self.rnn = nn.GRU(input_size, hidden_size, num_layers)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x: Tensor, h: Tensor | None = None) -> Any:
        y, h = self.rnn(x, h)
        return self.fc(y), h


class OneLayer(WithHead):
    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1) -> None:
        if num_layers > 2:
            raise NotImplementedError("two layers at most")
        nn.Module.__init__(self)
        self.rnn = nn.GRU(input_size, hidden_size, num_layers)

    def forward(self, x: Tensor, h: Tensor | None = None) -> Any:
        return self.rnn(x, h)


class Needs(Base):
    def __init__(self, input_size: int, hidden_size: int, vocabulary: int) -> None:  # noqa: ARG002
        super().__init__(input_size, hidden_size)


class Breaks(Base):
    def __init__(self, input_size: int, hidden_size: int) -> None:  # noqa: ARG002
        raise ValueError("no such thing")
