"""What the commands do with a failure: explain it, keep it, show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from crosscheck.errors import ArgumentError

if TYPE_CHECKING:
    from crosscheck.failure import Failure
    from crosscheck.implementation import Subject
    from crosscheck.verdict import Verdict


def shown(subjects: Sequence[Subject], kept: bool) -> Callable[[Verdict, int | None], Any]:
    """Return what makes of a failing verdict, and of the cases it took to find, all that there is to show.

    Args:
        subjects: those that were checked.
        kept: whether failures are kept in folders.
    """
    from crosscheck.failure import explain
    from crosscheck.report.failure import failed

    by_name = {subject.name: subject for subject in subjects}

    def show(verdict: Verdict, after: int | None = None) -> Any:
        subject = by_name.get(verdict.subject)
        failure = explain(subject, verdict, after)
        return failed(failure, _keep(subject, failure) if kept and subject else None)

    return show


def _keep(subject: Subject, failure: Failure) -> str | None:
    """Keep a failure; return the name of its folder, or None where it can't be written."""
    from crosscheck.keep import keep
    from crosscheck.record import record

    try:
        return keep(record(subject, failure)).name
    except ArgumentError as error:
        click.echo(f"crosscheck: the failure is not kept: {error}", err=True)
        return None
