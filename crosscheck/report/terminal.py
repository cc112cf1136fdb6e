"""What a person at a terminal reads: progress while a campaign runs, each failure, and a table at the end."""

from __future__ import annotations

import math
import shlex
from collections import deque
from collections.abc import Mapping, Sequence
from operator import itemgetter

from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from crosscheck.adapters import ADAPTERS, CONVENTIONS, says, words
from crosscheck.campaign import Checked, Event, Explained, Failing, GroupDone, Report, Started
from crosscheck.features import Feature
from crosscheck.report.failure import failed
from crosscheck.report.text import (
    STYLES,
    aligned,
    count,
    finding_lines,
    line,
    note_lines,
    number,
    telling_digits,
    tensors,
    wrapped,
)
from crosscheck.search import Found, PropertyVerdict
from crosscheck.selfcheck import SelfVerdict
from crosscheck.verdict import Status, Verdict

RARE = 5
"""Regimes of fewer cases than this are named at the end of a campaign."""
NAMED = 12
"""So many at the most."""
GROUP_WIDTH = 29


class Terminal:
    """A listener that shows a campaign as it goes: a bar on a terminal, a line a group elsewhere.

    Failures are shown when they are explained; see `crosscheck.failure.explaining`.

    Args:
        console: where to write.
        verbose: whether to print the line of every case.
    """

    def __init__(self, console: Console, verbose: bool = False) -> None:
        self.console, self.verbose = console, verbose
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self.task = self.progress.add_task("", start=False)

    def __enter__(self) -> Terminal:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def __call__(self, event: Event) -> None:
        """Show an event."""
        match event:
            case Started(subjects, settings, groups):
                names = ", ".join(subject.name for subject in subjects)
                self.console.print(f"checking {names}   seed {settings.seed}", highlight=False, soft_wrap=True)
                for subject in subjects:
                    for note in subject.notes:
                        self.console.print(line("note", note), soft_wrap=True)
                self.progress.update(self.task, total=groups * settings.max_examples)
                self.progress.start_task(self.task)
            case Checked(case, verdicts):
                self.progress.update(self.task, advance=1, description=f"{case.spec.cell} {case.dtype}")
                if self.verbose:
                    text = f"{case}  " + "  ".join(f"{v.subject} {v.status.value}" for v in verdicts)
                    self.console.print(text, highlight=False, soft_wrap=True)
            case Failing(verdict):
                self.console.print(
                    f"{verdict.subject} fails on {verdict.case}; looking for a smaller case", soft_wrap=True
                )
            case Explained(_, failure, kept):
                self.console.print(failed(failure, kept), soft_wrap=True)
            case GroupDone(tally) if not self.console.is_terminal:
                counts = f"{tally.cases} cases, {tally.failed} failed, {tally.inconclusive} inconclusive"
                self.console.print(f"{tally.cell} {tally.dtype}: {counts}, {tally.seconds:.1f} s", highlight=False)


class CaseByCase:
    """A listener that shows every verdict on given cases, in order.

    Args:
        console: where to write.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.waiting: deque[Verdict] = deque()

    def __call__(self, event: Event) -> None:
        """Show the verdicts up to the next failure, which is shown when it is explained."""
        match event:
            case Checked(_, verdicts):
                self.waiting.extend(verdicts)
            case Explained(_, failure, kept):
                self.waiting.popleft()
                self.console.print(failed(failure, kept), soft_wrap=True)
        while self.waiting and self.waiting[0].status is not Status.FAIL:
            self.console.print(passed(self.waiting.popleft()), soft_wrap=True)


def summary(report: Report) -> RenderableType:
    """Return the table of a campaign: a row a group."""
    table = Table(box=None, pad_edge=False, padding=(0, 0, 0, 1), header_style="bold")  # 80 columns wide
    table.add_column("cell")
    table.add_column("dtype")
    for column in ("cases", "proven", "inconclusive", "failed", "error/bound", "resolution", "time"):
        table.add_column(column, justify="right")
    for tally in report.tallies:
        counts = map(str, (tally.cases, tally.proven, tally.inconclusive, tally.failed))
        measures = (f"{tally.ratio:.3f}", number(tally.resolution, 2), f"{tally.seconds:.1f}")
        table.add_row(tally.cell, tally.dtype, *counts, *measures)
    return Group("", table, "")


def coverage(covered: Mapping[str, int], verbose: bool = False) -> RenderableType:
    """Return how many regimes a campaign's cases had, and which were rare or missing.

    Args:
        covered: how many cases had each; see `Report.covered`.
        verbose: whether to name all.
    """
    seen = sum(count > 0 for count in covered.values())
    lines = [Text(f"covered {seen} of {len(covered)} regimes")]
    rare = [(name, count) for name, count in covered.items() if 0 < count < RARE]
    missing = [name for name, count in covered.items() if count == 0]
    if verbose:
        lines += [line(name, f"{count:,}", GROUP_WIDTH) for name, count in covered.items()]
    else:
        lines += wrapped("rare", _first([f"{name} {cases}" for name, cases in sorted(rare, key=itemgetter(1))]))
        lines += wrapped("missing", _first(missing))
    return Group(*lines, "")


def notes(noted: Mapping[tuple[str, str], int]) -> RenderableType:
    """Return what was noted of subjects and is no fault, and in how many cases; see `Report.notes`."""
    lines = [Text(f"note  {name}: {text} ({count(cases, 'case')})") for (name, text), cases in noted.items()]
    return Group(*lines, "")


def regime_table(groups: Mapping[str, Mapping[str, Feature]]) -> RenderableType:
    """Return what a case may show, by name: a row a regime, in groups."""
    parts: list[RenderableType] = []
    for group, features in groups.items():
        parts += [Text(group, "bold"), *(line(name, feature.shows, GROUP_WIDTH) for name, feature in features.items())]
    return Group(*parts)


def adapter_table() -> RenderableType:
    """Return what people have that a subject can be made of: an adapter a row, and then the conventions."""
    rows = [line(adapter, says(adapter), GROUP_WIDTH) for adapter in ADAPTERS]
    conventions = [line(f"{name}={values}", text, GROUP_WIDTH) for name, values, text in CONVENTIONS]
    return Group(Text("--as", "bold"), *rows, Text("--set", "bold"), *conventions)


def matrix(names: Sequence[str], rows: Sequence[tuple[str, ...]]) -> RenderableType:
    """Return the matrix of specs: a row an option, and a column each of those named."""
    return aligned((("option", "values", *names), *rows))


def outcome(report: Report) -> Text:
    """Return the one line that says how a campaign ended."""
    text = (
        f"{count(report.cases, 'case')}, {count(len(report.failures), 'failure')}, {report.inconclusive} inconclusive"
    )
    if report.stopped:
        text += "; stopped when the time was up"
    return Text.assemble((report.status.value, STYLES[report.status]), f"  {text}")


def passed(verdict: Verdict) -> RenderableType:
    """Return what there is to say about a case that did not fail: every tensor with its numbers."""
    head = Text.assemble((verdict.status.value, STYLES[verdict.status]), f"  {verdict.subject}")
    parts: list[RenderableType] = [Text(""), head, line("case", str(verdict.case))]
    parts.append(tensors(verdict.checks))
    if verdict.not_checked:
        parts.append(line("not checked", ", ".join(verdict.not_checked)))
    if verdict.evidence:
        parts.append(line("judged by", "; ".join(verdict.evidence)))
    parts += [part for note in verdict.notes for part in note_lines(note)]
    return Group(*parts, "")


def self_failure(name: str, verdict: SelfVerdict) -> RenderableType:
    """Return all that is known of a pair's failure against itself, ending with the command that shows it again."""
    wrong = ", ".join(check.name for check in verdict.checks if check.status is Status.FAIL)
    head = Text.assemble(("FAIL", STYLES[Status.FAIL]), f"  {name}   {verdict.problem or f'{wrong} wrong'}")
    rows = [("along v", "backward", "forward", "resolution", "")]
    for check in verdict.checks:
        digits = telling_digits(check.got, check.want)
        numbers = (number(check.got, digits), number(check.want, digits), number(check.resolution, 2))
        rows.append((check.name, *numbers, check.status.value.lower()))
    parts: list[RenderableType] = [Text(""), head, line("case", str(verdict)), line("method", verdict.method)]
    if verdict.checks:
        parts.append(aligned(rows))
    parts.append(line("again", f"crosscheck run --self {shlex.quote(name)} --case {shlex.quote(str(verdict))}"))
    return Group(*parts, "")


def self_summary(name: str, seen: Sequence[SelfVerdict], failing: SelfVerdict | None) -> RenderableType:
    """Return how a pair did against itself: how many points, by which methods, and the worst resolution."""
    methods = dict.fromkeys(verdict.method for verdict in seen)
    resolution = max((c.resolution for v in seen for c in v.checks if c.status is Status.PASS), default=math.inf)
    passes = sum(verdict.status is Status.PASS for verdict in seen)
    status = Status.FAIL if failing else Status.PASS if passes else Status.INCONCLUSIVE
    head = Text.assemble((status.value, STYLES[status]), f"  {name}   {count(len(seen), 'case')}, {passes} passed")
    lines = [line("method", method) for method in methods]
    return Group(head, *lines, line("resolution", number(resolution, 2)))


def property_failure(option: str, verdict: PropertyVerdict) -> RenderableType:
    """Return all that is known of a property that a case shows broken, ending with the command that shows it again."""
    wrong = [check for check in verdict.checks if check.status is Status.FAIL]
    what = dict.fromkeys([check.name.split()[0] for check in wrong] or [finding.kind for finding in verdict.findings])
    head = Text.assemble(("FAIL", STYLES[Status.FAIL]), f"  {verdict.subject}   {verdict.name}: {', '.join(what)}")
    parts: list[RenderableType] = [Text(""), head, line("case", str(verdict.case)), line("should be", verdict.says)]
    parts += [part for finding in verdict.findings for part in finding_lines(finding)]
    if wrong:
        parts.append(tensors(wrong))
    again = f"crosscheck run {words(verdict.subject)} --{option} --case {shlex.quote(str(verdict.case))}"
    return Group(*parts, line("again", again))


def property_summary(option: str, found: Found) -> RenderableType:
    """Return a search's failures, a table of what came to what, a row a property, and a line with the outcome."""
    table = Table(box=None, pad_edge=False, padding=(0, 0, 0, 2), header_style="bold")
    table.add_column(option.replace("-", " "))
    for head in ("passed", "failed", "inconclusive", "not applicable"):
        table.add_column(head, justify="right")
    for name, counts in found.counts.items():
        columns = (Status.PASS, Status.FAIL, Status.INCONCLUSIVE, Status.NOT_APPLICABLE)
        table.add_row(name, *(str(counts.get(status, 0)) for status in columns))
    text = f"  {found.subject}   {count(found.cases, 'case')}, {count(len(found.failures), 'failure')}"
    failures = [property_failure(option, verdict) for verdict in found.failures]
    return Group(*failures, "", table, "", Text.assemble((found.status.value, STYLES[found.status]), text))


def _first(names: Sequence[str]) -> list[str]:
    """Return the first few of some names, and how many more there are."""
    more = [f"{len(names) - NAMED} more, see -v"] if len(names) > NAMED else []
    return [*names[:NAMED], *more]
