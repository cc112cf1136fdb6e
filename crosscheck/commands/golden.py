"""`crosscheck golden`: vectors with what is right for them, recorded, checked, brought up to date."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crosscheck.commands._targets import (
    adapter_of,
    check_cells,
    draw_options,
    limits_of,
    loaded,
    report_options,
    reports_of,
    settings_of,
    target_options,
    texts,
)
from crosscheck.errors import ArgumentError
from crosscheck.exits import MISMATCH, NOTHING, PASSED

if TYPE_CHECKING:
    from crosscheck.case import Case
    from crosscheck.golden.vector import Golden, Vector
    from crosscheck.implementation import Subject
    from crosscheck.report.reports import Reports

FOLDER = click.Path(file_okay=False, path_type=Path)
SET = click.argument("folder", metavar="SET", type=FOLDER)
TARGET = click.argument("target", metavar="[TARGET]", required=False)
CASES = click.option(
    "--case", "lines", multiple=True, metavar="LINE", help="This case instead of drawn ones. Repeatable."
)
EXAMPLES = click.option(
    "-n",
    "--max-examples",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="Cases a cell and dtype; one drawn twice counts once.",
)
BUILT_IN = "manual"


@click.group()
def command() -> None:
    """Record vectors with what is right for them, and check implementations by them.

    A SET is a folder of vectors. What is expected in them is proven and then rounded, and so right by itself; beside it
    stands what the TARGET of the recording returned, so that `diff` tells what has moved since. A TARGET is as for
    `crosscheck run`.
    """


@command.command()
@SET
@TARGET
@EXAMPLES
@CASES
@click.option("--comment", default="", help="What the set is for, in words.")
@draw_options
@target_options
def record(
    folder: Path,
    target: str | None,
    max_examples: int,
    lines: tuple[str, ...],
    comment: str,
    seed: int,
    cells: tuple[str, ...],
    dtypes: tuple[str, ...],
    regimes: tuple[str, ...],
    **of_target: Any,
) -> int:
    """Record a new SET of vectors.

    Their cases are drawn from those that the TARGET supports, or are those of --case; without a TARGET, from the whole
    family. A case whose truth can't be proven, or by which nothing could be seen, makes no vector. Exit code 1: the
    vectors are recorded, and the TARGET is wrong by them.
    """
    from crosscheck.golden.files import exists, save
    from crosscheck.golden.vector import Golden

    if exists(folder):
        raise ArgumentError("SET", f"{folder}, which is one already", "a new folder; or crosscheck golden update")
    subject = _subject(target, of_target)
    cases = _cases(subject, lines, max_examples, seed, cells, dtypes, regimes)
    vectors = _recorded(cases, subject, every=bool(lines))
    if not vectors:
        click.echo("no case made a vector")
        return NOTHING
    golden = Golden(vectors, comment)
    save(golden, folder)
    left_out = f"; {len(cases) - len(vectors)} of {len(cases)} cases make none" if len(vectors) < len(cases) else ""
    click.echo(f"recorded {_count(vectors)} in {folder}{left_out}")
    return PASSED if subject is None else _judge(subject, golden, False, None)


@command.command()
@SET
@TARGET
@CASES
@click.option("--cell", "cells", multiple=True, help="Vectors of this cell alone. Repeatable.")
@click.option("--no-keep", is_flag=True, help="Don't keep failures in .crosscheck/failures.")
@EXAMPLES
@target_options
@report_options
def check(
    folder: Path,
    target: str | None,
    lines: tuple[str, ...],
    cells: tuple[str, ...],
    no_keep: bool,
    max_examples: int,
    reports: tuple[str, ...],
    reports_in: Path,
    **of_target: Any,
) -> int:
    """Check a TARGET by the vectors of a SET, or the SET itself.

    A TARGET is run on each vector that it supports. Where there is no SET yet, or no vector of a --case, it is
    recorded, *and* the check fails: what nobody has looked at proves nothing.

    Without a TARGET, the referee judges each vector, knowing no more of it than its case: the valid ones must be right,
    and the invalid ones must be found.
    """
    from dataclasses import replace

    from crosscheck.golden.files import exists, load, save
    from crosscheck.golden.vector import Golden

    subject = _subject(target, of_target)
    there = exists(folder)
    if subject is None:
        if lines or reports:
            name, got = ("case", lines[0]) if lines else ("report", ",".join(reports))
            raise ArgumentError(name, got, "a TARGET with it")
        return _check_set(_of_cells(load(folder), cells))
    told = reports_of(reports, reports_in, 0, {"set": str(folder)})
    golden = load(folder) if there else Golden()
    known = {str(vector.case) for vector in golden.vectors}
    missing = [line for line in lines if str(_case(line)) not in known]
    if missing or not there:
        cases = _cases(subject, tuple(missing), max_examples, 0, cells, (), ())
        new = _recorded(cases, subject, every=bool(missing))
        if not new:
            click.echo("no case made a vector")
            return NOTHING
        save(golden.with_vectors(new), folder)
        click.echo(f"{_count(new)} missing in {folder}: recorded; look at it, keep it, and check again")
        _judge(subject, Golden(new), not no_keep, told)
        return MISMATCH
    golden = _of_cells(golden, cells)
    if lines:
        asked = {str(_case(line)) for line in lines}
        golden = replace(golden, vectors=tuple(v for v in golden.vectors if str(v.case) in asked))
    return _judge(subject, golden, not no_keep, told)


@command.command()
@SET
@TARGET
@EXAMPLES
@CASES
@click.option("--new-only", is_flag=True, help="Add what is missing, and leave all others as they are.")
@draw_options
@target_options
def update(
    folder: Path,
    target: str | None,
    max_examples: int,
    lines: tuple[str, ...],
    new_only: bool,
    seed: int,
    cells: tuple[str, ...],
    dtypes: tuple[str, ...],
    regimes: tuple[str, ...],
    **of_target: Any,
) -> int:
    """Record the vectors of a SET anew, and show what moved.

    With --new-only, those of --case, or of the cases that are drawn, are added where they are missing. The SET is
    replaced as a whole: whatever interrupts it leaves the old one or the new one.
    """
    from rich.console import Console

    from crosscheck.golden.files import load, save
    from crosscheck.golden.moved import moved
    from crosscheck.report.golden import movements

    old, subject = load(folder), _subject(target, of_target)
    if new_only or lines:
        known = {str(vector.case) for vector in old.vectors}
        cases = _cases(subject, lines, max_examples, seed, cells, dtypes, regimes)
        wanted = [case for case in cases if not new_only or str(case) not in known]
        new = _recorded(wanted, subject, every=bool(lines))
    else:
        new = _anew(old, subject)
    golden = old.with_vectors(new)
    save(golden, folder)
    Console(markup=False, emoji=False).print(movements(moved(old, golden)), soft_wrap=True)
    return PASSED


@command.command()
@SET
@click.argument("other", metavar="TARGET|SET")
@target_options
def diff(folder: Path, other: str, **of_target: Any) -> int:
    """Show what moved since a SET was recorded: in what a TARGET returns, or in another SET.

    For each tensor of a vector that is no longer the same, bit for bit: where it moved most, by how many bounds and by
    how many ulps, and since which recording. Exit code 1 if anything moved by more than its bound.
    """
    from rich.console import Console

    from crosscheck.golden.files import load
    from crosscheck.golden.moved import moved, moved_since
    from crosscheck.report.golden import movements

    golden = load(folder)
    if Path(other).is_dir():
        found = moved(golden, load(Path(other)))
    else:
        subject = _subject(other, of_target)
        assert subject is not None
        found = moved_since(golden, subject)
    Console(markup=False, emoji=False).print(movements(found), soft_wrap=True)
    if any(move.bounds > 1 for move in found.moves):
        return MISMATCH
    return PASSED if found.compared else NOTHING


@command.command("list")
@SET
@click.option("--cell", "cells", multiple=True, help="Vectors of this cell alone. Repeatable.")
@click.option("--flag", "flags", multiple=True, help="Vectors that show this alone. Repeatable.")
@click.option("--result", type=click.Choice(("valid", "invalid", "acceptable")), help="Vectors of this result alone.")
def list_(folder: Path, cells: tuple[str, ...], flags: tuple[str, ...], result: str | None) -> int:
    """List the vectors of a SET: ID, result, case, and of a wrong one the mistake."""
    from rich.console import Console

    from crosscheck.golden.files import load
    from crosscheck.report.golden import listed

    chosen = [
        vector
        for vector in _of_cells(load(folder), cells).vectors
        if set(flags) <= set(vector.flags) and result in (None, vector.kind.value)
    ]
    Console(markup=False, emoji=False).print(listed(chosen), soft_wrap=True)
    return PASSED if chosen else NOTHING


@command.command()
@SET
def lint(folder: Path) -> int:
    """Print all that is wrong with the files of a SET."""
    from crosscheck.golden.lint import lint

    faults = lint(folder)
    for fault in faults:
        click.echo(fault)
    click.echo(f"{folder}: {len(faults) or 'no'} fault{'' if len(faults) == 1 else 's'}")
    return MISMATCH if faults else PASSED


def _subject(target: str | None, asked: dict[str, Any]) -> Subject | None:
    """Return the subject that was asked for, with its adapter, conventions and limits; None if none was."""
    targets = () if target is None else (target,)
    adapter = adapter_of(targets, asked["adapter"], asked["conventions"])
    limits = limits_of(asked["timeout"], asked["memory"], asked["in_process"])
    return next(iter(loaded(texts(targets, adapter), limits)), None)


def _cases(
    subject: Subject | None,
    lines: tuple[str, ...],
    max_examples: int,
    seed: int,
    cells: tuple[str, ...],
    dtypes: tuple[str, ...],
    regimes: tuple[str, ...],
) -> list[Case]:
    """Return the cases of some lines, or those that a subject would be checked on, or that the whole family has."""
    from crosscheck.golden.record import drawn
    from crosscheck.implementation import make

    if lines:
        return [_case(line) for line in lines]
    if subject is not None:
        check_cells((subject,), cells)
    return list(drawn(subject or make(BUILT_IN), settings_of(max_examples, seed, cells, dtypes, regimes)))


def _case(line: str) -> Case:
    from crosscheck.case import Case

    return Case.parse(line)


def _recorded(cases: Sequence[Case], subject: Subject | None, every: bool) -> tuple[Vector, ...]:
    """Return the vectors of cases; of every one, or of those that make one."""
    from rich.console import Console
    from rich.progress import track

    from crosscheck.golden.record import record, recorded, recording

    now = recording(subject.name if subject else "")
    console = Console(stderr=True)
    shown = track(cases, "recording", console=console, transient=True, disable=not console.is_terminal)
    return tuple(record(case, now, subject) for case in shown) if every else tuple(recorded(shown, now, subject))


def _anew(old: Golden, subject: Subject | None) -> tuple[Vector, ...]:
    """Return the valid vectors of a set recorded anew, those that a subject doesn't support left out.

    Raises:
        ArgumentError: they have what a subject returned, and there is none.
    """
    from crosscheck.golden.check import uses

    of = next((vector.recording.subject for vector in old.valid if vector.got), None)
    if of is not None and subject is None:
        raise ArgumentError("TARGET", "none", f"{of}, whose numbers are in the set")
    used = [vector for vector in old.valid if subject is None or uses(subject, vector)]
    return _recorded([vector.case for vector in used], subject, every=True)


def _of_cells(golden: Golden, cells: tuple[str, ...]) -> Golden:
    from dataclasses import replace

    chosen = tuple(vector for vector in golden.vectors if not cells or vector.case.spec.cell in cells)
    return replace(golden, vectors=chosen)


def _count(vectors: Sequence[Vector]) -> str:
    return f"{len(vectors):,} vector{'' if len(vectors) == 1 else 's'}"


def _judge(subject: Subject, golden: Golden, kept: bool, reports: Reports | None) -> int:
    """Check a subject by vectors, show and report what is wrong, and return the exit code."""
    from rich.console import Console

    from crosscheck.campaign import Checked, Started, silent
    from crosscheck.commands._failing import keep
    from crosscheck.failure import explained
    from crosscheck.golden.check import check
    from crosscheck.report.failure import failed
    from crosscheck.report.golden import checked

    found = check(subject, golden)
    console = Console(markup=False, emoji=False)
    with reports or nullcontext(silent) as listen:
        listen(Started((subject,), settings_of(1, 0, (), (), ()), 0))
        for verdict in found.verdicts.values():
            listen(Checked(verdict.case, (verdict,)))
        for verdict in found.shown:
            event = explained(subject, verdict, None, keep if kept else None)
            listen(event)
            console.print(failed(event.failure, event.kept), soft_wrap=True)
        console.print(checked(subject.name, found), soft_wrap=True)
    if found.failures:
        return MISMATCH
    return PASSED if found.verdicts else NOTHING


def _check_set(golden: Golden) -> int:
    from rich.console import Console

    from crosscheck.golden.check import check_set
    from crosscheck.report.golden import weighed

    found = check_set(golden)
    Console(markup=False, emoji=False).print(weighed(found), soft_wrap=True)
    if not all(vector.right for vector in found):
        return MISMATCH
    return PASSED if found else NOTHING
