"""`crosscheck init`: write a subject file to start from."""

from __future__ import annotations

from pathlib import Path

import click

from crosscheck.errors import ArgumentError
from crosscheck.exits import PASSED


@click.command()
@click.argument("target")
@click.option("--as", "adapter", metavar="ADAPTER", help="What makes a subject of it; by its looks if not given.")
@click.option("--cell", help="Which cell it is, if that can't be seen.")
@click.option("--stdout", "prints", is_flag=True, help="Print the file, and write none.")
def command(target: str, adapter: str | None, cell: str | None, prints: bool) -> int:
    """Write crosscheck_NAME.py, a commented subject file to start from.

    TARGET is package.module:attr or path/to/file.py:attr: a torch.nn.Module, a torch.autograd.Function, a class with
    forward and backward, a function; or path/to/file.py:forward,backward, two functions.
    """
    from crosscheck.sketch import sketch

    made = sketch(target, adapter, cell)
    if prints:
        click.echo(made.text, nl=False)
        return PASSED
    file = Path(made.file)
    if file.exists():
        raise ArgumentError("init", f"{file}, which is there already", "that file out of the way, or --stdout")
    file.write_text(made.text, encoding="utf-8")
    click.echo(f"wrote {file}{f', as {made.adapter}' if made.adapter else ''}")
    run = f"crosscheck run {file}:{made.name}"
    click.echo(f"next  {run}" if made.runs else f"next  what its comment says, and then {run}")
    return PASSED
