"""Small faults in right results: one of 1e-9 in one element is found, and none is found where there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from crosscheck import Case, Spec, Status, Verdict, check, subject
from crosscheck.campaign import Checked, Event
from crosscheck.examine import examine
from crosscheck.implementation import Function, make
from crosscheck.spec import GATES
from crosscheck.strategies import EVERYTHING

EXAMPLES = 60
TENSORS = [(cell, name) for cell in GATES for name in Case(Spec(cell, 1, 1), 1, 1).result_shapes]

Change = Callable[[Any], Any]
Wrong = Callable[[Verdict], set[str]]


def scaled(factor: float) -> Change:
    """Return the change that scales a tensor."""
    return lambda array: array * array.dtype.type(factor)


def scaled_in_one_element(factor: float) -> Change:
    """Return the change that scales a tensor's largest element."""

    def change(array: Any) -> Any:
        changed = array.copy()
        changed[np.unravel_index(np.argmax(np.abs(array)), array.shape)] *= array.dtype.type(factor)
        return changed

    return change


def with_fault(right: Function, cell: str, name: str, change: Change) -> Function:
    """Return a subject with one tensor changed."""

    @subject(cell=cell)
    def faulty(case: Case) -> Mapping[str, Any]:
        results = dict(right(case))
        return results | {name: change(results[name])}

    return faulty


def constant(results: Mapping[str, Any]) -> Function:
    """Return a subject that returns these results whatever it is asked."""
    return lambda _: results


@pytest.mark.parametrize(("cell", "name"), TENSORS)
def test_one_element_off_by_1e_9_is_found(cell: str, name: str, clean: Function, wrong: Wrong) -> None:
    faulty = with_fault(clean, cell, name, scaled_in_one_element(1 + 1e-9))
    (verdict,) = check(faulty, max_examples=EXAMPLES, dtype="float64").failures
    assert wrong(verdict) == {name}
    assert [tensor.wrong for tensor in verdict.checks if tensor.name == name] == [1]


@pytest.mark.parametrize(("cell", "name"), TENSORS)
def test_a_tensor_off_by_the_factor_of_1e_6_is_found(cell: str, name: str, clean: Function, wrong: Wrong) -> None:
    faulty = with_fault(clean, cell, name, scaled(1 + 1e-6))
    (verdict,) = check(faulty, max_examples=EXAMPLES, dtype="float64").failures
    assert wrong(verdict) == {name}


@pytest.mark.parametrize("dtype", EVERYTHING["dtype"])
@pytest.mark.parametrize("cell", GATES)
def test_a_fault_in_the_last_digit_is_one_where_nothing_rounds(cell: str, dtype: str, clean: Function) -> None:
    """Another right program may well end a digit further; but relu of a few dyadic numbers is the same for all.

    Its formula is wrong all the same, but what returns plain numbers can't be lifted, and so isn't asked for it.
    """
    change = scaled(1 + float(np.finfo(dtype).eps))

    @subject(cell=cell)
    def next_door(case: Case) -> Mapping[str, Any]:
        return {name: change(np.asarray(array, case.array_dtype)) for name, array in clean(case).items()}

    report = check(next_door, max_examples=EXAMPLES, dtype=dtype, regime="ordinary")  # "simple" has exact results, too
    assert bool(report.failures) is (cell == "rnn_relu")
    assert report.inconclusive < report.cases


@pytest.mark.parametrize("dtype", EVERYTHING["dtype"])
@pytest.mark.parametrize("cell", GATES)
def test_another_order_of_summation_is_no_fault(cell: str, dtype: str, clean: Function) -> None:
    """The inputs and the batch are turned round, and the results turned back."""

    def turned(name: str, array: Any) -> Any:
        if name.removeprefix("d") in ("x", "W_xh"):
            array = array[..., ::-1]
        return array[:, ::-1] if array.ndim == 3 else array

    @subject(cell=cell)
    def reordered(case: Case) -> Mapping[str, Any]:
        arrays = {name: turned(name, array) for name, array in case.arrays.items()}
        return {name: turned(name, array) for name, array in clean(replace(case, arrays=arrays)).items()}

    report = check(reordered, max_examples=EXAMPLES, dtype=dtype)
    assert not report.failures
    assert report.inconclusive < report.cases


@pytest.mark.parametrize("dtype", EVERYTHING["dtype"])
def test_a_fault_of_three_times_the_resolution_is_found_in_any_element(
    dtype: str, clean: Function, wrong: Wrong
) -> None:
    """Three times: what was right may be off by one bound the other way, and must then be off by more than one. Where
    all is exact, the resolution is 0, and a fault of a few of the dtype's last digits is found.
    """
    verdicts: list[Verdict] = []

    def keep(event: Event) -> None:
        if isinstance(event, Checked):
            verdicts.extend(event.verdicts)

    check(clean, cell="lstm", dtype=dtype, max_examples=10, listen=keep)
    assert verdicts
    planted = 0
    for verdict in verdicts:
        rng = np.random.default_rng(verdict.case.seed)
        right = clean(verdict.case)
        for seen in (tensor for tensor in verdict.checks if tensor.status is Status.PASS):
            array = np.array(right[seen.name], dtype=np.float64)
            largest = float(np.max(np.abs(array))) or 1.0
            array[tuple(rng.integers(array.shape))] += 3 * largest * max(seen.resolution, float(np.finfo(dtype).eps))
            changed = constant({**right, seen.name: array.astype(dtype)})
            (found,) = examine([make(changed)], verdict.case)
            assert wrong(found) == {seen.name}
            planted += 1
    assert planted >= len(verdicts)  # in one tensor a case at least, on average
