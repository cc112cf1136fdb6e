"""What a person reads of a failure: line by line, and whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crosscheck import Case, Status, Verdict
from crosscheck.diagnose import Diagnosis, Explanation
from crosscheck.failure import Failure
from crosscheck.implementation import Finding
from crosscheck.mistakes.catalogue import CATALOGUE
from crosscheck.report.failure import failure_text
from crosscheck.signatures import Signature
from crosscheck.verdict import TensorCheck

CASE = Case.parse("rnn_tanh:T1B1I1H1:seed=3")
BAD = TensorCheck("dx", Status.FAIL, (0, 0, 1), 0.25, -0.5, 2.0**-50, 0.75 * 2.0**50, 2.0**-49, 3, 4)
ALONE = TensorCheck("db_hh", Status.FAIL, (0,), 1.0, 2.0, 2.0**-50, 2.0**50, 2.0**-49, 1, 1)
GOOD = TensorCheck("y", Status.PASS, (0, 0, 0), 1.0, 1.0, 2.0**-50, 0.0, 2.0**-50, 0, 4)
UNSURE = TensorCheck("h_n", Status.INCONCLUSIVE, (0, 0, 0), 1.0, 1.0, 0.5, 0.0, 0.5, 0, 4)
DROPPED, ONCE = CATALOGUE["rnn.carry-dropped"], CATALOGUE["time.carry-into-a-copy"]


def text(*checks: TensorCheck, **more: Any) -> str:
    return failure_text(Failure(Verdict("mine", CASE, checks, (), ()), **more))


def test_every_number_and_how_to_repeat_it() -> None:
    findings = (Finding("raised", "", "ValueError: no", "Traceback:\n  here"), Finding("wrong shape", "db", "got (1,)"))
    verdict = Verdict("my net.py:f", CASE, (BAD, ALONE, GOOD, UNSURE), findings, ("dW_xh", "dW_hh"))
    assert (
        failure_text(Failure(verdict, after=12, agreed=("torch autograd", "complex step")))
        == """
FAIL  my net.py:f   dx, db_hh are wrong; raised, wrong shape   the smallest case found, after 12 cases
  case         rnn_tanh:T1B1I1H1:seed=3
  raised: ValueError: no
    Traceback:
      here
  wrong shape: db: got (1,)
  dx           got 0.25   want -0.5 +- 8.9e-16   error 8.4e+14 x what rounding allows  at [0, 0, 1], 3 of 4
  db_hh        got 1      want 2 +- 8.9e-16      error 1.1e+15 x what rounding allows
  right        y
  undecided    h_n
  not checked  dW_xh, dW_hh
  agreed       torch autograd, complex step
  again        crosscheck run 'my net.py:f' --case rnn_tanh:T1B1I1H1:seed=3

"""
    )


def test_a_mistake_is_shown_with_the_right_line_beside_the_wrong_one() -> None:
    explanations = (Explanation((DROPPED,), 0.0, 7), Explanation((ONCE,), 0.0, 7))
    shown = text(BAD, diagnosis=Diagnosis(explanations, (), 80, 7))
    assert (
        """
  because      the gradient is not carried to the previous step (mistake rnn.carry-dropped, reproduces it to 0 ulp)
                 yours       dh = W_hy.T @ dy
                 should be   dh = W_hy.T @ dy + dh_next
  or           time.carry-into-a-copy: the same numbers
"""
        in shown
    )


def test_a_pair_of_mistakes() -> None:
    shown = text(BAD, diagnosis=Diagnosis((Explanation((DROPPED, ONCE), 2.5, 7),), (), 80, 7))
    assert (
        """
  because      the gradient is not carried to the previous step; and what the
               backward step gives to the previous step is lost: it is written
               into a copy
               (mistakes rnn.carry-dropped and time.carry-into-a-copy, reproduce it to 2.5 ulp)
"""
        in shown
    )
    assert shown.count("should be") == shown.count("yours") == 2


def test_an_unknown_mistake_is_said_to_be_unknown() -> None:
    looks = (Signature(("dW_xh", "dW_hh"), "1/B times what it should be"), Signature(("dx",), "all zero"))
    assert """
  because      no known mistake gives these numbers (80 tried on 7 cases)
  looks like   dW_xh, dW_hh: 1/B times what it should be; dx: all zero
""" in text(BAD, diagnosis=Diagnosis((), looks, 80, 7))


def test_many_tensors_are_counted() -> None:
    shown = text(*[BAD] * 11)
    assert "FAIL  mine   dx, dx, dx, dx, dx, dx, dx, dx and 3 more are wrong\n" in shown
    assert shown.count("what rounding allows") == 8


def test_a_line_to_copy_is_never_cut() -> None:
    verdict = Verdict("mine" * 60, CASE, (BAD,), (), ())
    assert f"run {'mine' * 60} --case {CASE}\n" in failure_text(Failure(verdict))


@pytest.mark.parametrize(
    ("got", "want", "shown"),
    [
        (1.0, 1.0, ("1", "1")),
        (np.nan, 0.123456, ("nan", "0.1235")),
        (np.inf, 1.0, ("inf", "1")),
        (1 / 3, 1 / 3 + 1e-9, ("0.33333333333", "0.33333333433")),
        (1.0, 1.0 + 2.0**-52, ("1", "1.0000000000000002")),
        (5.0, 0.0, ("5", "0")),
    ],
)
def test_numbers_show_enough_digits_to_tell_them_apart(got: float, want: float, shown: tuple[str, str]) -> None:
    check = TensorCheck("y", Status.FAIL, (), got, want, 0.0, np.inf, 0.0, 1, 1)
    words = text(check).splitlines()[3].split()
    assert (words[0], words[2], words[4]) == ("y", *shown)
