"""`crosscheck mistakes`: the catalogue of known mistakes, to read."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import click

from crosscheck.errors import ArgumentError
from crosscheck.exits import PASSED

if TYPE_CHECKING:
    from crosscheck.mistakes.mistake import Mistake


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--cell", help="Those that may be made in this cell.")
def command(names: tuple[str, ...], cell: str | None) -> int:
    """List the mistakes that a diagnosis knows, or show those of some names at length.

    A NAME may be the beginning of several: `crosscheck mistakes lstm.`
    """
    from crosscheck.mistakes.catalogue import CATALOGUE

    known = [mistake for mistake in CATALOGUE.values() if cell is None or cell in mistake.cells]
    if cell is not None and not known:
        raise ArgumentError("cell", repr(cell), "one of rnn_tanh, rnn_relu, lstm, gru")
    for name in names:
        if not any(mistake.name.startswith(name) for mistake in known):
            near = difflib.get_close_matches(name, [mistake.name for mistake in known], n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ArgumentError("name", repr(name) + hint, "the name of a mistake, or its beginning")
    chosen = [mistake for mistake in known if mistake.name.startswith(names)] if names else known
    for mistake in chosen:
        click.echo("\n".join(_at_length(mistake) if names else [f"{mistake.name:<46}{mistake.says}"]))
    if not names:
        click.echo(f"\n{len(chosen)} mistakes; crosscheck mistakes NAME shows one at length")
    return PASSED


def _at_length(mistake: Mistake) -> list[str]:
    return [
        f"{mistake.name}   {mistake.family}",
        f"  says         {mistake.says}",
        f"  should be    {mistake.right}",
        f"  was          {mistake.wrong}",
        f"  belief       {mistake.belief}",
        *([f"  source       {mistake.source}"] if mistake.source else []),
        f"  in           {', '.join(mistake.cells)}",
        f"  smallest     {mistake.case}: {', '.join(mistake.tensors)}",
        "",
    ]
