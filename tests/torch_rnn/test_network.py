"""The layer against torch.nn, outputs and all gradients; planted mistakes; bad arguments."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from torch_rnn import CELLS, ArgumentError, Recurrent
from torch_rnn.cells.cell import Cell, Weights

Arrays = dict[str, Tensor]

IN_TORCH = ["rnn_tanh", "rnn_relu", "lstm", "gru"]
PARAMS = ("W_xh", "W_hh", "b_xh", "b_hh")


size = st.integers(1, 4)


@pytest.mark.parametrize("cell", IN_TORCH)
@given(T=size, B=size, I=size, H=size, bias=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_agrees_with_torch_nn(
    draw: Callable[..., Arrays],
    run: Callable[..., Arrays],
    run_torch: Callable[..., Arrays],
    assert_agree: Callable[..., None],
    cell: str,
    T: int,
    B: int,
    I: int,
    H: int,
    bias: bool,
    seed: int,
) -> None:
    case = draw(cell, T, B, I, H, bias, seed)
    assert_agree(run(cell, case), run_torch(cell, case), case)


@pytest.mark.parametrize("cell", CELLS)
def test_no_states_means_zero_states_and_no_bias_means_zero_bias(draw: Callable[..., Arrays], cell: str) -> None:
    case = draw(cell, 3, 2, 3, 2, False, 5)
    bare, full = (Recurrent(cell, 3, 2, bias=bias, dtype=torch.float64) for bias in (False, True))
    params = {"W_xh": case["W_xh"], "W_hh": case["W_hh"]}
    rows = case["W_xh"].shape[0]
    bare.load_state_dict(params)
    full.load_state_dict(params | {name: torch.zeros(rows, dtype=torch.float64) for name in ("b_xh", "b_hh")})
    zeros = [torch.zeros(1, 2, 2, dtype=torch.float64) for _ in CELLS[cell].states]
    for got, want in zip(bare(case["x"]), full(case["x"], *zeros), strict=True):
        assert torch.equal(got, want)


def wrong_bias(case: Arrays) -> Arrays:
    return case | {"b_hh": torch.zeros_like(case["b_hh"])}


def wrong_order(case: Arrays) -> Arrays:
    """Take the gates for i, g, f, o."""

    def permuted(rows: Tensor) -> Tensor:
        i, f, g, o = rows.chunk(4)
        return torch.cat([i, g, f, o])

    return case | {name: permuted(case[name]) for name in PARAMS}


def wrong_transpose(case: Arrays) -> Arrays:
    return case | {"W_hh": torch.cat([block.T for block in case["W_hh"].chunk(4)])}


@pytest.mark.parametrize("mistake", [wrong_bias, wrong_order, wrong_transpose])
def test_a_planted_mistake_is_caught(
    draw: Callable[..., Arrays],
    run: Callable[..., Arrays],
    run_torch: Callable[..., Arrays],
    assert_agree: Callable[..., None],
    mistake: Callable[[Arrays], Arrays],
) -> None:
    case = draw("lstm", 3, 2, 2, 3, True, 7)
    with pytest.raises(AssertionError, match=r"^y is off by"):
        assert_agree(run("lstm", mistake(case)), run_torch("lstm", case), case)


def test_a_gradient_that_is_not_carried_is_caught(
    draw: Callable[..., Arrays],
    run: Callable[..., Arrays],
    run_torch: Callable[..., Arrays],
    assert_agree: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    right = CELLS["rnn_tanh"]

    def step(weights: Weights, x: Tensor, h_prev: Tensor) -> tuple[Tensor, ...]:
        return right.step(weights, x, h_prev if h_prev.grad_fn is None else h_prev.detach() + 0 * h_prev)

    case = draw("rnn_tanh", 3, 2, 2, 3, True, 7)
    want = run_torch("rnn_tanh", case)
    monkeypatch.setitem(CELLS, "rnn_tanh", Cell(1, ("h",), step))
    got = run("rnn_tanh", case)
    assert_agree({name: got[name] for name in ("y", "h_n")}, {name: want[name] for name in ("y", "h_n")}, case)
    for name in ("dx", "dh_0", "dW_xh", "dW_hh", "db_xh", "db_hh"):
        with pytest.raises(AssertionError, match=f"^{name} is off by"):
            assert_agree({name: got[name]}, {name: want[name]}, case)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bias", [True, False])
def test_parameters(cell: str, bias: bool) -> None:
    torch.manual_seed(0)
    layer = Recurrent(cell, 3, 16, bias=bias)
    rows = CELLS[cell].num_gates * 16
    shapes = {"W_xh": (rows, 3), "W_hh": (rows, 16)} | ({"b_xh": (rows,), "b_hh": (rows,)} if bias else {})
    assert {name: tuple(value.shape) for name, value in layer.named_parameters()} == shapes
    weights = layer.W_hh.detach()
    assert weights.dtype == torch.get_default_dtype()
    assert weights.abs().max() <= 1 / math.sqrt(16)
    # at least 256 uniform numbers, none in the last eighth on one side or the other: chance 2 (15/16)^256 < 2e-7
    assert weights.min() < -7 / 8 / 4
    assert weights.max() > 7 / 8 / 4


def test_dtype_is_kept() -> None:
    layer = Recurrent("lstm", 2, 3, dtype=torch.float64)
    assert {value.dtype for value in layer.parameters()} == {torch.float64}
    assert {out.dtype for out in layer(torch.ones(2, 1, 2, dtype=torch.float64))} == {torch.float64}


def test_copies_and_pickles() -> None:
    layer, x = Recurrent("gru", 2, 3), torch.ones(2, 1, 2)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(twin(x)[0], layer(x)[0])


@pytest.mark.parametrize(
    ("argument", "arguments"),
    [
        ("cell", {"cell": "LSTM"}),
        ("input_size", {"input_size": 0}),
        ("input_size", {"input_size": 2.0}),
        ("hidden_size", {"hidden_size": -1}),
        ("num_layers", {"num_layers": 0}),
        ("num_layers", {"num_layers": 1.0}),
        ("dtype", {"dtype": torch.int64}),
        ("dtype", {"dtype": torch.complex128}),
    ],
)
def test_bad_options(argument: str, arguments: dict[str, Any]) -> None:
    good: dict[str, Any] = {"cell": "lstm", "input_size": 2, "hidden_size": 3}
    with pytest.raises(ArgumentError) as error:
        Recurrent(**(good | arguments))
    assert error.value.argument == argument


ones = torch.ones


@pytest.mark.parametrize(
    ("argument", "cell", "inputs"),
    [
        ("x", "lstm", {"x": [[[1.0, 2.0]]]}),
        ("x", "lstm", {"x": ones(5, 2)}),
        ("x", "lstm", {"x": ones(5, 4, 3)}),
        ("x", "lstm", {"x": ones(5, 4, 1)}),
        ("x", "lstm", {"x": ones(0, 4, 2)}),
        ("x", "lstm", {"x": ones(5, 0, 2)}),
        ("x", "lstm", {"x": ones(5, 4, 2, dtype=torch.float64)}),
        ("x", "lstm", {"x": ones(5, 4, 2, dtype=torch.int64)}),
        ("x", "lstm", {"x": ones(5, 4, 2, device="meta")}),
        ("h_0", "lstm", {"h_0": ones(4, 3)}),
        ("h_0", "lstm", {"h_0": ones(1, 1, 3)}),
        ("h_0", "lstm", {"h_0": ones(2, 4, 3)}),
        ("h_0", "gru", {"h_0": ones(1, 4, 1)}),
        ("h_0", "gru", {"h_0": ones(1, 4, 3, dtype=torch.float64)}),
        ("c_0", "lstm", {"c_0": ones(1, 1, 3)}),
        ("c_0", "lstm", {"c_0": ones(1, 4, 3, dtype=torch.float64)}),
        ("c_0", "gru", {"c_0": ones(1, 4, 3)}),
    ],
)
def test_bad_inputs(argument: str, cell: str, inputs: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError) as error:
        Recurrent(cell, 2, 3)(**({"x": ones(5, 4, 2)} | inputs))
    assert error.value.argument == argument
