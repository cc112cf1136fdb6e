"""Pieces of text that the renderers for a terminal share: a labelled line, a table, a number."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence

from rich.console import RenderableType
from rich.text import Text

from crosscheck.implementation import Finding
from crosscheck.verdict import Status, TensorCheck

WIDTH = 80
STYLES = {Status.PASS: "green", Status.FAIL: "bold red", Status.INCONCLUSIVE: "yellow", Status.NOT_APPLICABLE: "dim"}


def number(value: float, digits: int) -> str:
    """Return a number with so many significant digits, and without an exponent where that is shorter."""
    return f"{value:.{digits}g}"


def count(number: int, noun: str) -> str:
    """Return a number and a noun, in the plural but for one."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def line(label: str, text: str, width: int = 13) -> Text:
    """Return a line that a label begins."""
    return Text(f"  {label:<{width}}{text}")


def wrapped(label: str, words: Sequence[str], between: str = "; ") -> list[Text]:
    """Return words after a label, in as many lines as they need; no line if there are none."""
    lines = textwrap.wrap(between.join(words), WIDTH - 15, break_on_hyphens=False)
    return [line(label if k == 0 else "", text) for k, text in enumerate(lines)]


def finding_lines(finding: Finding) -> list[RenderableType]:
    """Return a finding, its traceback below."""
    where = f"{finding.name}: " if finding.name else ""
    lines = [Text(f"  {finding.kind}: {where}{finding.text}")]
    lines += [Text(f"    {line}", "dim") for line in finding.details.rstrip().splitlines()]
    return list(lines)


def note_lines(note: Finding) -> list[RenderableType]:
    """Return what is noted and no fault, as lines."""
    label = note.kind if note.details else "note"
    return [line(label, note.text), *(Text(f"    {each}", "dim") for each in note.details.splitlines())]


def tensors(checks: Sequence[TensorCheck]) -> Text:
    """Return a row a tensor: the worst element's got, want and bound, where it is, and how many are out of bounds."""
    rows = [("tensor", "got", "want", "bound", "error/bound", "resolution", "worst at", "wrong")]
    for check in checks:
        digits = telling_digits(check.got, check.want)
        want = "unknown" if math.isnan(check.want) else number(check.want, digits)
        numbers = (number(check.got, digits), want, number(check.bound, 2))
        at = f"[{', '.join(map(str, check.index))}]" if check.index else "-"
        measures = (number(check.ratio, 3), number(check.resolution, 2), at, f"{check.wrong} of {check.size}")
        rows.append((check.name, *numbers, *measures))
    return aligned(rows)


def aligned(rows: Sequence[tuple[str, ...]], justify: Callable[[str, int], str] = str.rjust) -> Text:
    """Return rows with their columns aligned, the first to the left; a row is never cut to fit, so it can be copied."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join([row[0].ljust(widths[0]), *map(justify, row[1:], widths[1:])]) for row in rows)
    return Text("\n".join(f"  {line.rstrip()}" for line in lines))


def telling_digits(got: float, want: float) -> int:
    """Return how many digits show the difference of two numbers: at least 4, at most all 17."""
    gap, size = abs(got - want), max(abs(got), abs(want))
    if not (math.isfinite(gap) and 0 < gap < size):
        return 4
    return min(17, max(4, math.ceil(math.log10(size / gap)) + 2))
