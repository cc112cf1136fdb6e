"""compare and Verdict: errors against bounds, on the edge and beyond it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from crosscheck import Case, Status, Verdict
from crosscheck.implementation import Finding, Result
from crosscheck.referee.reference import reference
from crosscheck.verdict import BLIND, TensorCheck, compare, judge, ratios

BLIND64 = 1e-10


def check(got: Any, want: Any, bound: Any, may: Any = False) -> TensorCheck:
    got, want, bound = (np.asarray(value, np.float64) for value in (got, want, bound))
    return compare("y", got, want, bound, BLIND64, may=may)


def test_the_blind_line_is_1e_10_in_float64() -> None:
    assert BLIND * 2.0**-53 == BLIND64


def test_an_error_at_the_bound_passes_and_one_ulp_more_fails() -> None:
    bound = 2.0**-40
    at = check([1.0 + bound], [1.0], [bound])
    assert (at.status, at.ratio, at.wrong) == (Status.PASS, 1.0, 0)
    over = check([np.nextafter(1.0 + bound, 2)], [1.0], [bound])
    assert (over.status, over.ratio, over.wrong) == (Status.FAIL, 1 + 2.0**-12, 1)


@pytest.mark.parametrize("got", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_fails(got: float) -> None:
    result = check([1.0, got, 2.0], [1.0, 1.0, 2.0], [1e-15] * 3)
    assert (result.status, result.index, result.ratio, result.wrong, result.size) == (Status.FAIL, (1,), np.inf, 1, 3)
    assert np.isnan(result.got) if np.isnan(got) else result.got == got
    assert (result.want, result.bound) == (1.0, 1e-15)


def test_a_bound_of_0_wants_equality() -> None:
    equal = check([1.0, 0.0], [1.0, -0.0], [0.0, 0.0])
    assert (equal.status, equal.ratio, equal.resolution) == (Status.PASS, 0.0, 0.0)
    unequal = check([1.0, 5e-324], [1.0, 0.0], [0.0, 0.0])
    assert (unequal.status, unequal.ratio, unequal.index, unequal.wrong) == (Status.FAIL, np.inf, (1,), 1)


@pytest.mark.parametrize("got", [1.0, 5.0])
def test_an_infinite_bound_is_inconclusive(got: float) -> None:
    result = check([1.0, got], [1.0, 1.0], [1e-15, np.inf])
    assert (result.status, result.ratio, result.resolution, result.wrong) == (Status.INCONCLUSIVE, 0.0, np.inf, 0)


NO_NUMBERS = pytest.mark.parametrize("got", [np.nan, np.inf, -np.inf])


@NO_NUMBERS
def test_what_is_no_number_fails_whatever_the_bound(got: float) -> None:
    result = check([1.0, got], [1.0, 1.0], [1e-15, np.inf])
    assert (result.status, result.index, result.ratio, result.wrong) == (Status.FAIL, (1,), np.inf, 1)


@NO_NUMBERS
def test_where_the_truth_overflows_no_number_is_wanted(got: float) -> None:
    right = check([1.0, got], [1.0, np.inf], [1e-15, 1e30])
    assert (right.status, right.wrong, right.resolution) == (Status.PASS, 0, 2e-15)
    wrong = check([1.0, 1e38], [1.0, np.inf], [1e-15, 1e30])
    assert (wrong.status, wrong.index, wrong.ratio, wrong.wrong) == (Status.FAIL, (1,), np.inf, 1)
    assert check([got], [np.inf], [1e30]).status is Status.INCONCLUSIVE  # no number was compared


@NO_NUMBERS
def test_after_an_overflow_no_number_is_held_against_nobody_and_hides_the_element(got: float) -> None:
    passing = check([1.0, got], [1.0, 2.0], [1e-15, 1e-15], may=np.array([False, True]))
    assert (passing.status, passing.wrong, passing.resolution) == (Status.INCONCLUSIVE, 0, np.inf)
    number = check([1.0, 2.5], [1.0, 2.0], [1e-15, 1e-15], may=np.array([False, True]))
    assert (number.status, number.index, number.wrong) == (Status.FAIL, (1,), 1)
    elsewhere = check([got, 2.0], [1.0, 2.0], [1e-15, 1e-15], may=np.array([False, True]))
    assert (elsewhere.status, elsewhere.index) == (Status.FAIL, (0,))


@pytest.mark.parametrize("got", [1.0, np.nan, np.inf])
def test_where_nothing_is_known_nothing_is_wrong(got: float) -> None:
    result = check([1.0, got], [1.0, np.nan], [1e-15, np.inf])
    assert (result.status, result.ratio, result.resolution, result.wrong) == (Status.INCONCLUSIVE, 0.0, np.inf, 0)


def test_an_infinite_bound_hides_no_other_error() -> None:
    result = check([2.0, 1.0], [1.0, 1.0], [1e-15, np.inf])
    assert (result.status, result.index, result.wrong) == (Status.FAIL, (0,), 1)


def test_the_worst_element_is_counted_in_its_bound() -> None:
    result = check([[1.0, 2.0], [3.0, 4.5]], [[1.5, 2.0], [3.25, 4.0]], [[0.25, 1.0], [0.0625, 1.0]])
    assert (result.status, result.index, result.ratio) == (Status.FAIL, (1, 0), 4.0)
    assert (result.got, result.want, result.bound) == (3.0, 3.25, 0.0625)
    assert (result.wrong, result.size, result.resolution) == (2, 4, 0.5)


def test_a_scalar_has_an_empty_index() -> None:
    result = check(2.0, 2.0, 1e-15)
    assert (result.status, result.index, result.size, result.wrong) == (Status.PASS, (), 1, 0)


def test_resolution_is_twice_the_largest_bound_over_the_largest_element() -> None:
    assert check([1.0, -4.0], [1.0, -4.0], [2.0**-45, 2.0**-50]).resolution == 2.0**-46
    assert check([0.0], [0.0], [2.0**-45]).resolution == np.inf
    assert check([0.0], [0.0], [0.0]).resolution == 0.0


@pytest.mark.parametrize(("bound", "status"), [(BLIND64 / 2, Status.PASS), (1.001 * BLIND64 / 2, Status.INCONCLUSIVE)])
def test_a_blind_check_is_inconclusive(bound: float, status: Status) -> None:
    assert check([1.0], [1.0], [bound]).status is status
    assert check([1.0 + 2 * bound], [1.0], [bound]).status is Status.FAIL


PASSED = check([1.0], [1.0], [2.0**-50])
FAILED = check([2.0], [1.0], [2.0**-50])
UNSURE = check([1.0], [1.0], [0.5])
CASE = Case.parse("rnn_tanh:T1B1I1H1")


@pytest.mark.parametrize(
    ("checks", "findings", "status"),
    [
        ((PASSED,), (), Status.PASS),
        ((PASSED, UNSURE), (), Status.INCONCLUSIVE),
        ((PASSED, UNSURE, FAILED), (), Status.FAIL),
        ((PASSED,), (Finding("raised", "", ""),), Status.FAIL),
        ((), (Finding("raised", "", ""),), Status.FAIL),
    ],
)
def test_the_status_of_a_verdict(
    checks: tuple[TensorCheck, ...], findings: tuple[Finding, ...], status: Status
) -> None:
    assert Verdict("mine", CASE, checks, findings, ()).status is status


def test_a_verdict_has_the_worst_numbers() -> None:
    verdict = Verdict("mine", CASE, (PASSED, UNSURE), (), ())
    assert (verdict.ratio, verdict.resolution) == (0.0, 1.0)
    assert Verdict("mine", CASE, (FAILED,), (), ()).ratio == 2.0**50


def test_judge_names_what_was_left_out_and_orders_as_the_case_does() -> None:
    truth = reference(CASE)
    result = Result({"dx": truth.want["dx"], "y": truth.want["y"] + 1}, (Finding("wrong shape", "dh_0", ""),))
    verdict = judge("mine", CASE, result, truth)
    assert [(each.name, each.status) for each in verdict.checks] == [("y", Status.FAIL), ("dx", Status.PASS)]
    assert verdict.not_checked == ("h_n", "dW_xh", "dW_hh", "db_xh", "db_hh")
    assert verdict.findings == result.findings


def test_the_blind_line_counts_roundings() -> None:
    line, want = "rnn_tanh:T1B1I1H1:dtype={}", {"y": np.ones((1, 1, 1))}
    truth = reference(CASE)
    for dtype, u in (("float64", 2.0**-53), ("float32", 2.0**-24)):
        for factor, status in ((0.999, Status.PASS), (1.001, Status.INCONCLUSIVE)):
            truth = replace(truth, want=want, bound={"y": np.full((1, 1, 1), factor * BLIND / 2 * u)})
            verdict = judge("mine", Case.parse(line.format(dtype)), Result(want), truth)
            assert verdict.status is status


def test_the_ratio_of_each_element() -> None:
    got, want, bound = np.array([1.0, 1.5, np.nan, 2.0, 3.0]), np.array([1.0, 1.0, 1.0, 1.0, np.nan]), np.full(5, 0.25)
    assert ratios(got, want, np.where(np.arange(5) == 3, 0.0, bound)).tolist() == [0.0, 2.0, np.inf, np.inf, 0.0]
    assert compare("y", got, want, bound, 1.0).ratio == np.inf
