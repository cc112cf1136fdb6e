"""The journal of a campaign: a line of JSON for each case that was examined, so that none is examined again.

It lies in `.crosscheck/runs/`, named after a digest of all that decides what a campaign finds: targets and their files,
settings, limits, versions. Cases are drawn from a seed and by the verdicts so far, so the same campaign asks for the
same cases in the same order, and as long as the journal has the answers, they come from there: a campaign that was
killed goes on where it was, also within the search for a smaller case. One that reaches its end removes its journal.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from crosscheck.campaign import Ask, Settings
from crosscheck.case import Case
from crosscheck.host import Limits
from crosscheck.implementation import OURS, Subject
from crosscheck.loading import file_of
from crosscheck.plain import plain_verdict, verdict_of
from crosscheck.verdict import Verdict
from crosscheck.versions import versions

FORMAT = 2
FOLDER = Path(".crosscheck")
RUNS = FOLDER / "runs"
VERSIONS = ("numpy", "torch", "hypothesis", "python-flint")


def identity(subjects: Sequence[Subject], settings: Settings, limits: Limits | None) -> str:
    """Return the name of a campaign: equal for two that find the same.

    Args:
        subjects: the subjects.
        settings: how it is run.
        limits: of subjects in a process of their own; None: they run in this one.
    """
    described = {
        "format": FORMAT,
        "targets": {subject.name: _content(subject.name) for subject in subjects},
        "settings": asdict(settings),
        "limits": limits and asdict(limits),
        "versions": versions(VERSIONS),
    }
    return hashlib.sha256(json.dumps(described, sort_keys=True, default=str).encode()).hexdigest()[:12]


class Journal:
    """The record of one campaign.

    Args:
        name: its `identity`.
        resume: whether to go on with the longest record of an unfinished campaign of this name.

    Attributes:
        path: the file.
        known: how many verdicts on cases were in it.
        unfinished: how many are in the longest other one of this name, which is not used.

    Raises:
        OSError: it can't be written.
    """

    def __init__(self, name: str, resume: bool) -> None:
        self.name = name
        RUNS.mkdir(parents=True, exist_ok=True)
        (RUNS / ".gitignore").write_text("*\n", encoding="utf-8")
        others = {path: len(_lines(path)) for path in sorted(RUNS.glob(f"{name}-*.ndjson")) if not _in_use(path)}
        longest = max(others, key=others.__getitem__, default=None)
        self.unfinished = others[longest] if longest and not resume else 0
        self.path = longest if longest and resume else _free(name)
        lines = _lines(self.path) if self.path.exists() else []
        self.known = len(lines)
        self._kept: defaultdict[str, deque[Any]] = defaultdict(deque)
        for line in lines:
            entry = json.loads(line)
            self._kept[entry["asked"]].append(entry["verdicts"])
        self._file: IO[bytes] = self.path.open("ab")
        _lock(self._file)
        self._file.truncate(sum(map(len, lines)))  # the last line may be torn

    def recorded(self, ask: Ask) -> Ask:
        """Return what gives the verdicts on a case from the journal, or asks and writes them there."""

        def asked(subjects: Sequence[Subject], case: Case, deep: bool | None) -> tuple[Verdict, ...]:
            key = f"{case} {deep} {', '.join(subject.name for subject in subjects)}"
            if self._kept[key]:
                return tuple(verdict_of(entry, entry["subject"], case) for entry in self._kept[key].popleft())
            verdicts = ask(subjects, case, deep)
            line = json.dumps({"asked": key, "verdicts": [{"subject": v.subject} | plain_verdict(v) for v in verdicts]})
            self._file.write(line.encode() + b"\n")
            self._file.flush()
            return verdicts

        return asked

    def finish(self) -> None:
        """Remove the journal, and those of the same campaign that were left; the campaign is at its end."""
        self._file.close()
        for path in RUNS.glob(f"{self.name}-*.ndjson"):
            if not _in_use(path):
                path.unlink(missing_ok=True)
        _tidy()

    def close(self) -> None:
        """Close the file; the campaign may go on later, if there is anything in it."""
        self._file.close()
        if self.path.exists() and self.path.stat().st_size == 0:
            self.path.unlink()
            _tidy()


def _tidy() -> None:
    """Remove the folders if there is nothing in them."""
    if [path.name for path in RUNS.iterdir()] == [".gitignore"]:
        (RUNS / ".gitignore").unlink()
        RUNS.rmdir()
        with contextlib.suppress(OSError):  # there is more in it
            FOLDER.rmdir()


def _free(name: str) -> Path:
    number = 1
    while (path := RUNS / f"{name}-{number}.ndjson").exists():
        number += 1
    return path


def _lines(path: Path) -> list[bytes]:
    """Return the lines of a journal, up to the first that is torn."""
    lines = []
    for line in path.read_bytes().splitlines(keepends=True):
        if not line.endswith(b"\n") or not _is_entry(line):
            break
        lines.append(line)
    return lines


def _is_entry(line: bytes) -> bool:
    try:
        entry = json.loads(line)
    except ValueError:
        return False
    return isinstance(entry, dict) and entry.keys() == {"asked", "verdicts"}


def _lock(file: IO[bytes]) -> None:
    """Hold a file for as long as it is open.

    Raises:
        OSError: somebody else does.
    """
    with contextlib.suppress(ImportError):  # where there are no such locks
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _in_use(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            _lock(file)
    except OSError:
        return True
    return False


def _content(target: str) -> str:
    """Return a digest of the file that a target is in; empty where that is not to be found."""
    place, _, _ = target.rpartition(":")
    path = file_of(place)
    if target in OURS or path is None or not path.is_file():
        return ""
    return hashlib.sha256(path.read_bytes()).hexdigest()
