from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from torch_rnn import LOSSES, ArgumentError

U = 2.0**-53


def double(values: Any) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize(
    ("name", "value", "gradient"),
    [
        # errors 2, -1, 0.5, 3: squares 4, 1, 0.25, 9, exact in binary
        ("half_squared_error", 7.125, [[[2, -1]], [[0.5, 3]]]),
        ("mse", 3.5625, [[[1, -0.5]], [[0.25, 1.5]]]),
    ],
)
def test_squared_errors_are_exact(name: str, value: float, gradient: Any) -> None:
    y = double([[[3, -1]], [[1, 2]]]).requires_grad_()
    loss = LOSSES[name](y, double([[[1, 0]], [[0.5, -1]]]))
    torch.autograd.backward(loss)
    assert loss.item() == value
    assert y.grad is not None
    assert y.grad.tolist() == gradient


size = st.integers(1, 4)


@given(T=size, B=size, O=size, seed=st.integers(0, 2**32 - 1))
def test_cross_entropy_is_its_definition(T: int, B: int, O: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    y = (torch.randint(-64, 65, (T, B, O), generator=generator).double() / 64).requires_grad_()
    weights = torch.randint(1, 65, (T, B, O), generator=generator).double()
    target = weights / weights.sum(-1, keepdim=True)
    loss = LOSSES["cross_entropy"](y, target)
    torch.autograd.backward(loss)

    want, gradient = 0.0, torch.empty_like(target)
    for t in range(T):
        for b in range(B):
            e = [math.exp(value) for value in y[t, b].tolist()]
            p = [value / sum(e) for value in e]
            want -= sum(q * math.log(value) for q, value in zip(target[t, b].tolist(), p, strict=True)) / (T * B)
            gradient[t, b] = (double(p) * sum(target[t, b].tolist()) - target[t, b]) / (T * B)
    # |y| <= 1, so |log p| <= 2 + log O < 4. An exp of 6 u, a sum of O and a quotient put log p off by 7 + O, in u, and
    # the log itself by 6 times 4: less than 4 (8 + O). The loss sums T B O terms, whose weights add up to 1.
    # Twice, for two computations.
    tolerance = 2 * 4 * (8 + O + T * B * O) * U
    assert abs(loss.item() - want) <= tolerance
    # in the gradient p, at most 1, is off by 13 + O; a sum of O targets, a product, a difference and a quotient follow
    assert y.grad is not None
    assert (y.grad - gradient).abs().max() <= tolerance


def test_cross_entropy_of_large_logits_is_finite() -> None:
    y = double([[[1000, 0]], [[-1000, 0]]]).requires_grad_()
    loss = LOSSES["cross_entropy"](y, double([[[0, 1]], [[0, 1]]]))
    torch.autograd.backward(loss)
    assert loss.item() == 500  # (1000 + 0) / 2, as exp(-1000) is nothing beside 1
    assert y.grad is not None
    assert y.grad.tolist() == [[[0.5, -0.5]], [[0, 0]]]


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize(
    ("argument", "y", "target"),
    [
        ("y", torch.ones(2, 3), torch.ones(2, 3)),
        ("y", torch.ones(0, 1, 1), torch.ones(0, 1, 1)),
        ("y", torch.ones(1, 1, 1, dtype=torch.int64), torch.ones(1, 1, 1)),
        ("target", torch.ones(2, 3, 4), torch.ones(2, 1, 4)),
        ("target", torch.ones(2, 3, 4), torch.ones(2, 3)),
        ("target", torch.ones(2, 3, 4), torch.ones(2, 3, 4).double()),
    ],
)
def test_bad_arguments(loss: Callable[[Tensor, Tensor], Tensor], argument: str, y: Tensor, target: Tensor) -> None:
    with pytest.raises(ArgumentError) as error:
        loss(y, target)
    assert error.value.argument == argument
