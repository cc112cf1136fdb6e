"""The reports on a run, made in a folder while it goes on and when it is over."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import IO

from crosscheck.campaign import Event
from crosscheck.errors import ArgumentError
from crosscheck.picture import picture
from crosscheck.plain import JSON
from crosscheck.report.formats import Format, formats, ndjson
from crosscheck.report.run import Run
from crosscheck.report.stream import Stream, read

FOLDER = Path("crosscheck-report")


class Reports:
    """A listener that streams what it hears of to a file, and makes the reports from that when it is left.

        with Reports(["junit", "md"], command="my checks") as reports:
            for subject in map(make, (mine, other)):
                check(subject, listen=explaining([subject], reports))

    It may hear of any number of campaigns, or of events that somebody else makes: `Started` names subjects, `Checked`
    has the verdicts on a case, `crosscheck.failure.explained` makes an event of a failing one, `GroupDone` and `Ended`
    have the sums. `assert_agrees(mine, listen=reports)` explains by itself. If it is left by an exception, the reports
    say that the run did not come to its end.

    Args:
        asked: the names of formats; see `crosscheck.report.formats`.
        folder: where the files go; it is made if it isn't there.
        command: the command line, or what else runs it, such as "pytest".
        seed: what the cases are drawn from.
        settings: what else it was told, in plain data.
        echo: prints what is to be printed: a report that has no file, and the names of those that have.

    Raises:
        ArgumentError: there is no such format, or the folder can't be written.
    """

    def __init__(
        self,
        asked: Iterable[str],
        folder: Path = FOLDER,
        command: str = "",
        seed: int = 0,
        settings: Mapping[str, JSON] | None = None,
        echo: Callable[[str], object] = print,
    ) -> None:
        self.formats, self.folder, self.echo = formats(asked), folder, echo
        to_files = any(format.FILE for format in self.formats.values())
        self.path = folder / ndjson.FILE if to_files else None
        self._memory = io.StringIO()
        self.file: IO[str] = _opened(self.path) if self.path else self._memory
        self.stream = Stream(self.file, command, seed, settings, picture if self.path else None)

    def __enter__(self) -> Reports:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.close(ended=kind is None)

    def __call__(self, event: Event) -> None:
        """Hear of an event."""
        self.stream(event)

    def close(self, ended: bool = True) -> None:
        """Make the reports.

        Args:
            ended: whether the run came to its end.
        """
        if ended:
            self.stream.close()
        run = read(self.path or self._memory.getvalue())
        self.file.close()
        if self.path:
            self.echo(f"wrote {self.path}")
        others = {name: format for name, format in self.formats.items() if format is not ndjson}
        write(run, others, self.folder, self.echo)


def joined(runs: Sequence[Run]) -> Run:
    """Return runs that went on side by side, such as in the processes of one test session, as one.

    Args:
        runs: at least one; what is said of the whole, but for the date, is what the first says.
    """
    statuses = {run.status for run in runs}
    counts = {name: sum(run.covered.get(name, 0) for run in runs) for name in chain(*(run.covered for run in runs))}
    noted: dict[tuple[str, str], int] = {}
    for subject, text, cases in chain(*(run.notes for run in runs)):
        noted[subject, text] = noted.get((subject, text), 0) + cases
    return replace(
        runs[0],
        date=min(run.date for run in runs),
        subjects=tuple({tested.name: tested for tested in chain(*(run.subjects for run in runs))}.values()),
        rows=tuple(chain(*(run.rows for run in runs))),
        failures=tuple(chain(*(run.failures for run in runs))),
        groups=tuple(chain(*(run.groups for run in runs))),
        covered=counts,
        notes=tuple((*key, cases) for key, cases in noted.items()),
        status=next(status for status in ("", "FAIL", "PASS", "INCONCLUSIVE") if status in statuses),
        stopped=any(run.stopped for run in runs),
    )


def write(run: Run, asked: Mapping[str, Format], folder: Path, echo: Callable[[str], object]) -> None:
    """Make reports on a run.

    Args:
        run: the run.
        asked: the formats by name.
        folder: where the files go; it is made if it isn't there.
        echo: prints what has no file, and the names of the files.

    Raises:
        ArgumentError: they can't be written there.
    """
    for format in asked.values():
        text = format.render(run)
        if not format.FILE:
            echo(text)
            continue
        path = folder / format.FILE
        new = path.with_name(f".{path.name}.new")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            new.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
            os.replace(new, path)
        except OSError as error:
            raise ArgumentError("report-dir", f"{path}: {error.strerror}", "a folder that can be written") from error
        echo(f"wrote {path}")


def _opened(path: Path) -> IO[str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("w", encoding="utf-8", newline="\n")
    except OSError as error:
        raise ArgumentError("report-dir", f"{path}: {error.strerror}", "a folder that can be written") from error
