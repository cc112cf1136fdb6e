"""The hand-written network with lines replaced: what was not changed is the same to the bit, here as there."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import manual_rnn
from crosscheck import Case
from crosscheck.implementation import TwoSteps
from crosscheck.referee.patched import ROOT, Patch, PatchError, patched
from crosscheck.referee.proof import Outcome, prove
from crosscheck.referee.reference import reference
from crosscheck.subjects.manual import manual

LINES = (
    "rnn_tanh:T3B2I2H3:regime=ordinary:seed=3",
    "rnn_relu:T3B2I2H3:clip=0.703125:regime=ordinary:dtype=float32:seed=3",
    "lstm:T4B3I2H3:layers=2:bidirectional=true:zoneout=0.3:lengths=4,0,2:regime=ordinary:seed=6",
    "lstm:T3B2I2H3O2:peephole=true:proj_size=2:loss=mse:regime=ordinary:seed=3",
    "gru:T3B2I2H3:reset_after=false:attention=true:truncate=1,2:regime=ordinary:seed=3",
)
CARRY = Patch("manual_rnn/cells/elman.py", "return da @ weights.W_hh  #", "return 0 * da @ weights.W_hh  #")
BIAS = Patch("manual_rnn/unroll.py", "db = da.sum(axis=0)", "db = 0 * da.sum(axis=0)")
IDLE = {"manual_rnn/masks.py", "manual_rnn/cells/__init__.py"}
"""Nothing that a case is run with imports these."""
FILES = sorted({path.relative_to(ROOT).as_posix() for path in Path(ROOT, "manual_rnn").rglob("*.py")} - IDLE)
EXECUTED_AGAIN = Patch("manual_rnn/errors.py", "import annotations\n", "import annotations\n")
"""A change of nothing, in what all else imports."""


@pytest.mark.parametrize("line", LINES)
def test_a_copy_without_a_change_is_the_same_to_the_bit(line: str) -> None:
    case = Case.parse(line)
    got, want = patched([EXECUTED_AGAIN])(case), manual(case)
    assert got.keys() == want.keys()
    for name, array in want.items():
        np.testing.assert_array_equal(got[name], array)


@pytest.mark.parametrize("file", [*FILES, "crosscheck/subjects/manual.py"])
def test_every_file_can_be_changed(file: str) -> None:
    with pytest.raises(ZeroDivisionError):
        patched([Patch(file, (ROOT / file).read_text(encoding="utf-8"), "1 / 0")])(Case.parse(LINES[3]))


def test_a_change_shows() -> None:
    case = Case.parse("rnn_tanh:T2B1I1H1:seed=3")
    got, want = patched([CARRY])(case), manual(case)
    assert {name for name in want if not np.array_equal(got[name], want[name])} == {
        "dx", "dh_0", "dW_xh", "dW_hh", "db_xh", "db_hh",
    }  # fmt: skip
    assert not got["dh_0"].any()


def test_two_changes_show_together() -> None:
    case = Case.parse(LINES[0])
    both, carry = patched([CARRY, BIAS])(case), patched([CARRY])(case)
    assert not both["db_xh"].any()
    np.testing.assert_array_equal(both["dx"], carry["dx"])
    assert not np.array_equal(both["dx"], manual(case)["dx"])


def test_changes_are_made_one_after_the_other() -> None:
    again = Patch(BIAS.file, BIAS.wrong, "db = 2 * da.sum(axis=0)")
    case = Case.parse(LINES[0])
    np.testing.assert_array_equal(patched([BIAS, again])(case)["db_xh"], 2 * manual(case)["db_xh"])
    with pytest.raises(PatchError, match="0 times"):
        patched([again, BIAS])


@pytest.mark.parametrize(
    ("patch", "says"),
    [
        (Patch("manual_rnn/unroll.py", "no such line", ""), r"'no such line' is 0 times in manual_rnn/unroll.py"),
        (Patch("manual_rnn/unroll.py", "import", ""), r"'import' is \d+ times in manual_rnn/unroll.py, wanted once"),
        (Patch("manual_rnn/nothing.py", "import", ""), "manual_rnn/nothing.py is no file of the network"),
        (Patch("crosscheck/case.py", "import", ""), "crosscheck/case.py is no file of the network"),
    ],
)
def test_what_does_not_apply_says_so(patch: Patch, says: str) -> None:
    with pytest.raises(PatchError, match=says):
        patched([patch])


def test_the_real_network_is_not_touched() -> None:
    case = Case.parse(LINES[0])
    before, modules, text = manual(case), dict(sys.modules), Path(ROOT, BIAS.file).read_text(encoding="utf-8")
    real = dict(vars(manual_rnn.unroll))
    patched([CARRY, BIAS])(case)
    assert sys.modules == modules
    assert vars(manual_rnn.unroll) == real
    assert Path(ROOT, BIAS.file).read_text(encoding="utf-8") == text
    for name, array in manual(case).items():
        np.testing.assert_array_equal(array, before[name])


def test_copies_do_not_touch_each_other() -> None:
    case = Case.parse(LINES[0])
    carry, bias = patched([CARRY]), patched([BIAS])
    np.testing.assert_array_equal(carry(case)["db_xh"], patched([CARRY])(case)["db_xh"])
    np.testing.assert_array_equal(bias(case)["dx"], manual(case)["dx"])
    assert carry(case)["db_xh"].any()


def test_a_copy_is_used_in_two_steps() -> None:
    function, case = patched([CARRY]), Case.parse(LINES[0])
    assert isinstance(function, TwoSteps)
    outputs, memory = function.forward(case)
    np.testing.assert_array_equal(outputs["y"], manual(case)["y"])
    np.testing.assert_array_equal(function.backward(memory, case)["dx"], function(case)["dx"])


@pytest.mark.parametrize("line", LINES)
def test_a_copy_bounds_its_own_rounding(line: str) -> None:
    case = Case.parse(line)
    network = patched([CARRY, BIAS])
    expected = reference(case, network)
    for name, array in network(case).items():
        error = np.abs(np.asarray(array, dtype=np.float64) - expected.want[name])
        assert np.all(error <= expected.bound[name]), name


def test_a_copy_runs_on_balls() -> None:
    case = Case.parse("rnn_tanh:T2B1I1H1:regime=ordinary:seed=3")
    assert prove(patched([EXECUTED_AGAIN]), case).outcome is Outcome.PROVEN
    found = prove(patched([BIAS]), case)
    assert (found.outcome, set(found.wrong)) == (Outcome.WRONG, {"db_xh", "db_hh"})
