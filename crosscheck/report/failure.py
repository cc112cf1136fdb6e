"""What a person reads of a failure: what is wrong, where, why, who says so, and the command that shows it again."""

from __future__ import annotations

import io
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.text import Text

from crosscheck.adapters import words
from crosscheck.diagnose import Diagnosis, Explanation
from crosscheck.failure import Failure
from crosscheck.report.text import (
    STYLES,
    aligned,
    count,
    finding_lines,
    line,
    note_lines,
    number,
    telling_digits,
    wrapped,
)
from crosscheck.verdict import Status, TensorCheck, Verdict

SHOWN = 8
"""So many wrong tensors are shown with their numbers, the others counted."""
TOGETHER = 100
"""Characters that a mistake's words and its name may have in one line."""
ALIKE = 2
"""So many other mistakes that give the same numbers are named, the others counted."""


def failed(failure: Failure, kept: str = "") -> RenderableType:
    """Return all that is known about a failure.

    Args:
        failure: the failure.
        kept: the name of the folder that it is kept in; "" if it isn't.
    """
    verdict = failure.verdict
    wrong = [check for check in verdict.checks if check.status is Status.FAIL]
    parts: list[RenderableType] = [Text(""), _head(verdict, wrong, failure.after), line("case", str(verdict.case))]
    parts += [part for finding in verdict.findings for part in finding_lines(finding)]
    parts += [part for note in verdict.notes for part in note_lines(note)]
    if wrong:
        parts.append(_numbers(wrong))
    parts += _rest(verdict)
    if failure.location is not None:
        parts += wrapped("where", failure.location.sentences)
    parts += _why(failure.diagnosis)
    if failure.agreed:
        parts.append(line("agreed", ", ".join(failure.agreed)))
    if verdict.evidence:
        parts.append(line("judged by", "; ".join(verdict.evidence)))
    if kept:
        parts.append(line("kept", f"crosscheck explain {kept}"))
    parts.append(line("again", again(verdict)))
    return Group(*parts, "")


def failure_text(failure: Failure, kept: str = "") -> str:
    """Return `failed` as plain text."""
    console = Console(file=io.StringIO(), width=120, color_system=None)
    console.print(failed(failure, kept), soft_wrap=True)
    file: Any = console.file
    return str(file.getvalue())


def again(verdict: Verdict) -> str:
    """Return the command that shows a failure again."""
    if "::" in verdict.subject:
        return f"pytest {shlex.quote(verdict.subject)}"
    return f"crosscheck run {words(verdict.subject)} --case {shlex.quote(str(verdict.case))}"


def _head(verdict: Verdict, wrong: Sequence[TensorCheck], after: int | None) -> Text:
    names = ", ".join(check.name for check in wrong[:SHOWN])
    more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
    said = f"{names}{more} {'is' if len(wrong) == 1 else 'are'} wrong" if wrong else ""
    kinds = ", ".join(dict.fromkeys(finding.kind for finding in verdict.findings))
    head = Text.assemble(
        ("FAIL", STYLES[Status.FAIL]), f"  {verdict.subject}   {'; '.join(filter(None, (said, kinds)))}"
    )
    if after is not None:
        head.append(f"   the smallest case found, after {count(after, 'case')}", "dim")
    return head


def _numbers(wrong: Sequence[TensorCheck]) -> Text:
    """Return a row a tensor: the worst element's got, want and bound, where it is, and how many are out of bounds."""
    rows = []
    for check in wrong[:SHOWN]:
        digits = telling_digits(check.got, check.want)
        got, want, bound = number(check.got, digits), number(check.want, digits), number(check.bound, 2)
        at = f"at [{', '.join(map(str, check.index))}], {check.wrong} of {check.size}" if check.size > 1 else ""
        error = f"error {number(check.ratio, 2)} x what rounding allows"
        rows.append((f"{check.name:<11}", f"got {got}", f" want {want} +- {bound}", f" {error}", at))
    return aligned(rows, str.ljust)


def _rest(verdict: Verdict) -> list[Text]:
    """Return what is right, what could not be decided, and what was not checked."""
    right, blind = verdict.named(Status.PASS), verdict.named(Status.INCONCLUSIVE)
    named = (("right", right), ("undecided", blind), ("not checked", verdict.not_checked))
    return [part for label, names in named for part in wrapped(label, names, ", ")]


def _why(diagnosis: Diagnosis) -> list[Text]:
    """Return the mistake that explains the numbers, the right line beside the wrong one; else what they look like."""
    if not diagnosis.cases:
        return []
    if not diagnosis.explanations:
        nothing = f"no known mistake gives these numbers ({diagnosis.tried} tried on {count(diagnosis.cases, 'case')})"
        looks = [f"{', '.join(s.tensors)}: {s.says}" for s in diagnosis.signatures]
        return [line("because", nothing), *wrapped("looks like", looks)]
    first, *others = diagnosis.explanations
    same = [f"{other.names}: the same numbers" for other in others[:ALIKE]]
    same += [f"{len(others) - ALIKE} more: the same numbers"] if len(others) > ALIKE else []
    return [*_because(first), *[line("or", text) for text in same]]


def _because(explanation: Explanation) -> Iterator[Text]:
    mistakes = explanation.mistakes
    says = explanation.says
    word, verb = ("mistake", "reproduces") if len(mistakes) == 1 else ("mistakes", "reproduce")
    how = f"{word} {explanation.names}, {verb} it to {number(explanation.ulps, 2)} ulp"
    if len(says) + len(how) <= TOGETHER:
        yield line("because", f"{says} ({how})")
    else:
        yield from wrapped("because", [says])
        yield line("", f"({how})")
    for mistake in mistakes:
        yield line("", f"  yours       {mistake.wrong}")
        yield line("", f"  should be   {mistake.right}")
