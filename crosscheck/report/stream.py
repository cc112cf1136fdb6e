"""A run as NDJSON, a line an event, written while it goes on; and a `Run` from what is there.

    {"event": "run", "format": 1, "date": ..., "versions": ..., "command": ..., "seed": ..., "settings": ...}   first
    {"event": "subject", ...}   a subject, when it is first met; the fields are those of `run.Tested`
    {"event": "checked", ...}   a case; `run.Row`
    {"event": "failed", ...}    a failure, explained; `run.Shown`
    {"event": "group", ...}     a cell in a dtype is done; `run.Group`
    {"event": "done", "covered": ..., "notes": ..., "status": ..., "stopped": ...}   last, unless the run was killed

Lines are ASCII. Where JSON has no number, there is its name: "NaN", "Infinity", "-Infinity".
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, TypeVar, cast

from crosscheck.campaign import Checked, Ended, Event, Explained, Failed, GroupDone, Started, Tally
from crosscheck.case import Case
from crosscheck.errors import ArgumentError
from crosscheck.failure import Failure
from crosscheck.implementation import Subject
from crosscheck.plain import JSON, plain_verdict, verdict_of, without_nan
from crosscheck.record import plain_diagnosis
from crosscheck.report.defined import defined
from crosscheck.report.failure import again, failure_text
from crosscheck.report.run import Group, Outcome, Picture, Row, Run, Shown, Tested
from crosscheck.report.typed import typed
from crosscheck.verdict import Status, Verdict
from crosscheck.versions import versions

FORMAT = 1
PACKAGES = ("numpy", "torch", "hypothesis", "python-flint")
BEGUN, DONE = "run", "done"
PARTS: dict[str, tuple[str, type]] = {
    "subject": ("subjects", Tested),
    "checked": ("rows", Row),
    "failed": ("failures", Shown),
    "group": ("groups", Group),
}
"""The events that are a part of a run each: the field that they are gathered in, and what they are."""
Key = TypeVar("Key")
Draw = Callable[[Subject, Verdict], Picture | None]
"""What makes the picture of a failure."""
STATUSES = ("PASS", "FAIL", "INCONCLUSIVE")


@dataclass(frozen=True)
class _Begun:
    """The first line: fields of `Run`."""

    date: str
    versions: Mapping[str, str]
    command: str
    seed: int
    settings: Mapping[str, JSON]


@dataclass(frozen=True)
class _Done:
    """The last line: fields of `Run`."""

    covered: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[tuple[str, str, int], ...] = ()
    status: str = ""
    stopped: bool = False


@dataclass(frozen=True)
class _Explanation:
    mistakes: tuple[Mapping[str, str], ...]
    ulps: float
    cases: int


@dataclass(frozen=True)
class _Diagnosis:
    """What `crosscheck.record.plain_diagnosis` gives."""

    explanations: tuple[_Explanation, ...]
    signatures: tuple[Mapping[str, JSON], ...]
    tried: int
    cases: int


class Stream:
    """A listener that writes what it hears of as NDJSON.

    It may hear of several campaigns, one after another, which are then one run; that is over when `close` is called, or
    a `with` is left without an exception. Failures should be explained when it hears of them; see
    `crosscheck.campaign.explaining`.

    Args:
        file: where to write; it is flushed after each line.
        command: the command line, or what else runs it, such as "pytest".
        seed: what the cases are drawn from.
        settings: what else it was told, in plain data.
        draw: makes the picture of a failure, which takes a second or more; None: there is none.
    """

    def __init__(
        self,
        file: IO[str],
        command: str,
        seed: int = 0,
        settings: Mapping[str, JSON] | None = None,
        draw: Draw | None = None,
    ) -> None:
        self.file, self.draw = file, draw
        self.done = _Done()
        self._met: set[str] = set()
        self._total = Tally("", "")
        date = datetime.now(UTC).isoformat(timespec="seconds")
        self._write(_first(_Begun(date, versions(PACKAGES), command, seed, settings or {})))

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.close()

    def __call__(self, event: Event) -> None:
        """Write an event."""
        match event:
            case Started(subjects):
                for subject in subjects:
                    if subject.name not in self._met:
                        self._met.add(subject.name)
                        self._write(_line("subject", Tested(subject.name, *defined(subject), subject.notes)))
            case Checked(_, verdicts):
                self._total = self._total.plus(verdicts)
                self._write(_line("checked", row(verdicts)))
            case Explained():
                self._failed(event)
            case Failed(verdict, after):
                self._failed(Explained(None, Failure(verdict, after)))
            case GroupDone(tally):
                self._write(_line("group", Group(**vars(tally))))
            case Ended(report):
                covered = _plus(self.done.covered, report.covered)
                noted = _plus({(name, text): cases for name, text, cases in self.done.notes}, report.notes)
                notes = tuple((*key, cases) for key, cases in noted.items())
                stopped = self.done.stopped or report.stopped
                self.done = replace(self.done, covered=covered, notes=notes, stopped=stopped)

    def close(self) -> None:
        """Write that the run is at its end."""
        total = self._total
        passed = Status.INCONCLUSIVE if total.cases == total.inconclusive else Status.PASS
        self.done = replace(self.done, status=(Status.FAIL if total.failed else passed).value)
        self._write(_line(DONE, self.done))

    def _failed(self, event: Explained) -> None:
        self._total = replace(self._total, failed=max(1, self._total.failed))
        verdict = event.failure.verdict
        picture = self.draw(event.subject, verdict) if self.draw and event.subject else None
        self._write(_line("failed", replace(shown(event), picture=picture)))

    def _write(self, line: str) -> None:
        self.file.write(line)
        self.file.flush()


def _plus(counts: Mapping[Key, int], more: Mapping[Key, int]) -> dict[Key, int]:
    """Return the sums of counts, also of what is 0."""
    return {key: counts.get(key, 0) + more.get(key, 0) for key in (*counts, *more)}


def row(verdicts: Sequence[Verdict]) -> Row:
    """Return what the verdicts on a case come to."""
    case = verdicts[0].case
    outcomes = (Outcome(v.subject, v.status.value, float(v.ratio), float(v.resolution)) for v in verdicts)
    return Row(str(case), case.spec.cell, case.dtype, any(v.proven for v in verdicts), tuple(outcomes))


def shown(event: Explained) -> Shown:
    """Return a failure in plain data, without a picture."""
    failure, verdict = event.failure, event.failure.verdict
    return Shown(
        verdict.subject,
        str(verdict.case),
        failure.after,
        plain_verdict(verdict),
        failure.location.sentences if failure.location else (),
        without_nan(plain_diagnosis(failure.diagnosis)),
        failure.agreed,
        again(verdict),
        event.kept,
        failure_text(failure, event.kept).strip("\n"),
    )


def lines(run: Run) -> Iterator[str]:
    """Yield the lines of a run, each with its end: what `read` makes that run of."""
    yield _first(_Begun(run.date, run.versions, run.command, run.seed, run.settings))
    for event, (part, _) in PARTS.items():
        yield from (_line(event, each) for each in getattr(run, part))
    done = _Done(run.covered, run.notes, run.status, run.stopped)
    if done != _Done():
        yield _line(DONE, done)


def read(source: Path | str) -> Run:
    """Return the run that lines tell.

    A last line that is torn is left out; a run without an end has no status.

    Args:
        source: the file; or its text.

    Raises:
        ArgumentError: there is no such file, or a line is none of a run; the message has its number.
    """
    name = str(source) if isinstance(source, Path) else "the text"
    try:
        data = source.read_bytes() if isinstance(source, Path) else source.encode(errors="surrogatepass")
    except OSError as error:
        raise ArgumentError("run", f"{name}: {error.strerror}", "the NDJSON file of a run") from error
    *whole, last = data.split(b"\n")
    run = _Read()
    for number, line in enumerate([*whole, last] if _is_whole(last) else whole, 1):
        try:
            run.take(*_event(line))
        except (ValueError, RecursionError) as error:
            raise ArgumentError(f"line {number} of {name}", error, "a line of a run") from error
    if run.begun is None:
        raise ArgumentError(name, "no whole line", "the NDJSON file of a run")
    parts: dict[str, Any] = {part: tuple(run.parts[part]) for part, _ in PARTS.values()}
    return Run(**vars(run.begun), **parts, **vars(run.done or _Done()))


class _Read:
    """What was read of a run so far."""

    def __init__(self) -> None:
        self.begun: _Begun | None = None
        self.done: _Done | None = None
        self.parts: defaultdict[str, list[Any]] = defaultdict(list)

    def take(self, event: str, data: dict[str, JSON]) -> None:
        """Take one more line.

        Raises:
            ValueError: it is none that may come here.
        """
        if (self.begun is None) is not (event == BEGUN) or self.done is not None:
            raise ValueError(f"the event {event!r} out of place")
        if event == BEGUN:
            if (format := data.pop("format", None)) != FORMAT:
                raise ValueError(f"format {format!r}, and this version reads format {FORMAT}")
            self.begun = typed(_Begun, data)
        elif event == DONE:
            self.done = typed(_Done, data)
            _check_status(self.done.status, "")
        elif event in PARTS:
            part, kind = PARTS[event]
            self.parts[part].append(_sound(typed(kind, data)))
        else:
            raise ValueError(f"the event {event!r}, which this version does not know")


def _sound(part: Any) -> Any:
    """Return a part of a run.

    Raises:
        ValueError: what is plain data in it is not what it should be.
    """
    match part:
        case Row():
            for outcome in part.outcomes:
                _check_status(outcome.status)
        case Shown():
            typed(_Diagnosis, part.diagnosis)
            try:
                verdict_of(part.verdict, part.subject, cast(Case, None))  # the case is only passed on
            except (KeyError, TypeError, AttributeError) as error:
                raise ValueError(f"a verdict that is none: {error!r}") from error
    return part


def _check_status(status: str, *others: str) -> None:
    if status not in (*STATUSES, *others):
        raise ValueError(f"the status {status!r}")


def _is_whole(line: bytes) -> bool:
    try:
        _event(line)
    except (ValueError, RecursionError):
        return False
    return True


def _event(line: bytes) -> tuple[str, dict[str, JSON]]:
    """Return the event of a line, and its other fields.

    Raises:
        ValueError, RecursionError: it is none.
    """
    data: Any = json.loads(line.decode(), parse_constant=_no_constant, object_pairs_hook=_object)
    if isinstance(data, dict) and isinstance(data.get("event"), str):
        return data.pop("event"), data
    raise ValueError("no object with an event")


def _no_constant(text: str) -> float:
    raise ValueError(f"{text}, which is no JSON")


def _object(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name twice in an object")
    return dict(pairs)


def _first(begun: _Begun) -> str:
    return _text({"event": BEGUN, "format": FORMAT, **vars(begun)})


def _line(event: str, what: Any) -> str:
    return _text({"event": event, **vars(what)})


def _text(data: Mapping[str, Any]) -> str:
    return json.dumps(without_nan(data), allow_nan=False) + "\n"
