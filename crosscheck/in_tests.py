"""What a test does with the plugin: check a subject on cases that are drawn, on one case, or by golden vectors.

A failure is an `AssertionError` that carries what the command line shows. What happens is streamed, so that reports can
be made of a whole run of pytest, of several processes too.
"""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import currently_in_test_context, reject

from crosscheck.adapters import AS_OURS, conventions_of, text_of
from crosscheck.api import check
from crosscheck.campaign import Checked, Event, Explained, Report, Started, explaining, within
from crosscheck.campaign import Settings as Drawing
from crosscheck.case import Case
from crosscheck.errors import ArgumentError
from crosscheck.examine import examine
from crosscheck.failure import explained
from crosscheck.golden.check import Checked as Judged
from crosscheck.golden.check import judged, uses
from crosscheck.golden.files import exists, load, save
from crosscheck.golden.record import drawn, record, recorded, recording
from crosscheck.golden.vector import Golden, Vector
from crosscheck.host import hosted
from crosscheck.implementation import Subject, make
from crosscheck.keep import keep
from crosscheck.picture import picture
from crosscheck.record import record as record_failure
from crosscheck.report.failure import failure_text
from crosscheck.report.formats import formats, ndjson
from crosscheck.report.reports import FOLDER, joined, write
from crosscheck.report.stream import Stream, lines, read
from crosscheck.verdict import Status, Verdict

if TYPE_CHECKING:
    import pytest

    from crosscheck.failure import Failure
    from crosscheck.pytest_plugin import Settings

DRAWN = Drawing(max_examples=20)  # golden vectors for each cell and dtype, where a set is begun


class CheckFailed(AssertionError):  # noqa: N818  what tests raise is called so
    """A check failed.

    Args:
        short: what failed, in a line.
        text: returns what there is to say, as the command line says it; asked for once, when the test has failed: of
            the many failures on Hypothesis' way to the smallest, the last alone is explained.
    """

    def __init__(self, short: str, text: Callable[[], str] | None = None) -> None:
        super().__init__(short)
        self._text = text or (lambda: short)

    @property
    def crosscheck_text(self) -> str:
        """What there is to say."""
        return self._text()


class Session:
    """One process of a run of pytest.

    Args:
        settings: what is asked for.

    Attributes:
        checker, vectors: the two fixtures.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._text = io.StringIO()
        self._stream = Stream(self._text, "pytest", draw=picture if settings.reports else None)
        self.checker = Checker(settings, self._stream)
        self.vectors = Vectors(settings, self._stream)

    def marked(self, function: Callable[[Any], Any], marker: pytest.Mark, name: str) -> None:
        """Check a marked test as a subject.

        Args:
            function: what takes a case.
            marker: its cells, and what else `crosscheck.check` takes.
            name: what it is called.
        """
        __tracebackhide__ = True
        options = dict(marker.kwargs)
        if marker.args:
            options["cell"] = marker.args
        self.checker._check(replace(make(function), name=name), options)

    def told(self) -> dict[str, Any]:
        """Return what there is to tell at the end, in plain data."""
        self._stream.close()
        return {"events": self._text.getvalue(), **self.vectors.told()}


class Checker:
    """The fixture `crosscheck`: checks a subject, and raises `CheckFailed` if it is wrong."""

    def __init__(self, settings: Settings, stream: Stream) -> None:
        self._settings, self._stream = settings, stream

    def __call__(
        self, target: Any, *, adapter: str | None = None, conventions: Mapping[str, str] | None = None, **options: Any
    ) -> None:
        """Check a subject on cases that are drawn.

        Args:
            target: a callable, or a text as on the command line; or, with an adapter, whatever that takes.
            adapter: see `crosscheck run --adapters`.
            conventions: how the target lays out what it takes and returns, by name, for the adapter.
            options: as of `crosscheck.check`: cell, max_examples, seed and so on.

        Raises:
            CheckFailed: it is wrong, or nothing was checked.
            ArgumentError: see `crosscheck.check`.
        """
        __tracebackhide__ = True
        self._check(subject_of(target, adapter, conventions), options)

    def case(
        self,
        target: Any,
        case: Case | str,
        *,
        adapter: str | None = None,
        conventions: Mapping[str, str] | None = None,
    ) -> None:
        """Check a subject on one case, by all the means there are; the arguments are those of a call.

        Args:
            target: the subject.
            case: the case, or its line.
            adapter: see `crosscheck run --adapters`.
            conventions: for the adapter.
        """
        __tracebackhide__ = True
        subject = subject_of(target, adapter, conventions)
        case = Case.parse(case) if isinstance(case, str) else case
        self._stream(Started((subject,), DRAWN, 0))
        # Hypothesis may try hundreds of cases to explain one: as in a campaign, not each of them by the expensive check
        verdicts = examine((subject,), case, deep=None if currently_in_test_context() else True)
        self._stream(Checked(case, verdicts))
        _raise(self._stream, subject, [verdict for verdict in verdicts if verdict.status is Status.FAIL])
        if not any(verdict.status is Status.PASS for verdict in verdicts):
            if currently_in_test_context():  # it may draw another
                reject()
            raise CheckFailed(f"nothing was checked: {subject.name} on {case} is inconclusive")

    def _check(self, subject: Subject, options: dict[str, Any]) -> None:
        __tracebackhide__ = True
        failures: list[Explained] = []

        def heard(event: Event) -> None:
            if isinstance(event, Explained):
                failures.append(event)
            self._stream(event)

        options = {"max_examples": self._settings.max_examples} | options
        report: Report = check(subject, listen=explaining((subject,), heard, kept), **options)
        if failures:
            texts = [failure_text(event.failure, event.kept).strip("\n") for event in failures]
            raise CheckFailed("\n\n".join(texts))
        if report.cases == report.inconclusive:
            raise CheckFailed(f"nothing was checked: {report.cases} cases, {report.inconclusive} inconclusive")


class Vectors:
    """The fixture `crosscheck_golden`: checks a subject by golden vectors, and raises `CheckFailed` if it is wrong."""

    def __init__(self, settings: Settings, stream: Stream) -> None:
        self._settings, self._stream = settings, stream
        self._sets: dict[Path, Golden] = {}
        self._used: dict[Path, set[str]] = {}
        self._written: dict[Path, set[str]] = {}

    def __call__(
        self,
        target: Any,
        *lines: str,
        folder: Path | str | None = None,
        adapter: str | None = None,
        conventions: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        """Check a subject by the vectors of a set.

        Args:
            target: the subject; see `Checker`.
            lines: the lines of the cases whose vectors it is checked by; if none, by all that it supports. One that is
                missing is recorded, and the check fails.
            folder: of the set, from the root; that of the ini file if None.
            adapter: see `crosscheck run --adapters`.
            conventions: for the adapter.
            options: what it supports that it doesn't say itself, such as cell="lstm".

        Raises:
            CheckFailed: it is wrong, or a vector is missing, or there is none for it.
            ArgumentError: the set is not whole, or a line makes no vector.
        """
        __tracebackhide__ = True
        subject = within(subject_of(target, adapter, conventions), options)
        place = self._settings.folder if folder is None else self._settings.root / folder
        cases = [Case.parse(line) for line in lines]
        new = self._recorded(subject, self._set(place), place, cases)
        golden = self._set(place)
        wanted = {str(case) for case in cases}
        chosen = [v for v in golden.valid if (str(v.case) in wanted if wanted else uses(subject, v))]
        self._used.setdefault(place, set()).update(vector.id for vector in chosen)
        self._judge(subject, chosen)
        if new and not self._settings.update:
            named = ", ".join(vector.id for vector in new[:3]) + (f" and {len(new) - 3} more" if len(new) > 3 else "")
            raise CheckFailed(f"{named} missing in {place}: recorded; look at it, keep it, and run again")
        if not chosen:
            raise CheckFailed(f"{place} has no vector for {subject.name}")

    def told(self) -> dict[str, Any]:
        """Return which vectors were written, and of each set that was used, which there are and which were used."""
        used = {
            str(place): {"all": [vector.id for vector in self._sets[place].valid], "used": sorted(ids)}
            for place, ids in self._used.items()
        }
        return {"vectors": used, "written": {str(place): sorted(ids) for place, ids in self._written.items()}}

    def _set(self, place: Path) -> Golden:
        if place not in self._sets:
            self._sets[place] = load(place) if exists(place) else Golden()
        return self._sets[place]

    def _recorded(self, subject: Subject, golden: Golden, place: Path, cases: Sequence[Case]) -> tuple[Vector, ...]:
        """Record what is to be recorded: what is missing, or, if asked for, all; return it."""
        __tracebackhide__ = True
        known = {str(vector.case): vector for vector in golden.valid}
        done = self._written.setdefault(place, set())
        if cases:
            wanted = [c for c in cases if str(c) not in known or self._settings.update == "all"]
        elif not known:
            wanted = list(drawn(subject, DRAWN))
        else:
            wanted = [v.case for v in known.values() if self._settings.update == "all" and uses(subject, v)]
        wanted = [case for case in wanted if str(case) not in known or known[str(case)].id not in done]
        if not wanted:
            return ()
        if not self._settings.alone:
            raise CheckFailed(f"{len(wanted)} vectors missing in {place}: run without -n, so that they are recorded")
        now = recording(subject.name)
        of_drawn = () if cases or known else recorded(wanted, now, subject)  # one that was drawn may make no vector
        new = tuple(of_drawn or (record(case, now, subject) for case in wanted))
        self._sets[place] = golden.with_vectors(new)
        save(self._sets[place], place)
        done.update(vector.id for vector in new)
        return new

    def _judge(self, subject: Subject, vectors: Sequence[Vector]) -> None:
        __tracebackhide__ = True
        self._stream(Started((subject,), DRAWN, 0))
        verdicts: dict[str, Verdict] = {}
        for vector in vectors:
            verdicts[vector.id] = judged(subject, vector)
            self._stream(Checked(vector.case, (verdicts[vector.id],)))
        seen = Judged(verdicts, ())
        _raise(self._stream, subject, seen.shown, len(seen.failures))


def subject_of(target: Any, adapter: str | None, conventions: Mapping[str, str] | None) -> Subject:
    """Return the subject for what a test names; a text's runs in a process of its own, as on the command line."""
    said = AS_OURS if conventions is None else conventions_of(["=".join(pair) for pair in conventions.items()])
    if isinstance(target, str):
        return hosted(target if adapter is None else text_of(target, adapter, said))[0]
    subject = make(target, adapter, said)
    return subject if adapter or isinstance(target, Subject) else replace(subject, name=_text(target) or subject.name)


def _text(target: Any) -> str:
    """Return the text by which the command line loads a function of a file in the working folder; "" if there is none.

    A failure of it can be kept, and the command that shows it again is one that works.
    """
    if (
        not inspect.isfunction(target)
        or getattr(inspect.getmodule(target), "__dict__", {}).get(target.__name__) != target
    ):
        return ""
    path = Path(target.__code__.co_filename)
    return f"{path.relative_to(Path.cwd()).as_posix()}:{target.__name__}" if path.is_relative_to(Path.cwd()) else ""


def kept(subject: Subject, failure: Failure) -> str:
    """Keep a failure of a subject that can be loaded again; return the name of its folder, or ""."""
    if ":" not in subject.name or "::" in subject.name:
        return ""
    try:
        return keep(record_failure(subject, failure)).name
    except ArgumentError:
        return ""


def _raise(stream: Stream, subject: Subject, failing: Sequence[Verdict], count: int = 0) -> None:
    """Raise if there are failing verdicts.

    Args:
        stream: told of each.
        subject: what fails.
        failing: the verdicts to show.
        count: how many there are in all.

    Raises:
        CheckFailed: there are.
    """
    __tracebackhide__ = True
    if not failing:
        return

    def text() -> str:
        texts = []
        for verdict in failing:
            event = explained(subject, verdict, None, kept)
            stream(event)
            texts.append(failure_text(event.failure, event.kept).strip("\n"))
        more = count - len(failing)
        return "\n\n".join([*texts, *([f"{more} more of the vectors fail"] if more > 0 else [])])

    raise CheckFailed(f"{subject.name} fails on {failing[0].case}", text)


def summary(settings: Settings, told: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Make the reports of a run, and yield what there is to say at its end, a line each.

    Args:
        settings: what is asked for.
        told: what each process told.
    """
    parts = [each for each in told if "events" in each]
    written = {place: ids for each in parts for place, ids in each["written"].items() if ids}
    for place, ids in written.items():
        yield f"recorded {len(ids)} vectors in {place}"
    if all(each["whole"] for each in told):
        yield from _unused([each["vectors"] for each in parts])
    if settings.reports:
        run = joined([read(each["events"]) for each in parts])
        if any("lost" in each for each in told):
            run = replace(run, status="")  # a process of it did not come to its end
        lines_of: list[str] = []
        asked = formats(settings.reports)
        if any(format.FILE for format in asked.values()):
            FOLDER.mkdir(parents=True, exist_ok=True)
            (FOLDER / ndjson.FILE).write_text("".join(lines(run)), encoding="utf-8")
            yield f"wrote {FOLDER / ndjson.FILE}"
        write(run, {name: format for name, format in asked.items() if format is not ndjson}, FOLDER, lines_of.append)
        yield from lines_of


def _unused(sets: Sequence[Mapping[str, Mapping[str, Sequence[str]]]]) -> Iterator[str]:
    """Yield of each set the vectors that no test has used."""
    for place in dict.fromkeys(place for each in sets for place in each):
        parts = [each[place] for each in sets if place in each]
        used = {id for part in parts for id in part["used"]}
        unused = [id for id in dict.fromkeys(id for part in parts for id in part["all"]) if id not in used]
        if unused:
            more = f" and {len(unused) - 3} more" if len(unused) > 3 else ""
            yield f"{place}: no test uses {', '.join(unused[:3])}{more}"
