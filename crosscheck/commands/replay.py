"""`crosscheck replay`: run failures again that were kept."""

from __future__ import annotations

import click

from crosscheck.exits import MISMATCH, NOTHING, PASSED, USAGE


@click.command()
@click.argument("names", nargs=-1, metavar="[ID|FILE|DIR]...")
@click.option("-v", "--verbose", is_flag=True, help="Show at length what is wrong now.")
def command(names: tuple[str, ...], verbose: bool) -> int:
    """Run failures again that were kept, all under .crosscheck/failures if none is named.

    An ID may be as short as tells it from others. A FILE is a failure.json, a DIR the folder of one failure or of many.

    FIXED: the case passes now. FAILED: it is still wrong, and if it is so in another way, that is said. ERROR: it can't
    be told, since the folder can't be read, the subject is gone, or the check is blind.

    Exit codes: 0 all fixed, 1 any failed, 2 else any error, or nothing of that name, 5 nothing kept.
    """
    from rich.console import Console

    from crosscheck.failure import Failure
    from crosscheck.keep import ROOT, all_kept, find
    from crosscheck.replay import Outcome, replay
    from crosscheck.report.failure import failed
    from crosscheck.report.kept import replayed, summary
    from crosscheck.verdict import Status

    console = Console(markup=False, emoji=False)
    folders = dict.fromkeys(folder for name in names for folder in find(name)) if names else list(all_kept(ROOT))
    found = []
    for folder in folders:
        found.append(replay(folder))
        console.print(replayed(found[-1]), soft_wrap=True)
        if verbose and found[-1].verdict and found[-1].verdict.status is Status.FAIL:
            console.print(failed(Failure(found[-1].verdict)), soft_wrap=True)
    console.print(summary(found), soft_wrap=True)
    outcomes = {each.outcome for each in found}
    if Outcome.FAILED in outcomes:
        return MISMATCH
    if Outcome.ERROR in outcomes:
        return USAGE
    return PASSED if found else NOTHING
