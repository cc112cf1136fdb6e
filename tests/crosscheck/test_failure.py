"""A failure, explained: the design's own example from the command line, line by line, and what can't be explained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from crosscheck import Case, Status, assert_agrees
from crosscheck.campaign import Checked, Ended, Event, Explained, Failed, explaining, several
from crosscheck.cli import cli
from crosscheck.examine import examine
from crosscheck.failure import Failure, explain
from crosscheck.implementation import make, subject
from crosscheck.record import record
from crosscheck.referee import truth
from crosscheck.referee.proof import Proof, prove
from crosscheck.report.failure import failure_text
from crosscheck.subjects.manual import manual
from crosscheck.verdict import Verdict

MY_RNN = '''
import crosscheck
import numpy as np


@crosscheck.subject(cell="rnn_tanh", output_layer=True, loss="half_squared_error")
def rnn(case):
    """An Elman network that reads out every step; backpropagation that forgot about time."""
    W_xh, W_hh, W_hy = case.params["W_xh"], case.params["W_hh"], case.params["W_hy"]
    b_h, b_y = case.params["b_xh"] + case.params["b_hh"], case.params["b_y"]
    x, h = case.x, [case.h_0[0]]
    for t in range(case.T):
        h.append(np.tanh(x[t] @ W_xh.T + h[t] @ W_hh.T + b_h))
    y = np.stack(h[1:]) @ W_hy.T + b_y

    dW_xh, dW_hh, dW_hy, dx = np.zeros_like(W_xh), np.zeros_like(W_hh), np.zeros_like(W_hy), np.zeros_like(x)
    db_h, db_y = np.zeros_like(b_h), np.zeros_like(b_y)
    for t in reversed(range(case.T)):
        dy = y[t] - case.target[t]
        dW_hy += dy.T @ h[t + 1]
        db_y += dy.sum(axis=0)
        dh = dy @ W_hy
        da = (1 - h[t + 1] ** 2) * dh
        dW_xh += da.T @ x[t]
        dW_hh += da.T @ h[t]
        db_h += da.sum(axis=0)
        dx[t] = da @ W_xh
    return {
        "y": y, "h_n": h[-1][None], "dx": dx,
        "dW_xh": dW_xh, "dW_hh": dW_hh, "db_xh": db_h, "db_hh": db_h, "dW_hy": dW_hy, "db_y": db_y,
    }
'''
SHOWN = """\

FAIL  my_rnn.py:rnn   dx, dW_hh, db_xh, db_hh are wrong
  case         rnn_tanh:T2B1I1H1O1:loss=half_squared_error:seed=7
  dx           got -0.09892   want -0.09647 +- 1.1e-15   error 2.3e+12 x what rounding allows  at [0, 0, 0], 1 of 2
  dW_hh        got -0.1488    want -0.1439 +- 3.1e-15    error 1.6e+12 x what rounding allows
  db_xh        got 0.1436     want 0.1387 +- 3.2e-15     error 1.5e+12 x what rounding allows
  db_hh        got 0.1436     want 0.1387 +- 3.2e-15     error 1.5e+12 x what rounding allows
  right        y, h_n, dW_xh, dW_hy, db_y
  not checked  loss, dh_0
  where        right within a step, wrong wherever a path crosses one
  because      the gradient is not carried to the previous step (mistake rnn.carry-dropped, reproduces it to 3.5 ulp)
                 yours       dh = W_hy.T @ dy
                 should be   dh = W_hy.T @ dy + dh_next
  or           time.dh-next-never-added: the same numbers
  or           time.steps-in-forward-order: the same numbers
  or           1 more: the same numbers
  agreed       definition in ball arithmetic (128 bit), torch autograd, complex step
  judged by    formulas proven right on balls of 128 bits; worst-case and sampled rounding; \
its own code proven wrong on balls of 128 bits
  kept         crosscheck explain my_rnn-rnn-rnn_tanh-08fd728c
  again        crosscheck run my_rnn.py:rnn --case rnn_tanh:T2B1I1H1O1:loss=half_squared_error:seed=7

"""


def test_the_example_of_the_design(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_rnn.py").write_text(MY_RNN, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    line = "rnn_tanh:T2B1I1H1O1:loss=half_squared_error:seed=7"
    done = CliRunner().invoke(cli, ["run", "my_rnn.py:rnn", "--case", line], standalone_mode=False)
    assert (done.output, done.return_value) == (SHOWN, 1)


def without_carry(case: Case) -> Mapping[str, Any]:
    results = {name: np.array(array) for name, array in manual(case).items()}
    return results | {"dh_0": 0 * results["dh_0"]}


def test_where_why_and_who_agrees() -> None:
    subject_ = make(subject(cell="gru")(without_carry))
    (verdict,) = examine([subject_], Case.parse("gru:T2B2I2H2:regime=ordinary:seed=1"), deep=True)
    failure = explain(subject_, verdict, after=3)
    assert (failure.verdict, failure.after) == (verdict, 3)
    assert failure.location is not None
    assert failure.location.wrong == ("dh_0",)
    assert [m.name for e in failure.diagnosis.explanations for m in e.mistakes] == ["state.initial-gradient-zero"]
    assert failure.agreed == ("definition in ball arithmetic (128 bit)", "torch autograd", "complex step")


def test_a_part_of_the_referee_is_not_experimented_on() -> None:
    verdict = Verdict("definition", Case.parse("gru:T1B1I1H1:seed=1"), (), (), ())
    assert explain(None, verdict) == Failure(verdict)


def test_what_raises_is_neither_located_nor_diagnosed() -> None:
    def broken(case: Case) -> Mapping[str, Any]:
        raise ValueError(f"no {case.T}")

    subject_ = make(subject(cell="gru")(broken))
    (verdict,) = examine([subject_], Case.parse("gru:T1B1I1H1:seed=1"))
    assert verdict.status is Status.FAIL
    assert explain(subject_, verdict) == Failure(verdict)


def test_an_assertion_error_says_the_same() -> None:
    with pytest.raises(AssertionError, match=r"mistake state.initial-gradient-zero, reproduces it to 0 ulp"):
        assert_agrees(subject(cell="gru")(without_carry), max_examples=5)


def test_a_failure_is_explained_once_for_all_who_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    subject_ = make(subject(cell="gru")(without_carry))
    (verdict,) = examine([subject_], Case.parse("gru:T2B2I2H2:regime=ordinary:seed=1"), deep=True)
    asked: list[Case] = []

    def proven(function: Any, case: Case) -> Proof:
        asked.append(case)
        return prove(function, case)

    monkeypatch.setattr(truth, "prove", proven)
    first: list[Event] = []
    second: list[Event] = []
    listen = explaining([subject_], several(first.append, second.append), lambda *of: record(*of).id)
    listen(Checked(verdict.case, (verdict,)))
    listen(Failed(verdict, 3))
    assert (
        first
        == second
        == [
            Checked(verdict.case, (verdict,)),
            Explained(subject_, explain(subject_, verdict, 3), record(subject_, Failure(verdict)).id),
        ]
    )
    assert asked.count(verdict.case) == 3  # once for both, explained and recorded; and for the two wanted here


def test_a_part_of_the_referee_is_not_kept() -> None:
    verdict = Verdict("definition", Case.parse("gru:T1B1I1H1:seed=1"), (), (), ())
    told: list[Event] = []
    explaining([], told.append, lambda *_: "kept")(Failed(verdict, 1))
    assert told == [Explained(None, Failure(verdict, 1), "")]


def test_who_listens_to_an_assertion_is_told_of_the_failure_explained() -> None:
    told: list[Event] = []
    with pytest.raises(AssertionError) as caught:
        assert_agrees(subject(cell="gru")(without_carry), max_examples=5, listen=told.append)
    (found,) = [event for event in told if isinstance(event, Explained)]
    assert str(caught.value) == failure_text(found.failure)
    assert isinstance(told[-1], Ended)
