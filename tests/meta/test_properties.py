"""Each property finds the mistakes that are its own, with no second implementation to compare with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial, reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from crosscheck import Case, Status
from crosscheck.campaign import Settings
from crosscheck.case import GATES
from crosscheck.properties import CHECKS, TIME, check_properties, joined, steps
from crosscheck.properties import changed as with_arrays
from crosscheck.search import search
from crosscheck.strategies import LENGTHS
from crosscheck.subject import BUILT_IN, Function, make, subject
from crosscheck.subjects.manual import manual

if TYPE_CHECKING:
    from tests.meta.mutants import Mutant, Subject

LINES = (
    "rnn_tanh:T3B3I2H2:regime=ordinary:seed=7",
    "lstm:T4B3I2H3:layers=2:lengths=4,0,2:regime=ordinary:seed=6",
    "gru:T4B3I1H2:reset_after=false:lengths=4,2,3:regime=ordinary:seed=8",
)
PADDING = {"padding garbage", "padding NaN"}

Results = dict[str, Any]


def changed(change: Callable[[Case, Results], Results]) -> Function:
    """Return the hand-written network with something changed in its results."""

    def function(case: Case) -> Results:
        results = {name: np.array(array) for name, array in manual(case).items()}
        return {**results, **change(case, results)}

    return function


def gradients(results: Results, change: Callable[[Any], Any]) -> Results:
    return {name: change(array) for name, array in results.items() if name.startswith("d")}


def parameters(results: Results, change: Callable[[Any], Any]) -> Results:
    return {name: change(array) for name, array in results.items() if name.startswith(("dW", "db"))}


def padding(case: Case) -> Any:
    return np.arange(case.T)[:, None] >= np.array(case.lengths or (case.T,) * case.B)


def carry_dropped(case: Case) -> Results:
    """F1 nicklashansen/rnn_lstm_from_scratch#1: dh_next is computed at every step, and given to none."""
    states = {f"{name}_0": case.arrays[f"{name}_0"] for name in case.spec.states}
    parts = []
    for t in range(case.T):
        last = t == case.T - 1
        finals = {f"d{name}_n": last * case.arrays[f"d{name}_n"] for name in case.spec.states}
        parts.append(manual(with_arrays(steps(case, t, t + 1), {**states, **finals})))
        states = {f"{name}_0": parts[-1][f"{name}_n"] for name in case.spec.states}
    return {**reduce(partial(joined, TIME), parts)}


@changed
def mean_over_the_steps(case: Case, results: Results) -> Results:
    """F5 karpathy/char-rnn#70: 1 / T."""
    return gradients(results, lambda gradient: gradient / case.T)


@changed
def something_small_added(case: Case, results: Results) -> Results:
    """An epsilon against division by zero, in every step."""
    return {"dx": np.where(padding(case)[..., None], 0, results["dx"] + 1e-9)}


@changed
def mean_over_the_batch(case: Case, results: Results) -> Results:
    """F5 bquast/rnn: parameters' gradients are means."""
    return parameters(results, lambda gradient: gradient / case.B)


@changed
def clipped_by_its_norm(case: Case, results: Results) -> Results:
    """The layer clips its parameters' gradients, as a training loop would."""
    return parameters(results, lambda gradient: gradient / max(1.0, 1e3 * float(np.linalg.norm(gradient))))


@changed
def clipped_far_out(case: Case, results: Results) -> Results:
    """The layer clips at a value that nobody's test reaches."""
    return gradients(results, lambda gradient: np.clip(gradient, -1e6, 1e6))


@changed
def leak_between_rows(case: Case, results: Results) -> Results:
    """F16: the first row goes to all of them, as where a batch of one is broadcast."""
    return {"dx": np.where(padding(case)[..., None], 0, results["dx"] + results["dx"][:, :1])}


@changed
def bias_recycled_down_the_batch(case: Case, results: Results) -> Results:
    """F16: row b gets a number that depends on b."""
    rows = np.arange(case.B)[:, None]
    return {"y": np.where(padding(case)[..., None], 0, results["y"] + rows)}


@changed
def padding_filled_with_the_mask_value(case: Case, results: Results) -> Results:
    """F8 apache/mxnet#4986: where the mask says no, the gradient is what the mask holds there."""
    return {"dx": np.where(padding(case)[..., None], -1.0, results["dx"])}


@changed
def padding_read(case: Case, results: Results) -> Results:
    """F8 accelerated-model-architectures#375: finished sequences enter the sum."""
    return {"dW_xh": results["dW_xh"] + case.x[padding(case)].sum()}


@changed
def padding_multiplied_by_zero(case: Case, results: Results) -> Results:
    """F8: a mask multiplies, which NaN survives."""
    return {"dW_xh": results["dW_xh"] + (0 * case.x).sum()}


@changed
def one_bias_forgotten(case: Case, results: Results) -> Results:
    """F4: half of the two biases' gradient goes to each."""
    return {"db_hh": 0 * results["db_hh"]}


MISTAKES: dict[str, tuple[Function, set[str]]] = {
    "carry dropped": (carry_dropped, {"time split"}),
    "mean over the steps": (mean_over_the_steps, {"time split", "zero-cotangent tail"}),
    "something small added": (something_small_added, {"zero-cotangent tail", "scaled cotangent"}),
    "mean over the batch": (mean_over_the_batch, {"batch additivity"}),
    "clipped by its norm": (clipped_by_its_norm, {"time split", "batch additivity", "scaled cotangent"}),
    "clipped far out": (clipped_far_out, {"scaled cotangent"}),
    "leak between rows": (leak_between_rows, {"batch additivity", "batch permutation"}),
    "bias recycled down the batch": (bias_recycled_down_the_batch, {"batch additivity", "batch permutation"}),
    "padding filled with the mask value": (
        padding_filled_with_the_mask_value,
        {"zero-cotangent tail", "scaled cotangent", *PADDING},
    ),
    "padding read": (padding_read, {"zero-cotangent tail", "scaled cotangent", *PADDING}),
    "padding multiplied by zero": (padding_multiplied_by_zero, {"padding NaN"}),
    "one bias forgotten": (one_bias_forgotten, {"bias equality"}),
}
"""Each mistake with the properties that it breaks; no others."""


def failing(mistaken: Function, case: Case) -> set[str]:
    return {verdict.name for verdict in check_properties(mistaken, case) if verdict.status is Status.FAIL}


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_breaks_its_own_properties(name: str, line: str) -> None:
    case, (mistaken, broken) = Case.parse(line), MISTAKES[name]
    assert failing(mistaken, case) == (broken if case.lengths or not broken & PADDING else set())


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_in_drawn_cases_and_repeats(name: str) -> None:
    mistaken, broken = MISTAKES[name]
    cells = {"cell": "rnn_tanh", "dtype": "float64", "lengths": LENGTHS, "max_T": 3, "max_B": 3}
    found = search(make(subject(**cells)(mistaken)), CHECKS, Settings(max_examples=40))
    assert {failure.name for failure in found.failures} == broken
    for failure in found.failures:
        (again,) = check_properties(mistaken, Case.parse(str(failure.case)), [failure.name])
        assert repr(again) == repr(failure)  # NaN being unequal to itself


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("output-gradient-of-the-last-step-only", {"time split", "zero-cotangent tail"}),
        ("final-state-gradient-ignored", {"time split"}),
        ("cell-state-gradient-ignored", {"time split"}),
    ],
)
def test_a_mistake_in_the_network_breaks_a_property(
    name: str, broken: set[str], named: Mapping[str, Mutant], copied: Callable[[Mutant], Subject]
) -> None:
    planted = make(copied(named[name]))
    found = search(planted, CHECKS, Settings(max_examples=40))
    assert {failure.name for failure in found.failures} == broken


@pytest.mark.parametrize("cell", GATES)
@pytest.mark.parametrize("name", BUILT_IN)
def test_the_built_in_subjects_have_every_property(name: str, cell: str) -> None:
    found = search(make(name), CHECKS, Settings(max_examples=8, options={"cell": cell}))
    assert found.failures == ()
    for counts in found.counts.values():
        assert counts[Status.PASS] > counts[Status.INCONCLUSIVE]


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_the_properties_hold_in_the_short_formats(dtype: str) -> None:
    """Where numbers underflow, a power of two does not go through unchanged."""
    settings = Settings(max_examples=15, options={"dtype": dtype, "cell": "lstm"})
    assert search(make("torch_rnn"), CHECKS, settings).failures == ()


def test_underflow_is_no_mistake() -> None:
    """Found in a search: here a subnormal number on the way is rounded, and in dW_hh that turns a last bit."""
    case = Case.parse("lstm:T3B1I6H2O1:dtype=float16:seed=694141")
    (verdict,) = check_properties("torch_rnn", case, ["scaled cotangent"])
    assert verdict.status is not Status.FAIL
    assert verdict.worst is not None
    assert verdict.worst.ratio > 0


def raising(case: Case) -> Results:
    raise ZeroDivisionError("division by zero")


def raising_on_fewer_rows(case: Case) -> Results:
    return {**manual(case)} if case.B > 2 else raising(case)


def test_a_subject_that_raises_fails_with_its_traceback() -> None:
    case = Case.parse(LINES[0])
    applicable = [verdict for verdict in check_properties(raising, case) if verdict.status is not Status.NOT_APPLICABLE]
    assert len(applicable) > 1
    for verdict in applicable:
        assert verdict.status is Status.FAIL
        (finding,) = verdict.findings
        assert (finding.kind, finding.text) == ("raised", "ZeroDivisionError: division by zero")
        assert "in raising" in finding.details
    assert failing(raising_on_fewer_rows, case) == {"batch additivity"}


def test_what_is_left_out_is_not_compared() -> None:
    case = Case.parse(LINES[0])

    def only(*names: str) -> Function:
        return lambda case: {name: array for name, array in manual(case).items() if name in names}

    def statuses(names: tuple[str, ...], asked: str) -> tuple[Status, set[str]]:
        (verdict,) = check_properties(only(*names), case, [asked])
        return verdict.status, {check.name for check in verdict.checks}

    assert statuses(("y", "dx"), "time split") == (Status.NOT_APPLICABLE, set())
    assert statuses(("y", "h_n", "dx"), "time split") == (Status.PASS, {"y", "h_n"})
    assert statuses(("y", "h_n", "dx", "dh_0"), "time split") == (Status.PASS, {"y", "h_n", "dx", "dh_0"})
    assert statuses(("y", "db_xh"), "bias equality") == (Status.NOT_APPLICABLE, set())
    assert statuses(("y",), "zero-cotangent tail") == (Status.PASS, {"y"})


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("gru:T1B1I1H1:seed=1", {"scaled cotangent", "bias equality"}),
        ("gru:T1B1I1H1:bias=false:loss=mse:seed=1", set()),
        ("gru:T1B2I1H1:bias=false:loss=mse:seed=1", {"batch permutation"}),
        ("gru:T2B1I1H1:bias=false:seed=1", {"time split", "zero-cotangent tail", "scaled cotangent"}),
        ("gru:T2B1I1H1:bias=false:bidirectional=true:seed=1", {"scaled cotangent"}),
        ("gru:T2B1I1H1:bias=false:lengths=1:seed=1", {"zero-cotangent tail", "scaled cotangent", *PADDING}),
        ("gru:T2B1I1H1:bias=false:lengths=2:seed=1", {"time split", "zero-cotangent tail", "scaled cotangent"}),
    ],
)
def test_what_applies_to_what(line: str, names: set[str]) -> None:
    verdicts = check_properties("manual", Case.parse(line))
    assert {verdict.name for verdict in verdicts if verdict.status is not Status.NOT_APPLICABLE} == names


def test_a_network_that_is_never_continued_is_not_split() -> None:
    split = ["time split"]
    case = Case.parse("rnn_tanh:T2B1I1H1:regime=zero_state:seed=1")
    for regime, status in (("zero_state", Status.NOT_APPLICABLE), ("outputs_only", Status.NOT_APPLICABLE)):
        mine = subject(cell="rnn_tanh", regime=regime)(lambda case: dict(manual(case)))
        assert [verdict.status for verdict in check_properties(mine, case, split)] == [status]
    assert [verdict.status for verdict in check_properties("manual", case, split)] == [Status.PASS]
