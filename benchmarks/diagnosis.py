"""What is said of a wrong network: each mistake of the catalogue, planted in a plain one that the checker doesn't know.

    python benchmarks/diagnosis.py                        the catalogue, each mistake in the cell of its smallest case
    python benchmarks/diagnosis.py --every-cell           in every cell that it can be made in
    python benchmarks/diagnosis.py --unknown              single mistakes that no catalogue has
    python benchmarks/diagnosis.py --right 1000           the network without a mistake, with other seeds
    python benchmarks/diagnosis.py --only rnn.carry-dropped --json diagnosis.json

A row is one campaign, as somebody runs it whose network has the options that the mistake needs, and no others: cases
are drawn until one fails, that is made as small as it goes, and then it is explained. `caught`: a case failed. `named`:
the first answer is the mistake that was planted, or a twin of it: another mistake that gives the same bits in that
cell, of which the catalogue has a few. `among`: it is one of the answers. `localised`: the side, outputs or gradients,
is right, and so are all tensors that are called wrong; what is wrong is found out from the catalogue's own network with
the mistake in it, or, of a mistake that no catalogue has, is written down beside it. The seconds are those to the first
sign of a failure, and to the end; loading the packages is not among them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from crosscheck.api import check
from crosscheck.campaign import Event, Failed, Failing
from crosscheck.case import Case
from crosscheck.failure import Failure, explain
from crosscheck.implementation import make, run
from crosscheck.localise import Location, Reach
from crosscheck.mistakes.catalogue import CATALOGUE, planted
from crosscheck.referee.truth import Known
from crosscheck.spec import GATES
from crosscheck.strategies import EVERYTHING, supports
from crosscheck.verdict import Status, judge

if TYPE_CHECKING:
    from benchmarks.planted import PLANTINGS
    from benchmarks.planting import Changes, copied
    from benchmarks.unknown import CARRIED, UNKNOWN, Unknown
else:
    from planted import PLANTINGS
    from planting import Changes, copied
    from unknown import CARRIED, UNKNOWN, Unknown

DTYPES = ("float64", "float32")
PARAMETERS = ("dW", "db", "dp")


@dataclass(frozen=True)
class Row:
    """What came of one campaign.

    Attributes:
        mistake: what was planted, by name; empty if nothing.
        cell: the cell.
        seed: what the cases were drawn from.
        caught: whether a case failed.
        findings: what was wrong besides numbers, by kind.
        answers: the explanations, the likeliest first, each the names of its mistakes.
        named: whether the first one is what was planted, or its `twin`.
        twin: whether the first one is another mistake that gives the same bits.
        among: whether any of them is.
        localised: whether the side and the tensors are right; and of a mistake in no catalogue, the reach.
        where: what was said of the place.
        case: the smallest case found, as a line; `T`, `B`, `I` and `H` are its sizes.
        first: the seconds to the first sign of a failure.
        seconds: the seconds to the end.
        processor: those that the processor worked; fewer where it was shared.
    """

    mistake: str
    cell: str
    seed: int = 0
    caught: bool = False
    findings: tuple[str, ...] = ()
    answers: tuple[tuple[str, ...], ...] = ()
    named: bool = False
    twin: bool = False
    among: bool = False
    localised: bool = False
    where: str = ""
    case: str = ""
    T: int = 0
    B: int = 0
    I: int = 0
    H: int = 0
    first: float = 0.0
    seconds: float = 0.0
    processor: float = 0.0


def campaign(
    changes: Changes, row: Row, right: Callable[[Failure], bool], options: Mapping[str, Any], max_examples: int = 200
) -> Row:
    """Return a row filled in: what a campaign on the plain network with changes comes to.

    Args:
        changes: the changes.
        row: the row as far as it is known.
        right: says whether a failure is localised right.
        options: what the network supports; see `crosscheck.strategies.supports`.
        max_examples: the most cases for a dtype.
    """
    first: list[float] = []
    failed: list[Failed] = []

    def listen(event: Event) -> None:
        if isinstance(event, Failing):
            first.append(time.perf_counter() - start)
        elif isinstance(event, Failed):
            failed.append(event)

    with copied(changes) as target:
        start, worked = time.perf_counter(), time.process_time()
        subject = replace(make(target), options=supports({**options, "cell": row.cell}))
        check(subject, listen=listen, seed=row.seed, max_examples=max_examples)
        if not failed:
            return replace(row, seconds=time.perf_counter() - start, processor=time.process_time() - worked)
        failure = explain(subject, failed[0].verdict, failed[0].after)
        seconds, processor = time.perf_counter() - start, time.process_time() - worked
        localised = right(failure)
    case = failure.verdict.case
    answers = tuple(tuple(m.name for m in each.mistakes) for each in failure.diagnosis.explanations)
    twin = bool(answers) and is_twin(row.mistake, answers[0], failure)
    return replace(
        row,
        caught=True,
        findings=tuple(finding.kind for finding in failure.verdict.findings),
        answers=answers,
        named=answers[:1] == ((row.mistake,),) or twin,
        twin=twin,
        among=(row.mistake,) in answers,
        localised=localised,
        where="" if failure.location is None else "; ".join(failure.location.sentences),
        case=str(case),
        T=case.T,
        B=case.B,
        I=case.spec.input_size,
        H=case.spec.hidden_size,
        first=first[0],
        seconds=seconds,
        processor=processor,
    )


def known(job: tuple[str, str]) -> Row:
    """Return what comes of a mistake of the catalogue in a cell."""
    name, cell = job
    mistake = CATALOGUE[name]

    def right(failure: Failure) -> bool:
        if failure.location is None:
            return {finding.name for finding in failure.verdict.findings} <= set(mistake.tensors)
        wrong = wrong_in(name, failure.location.case)
        outputs = any(tensor in failure.location.case.output_names for tensor in wrong)
        return failure.location.outputs == outputs and set() < set(failure.location.wrong) <= wrong

    return campaign(PLANTINGS[name], Row(name, cell), right, mistake.options)


def is_twin(name: str, answer: tuple[str, ...], failure: Failure) -> bool:
    """Say whether an answer is another mistake that gives the same bits where the failure was looked at."""
    if name not in CATALOGUE or len(answer) != 1 or answer == (name,):
        return False
    cases = [failure.verdict.case, *([] if failure.location is None else [failure.location.case])]
    networks = [make(planted(CATALOGUE[each])) for each in (name, *answer)]
    pairs = [[run(network, case).values for network in networks] for case in cases]
    return all(
        one.keys() == other.keys() and all(np.array_equal(one[t], other[t], equal_nan=True) for t in one)
        for one, other in pairs
    )


def wrong_in(name: str, case: Case) -> set[str]:
    """Return what a mistake makes wrong in a case, by the catalogue's own network with the mistake in it."""
    subject = make(planted(CATALOGUE[name]))
    result = run(subject, case)
    verdict = judge(subject.name, case, result, Known(case).worst, {} if result.finite else Known(case).overflows)
    return {check.name for check in verdict.checks if check.status is Status.FAIL}


def unknown(job: tuple[str, str]) -> Row:
    """Return what comes of a mistake that is in no catalogue."""
    name, cell = job
    mistake = UNKNOWN[name]

    def right(failure: Failure) -> bool:
        return is_placed(mistake, failure.location)

    return campaign(mistake.changes, Row(name, cell), right, mistake.options)


def is_placed(mistake: Unknown, location: Location | None) -> bool:
    """Say whether a mistake that is in no catalogue is found where it is."""
    if location is None or location.outputs != mistake.outputs:
        return False
    if mistake.outputs:
        return True
    wrong = {tensor for tensor in location.wrong if tensor.startswith(PARAMETERS)}
    carried = location.reach is Reach.CARRIED
    return (
        wrong == set(mistake.parameters)
        and carried == (mistake.reach == CARRIED)
        and (not mistake.gates or location.gates == tuple(mistake.gates))
    )


def right(job: tuple[int, int]) -> Row:
    """Return what comes of the network without a mistake, with a seed; the seeds go round the cells and dtypes."""
    seed, cases = job
    cell = list(GATES)[seed % len(GATES)]
    dtype = DTYPES[seed // len(GATES) % len(DTYPES)]
    return campaign((), Row("", cell, seed), lambda _: False, {**EVERYTHING, "dtype": dtype}, cases)


def cells_of(name: str, every: bool) -> tuple[str, ...]:
    """Return the cells to plant a mistake of the catalogue in: that of its smallest case, or all that it names."""
    mistake = CATALOGUE[name]
    return supports(mistake.options)["cell"] if every else (Case.parse(mistake.case).spec.cell,)


def table(rows: Sequence[Row]) -> Table:
    """Return the rows as a table."""
    result = Table(
        "mistake", "cell", "caught", "first answer", "localised", "T B I H", "first s", "all s", "processor s"
    )
    for row in rows:
        answer = "right" if row.named and not row.twin else " and ".join(row.answers[0]) if row.answers else "none"
        answer += ", its twin" if row.twin else ""
        sizes = f"{row.T} {row.B} {row.I} {row.H}"
        said = ("yes" if row.caught else "NO", answer, "yes" if row.localised else "NO")
        result.add_row(
            row.mistake, row.cell, *said, sizes, f"{row.first:.2f}", f"{row.seconds:.1f}", f"{row.processor:.1f}"
        )
    return result


def totals(rows: Sequence[Row]) -> Iterator[str]:
    """Yield what all rows come to, a line each."""
    caught = [row for row in rows if row.caught]
    yield f"caught      {_share(row.caught for row in rows)}"
    twins = sum(row.twin for row in rows)
    yield f"named       {_share(row.named for row in rows)}, {twins} of them by a twin"
    yield f"among       {_share(row.among for row in rows)} are among the answers"
    yield f"misnamed    {_share(bool(row.answers) and not row.named for row in rows)}"
    yield f"localised   {_share(row.localised for row in rows)}"
    for label, of in (("first sign", "first"), ("in all", "seconds"), ("processor", "processor")):
        seconds = [getattr(row, of) for row in caught]
        if seconds:
            yield f"{label:<11} {median(seconds):.2f} s in the middle, {max(seconds):.2f} s at the most"


def accusations(rows: Sequence[Row]) -> Iterator[str]:
    """Yield what came of the network without a mistake, a line each."""
    yield f"accused     {_share(row.caught for row in rows)} runs of the right network"
    yield from (f"seed {row.seed}: {row.case}" for row in rows if row.caught)


def _share(said: Iterable[bool]) -> str:
    each = list(said)
    return f"{sum(each)} of {len(each)} ({sum(each) / max(1, len(each)):.1%})"


@click.command()
@click.option("--only", multiple=True, metavar="NAME", help="Plant this mistake alone. Repeatable.")
@click.option("--every-cell", is_flag=True, help="Plant each mistake in every cell that it can be made in.")
@click.option("--unknown", "of_unknown", is_flag=True, help="Plant the mistakes that no catalogue has.")
@click.option("--right", "runs", type=click.IntRange(1), metavar="N", help="Run the right network N times.")
@click.option("--cases", default=20, show_default=True, help="Cases in each run of the right network.")
@click.option("--workers", default=2, show_default=True, help="Processes.")
@click.option("--json", "path", type=click.Path(path_type=Path), help="Write the rows to this file.")
def main(
    only: tuple[str, ...],
    every_cell: bool,
    of_unknown: bool,
    runs: int | None,
    cases: int,
    workers: int,
    path: Path | None,
) -> None:
    """Measure what is said of wrong networks."""
    names: Mapping[str, Any] = UNKNOWN if of_unknown else PLANTINGS
    strangers = [name for name in only if name not in names]
    if strangers:
        raise click.BadParameter(f"no mistake {', '.join(strangers)}", param_hint="--only")
    asked = [name for name in names if not only or name in only]
    with ProcessPoolExecutor(workers) as pool:
        if runs is not None:
            total, done = runs, pool.map(right, [(seed, cases) for seed in range(runs)])
        elif of_unknown:
            total, done = len(asked), pool.map(unknown, [(name, UNKNOWN[name].cell) for name in asked])
        else:
            jobs = [(name, cell) for name in asked for cell in cells_of(name, every_cell)]
            total, done = len(jobs), pool.map(known, jobs)
        rows = []
        for row in track(done, total=total, console=Console(stderr=True), transient=True):
            rows.append(row)
            if path is not None:  # as far as it has come
                path.write_text(json.dumps([asdict(row) for row in rows]))
    console = Console(width=150)
    if runs is None:
        console.print(table(rows))
    for line in totals(rows) if runs is None else accusations(rows):
        console.print(line, highlight=False)


if __name__ == "__main__":
    main()
