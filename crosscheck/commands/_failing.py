"""What the commands do with a failure besides showing it: they keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from crosscheck.errors import ArgumentError

if TYPE_CHECKING:
    from crosscheck.failure import Failure
    from crosscheck.implementation import Subject


def keep(subject: Subject, failure: Failure) -> str:
    """Keep a failure; return the name of its folder, or "" where it can't be written, and say so."""
    from crosscheck.keep import keep
    from crosscheck.record import record

    try:
        return keep(record(subject, failure)).name
    except ArgumentError as error:
        click.echo(f"crosscheck: the failure is not kept: {error}", err=True)
        return ""
