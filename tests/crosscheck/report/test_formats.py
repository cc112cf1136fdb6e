"""The reports on a run: what each says of it, and that no text in a run can say anything else."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from crosscheck import ArgumentError
from crosscheck.campaign import Tally
from crosscheck.report.digest import clean, one_line, sums
from crosscheck.report.formats import formats, github, junit, md, names, ndjson
from crosscheck.report.run import Group, Outcome, Row, Run, Shown
from crosscheck.report.run import Tested as Line  # a name that pytest takes for no test
from crosscheck.report.stream import read

ATTACKS = [
    "<b>&amp;]]></failure><testcase name='x'/>",
    "a\n::error::b",
    "%0A::set-output name=x::y, a: b",
    "| x | `y` |\n# z",
    "```\n</details>\n<script>",
    "</summary><img src=x onerror=y>",
    "[link](http://example.org) ![](x) *a* _b_",
    "\x1b[31mred\x00\ud800\u202e\ufffe",
    "   ",
    "\\`|\\",
    "\r\n\u2028\u0085::warning::c",
]
TEXT = st.sampled_from(ATTACKS) | st.text(max_size=12)


def checked(name: str, status: str) -> dict[str, Any]:
    numbers = {"got": 0.25, "want": "NaN", "bound": 1e-15, "ratio": 2.5, "resolution": 1e-9}
    return {"name": name, "status": status, "index": [0], "wrong": 3, "size": 4, **numbers}


def failure(subject: str, case: str = "gru:T1B1I1H1:seed=3", text: str = "all that is known", **more: Any) -> Shown:
    """A failure of two tensors that a known mistake explains."""
    verdict = {
        "status": "FAIL",
        "tensors": [checked("y", "PASS"), checked("dx", "FAIL"), checked("dh_0", "FAIL")],
        "findings": [{"kind": "wrote into input", "name": "x", "text": "it did", "details": ""}],
        "not_checked": [],
        "proof": None,
        "evidence": [],
        "notes": [],
    }
    mistake = {"name": "a.mistake", "says": "the carry is dropped", "right": "dh_next", "wrong": "0"}
    explanations = [{"mistakes": [mistake], "ulps": 0.0, "cases": 3}]
    diagnosis = {"explanations": explanations, "signatures": [], "tried": 9, "cases": 3}
    again = f"crosscheck run {subject} --case {case}"
    shown = Shown(subject, case, 2, verdict, ("right within a step",), diagnosis, ("torch",), again, "an-id", text)
    return replace(shown, **more)


def row(case: str, cell: str, dtype: str, **statuses: str) -> Row:
    return Row(case, cell, dtype, True, tuple(Outcome(name, status, 0.5, 1e-15) for name, status in statuses.items()))


RUN = Run(
    "2026-01-02T03:04:05+00:00",
    {"python": "3.11.7", "numpy": "2.4"},
    "crosscheck run a.py:mine other",
    7,
    {"max_examples": 3},
    (Line("a.py:mine", "src/a.py", 12, ("the loss is not asked",)), Line("other")),
    (
        row("gru:T1B1I1H1:seed=1", "gru", "float64", **{"a.py:mine": "PASS", "other": "INCONCLUSIVE"}),
        row("gru:T1B1I1H1:seed=2", "gru", "float64", **{"a.py:mine": "FAIL", "other": "PASS"}),
        row("lstm:T1B1I1H1:dtype=float32:seed=2", "lstm", "float32", other="INCONCLUSIVE"),
    ),
    (failure("a.py:mine"),),
    (Group("gru", "float64", 2, 2, 1, 1, 0.5, 1e-15, 1.25), Group("lstm", "float32", 1, 1, 1, 0, 0.5, 0.0, 0.5)),
    {"T=1": 3},
    (("other", "it printed", 2),),
    "FAIL",
)
KILLED = replace(RUN, groups=RUN.groups[:1], failures=(), rows=RUN.rows[:1], status="", notes=(), covered={})


def test_the_formats_are_the_files() -> None:
    assert {"github", "junit", "md", "ndjson"} <= set(names())
    assert list(formats(["junit,md", "github", "md"])) == ["junit", "md", "github"]
    assert (junit.FILE, md.FILE, github.FILE, ndjson.FILE) == ("junit.xml", "summary.md", "", "run.ndjson")


@pytest.mark.parametrize("name", ["pdf", "", "junit,", "_x", "../formats/md", "__init__"])
def test_another_format_is_refused(name: str) -> None:
    with pytest.raises(ArgumentError, match=r"report: got .*, wanted some of github, "):
        formats([name])


def test_the_sums_are_those_of_the_groups() -> None:
    assert sums(RUN) == RUN.groups
    tally = Tally("gru", "float64", 2, 2, 1, 1, 0.5, 1e-15, 1.25)
    assert Group(**vars(tally)) == RUN.groups[0]


def test_a_group_that_was_not_finished_has_its_sums() -> None:
    assert sums(replace(RUN, groups=())) == tuple(replace(group, seconds=0.0) for group in RUN.groups)
    assert sums(replace(RUN, rows=())) == RUN.groups
    twice = replace(RUN, rows=RUN.rows * 2, groups=RUN.groups * 2)  # as of two campaigns
    assert [(group.cases, group.seconds) for group in sums(twice)] == [(4, 2.5), (2, 1.0)]


def test_ndjson_is_the_stream() -> None:
    assert read(ndjson.render(RUN)) == RUN


# JUnit

SCHEMA = {
    "testsuites": ({"name", "time", "tests", "failures", "disabled", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "time", "skipped", "timestamp", "hostname", "id", "package", "file"},
        {"properties", "testcase", "system-out", "system-err"},
    ),
    "properties": (set(), {"property"}),
    "property": ({"name", "value"}, set()),
    "testcase": (
        {"name", "classname", "time", "status", "file", "line", "assertions", "group"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "failure": ({"message", "type"}, set()),
    "error": ({"message", "type"}, set()),
    "skipped": ({"message", "type"}, set()),
    "system-out": (set(), set()),
}
"""What the schema of Jenkins' xUnit plugin, the common one, lets an element have: attributes and elements."""
NEEDED = {"testsuite": {"name", "tests"}, "property": {"name", "value"}, "testcase": {"name"}}


def parsed(text: str) -> ET.Element:
    """Return a report, which has to be valid."""
    root = ET.fromstring(text.encode())
    assert root.tag == "testsuites"
    for element in root.iter():
        attributes, children = SCHEMA[element.tag]
        assert NEEDED.get(element.tag, set()) <= element.attrib.keys() <= attributes
        assert {child.tag for child in element} <= children
    for suite in root:
        assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))
        assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
        assert int(suite.attrib["errors"]) == len(suite.findall("testcase/error"))
        assert int(suite.attrib["skipped"]) == len(suite.findall("testcase/skipped"))
    assert int(root.attrib["tests"]) == len(root.findall("testsuite/testcase"))
    return root


def test_junit() -> None:
    root = parsed(junit.render(RUN))
    assert root.attrib == {"name": "crosscheck", "tests": "3", "failures": "1", "errors": "0"}
    gru, lstm = root
    assert gru.attrib == {
        "name": "gru float64",
        "timestamp": "2026-01-02T03:04:05+00:00",
        "time": "1.250",
        "tests": "2",
        "failures": "1",
        "errors": "0",
        "skipped": "0",
    }
    assert [(p.attrib["name"], p.attrib["value"]) for p in gru.findall("properties/property")] == [
        ("command", "crosscheck run a.py:mine other"),
        ("seed", "7"),
        ("python", "3.11.7"),
        ("numpy", "2.4"),
        ("setting max_examples", "3"),
        ("case", "gru:T1B1I1H1:seed=3"),
    ]
    mine, other = gru.findall("testcase")
    assert mine.attrib == {
        "classname": "crosscheck.gru.float64",
        "name": "a.py:mine",
        "file": "src/a.py",
        "line": "12",
    }
    (failed,) = mine
    assert (failed.tag, failed.text) == ("failure", "all that is known")
    assert failed.attrib["message"] == "dx, dh_0 are wrong; wrote into input on gru:T1B1I1H1:seed=3"
    assert other.attrib == {"classname": "crosscheck.gru.float64", "name": "other"}
    assert [(part.tag, part.text) for part in other] == [("system-out", "1 of 2 cases inconclusive")]
    (blind,) = lstm.findall("testcase")
    (skipped,) = blind
    assert (skipped.tag, skipped.attrib["message"]) == (
        "skipped",
        "inconclusive: none of 1 case could have shown a fault",
    )


def test_junit_of_a_run_that_was_killed_is_no_success() -> None:
    *_, last = parsed(junit.render(KILLED))
    (error,) = last.findall("testcase/error")
    assert error.attrib["message"] == "the run did not come to its end: 1 case, 0 failures, 1 inconclusive"


def test_junit_of_a_run_without_a_case_is_no_success() -> None:
    nothing = replace(RUN, rows=(), groups=(), failures=(), status="INCONCLUSIVE")
    (suite,) = parsed(junit.render(nothing))
    (skipped,) = suite.findall("testcase/skipped")
    assert skipped.attrib["message"] == "nothing was checked"


def test_junit_has_one_failure_a_test() -> None:
    both = (failure("a.py:mine", text="one"), failure("a.py:mine", text="two"))
    (failed,) = parsed(junit.render(replace(RUN, failures=both))).findall("testsuite/testcase/failure")
    assert failed.text == "one\n\ntwo"
    assert failed.attrib["message"].endswith("on gru:T1B1I1H1:seed=3; and 1 failure more")


def test_junit_has_a_failure_without_its_case_too() -> None:
    odd = failure("definition", "lstm_other:T1B1I1H1:seed=1")
    root = parsed(junit.render(replace(RUN, failures=(odd,))))
    (failed,) = root.findall("testsuite[@name='lstm_other float64']/testcase/failure")
    assert failed.text == "all that is known"


# Markdown


def blocks(text: str) -> list[tuple[str, str]]:
    """Return what a text is made of, as a reader of Markdown sees it."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    return [(token.type, token.content) for token in tokens if token.type in ("heading_open", "fence", "html_block")]


def test_md() -> None:
    assert md.render(RUN) == (
        """\
## &#10060; FAIL: 3 cases, 1 failure, 2 inconclusive

`a.py:mine`, `other` · seed 7 · `crosscheck run a.py:mine other` · `2026-01-02T03:04:05+00:00` · `python 3.11.7, numpy 2.4`

| cell | dtype | cases | proven | inconclusive | failed | error/bound | resolution | seconds |
| --- | --- | --: | --: | --: | --: | --: | --: | --: |
| `gru` | `float64` | 2 | 2 | 1 | 1 | 0.500 | 1e-15 | 1.2 |
| `lstm` | `float32` | 1 | 1 | 1 | 0 | 0.500 | 0 | 0.5 |

<details>
<summary>a.py:mine: dx, dh_0 are wrong; wrote into input</summary>

```text
all that is known
```

```sh
crosscheck run a.py:mine --case gru:T1B1I1H1:seed=3
```

</details>

### Notes

- `other`: `it printed` (2 cases)
- `a.py:mine`: `the loss is not asked`
"""  # noqa: E501
    )


def test_md_says_first_that_a_run_was_killed() -> None:
    assert md.render(KILLED).startswith("## &#9940; INTERRUPTED: 1 case, 0 failures, 1 inconclusive\n")
    stopped = replace(RUN, status="PASS", failures=(), stopped=True)
    first = "## &#9989; PASS: 3 cases, 0 failures, 2 inconclusive; stopped when the time was up\n"
    assert md.render(stopped).startswith(first)


def test_md_fits_on_the_page_of_a_job() -> None:
    long = tuple(failure("mine", text="x" * 10_000) for _ in range(200))
    text = md.render(replace(RUN, failures=long))
    shown = text.count("<details>")
    assert len(text.encode()) < 2**20
    assert 0 < shown < 200
    assert f"\n{200 - shown} more failures, for which there is no room here.\n" in text


@pytest.mark.parametrize("text", ["`", "``` ` ````", "a\n```\nb", "`````"])
def test_a_block_shows_what_is_in_it(text: str) -> None:
    assert blocks(f"{md.fenced(text, 'text')}\n\n# after") == [("fence", f"{text}\n"), ("heading_open", "")]


# GitHub

COMMAND = re.compile(r"::(error|warning) ([^:\n]*)::([^\n]*)")


def decoded(text: str) -> str:
    for code, character in (("%0A", "\n"), ("%0D", "\r"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Return the level, the properties and the message of each command, as a runner of GitHub reads them."""
    found = []
    for line in text.splitlines():
        match = COMMAND.fullmatch(line)
        assert match is not None, line
        level, properties, message = match.groups()
        pairs = (each.split("=", 1) for each in properties.split(","))
        found.append((level, {name: decoded(value) for name, value in pairs}, decoded(message)))
    return found


def test_github() -> None:
    text = github.render(RUN)
    assert text.splitlines()[0] == (
        "::error file=src/a.py,line=12,title=a.py%3Amine%3A dx%2C dh_0 are wrong; wrote into input::"
        "case gru:T1B1I1H1:seed=3%0Aright within a step%0Athe carry is dropped%0A"
        "again: crosscheck run a.py:mine --case gru:T1B1I1H1:seed=3%0Akept: crosscheck explain an-id"
    )
    assert commands(text)[1:] == [
        ("warning", {"title": "other: inconclusive"}, "2 cases of 3 could not have shown a fault")
    ]


def test_github_says_that_a_run_was_killed() -> None:
    (error, _) = commands(github.render(KILLED))
    assert error == (
        "error",
        {"title": "crosscheck"},
        "the run did not come to its end: 1 case, 0 failures, 1 inconclusive",
    )


def test_github_shows_ten_and_the_last_says_how_many_there_are() -> None:
    many = tuple(failure(f"f{k}") for k in range(13))
    errors = [each for each in commands(github.render(replace(RUN, failures=many))) if each[0] == "error"]
    assert [properties["title"].partition(":")[0] for _, properties, _ in errors] == [f"f{k}" for k in range(10)]
    assert errors[9][2].endswith("\n\nand 3 more failures")
    assert "more failures" not in errors[8][2]
    ten = [each for each in commands(github.render(replace(RUN, failures=many[:10]))) if each[0] == "error"]
    assert "more failures" not in ten[9][2]


def test_nothing_to_say_is_nothing() -> None:
    passed = replace(RUN, rows=(), failures=(), status="PASS")
    assert github.render(passed) == ""


# whatever is in a run


def hostile(texts: Iterable[str]) -> Run:
    name, file, case, dtype, said, command = texts
    shown = failure(name, f"gru:{case}", text=said, again=command, where=(said,), kept=case)
    shown.verdict["tensors"][1]["name"] = case
    blind = Row(case, "gru", dtype, False, (Outcome(name, "INCONCLUSIVE", 0.5, 1e-15),))
    tested = Line(name, file, 3, (said,))
    told: dict[str, Any] = {"command": command, "date": said, "versions": {name: case}, "settings": {case: [name]}}
    return replace(RUN, **told, subjects=(tested,), rows=(blind,), failures=(shown,), notes=((name, said, 2),))


RUNS = st.lists(TEXT, min_size=6, max_size=6).map(hostile)


@given(RUNS)
def test_no_text_breaks_junit(run: Run) -> None:
    root = parsed(junit.render(run))
    tests = root.findall("testsuite/testcase")
    assert {test.attrib["name"] for test in tests} == {one_line(run.subjects[0].name)}
    (failed,) = root.findall("testsuite/testcase/failure")
    assert (failed.text or "").strip("\n") == clean(run.failures[0].text).strip("\n")
    assert root.find("testsuite/properties/property[@name='command']").attrib["value"] == one_line(run.command)  # type: ignore[union-attr]


@given(RUNS)
def test_no_text_breaks_github(run: Run) -> None:
    error, warning = commands(github.render(run))
    shown, tested = run.failures[0], run.subjects[0]
    place = {"file": one_line(tested.file), "line": "3"} if tested.file else {}
    names = shown.verdict["tensors"][1]["name"]
    title = one_line(f"{shown.subject}: {names}, dh_0 are wrong; wrote into input")
    assert error[:2] == ("error", place | {"title": title})
    assert error[2].startswith(clean(f"case {shown.case}\n{shown.where[0]}\n"))
    assert warning == ("warning", place | {"title": one_line(f"{tested.name}: inconclusive")}, warning[2])


@given(RUNS)
def test_no_text_breaks_md(run: Run) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(md.render(run))
    kinds = [token.type for token in tokens]
    assert (kinds.count("heading_open"), kinds.count("table_open"), kinds.count("fence")) == (2, 1, 2)
    assert {kind for kind in kinds if kind.startswith(("blockquote", "hr", "code_block"))} == set()
    shown = run.failures[0]
    assert [token.content for token in tokens if token.type == "fence"] == [
        f"{clean(text)}\n" for text in (shown.text, shown.again)
    ]
    opened, closed = (token.content for token in tokens if token.type == "html_block")
    summary = re.fullmatch("<details>\n<summary>([^<>\n]*)</summary>\n", opened)
    assert summary is not None
    names = shown.verdict["tensors"][1]["name"]
    assert html.unescape(summary[1]) == one_line(f"{shown.subject}: {names}, dh_0 are wrong; wrote into input")
    assert closed == "</details>\n"
    inner = {child.type for token in tokens for child in token.children or ()}
    assert inner <= {"text", "text_special", "code_inline", "softbreak"}


@given(TEXT)
def test_a_literal_is_only_itself(text: str) -> None:
    (paragraph,) = [
        token for token in MarkdownIt("commonmark").parse(f"a {md.literal(text)} b") if token.type == "inline"
    ]
    seen = "".join(child.content for child in paragraph.children or ())
    assert seen == f"a {one_line(text)} b"
    assert "|" not in md.literal(text)
