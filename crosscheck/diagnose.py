"""Why a subject is wrong: the known mistakes, each planted in the hand-written network, and whose numbers come out.

A mistake explains a subject where the network that has it gives the subject's numbers, within what rounding allows for
that very network (it is run on `Bounded`, as the right one is), in every tensor that was returned, on the failing case
and on larger ones. Where no single mistake does, pairs are tried. What explains nothing is not named: the signatures of
`crosscheck.signatures` then say what the wrong numbers look like, if they look like anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from crosscheck import strategies
from crosscheck.case import Case
from crosscheck.evidence import Seen, gather, look
from crosscheck.implementation import Function, Result, Subject
from crosscheck.mistakes.catalogue import CATALOGUE, planted
from crosscheck.mistakes.mistake import Mistake
from crosscheck.referee.patched import Patch, PatchError, patched
from crosscheck.referee.reference import Reference, reference
from crosscheck.referee.truth import Known
from crosscheck.signatures import Signature, signatures
from crosscheck.verdict import Status, judge

PAIRED = 4
"""So many of the mistakes that leave least unexplained are tried together with others."""


@dataclass(frozen=True)
class Explanation:
    """One mistake, or a pair, that reproduces a subject's numbers.

    Attributes:
        mistakes: the mistakes.
        ulps: how far the subject's numbers are from theirs at the most, in units in the last place of a tensor's
            largest element; 0: the same bits.
        cases: on how many cases that show it.
    """

    mistakes: tuple[Mistake, ...]
    ulps: float
    cases: int

    @property
    def names(self) -> str:
        """The names of the mistakes."""
        return " and ".join(mistake.name for mistake in self.mistakes)

    @property
    def says(self) -> str:
        """What is wrong, in words."""
        return "; and ".join(mistake.says for mistake in self.mistakes)


@dataclass(frozen=True)
class Diagnosis:
    """What is known about why a subject is wrong.

    Attributes:
        explanations: what reproduces its numbers, the likeliest first; none if no known mistake does.
        signatures: what its wrong numbers look like; looked for where nothing explains them.
        tried: how many known mistakes were tried.
        cases: on how many cases.
    """

    explanations: tuple[Explanation, ...] = ()
    signatures: tuple[Signature, ...] = ()
    tried: int = 0
    cases: int = 0


def diagnose(subject: Subject, case: Case, known: Known | None = None) -> Diagnosis:
    """Return why a subject fails on a case, as far as that is known.

    Args:
        subject: the subject.
        case: a case on which its numbers are wrong.
        known: what is known of it already.
    """
    seen = gather(subject, case, known)
    if not any(one.wrong or one.oddities for one in seen):
        return Diagnosis()
    candidates = [mistake for mistake in CATALOGUE.values() if case.spec.cell in mistake.cells]
    possible = [mistake for mistake in candidates if _may_be(_network(mistake), seen[:2])]
    explanations = [e for m in possible if (e := _explanation((m,), _network(m), seen)) is not None]
    if not explanations:
        explanations = list(_pairs(possible, seen))
    found = tuple(sorted(explanations, key=lambda e: _rank(e, case)))
    return Diagnosis(found, () if found else signatures(seen), len(candidates), len(seen))


def _network(mistake: Mistake) -> Function:
    return _patched(mistake.patches)


@cache
def _patched(patches: tuple[Patch, ...]) -> Function:
    return patched(patches)


def _may_be(network: Function, seen: Sequence[Seen]) -> bool:
    """Say whether a mistake makes something wrong on some case, and on none what is right with the subject."""
    pairs = [(_look(network, one), one) for one in seen]
    return any(made and (made.wrong or made.oddities) for made, _ in pairs) and all(
        made is not None and made.wrong <= one.wrong and made.oddities <= one.oddities for made, one in pairs
    )


def _look(network: Function, seen: Seen) -> Seen | None:
    """Return what a network with a mistake in it does on a case, of what the subject returned; None if it breaks."""
    made = look(Subject("", network, strategies.EVERYTHING), seen.case, seen.known, frozenset(seen.got))
    return made if made is not None and made.got.keys() == seen.got.keys() else None


def _explanation(mistakes: tuple[Mistake, ...], network: Function, seen: Sequence[Seen]) -> Explanation | None:
    """Return the mistakes as an explanation, if the network that has them reproduces what was seen on all cases."""
    telling, farthest = 0, 0.0
    for one in seen:
        made = _look(network, one)
        status = Status.FAIL if made is None else _reproduces(network, made, one)
        if made is None or status is Status.FAIL:
            return None
        telling += status is Status.PASS and bool(one.wrong or one.oddities)
        farthest = max(farthest, _ulps(made, one))
    return Explanation(mistakes, farthest, telling) if telling else None


def _reproduces(network: Function, made: Seen, seen: Seen) -> Status:
    """Say whether a network with a mistake gives the subject's numbers: INCONCLUSIVE where the check by it is blind.

    Args:
        network: the network.
        made: what it does on the case.
        seen: what the subject does.
    """
    expected = _reference(network, seen.case)
    if expected is None or made.oddities != seen.oddities:
        return Status.FAIL
    checks = judge("", seen.case, Result(seen.got), expected).checks
    if any(check.status is Status.FAIL for check in checks):
        return Status.FAIL
    blind = any(check.status is not Status.PASS for check in checks if check.name in seen.wrong)
    return Status.INCONCLUSIVE if blind else Status.PASS


def _reference(network: Function, case: Case) -> Reference | None:
    try:
        with np.errstate(all="ignore"):
            return reference(case, network)
    except Exception:  # a mistake may break a network in any way
        return None


def _ulps(made: Seen, seen: Seen) -> float:
    """Return how far a subject's numbers are from those of a mistake, in ulps of each tensor's largest element."""
    distances = [0.0]
    for name, got in seen.got.items():
        want = made.got[name]
        if got.size and not np.array_equal(got, want, equal_nan=True):
            unit = float(np.spacing(np.max(np.abs(want)).astype(seen.case.array_dtype)))
            distances.append(float(np.max(np.abs(got - want))) / unit)
    return max(distances)


def _pairs(possible: Sequence[Mistake], seen: Sequence[Seen]) -> Iterator[Explanation]:
    """Try the mistakes that leave least unexplained, each with those that make all of that wrong."""
    telling = seen[min(1, len(seen) - 1)]
    made = {mistake.name: _look(_network(mistake), telling) for mistake in possible}
    rest = {mistake.name: _unexplained(_network(mistake), made[mistake.name], telling) for mistake in possible}
    likely = sorted(possible, key=lambda mistake: sum(rest[mistake.name].values()))[:PAIRED]
    for a in likely:
        for b in possible:
            other = made[b.name]
            if b in (a, *likely[: likely.index(a)]) or other is None or not rest[a.name].keys() <= other.wrong:
                continue
            try:
                found = _explanation((a, b), planted((a, b)), seen)
            except PatchError:  # both change the same line
                continue
            if found is not None:
                yield found


def _unexplained(network: Function, made: Seen | None, seen: Seen) -> Mapping[str, int]:
    """Return how many elements of a subject's wrong tensors have numbers that a mistake doesn't give."""
    expected = _reference(network, seen.case)
    if made is None or expected is None:
        return {check.name: check.wrong for check in seen.verdict.checks if check.name in seen.wrong}
    checks = judge("", seen.case, Result(seen.got), expected).checks
    return {check.name: check.wrong for check in checks if check.status is Status.FAIL and check.name in seen.wrong}


def _rank(explanation: Explanation, case: Case) -> tuple[float, ...]:
    """Return what explanations are sorted by: those made for such a case first, then those nearer in numbers."""
    made_for = all(strategies.supported(case, strategies.supports(mistake.options)) for mistake in explanation.mistakes)
    return (not made_for, explanation.ulps)
