from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import pytest
import torch
from hypothesis import example, given
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


MEANS = ["", "T", "B", "TB", "O", "TO", "BO", "TBO"]
DEFAULT = {"half_squared_error": "", "mse": "TBO", "cross_entropy": "TB"}


def weight(mean: str, b: int, lengths: list[int], O: int) -> Fraction:
    """Return the weight of the steps of a sequence."""
    over = {"": 1, "T": lengths[b], "B": len(lengths), "TB": sum(lengths)}[mean.removesuffix("O")]
    return Fraction(1, over * (O if mean.endswith("O") else 1))


def term(name: str, y: list[float], target: list[float]) -> tuple[Any, list[Any]]:
    """Return a step's share of the loss and its gradient, exact but for the cross-entropy."""
    if name == "cross_entropy":
        p = [math.exp(value) / sum(math.exp(other) for other in y) for value in y]
        loss = -sum(q * math.log(value) for q, value in zip(target, p, strict=True))
        return loss, [value * sum(target) - q for value, q in zip(p, target, strict=True)]
    errors = [Fraction(value) - Fraction(q) for value, q in zip(y, target, strict=True)]
    factor = Fraction(1, 2) if name == "half_squared_error" else Fraction(1)
    return factor * sum(error * error for error in errors), [2 * factor * error for error in errors]


def numbers(T: int, B: int, O: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return y and a target that is a distribution, both dyadic, up to 1."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(-8, 9, (T, B, O), generator=generator).double() / 8
    shares = torch.randint(0, 8 // O + 1, (T, B, O), generator=generator).double() / 8
    shares[..., 0] = 1 - shares[..., 1:].sum(-1)
    return y, shares


def wrong(
    losses: Mapping[str, Any],
    name: str,
    y: Tensor,
    target: Tensor,
    lengths: list[int] | None,
    mean: str | None,
    axes: str,
) -> bool:
    """Say whether the loss or its gradient is off by more than rounding allows."""
    T, B, O = y.shape
    own = [T] * B if lengths is None else lengths
    want: Any = Fraction(0)
    gradient: list[list[list[Any]]] = [[[Fraction(0)] * O for _ in range(B)] for _ in range(T)]
    mass = Fraction(1)
    for b in range(B):
        for t in range(own[b]):
            share, slopes = term(name, y[t, b].tolist(), target[t, b].tolist())
            w = weight(DEFAULT[name] if mean is None else mean, b, own, O)
            mass = max(mass, w * T * B)
            factor: Any = float(w) if name == "cross_entropy" else w
            want += factor * share
            gradient[t][b] = [factor * slope for slope in slopes]
    turned: Callable[[Tensor], Tensor] = {"TB": lambda a: a, "BT": lambda a: a.transpose(0, 1), "T": lambda a: a[:, 0]}[
        axes
    ]
    leaf = y.clone().requires_grad_()
    loss = losses[name](turned(leaf), turned(target), lengths=lengths, mean=mean, axes=axes)
    torch.autograd.backward(loss)
    assert leaf.grad is not None
    pairs = [(loss.item(), want)]
    pairs += [(leaf.grad[t, b, o].item(), gradient[t][b][o]) for t in range(T) for b in range(B) for o in range(O)]
    # Squares are exact, and so are their sums; a length, B sums and a count round. For the cross-entropy, as above:
    # its error for weights that add up to 1 is `4 (8 + O + T B O)` u, twice.
    relative, absolute = (B + 4, 0) if name != "cross_entropy" else (0, 2 * 4 * (8 + O + T * B * O) * mass)
    return not all(abs(Fraction(got) - Fraction(right)) <= Fraction(U) * (relative * abs(Fraction(right)) + absolute)
                   for got, right in pairs)  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
@given(
    T=size,
    gaps=st.lists(st.integers(0, 4), min_size=1, max_size=4),
    O=size,
    seed=st.integers(0, 2**32 - 1),
    mean=st.none() | st.sampled_from(MEANS),
    given_lengths=st.booleans(),
    axes=st.sampled_from(["TB", "BT", "T"]),
)
@example(T=3, gaps=[3, 3], O=2, seed=0, mean="T", given_lengths=True, axes="TB")
@example(T=3, gaps=[3, 3], O=2, seed=0, mean=None, given_lengths=True, axes="TB")
def test_means_are_their_definition(
    name: str, T: int, gaps: list[int], O: int, seed: int, mean: str | None, given_lengths: bool, axes: str
) -> None:
    if axes == "T":
        gaps, given_lengths = [0], False
    y, target = numbers(T, len(gaps), O, seed)
    lengths = [max(0, T - gap) for gap in gaps] if given_lengths else None
    assert not wrong(LOSSES, name, y, target, lengths, mean, axes)


@pytest.mark.parametrize("name", LOSSES)
@given(
    T=size,
    gaps=st.lists(st.integers(0, 4), min_size=1, max_size=4),
    O=size,
    seed=st.integers(0, 2**32 - 1),
    mean=st.none() | st.sampled_from(MEANS),
    filler=st.sampled_from([math.nan, math.inf, -1e308]),
)
def test_padding_is_not_seen(
    name: str, T: int, gaps: list[int], O: int, seed: int, mean: str | None, filler: float
) -> None:
    y, target = numbers(T, len(gaps), O, seed)
    lengths = torch.tensor([max(0, T - gap) for gap in gaps])
    padding = (torch.arange(T)[:, None] >= lengths)[..., None]
    found = []
    for fill in (0.0, filler):
        leaf = y.masked_fill(padding, fill).requires_grad_()
        loss = LOSSES[name](leaf, target.masked_fill(padding, fill), lengths=lengths, mean=mean)
        torch.autograd.backward(loss)
        assert leaf.grad is not None
        found.append((loss.detach(), leaf.grad))
        assert leaf.grad[padding.expand_as(leaf)].count_nonzero() == 0
    for clean, spoilt in zip(*found, strict=True):
        assert torch.equal(clean, spoilt)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("name", LOSSES)
def test_dtype_is_kept(name: str, dtype: torch.dtype) -> None:
    y, target = (value.to(dtype) for value in numbers(3, 2, 2, 1))
    assert LOSSES[name](y, target, lengths=[3, 1], mean="T").dtype == dtype


MISTAKES = {
    # name: file, right, wrong
    "the lengths are not looked at": ("lengths.py", "if lengths is None:\n", "if True:\n"),
    "averaged over all T": ("losses.py", "lengths.counts", "3"),
    "averaged over the padding, too": ("losses.py", "lengths.total if", "len(terms) * B if"),
    "an empty sequence makes it NaN": ("lengths.py", "self.lengths.clamp(min=1)", "self.lengths"),
    "no sequence makes it NaN": ("lengths.py", "max(int(self.lengths.sum()), 1)", "self.lengths.sum()"),
    "B counts sequences with steps": ("losses.py", 'B if over == "B"', '(terms.sum((0, 2)) != 0).sum() if over == "B"'),
    "T is B": ("losses.py", 'if over == "T":', 'if over == "B":'),
    "O is not counted": ("losses.py", '(O if mean.endswith("O") else 1)', "1"),
    "half of nothing": ("losses.py", "mean) / 2", "mean)"),
    "the cross-entropy is averaged over O": ("losses.py", '"TB" if mean is None', '"TBO" if mean is None'),
    "the axes are not turned": ("losses.py", "time_major(y, axes), time_major(target, axes)", "y, target"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_seen(mutated: Callable[..., Any], mistake: str) -> None:
    losses = mutated(*MISTAKES[mistake]).LOSSES
    y, target = numbers(3, 3, 2, 1)
    found = False
    for name in LOSSES:
        for mean in (None, *MEANS):
            for lengths in ([3, 0, 2], [0, 0, 0]):
                try:
                    found = found or wrong(losses, name, y, target, lengths, mean, "BT")
                except (ValueError, OverflowError):  # a NaN is no fraction
                    found = True
    assert found


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("mean", {"mean": "OT"}),
        ("mean", {"mean": "t"}),
        ("mean", {"mean": ["T"]}),
        ("axes", {"axes": "tb"}),
        ("y", {"axes": "T"}),
        ("lengths", {"lengths": [2]}),
        ("lengths", {"lengths": [2, 3, 1]}),
    ],
)
@pytest.mark.parametrize("name", LOSSES)
def test_bad_options(name: str, argument: str, said: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError) as error:
        LOSSES[name](torch.ones(2, 3, 4), torch.ones(2, 3, 4), **said)
    assert error.value.argument == argument


def test_one_sequence_without_a_batch_has_no_lengths() -> None:
    with pytest.raises(ArgumentError) as error:
        LOSSES["mse"](torch.ones(2, 3), torch.ones(2, 3), lengths=[2], axes="T")
    assert error.value.argument == "lengths"


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
