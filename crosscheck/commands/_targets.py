"""The options that several commands have: which subjects, in which process, and which cases are drawn."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from crosscheck.errors import ArgumentError

if TYPE_CHECKING:
    from crosscheck.campaign import Settings
    from crosscheck.host import Limits
    from crosscheck.implementation import Subject
    from crosscheck.report.reports import Reports

CELLS = ("rnn_tanh", "rnn_relu", "lstm", "gru")
DTYPES = ("float64", "float32", "bfloat16", "float16")
Command = TypeVar("Command", bound=Callable[..., Any])


def draw_options(command: Command) -> Command:
    """Add the options that say which cases are drawn: seed, cells, dtypes, regimes."""
    return _with(
        command,
        click.option(
            "--seed", type=click.IntRange(0), default=0, show_default=True, help="What the cases are drawn from."
        ),
        click.option(
            "--cell", "cells", multiple=True, type=click.Choice(CELLS), help="Draw this cell alone. Repeatable."
        ),
        click.option(
            "--dtype", "dtypes", multiple=True, type=click.Choice(DTYPES), help="Draw this dtype alone. Repeatable."
        ),
        click.option(
            "--regime",
            "regimes",
            multiple=True,
            metavar="NAME",
            help="Draw cases that show this; see run --list-regimes. Repeatable: all of these, and one of the fills.",
        ),
    )


def target_options(command: Command) -> Command:
    """Add the options that say what makes a subject of a target, and in which process: see `loaded`."""
    return _with(
        command,
        click.option(
            "--as", "adapter", metavar="ADAPTER", help="What makes a subject of a TARGET; see run --adapters."
        ),
        click.option(
            "--set",
            "conventions",
            multiple=True,
            metavar="NAME=VALUE",
            help="With --as: a convention of TARGET. Repeatable.",
        ),
        click.option(
            "--timeout",
            type=click.FloatRange(0, min_open=True),
            default=10.0,
            show_default=True,
            help="Seconds that a TARGET may take for a case; for its first, which may compile, three times that.",
        ),
        click.option(
            "--memory",
            type=click.IntRange(1),
            default=4096,
            show_default=True,
            help="MiB that a TARGET may take beyond what it has when it is loaded (Linux).",
        ),
        click.option(
            "--in-process", is_flag=True, help="Run each TARGET in this process, for a debugger; it can end it."
        ),
    )


def _with(command: Command, *options: Callable[[Command], Command]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def report_options(command: Command) -> Command:
    """Add the options that say which reports are made, and where: see `reports_of`."""
    return _with(
        command,
        click.option(
            "--report",
            "reports",
            multiple=True,
            metavar="FORMAT,...",
            help="Report what was found too: github, html, junit, md or ndjson.",
        ),
        click.option(
            "--report-dir",
            "reports_in",
            default="crosscheck-report",
            show_default=True,
            type=click.Path(file_okay=False, path_type=Path),
            help="Where the reports go.",
        ),
    )


def reports_of(asked: Sequence[str], folder: Path, seed: int, settings: Mapping[str, Any]) -> Reports | None:
    """Return what listens for reports; None where none is asked for."""
    if not asked:
        return None
    from crosscheck.report.reports import Reports

    return Reports(asked, folder, shlex.join(["crosscheck", *sys.argv[1:]]), seed, settings, click.echo)


def limits_of(timeout: float, memory: int, in_process: bool) -> Limits | None:
    """Return what a subject may take in a process of its own; None if it has none."""
    from crosscheck.host import Limits

    return None if in_process else Limits(timeout, memory)


def loaded(targets: Sequence[str], limits: Limits | None) -> tuple[Subject, ...]:
    """Return the subjects of some texts, in processes of their own within limits, or in this one."""
    from crosscheck.host import hosted
    from crosscheck.implementation import make

    return tuple(map(make, targets)) if limits is None else hosted(*targets, limits=limits)


def adapter_of(targets: Sequence[str], adapter: str | None, settings: Sequence[str]) -> tuple[Any, ...]:
    """Return the adapter and the conventions that were asked for.

    Raises:
        ArgumentError: there is no target for them, or one goes without the other.
    """
    from crosscheck.adapters import conventions_of

    if adapter is not None and not targets:
        raise ArgumentError("as", adapter, "a TARGET with it")
    if settings and adapter is None:
        raise ArgumentError("set", settings[0], "--as with it: conventions are for an adapter")
    return () if adapter is None else (adapter, conventions_of(settings))


def texts(targets: Sequence[str], asked: tuple[Any, ...]) -> tuple[str, ...]:
    """Return the targets, each with the adapter and the conventions that were asked for as one text."""
    from crosscheck.adapters import text_of

    return tuple(text_of(target, *asked) for target in targets) if asked else tuple(targets)


def settings_of(
    max_examples: int,
    seed: int,
    cells: Sequence[str],
    dtypes: Sequence[str],
    regimes: Sequence[str],
    max_time: float | None = None,
    shrink: bool = True,
) -> Settings:
    """Return how a campaign is run that was asked for on the command line."""
    from crosscheck.campaign import Settings
    from crosscheck.features import split

    options: dict[str, Any]
    options, features = split(regimes)
    if cells:
        options["cell"] = tuple(cells)
    if dtypes:
        options["dtype"] = tuple(dtypes)
    return Settings(max_examples, max_time, seed, shrink, options, features)


def check_cells(subjects: Sequence[Subject], cells: Sequence[str]) -> None:
    """Check that each subject says which cells it is, if the command line doesn't.

    Raises:
        ArgumentError: one does not.
    """
    unsaid = [subject.name for subject in subjects if "cell" not in subject.declared]
    if unsaid and not cells:
        wanted = "--cell, or @crosscheck.subject(cell=...) on the function"
        raise ArgumentError(unsaid[0], "no word on which cell it is", wanted)
