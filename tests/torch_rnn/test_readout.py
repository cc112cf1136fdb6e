from __future__ import annotations

from typing import Any

import pytest
import torch

from torch_rnn import ArgumentError, Readout


def test_value_and_gradients_are_exact() -> None:
    layer = Readout(2, 1, dtype=torch.float64)
    layer.load_state_dict({"W_hy": torch.tensor([[0.5, -2.0]]), "b_y": torch.tensor([0.25])})
    y = torch.tensor([[[1.0, 2.0], [3.0, 0.5]], [[-1.0, 1.5], [0.0, 4.0]]], dtype=torch.float64, requires_grad=True)
    o = layer(y)
    o.backward(torch.tensor([[[1.0], [2.0]], [[-1.0], [0.5]]], dtype=torch.float64))
    # small integers and halves: nothing rounds, so equality is the tolerance
    assert o.tolist() == [[[-3.25], [0.75]], [[-3.25], [-7.75]]]
    assert layer.W_hy.grad is not None
    assert layer.W_hy.grad.tolist() == [[1 + 6 + 1 + 0, 2 + 1 - 1.5 + 2]]
    assert layer.b_y.grad is not None
    assert layer.b_y.grad.tolist() == [2.5]
    assert y.grad is not None
    assert y.grad.tolist() == [[[0.5, -2], [1, -4]], [[-0.5, 2], [0.25, -1]]]


def test_parameters() -> None:
    torch.manual_seed(0)
    layer = Readout(16, 3, dtype=torch.float64)
    assert {name: tuple(value.shape) for name, value in layer.named_parameters()} == {"W_hy": (3, 16), "b_y": (3,)}
    assert all(0 < value.abs().max() <= 1 / 4 for value in layer.parameters())


@pytest.mark.parametrize(
    ("argument", "arguments"),
    [("hidden_size", (0, 1)), ("output_size", (1, 0)), ("dtype", (1, 1, torch.int32))],
)
def test_bad_options(argument: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(ArgumentError) as error:
        Readout(*arguments)
    assert error.value.argument == argument


@pytest.mark.parametrize("y", [torch.ones(2, 3), torch.ones(4, 1, 2), torch.ones(4, 1, 3).double(), None])
def test_bad_inputs(y: Any) -> None:
    with pytest.raises(ArgumentError) as error:
        Readout(3, 2)(y)
    assert error.value.argument == "y"
