"""Where a subject is wrong: mistakes that are in no catalogue, each found in the right tensors, on the right side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from crosscheck import Case, Subject
from crosscheck.examine import examine
from crosscheck.implementation import make, subject
from crosscheck.localise import Location, Reach, localise
from crosscheck.mistakes.catalogue import CATALOGUE
from crosscheck.mistakes.catalogue import planted as planted_mistake
from crosscheck.referee.patched import Patch, patched
from crosscheck.strategies import EVERYTHING
from crosscheck.subjects.manual import manual

Results = Mapping[str, Any]
Change = Callable[[Case, dict[str, Any]], None]
RNN = "rnn_tanh:T2B2I2H2:regime=ordinary:seed=3"
LSTM = "lstm:T2B2I2H2:regime=ordinary:seed=3"
GRU = "gru:T2B2I2H2:regime=ordinary:seed=3"
BOTH_WAYS = "gru:T2B2I2H2:layers=2:bidirectional=true:regime=ordinary:seed=3"
LENGTHS = "rnn_tanh:T2B2I1H1:lengths=2,1:regime=ordinary:seed=3"
DROPOUT = "rnn_tanh:T2B1I1H1:recurrent_dropout=0.3:regime=ordinary:seed=3"

ELMAN, LSTM_FILE, GRU_FILE = (f"manual_rnn/cells/{name}.py" for name in ("elman", "lstm", "gru"))
UNROLL, STACK, LOSSES = "manual_rnn/unroll.py", "manual_rnn/stack.py", "manual_rnn/losses.py"
STEP = "dh_prev += cell.backward_step(*step)"
LOOP = f"""for step in zip(times, *[array[::-1] for array in (*factors, *carried)], strict=False):
            dh_prev = step[at]
            {STEP}"""
COUNTED = LOOP.replace("step in zip(", "k, step in enumerate(zip(").replace("False):", "False)):")
DW_HH = "np.matmul(da[:, blocks].T, operand, out=dW_hh[rows])"
CARRIED = {"dx", "dh_0", "dW_xh", "dW_hh", "db_xh", "db_hh"}


def changed(change: Change) -> Subject:
    """Return the hand-written network with its results changed."""

    def function(case: Case) -> Results:
        results = {name: np.array(array) for name, array in manual(case).items()}
        change(case, results)
        return results

    return Subject("changed", function, EVERYTHING, frozenset(EVERYTHING))


def planted(file: str, right: str, wrong: str) -> Subject:
    """Return the hand-written network with a line replaced."""
    return Subject("planted", patched([Patch(file, right, wrong)]), EVERYTHING, frozenset(EVERYTHING))


def located(wrong: Subject, line: str) -> Location:
    (verdict, *_) = examine([wrong], Case.parse(line), deep=False)
    return localise(wrong, verdict)


@pytest.mark.parametrize(
    ("file", "right", "wrong", "line", "tensors", "wanted"),
    [
        pytest.param(
            ELMAN,
            "return da @ weights.W_hh  #",
            "return 0.99 * da @ weights.W_hh  #",
            RNN,
            CARRIED,
            {"reach": Reach.CARRIED, "path_length": 1},
            id="what is carried, scaled",
        ),
        pytest.param(
            ELMAN,
            "return da @ weights.W_hh  #",
            "return da @ weights.W_hh * (np.arange(da.shape[1]) > 0)  #",
            RNN,
            CARRIED,
            {"reach": Reach.CARRIED, "units": (0,)},
            id="what is carried of one unit",
        ),
        pytest.param(
            ELMAN, "da *= dh  #", "da *= 1.01 * dh  #", RNN, CARRIED, {"reach": Reach.ONE_STEP}, id="a slope, scaled"
        ),
        pytest.param(
            LSTM_FILE,
            "np.multiply(dc, f, out=dc_prev)",
            "np.multiply(dc, f * f, out=dc_prev)",
            LSTM,
            CARRIED | {"dc_0"},
            {"reach": Reach.CARRIED, "path_length": 1, "states": ("c",)},
            id="c carried through f twice",
        ),
        pytest.param(
            GRU_FILE,
            "dh_prev += dh * z",
            "dh_prev += dh * z * z",
            GRU,
            CARRIED,
            {"reach": Reach.CARRIED, "direct": True, "gates": ()},
            id="h carried through z twice",
        ),
        pytest.param(
            UNROLL,
            LOOP,
            COUNTED + " * (0.5 if T - 1 - k == 2 else 1)",
            RNN.replace("T2", "T4"),
            CARRIED,
            {"reach": Reach.CARRIED, "path_length": 1, "crossings": ((2, 1),)},
            id="lost between two steps",
        ),
        pytest.param(
            UNROLL,
            STEP,
            STEP + " + 1",
            RNN,
            CARRIED,
            {"reach": Reach.CARRIED, "added": True, "path_length": None},
            id="something added on the way",
        ),
        pytest.param(
            UNROLL,
            "db = da.sum(axis=0)",
            "db = da.sum(axis=0) + da[B : 2 * B].sum(axis=0)",
            RNN,
            {"db_xh", "db_hh"},
            {"reach": Reach.TOGETHER, "apart": True},
            id="a step counted twice in db",
        ),
        pytest.param(
            UNROLL,
            "db = da.sum(axis=0)",
            "db = da.sum(axis=0) - da[:: max(B, 2)].sum(axis=0)",
            RNN,
            {"db_xh", "db_hh"},
            {"reach": Reach.ONE_STEP, "apart": True, "items": (0,)},
            id="a sequence skipped in db",
        ),
        pytest.param(
            UNROLL,
            DW_HH,
            DW_HH + "; dW_hh[rows] += da[:B, blocks].T @ operand[:B]",
            RNN,
            {"dW_hh"},
            {"reach": Reach.ONE_STEP, "apart": True},
            id="dW_hh of step 0 doubled",
        ),
        pytest.param(
            UNROLL,
            "dx = reduce(np.add, shares)",
            "dx = 1.25 * reduce(np.add, shares)",
            RNN,
            {"dx"},
            {"reach": Reach.ONE_STEP},
            id="dx alone, scaled",
        ),
    ],
)
def test_a_wrong_gradient_is_found_where_it_is(
    file: str, right: str, wrong: str, line: str, tensors: set[str], wanted: Mapping[str, Any]
) -> None:
    location = located(planted(file, right, wrong), line)
    assert location.side == "gradients"
    assert set(location.wrong) == tensors
    assert {"y", "h_n"} <= set(location.right)
    assert {name: getattr(location, name) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("file", "right", "wrong", "line", "wanted"),
    [
        pytest.param(
            LSTM_FILE, "da_f *= dc  #", "da_f *= 1.01 * dc  #", LSTM, {"gates": ("f",)}, id="a gate's gradient, scaled"
        ),
        pytest.param(
            GRU_FILE,
            "da_r *= dh  #",
            "da_r *= dh * (1 + (np.arange(dh.shape[1]) == 1))  #",
            GRU,
            {"gates": ("r",), "units": (1,)},
            id="one unit of a gate",
        ),
        pytest.param(
            ELMAN,
            "da *= dh  #",
            "da *= dh * (2.0 if len(dh) == 1 else 1)  #",
            "rnn_tanh:T2B1I2H2:regime=ordinary:seed=3",
            {"case": Case.parse("rnn_tanh:T2B1I2H2:regime=ordinary:seed=3"), "only_with": ()},
            id="one that no grown case shows",
        ),
    ],
)
def test_the_gate_and_the_unit_in_which_a_single_step_is_wrong(
    file: str, right: str, wrong: str, line: str, wanted: Mapping[str, Any]
) -> None:
    location = located(planted(file, right, wrong), line)
    assert location.reach is Reach.ONE_STEP
    assert {name: getattr(location, name) for name in wanted} == wanted


def scaled(name: str, index: Any, factor: float) -> Change:
    """Return the change of a part of a tensor by a factor."""

    def change(_case: Case, results: dict[str, Any]) -> None:
        if name in results:
            results[name][index] *= factor

    return change


def from_step(t: int) -> Change:
    """Return the change of the output from a step on."""

    def change(_case: Case, results: dict[str, Any]) -> None:
        results["y"][t:] *= 1.5

    return change


@pytest.mark.parametrize(
    ("change", "line", "wanted"),
    [
        (scaled("dW_hh", slice(0, 1), 2.0), GRU, {"wrong": ("dW_hh",), "gates": ("r",), "units": (0,)}),
        (scaled("dW_hh", slice(-1, None), 2.0), LSTM, {"wrong": ("dW_hh",), "gates": ("o",), "units": (2,)}),
        (scaled("db_hh", slice(1, None, 3), 3.0), "lstm:T2B2I2H3:regime=ordinary:seed=3", {"units": (1,)}),
        (scaled("dx", (slice(None), 1), 2.0), RNN, {"wrong": ("dx",), "items": (1,), "apart": True}),
        (scaled("dx", 0, 2.0), RNN, {"wrong": ("dx",), "apart": True, "reach": Reach.ONE_STEP}),
        (scaled("dW_xh_reverse", slice(None), 1.1), BOTH_WAYS, {"wrong": ("dW_xh_reverse",), "layers": (0,)}),
        (scaled("dW_xh_l1_reverse", 0, 1.5), BOTH_WAYS, {"directions": ("reverse",), "gates": ("r",), "units": (0,)}),
        (scaled("db_hh_l1", slice(None), 1.5), BOTH_WAYS, {"wrong": ("db_hh_l1",), "layers": (1,), "gates": ()}),
        (scaled("dh_0", 1, 1.5), BOTH_WAYS, {"wrong": ("dh_0",), "layers": (0,), "directions": ("reverse",)}),
    ],
)
def test_a_part_of_a_gradient_is_named(change: Change, line: str, wanted: Mapping[str, Any]) -> None:
    location = located(changed(change), line)
    assert location.side == "gradients"
    assert {name: getattr(location, name) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("change", "line", "wanted"),
    [
        (from_step(3), "rnn_tanh:T4B1I1H1:regime=ordinary:seed=3", {"wrong": ("y",), "steps": (3,)}),
        (from_step(1), RNN, {"steps": (1, 2, 3), "reach": Reach.TOGETHER}),
        (scaled("y", (Ellipsis, 0), 1.5), RNN, {"units": (0,), "reach": Reach.ONE_STEP}),
        (scaled("h_n", (0, 1), 1.5), RNN, {"wrong": ("h_n",), "items": (1,)}),
        (scaled("h_n", 3, 1.5), BOTH_WAYS, {"layers": (1,), "directions": ("reverse",)}),
        (scaled("c_n", slice(None), 1.5), LSTM, {"wrong": ("c_n",), "items": (), "units": (), "steps": ()}),
    ],
)
def test_a_part_of_an_output_is_named(change: Change, line: str, wanted: Mapping[str, Any]) -> None:
    location = located(changed(change), line)
    assert location.side == "outputs"
    assert {name: getattr(location, name) for name in wanted} == wanted


def test_a_state_that_goes_on_wrongly_is_told_from_a_step_that_is_wrong() -> None:
    """Of the first, the first step shows nothing."""

    def halved_on_the_way(case: Case) -> Results:
        zeros = np.zeros_like(case.h_0)
        results = [manual(_step(case, t, zeros)) for t in range(case.T)]
        return {**manual(case), "y": np.concatenate([one["y"] for one in results]), "h_n": results[-1]["h_n"]}

    def _step(case: Case, t: int, zeros: Any) -> Case:
        arrays = {**case.arrays, "x": case.x[t : t + 1], "dy": case.dy[t : t + 1]}
        return Case(case.spec, 1, case.B, arrays=arrays if t == 0 else arrays | {"h_0": zeros})

    forgetful = Subject("forgetful", halved_on_the_way, EVERYTHING, frozenset(EVERYTHING))
    location = located(forgetful, RNN)
    assert (location.side, location.reach, location.steps) == ("outputs", Reach.CARRIED, (1, 2, 3))
    assert location.only_with == ("more than one step", "W_hh")


@pytest.mark.parametrize(
    ("file", "right", "wrong", "line", "needed"),
    [
        (UNROLL, "dstate[-1] = dstate_n", "dstate[-1] = 0.5 * dstate_n", RNN, ("a gradient of the final states",)),
        (
            UNROLL,
            "da[first:last, n:] = 0",
            "da[first:last, n:] = 2",
            LENGTHS,
            ("more than one step", "sequences of fewer steps"),
        ),
        (UNROLL, "db = da.sum(axis=0)", "db = da[::B].sum(axis=0)", RNN, ("more than one sequence",)),
        (STACK, "dy = dx if mask is None", "dy = 0.5 * dx if mask is None", BOTH_WAYS, ("more than one layer",)),
        (
            STACK,
            "dh[order.there]",
            "dh",
            BOTH_WAYS,
            ("more than one step", "two directions"),
        ),
        (
            ELMAN,
            "return da @ weights.W_hh  #",
            "return da @ weights.W_hh.T  #",
            RNN,
            ("more than one unit",),
        ),
        (
            LOSSES,
            "_sum(error * error, n), back(2 * error / n, axes)",
            "_sum(error * error, n), back(error / n, axes)",
            "rnn_tanh:T1B1I1H1:loss=mse:regime=ordinary:seed=3",
            ("the loss mse",),
        ),
    ],
)
def test_what_it_takes_is_named(file: str, right: str, wrong: str, line: str, needed: tuple[str, ...]) -> None:
    assert located(planted(file, right, wrong), line).only_with == needed


def test_numbers_that_it_takes_are_named() -> None:
    def where_weights_are_small(case: Case, results: dict[str, Any]) -> None:
        if np.all(np.abs(case.arrays["W_hh"]) < 2.0**-4):
            results["dx"] *= 1.5

    location = located(changed(where_weights_are_small), "rnn_tanh:T1B1I1H1:regime=small:seed=4")
    assert location.only_with == ("numbers of the regime small",)
    assert location.case.regime == "small"


def test_a_carry_that_is_lost_where_paths_return_to_their_step() -> None:
    location = located(planted(UNROLL, STEP, f"{STEP} * 0.75"), BOTH_WAYS)
    assert (location.reach, location.path_length) == (Reach.CARRIED, None)


def test_where_the_output_gradient_gets_in() -> None:
    """The gradient of the outputs of all steps but the last is dropped; what comes from later steps goes through."""
    location = located(planted(UNROLL, "dh[1:-1] = dy[:-1]", "dh[1:-1] = 0"), RNN)
    assert (location.reach, location.path_length) == (Reach.ONE_STEP, 0)
    assert (location.sources, location.steps) == ((0, 1, 2), ())
    assert location.only_with == ("more than one step", "a gradient of y")


def test_without_dx_the_path_is_found_by_dW_xh() -> None:
    wrong = patched([Patch(ELMAN, "return da @ weights.W_hh  #", "return 0 * da  #")])

    def function(case: Case) -> Results:
        return {name: array for name, array in wrong(case).items() if name not in ("dx", "dh_0")}

    location = located(Subject("weights", function, EVERYTHING, frozenset(EVERYTHING)), RNN)
    assert (location.reach, location.path_length) == (Reach.CARRIED, 1)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("rnn.carry-dropped", {"reach": Reach.CARRIED, "path_length": 1}),
        ("lstm.dc-carry-dropped", {"reach": Reach.CARRIED, "states": ("c",)}),
        ("lstm.dh-carry-dropped", {"reach": Reach.CARRIED, "states": ("h",)}),
        ("lstm.input-gate-for-candidate", {"reach": Reach.ONE_STEP, "gates": ("i",)}),
        ("gru.reset-before-carry-past-the-gate", {"reach": Reach.CARRIED, "gates": ("n",)}),
        ("gru.z-added", {"reach": Reach.CARRIED, "added": True}),
        ("coupled.forget-gate-forgotten", {"reach": Reach.ONE_STEP, "gates": ("i",)}),
        ("clip.slope-ignored", {"reach": Reach.ONE_STEP, "units": ()}),
        ("zoneout.no-gradient-to-what-is-kept", {"reach": Reach.CARRIED, "units": ()}),
        ("time.weights-overwritten", {"reach": Reach.TOGETHER, "apart": True, "steps": (1, 2, 3)}),
        ("rnn.slope-wrong-at-one-step", {"reach": Reach.ONE_STEP, "steps": (1,)}),
        ("lengths.initial-states-not-sorted", {"outputs": True, "reach": Reach.UNKNOWN}),
        ("lengths.output-after-the-end-is-the-state", {"outputs": True, "padding": True}),
        ("direction.reversed-over-all-steps", {"outputs": True, "directions": ("reverse",), "items": (0, 2)}),
        ("layer.upper-begin-with-zeros", {"outputs": True, "layers": (1,)}),
        ("peephole.o-sees-the-old-c", {"outputs": True, "only_with": ("p_o",)}),
        ("loss.mse-gradient-not-averaged-over-time", {"outputs": False, "reach": Reach.ONE_STEP}),
    ],
)
def test_known_mistakes_are_found_where_they_are(name: str, wanted: Mapping[str, Any]) -> None:
    mistake = CATALOGUE[name]
    network = planted_mistake(mistake)
    wrong = make(subject(**mistake.options)(lambda case: network(case)))
    location = located(wrong, mistake.case)
    assert {name: getattr(location, name) for name in wanted} == wanted


def test_an_experiment_that_the_subject_cannot_do_is_left_out() -> None:
    @subject(cell="rnn_tanh", max_T=2, max_B=1)
    def picky(case: Case) -> Results:
        if case.T != 2:
            raise ValueError("two steps")
        return manual(case) | {"dx": 2 * manual(case)["dx"]}

    location = located(make(picky), "rnn_tanh:T2B1I1H1:regime=ordinary:seed=3")
    assert (location.wrong, location.reach, location.only_with) == (("dx",), Reach.UNKNOWN, ())


def test_a_subject_that_fails_on_the_given_case_alone_is_located_by_its_verdict() -> None:
    calls = iter([2.0])

    def once(case: Case, results: dict[str, Any]) -> None:
        results["dx"] *= next(calls, 1.0)

    location = located(changed(once), RNN)
    assert (location.wrong, location.sentences) == (("dx",), ())
    assert {"y", "h_n", "dW_xh"} <= set(location.right)


@pytest.mark.parametrize("loss", ["half_squared_error", "mse"])
def test_a_carry_is_found_lost_where_there_is_no_network_without_a_loss(loss: str) -> None:
    """The gradient of one step's output alone: the target is met at all others."""
    dropped = patched([Patch(ELMAN, "return da @ weights.W_hh  #", "return 0 * da @ weights.W_hh  #")])

    @subject(cell="rnn_tanh", loss=loss, output_layer=True)
    def learner(case: Case) -> Mapping[str, Any]:
        results = dropped(case)
        return {name: results[name] for name in ("y", "dx", "dW_xh", "dW_hh")}

    location = located(make(learner), f"rnn_tanh:T2B1I1H1O1:loss={loss}:seed=7")
    assert (location.reach, location.path_length) == (Reach.CARRIED, 1)
