"""What several reports say of a run: its sums, and a failure in a few words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from crosscheck.report.run import Group, Row, Run, Shown, Tested
from crosscheck.report.text import count

UNPRINTABLE = re.compile(
    "[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
"""What is neither text nor the end of a line: control characters, what turns text round, what UTF-8 or XML has not."""


def clean(text: str) -> str:
    """Return a text without what no report can hold, such as the escape sequences of a terminal; see `UNPRINTABLE`."""
    return UNPRINTABLE.sub("", text)


def one_line(text: str) -> str:
    """Return a text on one line, clean."""
    return " ".join(clean(text).split())


def sums(run: Run) -> tuple[Group, ...]:
    """Return the sums of each cell and dtype, in the order they came in, also of one that was not finished."""
    found: dict[tuple[str, str], Group] = {}
    for row in run.rows:
        key = row.cell, row.dtype
        found[key] = _plus(found.get(key, Group(*key, 0, 0, 0, 0, 0.0, 0.0, 0.0)), row)
    for group in run.groups:
        key = group.cell, group.dtype
        here = found.get(key, replace(group, seconds=0.0))
        found[key] = replace(here, seconds=here.seconds + group.seconds)
    return tuple(found.values())


def _plus(group: Group, row: Row) -> Group:
    """Return the sums with one more case, as `crosscheck.campaign.Tally.plus` has them."""
    statuses = {outcome.status for outcome in row.outcomes}
    return replace(
        group,
        cases=group.cases + 1,
        proven=group.proven + row.proven,
        failed=group.failed + ("FAIL" in statuses),
        inconclusive=group.inconclusive + ("INCONCLUSIVE" in statuses and "FAIL" not in statuses),
        ratio=max([group.ratio, *(o.ratio for o in row.outcomes if o.status != "FAIL")]),
        resolution=max([group.resolution, *(o.resolution for o in row.outcomes if o.status == "PASS")]),
    )


def outcome(run: Run) -> tuple[str, str]:
    """Return how a run ended, in one word, and the rest of that sentence."""
    groups = sums(run)
    cases, blind = sum(group.cases for group in groups), sum(group.inconclusive for group in groups)
    text = f"{count(cases, 'case')}, {count(len(run.failures), 'failure')}, {blind} inconclusive"
    if run.stopped:
        text += "; stopped when the time was up"
    return run.status or "INTERRUPTED", text


def group_of(shown: Shown) -> tuple[str, str]:
    """Return the cell and the dtype of a failure."""
    cell, *options = shown.case.split(":")
    given = dict(option.partition("=")[::2] for option in options)
    return cell, given.get("dtype", "float64")


def wrong(shown: Shown) -> str:
    """Return what is wrong, in a few words."""
    names = [tensor["name"] for tensor in shown.verdict["tensors"] if tensor["status"] == "FAIL"]
    numbers = f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} wrong" if names else ""
    kinds = ", ".join(dict.fromkeys(finding["kind"] for finding in shown.verdict["findings"]))
    return "; ".join(filter(None, (numbers, kinds)))


def because(shown: Shown) -> str:
    """Return why, in words; "" if that is not known."""
    for explanation in shown.diagnosis["explanations"][:1]:
        return "; and ".join(mistake["says"] for mistake in explanation["mistakes"])
    return ""


def subject_of(run: Run, name: str) -> Tested:
    """Return the subject of a name; one that is nowhere defined if the run does not tell."""
    return next((tested for tested in run.subjects if tested.name == name), Tested(name))


def inconclusive(name: str, rows: Iterable[Row]) -> int:
    """Return in how many of some cases the check of a subject was inconclusive."""
    return sum(o.status == "INCONCLUSIVE" for row in rows for o in row.outcomes if o.subject == name)
