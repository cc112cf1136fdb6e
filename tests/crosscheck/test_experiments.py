"""The cases that a failing one is compared with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crosscheck import Case, Subject
from crosscheck.experiments import (
    from_item,
    from_step,
    one_step,
    recurrent_through,
    simplifications,
    tried,
    with_input_at,
    without,
)
from crosscheck.implementation import make, subject
from crosscheck.strategies import EVERYTHING
from crosscheck.subjects.manual import manual

LSTM = Case.parse("lstm:T4B3I2H2:regime=ordinary:seed=3")


def where(array: Any, axis: int) -> list[int]:
    """Return the entries along an axis in which anything is not zero."""
    others = tuple(k for k in range(array.ndim) if k != axis)
    return np.nonzero(np.any(array, axis=others))[0].tolist()


def test_a_cotangent_at_one_step() -> None:
    case = from_step(LSTM, 2)
    assert where(case.dy, 0) == [2]
    assert case.dy[2].tolist() == LSTM.dy[2].tolist()
    assert not np.any(case.dh_n)
    assert not np.any(case.dc_n)
    assert case.x.tolist() == LSTM.x.tolist()


@pytest.mark.parametrize(("axes", "axis"), [("TB", 0), ("BT", 1), ("T", 0)])
def test_the_step_is_on_the_axis_of_the_steps(axes: str, axis: int) -> None:
    case = Case.parse(f"rnn_tanh:T4B1I2H2:axes={axes}:regime=ordinary:seed=3")
    assert where(from_step(case, 1).dy, axis) == [1]
    assert where(with_input_at(case, 3).x, axis) == [3]


def test_the_cotangents_of_one_sequence() -> None:
    case = from_item(LSTM, 1)
    assert [where(array, 1) for array in (case.dy, case.dh_n, case.dc_n)] == [[1]] * 3
    assert where(case.x, 1) == [0, 1, 2]


def test_recurrent_weights_of_one_gate_or_of_none() -> None:
    case = recurrent_through(LSTM, 4, 2)
    assert where(case.arrays["W_hh"], 0) == [4, 5]
    assert not np.any(recurrent_through(LSTM, 4, None).arrays["W_hh"])
    assert case.arrays["W_xh"].tolist() == LSTM.arrays["W_xh"].tolist()


def test_one_step_has_sequences_of_one_step_or_of_none() -> None:
    assert str(one_step(Case.parse("gru:T3B3I1H1:lengths=3,0,2:seed=1"))) == "gru:T1B3I1H1:lengths=1,0,1:seed=1"


def test_zeros_in_arrays_that_the_case_has() -> None:
    case = without(Case.parse("gru:T2B1I1H1:seed=1"), "h_0", "c_0")
    assert not np.any(case.h_0)
    assert case.c_0 is None


@pytest.mark.parametrize(
    ("line", "words", "simpler"),
    [
        ("rnn_tanh:T2B2I1H1:lengths=1,2:seed=1", "more than one step", "rnn_tanh:T1B2I1H1:lengths=1,1:seed=1"),
        ("rnn_tanh:T2B2I1H1:lengths=0,1:seed=1", "more than one sequence", "rnn_tanh:T2B1I1H1:lengths=1:seed=1"),
        ("rnn_tanh:T2B2I1H1:lengths=1,2:seed=1", "sequences of fewer steps", "rnn_tanh:T2B2I1H1:lengths=2,2:seed=1"),
        ("rnn_tanh:T2B2I1H1:lengths=2,2:seed=1", "lengths", "rnn_tanh:T2B2I1H1:seed=1"),
        ("rnn_tanh:T2B2I1H1:lengths=0,2:seed=1", "a sequence of length 0", "rnn_tanh:T2B2I1H1:lengths=1,2:seed=1"),
        ("gru:T1B1I2H3:seed=1", "more than one unit", "gru:T1B1I2H1:seed=1"),
        ("gru:T1B1I2H3:seed=1", "more than one input", "gru:T1B1I1H3:seed=1"),
        ("gru:T1B1I1H1:layers=2:dropout=0.3:seed=1", "more than one layer", "gru:T1B1I1H1:seed=1"),
        ("gru:T1B1I1H1:bidirectional=true:merge=sum:seed=1", "two directions", "gru:T1B1I1H1:seed=1"),
        ("lstm:T1B1I1H1:peephole=true:seed=1", "peepholes", "lstm:T1B1I1H1:seed=1"),
        ("lstm:T1B1I1H1O2:loss=mse:mean=T:seed=1", "the loss mse", "lstm:T1B1I1H1O2:seed=1"),
        ("lstm:T1B1I1H1O2:loss=mse:mean=T:seed=1", "mean=T", "lstm:T1B1I1H1O2:loss=mse:seed=1"),
        ("lstm:T1B1I1H1:axes=BT:seed=1", "axes=BT", "lstm:T1B1I1H1:seed=1"),
        ("lstm:T1B1I1H1:memory=fortran:seed=1", "fortran memory", "lstm:T1B1I1H1:seed=1"),
    ],
)
def test_a_case_without_one_thing(line: str, words: str, simpler: str) -> None:
    case = Case.parse(line)
    changes = {simplification.words: simplification.change for simplification in simplifications(case, outputs=False)}
    assert str(changes[words](case)) == simpler


def test_no_cotangent_is_taken_away_that_is_the_only_one() -> None:
    said = {one.words for one in simplifications(LSTM, outputs=False)}
    assert {"a gradient of y", "a gradient of the final states", "a gradient of h_n", "a gradient of c_n"} <= said
    alone = {one.words for one in simplifications(without(LSTM, "dh_n", "dc_n"), outputs=False)}
    assert not any(words.startswith("a gradient") for words in alone)


def test_of_outputs_the_parameters_are_taken_away_and_no_cotangents() -> None:
    said = {one.words for one in simplifications(LSTM, outputs=True)}
    assert {"W_xh", "W_hh", "b_xh", "b_hh"} <= said
    assert not any(words.startswith("a gradient") for words in said)


def test_a_case_that_the_subject_does_not_support_is_not_tried() -> None:
    function = subject(cell="lstm", max_T=3)(lambda case: manual(case))
    assert tried(make(function), LSTM) is None
    seen = tried(Subject("all", manual, EVERYTHING), LSTM)
    assert seen is not None
    assert not seen.wrong
    assert "dx" in seen.right
