"""The bridge: nothing is computed in it, so all comparisons are to the bit."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from torch_rnn import ArgumentError
from torch_rnn.builtin import BUILTIN, from_builtin, to_builtin

THEIRS = {"W_xh": "weight_ih_l0", "W_hh": "weight_hh_l0", "b_xh": "bias_ih_l0", "b_hh": "bias_hh_l0"}
KINDS: dict[str, tuple[Callable[..., nn.RNNBase], str]] = {
    "rnn_tanh": (nn.RNN, "RNN_TANH"),
    "rnn_relu": (nn.RNN, "RNN_RELU"),
    "lstm": (nn.LSTM, "LSTM"),
    "gru": (nn.GRU, "GRU"),
}


def theirs(cell: str, **options: Any) -> nn.RNNBase:
    if cell.startswith("rnn_"):
        options["nonlinearity"] = cell.removeprefix("rnn_")
    return KINDS[cell][0](2, 3, **options)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("cell", BUILTIN)
def test_there_and_back(cell: str, bias: bool, dtype: torch.dtype) -> None:
    module = theirs(cell, bias=bias, dtype=dtype)
    name, params = from_builtin(module)
    assert name == cell
    assert list(params) == (list(THEIRS) if bias else ["W_xh", "W_hh"])
    again = to_builtin(name, params)
    assert (type(again), again.mode, again.bias) == (KINDS[cell][0], KINDS[cell][1], bias)
    for ours, value in params.items():
        parameter = getattr(again, THEIRS[ours])
        assert isinstance(parameter, nn.Parameter)
        assert parameter.requires_grad
        assert (parameter.dtype, value.dtype) == (dtype, dtype)
        assert torch.equal(value, getattr(module, THEIRS[ours]))
        assert torch.equal(parameter, value)
    x = torch.ones(4, 2, 2, dtype=dtype)
    assert torch.equal(again(x)[0], module(x)[0])
    assert torch.equal(copy.deepcopy(again).float()(x.float())[0], module.float()(x.float())[0])


def test_the_sides_share_no_memory() -> None:
    _, params = from_builtin(module := nn.GRU(2, 3))
    again = to_builtin("gru", params)
    with torch.no_grad():
        params["W_hh"].zero_()
    W_hh = module.get_parameter("weight_hh_l0")
    assert W_hh.abs().max() > 0
    assert torch.equal(again.get_parameter("weight_hh_l0"), W_hh)


def test_gradients_reach_the_parameters() -> None:
    module = nn.LSTM(2, 3)
    again = to_builtin(*from_builtin(module))
    for one in (module, again):
        one(torch.ones(4, 2, 2))[0].sum().backward()
    for a, b in zip(module.parameters(), again.parameters(), strict=True):
        assert a.grad is not None
        assert b.grad is not None
        assert torch.equal(a.grad, b.grad)


def test_random_numbers_are_not_moved_on() -> None:
    _, params = from_builtin(nn.GRU(2, 3))
    before = torch.get_rng_state()
    to_builtin("gru", params)
    assert torch.equal(before, torch.get_rng_state())


ones = torch.ones
GRU: dict[str, Tensor] = {"W_xh": ones(9, 2), "W_hh": ones(9, 3), "b_xh": ones(9), "b_hh": ones(9)}


@pytest.mark.parametrize(
    ("argument", "cell", "params"),
    [
        ("cell", "gru_reset_before", GRU),
        ("cell", "GRU", GRU),
        ("params", "gru", {}),
        ("params", "gru", {"W_xh": GRU["W_xh"]}),
        ("params", "gru", {name: GRU[name] for name in ("W_xh", "W_hh", "b_hh")}),
        ("params", "gru", GRU | {"W_hy": ones(1, 3)}),
        ("W_hh", "gru", GRU | {"W_hh": ones(3, 9)}),
        ("W_hh", "lstm", GRU),
        ("W_hh", "gru", GRU | {"W_hh": [[1.0]]}),
        ("W_xh", "gru", GRU | {"W_xh": ones(2, 9)}),
        ("W_xh", "gru", GRU | {"W_xh": ones(9, 2).double()}),
        ("b_xh", "gru", GRU | {"b_xh": ones(9, 1)}),
        ("b_hh", "gru", GRU | {"b_hh": ones(1)}),
        ("b_hh", "gru", GRU | {"b_hh": ones(9, device="meta")}),
    ],
)
def test_bad_parameters(argument: str, cell: str, params: Any) -> None:
    with pytest.raises(ArgumentError) as error:
        to_builtin(cell, params)
    assert error.value.argument == argument


@pytest.mark.parametrize(
    ("argument", "module"),
    [
        ("num_layers", nn.GRU(2, 3, num_layers=2)),
        ("bidirectional", nn.GRU(2, 3, bidirectional=True)),
        ("proj_size", nn.LSTM(2, 3, proj_size=1)),
        ("module", nn.Linear(2, 3)),
    ],
)
def test_modules_that_are_something_else(argument: str, module: Any) -> None:
    with pytest.raises(ArgumentError) as error:
        from_builtin(module)
    assert error.value.argument == argument
