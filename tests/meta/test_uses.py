"""Each check of second use finds the mistakes that are its own, and they are right at every first use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from crosscheck import Case, Status
from crosscheck.campaign import Settings
from crosscheck.examine import examine
from crosscheck.implementation import BUILT_IN, Function, TwoSteps, make, subject, two_steps
from crosscheck.search import search
from crosscheck.spec import AXES, GATES
from crosscheck.subjects.manual import manual
from crosscheck.uses import CHECKS, USES, Session, check_uses

LINES = (
    "rnn_tanh:T2B1I1H1:regime=ordinary:seed=9",
    "lstm:T3B2I2H3:layers=2:regime=ordinary:seed=6",
    "gru:T4B3I2H2:bidirectional=true:lengths=4,1,2:regime=ordinary:seed=3",
)  # seeds that are multiples of three: the larger and the smaller case differ in both sizes
OF_TWO_STEPS = {"backward twice", "gradients fresh", "reverse order"}

Results = dict[str, Any]


def forward(case: Case) -> tuple[Results, Any]:
    outputs, memory = manual.forward(case)
    return {name: np.array(array) for name, array in outputs.items()}, memory


def backward(memory: Any, case: Case) -> Results:
    return {name: np.array(array) for name, array in manual.backward(memory, case).items()}


def cache_overwritten_by_backward() -> TwoSteps:
    """F11 pytorch/pytorch#1532: the states have served once they are used, so their array takes the gradient."""

    def overwriting(memory: Any, case: Case) -> Results:
        gradients = backward(memory, case)
        for one in memory[0].stack.passes:
            one.tape.states[0][...] = 0
        return gradients

    return two_steps("mine", forward, overwriting)


def backward_adds_to_what_it_had() -> TwoSteps:
    """F11 apache/mxnet#17086: the gradients' memory is cleared by the forward pass."""

    def clearing(case: Case) -> tuple[Results, Any]:
        outputs, memory = forward(case)
        return outputs, (memory, {})

    def adding(memory: Any, case: Case) -> Results:
        for name, gradient in backward(memory[0], case).items():
            memory[1][name] = memory[1].get(name, 0) + gradient
        return {name: total.copy() for name, total in memory[1].items()}

    return two_steps("mine", clearing, adding)


def backward_adds_to_what_it_returned() -> TwoSteps:
    """The same in place, as torch adds into `.grad`: the caller's arrays are the layer's."""

    def clearing(case: Case) -> tuple[Results, Any]:
        outputs, memory = forward(case)
        return outputs, (memory, {})

    def adding(memory: Any, case: Case) -> Results:
        for name, gradient in backward(memory[0], case).items():
            memory[1].setdefault(name, np.zeros_like(gradient))[...] += gradient
        return dict(memory[1])

    return two_steps("mine", clearing, adding)


def gradients_remembered() -> TwoSteps:
    """Backward is run once and its result kept, and given to whoever asks next, changed or not."""

    def empty(case: Case) -> tuple[Results, Any]:
        outputs, memory = forward(case)
        return outputs, (memory, [])

    def remembering(memory: Any, case: Case) -> Results:
        if not memory[1]:
            memory[1].append(backward(memory[0], case))
        return dict(memory[1][0])

    return two_steps("mine", empty, remembering)


def one_memory_for_all() -> TwoSteps:
    """F11 tensorflow/tensorflow#26331: the layer keeps what the last forward pass left, whichever that was."""
    last: list[Any] = []

    def keeping(case: Case) -> tuple[Results, Any]:
        outputs, memory = forward(case)
        last[:] = [memory]
        return outputs, None

    return two_steps("mine", keeping, lambda _, case: backward(last[0], case))


def one_memory_for_each_size() -> TwoSteps:
    """The same with a buffer for each size, so that nothing raises."""
    reserved: dict[tuple[int, int], Any] = {}

    def reserving(case: Case) -> tuple[Results, Any]:
        outputs, reserved[case.T, case.B] = forward(case)
        return outputs, (case.T, case.B)

    return two_steps("mine", reserving, lambda size, case: backward(reserved[size], case))


def outputs_in_one_buffer() -> TwoSteps:
    """y of a size lies always in the same array, and the next forward pass writes there."""
    buffers: dict[tuple[int, ...], Any] = {}

    def buffering(case: Case) -> tuple[Results, Any]:
        outputs, memory = forward(case)
        y = buffers.setdefault(outputs["y"].shape, np.empty_like(outputs["y"]))
        y[...] = outputs["y"]
        return {**outputs, "y": y}, memory

    return two_steps("mine", buffering, backward)


def upstream_gradient_mutated() -> TwoSteps:
    """F11 Burton2000/CS231n-2017#7: the gradient of the final state is added to that of the last output, in place."""

    def adding(memory: Any, case: Case) -> Results:
        gradients = backward(memory, case)
        case.dh_n[...] += 1
        return gradients

    return two_steps("mine", forward, adding)


def output_overwritten_by_backward() -> TwoSteps:
    """F11 hanbt/learn_dl: the outputs have served, so the derivative is written over them."""

    def handing_over(case: Case) -> tuple[Results, Any]:
        outputs, memory = forward(case)
        return outputs, (memory, outputs["y"])

    def overwriting(memory: Any, case: Case) -> Results:
        gradients = backward(memory[0], case)
        memory[1][...] = 1 - memory[1] ** 2
        return gradients

    return two_steps("mine", handing_over, overwriting)


def stale_rows_when_the_batch_shrinks() -> Function:
    """F11 microsoft/onnxruntime#3893: scratch is as large as it ever had to be, and the sum is over all of it."""
    scratch: list[Any] = [0.0, 0]

    def function(case: Case) -> Results:
        results = manual(case)
        last, rows = scratch
        scratch[:] = [np.sum(results["dx"]), case.T * case.B]
        if rows > case.T * case.B:
            results["db_hh"] = results["db_hh"] + last
        return results

    return function


def state_kept_for_the_next_batch() -> Function:
    """F11 tensorflow/tfjs-layers#520: a batch begins where the last one of its size ended."""
    ended: dict[tuple[int, ...], Any] = {}

    def function(case: Case) -> Results:
        h_0 = case.h_0 + ended.get(case.h_0.shape, 0)
        results = manual(replace(case, arrays={**case.arrays, "h_0": h_0}))
        ended[case.h_0.shape] = np.array(results["h_n"])
        return results

    return function


def gradients_added_to_those_of_the_last_call() -> Function:
    """F11 apache/mxnet#17086: gradients are added to what is in their memory, which nobody clears."""
    sums: dict[tuple[str, tuple[int, ...]], Any] = {}

    def function(case: Case) -> Results:
        results = manual(case)
        key = "dW_hh", results["dW_hh"].shape
        sums[key] = sums.get(key, 0) + results["dW_hh"]
        return {**results, "dW_hh": sums[key]}

    return function


def step_count_of_the_first_call() -> Function:
    """Buffers are as long as the first call needed, and a longer one is cut to them."""
    steps: list[int] = []

    def function(case: Case) -> Results:
        steps.append(case.T)
        results = manual(case)
        results["dx"][steps[0] :] = 0
        return results

    return function


def input_for_a_buffer() -> Function:
    """F11: dx is written where x was."""

    def function(case: Case) -> Results:
        results = manual(case)
        case.x[...] = results["dx"]
        return results

    return function


MISTAKES: dict[Callable[[], Function], set[str]] = {
    cache_overwritten_by_backward: {"backward twice"},
    backward_adds_to_what_it_had: {"backward twice"},
    backward_adds_to_what_it_returned: {"backward twice", "gradients fresh"},
    gradients_remembered: {"gradients fresh"},
    one_memory_for_all: {"reverse order"},
    one_memory_for_each_size: {"reverse order"},
    outputs_in_one_buffer: {"results kept"},
    upstream_gradient_mutated: {"inputs only read", "backward twice"},
    stale_rows_when_the_batch_shrinks: {"same again"},
    state_kept_for_the_next_batch: {"same again"},
    gradients_added_to_those_of_the_last_call: {"same again"},
    step_count_of_the_first_call: {"same again"},
    input_for_a_buffer: {"inputs only read"},
}
"""Each mistake, right at its first use, with the checks that find it; no other check does."""


def failing(plant: Callable[[], Function], case: Case, name: str) -> bool:
    """Say whether a mistake, freshly planted, fails a check."""
    (verdict,) = check_uses(plant(), case, [name])
    return verdict.status is Status.FAIL


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("plant", MISTAKES)
def test_a_mistake_is_found_by_its_own_checks(plant: Callable[[], Function], line: str) -> None:
    case = Case.parse(line)
    (verdict,) = examine([make(plant())], case, deep=False)
    assert not [check.name for check in verdict.checks if check.status is Status.FAIL]  # at its first use
    assert {name for name in USES if failing(plant, case, name)} == MISTAKES[plant]


def test_an_output_overwritten_by_the_backward_pass_is_wrong_at_its_first_use_too() -> None:
    case = Case.parse(LINES[0])
    assert failing(output_overwritten_by_backward, case, "inputs only read")
    (verdict,) = examine([make(output_overwritten_by_backward())], case, deep=False)
    assert [check.name for check in verdict.checks if check.status is Status.FAIL] == ["y"]


@pytest.mark.parametrize("plant", MISTAKES)
def test_a_mistake_is_found_in_drawn_cases_and_repeats(plant: Callable[[], Function]) -> None:
    mistaken = subject(cell="rnn_tanh", dtype="float64", max_T=4, max_B=3, max_I=2, max_H=2)(plant())
    found = search(make(mistaken), CHECKS, Settings(max_examples=10))
    assert {failure.name for failure in found.failures} >= MISTAKES[plant]
    for failure in found.failures:
        if failure.name in MISTAKES[plant]:
            assert failing(plant, Case.parse(str(failure.case)), failure.name)


@pytest.mark.parametrize("cell", GATES)
@pytest.mark.parametrize("name", BUILT_IN)
def test_the_built_in_subjects_can_be_used_again(name: str, cell: str) -> None:
    found = search(make(name), CHECKS, Settings(max_examples=5, options={"cell": cell}))
    assert found.failures == ()
    for check in USES:
        assert found.counts[check] == {Status.PASS: found.cases}


@pytest.mark.parametrize("axes", AXES)
def test_the_other_cases_differ_in_size_and_fit(axes: str) -> None:
    batch, lengths = (1, "") if axes == "T" else (2, ":lengths=3,0")
    for seed in (0, 1, 2):
        case = Case.parse(f"gru:T3B{batch}I1H2:axes={axes}{lengths}:recurrent_dropout=0.3:seed={seed}")
        session = Session(make(manual), case)
        sizes = [(p.case.T, p.case.B) for p in (session.smaller, session.twin, session.larger)]
        assert sizes[1] == (3, batch)
        assert sizes == sorted(set(sizes))
        assert {B for _, B in sizes if axes == "T"} <= {1}
        for other in (session.smaller, session.twin, session.larger):
            assert np.shape(other.case.recurrent) == (1, other.case.T, other.case.B, 2)
            assert not np.array_equal(other.case.arrays["W_hh"], case.arrays["W_hh"])


def test_nan_that_is_overwritten_in_the_padding_is_found() -> None:
    def clearing(case: Case) -> Results:
        results = manual(case)
        case.x[np.isnan(case.x)] = 0
        return results

    case = Case.parse("gru:T3B2I1H2:lengths=3,1:regime=nan_padding:seed=3")
    for mine, status in ((manual, Status.PASS), (clearing, Status.FAIL)):
        (verdict,) = check_uses(mine, case, ["inputs only read"])
        assert verdict.status is status
    assert verdict.worst is not None
    assert (verdict.worst.name, verdict.worst.wrong) == ("x as given", 2)


def test_a_plain_function_is_asked_for_what_needs_no_steps() -> None:
    verdicts = check_uses(lambda case: manual(case), Case.parse(LINES[0]))
    assert {v.name for v in verdicts if v.status is Status.NOT_APPLICABLE} == OF_TWO_STEPS
    assert {v.name for v in verdicts if v.status is Status.PASS} == set(USES) - OF_TWO_STEPS


def raising(*_: Any) -> Any:
    raise ZeroDivisionError("division by zero")


@pytest.mark.parametrize(
    ("mistaken", "finding"),
    [
        (raising, ("raised", "ZeroDivisionError: division by zero")),
        (two_steps("mine", raising, backward), ("raised", "ZeroDivisionError: division by zero")),
        (two_steps("mine", forward, raising), ("raised", "ZeroDivisionError: division by zero")),
        (lambda _: {"dx": "text"}, ("not numbers", "got str of dtype <U4, wanted float64")),
    ],
)
def test_a_subject_that_raises_or_returns_what_is_no_number_fails(mistaken: Function, finding: tuple[str, str]) -> None:
    verdicts = check_uses(mistaken, Case.parse(LINES[0]))
    applicable = [verdict for verdict in verdicts if verdict.status is not Status.NOT_APPLICABLE]
    assert applicable
    for verdict in applicable:
        assert verdict.status is Status.FAIL
        assert [(f.kind, f.text) for f in verdict.findings] == [finding]


def test_what_is_left_out_the_second_time_is_a_finding() -> None:
    calls: list[int] = []

    def forgetful(case: Case) -> Results:
        calls.append(1)
        results = manual(case)
        return results if len(calls) == 1 else {"y": results["y"]}

    (verdict,) = check_uses(forgetful, Case.parse(LINES[0]), ["same again"])
    assert [(f.kind, f.name) for f in verdict.findings] == [
        ("not returned again", "dW_hh, dW_xh, db_hh, db_xh, dh_0, dx, h_n")
    ]
