"""The file of known failures: a test a line, by its node ID or a pattern, and after a # why it fails."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Entry:
    """A line of the file: the pattern of node IDs, and why these fail."""

    pattern: str
    reason: str

    def matches(self, nodeid: str) -> bool:
        """Say whether it means a test; a bracket in it is one, not the beginning of a set of letters."""
        return nodeid == self.pattern or fnmatchcase(nodeid, self.pattern.replace("[", "[[]"))


@dataclass
class Expected:
    """The known failures, and which of them were met.

    Attributes:
        path: the file.
        entries: its lines.
        met: the patterns of those that a test was found for.
    """

    path: Path
    entries: tuple[Entry, ...] = ()
    met: set[str] = field(default_factory=set)

    def entry(self, nodeid: str) -> Entry | None:
        """Return the first entry that means a test, and note all that do; None if none does."""
        found = [entry for entry in self.entries if entry.matches(nodeid)]
        self.met.update(entry.pattern for entry in found)
        return found[0] if found else None

    def stale(self, told: Sequence[Mapping[str, Any]], passed: Collection[str]) -> Iterator[str]:
        """Yield the entries that are to be removed.

        Args:
            told: what each process of a run has met: "entries", and whether it was the "whole" run.
            passed: the tests that were to fail, and did not.
        """
        met = {pattern for each in told for pattern in each["entries"]}
        for entry in self.entries:
            right = [nodeid for nodeid in passed if entry.matches(nodeid)]
            if right:
                yield f"{self.path.name}: {entry.pattern} is stale: {', '.join(sorted(right))} passes"
            elif entry.pattern not in met and told and all(each["whole"] for each in told):
                yield f"{self.path.name}: {entry.pattern} is stale: no test of a recurrent network is called so"


def read(path: Path) -> Expected:
    """Return the known failures of a file; none if there is no file."""
    if not path.is_file():
        return Expected(path)
    lines = (re.split(r"(?:^|\s)#", line, maxsplit=1) for line in path.read_text(encoding="utf-8").splitlines())
    entries = (Entry(line.strip(), "".join(reason).strip()) for line, *reason in lines if line.strip())
    return Expected(path, tuple(entries))
