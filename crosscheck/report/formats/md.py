"""Markdown for the page of a job: the outcome first, the sums, and each failure behind its headline."""

from __future__ import annotations

import re
from collections.abc import Sequence

from crosscheck.report.digest import clean, one_line, outcome, sums, wrong
from crosscheck.report.run import Run, Shown
from crosscheck.report.text import count

FILE = "summary.md"
MOST = 2**19
"""Characters that the failures may have together: GitHub shows no page of more than a MiB."""
SIGNS = {"PASS": "&#9989;", "FAIL": "&#10060;", "INCONCLUSIVE": "&#9888;&#65039;", "INTERRUPTED": "&#9940;"}
COLUMNS = ("cell", "dtype", "cases", "proven", "inconclusive", "failed", "error/bound", "resolution", "seconds")


def render(run: Run) -> str:
    """Return a run as Markdown."""
    status, text = outcome(run)
    parts = [f"## {SIGNS[status]} {status}: {text}", _about(run), _table(run)]
    shown: list[str] = []
    for failure in run.failures:
        part = _failure(failure)
        if sum(map(len, shown)) + len(part) > MOST:
            shown.append(f"{count(len(run.failures) - len(shown), 'more failure')}, for which there is no room here.")
            break
        shown.append(part)
    notes = [f"- {literal(name)}: {literal(text)} ({count(cases, 'case')})" for name, text, cases in run.notes]
    notes += [f"- {literal(tested.name)}: {literal(note)}" for tested in run.subjects for note in tested.notes]
    if notes:
        shown.append("\n".join(["### Notes", "", *notes]))
    return "\n\n".join(filter(None, [*parts, *shown])) + "\n"


def literal(text: str) -> str:
    """Return a text, on one line, that stands in Markdown, also in a table, for nothing but itself."""
    line = one_line(text)
    if line and not re.search(r"[`|\\]", line):
        return f"`{line}`"
    return re.sub(r"[^\w\s,;=/-]", lambda found: f"&#{ord(found[0])};", line).replace("_", "&#95;")


def fenced(text: str, language: str = "") -> str:
    """Return a text as a block that shows it as it is, whatever is in it."""
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 3)
    return f"{fence}{language}\n{clean(text)}\n{fence}"


def _about(run: Run) -> str:
    named = ", ".join(literal(tested.name) for tested in run.subjects)
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    parts = [
        named,
        f"seed {run.seed}",
        literal(run.command) if run.command else "",
        literal(run.date),
        literal(versions),
    ]
    return " · ".join(filter(None, parts))


def _table(run: Run) -> str:
    groups = sums(run)
    if not groups:
        return ""
    rows = [COLUMNS, ("---", "---", *("--:",) * (len(COLUMNS) - 2))]
    for group in groups:
        counts = map(str, (group.cases, group.proven, group.inconclusive, group.failed))
        measures = (f"{group.ratio:.3f}", f"{group.resolution:.2g}", f"{group.seconds:.1f}")
        rows.append((literal(group.cell), literal(group.dtype), *counts, *measures))
    return "\n".join(map(_row, rows))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _failure(shown: Shown) -> str:
    head = re.sub(r"[^\w\s.,;:=/-]", lambda found: f"&#{ord(found[0])};", one_line(f"{shown.subject}: {wrong(shown)}"))
    text, again = fenced(shown.text, "text"), fenced(shown.again, "sh")
    return f"<details>\n<summary>{head}</summary>\n\n{text}\n\n{again}\n\n</details>"
