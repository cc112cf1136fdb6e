"""A campaign that was killed goes on where it was, and its report is that of one that never was."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crosscheck import Case, Status, Verdict
from crosscheck.campaign import Settings, campaign
from crosscheck.examine import examine
from crosscheck.host import Limits
from crosscheck.implementation import Finding, make
from crosscheck.journal import RUNS, Journal, identity
from crosscheck.referee.proof import Outcome
from crosscheck.verdict import TensorCheck

SLOW = """\
import sys, time
from crosscheck import subject
from crosscheck.subjects.manual import manual


def count():
    with open("calls", "a") as file:
        file.write(".")


@subject(cell="rnn_tanh", dtype="float64", max_T=3, max_B=2, max_I=1, max_H=1)
def slow(case):
    count()
    time.sleep(0.02)
    return manual(case)


@subject(cell="rnn_tanh", dtype="float64", max_T=3, max_B=2, max_I=1, max_H=1)
def wrong(case):
    count()
    time.sleep(0.02)
    results = manual(case)
    return results | {"dx": results["dx"] * (1 + (case.T > 2 and case.B > 1))}
"""
ARGUMENTS = ("-n", "30", "-v")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with the subjects in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slow.py").write_text(SLOW)
    return tmp_path


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from crosscheck.cli import main; main()", "run", *arguments]


def masked(text: str) -> str:
    """Return a text with its seconds replaced."""
    text = re.sub(r"\d+\.\d s$", "# s", text, flags=re.M)
    return re.sub(r" +\d+\.\d$", " #", text, flags=re.M)


def calls() -> int:
    """Return how often the subjects were called since the last time."""
    path = Path("calls")
    count = len(path.read_text()) if path.exists() else 0
    path.unlink(missing_ok=True)
    return count


def journals() -> list[Path]:
    return sorted(RUNS.glob("*.ndjson")) if RUNS.exists() else []


def killed(entries: int, *arguments: str) -> None:
    """Begin a campaign, and kill it when its journal has so many entries."""
    run = subprocess.Popen(command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while sum(path.read_bytes().count(b"\n") for path in journals()) < entries:
        assert run.poll() is None
        time.sleep(0.005)
    os.kill(run.pid, signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL


def finished(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("name", "entries"), [("slow", 15), ("wrong", 12)])
def test_a_campaign_killed_with_kill_9(name: str, entries: int, folder: Path) -> None:
    """Of `wrong`, it is amid making a case smaller that it is killed."""
    whole = finished(f"slow.py:{name}", *ARGUMENTS)
    all_calls = calls()
    assert not journals()
    killed(entries, f"slow.py:{name}", *ARGUMENTS)
    before = calls()
    (journal,) = journals()
    journal.write_bytes(journal.read_bytes() + b'{"asked": "torn')
    kept = journal.read_bytes().count(b"\n")
    assert kept >= entries
    resumed = finished(f"slow.py:{name}", *ARGUMENTS, "--resume")
    assert masked(resumed.stdout) == masked(whole.stdout)
    assert resumed.returncode == whole.returncode == (1 if name == "wrong" else 0)
    assert resumed.stderr == f"crosscheck: going on with {journal}, {kept} verdicts on cases\n"
    after = calls()
    assert after <= all_calls - kept
    assert all_calls <= before + after <= all_calls + 2  # that of the kill again, which may be one of two calls
    assert not RUNS.exists()


def test_an_unfinished_run_is_mentioned_and_not_used(folder: Path) -> None:
    killed(5, "slow.py:slow", *ARGUMENTS)
    calls()
    again = finished("slow.py:slow", "-n", "3")  # other settings, another run
    assert again.stderr == ""
    assert len(journals()) == 1
    again = finished("slow.py:slow", *ARGUMENTS)
    assert re.fullmatch(
        r"crosscheck: an unfinished run like this has left \d+ verdicts on cases; --resume goes on with it\n",
        again.stderr,
    )
    assert again.returncode == 0
    assert calls() >= 30
    assert not journals()  # the same run is at its end, so there is nothing to go on with


def test_an_interrupted_run_can_be_resumed_after_it_was_mentioned(folder: Path) -> None:
    killed(10, "slow.py:slow", *ARGUMENTS)
    killed(12, "slow.py:slow", *ARGUMENTS)  # it has begun anew, in a journal of its own
    assert len(journals()) == 2
    most = max(path.read_bytes().count(b"\n") for path in journals())
    resumed = finished("slow.py:slow", *ARGUMENTS, "--resume")
    assert f" {most} verdicts on cases" in resumed.stderr
    assert not journals()


def test_nothing_to_resume(folder: Path) -> None:
    done = finished("slow.py:slow", "-n", "2", "--resume")
    assert (done.returncode, done.stderr) == (0, "crosscheck: there is no unfinished run like this; it begins anew\n")


@pytest.mark.parametrize("other", [("--properties",), ("--self",), ("--case", "rnn_tanh:T1B1I1H1:seed=0")])
def test_what_has_no_journal(other: tuple[str, ...], folder: Path) -> None:
    done = finished("slow.py:slow", "--resume", *other)
    assert done.returncode == 2
    assert done.stderr.startswith("crosscheck: --resume: got ")


def test_a_folder_that_cannot_be_written(folder: Path) -> None:
    Path(".crosscheck").write_text("a file")
    done = finished("slow.py:slow", "-n", "2")
    assert done.returncode == 0
    assert done.stderr.startswith("crosscheck: no journal of this run, so it can't be resumed: ")


def test_bad_arguments_leave_no_journal(folder: Path) -> None:
    assert finished("slow.py:slow", "slow.py:slow").returncode == 2
    assert not Path(".crosscheck").exists()


def test_the_identity_of_a_campaign(folder: Path) -> None:
    subjects, settings, limits = (make("slow.py:slow"),), Settings(), Limits()
    name = identity(subjects, settings, limits)
    assert re.fullmatch("[0-9a-f]{12}", name)
    assert identity((make("slow.py:slow"),), Settings(), Limits()) == name
    others = [
        identity((make("slow.py:wrong"),), settings, limits),
        identity(subjects, replace(settings, seed=1), limits),
        identity(subjects, replace(settings, options={"cell": ("gru",)}), limits),
        identity(subjects, settings, None),
        identity(subjects, settings, Limits(timeout=1)),
    ]
    (folder / "slow.py").write_text(SLOW.replace("0.02", "0.03"))
    others.append(identity(subjects, settings, limits))
    assert len({name, *others}) == 1 + len(others)


def test_the_file_of_a_dotted_module_counts_and_is_not_imported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(folder))
    (folder / "some_package").mkdir()
    (folder / "some_package" / "__init__.py").write_text("raise RuntimeError")
    module = folder / "some_package" / "some_module.py"
    module.write_text("f = 1")
    subject = replace(make("manual"), name="some_package.some_module:f")
    first = identity((subject,), Settings(), None)
    module.write_text("f = 2")
    assert identity((subject,), Settings(), None) != first


CASE = Case.parse("rnn_tanh:T2B1I1H1:seed=1")
FULL = Verdict(
    "a subject",
    CASE,
    (
        TensorCheck("y", Status.FAIL, (0, 1, 2), 1 / 3, math.pi, 2.0**-1074, math.inf, 0.0, 3, 4),
        TensorCheck("loss", Status.INCONCLUSIVE, (), math.nan, -0.0, 1e300, 0.1, math.inf, 0, 1),
    ),
    (Finding("raised", "", "ü \\x00", "a\\nb"),),
    ("dx", "dh_0"),
    Outcome.OPEN,
    ("one", "two"),
    (Finding("printed", "", "1 line:", "hello"),),
)


@pytest.mark.parametrize("verdict", [FULL, Verdict("manual", CASE, (), (), ())])
def test_a_verdict_comes_back_as_it_was(verdict: Verdict, folder: Path) -> None:
    journal = Journal("name", resume=False)
    assert journal.recorded(lambda *_: (verdict,))((make("manual"),), CASE, None) == (verdict,)
    journal.close()
    journal = Journal("name", resume=True)
    (got,) = journal.recorded(unasked)((make("manual"),), CASE, None)
    assert repr(got) == repr(verdict)  # NaN is not equal to itself
    journal.close()


def unasked(*_: Any) -> Any:
    raise AssertionError("it is in the journal")


def test_answers_come_in_the_order_they_were_given(folder: Path) -> None:
    """A subject may answer otherwise each time it is asked."""
    given = iter([(FULL,), (), (FULL, FULL)])
    journal = Journal("name", resume=False)
    ask = journal.recorded(lambda *_: next(given))
    first = [len(ask((make("manual"),), CASE, deep)) for deep in (None, None, True)]
    journal.close()
    again = Journal("name", resume=True)
    ask = again.recorded(unasked)
    assert [len(ask((make("manual"),), CASE, deep)) for deep in (True, None, None)] == [first[2], first[0], first[1]]
    again.close()


def test_a_journal_is_for_one_campaign_at_a_time(folder: Path) -> None:
    first = Journal("name", resume=False)
    first.recorded(lambda *_: (FULL,))((make("manual"),), CASE, None)
    second = Journal("name", resume=True)
    assert (second.known, second.unfinished) == (0, 0)
    assert first.path != second.path
    second.finish()
    assert first.path.exists()
    first.finish()
    assert not Path(".crosscheck").exists()


def test_a_broken_journal_is_read_up_to_where_it_breaks(folder: Path) -> None:
    journal = Journal("name", resume=False)
    ask = journal.recorded(lambda *_: (FULL,))
    for _ in range(3):
        ask((make("manual"),), CASE, None)
    journal.close()
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(lines[0] + b"\\xff{}\n" + lines[2])
    again = Journal("name", resume=True)
    assert again.known == 1
    again.close()
    assert journal.path.read_bytes() == lines[0]


def test_git_is_told_to_look_away(folder: Path) -> None:
    journal = Journal("name", resume=False)
    assert Path(".crosscheck/runs/.gitignore").read_text() == "*\n"
    journal.finish()


def test_lines_are_json(folder: Path) -> None:
    journal = Journal("name", resume=False)
    settings = Settings(max_examples=3, options={"cell": ("rnn_tanh",), "dtype": ("float64",)})
    report = campaign((make("manual"),), settings, ask=journal.recorded(examine))
    entries = [json.loads(line) for line in journal.path.read_text().splitlines()]
    assert len(entries) == report.cases == 3
    assert all(entry["verdicts"][0]["subject"] == "manual" for entry in entries)
    journal.finish()
