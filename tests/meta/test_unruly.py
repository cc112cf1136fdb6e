"""Subjects that misbehave get a verdict that says how, never an exception out of the checker."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from crosscheck import ArgumentError, Case, Report, Status, Verdict, assert_agrees, check, subject
from crosscheck.failure import Failure
from crosscheck.report.failure import failure_text
from crosscheck.spec import GATES
from crosscheck.subjects.manual import manual

EXAMPLES = 20

Results = dict[str, Any]
Behaviour = Callable[[Case, Results], Any]
Wrong = Callable[[Verdict], set[str]]


class NotAnArray:
    """What raises when NumPy asks it for its numbers."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise RuntimeError("on another device")


class Lazy(Mapping[str, Any]):
    """A mapping that computes its values when asked for them, and raises at one."""

    def __init__(self, results: Results) -> None:
        self.results = results

    def __getitem__(self, name: str) -> Any:
        if name == "dW_hh":
            raise RuntimeError("computed too late")
        return self.results[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)


def behaving(behaviour: Behaviour, **options: Any) -> Any:
    """Return a right subject whose results go through `behaviour`."""

    @subject(**{"cell": "lstm"} | options)
    def unruly(case: Case) -> Any:
        return behaviour(case, {name: np.array(array) for name, array in manual(case).items()})

    return unruly


def checked(behaviour: Behaviour, **options: Any) -> Report:
    return check(behaving(behaviour, **options), max_examples=EXAMPLES)


def with_first_element(name: str, value: float) -> Behaviour:
    def change(case: Case, results: Results) -> Results:
        results[name].flat[0] = value
        return results

    return change


def with_tensor(name: str, of: Callable[[Any], Any]) -> Behaviour:
    return lambda _, results: results | {name: of(results[name])}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["y", "c_n", "dx", "dW_hh", "db_hh"])
def test_one_element_that_is_no_number(name: str, value: float, wrong: Wrong) -> None:
    (verdict,) = checked(with_first_element(name, value)).failures
    assert wrong(verdict) == {name}
    (tensor,) = [check for check in verdict.checks if check.status is Status.FAIL]
    assert (tensor.wrong, tensor.ratio) == (1, np.inf)
    assert tensor.index == (0,) * len(tensor.index)


def raises(error: BaseException) -> Behaviour:
    def behaviour(case: Case, results: Results) -> Results:
        raise error

    return behaviour


def writes_into_its_input(case: Case, results: Results) -> Results:
    case.arrays["h_0"][...] += 1
    return results


def takes_its_input_for_a_buffer(case: Case, results: Results) -> Results:
    case.x[...] = results["dx"]
    return results | {"dx": case.x}


def takes_an_input_away(case: Case, results: Results) -> Results:
    case.dy[...] = 0
    arrays: Any = case.arrays
    arrays.clear()
    return results


FINDINGS: dict[str, tuple[Behaviour, str, str]] = {
    "transposed": (with_tensor("dW_xh", lambda array: array.T), "wrong shape", "dW_xh"),
    "an axis too few": (with_tensor("h_n", lambda array: array[0]), "wrong shape", "h_n"),
    "an axis too many": (with_tensor("db_hh", lambda array: array[:, None]), "wrong shape", "db_hh"),
    "empty": (with_tensor("dx", lambda array: array[:0]), "wrong shape", "dx"),
    "float for an array": (with_tensor("y", lambda _: 0.0), "wrong shape", "y"),
    "None for an array": (with_tensor("y", lambda _: None), "not numbers", "y"),
    "text for an array": (with_tensor("y", str), "not numbers", "y"),
    "ragged": (with_tensor("y", lambda _: [[1.0], [1.0, 2.0]]), "not numbers", "y"),
    "complex": (with_tensor("y", lambda array: array * 1j), "not numbers", "y"),
    "whole numbers": (with_tensor("y", lambda array: array.astype(int)), "not numbers", "y"),
    "objects": (with_tensor("y", lambda array: array.astype(object)), "not numbers", "y"),
    "on another device": (with_tensor("y", lambda _: NotAnArray()), "not numbers", "y"),
    "float32 for float64": (with_tensor("dW_hh", lambda array: array.astype(np.float32)), "wrong dtype", "dW_hh"),
    "float16": (with_tensor("dW_hh", lambda array: array.astype(np.float16)), "wrong dtype", "dW_hh"),
    "longer than float64": (with_tensor("c_n", lambda array: array.astype(np.longdouble)), "wrong dtype", "c_n"),
    "unknown name": (lambda _, results: results | {"dW_hx": results["dW_xh"]}, "unknown name", "dW_hx"),
    "a name that is no text": (lambda _, results: results | {7: results["dx"]}, "unknown name", "7"),
    "raises": (raises(ZeroDivisionError("division by zero")), "raised", ""),
    "asserts": (raises(AssertionError()), "raised", ""),
    "exits": (raises(SystemExit(1)), "raised", ""),
    "returns None": (lambda *_: None, "not a mapping", ""),
    "returns a list": (lambda _, results: list(results.values()), "not a mapping", ""),
    "returns an array": (lambda _, results: results["y"], "not a mapping", ""),
    "returns nothing": (lambda *_: {}, "nothing returned", ""),
    "writes into its input": (writes_into_its_input, "wrote into input", "h_0"),
    "takes its input for a buffer": (takes_its_input_for_a_buffer, "wrote into input", "x"),
    "takes an input away": (takes_an_input_away, "wrote into input", "dy"),
}


@pytest.mark.parametrize("what", FINDINGS)
def test_a_finding(what: str) -> None:
    behaviour, kind, name = FINDINGS[what]
    report = checked(behaviour)
    (verdict,) = report.failures
    assert verdict.status is Status.FAIL
    assert [(finding.kind, finding.name) for finding in verdict.findings] == [(kind, name)]
    assert not [check.name for check in verdict.checks if check.status is Status.FAIL]
    assert name not in verdict.not_checked
    assert kind in failure_text(Failure(verdict))
    with pytest.raises(AssertionError, match=kind):
        assert_agrees(behaving(behaviour), max_examples=EXAMPLES)


def test_a_mapping_that_raises_when_it_is_read() -> None:
    (verdict,) = checked(lambda _, results: Lazy(results)).failures
    assert [finding.kind for finding in verdict.findings] == ["raised"]


def test_a_finding_of_a_raise_shows_the_line_that_raised() -> None:
    (verdict,) = checked(raises(ZeroDivisionError("division by zero"))).failures
    (finding,) = verdict.findings
    assert finding.text == "ZeroDivisionError: division by zero"
    assert "raise error" in finding.details
    assert "test_unruly.py" in finding.details


def test_an_error_of_the_checker_is_not_taken_for_the_subject() -> None:
    with pytest.raises(ArgumentError):
        checked(lambda _, results: results, cell="no such cell")


def zeros_negated(case: Case, results: Results) -> Results:
    return {name: np.where(array == 0, -0.0, array).astype(array.dtype) for name, array in results.items()}


def strided(case: Case, results: Results) -> Results:
    """Each array as every second element, from the end, of one twice as large."""
    return {name: np.repeat(array.reshape(-1), 2)[::2].reshape(array.shape) for name, array in results.items()}


def fortran_ordered_and_read_only(case: Case, results: Results) -> Results:
    ordered = {name: np.asfortranarray(array) for name, array in results.items()}
    for name, array in ordered.items():
        array.flags.writeable = False
        ordered[name] = array.reshape(case.result_shapes[name])
    return ordered


def in_lists(case: Case, results: Results) -> Results:
    return {name: array.tolist() if array.dtype == np.float64 else array for name, array in results.items()}


@pytest.mark.parametrize("behaviour", [zeros_negated, strided, fortran_ordered_and_read_only, in_lists])
@pytest.mark.parametrize("cell", GATES)
def test_what_is_fine(cell: str, behaviour: Behaviour) -> None:
    report = checked(behaviour, cell=cell)
    assert not report.failures
    assert report.inconclusive < report.cases


def test_a_view_of_an_input_is_judged_by_its_numbers(wrong: Wrong) -> None:
    (verdict,) = checked(lambda case, results: results | {"dh_0": case.h_0}).failures
    assert wrong(verdict) == {"dh_0"}
    assert not verdict.findings


def test_what_is_missing_is_not_checked_and_the_rest_is() -> None:
    events: list[Any] = []
    outputs = behaving(lambda _, results: {name: results[name] for name in ("y", "h_n", "c_n")})
    report = check(outputs, max_examples=EXAMPLES, listen=events.append)
    assert not report.failures
    verdicts = [verdict for event in events for verdict in getattr(event, "verdicts", ())]
    missing = ("dx", "dh_0", "dc_0", "dW_xh", "dW_hh", "db_xh", "db_hh")
    assert {verdict.not_checked for verdict in verdicts} == {missing}
    assert {check.name for verdict in verdicts for check in verdict.checks} == {"y", "h_n", "c_n"}


def test_what_is_missing_does_not_hide_what_is_wrong(wrong: Wrong) -> None:
    (verdict,) = checked(lambda _, results: {"y": results["y"], "dx": 2 * results["dx"]}).failures
    assert wrong(verdict) == {"dx"}
    assert "dW_hh" in verdict.not_checked


def in_turn(*factors: float) -> Behaviour:
    """Return what scales dx by each factor in turn, beginning anew after the last."""
    calls = iter(range(10**9))
    return lambda _, results: results | {"dx": results["dx"] * factors[next(calls) % len(factors)]}


def once(factor: float) -> Behaviour:
    """Return what scales dx at the first call, and then no more."""
    calls = iter(range(10**9))
    return lambda _, results: results | {"dx": results["dx"] * (factor if next(calls) == 0 else 1.0)}


@pytest.mark.parametrize("behaviour", [in_turn(1, 2), in_turn(2, 1), in_turn(1, 1, 2), once(2)])
def test_what_differs_from_call_to_call_is_found(behaviour: Behaviour, wrong: Wrong) -> None:
    (verdict,) = checked(behaviour, dtype="float64").failures
    assert verdict.status is Status.FAIL
    assert "dx" in wrong(verdict)


def test_what_is_wrong_once_is_not_repeatable() -> None:
    (verdict,) = checked(once(2), dtype="float64").failures
    assert "not repeatable" in {finding.kind for finding in verdict.findings}


def test_what_accumulates_from_call_to_call_is_found(wrong: Wrong) -> None:
    """F11, apache/mxnet#17086: the gradient's memory is not cleared, so the first call alone is right."""
    kept: dict[tuple[int, ...], Any] = {}

    def accumulate(case: Case, results: Results) -> Results:
        shape = results["db_hh"].shape
        kept[shape] = kept.get(shape, 0) + results["db_hh"]
        return results | {"db_hh": kept[shape]}

    (verdict,) = checked(accumulate, dtype="float64").failures
    assert "db_hh" in wrong(verdict)
