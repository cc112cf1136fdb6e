"""`crosscheck run --report` and `crosscheck report`: the files, what is printed, and that both make the same."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from crosscheck import cli, exits
from crosscheck.errors import ArgumentError
from crosscheck.report.formats import names
from crosscheck.report.stream import read

COMMAND = str(Path(sys.executable).parent / "crosscheck")
FILES = ["junit.xml", "summary.md"]
SUBJECTS = """\
import time
from crosscheck import subject
from crosscheck.subjects.manual import manual


@subject(cell="rnn_tanh", dtype="float64", max_T=3)
def right(case):
    return manual(case)


@subject(cell="rnn_tanh", dtype="float64", max_T=3)
def wrong(case):
    return manual(case) | {"dx": -manual(case)["dx"]}


@subject(cell="rnn_tanh", dtype="float64", max_T=3)
def slow(case):
    time.sleep(0.02)
    return manual(case)
"""
Called = tuple[int, str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with subjects in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(SUBJECTS)
    return tmp_path


@pytest.fixture
def call(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Called]:
    """Call the command line; return the exit code and what it printed."""

    def called(*arguments: str) -> Called:
        monkeypatch.setattr(sys, "argv", ["crosscheck", *arguments])
        done = CliRunner().invoke(cli.cli, arguments, standalone_mode=False, catch_exceptions=False)
        return done.return_value, done.output

    return called


def test_a_run_is_reported_and_later_again(call: Callable[..., Called], folder: Path) -> None:
    arguments = ("run", "mine.py:right", "mine.py:wrong", "-n", "3", "--seed", "4", "--report", "junit,github,md")
    code, output = call(*arguments)
    assert code == exits.MISMATCH
    made = folder / "crosscheck-report"
    assert sorted(path.name for path in made.iterdir()) == ["junit.xml", "run.ndjson", "summary.md"]
    run = read(made / "run.ndjson")
    assert (run.command, run.seed) == (f"crosscheck {' '.join(arguments)}", 4)
    assert (run.settings["max_examples"], run.settings["limits"]) == (3, {"timeout": 10.0, "memory": 4096})
    assert [(tested.name, tested.file, tested.line) for tested in run.subjects] == [
        ("mine.py:right", "mine.py", 7),
        ("mine.py:wrong", "mine.py", 12),
    ]
    assert run.status == "FAIL"
    (shown,) = run.failures
    assert shown.text in output
    assert (folder / ".crosscheck" / "failures" / shown.kept / "failure.json").exists()
    assert output.splitlines()[-4:] == [
        "wrote crosscheck-report/run.ndjson",
        "wrote crosscheck-report/junit.xml",
        next(line for line in output.splitlines() if line.startswith("::error file=mine.py,line=12,title=")),
        "wrote crosscheck-report/summary.md",
    ]
    code, again = call("report", "crosscheck-report/run.ndjson", "--format", "junit,md,github", "-o", "again")
    assert code == exits.PASSED
    assert again.splitlines()[1] == "wrote again/summary.md"
    assert again.splitlines()[2] == output.splitlines()[-2]
    for name in FILES:
        assert (folder / "again" / name).read_bytes() == (made / name).read_bytes()


def test_reports_go_beside_their_run_if_nothing_is_said(call: Callable[..., Called], folder: Path) -> None:
    call("run", "mine.py:right", "-n", "2", "--report", "ndjson", "--report-dir", "there")
    assert [path.name for path in (folder / "there").iterdir()] == ["run.ndjson"]
    before = (folder / "there" / "run.ndjson").read_bytes()
    assert call("report", "there/run.ndjson", "--format", "md")[0] == exits.PASSED
    assert sorted(path.name for path in (folder / "there").iterdir()) == ["run.ndjson", "summary.md"]
    assert (folder / "there" / "run.ndjson").read_bytes() == before


def test_given_cases_are_reported(call: Callable[..., Called], folder: Path) -> None:
    line = "rnn_tanh:T2B1I1H1:seed=0"
    arguments = ("--case", line, "--case", line.replace("T2", "T3"), "--no-keep", "--report", "md")
    code, output = call("run", "mine.py:right", "mine.py:wrong", *arguments)
    assert code == exits.MISMATCH
    assert [line[:4] for line in output.splitlines() if line.startswith(("PASS", "FAIL"))] == ["PASS", "FAIL"] * 2
    run = read(folder / "crosscheck-report" / "run.ndjson")
    assert [row.case for row in run.rows] == [line, line.replace("T2", "T3")]
    assert [(shown.subject, shown.after, shown.kept) for shown in run.failures] == [("mine.py:wrong", None, "")] * 2
    assert [(group.cell, group.cases, group.failed) for group in run.groups] == [("rnn_tanh", 2, 2)]
    assert run.status == "FAIL"


def test_without_reports_nothing_is_written(call: Callable[..., Called], folder: Path) -> None:
    code, output = call("run", "mine.py:right", "-n", "2")
    assert (code, "wrote" in output) == (exits.PASSED, False)
    assert not (folder / "crosscheck-report").exists()


@pytest.mark.parametrize("other", ["--properties", "--second-use", "--list"])
def test_what_is_no_campaign_is_not_reported(call: Callable[..., Called], other: str) -> None:
    with pytest.raises(ArgumentError, match="--report: got "):
        call("run", "mine.py:right", other, "--report", "md")


@pytest.mark.parametrize("arguments", [("run", "mine.py:right", "--report", "pdf"), ("report", "x", "--format", "pdf")])
def test_an_unknown_format_says_which_there_are(call: Callable[..., Called], arguments: tuple[str, ...]) -> None:
    with pytest.raises(ArgumentError) as caught:
        call(*arguments)
    assert caught.value.wanted == f"some of {', '.join(names())}"


def test_a_file_that_is_no_run(call: Callable[..., Called]) -> None:
    with pytest.raises(ArgumentError, match=r"line 1 of mine\.py"):
        call("report", "mine.py", "--format", "md")


def test_the_help_names_the_formats(call: Callable[..., Called]) -> None:
    help_text = " ".join(call("run", "--help")[1].split())
    (named,) = re.findall(r"Report what was found too: ([^.]*)\.", help_text)
    assert re.split(", | or ", named) == list(names())


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, exits.INTERRUPTED), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_run_that_is_stopped_leaves_its_stream(folder: Path, number: int, code: int) -> None:
    arguments = ["run", "mine.py:slow", "-n", "100000", "--report", "junit,md"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [COMMAND, *arguments], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    stream = folder / "crosscheck-report" / "run.ndjson"
    while not stream.exists() or stream.read_bytes().count(b"\n") < 6:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    process.communicate()
    assert process.returncode == code
    run = read(stream)
    assert (run.status, len(run.rows) >= 4) == ("", True)
    made = [stream.with_name(name) for name in FILES]
    assert all(path.exists() == (number == signal.SIGINT) for path in made)
    before = [path.read_bytes() for path in made if path.exists()]
    done = CliRunner().invoke(cli.cli, ["report", str(stream), "--format", "junit,md"], standalone_mode=False)
    assert (done.return_value, done.exception) == (exits.PASSED, None)
    assert before in ([], [path.read_bytes() for path in made])
    assert "the run did not come to its end" in made[0].read_text()
    assert made[1].read_text().startswith("## &#9940; INTERRUPTED: ")
