"""The regimes: what each promises about its numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crosscheck import Case
from crosscheck.regimes import REGIMES, Fill


def drawn(regime: str, seeds: int = 20) -> list[dict[str, Any]]:
    return [dict(Case.parse(f"lstm:T3B2I3H2:regime={regime}:seed={seed}").arrays) for seed in range(seeds)]


def test_a_fill_reaches_exactly_its_numbers() -> None:
    every = Fill(3, 0.25).draw(5, "x", (1000,))
    assert sorted(set(every.tolist())) == [-0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75]
    nonzero = Fill(3, 0.25, zeros=False).draw(5, "x", (1000,))
    assert sorted(set(nonzero.tolist())) == [-0.75, -0.5, -0.25, 0.25, 0.5, 0.75]


def test_a_fill_is_a_function_of_seed_and_name() -> None:
    fill = Fill(63, 2.0**-6)
    assert np.array_equal(fill.draw(1, "x", (4, 5)), fill.draw(1, "x", (20,)).reshape(4, 5))
    assert not np.array_equal(fill.draw(1, "x", (20,)), fill.draw(2, "x", (20,)))
    assert not np.array_equal(fill.draw(1, "x", (20,)), fill.draw(1, "W_xh", (20,)))


@pytest.mark.parametrize("regime", REGIMES)
def test_a_regime_says_what_it_shows_and_fits_8_bits(regime: str) -> None:
    fills = [fill for fill in vars(REGIMES[regime]).values() if isinstance(fill, Fill)]
    assert len(fills) == 7
    assert all(0 <= fill.most <= 127 and np.frexp(fill.step)[0] == 0.5 for fill in fills)
    assert REGIMES[regime].shows


def test_simple_has_halves_and_no_zero_weight_or_cotangent() -> None:
    for arrays in drawn("simple"):
        for name, array in arrays.items():
            assert set(array.ravel()) <= {-1.0, -0.5, 0.0, 0.5, 1.0}
            assert np.all(array != 0) or name[0] not in "Wd"


def test_last_step_has_a_cotangent_there_alone() -> None:
    for arrays in drawn("last_step"):
        assert not arrays["dy"][:-1].any()
        assert arrays["dy"][-1].any()


@pytest.mark.parametrize(
    ("regime", "zero"),
    [
        ("outputs_only", {"dh_n", "dc_n"}),
        ("zero_state", {"h_0", "c_0"}),
        ("zero_bias", {"b_xh", "b_hh"}),
        ("small", {"b_xh", "b_hh"}),
        ("ordinary", set()),
    ],
)
def test_what_is_zero_throughout(regime: str, zero: set[str]) -> None:
    largest: dict[str, float] = {}
    for arrays in drawn(regime):
        for name, array in arrays.items():
            largest[name] = max(largest.get(name, 0.0), float(np.abs(array).max()))
    assert {name for name, value in largest.items() if value == 0} == zero


@pytest.mark.parametrize(("regime", "name", "most"), [("saturated", "b_xh", 2.5), ("large_inputs", "x", 127 / 32)])
def test_what_is_large(regime: str, name: str, most: float) -> None:
    values = np.concatenate([arrays[name].ravel() for arrays in drawn(regime)])
    assert most / 2 < np.abs(values).max() <= most


def test_a_cross_entropy_target_is_a_distribution() -> None:
    for seed in range(20):
        target = Case.parse(f"gru:T3B2I1H4:loss=cross_entropy:regime=ordinary:seed={seed}").target
        assert np.array_equal(target.sum(axis=-1), np.ones((3, 2)))
        assert set(target.ravel()) <= {0.0, 0.125, 0.875, 1.0}
