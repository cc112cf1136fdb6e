"""Each property finds the mistakes that are its own, with no second implementation to compare with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial, reduce
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosscheck import Case, Status
from crosscheck.axes import AXES, BATCH, TIME
from crosscheck.campaign import Settings
from crosscheck.implementation import BUILT_IN, Function, make, subject
from crosscheck.mistakes.mistake import Mistake
from crosscheck.properties import CHECKS, check_properties, joined, rows, steps
from crosscheck.properties import changed as with_arrays
from crosscheck.regimes import REGIMES
from crosscheck.search import search
from crosscheck.spec import GATES
from crosscheck.strategies import LENGTHS, cases
from crosscheck.subjects.manual import manual

LINES = (
    "rnn_tanh:T3B3I2H2:regime=ordinary:seed=7",
    "lstm:T4B3I2H3:layers=2:lengths=4,0,2:regime=ordinary:seed=6",
    "gru:T4B3I1H2:reset_after=false:lengths=4,2,3:regime=ordinary:seed=8",
    "gru:T4B3I2H2:reset_after=false:axes=BT:attention=true:recurrent_dropout=0.3:lengths=4,2,3:regime=ordinary:seed=8",
    "lstm:T4B3I2H3:axes=BT:layers=2:dropout=0.3:zoneout=0.3:proj_size=2:lengths=4,2,3:regime=ordinary:seed=8",
)
PADDING = {"padding garbage", "padding NaN"}
BATCH_PROPERTIES = {"batch additivity", "batch permutation"}
OF_BATCHES = BATCH_PROPERTIES | PADDING

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
    """Return where the padding is, in the axes of the case."""
    where = np.arange(case.T)[:, None] >= np.array(case.lengths or (case.T,) * case.B)
    return {"TB": where, "BT": where.T, "T": where[:, 0]}[case.spec.axes]


def rows_of(case: Case, array: Any) -> Any:
    """Return what is over time with the sequences first, where there is a batch."""
    return array.swapaxes(0, 1) if case.spec.axes == "TB" else array


def carry_dropped(case: Case) -> Results:
    """F1 nicklashansen/rnn_lstm_from_scratch#1: dh_next is computed at every step, and given to none."""
    states = {f"{name}_0": case.arrays[f"{name}_0"] for name in case.spec.states}
    parts = []
    for t in range(case.T):
        last = t == case.T - 1
        finals = {f"d{name}_n": last * case.arrays[f"d{name}_n"] for name in case.spec.states}
        parts.append(manual(with_arrays(steps(case, t, t + 1), {**states, **finals})))
        states = {f"{name}_0": parts[-1][f"{name}_n"] for name in case.spec.states}
    return {**reduce(partial(joined, case, TIME), parts)}


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
    first = rows_of(case, rows_of(case, results["dx"])[:1])
    return {"dx": np.where(padding(case)[..., None], 0, results["dx"] + first)}


@changed
def bias_recycled_down_the_batch(case: Case, results: Results) -> Results:
    """F16: row b gets a number that depends on b."""
    rows = rows_of(case, np.arange(case.B)[:, None, None])
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


FINITE = tuple(name for name, regime in REGIMES.items() if regime.padding == "numbers")
"""The regimes that have no NaN themselves, in padding which some properties cut off."""


def failing(mistaken: Function, case: Case) -> set[str]:
    return {verdict.name for verdict in check_properties(mistaken, case) if verdict.status is Status.FAIL}


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_breaks_its_own_properties(name: str, line: str) -> None:
    case, (mistaken, broken) = Case.parse(line), MISTAKES[name]
    assert failing(mistaken, case) == (broken if case.lengths or not broken & PADDING else set())


@pytest.mark.parametrize("name", [name for name, (_, broken) in MISTAKES.items() if not broken & OF_BATCHES])
def test_a_mistake_breaks_its_own_properties_without_a_batch(name: str) -> None:
    case = Case.parse("lstm:T3B1I2H2:axes=T:peephole=true:clip=1.5:zoneout=0.3:train=false:regime=ordinary:seed=8")
    mistaken, broken = MISTAKES[name]
    assert failing(mistaken, case) == broken


@changed
def mask_of_the_first_row(case: Case, results: Results) -> Results:
    """F16: a mask for one sequence, broadcast over the batch."""
    mask = case.recurrent
    return {**manual(with_arrays(case, {"recurrent": np.broadcast_to(mask[:, :, :1], mask.shape)}))}


@changed
def mask_of_the_first_step(case: Case, results: Results) -> Results:
    """The same mask at all steps, as of Gal & Ghahramani's own, whatever is given."""
    mask = case.recurrent
    return {**manual(with_arrays(case, {"recurrent": np.broadcast_to(mask[:, :1], mask.shape)}))}


@changed
def mask_shifted_by_a_step(case: Case, results: Results) -> Results:
    """The zoneout mask of the step before, and at the first step that of the last."""
    return {**manual(with_arrays(case, {"zoneout_h": np.roll(case.zoneout[0], 1, axis=1)}))}


@changed
def padding_of_a_mask_read(case: Case, results: Results) -> Results:
    """The mask's padding enters a sum."""
    where = np.arange(case.T)[:, None] >= np.array(case.lengths)
    return {"dW_hh": results["dW_hh"] + case.recurrent[:, where].sum()}


@changed
def padding_of_the_scores_read(case: Case, results: Results) -> Results:
    """The attention's padding enters a sum."""
    return {"dW_hh": results["dW_hh"] + case.attention[padding(case)].sum()}


@changed
def padding_of_the_target_read(case: Case, results: Results) -> Results:
    """F8: the loss is taken of the padding too."""
    return {"loss": results["loss"] + np.square(case.target[padding(case)]).sum()}


@changed
def gradient_of_the_scores_in_the_padding(case: Case, results: Results) -> Results:
    """F8: what is left over from the last step is the gradient of the score in the padding."""
    return {"dattention": np.where(padding(case), 1.0, results["dattention"])}


@changed
def gradient_of_the_scores_of_the_whole_batch(case: Case, results: Results) -> Results:
    """F16: one score a step, so that its gradient is summed over the batch."""
    total = rows_of(case, rows_of(case, results["dattention"]).sum(axis=0, keepdims=True))
    return {"dattention": np.where(padding(case), 0, total)}


READ_IN_PADDING = {"zero-cotangent tail", "scaled cotangent", *PADDING}
OF_OPTIONS: dict[str, tuple[Function, str, set[str]]] = {
    "mask of the first row": (mask_of_the_first_row, "recurrent_dropout=0.5", BATCH_PROPERTIES),
    "mask of the first step": (mask_of_the_first_step, "recurrent_dropout=0.5", {"time split"}),
    "mask shifted by a step": (mask_shifted_by_a_step, "zoneout=0.5", {"time split", "zero-cotangent tail"}),
    "padding of a mask read": (padding_of_a_mask_read, "recurrent_dropout=0.5:lengths=4,2,3", READ_IN_PADDING),
    "padding of the scores read": (padding_of_the_scores_read, "attention=true:lengths=4,2,3", READ_IN_PADDING),
    "padding of the target read": (padding_of_the_target_read, "loss=mse:lengths=4,2,3", PADDING),
    "gradient of the scores in the padding": (
        gradient_of_the_scores_in_the_padding,
        "attention=true:lengths=4,2,3",
        READ_IN_PADDING,
    ),
    "gradient of the scores of the whole batch": (
        gradient_of_the_scores_of_the_whole_batch,
        "attention=true",
        {"batch additivity"},
    ),
}
"""Each mistake with an option of a GRU that it needs, and the properties that it breaks; no others."""


@pytest.mark.parametrize("axes", ["TB", "BT"])
@pytest.mark.parametrize("name", OF_OPTIONS)
def test_a_mistake_in_an_option_breaks_its_own_properties(name: str, axes: str) -> None:
    mistaken, options, broken = OF_OPTIONS[name]
    case = Case.parse(f"gru:T4B3I2H2:axes={axes}:{options}:regime=ordinary:seed=7")
    assert failing(manual, case) == set()
    assert failing(mistaken, case) == broken


@given(cases())
def test_the_axes_are_those_of_the_arrays(case: Case) -> None:
    shapes = {name: array.shape for name, array in case.arrays.items()} | case.result_shapes
    axes = AXES[case.spec.axes]
    of_parameters = {f"{d}{name}" for name in case.spec.param_shapes() for d in ("", "d")}
    assert shapes.keys() - axes.keys() == of_parameters | ({"loss"} & shapes.keys())
    for name in shapes.keys() & axes.keys():
        time, batch = axes[name]
        assert time is None or shapes[name][time] == case.T
        assert batch is None or shapes[name][batch] == case.B


@given(cases(), st.data())
def test_what_is_taken_apart_is_whole_when_joined(case: Case, data: st.DataObject) -> None:
    parts = {TIME: lambda index: steps(case, index.start, index.stop), BATCH: lambda index: rows(case, [*index])}
    for kind, size in ((TIME, case.T), (BATCH, case.B)):
        if size > 1:
            split = data.draw(st.integers(1, size - 1))
            first, second = parts[kind](range(split)), parts[kind](range(split, size))
            whole = joined(case, kind, first.arrays, second.arrays)
            for name, order in AXES[case.spec.axes].items():
                if name in case.arrays and order[kind] is not None:
                    assert np.array_equal(whole[name], case.arrays[name])


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_in_drawn_cases_and_repeats(name: str) -> None:
    mistaken, broken = MISTAKES[name]
    cells = {"cell": "rnn_tanh", "dtype": "float64", "lengths": LENGTHS, "max_T": 3, "max_B": 3, "regime": FINITE}
    found = search(make(subject(**cells)(mistaken)), CHECKS, Settings(max_examples=40))
    assert {failure.name for failure in found.failures} == broken
    for failure in found.failures:
        (again,) = check_properties(mistaken, Case.parse(str(failure.case)), [failure.name])
        assert repr(again) == repr(failure)  # NaN being unequal to itself


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("time.output-gradient-of-the-last-step-only", {"time split", "zero-cotangent tail"}),
        ("state.final-gradient-ignored", {"time split"}),
        ("lstm.cell-state-gradient-ignored", {"time split"}),
    ],
)
def test_a_mistake_in_the_network_breaks_a_property(
    name: str, broken: set[str], named: Mapping[str, Mistake], plant: Callable[[Mistake], Function]
) -> None:
    planted = make(plant(named[name]))
    found = search(planted, CHECKS, Settings(max_examples=40))
    assert {failure.name for failure in found.failures} == broken


@pytest.mark.parametrize("cell", GATES)
@pytest.mark.parametrize("name", BUILT_IN)
def test_the_built_in_subjects_have_every_property(name: str, cell: str) -> None:
    found = search(make(name), CHECKS, Settings(max_examples=8, options={"cell": cell}))
    assert found.failures == ()
    for counts in found.counts.values():
        assert counts[Status.PASS] > counts[Status.INCONCLUSIVE]


SMALL = {"max_T": 4, "max_B": 3, "max_I": 2, "max_H": 3}
NARROWED: dict[str, dict[str, Any]] = {
    "batch first": {"axes": "BT", "recurrent_dropout": True},
    "no batch": {"axes": "T", "zoneout": True},
    "masks": {"axes": ("TB", "BT"), "num_layers": 2, "dropout": True, "recurrent_dropout": True, "zoneout": True},
    "padding": {"axes": ("TB", "BT"), "lengths": LENGTHS[1:], "recurrent_dropout": True, "output_layer": True},
}
"""What few of the drawn cases have: one direction and no loss, so that each property applies."""


@pytest.mark.parametrize("options", NARROWED.values(), ids=NARROWED)
@pytest.mark.parametrize("name", ["manual", "torch_rnn"])
def test_the_properties_hold_with_options(name: str, options: dict[str, Any]) -> None:
    plain = {"bidirectional": False, "truncate": False, "loss": "none", "dtype": "float64"} | SMALL
    found = search(make(name), CHECKS, Settings(max_examples=3, options=plain | options))
    assert found.failures == ()
    apply = set(found.counts) - (BATCH_PROPERTIES if options["axes"] == "T" else set())
    apply -= set() if options.get("lengths") else PADDING
    assert {check for check, counts in found.counts.items() if counts[Status.PASS]} >= apply


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
        ("gru:T2B1I1H1:bias=false:truncate=1,2:seed=1", {"scaled cotangent"}),
        ("gru:T2B1I1H1:bias=false:axes=T:seed=1", {"time split", "zero-cotangent tail", "scaled cotangent"}),
        ("gru:T2B2I1H1:bias=false:loss=mse:lengths=1,2:seed=1", {"batch permutation", *PADDING}),
        ("gru:T1B1I1H1:attention=true:clip=1.5:seed=1", {"scaled cotangent", "bias equality"}),
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
