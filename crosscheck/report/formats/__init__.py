"""What is made of a `Run`, a format a file here.

Each has `FILE`, the name that its report has, "" for what is printed; and `render`, which makes it: the same for the
same run. One that needs what isn't installed says so, with an `ArgumentError`, when it is imported.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from crosscheck.errors import ArgumentError
from crosscheck.report.run import Run


class Format(Protocol):
    """A file in this folder."""

    @property
    def FILE(self) -> str:
        """The name of its report; "" if that is printed."""

    def render(self, run: Run) -> str:
        """Return the report on a run."""


def names() -> tuple[str, ...]:
    """Return the names of all formats."""
    return tuple(sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py")))


def formats(asked: Iterable[str]) -> dict[str, Format]:
    """Return formats by name.

    Args:
        asked: their names, perhaps several in a text, with commas.

    Raises:
        ArgumentError: there is none of a name, or it needs what isn't installed.
    """
    wanted = dict.fromkeys(name.strip() for text in asked for name in text.split(","))
    for name in wanted:
        if name not in names():
            raise ArgumentError("report", repr(name), f"some of {', '.join(names())}")
    return {name: cast(Format, import_module(f"{__name__}.{name}")) for name in wanted}
