"""The bridge: nothing is computed in it, so all comparisons are to the bit."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from torch_rnn import ArgumentError
from torch_rnn.builtin import BUILTIN, NAMES, from_builtin, to_builtin

THEIRS = {"W_xh": "weight_ih_l0", "W_hh": "weight_hh_l0", "b_xh": "bias_ih_l0", "b_hh": "bias_hh_l0"}
TWO_BY_TWO = {
    "W_xh": "weight_ih_l0",
    "W_hh": "weight_hh_l0",
    "b_xh": "bias_ih_l0",
    "b_hh": "bias_hh_l0",
    "W_xh_reverse": "weight_ih_l0_reverse",
    "W_hh_reverse": "weight_hh_l0_reverse",
    "b_xh_reverse": "bias_ih_l0_reverse",
    "b_hh_reverse": "bias_hh_l0_reverse",
    "W_xh_l1": "weight_ih_l1",
    "W_hh_l1": "weight_hh_l1",
    "b_xh_l1": "bias_ih_l1",
    "b_hh_l1": "bias_hh_l1",
    "W_xh_l1_reverse": "weight_ih_l1_reverse",
    "W_hh_l1_reverse": "weight_hh_l1_reverse",
    "b_xh_l1_reverse": "bias_ih_l1_reverse",
    "b_hh_l1_reverse": "bias_hh_l1_reverse",
}
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


@pytest.mark.parametrize("num_layers", [1, 2, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("cell", BUILTIN)
def test_stacks_there_and_back(cell: str, bias: bool, bidirectional: bool, num_layers: int) -> None:
    options = {"num_layers": num_layers, "bidirectional": bidirectional, "bias": bias}
    module = theirs(cell, **options)
    name, params = from_builtin(module)
    # torch.nn's own order is ours
    assert [NAMES[ours] for ours in params] == [key for key, _ in module.named_parameters()]
    again = to_builtin(name, dict(reversed(params.items())))
    assert {option: getattr(again, option) for option in options} == options
    for key, value in module.named_parameters():
        assert torch.equal(again.get_parameter(key), value)
    x = torch.ones(4, 2, 2)
    assert torch.equal(again(x)[0], module(x)[0])


def test_names() -> None:
    _, params = from_builtin(nn.GRU(2, 3, num_layers=2, bidirectional=True))
    assert list(params) == list(TWO_BY_TWO)
    assert {name: NAMES[name] for name in params} == TWO_BY_TWO
    assert NAMES["b_xh_l12_reverse"] == "bias_ih_l12_reverse"
    assert NAMES["W_hr"] == "weight_hr_l0"
    assert NAMES["W_hr_l1_reverse"] == "weight_hr_l1_reverse"


@pytest.mark.parametrize(
    "name", ["", "W", "W_hy", "W_xh_l0", "W_xh_l01", "W_xh_reverse_l1", "W_xh_l1_", "w_xh", "b_hr", "p_i"]
)
def test_names_of_nothing(name: str) -> None:
    with pytest.raises(ArgumentError) as error:
        NAMES[name]
    assert error.value.argument == "name"


@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_projections_there_and_back(bias: bool, bidirectional: bool, num_layers: int) -> None:
    options: Any = {"num_layers": num_layers, "bidirectional": bidirectional, "bias": bias, "proj_size": 2}
    # in float64: in float32, torch.nn warns that its own projection is not the fastest
    module = nn.LSTM(2, 3, **options, dtype=torch.float64)
    name, params = from_builtin(module)
    assert name == "lstm"
    assert [NAMES[ours] for ours in params] == [key for key, _ in module.named_parameters()]
    assert params["W_hr"].shape == (2, 3)
    again = to_builtin(name, dict(reversed(params.items())))
    assert {option: getattr(again, option) for option in options} == options
    assert again.hidden_size == 3
    for key, value in module.named_parameters():
        assert torch.equal(again.get_parameter(key), value)
    x = torch.ones(4, 2, 2, dtype=torch.float64)
    for a, b in zip((again(x)[0], *again(x)[1]), (module(x)[0], *module(x)[1]), strict=True):
        assert torch.equal(a, b)


def test_batch_first_and_dropout_are_no_parameters() -> None:
    module = nn.GRU(2, 3, num_layers=2, batch_first=True, dropout=0.5)
    again = to_builtin(*from_builtin(module))
    assert (again.batch_first, again.dropout) == (False, 0)
    x = torch.ones(4, 5, 2)
    want = module.eval()(x.transpose(0, 1))[0].transpose(0, 1)
    assert torch.equal(again(x)[0].contiguous(), want.contiguous())


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
SECOND = {"W_xh_l1": ones(9, 3), "W_hh_l1": ones(9, 3), "b_xh_l1": ones(9), "b_hh_l1": ones(9)}
BACK = {f"{name}_reverse": value for name, value in GRU.items()}
PROJECTED: dict[str, Tensor] = {"W_xh": ones(12, 2), "W_hh": ones(12, 2), "W_hr": ones(2, 3)}


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
        ("params", "gru", GRU | {"W_hr": ones(2, 3)}),
        ("params", "lstm", PROJECTED | {"W_hr_l1": ones(2, 3)}),
        ("W_hr", "lstm", PROJECTED | {"W_hr": ones(3, 3), "W_hh": ones(12, 3)}),
        ("W_hr", "lstm", PROJECTED | {"W_hr": ones(6)}),
        ("W_hh", "lstm", PROJECTED | {"W_hh": ones(12, 3)}),
        ("W_hh", "lstm", PROJECTED | {"W_hr": ones(2, 4)}),
        ("W_xh", "lstm", PROJECTED | {"W_xh": ones(8, 2)}),
        ("params", "gru", SECOND),
        ("params", "gru", BACK),
        ("params", "gru", GRU | {"W_hh_l1": ones(9, 3)}),
        ("params", "gru", GRU | {f"{name[:-1]}2": value for name, value in SECOND.items()}),
        ("params", "gru", GRU | {name: SECOND[name] for name in ("W_xh_l1", "W_hh_l1")}),
        ("params", "gru", GRU | SECOND | BACK),
        ("W_xh_l1", "gru", GRU | SECOND | {"W_xh_l1": ones(9, 2)}),
        ("W_xh_l1", "gru", GRU | SECOND | {"W_xh_l1": ones(9, 6)}),
        ("W_hh_l1", "gru", GRU | SECOND | {"W_hh_l1": ones(12, 4)}),
        ("b_hh_l1", "gru", GRU | SECOND | {"b_hh_l1": ones(9).double()}),
        ("W_xh_reverse", "gru", GRU | BACK | {"W_xh_reverse": ones(9, 3)}),
        ("b_xh_reverse", "gru", GRU | BACK | {"b_xh_reverse": ones(3)}),
    ],
)
def test_bad_parameters(argument: str, cell: str, params: Any) -> None:
    with pytest.raises(ArgumentError) as error:
        to_builtin(cell, params)
    assert error.value.argument == argument


@pytest.mark.parametrize(
    ("argument", "module"),
    [
        ("module", None),
        ("module", nn.Linear(2, 3)),
    ],
)
def test_modules_that_are_something_else(argument: str, module: Any) -> None:
    with pytest.raises(ArgumentError) as error:
        from_builtin(module)
    assert error.value.argument == argument
