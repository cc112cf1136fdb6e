"""Reports while a run goes on and at its end, from code; the events of given cases."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from crosscheck import ArgumentError, Case, Report, Status, assert_agrees, check, subject
from crosscheck.campaign import Checked, Ended, Event, Explained, Failed, GroupDone, Started, explaining, given
from crosscheck.failure import explain
from crosscheck.implementation import make
from crosscheck.report.digest import sums
from crosscheck.report.formats import github, junit, md
from crosscheck.report.reports import Reports, joined
from crosscheck.report.run import Group, Outcome, Row, Run
from crosscheck.report.run import Tested as Line  # a name that pytest takes for no test
from crosscheck.report.stream import read
from crosscheck.report.terminal import CaseByCase
from crosscheck.subjects.manual import manual

LINE = "gru:T2B2I2H2:regime=ordinary:seed=1"


@subject(cell="gru", dtype="float64")
def without_carry(case: Case) -> Mapping[str, Any]:
    results = {name: np.array(array) for name, array in manual(case).items()}
    return results | {"dh_0": 0 * results["dh_0"]}


@subject(cell="gru", dtype="float64")
def right(case: Case) -> Mapping[str, Any]:
    return manual(case)


def test_reports_are_made_from_the_stream(tmp_path: Path) -> None:
    said: list[str] = []
    with Reports(["junit,github", "md"], tmp_path / "new" / "one", "my checks", 3, echo=said.append) as reports:
        for function in (right, without_carry):
            each = make(function)
            check(each, max_examples=2, seed=3, listen=explaining([each], reports))
    folder = tmp_path / "new" / "one"
    run = read(folder / "run.ndjson")
    assert ([tested.name for tested in run.subjects], len(run.rows)) == (["right", "without_carry"], 3)
    assert (run.command, run.seed, run.status) == ("my checks", 3, "FAIL")
    assert run.failures[0].diagnosis["explanations"]
    assert sorted(path.name for path in folder.iterdir()) == ["junit.xml", "run.ndjson", "summary.md"]
    assert (folder / "junit.xml").read_text() == junit.render(run)
    assert (folder / "summary.md").read_text() == md.render(run)
    wrote = [f"wrote {folder / name}" for name in ("run.ndjson", "junit.xml")]
    assert said == [*wrote, github.render(run), f"wrote {folder / 'summary.md'}"]


def test_what_is_printed_alone_needs_no_folder(tmp_path: Path) -> None:
    said: list[str] = []
    with Reports(["github"], tmp_path / "none", echo=said.append) as reports:
        given([(Case.parse(LINE), (make(without_carry),))], explaining([make(without_carry)], reports))
    assert not (tmp_path / "none").exists()
    assert re.match(r"::error file=.*test_reports\.py,line=\d+,title=without_carry%3A dh_0 is wrong::", said[0])


def test_an_assertion_explains_by_itself(tmp_path: Path) -> None:
    with Reports(["ndjson"], tmp_path) as reports, pytest.raises(AssertionError):
        assert_agrees(without_carry, max_examples=2, listen=reports)
    (shown,) = read(tmp_path / "run.ndjson").failures
    assert "state.initial-gradient-zero" in shown.text
    assert shown.picture is not None
    assert shown.picture.heats[0].tensor == "dh_0"
    assert shown.picture.norms is not None


def test_an_exception_leaves_reports_of_what_there_is(tmp_path: Path) -> None:
    def stop(event: Event) -> None:
        reports(event)
        if isinstance(event, Checked):
            raise KeyboardInterrupt

    reports = Reports(["md"], tmp_path, echo=lambda _: None)
    with pytest.raises(KeyboardInterrupt), reports:
        check(right, max_examples=2, listen=stop)
    assert read(tmp_path / "run.ndjson").status == ""
    assert "INTERRUPTED: 1 case, 0 failures" in (tmp_path / "summary.md").read_text()


def test_an_older_report_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "summary.md").write_text("older")
    with Reports(["md"], tmp_path, echo=lambda _: None):
        assert (tmp_path / "summary.md").read_text() == "older"
    assert (tmp_path / "summary.md").read_text().startswith("## ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.ndjson", "summary.md"]


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ArgumentError, match=r"report-dir: got .*run\.ndjson: .*, wanted a folder"):
        Reports(["md"], tmp_path / "file")


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="wanted some of github, "):
        Reports(["md", "pdf"], tmp_path / "new")
    assert not (tmp_path / "new").exists()


def ran(date: str, name: str, status: str, **more: Any) -> Run:
    row = Row("gru:T1B1I1H1:seed=0", "gru", "float64", True, (Outcome(name, status or "PASS", 0.5, 1e-15),))
    group = Group("gru", "float64", 1, 1, 0, int(status == "FAIL"), 0.5, 1e-15, 2.0)
    facts: dict[str, Any] = {"subjects": (Line(name), Line("both")), "rows": (row,), "groups": (group,)}
    return Run(date, {"numpy": "2"}, "pytest", 3, {"of": name}, **facts, status=status, **more)


def test_runs_side_by_side_are_one() -> None:
    first = ran("2", "a", "PASS", covered={"T=1": 1, "T=2": 0}, notes=(("both", "loud", 1),))
    second = ran(
        "1", "b", "FAIL", covered={"T=1": 2, "wide": 1}, notes=(("both", "loud", 2), ("b", "odd", 1)), stopped=True
    )
    run = joined([first, second])
    assert (run.date, run.command, run.seed, run.settings) == ("1", "pytest", 3, {"of": "a"})
    assert [tested.name for tested in run.subjects] == ["a", "both", "b"]
    assert run.rows == first.rows + second.rows
    assert sums(run) == (Group("gru", "float64", 2, 2, 0, 1, 0.5, 1e-15, 4.0),)
    assert run.covered == {"T=1": 3, "T=2": 0, "wide": 1}
    assert run.notes == (("both", "loud", 3), ("b", "odd", 1))
    assert (run.status, run.stopped) == ("FAIL", True)
    assert joined([first]) == first


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        (("PASS", ""), ""),
        (("FAIL", "PASS"), "FAIL"),
        (("INCONCLUSIVE", "PASS"), "PASS"),
        (("INCONCLUSIVE",), "INCONCLUSIVE"),
    ],
)
def test_what_runs_side_by_side_come_to(statuses: tuple[str, ...], status: str) -> None:
    assert joined([ran("1", "a", each) for each in statuses]).status == status


# given cases


def test_given_cases_are_a_campaign_too() -> None:
    one, other = make(right), make(without_carry)
    first, second = Case.parse(LINE), Case.parse("gru:T1B1I1H1:dtype=float32:seed=2")
    events: list[Event] = []
    report = given([(first, (one, other)), (second, (one,)), (second, ())], events.append)
    kinds = (Started, Checked, Failed, Checked, GroupDone, GroupDone, Ended)
    assert [type(event) for event in events] == list(kinds)
    started, checked, failed = events[:3]
    assert isinstance(started, Started)
    assert isinstance(checked, Checked)
    assert started.subjects == (one, other)
    assert failed == Failed(checked.verdicts[1], None)
    assert events[-1] == Ended(report)
    assert [(tally.cell, tally.dtype, tally.cases, tally.failed) for tally in report.tallies] == [
        ("gru", "float64", 1, 1),
        ("gru", "float32", 1, 0),
    ]
    assert (report.subjects, report.failures) == (("right", "without_carry"), (checked.verdicts[1],))
    assert checked.verdicts[0].proven  # by all the means there are


def test_given_cases_are_shown_in_their_order() -> None:
    file = io.StringIO()
    show = CaseByCase(Console(file=file, width=120, color_system=None))
    names = ("a", "wrong", "c", "wrong", "e")
    events: list[Event] = []
    given([(Case.parse(LINE), (make(without_carry), make(right)))], events.append)
    checked = next(event for event in events if isinstance(event, Checked))
    wrong, good = checked.verdicts
    assert (wrong.status, good.status) == (Status.FAIL, Status.PASS)
    show(Checked(checked.case, tuple(wrong if name == "wrong" else good for name in names)))
    for _ in range(2):
        show(Explained(None, explain(None, wrong)))
    show(Ended(Report((), (), ())))
    assert re.findall(r"^(PASS|FAIL)  (\w+)", file.getvalue(), re.M) == [
        ("PASS", "right"),
        ("FAIL", "without_carry"),
        ("PASS", "right"),
        ("FAIL", "without_carry"),
        ("PASS", "right"),
    ]
