"""`crosscheck run`: check implementations on cases drawn at random, or on given ones."""

from __future__ import annotations

import importlib
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crosscheck.commands._targets import (
    CELLS,
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
from crosscheck.exits import MISMATCH, NOTHING, PASSED, USAGE

if TYPE_CHECKING:
    from crosscheck.campaign import Settings
    from crosscheck.case import Case
    from crosscheck.host import Limits
    from crosscheck.implementation import Subject
    from crosscheck.journal import Journal
    from crosscheck.report.reports import Reports


@click.command()
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option(
    "-n", "--max-examples", type=click.IntRange(1), default=200, show_default=True, help="Cases a cell and dtype."
)
@click.option(
    "--max-time", type=click.FloatRange(0, min_open=True), help="Begin no further case after so many seconds."
)
@draw_options
@click.option("--case", "case_lines", multiple=True, metavar="LINE", help="Check this case alone. Repeatable.")
@target_options
@click.option("--infer", "inferring", is_flag=True, help="With --as: find the conventions out, by the forward pass.")
@click.option("--adapters", "list_adapters", is_flag=True, help="Print what --as takes, and what --set.")
@click.option("--no-shrink", is_flag=True, help="Show the first failing case as it was found.")
@click.option("--no-keep", is_flag=True, help="Don't keep failures in .crosscheck/failures.")
@click.option("--self", "by_itself", is_flag=True, help="TARGET is FILE:FORWARD,BACKWARD; check it against itself.")
@click.option(
    "--shape", "shapes", multiple=True, metavar="NAME=T,B,I", help="With --self: an input's shape. Repeatable."
)
@click.option("--list", "list_specs", is_flag=True, help="Print the matrix of specs and who supports what.")
@click.option("--list-regimes", is_flag=True, help="Print what a case may show, by name.")
@click.option(
    "--properties", is_flag=True, help="Compare each TARGET with itself only, by what holds of every network."
)
@click.option("--second-use", is_flag=True, help="Look for what shows only when a TARGET is used again.")
@click.option("--resume", is_flag=True, help="Go on with the same run where it was killed or interrupted.")
@report_options
@click.option("--strict", is_flag=True, help="Fail if any case is inconclusive.")
@click.option("-v", "--verbose", is_flag=True, help="Print the line of every case.")
def command(
    targets: tuple[str, ...],
    max_examples: int,
    max_time: float | None,
    seed: int,
    case_lines: tuple[str, ...],
    cells: tuple[str, ...],
    dtypes: tuple[str, ...],
    regimes: tuple[str, ...],
    adapter: str | None,
    conventions: tuple[str, ...],
    inferring: bool,
    list_adapters: bool,
    no_shrink: bool,
    no_keep: bool,
    by_itself: bool,
    shapes: tuple[str, ...],
    list_specs: bool,
    list_regimes: bool,
    properties: bool,
    second_use: bool,
    timeout: float,
    memory: int,
    in_process: bool,
    resume: bool,
    reports: tuple[str, ...],
    reports_in: Path,
    strict: bool,
    verbose: bool,
) -> int:
    """Check implementations on cases drawn at random.

    A TARGET is package.module:attr or path/to/file.py:attr, a callable that takes a case and returns outputs and
    gradients by name; with --as, it is what people have, such as a torch.nn.Module. Without one, the hand-written NumPy
    network, its PyTorch twin and torch.nn are checked against each other over every cell, option and dtype.

    With --self, a TARGET is path/to/file.py:forward,backward: the two functions of a cell that nobody here knows. Its
    backward pass is checked against its own forward pass.

    With --properties or --second-use, or both, the cases are drawn as ever, and these are what is checked.

    Each TARGET runs in a process of its own, except with --self, and but for those that come with the package.
    """
    if resume and (by_itself or properties or second_use or case_lines):
        raise ArgumentError("--resume", "--self, --properties, --second-use or --case", "a run without these")
    if reports and (by_itself or properties or second_use or list_specs):
        raise ArgumentError("--report", "--self, --properties, --second-use or --list", "a run without these")
    if by_itself:
        return max((_run_self(target, shapes, max_examples, seed, case_lines) for target in targets), default=USAGE)
    if list_regimes:
        return _list_regimes()
    from crosscheck.implementation import BUILT_IN, make

    if list_adapters:
        return _list_adapters()
    limits = limits_of(timeout, memory, in_process)
    asked = adapter_of(targets, adapter, conventions)
    found = _inferred(targets, asked, cells, limits) if inferring else loaded(texts(targets, asked), limits)
    if found is None:
        return NOTHING
    subjects = found or tuple(
        subject
        for subject in map(make, BUILT_IN)
        if not dtypes or "dtype" not in subject.declared or set(dtypes) & set(subject.options["dtype"])
    )
    if list_specs:
        return _list_specs(subjects)
    families = [module for module, asked in (("properties", properties), ("uses", second_use)) if asked]
    if case_lines and not families:
        return _run_cases(subjects, case_lines, reports_of(reports, reports_in, 0, {}), not no_keep, strict)
    if not case_lines:
        check_cells(subjects, cells)
    settings = settings_of(max_examples, seed, cells, dtypes, regimes, max_time, not no_shrink)
    if families:
        return max(_run_properties(family, subjects, settings, case_lines, strict) for family in families)
    told = reports_of(reports, reports_in, seed, _said(settings, limits))
    return _run_campaign(subjects, settings, limits, told, resume, not no_keep, strict, verbose)


def _said(settings: Settings, limits: Limits | None) -> dict[str, Any]:
    """Return what else a run was told, besides the seed, in plain data."""
    plain = asdict(settings) | {"limits": limits and asdict(limits)}
    return {name: value for name, value in plain.items() if name != "seed"}


def _inferred(
    targets: tuple[str, ...], asked: tuple[Any, ...], cells: tuple[str, ...], limits: Limits | None
) -> tuple[Subject, ...] | None:
    """Return targets as subjects with the conventions that fit; None if there are none for one of them."""
    from rich.console import Console

    from crosscheck.implementation import of_cell
    from crosscheck.infer import infer
    from crosscheck.report.inferred import inferred

    if not asked:
        raise ArgumentError("infer", "no adapter", "--as with it: conventions are for an adapter")
    adapter, conventions = asked
    subjects: list[Subject] = []
    console = Console(markup=False, emoji=False)
    for target in targets:
        with console.status(f"running {target} forward"):
            fits = infer(target, adapter, cells or CELLS, conventions)
        console.print(inferred(target, fits), soft_wrap=True)
        if not fits[0].fits:
            return None
        (subject,) = loaded(texts((target,), (adapter, fits[0].conventions)), limits)
        subjects.append(of_cell(subject, fits[0].cell))
    return tuple(subjects)


def _list_adapters() -> int:
    from rich.console import Console

    from crosscheck.report.terminal import adapter_table

    Console(markup=False, emoji=False).print(adapter_table(), soft_wrap=True)
    return PASSED


def _list_specs(subjects: tuple[Subject, ...]) -> int:
    from rich.console import Console

    from crosscheck.matrix import rows
    from crosscheck.report.terminal import matrix
    from crosscheck.strategies import EVERYTHING

    columns = {subject.name: subject.options for subject in subjects} | {"definition": EVERYTHING}
    Console(markup=False, emoji=False).print(matrix(tuple(columns), tuple(rows(columns))), soft_wrap=True)
    return PASSED


def _list_regimes() -> int:
    from rich.console import Console

    from crosscheck.features import GROUPS
    from crosscheck.report.terminal import regime_table

    Console(markup=False, emoji=False).print(regime_table(GROUPS), soft_wrap=True)
    return PASSED


def _run_campaign(
    subjects: tuple[Subject, ...],
    settings: Any,
    limits: Limits | None,
    reports: Reports | None,
    resume: bool,
    kept: bool,
    strict: bool,
    verbose: bool,
) -> int:
    from rich.console import Console

    from crosscheck.campaign import campaign, explaining, several, silent
    from crosscheck.commands._failing import keep
    from crosscheck.examine import examine
    from crosscheck.journal import identity
    from crosscheck.report.terminal import Terminal, coverage, notes, outcome, summary

    journal = _journal(identity(subjects, settings, limits), resume)
    console = Console(markup=False, emoji=False)
    with reports or nullcontext() as listen:
        try:
            with Terminal(console, verbose) as terminal:
                told = explaining(subjects, several(terminal, listen or silent), keep if kept else None)
                report = campaign(subjects, settings, told, journal.recorded(examine) if journal else examine)
        except BaseException:
            if journal:
                journal.close()
            raise
        if journal:
            journal.finish()
        console.print(summary(report))
        if report.notes:
            console.print(notes(report.notes), soft_wrap=True)
        if verbose or not report.failures:  # a run that fails ends before it has seen much
            console.print(coverage(report.covered, verbose), soft_wrap=True)
        console.print(outcome(report))
    if report.failures or (strict and report.inconclusive):
        return MISMATCH
    return NOTHING if report.cases == report.inconclusive else PASSED


def _journal(name: str, resume: bool) -> Journal | None:
    """Return the journal of a campaign, and say what there is of an earlier one; None where it can't be written."""
    from crosscheck.journal import Journal

    try:
        journal = Journal(name, resume)
    except OSError as error:
        click.echo(f"crosscheck: no journal of this run, so it can't be resumed: {error}", err=True)
        return None
    if resume and journal.known:
        click.echo(f"crosscheck: going on with {journal.path}, {journal.known} verdicts on cases", err=True)
    elif resume:
        click.echo("crosscheck: there is no unfinished run like this; it begins anew", err=True)
    elif journal.unfinished:
        text = f"{journal.unfinished} verdicts on cases; --resume goes on with it"
        click.echo(f"crosscheck: an unfinished run like this has left {text}", err=True)
    return journal


def _run_properties(
    family: str, subjects: tuple[Subject, ...], settings: Any, lines: tuple[str, ...], strict: bool
) -> int:
    from rich.console import Console

    from crosscheck.case import Case
    from crosscheck.report.terminal import property_summary
    from crosscheck.search import on_cases, search
    from crosscheck.verdict import Status

    checks = importlib.import_module(f"crosscheck.{family}").CHECKS
    console = Console(markup=False, emoji=False)
    cases = tuple(map(Case.parse, lines))
    all_found = []
    for subject in subjects:
        able = [case for case in cases if _states_support(subject, case)]
        for case in cases:
            if case not in able:
                _print_not_checked(console, subject, case)
        with console.status(f"checking {subject.name}"):
            found = on_cases(subject, checks, able) if lines else search(subject, checks, settings)
        console.print(property_summary(checks.option, found), soft_wrap=True)
        all_found.append(found)
    statuses = {found.status for found in all_found}
    if Status.FAIL in statuses or (strict and any(found.inconclusive for found in all_found)):
        return MISMATCH
    return PASSED if Status.PASS in statuses else NOTHING


def _print_not_checked(console: Any, subject: Subject, case: Case) -> None:
    console.print(f"\nNOT CHECKED  {subject.name} says that it does not support {case}", soft_wrap=True)


def _run_self(target: str, shapes: tuple[str, ...], max_examples: int, seed: int, case_lines: tuple[str, ...]) -> int:
    from rich.console import Console

    from crosscheck.report.terminal import self_failure, self_summary
    from crosscheck.selfcheck import make_pair, parse_point, search, selfcheck
    from crosscheck.verdict import Status

    console = Console(markup=False, emoji=False)
    given = dict(shape.partition("=")[::2] for shape in shapes)
    pair = make_pair(target, given or None)
    if case_lines:
        seen = [selfcheck(pair, *parse_point(pair, line)) for line in case_lines]
        failing = next((verdict for verdict in seen if verdict.status is Status.FAIL), None)
    else:
        failing, seen = search(pair, max_examples, seed)
    if failing is not None:
        console.print(self_failure(pair.name, failing), soft_wrap=True)
    console.print(self_summary(pair.name, seen, failing), soft_wrap=True)
    if failing is not None:
        return MISMATCH
    return PASSED if any(verdict.status is Status.PASS for verdict in seen) else NOTHING


def _run_cases(
    subjects: tuple[Subject, ...], lines: tuple[str, ...], reports: Reports | None, kept: bool, strict: bool
) -> int:
    from rich.console import Console

    from crosscheck.campaign import Checked, Event, explaining, given, several, silent
    from crosscheck.case import Case
    from crosscheck.commands._failing import keep
    from crosscheck.report.terminal import CaseByCase
    from crosscheck.verdict import Status

    console = Console(markup=False, emoji=False)
    asked = []
    for case in map(Case.parse, lines):
        able = tuple(subject for subject in subjects if _states_support(subject, case))
        asked.append((case, able))
        for subject in subjects:
            if subject not in able:
                _print_not_checked(console, subject, case)
    statuses: set[Status] = set()

    def count(event: Event) -> None:
        if isinstance(event, Checked):
            statuses.update(verdict.status for verdict in event.verdicts)

    with reports or nullcontext() as listen:
        told = several(count, CaseByCase(console), listen or silent)
        given(asked, explaining(subjects, told, keep if kept else None))
    if Status.FAIL in statuses or (strict and Status.INCONCLUSIVE in statuses):
        return MISMATCH
    return PASSED if Status.PASS in statuses else NOTHING


def _states_support(subject: Subject, case: Case) -> bool:
    """Say whether a case is within what a subject states itself; largest sizes only limit what is drawn."""
    from crosscheck.strategies import KNOWN, supported

    sizes = {"max_T": case.T, "max_B": case.B, "max_I": case.spec.input_size, "max_H": case.spec.hidden_size}
    stated = {name: subject.options[name] for name in subject.declared - sizes.keys()}
    return supported(case, KNOWN | {name: (size,) for name, size in sizes.items()} | stated)
