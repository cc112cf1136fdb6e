"""Workflow commands of GitHub Actions: an annotation on the line where a subject that fails is defined."""

from __future__ import annotations

from collections import Counter

from crosscheck.report.digest import because, clean, one_line, outcome, subject_of, wrong
from crosscheck.report.run import Run, Shown
from crosscheck.report.text import count

FILE = ""
MOST = 10
"""So many of a level does GitHub show for a step; it says nothing of those that it leaves out."""


def render(run: Run) -> str:
    """Return a run's annotations, a line each: an error for a failure, a warning for a subject with blind checks."""
    errors = [_of_failure(run, shown) for shown in run.failures]
    if not run.status:
        text = f"the run did not come to its end: {outcome(run)[1]}"
        errors.insert(0, _command("error", run, "", "crosscheck", text))
    blind = Counter(o.subject for row in run.rows for o in row.outcomes if o.status == "INCONCLUSIVE")
    warnings = [_of_blind(run, name, cases) for name, cases in blind.items()]
    return "\n".join([*_first(errors, "failures"), *_first(warnings, "subjects with inconclusive cases")])


def _of_failure(run: Run, shown: Shown) -> str:
    lines = [
        f"case {shown.case}",
        *shown.where,
        *filter(None, [because(shown)]),
        f"again: {one_line(shown.again)}",
        *([f"kept: crosscheck explain {shown.kept}"] if shown.kept else []),
    ]
    return _command("error", run, shown.subject, f"{shown.subject}: {wrong(shown)}", "\n".join(lines))


def _of_blind(run: Run, name: str, cases: int) -> str:
    text = f"{count(cases, 'case')} of {len(run.rows):,} could not have shown a fault"
    return _command("warning", run, name, f"{name}: inconclusive", text)


def _command(level: str, run: Run, name: str, title: str, text: str) -> str:
    tested = subject_of(run, name)
    place = {"file": tested.file, "line": str(tested.line)} if tested.file else {}
    properties = ",".join(f"{key}={_property(value)}" for key, value in (place | {"title": title}).items())
    return f"::{level} {properties}::{_data(text)}"


def _first(commands: list[str], what: str) -> list[str]:
    """Return as many commands as GitHub shows, the last of which says how many more there are."""
    if len(commands) <= MOST:
        return commands
    more = _data(f"\n\nand {len(commands) - MOST:,} more {what}")
    return [*commands[: MOST - 1], commands[MOST - 1] + more]


def _data(text: str) -> str:
    """Return a text as the message of a command."""
    return clean(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Return a text as a property of a command, on one line."""
    return _data(one_line(text)).replace(":", "%3A").replace(",", "%2C")
