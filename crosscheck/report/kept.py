"""Failures that were kept, as a person reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.text import Text

from crosscheck.replay import Outcome, Replay

STYLES = {Outcome.FIXED: "green", Outcome.FAILED: "bold red", Outcome.ERROR: "yellow"}


def replayed(replay: Replay) -> Text:
    """Return the line that says what became of a failure."""
    word = replay.outcome.value
    return Text.assemble((f"{word:<6}", STYLES[replay.outcome]), f"  {replay.id}   {replay.text}".rstrip())


def summary(replays: Sequence[Replay]) -> Text:
    """Return the line that counts them."""
    if not replays:
        return Text("nothing kept")
    counts = Counter(replay.outcome for replay in replays)
    return Text(f"\n{len(replays)} kept: " + ", ".join(f"{counts[each]} {each.value.lower()}" for each in Outcome))
