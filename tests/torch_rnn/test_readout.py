from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

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


def apart(readout: Any, lengths: list[int], axes: str, seed: int) -> bool:
    """Say whether o or a gradient is not, to the bit, what whole numbers give where sequences run, and 0 elsewhere."""
    T, B, H, O = 4, len(lengths), 2, 3
    generator = torch.Generator().manual_seed(seed)
    y, do, W_hy, b_y = (
        torch.randint(-4, 5, shape, generator=generator).double() for shape in ((T, B, H), (T, B, O), (O, H), (O,))
    )
    running = torch.arange(T)[:, None] < torch.tensor(lengths)
    o, dy = torch.zeros(T, B, O, dtype=torch.float64), torch.zeros(T, B, H, dtype=torch.float64)
    dW_hy, db_y = torch.zeros_like(W_hy), torch.zeros_like(b_y)
    for t, b in running.nonzero().tolist():
        o[t, b] = (W_hy * y[t, b]).sum(1) + b_y
        dy[t, b] = (W_hy * do[t, b][:, None]).sum(0)
        dW_hy += do[t, b][:, None] * y[t, b]
        db_y += do[t, b]
    layer = readout(H, O, dtype=torch.float64)
    layer.load_state_dict({"W_hy": W_hy, "b_y": b_y})
    y, do = (value.masked_fill(~running[..., None], torch.nan) for value in (y, do))
    if axes == "BT":
        y, do, o, dy = (value.transpose(0, 1) for value in (y, do, o, dy))
    y = y.clone().requires_grad_()
    got = layer(y, lengths=lengths, axes=axes)
    torch.autograd.backward([got], [do])
    pairs = [(got, o), (y.grad, dy), (layer.W_hy.grad, dW_hy), (layer.b_y.grad, db_y)]
    return not all(torch.equal(a, b) for a, b in pairs)


@given(
    lengths=st.lists(st.integers(0, 4), min_size=1, max_size=4),
    axes=st.sampled_from(["TB", "BT"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_with_lengths_the_padding_is_zero_and_not_seen(lengths: list[int], axes: str, seed: int) -> None:
    assert not apart(Readout, lengths, axes, seed)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("own.blank(readout(self.W_hy, self.b_y, own.blank(y)))", "readout(self.W_hy, self.b_y, own.blank(y))"),
        ("own.blank(y)))", "y))"),
        ("y = time_major(y, axes)", "pass"),
        ("lengths_of(lengths,", "lengths_of(None,"),
    ],
)
def test_a_mistake_is_seen(mutated: Callable[..., Any], right: str, wrong: str) -> None:
    assert apart(mutated("readout.py", right, wrong).Readout, [3, 0, 4, 2], "BT", 1)


def test_axes() -> None:
    layer = Readout(2, 3)
    y = torch.ones(5, 4, 2)
    assert torch.equal(layer(y.transpose(0, 1), axes="BT"), layer(y).transpose(0, 1))
    assert torch.equal(layer(y[:, 0], axes="T"), layer(y[:, :1])[:, 0])


@pytest.mark.parametrize(
    ("argument", "y", "said"),
    [
        ("axes", torch.ones(2, 3, 3), {"axes": "BTO"}),
        ("y", torch.ones(2, 3, 3), {"axes": "T"}),
        ("lengths", torch.ones(2, 3), {"axes": "T", "lengths": [2]}),
        ("lengths", torch.ones(2, 3, 3), {"lengths": [2]}),
        ("lengths", torch.ones(2, 3, 3), {"lengths": [2, 3, 0]}),
    ],
)
def test_bad_arguments(argument: str, y: Any, said: Any) -> None:
    with pytest.raises(ArgumentError) as error:
        Readout(3, 2)(y, **said)
    assert error.value.argument == argument


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
