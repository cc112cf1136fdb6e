from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import manual_rnn
from torch_rnn import LOSSES, ArgumentError, SimpleRNN


def test_learns_what_the_notebook_learns() -> None:
    np.random.seed(42)
    twin = manual_rnn.SimpleRNN(1, 5, 1)
    model = SimpleRNN(1, 5, 1)
    names = ("W_xh", "W_hh", "W_hy", "b_h", "b_y")
    model.load_state_dict({name: torch.from_numpy(getattr(twin, name)) for name in names})
    x = torch.tensor([[1.0], [2.0], [3.0], [4.0]], dtype=torch.float64)
    y = torch.empty_like(x)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(100):
        optimizer.zero_grad()
        y = model(x)
        torch.autograd.backward(LOSSES["half_squared_error"](y[:, None], (x + 1)[:, None]))
        optimizer.step()
    # as the notebook prints them: the outputs of the last epoch, from before its update
    printed = [f"{value:.8f}" for value in y[:, 0].tolist()]
    assert printed == ["2.24143915", "3.18450265", "4.04305928", "4.57419398"]


def test_parameters() -> None:
    model = SimpleRNN(2, 3, 4, torch.Generator().manual_seed(1))
    generator = torch.Generator().manual_seed(1)
    for name, shape in {"W_xh": (3, 2), "W_hh": (3, 3), "W_hy": (4, 3)}.items():
        want = 0.01 * torch.randn(shape, generator=generator, dtype=torch.float64)
        assert torch.equal(model.get_parameter(name).detach(), want)
    for name, size in {"b_h": 3, "b_y": 4}.items():
        assert torch.equal(model.get_parameter(name).detach(), torch.zeros(size, 1, dtype=torch.float64))
    assert len(list(model.parameters())) == 5


@pytest.mark.parametrize(
    ("argument", "sizes"), [("input_size", (0, 1, 1)), ("hidden_size", (1, 0, 1)), ("output_size", (1, 1, 0))]
)
def test_bad_sizes(argument: str, sizes: tuple[int, int, int]) -> None:
    with pytest.raises(ArgumentError) as error:
        SimpleRNN(*sizes)
    assert error.value.argument == argument


@pytest.mark.parametrize("x", [torch.ones(4).double(), torch.ones(4, 2).double(), torch.ones(4, 1), [[1.0]]])
def test_bad_inputs(x: Any) -> None:
    with pytest.raises(ArgumentError) as error:
        SimpleRNN(1, 2, 1)(x)
    assert error.value.argument == "x"
