"""Over which paths gradients go wrong: a cotangent at one step at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crosscheck import Case, Subject
from crosscheck.axes import padding
from crosscheck.paths import Paths, Reading, paths, read
from crosscheck.referee.patched import Patch, patched
from crosscheck.strategies import EVERYTHING
from crosscheck.subjects.manual import manual

RNN = Case.parse("rnn_tanh:T4B2I2H2:regime=ordinary:seed=3")
ELMAN = "manual_rnn/cells/elman.py"


def made(wrong: list[str]) -> Paths:
    """Return paths from a row of marks a source: x wrong, . right, space unknown."""
    marks = np.array([list(row) for row in wrong])
    return Paths(marks == "x", marks == ".")


def anybody(function: Any) -> Subject:
    return Subject("anybody", function, EVERYTHING, frozenset(EVERYTHING))


@pytest.mark.parametrize(
    ("marks", "reading"),
    [
        (["x  ", "xx ", "xxx"], Reading(0)),
        ([".  ", "x. ", "xx."], Reading(1)),
        ([".  ", ".. ", "x.."], Reading(2)),
        ([".  ", ".. ", "xx."], Reading(1, crossings=((2, 1),))),
        ([".  ", "xx ", "xx."], Reading(0, steps=(1,))),
        ([".  ", "xx ", "..."], Reading(0, sources=(1,))),
        ([".  ", ".. ", "xxx"], Reading(0, steps=(2,))),
        (["x  ", "xx ", "x.."], Reading(0)),
        ([".  ", "xx ", "x. "], Reading(0)),
        ([".x ", " .x", "  ."], Reading(1)),
        ([".x ", ".. ", " .."], Reading(1)),
        ([".x.", "...", "..."], Reading(1, crossings=((0, 1),))),
    ],
)
def test_what_paths_come_to(marks: list[str], reading: Reading) -> None:
    assert read(made(marks)) == reading


def test_nothing_is_read_where_nothing_is_wrong() -> None:
    assert read(made([". ", ".."])) is None


def test_a_right_subject_has_no_wrong_path_and_none_forward() -> None:
    found = paths(anybody(manual), RNN)
    assert found is not None
    assert not found.wrong.any()
    assert found.right.tolist() == np.tril(np.ones((4, 4), dtype=bool)).tolist()


def test_a_lost_carry_is_wrong_on_every_path_that_crosses_a_step() -> None:
    lost = anybody(patched([Patch(ELMAN, "return da @ weights.W_hh  #", "return 0 * da  #")]))
    found = paths(lost, RNN)
    assert found is not None
    assert found.wrong.tolist() == np.tril(np.ones((4, 4), dtype=bool), -1).tolist()


def test_without_dx_the_weights_tell_of_the_last_step() -> None:
    lost = patched([Patch(ELMAN, "return da @ weights.W_hh  #", "return 0 * da  #")])
    found = paths(anybody(lambda case: {"dW_xh": lost(case)["dW_xh"]}), RNN)
    assert found is not None
    assert found.wrong.tolist() == [[False] * 4] * 3 + [[True, True, True, False]]
    assert found.right[-1].tolist() == [False, False, False, True]


def test_in_layers_of_two_directions_a_path_may_return_and_nothing_is_known() -> None:
    assert paths(anybody(manual), Case.parse("rnn_tanh:T2B1I1H1:layers=2:bidirectional=true:seed=0")) is None


def test_without_either_nothing_is_known() -> None:
    assert paths(anybody(lambda case: {"y": manual(case)["y"]}), RNN) is None


@pytest.mark.parametrize("axes", ["TB", "BT"])
def test_where_padding_is(axes: str) -> None:
    case = Case.parse(f"rnn_tanh:T3B2I1H1:lengths=3,1:axes={axes}:seed=0")
    wanted = np.array([[False, False], [False, True], [False, True]])
    assert padding(case, "dx")[..., 0].tolist() == (wanted.T if axes == "BT" else wanted).tolist()
