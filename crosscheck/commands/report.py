"""`crosscheck report`: make reports of a run that was streamed to a file."""

from __future__ import annotations

from pathlib import Path

import click

from crosscheck.exits import PASSED


@click.command()
@click.argument("run", metavar="RUN.ndjson", type=click.Path(dir_okay=False))
@click.option("--format", "asked", multiple=True, metavar="FORMAT,...", help="Make these alone.")
@click.option(
    "-o", "--output", "folder", metavar="DIR", type=click.Path(file_okay=False), help="Where to, if not beside the run."
)
def command(run: str, asked: tuple[str, ...], folder: str | None) -> int:
    """Make reports of a run from the file that `crosscheck run --report` writes while it goes on.

    Without --format, all that there are: junit, for systems that run tests; md, for the page of a job; html, to look
    at; github, annotations, which are printed. They are the same as those made when the run ended.
    """
    from crosscheck.report.formats import formats, names
    from crosscheck.report.reports import write
    from crosscheck.report.stream import read

    chosen = formats(asked or (name for name in names() if name != "ndjson"))
    write(read(Path(run)), chosen, Path(folder) if folder else Path(run).parent, click.echo)
    return PASSED
