"""Conventions that were found out, as a person reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from crosscheck.infer import Fit


def inferred(target: str, fits: Sequence[Fit]) -> Text:
    """Return which conventions fit a target, the one that is gone on with first; or the nearest, if none does.

    Args:
        target: the text that names it.
        fits: what `crosscheck.infer.infer` found.
    """
    return Text("\n").join(map(Text, _lines(target, fits)))


def _lines(target: str, fits: Sequence[Fit]) -> Iterator[str]:
    nearest, *others = fits
    if nearest.fits:
        yield f"  {'fits':<12} {nearest}"
        yield from (f"  {'fits too':<12} {other}" for other in others)
    else:
        yield f"{target}: no conventions fit; its forward pass is wrong, or laid out in a way that was not tried"
        yield f"  {'nearest':<12} {nearest}, off by {nearest.ratio:.3g} bounds"
