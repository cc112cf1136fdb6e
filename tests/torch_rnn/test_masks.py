"""The masks that are drawn: their values, their rates, where they are, and when."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from torch_rnn import CELLS, Recurrent, masks

RATES: dict[str, Any] = {"dropout": 0.25, "recurrent_dropout": 0.5, "zoneout": 0.125}
seeds = st.integers(0, 2**32 - 1)
like = torch.ones(1, dtype=torch.float64)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def check_values_and_rates(masks: Any, rate: float, seed: int) -> None:
    shape = (1, 64, 8, 8)
    drawn = [(rate, masks.dropout_mask(rate, shape, like, seeded(seed)), {0.0, 1 / (1 - rate)})]
    drawn += [(1 - rate, masks.zoneout_factor(rate, shape, like, seeded(seed)), {0.0, 1.0})]
    for chance, mask, values in drawn:
        assert set(mask.flatten().tolist()) <= values
        zeros = (mask == 0).sum().item()
        # Hoeffding: 4096 draws stray by n/8 with a chance below 2 exp(-2 4096/64) < 2^-183
        assert abs(zeros - chance * mask.numel()) <= mask.numel() / 8
    steps = masks.recurrent_mask(rate, shape, like, seeded(seed))
    assert steps.shape == shape
    assert torch.equal(steps, steps[:, :1].expand(shape))
    assert set(steps.flatten().tolist()) <= {0.0, 1 / (1 - rate)}
    assert masks.zoneout_expected(rate, shape, like).unique().tolist() == [rate]


@given(rate=st.integers(0, 7).map(lambda n: n / 8), seed=seeds)
def test_values_and_rates(rate: float, seed: int) -> None:
    check_values_and_rates(masks, rate, seed)


def cases(network: Any) -> list[Tensor]:
    generator = seeded(1)
    states = CELLS[network.cell].states
    shape = (2 * (1 + network.bidirectional), 3, 2)
    return [torch.randn(4, 3, 2, generator=generator), *(torch.randn(shape, generator=generator) for _ in states)]


def assert_same(got: Any, want: Any) -> None:
    for a, b in zip(got, want, strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_what_is_drawn_is_used_like_what_is_given(
    monkeypatch: pytest.MonkeyPatch, cell: str, bidirectional: bool
) -> None:
    seen: dict[str, list[Tensor]] = {}

    def spy(name: str) -> Callable[..., Tensor]:
        right = getattr(masks, name)

        def draw(*arguments: Any) -> Tensor:
            mask: Tensor = right(*arguments)
            seen.setdefault(name, []).append(mask)
            return mask

        return draw

    for name in ("dropout_mask", "recurrent_mask", "zoneout_factor"):
        monkeypatch.setattr(masks, name, spy(name))
    sizes: Any = {"num_layers": 2, "bidirectional": bidirectional}
    network = Recurrent(cell, 2, 2, **sizes, **RATES)
    plain = Recurrent(cell, 2, 2, **sizes)
    plain.load_state_dict(network.state_dict())
    inputs = cases(network)
    got = network(*inputs, generator=seeded(3))
    dropped, recurrent, zoned = (seen[name] for name in ("dropout_mask", "recurrent_mask", "zoneout_factor"))
    between = [mask for mask in dropped if mask.ndim == 3]  # recurrent_mask calls dropout_mask, too
    assert_same(got, plain(*inputs, masks=between, recurrent=recurrent[0], zoneout=zoned))
    assert not torch.equal(got[0], plain(*inputs)[0])
    assert recurrent[0].shape == (2 * (1 + bidirectional), 4, 3, 2)
    assert [mask.shape for mask in between] == [(4, 3, 2 * (1 + bidirectional))]
    assert [factor.shape for factor in zoned] == [(2 * (1 + bidirectional), 4, 3, 2)] * len(CELLS[cell].states)


def check_the_generator_decides(recurrent: Any, cell: str, option: str) -> None:
    network = recurrent(cell, 2, 2, num_layers=2, **{option: RATES[option]})
    inputs = cases(network)

    def y(seed: int) -> Tensor:
        found: Tensor = network(*inputs, generator=seeded(seed))[0]
        return found

    before = torch.get_rng_state()
    assert torch.equal(y(5), y(5))
    assert torch.equal(torch.get_rng_state(), before)
    assert any(not torch.equal(y(5), y(seed)) for seed in range(6, 10))
    torch.manual_seed(5)
    first = network(*inputs)[0]
    torch.manual_seed(5)
    before = torch.get_rng_state()
    assert torch.equal(network(*inputs)[0], first)
    assert not torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("option", RATES)
@pytest.mark.parametrize("cell", CELLS)
def test_the_generator_decides(cell: str, option: str) -> None:
    check_the_generator_decides(Recurrent, cell, option)


def check_that_nothing_is_drawn_outside_of_training(recurrent: Any, cell: str) -> None:
    network = recurrent(cell, 2, 2, num_layers=2, **RATES).eval()
    inputs = cases(network)
    plain = Recurrent(cell, 2, 2, num_layers=2)
    plain.load_state_dict(network.state_dict())
    before = torch.get_rng_state()
    got = network(*inputs)
    assert torch.equal(torch.get_rng_state(), before)
    expected = [torch.full((2, 4, 3, 2), RATES["zoneout"]) for _ in CELLS[cell].states]
    assert_same(got, plain(*inputs, zoneout=expected))
    dropping = recurrent(cell, 2, 2, num_layers=2, **RATES | {"zoneout": 0.0}).eval()
    dropping.load_state_dict(network.state_dict())
    assert_same(dropping(*inputs), plain(*inputs))


@pytest.mark.parametrize("cell", CELLS)
def test_outside_of_training_nothing_is_drawn(cell: str) -> None:
    check_that_nothing_is_drawn_outside_of_training(Recurrent, cell)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_what_is_given_takes_the_place_of_what_is_drawn(cell: str, training: bool) -> None:
    network = Recurrent(cell, 2, 2, num_layers=2, **RATES).train(training)
    plain = Recurrent(cell, 2, 2, num_layers=2)
    plain.load_state_dict(network.state_dict())
    inputs = cases(network)
    masks = [torch.full((4, 3, 2), 0.75)]
    recurrent = torch.full((2, 4, 3, 2), 0.25)
    zoneout = [torch.full((2, 4, 3, 2), 0.5) for _ in CELLS[cell].states]
    said: Any = {"masks": masks, "recurrent": recurrent, "zoneout": zoneout}
    before = torch.get_rng_state()
    assert_same(network(*inputs, **said), plain(*inputs, **said))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("cell", CELLS)
def test_truncation_draws_once(cell: str) -> None:
    network = Recurrent(cell, 2, 2, num_layers=2, **RATES)
    inputs = cases(network)
    whole, cut = (network(*inputs, truncate=k, generator=seeded(2)) for k in (None, (1, 2)))
    assert_same(cut, whole)


CHANGES = {
    # name: file, right, wrong
    "not scaled": ("masks.py", "generator=generator) / (1 - rate)", "generator=generator)"),
    "scaled by the rate": ("masks.py", "/ (1 - rate)", "/ max(rate, 0.01)"),
    "the rate is what is kept": ("masks.py", "bernoulli_(1 - rate,", "bernoulli_(rate,"),
    "zoneout the other way": ("masks.py", "bernoulli_(rate, generator=generator)\n", "bernoulli_(1 - rate)\n"),
    "another recurrent mask at each step": ("masks.py", "(layers, 1, *sizes)", "(layers, _, *sizes)"),
    "dropout outside of training": ("network.py", "(self.training and self.dropout)", "self.dropout"),
    "recurrent dropout outside of training": ("network.py", "is None and self.training and", "is None and"),
    "zoneout drawn outside of training": ("network.py", "if self.training else draws.z", "if True else draws.z"),
    "no zoneout outside of training": (
        "network.py",
        "if not zoneout and self.zoneout",
        "if self.training and self.zoneout",
    ),
    "a generator that is forgotten": ("network.py", "masks, x, generator)\n", "masks, x, None)\n"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_mistake_is_seen(mutated: Callable[..., Any], change: str) -> None:
    package = mutated(*CHANGES[change])
    drawing = importlib.import_module(f"{package.__name__}.masks")
    with pytest.raises(AssertionError):  # noqa: PT012
        check_values_and_rates(drawing, 0.25, 1)
        check_that_nothing_is_drawn_outside_of_training(package.Recurrent, "lstm")
        check_the_generator_decides(package.Recurrent, "lstm", "dropout")
