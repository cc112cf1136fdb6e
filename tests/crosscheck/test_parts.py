"""Which gates, units, layers and steps wrong elements are of; nothing is said where the rest may be wrong too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crosscheck import Case, Subject
from crosscheck.axes import BATCH, TIME
from crosscheck.evidence import Seen, look
from crosscheck.parts import along, entries, gates_of, letters_of, runs_of_parameters, units_of
from crosscheck.spec import base, run_of
from crosscheck.strategies import EVERYTHING
from crosscheck.subjects.manual import manual


def seen(line: str, **wrong: Any) -> Seen:
    """Return what a subject does that is wrong at some places: `name=index`."""

    def function(case: Case) -> dict[str, Any]:
        results = {name: np.array(array) for name, array in manual(case).items()}
        for name, index in wrong.items():
            results[name][index] += 1
        return results

    found = look(Subject("wrong", function, EVERYTHING), Case.parse(line))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "bare", "run"),
    [
        ("dW_xh", "dW_xh", (0, False)),
        ("dW_xh_reverse", "dW_xh", (0, True)),
        ("db_hh_l2", "db_hh", (2, False)),
        ("dp_i_l1_reverse", "dp_i", (1, True)),
    ],
)
def test_the_layer_and_direction_are_in_a_name(name: str, bare: str, run: tuple[int, bool]) -> None:
    assert (base(name), run_of(name)) == (bare, run)


@pytest.mark.parametrize(
    ("line", "letters"),
    [
        ("lstm:T1B1I1H1:seed=0", "ifgo"),
        ("lstm:T1B1I1H1:coupled=true:seed=0", "igo"),
        ("gru:T1B1I1H1:seed=0", "rzn"),
        ("rnn_tanh:T1B1I1H1:seed=0", ""),
    ],
)
def test_the_gates_in_the_order_of_their_blocks(line: str, letters: str) -> None:
    assert letters_of(Case.parse(line)) == letters


LSTM = "lstm:T2B2I2H2:regime=ordinary:seed=3"


@pytest.mark.parametrize(
    ("line", "wrong", "gates", "units"),
    [
        (LSTM, {"dW_hh": slice(2, 4)}, ("f",), ()),
        (LSTM, {"db_xh": [1, 7]}, ("i", "o"), (1,)),
        (LSTM, {"dW_xh": slice(None)}, (), ()),
        ("lstm:T2B2I2H2:peephole=true:regime=ordinary:seed=3", {"dp_o": 0}, ("o",), (0,)),
        ("lstm:T2B2I2H2:coupled=true:regime=ordinary:seed=3", {"dW_hh": slice(2, 4)}, ("g",), ()),
        ("rnn_tanh:T2B2I2H2:regime=ordinary:seed=3", {"dW_hh": 1}, (), (1,)),
    ],
)
def test_gates_and_units(line: str, wrong: dict[str, Any], gates: tuple[str, ...], units: tuple[int, ...]) -> None:
    one = seen(line, **wrong)
    assert (gates_of([one], wrong), units_of([one], wrong)) == (gates, units)


def test_what_two_cases_show_is_put_together() -> None:
    ones = [seen(LSTM, dW_hh=0), seen(LSTM, dW_hh=3)]
    assert (gates_of(ones, ["dW_hh"]), units_of(ones, ["dW_hh"])) == (("i", "f"), ())


def test_a_unit_whose_gradient_is_zero_may_be_wrong_too() -> None:
    """Of a relu that is dead nothing is known, so that the other is not said to be wrong alone."""
    line = "rnn_relu:T1B1I2H2:regime=ordinary:seed=0"
    dead = np.flatnonzero(manual(Case.parse(line))["db_xh"] == 0)
    assert dead.tolist() == [1]
    assert units_of([seen(line, db_xh=0)], ["db_xh"]) == ()
    assert entries([seen(line, db_xh=0)], ["db_xh"], 0) == ()


def test_the_layer_that_gradients_come_from_first() -> None:
    line = "gru:T1B1I1H2:layers=3:bidirectional=true:regime=ordinary:seed=0"
    found = runs_of_parameters([seen(line, dW_xh_l1_reverse=0, dW_hh=0, db_xh=0)])
    assert found == ((0, 1), ("reverse",), frozenset({"dW_xh_l1_reverse"}))


def test_where_no_parameter_is_wrong_initial_states_tell() -> None:
    line = "gru:T1B1I1H2:layers=2:bidirectional=true:regime=ordinary:seed=0"
    assert runs_of_parameters([seen(line, dh_0=2)]) == ((1,), ("forward",), frozenset())


@pytest.mark.parametrize("axes", ["TB", "BT"])
def test_steps_and_sequences(axes: str) -> None:
    index = (1, 0) if axes == "TB" else (0, 1)
    one = seen(f"rnn_tanh:T3B2I2H2:axes={axes}:regime=ordinary:seed=3", dx=index)
    assert (along([one], ["dx"], TIME), along([one], ["dx"], BATCH)) == ((1,), (0,))
