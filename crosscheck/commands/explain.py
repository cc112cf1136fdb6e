"""`crosscheck explain`: a failure that was kept, or any case, at length: equations, and numbers step by step."""

from __future__ import annotations

import click

from crosscheck.errors import ArgumentError
from crosscheck.exits import PASSED


@click.command()
@click.argument("name", required=False, metavar="[ID|FILE|DIR]")
@click.option("--case", "line", metavar="LINE", help="Work this case through, without any failure.")
@click.option("--all", "everything", is_flag=True, help="Leave out no step, no sequence and no number.")
def command(name: str | None, line: str | None, everything: bool) -> int:
    """Explain a failure that was kept: what is wrong, why, the equations, and the numbers step by step.

    An ID may be as short as tells it from others. The true numbers stand beside those that the implementation returned.

    With --case, a case is worked through for its own sake: forward, and then backward through time.
    """
    if (name is None) == (line is None):
        raise ArgumentError("ID", "none" if name is None else "one, and --case", "the ID of a failure, or --case LINE")
    from rich.console import Console

    from crosscheck.case import Case
    from crosscheck.keep import find, load
    from crosscheck.report.walk import EVERYTHING, SHORT, explained, walk

    limits = EVERYTHING if everything else SHORT
    console = Console(markup=False, emoji=False, highlight=False)
    if line is not None:
        console.print(walk(Case.parse(line), limits=limits), soft_wrap=True)
        return PASSED
    folders = find(str(name))
    if len(folders) != 1:
        wanted = f"one of {', '.join(folder.name for folder in folders)}" if folders else "a folder with a failure"
        raise ArgumentError("ID", f"{len(folders)} failures in {name}", wanted)
    console.print(explained(load(folders[0]), limits), soft_wrap=True)
    return PASSED
