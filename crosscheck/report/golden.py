"""Golden vectors as a person reads them: a subject or the referee against a set, what moved, and a list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from crosscheck.golden.check import Checked, Weighed
from crosscheck.golden.moved import Move, Moved
from crosscheck.golden.vector import Kind, Vector
from crosscheck.report.text import STYLES, aligned, count, line, number, telling_digits, wrapped
from crosscheck.verdict import Status

SHOWN = 12
"""So many of a kind are named, the others counted."""


def checked(name: str, found: Checked) -> RenderableType:
    """Return what a subject's check by a set came to, in a line, and what failed or was not used.

    Args:
        name: the subject.
        found: what was found.
    """
    failures = found.failures
    status = Status.FAIL if failures else Status.PASS if found.verdicts else Status.INCONCLUSIVE
    text = f"{count(len(found.verdicts), 'vector')}, {count(len(failures), 'failure')}, {len(found.unused)} unused"
    lines = [*wrapped("failing", _first(list(failures)))]
    if found.unused:
        lines += wrapped("unused", [f"{name} does not support the cases of {count(len(found.unused), 'vector')}"])
    return Group(*lines, _outcome(status, text))


def weighed(found: Sequence[Weighed]) -> RenderableType:
    """Return what the referee says of a set: of each kind of vector how many there are, and what is wrong with any."""
    wrong = [vector for vector in found if not vector.right]
    lines = []
    for vector in wrong[:SHOWN]:
        failing = vector.verdict.named(Status.FAIL)
        if vector.loose:
            text = f"a bound beyond the worst case of rounding: {', '.join(vector.loose)}"
        elif vector.kind is Kind.INVALID:
            text = "invalid, and the referee finds nothing wrong"
        else:
            text = f"valid, and wrong by the referee: {', '.join(failing)}"
        lines.append(line(vector.id, text, max(len(v.id) for v in wrong[:SHOWN]) + 3))
    lines += [line("", f"{len(wrong) - SHOWN} more")] if len(wrong) > SHOWN else []
    kinds = Counter(vector.kind for vector in found)
    right = Counter(vector.kind for vector in found if vector.right)
    words = {Kind.VALID: "valid", Kind.INVALID: "invalid found", Kind.ACCEPTABLE: "acceptable"}
    text = ", ".join(f"{right[kind]:,} of {kinds[kind]:,} {words[kind]}" for kind in Kind if kinds[kind])
    status = Status.FAIL if wrong else Status.PASS if found else Status.INCONCLUSIVE
    return Group(*lines, _outcome(status, text or "no vectors"))


def movements(found: Moved) -> RenderableType:
    """Return what moved: a row a tensor, those that moved most first, and the recordings since which."""
    by_most = sorted(found.moves, key=lambda move: -move.bounds)
    lines: list[RenderableType] = []
    if by_most:
        head = ("tensor", "was", "is", "in bounds", "in ulps", "moved most at", "of", "vector")
        lines.append(aligned((head, *map(_row, by_most[:SHOWN]))))
    lines += [line("", f"{len(by_most) - SHOWN} more")] if len(by_most) > SHOWN else []
    for since in dict.fromkeys((move.since.date, _versions(move), move.since.subject) for move in by_most):
        lines.append(line("since", "   ".join(filter(None, since))))
    lines += wrapped("added", _first(found.added)) + wrapped("gone", _first(found.gone))
    vectors = len({move.id for move in found.moves})
    return Group(
        *lines, Text(f"{count(len(found.moves), 'tensor')} moved in {vectors} of {count(found.compared, 'vector')}")
    )


def listed(vectors: Sequence[Vector]) -> RenderableType:
    """Return a list of vectors, one a line, and how many there are."""
    rows = [(v.id, v.kind.value, str(v.case), v.wrong.says if v.wrong else "") for v in vectors]
    table = [aligned(rows, str.ljust)] if rows else []
    return Group(*table, Text(count(len(vectors), "vector")))


def _row(move: Move) -> tuple[str, ...]:
    digits = telling_digits(move.before, move.now)
    at = f"[{', '.join(map(str, move.index))}]" if move.index else "-"
    name = move.tensor if move.what == "returned" else f"{move.tensor} ({move.what})"
    numbers = (number(move.before, digits), number(move.now, digits), number(move.bounds, 2), number(move.ulps, 3))
    return name, *numbers, at, f"{move.moved} of {move.size}", move.id


def _versions(move: Move) -> str:
    return ", ".join(f"{name} {version}" for name, version in move.since.versions.items())


def _outcome(status: Status, text: str) -> Text:
    return Text.assemble((status.value, STYLES[status]), f"  {text}")


def _first(names: Iterable[str]) -> list[str]:
    names = list(names)
    return [*names[:SHOWN], *([f"{len(names) - SHOWN} more"] if len(names) > SHOWN else [])]
