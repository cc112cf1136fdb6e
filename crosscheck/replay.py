"""A failure that was kept, run again: FIXED, FAILED, or an ERROR that says why it can't be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from crosscheck.adapters import parsed, text_of
from crosscheck.errors import ArgumentError
from crosscheck.examine import examine
from crosscheck.host import hosted
from crosscheck.implementation import ENDS, OURS, Subject, make, run
from crosscheck.keep import Kept, Record, load
from crosscheck.loading import split_target
from crosscheck.verdict import Status, TensorCheck, Verdict, compare


class Outcome(Enum):
    """What became of a failure."""

    FIXED = "FIXED"
    FAILED = "FAILED"
    ERROR = "ERROR"


@dataclass(frozen=True)
class Replay:
    """A failure run again.

    Attributes:
        id: what it is called.
        outcome: FIXED if its case passes; FAILED if anything is wrong, or what was wrong is no longer returned; ERROR
            if it can't be told.
        text: what is wrong now, and how that differs from what was recorded.
        verdict: what was found now; None if it could not be run.
    """

    id: str
    outcome: Outcome
    text: str
    verdict: Verdict | None = None


def subject_of(kept: Kept) -> Subject:
    """Return the subject of a failure, looked for where it was found.

    Raises:
        ArgumentError: it isn't there any more, can't be imported, or is made of it in a way that is unknown here.
    """
    subject, recipe = kept.record.subject, kept.record.recipe
    if recipe:
        raise ArgumentError("recipe", dict(recipe), "none: a subject that its text names")
    if subject in OURS or ":" not in subject:
        return _made(subject, kept.record.verdict)
    target, adapter, conventions = parsed(subject)
    place, attribute = split_target(target)
    file = kept.started_in / place
    if not place.endswith(".py") or not file.is_file() or (Path(place).exists() and Path(place).samefile(file)):
        return _made(subject, kept.record.verdict)
    return _made(text_of(f"{file.resolve()}:{attribute}", adapter, conventions), kept.record.verdict)


def _made(target: str, verdict: Verdict) -> Subject:
    """Return the subject for a target, in a process of its own if it ended that."""
    if any(finding.kind in ENDS for finding in verdict.findings):
        return hosted(target)[0]
    return make(target)


def replay(path: Path) -> Replay:
    """Run a failure again.

    Args:
        path: its folder, or the `failure.json` in it.
    """
    try:
        kept = load(path)
        return replayed(kept, subject_of(kept))
    except ArgumentError as error:
        return Replay(path.parent.name if path.is_file() else path.name, Outcome.ERROR, str(error))


def replayed(kept: Kept, subject: Subject) -> Replay:
    """Run a failure again, with a subject that may be another by now."""
    before = kept.record
    verdict = examine((subject,), before.case, deep=True)[0]
    verdict = replace(verdict, subject=before.subject)
    outcome, text = _told(before, verdict, run(subject, before.case).values)
    return Replay(kept.folder.name, outcome, text, verdict)


def assert_fixed(path: Path) -> None:
    """Run a failure again and raise if it is still there, or can't be told.

    Raises:
        AssertionError: see `replay`; the message is what the terminal shows.
    """
    found = replay(path)
    if found.outcome is Outcome.FIXED:
        return
    from crosscheck.failure import Failure  # and rich, which a test that passes has no use for
    from crosscheck.report.failure import failure_text

    shown = failure_text(Failure(found.verdict)) if found.verdict and found.verdict.status is Status.FAIL else ""
    raise AssertionError(f"{found.id}: {found.text}\n{shown}")


def _told(before: Record, verdict: Verdict, got: Mapping[str, Any]) -> tuple[Outcome, str]:
    """Return what became of a failure, and what there is to say.

    Args:
        before: what was recorded.
        verdict: what is found now.
        got: what came back now.
    """
    then, now = _wrong(before.verdict), _wrong(verdict)
    if verdict.checks:  # of what raises, nothing is returned
        now |= {name: "not returned any more" for name in verdict.not_checked if name in then}
    if now != then:
        return (Outcome.FAILED, f"{_words(now)}; recorded: {_words(then)}") if now else _fixed(verdict, then)
    others = [text for check in verdict.checks if (text := _other_number(before, check, got))]
    return Outcome.FAILED, f"{_words(now)}, {'by another number: ' + others[0] if others else 'as recorded'}"


def _fixed(verdict: Verdict, then: Mapping[str, str]) -> tuple[Outcome, str]:
    """Return what became of a failure where nothing is wrong now: FIXED, unless the check is blind for what was."""
    of_then = [check for check in verdict.checks if check.name in then] or list(verdict.checks)
    blind = [check.name for check in of_then if check.status is not Status.PASS]
    if blind:
        return Outcome.ERROR, f"undecided: nothing is known to be wrong, but {', '.join(blind)} can't be judged"
    return Outcome.FIXED, ""


def _wrong(verdict: Verdict) -> dict[str, str]:
    """Return what is wrong, by name, in a word or two."""
    found = dict.fromkeys(verdict.named(Status.FAIL), "wrong")
    for finding in verdict.findings:  # what was raised may have an address in it, so its kind alone counts
        found[finding.name] = finding.sort if finding.kind == "raised" else f"{finding.kind} ({finding.text})"
    return found


def _words(wrong: Mapping[str, str]) -> str:
    """Return what is wrong in words: all of the same kind together."""
    names: dict[str, list[str]] = {}
    for name, what in wrong.items():
        names.setdefault(what, []).append(name)
    return "; ".join(f"{', '.join(filter(None, of_it))} {what}".strip() for what, of_it in names.items())


def _other_number(before: Record, check: TensorCheck, got: Mapping[str, Any]) -> str:
    """Return in words where a wrong tensor differs most from what was recorded; empty if rounding allows for it.

    Two runs, on two machines, are two programs: each may stray from what the wrong formula gives by the bound.
    """
    if check.status is not Status.FAIL or not (check.name in before.got and check.name in got):
        return ""
    then, bound = before.got[check.name], 2 * before.bound[check.name]
    same = (got[check.name] == then) | (np.isnan(got[check.name]) & np.isnan(then))
    known = np.where(np.isnan(then), np.inf, then)  # a number in its place is another
    moved = compare(check.name, np.where(same, 0.0, got[check.name]), np.where(same, 0.0, known), bound, np.inf)
    if moved.status is not Status.FAIL:
        return ""
    at = ", ".join(map(str, moved.index))
    return f"{check.name}[{at}] is {moved.got:.6g} and was {then[moved.index]:.6g}"
