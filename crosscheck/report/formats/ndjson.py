"""The run itself, a line an event: what every other report is made from; see `crosscheck.report.stream`."""

from __future__ import annotations

from crosscheck.report.run import Run
from crosscheck.report.stream import lines

FILE = "run.ndjson"


def render(run: Run) -> str:
    """Return a run as the lines of its stream, all cases before all failures."""
    return "".join(lines(run))
