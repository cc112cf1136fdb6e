"""The reference: programs that compute the same in another order stay within its bounds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosscheck import Case
from crosscheck.referee.numbers.format import FORMATS
from crosscheck.referee.reference import reference
from crosscheck.spec import GATES
from crosscheck.strategies import EVERYTHING, cases, supports
from crosscheck.subjects.manual import manual

# A reversed view is multiplied in another order than its copy; lengths go with the batch, which is shuffled here.
ONE_LAYER = supports({"num_layers": 1, "bidirectional": False, "lengths": "none"}, EVERYTHING)
IN_ANY_ORDER = supports(
    {name: EVERYTHING[name] for name in ("bias", "reset_after", "clip", "forget_bias", "output_layer", "loss", "mean")}
)
"""What `reordered` knows the arrays of."""


@given(cases(ONE_LAYER))
def test_values_are_the_hand_written_networks_own(case: Case) -> None:
    truth = reference(case)
    computed = manual(replace(case, dtype="float64", arrays={}))
    assert truth.want.keys() == truth.bound.keys() == case.result_shapes.keys()
    for name, shape in case.result_shapes.items():
        assert truth.want[name].shape == truth.bound[name].shape == shape
        assert truth.want[name].dtype == np.float64
        assert np.array_equal(truth.want[name], computed[name])
        assert np.all(truth.bound[name] >= 0)


def reordered(case: Case, units: Any, inputs: Any, batch: Any) -> Case:
    """Return the case with hidden units, inputs and batch items in another order: sums come in another order."""
    H = case.spec.hidden_size
    rows = np.concatenate([gate * H + units for gate in range(GATES[case.spec.cell])])
    arrays = dict(case.arrays)
    arrays["W_xh"] = arrays["W_xh"][rows][:, inputs]
    arrays["W_hh"] = arrays["W_hh"][rows][:, units]
    arrays |= {name: arrays[name][rows] for name in ("b_xh", "b_hh") if name in arrays}
    if "W_hy" in arrays:
        arrays["W_hy"] = arrays["W_hy"][:, units]
    arrays["x"] = arrays["x"][:, batch][:, :, inputs]
    for name in ("h_0", "c_0", "dh_n", "dc_n"):
        if name in arrays:
            arrays[name] = arrays[name][:, batch][:, :, units]
    for name in ("dy", "target"):
        if name in arrays:
            arrays[name] = arrays[name][:, batch]
            if not case.spec.output_size:
                arrays[name] = arrays[name][:, :, units]
    return replace(case, arrays=arrays)


def compared(case: Case, other: Case, units: Any, inputs: Any, batch: Any) -> None:
    """Assert that the results of the reordered case, put back in order, are within the bounds."""
    truth = reference(case)
    H = case.spec.hidden_size
    rows = np.concatenate([gate * H + units for gate in range(GATES[case.spec.cell])])
    for name, got in manual(other).items():
        want, bound = truth.want[name], truth.bound[name]
        if name == "loss":
            pass
        elif name in ("y", "dx", "h_n", "c_n", "dh_0", "dc_0"):
            want, bound = want[:, batch], bound[:, batch]
            if name == "dx":
                want, bound = want[:, :, inputs], bound[:, :, inputs]
            elif name != "y" or not case.spec.output_size:
                want, bound = want[:, :, units], bound[:, :, units]
        elif name == "dW_hy":
            want, bound = want[:, units], bound[:, units]
        elif name != "db_y":
            want, bound = want[rows], bound[rows]
            columns = {"dW_xh": inputs, "dW_hh": units}.get(name)
            if columns is not None:
                want, bound = want[:, columns], bound[:, columns]
        assert got.dtype == case.dtype
        assert np.all(np.abs(got.astype(np.float64) - want) <= bound), name


@given(cases(IN_ANY_ORDER), st.randoms(use_true_random=False))
def test_another_order_of_summation_stays_within_the_bounds(case: Case, random: Any) -> None:
    def shuffled(size: int) -> Any:
        order = list(range(size))
        random.shuffle(order)
        return np.array(order)

    orders = shuffled(case.spec.hidden_size), shuffled(case.spec.input_size), shuffled(case.B)
    compared(case, reordered(case, *orders), *orders)


@pytest.mark.parametrize("cell", GATES)
def test_bounds_are_a_few_roundings(cell: str) -> None:
    # One step, one unit: no result has more than 60 roundings of numbers of at most 16 behind it.
    for dtype, u in (("float64", 2.0**-53), ("float32", 2.0**-24)):
        truth = reference(Case.parse(f"{cell}:T1B1I1H1:regime=ordinary:dtype={dtype}:seed=1"))
        for name, bound in truth.bound.items():
            assert bound.max() <= 2 * 60 * 16 * u, name
            assert np.abs(truth.want[name]).max() <= 16


def test_a_float32_bound_is_that_of_its_format() -> None:
    line = "lstm:T2B1I2H2:regime=ordinary:seed=5"
    double, single = (reference(Case.parse(f"{line}:dtype={dtype}")) for dtype in ("float64", "float32"))
    for name, want in double.want.items():
        assert np.array_equal(single.want[name], want)
        # tau is 2 E in float64 and E (1 + 2^-29) in float32. E is proportional to u but for terms in u^2, which are to
        # E as u times the roundings behind a number, 60 a step as above.
        ratio = single.bound[name] / double.bound[name] / 2.0**28
        assert np.all(np.abs(ratio - 1) <= 2 * 60 * FORMATS["float32"].u)


def test_relu_with_dyadic_numbers_is_exact() -> None:
    truth = reference(Case.parse("rnn_relu:T2B2I2H2:seed=4"))
    assert not any(bound.any() for bound in truth.bound.values())


@pytest.mark.parametrize("line", ["rnn_relu:T2000B1I6H6:seed=3", "rnn_relu:T300B1I6H6:dtype=float32:seed=3"])
def test_where_numbers_overflow_no_number_is_wanted(line: str) -> None:
    case = Case.parse(line)
    largest = float(np.finfo(case.dtype).max)
    with np.errstate(all="ignore"):
        truth, got = reference(case), manual(case)
        assert not np.isfinite(got["h_n"]).any()
        for name, value in got.items():
            surely_fits = np.abs(truth.want[name]) + truth.bound[name] <= largest
            assert not np.any(surely_fits & ~np.isfinite(value)), name
    assert np.isfinite(truth.want["y"][0]).all()
    assert np.isfinite(truth.bound["y"][0]).all()
