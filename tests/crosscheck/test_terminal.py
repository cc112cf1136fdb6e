"""What a person reads: a failure, a passed case, the table."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich.console import Console, RenderableType

from crosscheck import Case, Report, Status, Verdict
from crosscheck.campaign import Checked, Failing, GroupDone, Settings, Started, Tally
from crosscheck.examine import examine
from crosscheck.features import FEATURES, GROUPS
from crosscheck.implementation import make
from crosscheck.report.terminal import (
    Terminal,
    coverage,
    outcome,
    passed,
    regime_table,
    summary,
)
from crosscheck.verdict import TensorCheck

CASE = Case.parse("rnn_tanh:T1B1I1H1:seed=3")
BAD = TensorCheck("dx", Status.FAIL, (0, 0, 1), 0.25, -0.5, 2.0**-50, 0.75 * 2.0**50, 2.0**-49, 3, 4)
GOOD = TensorCheck("y", Status.PASS, (0, 0, 0), 1.0, 1.0, 2.0**-50, 0.0, 2.0**-50, 0, 4)
UNSURE = TensorCheck("h_n", Status.INCONCLUSIVE, (0, 0, 0), 1.0, 1.0, 0.5, 0.0, 0.5, 0, 4)


def text_of(renderable: RenderableType) -> str:
    file = io.StringIO()
    Console(file=file, width=120, color_system=None, markup=False).print(renderable, soft_wrap=True)
    return file.getvalue()


def test_brackets_in_a_name_are_kept() -> None:
    file = io.StringIO()
    terminal = Terminal(Console(file=file, width=120, markup=False), verbose=True)
    terminal(Started((make(named("a[red]b")),), Settings(seed=5), 1))
    verdict = Verdict("a[red]b", CASE, (BAD,), (), ())
    terminal(Checked(CASE, (verdict,)))
    terminal(Failing(verdict))
    assert file.getvalue() == (
        "checking a[red]b   seed 5\n"
        "rnn_tanh:T1B1I1H1:seed=3  a[red]b FAIL\n"
        "a[red]b fails on rnn_tanh:T1B1I1H1:seed=3; looking for a smaller case\n"
    )


def named(name: str) -> Any:
    def function(case: Case) -> dict[str, Any]:
        return {}

    function.__name__ = name
    return function


def test_a_passed_case_shows_every_tensor() -> None:
    assert (
        text_of(passed(Verdict("mine", CASE, (GOOD, UNSURE), (), ("dx",))))
        == """
INCONCLUSIVE  mine
  case         rnn_tanh:T1B1I1H1:seed=3
  tensor  got  want    bound  error/bound  resolution   worst at   wrong
  y         1     1  8.9e-16            0     8.9e-16  [0, 0, 0]  0 of 4
  h_n       1     1      0.5            0         0.5  [0, 0, 0]  0 of 4
  not checked  dx

"""
    )


TALLY = Tally("lstm", "float32", 20, 4, 2, 1, 0.25, 1.5e-4, 3.25)


def test_the_summary_is_a_table() -> None:
    text = text_of(summary(Report(("mine",), (TALLY,), (), stopped=True)))
    assert [line.split() for line in text.splitlines() if line] == [
        ["cell", "dtype", "cases", "proven", "inconclusive", "failed", "error/bound", "resolution", "time"],
        ["lstm", "float32", "20", "4", "2", "1", "0.250", "0.00015", "3.2"],
    ]


COVERED = {"T=1": 7, "T=2": 2, "T>=3": 0, "wide": 1}


def test_the_coverage_names_what_is_rare_or_missing() -> None:
    assert (
        text_of(coverage(COVERED))
        == """\
covered 3 of 4 regimes
  rare         wide 1; T=2 2
  missing      T>=3

"""
    )


def test_the_coverage_names_not_too_many() -> None:
    text = text_of(coverage({f"a regime {k}": 0 for k in range(20)}))
    assert "a regime 11; 8 more, see -v" in text
    assert "a regime 12" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_full_coverage_is_a_line() -> None:
    assert text_of(coverage(dict.fromkeys(COVERED, 9))) == "covered 4 of 4 regimes\n\n"


def test_the_whole_coverage_has_every_count() -> None:
    lines = text_of(coverage(COVERED, verbose=True)).splitlines()
    assert [line.split() for line in lines[1:-1]] == [["T=1", "7"], ["T=2", "2"], ["T>=3", "0"], ["wide", "1"]]


def test_the_regimes_are_a_table_in_groups() -> None:
    text = text_of(regime_table(GROUPS))
    assert all(re.search(rf"^  {re.escape(name)} +\S", text, re.M) for name in FEATURES)
    assert [line for line in text.splitlines() if not line.startswith(" ")] == list(GROUPS)
    assert all(len(name) < 29 for name in FEATURES)


def test_the_outcome_says_if_the_time_was_up() -> None:
    text = text_of(outcome(Report(("mine",), (TALLY,), (), stopped=True)))
    assert text == "PASS  20 cases, 0 failures, 2 inconclusive; stopped when the time was up\n"


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (Report(("mine",), (), ()), "INCONCLUSIVE  0 cases, 0 failures, 0 inconclusive"),
        (
            Report(("mine",), (Tally("gru", "float64", 3, inconclusive=3),), ()),
            "INCONCLUSIVE  3 cases, 0 failures, 3 inconclusive",
        ),
        (
            Report(("mine",), (Tally("gru", "float64", 3, inconclusive=1),), ()),
            "PASS  3 cases, 0 failures, 1 inconclusive",
        ),
        (
            Report(("mine",), (Tally("gru", "float64", 3, inconclusive=3),), (Verdict("mine", CASE, (BAD,), (), ()),)),
            "FAIL  3 cases, 1 failure, 3 inconclusive",
        ),
    ],
)
def test_the_outcome(report: Report, line: str) -> None:
    assert outcome(report).plain == line


def test_a_group_is_a_line_where_there_is_no_terminal() -> None:
    file = io.StringIO()
    Terminal(Console(file=file, width=120))(GroupDone(TALLY))
    assert file.getvalue() == "lstm float32: 20 cases, 1 failed, 2 inconclusive, 3.2 s\n"


def test_a_terminal_shows_progress() -> None:
    file = io.StringIO()
    console = Console(file=file, width=120, force_terminal=True, color_system=None)
    (verdict,) = examine([make("manual")], CASE)
    with Terminal(console) as terminal:
        terminal(Started((make("manual"),), Settings(max_examples=4), 1))
        terminal(Checked(CASE, (verdict,)))
        terminal.progress.refresh()
    assert "rnn_tanh float64" in file.getvalue()
    assert "1/4" in file.getvalue()
