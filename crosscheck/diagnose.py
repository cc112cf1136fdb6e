"""Why a subject is wrong: the known mistakes, each planted in the hand-written network, and whose numbers come out.

A mistake explains a subject where the network that has it gives the subject's numbers, within what rounding allows for
that very network (it is run on `Bounded`, as the right one is), in every tensor that was returned, on the failing case
and on larger ones. Where no single mistake does, pairs are tried. What explains nothing is not named: the signatures of
`crosscheck.signatures` then say what the wrong numbers look like, if they look like anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from crosscheck import strategies
from crosscheck.case import Case
from crosscheck.evidence import Seen, gather
from crosscheck.mistakes.catalogue import CATALOGUE, planted
from crosscheck.mistakes.mistake import Mistake
from crosscheck.referee.patched import PatchError
from crosscheck.referee.reference import Reference, reference
from crosscheck.signatures import Signature, signatures
from crosscheck.subject import Function, Result, Subject
from crosscheck.verdict import Status, judge

PAIRED = 16
"""So many of the mistakes that explain most are tried in pairs: 120 of them, a second or two."""


@dataclass(frozen=True)
class Explanation:
    """One mistake, or a pair, that reproduces a subject's numbers.

    Attributes:
        mistakes: the mistakes.
        ulps: how far the subject's numbers are from theirs at the most, in units in the last place; 0: the same bits.
        cases: on how many cases.
    """

    mistakes: tuple[Mistake, ...]
    ulps: float
    cases: int


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


def diagnose(subject: Subject, case: Case) -> Diagnosis:
    """Return why a subject fails on a case, as far as that is known.

    Args:
        subject: the subject.
        case: a case on which its numbers are wrong.
    """
    seen = gather(subject, case)
    if not seen or not any(one.wrong for one in seen):
        return Diagnosis()
    candidates = [mistake for mistake in CATALOGUE.values() if _concerns(mistake, case)]
    networks = {mistake.name: planted(mistake) for mistake in candidates}
    shares = {mistake.name: _share(networks[mistake.name], seen[0]) for mistake in candidates}
    single = [mistake for mistake in candidates if shares[mistake.name] > 0]
    explanations = [e for m in single if (e := _explanation((m,), networks[m.name], seen)) is not None]
    if not explanations:
        likely = sorted(single, key=lambda mistake: -shares[mistake.name])[:PAIRED]
        explanations = list(_pairs(likely, seen))
    found = tuple(sorted(explanations, key=lambda e: _rank(e, case)))
    return Diagnosis(found, () if found else signatures(seen), len(candidates), len(seen))


def _concerns(mistake: Mistake, case: Case) -> bool:
    cells = strategies.supports(mistake.options)["cell"]
    return case.spec.cell in cells


def _share(network: Function, seen: Seen) -> float:
    """Return which share of a subject's wrong tensors a mistake makes wrong too, 0 if it makes a right one wrong."""
    values = _values(network, seen.case)
    if values is None:
        return 0.0
    result = Result({name: values[name] for name in seen.got if name in values})
    checks = judge("", seen.case, result, seen.known.worst).checks
    wrong = {check.name for check in checks if check.status is Status.FAIL}
    return len(wrong & seen.wrong) / len(seen.wrong) if seen.wrong and wrong <= seen.wrong else 0.0


def _values(network: Function, case: Case) -> dict[str, Any] | None:
    """Return what a network with a mistake in it returns; None where the mistake lets it fail."""
    try:
        with np.errstate(all="ignore"):
            return {name: np.asarray(array) for name, array in network(case).items()}
    except Exception:  # a mistake may break a network in any way
        return None


def _explanation(mistakes: tuple[Mistake, ...], network: Function, seen: Sequence[Seen]) -> Explanation | None:
    """Return the mistakes as an explanation, if the network that has them reproduces what was seen on all cases."""
    if not all(_reproduces(network, one) for one in seen):
        return None
    return Explanation(mistakes, max(_ulps(network, one) for one in seen), len(seen))


def _reproduces(network: Function, seen: Seen) -> bool:
    """Say whether a network with a mistake gives the subject's numbers, and a check by it is not blind."""
    expected = _reference(network, seen.case)
    if expected is None or not set(seen.got) <= set(expected.want):
        return False
    checks = judge("", seen.case, Result(seen.got), expected).checks
    return all(
        check.status is Status.PASS or (check.status is Status.INCONCLUSIVE and check.name not in seen.wrong)
        for check in checks
    )


def _reference(network: Function, case: Case) -> Reference | None:
    try:
        with np.errstate(all="ignore"):
            return reference(case, network)
    except Exception:  # a mistake may break a network in any way
        return None


def _ulps(network: Function, seen: Seen) -> float:
    values = _values(network, seen.case)
    if values is None:
        return float("inf")
    dtype = seen.case.array_dtype
    distances = [0.0]
    for name, got in seen.got.items():
        unit = np.spacing(np.abs(values[name]).astype(dtype)).astype(np.float64)
        distances.append(float(np.max(np.abs(got - values[name]) / unit, initial=0.0)))
    return max(distances)


def _pairs(mistakes: Sequence[Mistake], seen: Sequence[Seen]) -> Iterator[Explanation]:
    for pair in combinations(mistakes, 2):
        try:
            network = planted(pair)
        except PatchError:  # both change the same line
            continue
        found = _explanation(pair, network, seen)
        if found is not None:
            yield found


def _rank(explanation: Explanation, case: Case) -> tuple[float, ...]:
    """Return what explanations are sorted by: those made for such a case first, then those nearer in numbers."""
    made_for = all(strategies.supported(case, strategies.supports(mistake.options)) for mistake in explanation.mistakes)
    return (not made_for, explanation.ulps)
