"""The regimes: what each promises about its numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crosscheck import Case, check
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
    assert len(fills) == 7 + (REGIMES[regime].output is not None)
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
        ("final_only", {"dy"}),
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


def test_equal_parameters_are_one_number() -> None:
    for arrays in drawn("equal_parameters"):
        assert len({number for name in ("W_xh", "W_hh", "b_xh", "b_hh") for number in arrays[name].ravel()}) == 1
    assert len({arrays["b_xh"][0] for arrays in drawn("equal_parameters")}) > 1


def test_one_hot_rows() -> None:
    for arrays in drawn("one_hot"):
        assert np.array_equal(np.sort(arrays["x"], axis=-1), np.broadcast_to([0, 0, 1], (3, 2, 3)))


def test_repeated_rows_are_two() -> None:
    counts = {len({row.tobytes() for row in arrays["x"].reshape(-1, 3)}) for arrays in drawn("repeated_rows")}
    assert counts <= {1, 2}
    assert 2 in counts


def test_ones_are_all_of_one_sign() -> None:
    signs = {float(number) for arrays in drawn("ones") for number in arrays["dy"].ravel()}
    assert signs == {-1.0, 1.0}
    for arrays in drawn("ones"):
        assert len({number for name in ("dy", "dh_n", "dc_n") for number in arrays[name].ravel()}) == 1


def test_sparse_has_few_cotangents() -> None:
    dy = np.array([arrays["dy"] for arrays in drawn("sparse")])
    assert 0.15 < np.count_nonzero(dy) / dy.size < 0.35


def test_nan_is_in_the_padding_alone() -> None:
    line = "layers=2:dropout=0.3:recurrent_dropout=0.3:zoneout=0.3:attention=true:lengths=1,3,0:seed=3"
    for loss in ("none", "mse"):
        case = Case.parse(f"gru:T3B3I2H2:{line}:loss={loss}:regime=nan_padding")
        plain = Case.parse(f"gru:T3B3I2H2:{line}:loss={loss}:regime=ordinary")
        padding = np.arange(3)[:, None] >= np.array(case.lengths)
        for name, array in case.arrays.items():
            over_time = name in ("x", "dy", "target", "attention")
            masks = name in ("dropout", "recurrent", "zoneout_h")
            steps = array if over_time else np.moveaxis(array, 0, 2) if masks else np.zeros((3, 3))
            assert np.isnan(steps[padding]).all() == (over_time or masks)
            assert np.array_equal(array[~np.isnan(array)], plain.arrays[name][~np.isnan(array)])
            assert np.isnan(array).sum() == (np.isnan(steps[padding]).sum())


def test_nobody_of_ours_reads_nan_in_the_padding() -> None:
    report = check("manual", "torch_rnn", max_examples=10, dtype="float64", regime="NaN in the padding")
    assert report.failures == ()
    assert report.inconclusive < report.cases == 40
