"""What wrong numbers look like, where no known mistake gives them: a factor, a sign, a transpose, somebody else's.

A signature is a statement about one tensor, such as "1/B times what it should be", that is true within the bounds on
every case on which the tensor is wrong. It is no more than that: the same pattern, not the same program. A right
program's error bound, carried along with the change, bounds the changed one's too: moved elements keep theirs, and a
factor k multiplies it and adds two roundings, of k and of the product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise, permutations
from typing import Any

import numpy as np

from crosscheck.case import Case
from crosscheck.evidence import Seen
from crosscheck.referee.numbers.format import FORMATS
from crosscheck.spec import LETTERS
from crosscheck.verdict import Status, blind_above, compare

Pattern = Callable[[str, Seen], bool]
STACKED = ("W_xh", "W_hh", "b_xh", "b_hh")


def _always(factor: float) -> Callable[[Case], float]:
    return lambda _case: factor


FACTORS: Mapping[str, Callable[[Case], float]] = {
    "-1": _always(-1.0),
    "2": _always(2.0),
    "1/2": _always(0.5),
    "T": lambda case: case.T,
    "1/T": lambda case: 1 / case.T,
    "B": lambda case: case.B,
    "1/B": lambda case: 1 / case.B,
    "TB": lambda case: case.T * case.B,
    "1/(TB)": lambda case: 1 / (case.T * case.B),
    "H": lambda case: case.spec.hidden_size,
    "1/H": lambda case: 1 / case.spec.hidden_size,
    "O": lambda case: case.spec.output_size,
    "1/O": lambda case: 1 / max(1, case.spec.output_size),
}
"""What gradients are often wrong by: a flipped sign, a square's derivative, sums for means and means for sums."""


@dataclass(frozen=True)
class Signature:
    """A pattern in wrong numbers.

    Attributes:
        tensors: those that have it, and are wrong.
        says: what it is, in words that follow the tensor's name.
    """

    tensors: tuple[str, ...]
    says: str


def signatures(seen: Sequence[Seen]) -> tuple[Signature, ...]:
    """Return the patterns that the wrong tensors have, on every case on which they are wrong.

    Args:
        seen: what a subject returned for cases.
    """
    found: dict[str, list[str]] = {}
    for name in _names(seen):
        cases = [one for one in seen if name in one.wrong]
        says = _shared(name, cases)
        if says is None and _stale(name, seen):
            says = "what it should have been for the case before"
        if says is not None:
            found.setdefault(says, []).append(name)
    return tuple(Signature(tuple(names), says) for says, names in found.items())


def _names(seen: Sequence[Seen]) -> list[str]:
    """Return the names of all that is wrong on some case, in order."""
    return list(dict.fromkeys(check.name for one in seen for check in one.verdict.checks if check.name in one.wrong))


def _shared(name: str, cases: Sequence[Seen]) -> str | None:
    """Return the simplest pattern that a tensor has on all cases; None if there is none."""
    families = (_plain(), _scaled(name, cases), _moved(name, cases), _taken(name, cases))
    return next((says for says, pattern in chain(*families) if all(pattern(name, one) for one in cases)), None)


def _plain() -> Iterator[tuple[str, Pattern]]:
    yield "not a number", lambda name, one: bool(np.isnan(one.got[name]).any())
    yield "all zero", lambda name, one: not one.got[name].any()


def _scaled(name: str, cases: Sequence[Seen]) -> Iterator[tuple[str, Pattern]]:
    for label, factor in FACTORS.items():
        yield f"{label} times what it should be", _scaled_by(factor)
    fitted, error = _fitted(name, cases[0])
    if fitted is not None and sum(one.got[name].size for one in cases) > 1:  # one number is always some multiple
        yield f"{fitted:.6g} times what it should be", _scaled_by(_always(fitted), error)


def _scaled_by(factor: Callable[[Case], float], error: float = 0.0) -> Pattern:
    """Return the pattern of a factor that is known but for a relative error."""

    def pattern(name: str, one: Seen) -> bool:
        k, u = factor(one.case), FORMATS[one.case.dtype].u
        more = (2 * u / (1 - 2 * u) + error) * np.abs(k * one.known.worst.want[name])
        return k not in (0.0, 1.0) and _is(name, one, one.known.worst, lambda array: k * array, more=more)

    return pattern


def _stale(name: str, seen: Sequence[Seen]) -> bool:
    """Say whether a tensor, wherever it is wrong, is what was right for the case before; of the same sizes, if any."""
    pairs = [(last, one) for last, one in pairwise(seen) if name in one.wrong]
    alike = [_shape(name, last) == _shape(name, one) for last, one in pairs]
    return any(alike) and all(
        _is(name, one, last.known.worst, _same) for (last, one), same in zip(pairs, alike, strict=True) if same
    )


def _moved(name: str, cases: Sequence[Seen]) -> Iterator[tuple[str, Pattern]]:
    if all(len(set(_shape(name, one))) == 1 and len(_shape(name, one)) == 2 for one in cases):
        yield "transposed", _changed_by(lambda array, _case: np.transpose(array))
    if all(len(_shape(name, one)) == 3 and one.case.T > 1 for one in cases):
        yield "in reverse order of time", _changed_by(_back)
    cell = cases[0].case.spec.cell
    letters = LETTERS[cell]
    if name.removeprefix("d").startswith(STACKED) and letters and not cases[0].case.spec.coupled:
        for order in permutations(range(len(letters))):
            theirs = "".join(letters[k] for k in order)
            if theirs != letters:
                yield f"in gate order {theirs}, where {letters} belongs", _changed_by(_in_order(order))


def _taken(name: str, cases: Sequence[Seen]) -> Iterator[tuple[str, Pattern]]:
    for other in cases[0].known.worst.want:
        if other != name and all(_shape(other, one) == _shape(name, one) for one in cases):
            yield f"what {other} should be", _that_of(other)


def _changed_by(change: Callable[[Any, Case], Any]) -> Pattern:
    return lambda name, one: _is(name, one, one.known.worst, lambda array: change(array, one.case))


def _that_of(other: str) -> Pattern:
    return lambda name, one: _is(name, one, one.known.worst, _same, other)


def _is(
    name: str, one: Seen, reference: Any, change: Callable[[Any], Any], other: str | None = None, more: Any = 0.0
) -> bool:
    """Say whether a tensor is what is right, changed, and a check by that is not blind."""
    want, bound = (change(arrays[other or name]) for arrays in (reference.want, reference.bound))
    bound = np.abs(bound)
    blind = blind_above(FORMATS[one.case.dtype])
    with np.errstate(invalid="ignore"):
        return compare(name, one.got[name], want, bound + more, blind).status is Status.PASS


def _fitted(name: str, one: Seen) -> tuple[float | None, float]:
    """Return the factor by the element that shows it best, and its relative error; None if no element does."""
    want, got, bound = one.known.worst.want[name], one.got[name], one.known.worst.bound[name]
    with np.errstate(all="ignore"):
        error = np.where(np.isfinite(got) & (got != 0), bound / np.abs(want), np.inf)
    index = np.unravel_index(np.nanargmin(error), error.shape) if np.any(error < 1) else None
    return (None, 0.0) if index is None else (float(got[index] / want[index]), float(error[index]))


def _same(array: Any) -> Any:
    return array


def _back(array: Any, case: Case) -> Any:
    return np.flip(array, axis=1 if case.spec.axes == "BT" else 0)


def _in_order(order: Sequence[int]) -> Callable[[Any, Case], Any]:
    def change(array: Any, _case: Case) -> Any:
        blocks = np.split(array, len(order))
        return np.concatenate([blocks[k] for k in order])

    return change


def _shape(name: str, one: Seen) -> tuple[int, ...]:
    return tuple(one.case.result_shapes[name])
