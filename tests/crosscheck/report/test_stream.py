"""A run as NDJSON: what goes in comes out, whatever it is; what is torn, missing or wrong."""

from __future__ import annotations

import io
import json
import math
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosscheck import ArgumentError, Case, Report, check, subject
from crosscheck.campaign import (
    Checked,
    Ended,
    Explained,
    Failed,
    GroupDone,
    Settings,
    Started,
    Tally,
    explaining,
    several,
)
from crosscheck.failure import Failure
from crosscheck.implementation import Subject, make
from crosscheck.report.run import Group, Heat, Norms, Outcome, Picture, Row, Run, Shown
from crosscheck.report.run import Tested as Line  # a name that pytest takes for no test
from crosscheck.report.stream import FORMAT, Stream, lines, read
from crosscheck.subjects.manual import manual
from crosscheck.verdict import Status, TensorCheck, Verdict

# one NaN, so that tuples that hold it are equal: they compare what they hold by identity first
NUMBERS = st.floats(allow_nan=False) | st.just(math.nan)
TEXT = st.text(max_size=8) | st.sampled_from(
    ["NaN", "Infinity", "\u2028", "\ud800", "\x1b[31m", '"}\n{"event": "done"}']
)
COUNTS = st.integers(0, 10**9)
STATUSES = st.sampled_from(["PASS", "FAIL", "INCONCLUSIVE"])
PLAIN = st.recursive(
    st.none() | st.booleans() | COUNTS | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
NAMED = ("got", "want", "bound", "ratio", "resolution")
CHECKS = st.fixed_dictionaries(
    {"name": TEXT, "status": STATUSES, "index": st.lists(COUNTS, max_size=2), "wrong": COUNTS, "size": COUNTS}
    | dict.fromkeys(NAMED, st.sampled_from([1.5, -2e-300, "NaN", "Infinity"]))
)
FINDINGS = st.fixed_dictionaries(dict.fromkeys(("kind", "name", "text", "details"), TEXT))
VERDICTS = st.fixed_dictionaries(
    {"status": STATUSES, "tensors": st.lists(CHECKS, max_size=2), "findings": st.lists(FINDINGS, max_size=2)}
    | {"not_checked": st.lists(TEXT, max_size=2), "evidence": st.lists(TEXT, max_size=1), "notes": st.just([])}
    | {"proof": st.sampled_from([None, "proven right", "undecided"])}
)
MISTAKES = st.dictionaries(TEXT, TEXT, max_size=2)
EXPLANATIONS = st.fixed_dictionaries(
    {"mistakes": st.lists(MISTAKES, max_size=2), "ulps": st.sampled_from([0, 0.5, "Infinity"]), "cases": COUNTS}
)
DIAGNOSES = st.fixed_dictionaries(
    {
        "explanations": st.lists(EXPLANATIONS, max_size=2),
        "signatures": st.lists(st.dictionaries(TEXT, PLAIN), max_size=1),
    }
    | {"tried": COUNTS, "cases": COUNTS}
)


def several_of(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=2).map(tuple)


OUTCOMES = st.builds(Outcome, TEXT, STATUSES, NUMBERS, NUMBERS)
HEATS = st.builds(Heat, TEXT, TEXT, TEXT, several_of(several_of(NUMBERS)))
NORMS = st.builds(Norms, TEXT, several_of(NUMBERS), several_of(NUMBERS))
PICTURES = st.builds(Picture, TEXT, several_of(HEATS), st.none() | NORMS)
FAILURES = st.builds(
    Shown,
    *(TEXT, TEXT, st.none() | COUNTS, VERDICTS, several_of(TEXT), DIAGNOSES, several_of(TEXT), TEXT, TEXT, TEXT),
    st.none() | PICTURES,
)
RUNS = st.builds(
    Run,
    date=TEXT,
    versions=st.dictionaries(TEXT, TEXT, max_size=2),
    command=TEXT,
    seed=st.integers(0, 2**70),
    settings=st.dictionaries(TEXT, PLAIN, max_size=2),
    subjects=several_of(st.builds(Line, TEXT, TEXT, COUNTS, several_of(TEXT))),
    rows=several_of(st.builds(Row, TEXT, TEXT, TEXT, st.booleans(), several_of(OUTCOMES))),
    failures=several_of(FAILURES),
    groups=several_of(st.builds(Group, TEXT, TEXT, *(COUNTS,) * 4, *(NUMBERS,) * 3)),
    covered=st.dictionaries(TEXT, COUNTS, max_size=2),
    notes=several_of(st.tuples(TEXT, TEXT, COUNTS)),
    status=STATUSES | st.just(""),
    stopped=st.booleans(),
)


@given(RUNS)
def test_a_run_is_read_as_it_was_written(run: Run) -> None:
    text = "".join(lines(run))
    assert read(text) == run
    assert text.isascii()
    for line in text.splitlines():
        json.loads(line, parse_constant=pytest.fail)


@given(RUNS, st.data())
def test_a_torn_line_at_the_end_is_left_out(run: Run, data: st.DataObject) -> None:
    first, *rest = lines(run)
    text = "".join(rest)
    kept = data.draw(st.integers(0, len(text)))
    whole = text[:kept].rpartition("\n")[0]
    ended = f"{whole}\n" if whole else ""
    if text[kept : kept + 1] != "\n":  # else only the end of a line is missing
        assert read(first + text[:kept]) == read(first + ended)
    else:
        assert read(first + text[:kept]) == read(first + text[: kept + 1])


FIRST = '{"event": "run", "format": 1, "date": "d", "versions": {}, "command": "c", "seed": 0, "settings": {}}\n'
ROW = '{"event": "checked", "case": "c", "cell": "gru", "dtype": "float64", "proven": true, "outcomes": []}\n'
DONE = '{"event": "done", "covered": {}, "notes": [], "status": "PASS", "stopped": false}\n'


def test_the_lines_that_the_tests_go_by() -> None:
    run = Run("d", {}, "c", 0, rows=(Row("c", "gru", "float64", True, ()),), status="PASS")
    assert read(FIRST + ROW + DONE) == run
    assert "".join(lines(run)) == FIRST + ROW + DONE


@pytest.mark.parametrize(
    ("text", "number", "says"),
    [
        ("\n", 1, "Expecting value"),
        ("[]\n", 1, "no object with an event"),
        (ROW, 1, "'checked' out of place"),
        (FIRST + FIRST, 2, "'run' out of place"),
        (FIRST + DONE + ROW, 3, "'checked' out of place"),
        (FIRST + ROW[:20] + "\n" + ROW, 2, "Expecting"),
        (FIRST + "\n", 2, "Expecting value"),
        (FIRST.replace('"format": 1', '"format": 2'), 1, "format 2, and this version reads format 1"),
        (FIRST.replace('"format": 1, ', ""), 1, "format None"),
        (FIRST.replace('"seed": 0', '"seed": "0"'), 1, "in seed: str, wanted int"),
        (FIRST.replace('"seed": 0', '"seed": true'), 1, "in seed: bool, wanted int"),
        (FIRST + ROW.replace('"case"', '"cases"'), 2, "a field 'cases', which a Row has not"),
        (FIRST + ROW.replace('"case": "c", ', ""), 2, "a Row without case"),
        (FIRST + ROW.replace('"cell"', '"case"'), 2, "a name twice in an object"),
        (FIRST + ROW.replace("[]", "{}"), 2, "in outcomes: dict, wanted list"),
        (FIRST + ROW.replace("true", "1"), 2, "in proven: int, wanted bool"),
        (FIRST + ROW.replace("[]", "[" * 100_000), 2, "recursion"),
        (FIRST + ROW.replace('"checked"', '"seen"'), 2, "'seen', which this version does not know"),
        (FIRST + DONE.replace("PASS", "FINE"), 2, "the status 'FINE'"),
        (FIRST + DONE.replace("[]", '[["a", "b"]]'), 2, "in notes: a list of 2, wanted one of 3"),
        (FIRST + DONE.replace("{}", '{"T=1": NaN}'), 2, "NaN, which is no JSON"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, number: int, says: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        read(text)
    assert caught.value.argument == f"line {number} of the text"
    assert says in caught.value.got


OUTCOME = '{"subject": "s", "status": "PASS", "ratio": 0.5, "resolution": 1e-15}'


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ('"ratio": "none"', "in outcomes: in ratio: 'none', wanted a number, or NaN, Infinity, -Infinity"),
        ('"ratio": 1' + "0" * 400, "in outcomes: in ratio: an integer too large for a number"),
        ('"ratio": null', "in outcomes: in ratio: None, wanted a number"),
    ],
)
def test_a_number_is_a_number(wrong: str, says: str) -> None:
    whole = FIRST + ROW.replace("[]", f"[{OUTCOME}]")
    assert read(whole).rows[0].outcomes == (Outcome("s", "PASS", 0.5, 1e-15),)
    with pytest.raises(ArgumentError) as caught:
        read(whole.replace('"ratio": 0.5', wrong))
    assert says in caught.value.got


def test_a_failure_whose_verdict_is_none_is_refused() -> None:
    failure = {"event": "failed", "subject": "s", "case": "c", "after": 1, "verdict": {}, "where": [], "diagnosis": {}}
    failure |= {"agreed": [], "again": "", "kept": "", "text": "", "picture": None}
    with pytest.raises(ArgumentError, match="a _Diagnosis without cases"):
        read(FIRST + json.dumps(failure) + "\n")
    failure["diagnosis"] = {"explanations": [], "signatures": [], "tried": 0, "cases": 0}
    with pytest.raises(ArgumentError, match="a verdict that is none: KeyError"):
        read(FIRST + json.dumps(failure) + "\n")


@pytest.mark.parametrize("text", ["", FIRST[:-20]])
def test_nothing_whole_is_no_run(text: str) -> None:
    with pytest.raises(ArgumentError, match="no whole line"):
        read(text)


def test_a_file_that_is_not_there_and_one_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="No such file"):
        read(tmp_path / "run.ndjson")
    (tmp_path / "run.ndjson").write_bytes(b"\xff\xfe\n")
    with pytest.raises(ArgumentError, match=r"line 1 of .*run\.ndjson.*utf-8"):
        read(tmp_path / "run.ndjson")


CASE = Case.parse("gru:T1B1I1H1:seed=3")
OTHER = Case.parse("gru:T2B1I1H1:dtype=float32:seed=4")


def verdict(name: str, status: Status, case: Case = CASE) -> Verdict:
    return Verdict(name, case, (TensorCheck("dx", status, (0, 0, 0), 0.25, -0.5, 2.0**-50, 7.0, 1e-9, 3, 4),), (), ())


def test_every_event_is_a_line_at_once() -> None:
    file = io.StringIO()
    subjects = (make(manual),)
    stream = Stream(file, "a command", 7, {"of": ("two", math.inf)})
    counts = [file.getvalue().count("\n")]
    for event in (
        Started(subjects, Settings(), 1),
        Checked(CASE, (verdict("a", Status.PASS), verdict("b", Status.INCONCLUSIVE))),
        Failed(verdict("b", Status.FAIL, OTHER), None),
        GroupDone(Tally("gru", "float64", 2, 1, 0, 1, 0.25, 1e-9, 1.5)),
        Ended(Report(("a",), (), (), True, {"T=1": 2, "T=2": 0}, {("a", "loud"): 2})),
        Started(subjects, Settings(), 1),  # a second campaign of the same subject
        Ended(Report(("a",), (), (), False, {"T=1": 1}, {("a", "loud"): 1, ("b", "odd"): 1})),
    ):
        stream(event)
        counts.append(file.getvalue().count("\n"))
    stream.close()
    assert counts == [1, 2, 3, 4, 5, 5, 5, 5]
    run = read(file.getvalue())
    assert (run.command, run.seed, run.settings) == ("a command", 7, {"of": ["two", "Infinity"]})
    assert list(run.versions)[:3] == ["python", "rnn-crosscheck", "numpy"]
    assert [tested.name for tested in run.subjects] == ["manual"]
    outcomes = (Outcome("a", "PASS", 7.0, 1e-9), Outcome("b", "INCONCLUSIVE", 7.0, 1e-9))
    assert run.rows == (Row("gru:T1B1I1H1:seed=3", "gru", "float64", False, outcomes),)
    (failure,) = run.failures
    assert (failure.subject, failure.case, failure.after) == ("b", "gru:T2B1I1H1:dtype=float32:seed=4", None)
    assert failure.text.startswith("FAIL  b   dx is wrong\n")
    assert failure.again == "crosscheck run b --case gru:T2B1I1H1:dtype=float32:seed=4"
    assert run.groups == (Group("gru", "float64", 2, 1, 0, 1, 0.25, 1e-9, 1.5),)
    assert run.covered == {"T=1": 3, "T=2": 0}
    assert run.notes == (("a", "loud", 3), ("b", "odd", 1))
    assert (run.status, run.stopped) == ("FAIL", True)
    assert read("".join(lines(run))) == run


def test_a_failure_is_drawn_if_there_is_a_subject() -> None:
    picture = Picture("a larger case", (Heat("dx", "input", "step", ((0.5, math.inf),)),))
    asked: list[object] = []

    def draw(subject: Subject, verdict: Verdict) -> Picture:
        asked.append((subject, verdict))
        return picture

    file, wrong = io.StringIO(), verdict("manual", Status.FAIL)
    stream = Stream(file, "", draw=draw)
    stream(Explained(make(manual), Failure(wrong, 1), "an-id"))
    stream(Explained(None, Failure(wrong)))
    assert asked == [(make(manual), wrong)]
    first, second = read(file.getvalue()).failures
    assert (first.picture, first.kept, first.after) == (picture, "an-id", 1)
    assert first.text.splitlines()[-2] == "  kept         crosscheck explain an-id"
    assert second.picture is None


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        ([], "INCONCLUSIVE"),
        ([Status.INCONCLUSIVE], "INCONCLUSIVE"),
        ([Status.INCONCLUSIVE, Status.PASS], "PASS"),
        ([Status.PASS, Status.FAIL], "FAIL"),
    ],
)
def test_how_a_run_ends(statuses: list[Status], status: str) -> None:
    file = io.StringIO()
    with Stream(file, "") as stream:
        for each in statuses:
            stream(Checked(CASE, (verdict("a", each),)))
    assert read(file.getvalue()).status == status


def test_a_run_that_is_left_by_an_exception_has_no_end() -> None:
    file = io.StringIO()
    stream = Stream(file, "")

    def interrupted() -> None:
        with stream:
            stream(Checked(CASE, (verdict("a", Status.PASS),)))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    run = read(file.getvalue())
    assert (run.status, len(run.rows)) == ("", 1)


@subject(cell="gru", dtype="float64")
def without_carry(case: Case) -> Mapping[str, Any]:
    results = {name: np.array(array) for name, array in manual(case).items()}
    return results | {"dh_0": 0 * results["dh_0"]}


def test_a_campaign_and_its_stream_say_the_same() -> None:
    file, subjects = io.StringIO(), [make(without_carry)]
    rows: list[str] = []

    def note(event: object) -> None:
        if isinstance(event, Checked):
            rows.append(str(event.case))

    with Stream(file, "code", 5) as stream:
        report = check(*subjects, max_examples=4, seed=5, listen=explaining(subjects, several(note, stream)))
    run = read(file.getvalue())
    assert [row.case for row in run.rows] == rows
    assert [(shown.subject, shown.case) for shown in run.failures] == [
        ("without_carry", str(report.failures[0].case)),
    ]
    (shown,) = run.failures
    assert shown.where[0].endswith("dh_0")
    assert shown.diagnosis["explanations"][0]["mistakes"][0]["name"] == "state.initial-gradient-zero"
    assert shown.agreed[1:] == ("torch autograd", "complex step")
    assert [group.cases for group in run.groups] == [tally.cases for tally in report.tallies]
    assert (run.status, run.covered) == (report.status.value, report.covered)
    assert (run.subjects[0].file, run.subjects[0].line) != ("", 0)


KILLED = """\
import sys, time
from crosscheck import check, subject
from crosscheck.report.stream import Stream
from crosscheck.subjects.manual import manual


@subject(cell="rnn_tanh")
def slow(case):
    time.sleep(0.01)
    return manual(case)


with open("run.ndjson", "w") as file, Stream(file, "code") as stream:
    check(slow, max_examples=100_000, listen=stream)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal")
def test_a_run_that_is_killed_leaves_what_there_was(tmp_path: Path) -> None:
    (tmp_path / "killed.py").write_text(KILLED)
    process = subprocess.Popen([sys.executable, "killed.py"], cwd=tmp_path)
    file = tmp_path / "run.ndjson"
    while not file.exists() or file.read_bytes().count(b"\n") < 5:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    run = read(file)
    assert run.status == ""
    assert len(run.rows) >= 3
    assert f'"format": {FORMAT}' in file.read_text().partition("\n")[0]
