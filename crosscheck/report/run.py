"""A run as its stream tells it, in plain data: what every report is made from.

A run is written as NDJSON, a line an event, while it goes on (`crosscheck.report.stream`), and read back as a `Run`. So
a report made during a run and one made from its file a year later are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from crosscheck.plain import JSON


@dataclass(frozen=True)
class Tested:
    """A subject.

    Attributes:
        name: the text that it was loaded by, or the name of the function.
        file, line: where it is defined, the file relative to the working folder if it is in there; "" and 0 if unknown.
        notes: what is not checked of it, in words.
    """

    name: str
    file: str = ""
    line: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What a case came to for one subject.

    Attributes:
        subject: its name.
        status: PASS, FAIL or INCONCLUSIVE.
        ratio: the largest error, in units of its bound.
        resolution: the smallest fault, relative, that would have been seen.
    """

    subject: str
    status: str
    ratio: float
    resolution: float


@dataclass(frozen=True)
class Row:
    """A case that was checked: its line, its cell and dtype, and what it came to for each subject."""

    case: str
    cell: str
    dtype: str
    proven: bool
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class Heat:
    """The error of a tensor over units and steps.

    Attributes:
        tensor: its name.
        rows: what a row is: "unit" or "input", or "row of W_hh" and so on.
        error: the largest error over the batch in units of the bound, a row a unit, a column a step of time.
        columns: what a column is: "step", or "the cotangent at step t alone" for a tensor that has no steps.
    """

    tensor: str
    rows: str
    columns: str
    error: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Norms:
    """The size of a gradient on its way back through time.

    Attributes:
        what: "dh", or "dx" of a subject that returns no dh_0.
        got, want: the norm at each step, the first being step 0; NaN where it is not to be had.
    """

    what: str
    got: tuple[float, ...]
    want: tuple[float, ...]


@dataclass(frozen=True)
class Picture:
    """What there is to see of a failure, on a case like it that is large enough to show something.

    Attributes:
        case: the line of that case.
        heats: the errors over units and steps, the most telling first; perhaps none.
        norms: the gradient through time; None where it can't be had.
    """

    case: str
    heats: tuple[Heat, ...] = ()
    norms: Norms | None = None


@dataclass(frozen=True)
class Shown:
    """A failure.

    Attributes:
        subject: the subject's name.
        case: the line of the smallest case found.
        after: how many cases it took; None if the case was given.
        verdict: as `crosscheck.plain.plain_verdict` has it.
        where: where it is wrong, a sentence each.
        diagnosis: as `crosscheck.record` keeps it: explanations, each with its mistakes, their right and wrong lines;
            signatures; how many were tried.
        agreed: who else computes what is right.
        again: the command that shows it again.
        kept: the name of the folder it is kept in; "" if it isn't.
        text: all of this as the terminal shows it.
        picture: what there is to see; None if nothing.
    """

    subject: str
    case: str
    after: int | None
    verdict: Mapping[str, JSON]
    where: tuple[str, ...]
    diagnosis: Mapping[str, JSON]
    agreed: tuple[str, ...]
    again: str
    kept: str
    text: str
    picture: Picture | None = None


@dataclass(frozen=True)
class Group:
    """A cell in a dtype: the fields are those of `crosscheck.campaign.Tally`."""

    cell: str
    dtype: str
    cases: int
    proven: int
    inconclusive: int
    failed: int
    ratio: float
    resolution: float
    seconds: float


@dataclass(frozen=True)
class Run:
    """A whole run, or as much of it as its file holds.

    Attributes:
        date: when it began, UTC, ISO 8601.
        versions: by name.
        command: the command line, or what else ran it, such as "pytest".
        seed: what the cases were drawn from.
        settings: what else it was told, in plain data.
        subjects, rows, failures, groups: what happened, in order.
        covered: how many cases showed what; see `crosscheck.campaign.Report.covered`.
        notes: what was noted of subjects and is no fault: the subject, the text, in how many cases.
        status: PASS, FAIL or INCONCLUSIVE; "" of a run that did not come to its end.
        stopped: whether the time was up before all cases were checked.
    """

    date: str
    versions: Mapping[str, str]
    command: str
    seed: int
    settings: Mapping[str, JSON] = field(default_factory=dict)
    subjects: tuple[Tested, ...] = ()
    rows: tuple[Row, ...] = ()
    failures: tuple[Shown, ...] = ()
    groups: tuple[Group, ...] = ()
    covered: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[tuple[str, str, int], ...] = ()
    status: str = ""
    stopped: bool = False
