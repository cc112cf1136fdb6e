"""Where a subject is wrong: mistakes that are in no catalogue, each found in the right tensors, on the right side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from crosscheck import Case, Subject
from crosscheck.examine import examine
from crosscheck.localise import Location, Reach, localise
from crosscheck.referee.patched import Patch, patched
from crosscheck.strategies import EVERYTHING
from crosscheck.subject import make, subject
from crosscheck.subjects.manual import manual

Results = Mapping[str, Any]
RNN = "rnn_tanh:T2B2I2H2:regime=ordinary:seed=3"
LSTM = "lstm:T2B2I2H2:regime=ordinary:seed=3"
GRU = "gru:T2B2I2H2:regime=ordinary:seed=3"
BOTH_WAYS = "gru:T2B2I2H2:num_layers=2:bidirectional=true:regime=ordinary:seed=3"
LENGTHS = "rnn_tanh:T2B2I1H1:lengths=2,1:regime=ordinary:seed=3"

ELMAN, LSTM_FILE, GRU_FILE = (f"manual_rnn/cells/{name}.py" for name in ("elman", "lstm", "gru"))
UNROLL, STACK = "manual_rnn/unroll.py", "manual_rnn/stack.py"


def changed(change: Callable[[Case, dict[str, Any]], Results]) -> Subject:
    """Return the hand-written network with its results changed."""

    def function(case: Case) -> Results:
        results = {name: np.array(array) for name, array in manual(case).items()}
        return results | change(case, results)

    return Subject("changed", function, EVERYTHING, frozenset(EVERYTHING))


def located(wrong: Subject, line: str) -> Location:
    (verdict, *_) = examine([wrong], Case.parse(line), deep=False)
    return localise(wrong, verdict)


def planted(file: str, right: str, wrong: str) -> Subject:
    return Subject("planted", patched([Patch(file, right, wrong)]), EVERYTHING, frozenset(EVERYTHING))


CARRIED = {"dx", "dh_0", "dW_xh", "dW_hh", "db_xh", "db_hh"}


@pytest.mark.parametrize(
    ("file", "right", "wrong", "line", "tensors", "reach"),
    [
        (ELMAN, "return da @ weights.W_hh  #", "return 0.99 * da @ weights.W_hh  #", RNN, CARRIED, Reach.CARRIED),
        (ELMAN, "da *= dh  #", "da *= 1.01 * dh  #", RNN, CARRIED, Reach.ONE_STEP),
        (LSTM_FILE, "np.multiply(dc, f, out=dc_prev)", "np.multiply(dc, f * f, out=dc_prev)", LSTM, CARRIED | {"dc_0"}, Reach.CARRIED),
        (GRU_FILE, "dh_prev += dh * z", "dh_prev += dh * z * z", GRU, CARRIED, Reach.CARRIED),
        (GRU_FILE, "dq *= dh  #", "dq *= 1.5 * dh  #", GRU, CARRIED - {"dW_xh", "db_xh"}, Reach.ONE_STEP),
        (UNROLL, "db = da.sum(axis=0)", "db = da[B:].sum(axis=0) + da[:B].sum(axis=0) * 1.5", RNN, {"db_xh", "db_hh"}, Reach.ONE_STEP),
        (UNROLL, "db = da.sum(axis=0)", "db = da.sum(axis=0) + da[2 * B : 3 * B].sum(axis=0)", RNN, {"db_xh", "db_hh"}, Reach.SUMMED),
        (UNROLL, "np.matmul(da[:, blocks].T, operand, out=dW_hh[rows])", "np.matmul(da[B:, blocks].T, operand[B:], out=dW_hh[rows])", RNN, {"dW_hh"}, Reach.ONE_STEP),
        (UNROLL, "dx = reduce(np.add, shares)", "dx = 1.25 * reduce(np.add, shares)", RNN, {"dx"}, Reach.ONE_STEP),
    ],
)
def test_a_wrong_gradient_is_found_where_it_is(
    file: str, right: str, wrong: str, line: str, tensors: set[str], reach: Reach
) -> None:
    location = located(planted(file, right, wrong), line)
    assert not location.outputs
    assert (set(location.wrong), location.reach) == (tensors, reach)
    assert {"y", "h_n"} <= set(location.right)


def scaled(name: str, index: Any, factor: float) -> Callable[[Case, dict[str, Any]], Results]:
    """Return the change of a part of a tensor by a factor."""

    def change(_case: Case, results: dict[str, Any]) -> Results:
        results[name][index] *= factor
        return {name: results[name]}

    return change


@pytest.mark.parametrize(
    ("change", "line", "wanted"),
    [
        (scaled("dW_xh", slice(-2, None), 1.01), "lstm:T2B2I2H1:regime=ordinary:seed=3", {"gates": ("o",)}),
        (scaled("dW_hh", slice(0, 1), 2.0), GRU, {"gates": ("r",), "units": (0,)}),
        (scaled("db_hh", slice(1, None, 3), 3.0), "lstm:T2B2I2H3:regime=ordinary:seed=3", {"units": (1,)}),
        (scaled("dx", (slice(None), 1), 2.0), RNN, {"items": (1,)}),
        (scaled("dx", 0, 2.0), RNN, {"steps": (0,)}),
        (scaled("y", slice(1, None), 1.5), RNN, {"steps": (1, 2, 3), "outputs": True, "wrong": ("y",)}),
        (scaled("y", (Ellipsis, 0), 1.5), RNN, {"units": (0,), "outputs": True}),
        (scaled("h_n", (0, 1), 1.5), RNN, {"items": (1,), "outputs": True, "wrong": ("h_n",)}),
        (scaled("dW_xh_l1_reverse", 0, 1.5), BOTH_WAYS, {"wrong": ("dW_xh_l1_reverse",), "gates": ("r",), "units": (0,)}),
        (scaled("db_hh_l1", slice(None), 1.5), BOTH_WAYS, {"wrong": ("db_hh_l1",), "gates": (), "units": ()}),
    ],
)
def test_a_part_that_is_wrong_is_named(
    change: Callable[[Case, dict[str, Any]], Results], line: str, wanted: Mapping[str, Any]
) -> None:
    location = located(changed(change), line)
    assert {name: getattr(location, name) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("file", "right", "wrong", "line", "needed"),
    [
        (UNROLL, "dstate[-1] = dstate_n", "dstate[-1] = 0.5 * dstate_n", RNN, ("a gradient of the final states",)),
        (UNROLL, "da[first:last, n:] = 0", "da[first:last, n:] = 2", LENGTHS, ("more than one step", "lengths")),
        (UNROLL, "db = da.sum(axis=0)", "db = da[::B].sum(axis=0)", RNN, ("more than one sequence",)),
        (STACK, "dh[order.there]", "dh", BOTH_WAYS, ("more than one step", "two directions")),
        (STACK, "dy = dx if mask is None", "dy = 0.5 * dx if mask is None", BOTH_WAYS, ("more than one layer",)),
    ],
)
def test_what_it_takes_is_named(file: str, right: str, wrong: str, line: str, needed: tuple[str, ...]) -> None:
    assert located(planted(file, right, wrong), line).only_with == needed


def test_the_length_of_the_path_on_which_a_gradient_is_lost() -> None:
    """Of four steps, the carry from the third to the second is cut: two steps away from the last one."""
    cut = planted(
        UNROLL,
        "dh_prev += cell.backward_step(weights, *step)",
        "dh_prev += cell.backward_step(weights, *step) * (np.shares_memory(dh_prev, dh[1]) or len(dh) < 4)",
    )
    assert located(cut, RNN).sentences == ()
    location = located(planted(ELMAN, "return da @ weights.W_hh  #", "return 0 * da @ weights.W_hh  #"), RNN)
    assert (location.reach, location.path_length, location.steps) == (Reach.CARRIED, 1, (0, 1, 2))


def test_in_words() -> None:
    location = Location(
        Case.parse(GRU),
        outputs=False,
        wrong=("dx",),
        right=("y",),
        gates=("r",),
        units=(0, 2),
        items=(1,),
        steps=(0, 1),
        reach=Reach.CARRIED,
        path_length=2,
        only_with=("lengths", "two directions"),
    )
    assert location.sentences == (
        "gate r alone",
        "units 0, 2 alone",
        "sequence 1 of the batch alone",
        "steps 0, 1 of 2",
        "right up to a step, wrong wherever a path crosses 2",
        "only with lengths, two directions",
    )


def test_an_experiment_that_the_subject_cannot_do_is_left_out() -> None:
    @subject(cell="rnn_tanh", max_T=2, max_B=1)
    def picky(case: Case) -> Results:
        if case.T != 2:
            raise ValueError("two steps")
        results = {name: np.array(array) for name, array in manual(case).items()}
        return results | {"dx": 2 * results["dx"]}

    location = located(make(picky), "rnn_tanh:T2B1I1H1:regime=ordinary:seed=3")
    assert (location.wrong, location.reach, location.only_with) == (("dx",), Reach.UNKNOWN, ())
