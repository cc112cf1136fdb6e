"""One case: the cheap check, and where that isn't enough, the expensive one.

Cheap: the worst-case rounding bound around the hand-written network's own values; milliseconds. Expensive: the formulas
proven on balls, and sampled rounding; tens of milliseconds. The expensive one is called in where the cheap one does not
pass a subject, so that it is the last word on every failure and every doubt, and on a fixed share of all cases.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace

from crosscheck.case import Case
from crosscheck.referee.proof import Outcome
from crosscheck.referee.reference import reference
from crosscheck.referee.truth import MORE_SAMPLES, Truth, truth
from crosscheck.subject import Finding, Subject, run
from crosscheck.verdict import Status, Verdict, judge

SHARE = 5  # one case in so many is proven even if the cheap check passes


def chosen(case: Case) -> bool:
    """Say whether a case belongs to the share that is proven anyway."""
    return zlib.crc32(str(case).encode()) % SHARE == 0


def examine(subjects: Sequence[Subject], case: Case, deep: bool | None = None) -> tuple[Verdict, ...]:
    """Return the verdict on each subject for one case, and one on the referee's own parts if these are wrong.

    Args:
        subjects: the subjects.
        case: the case.
        deep: whether to go on to the expensive check; None: if the cheap one doesn't settle it, or the case is
            `chosen`.
    """
    results = [(subject.name, run(subject, case)) for subject in subjects]
    cheap = reference(case)
    verdicts = tuple(judge(name, case, result, cheap) for name, result in results)
    settled = all(verdict.status is Status.PASS for verdict in verdicts)
    if deep is False or (deep is None and settled and not chosen(case)):
        return verdicts
    known = truth(case)
    verdicts = tuple(judge(name, case, result, known.reference) for name, result in results)
    if any(verdict.status is Status.FAIL for verdict in verdicts) and known.proof.outcome is Outcome.PROVEN:
        known = truth(case, MORE_SAMPLES)  # a failure by 16 samples alone is no failure yet
        verdicts = tuple(judge(name, case, result, known.reference) for name, result in results)
    if known.proof.outcome is not Outcome.OPEN:
        verdicts = tuple(replace(verdict, evidence=_evidence(known)) for verdict in verdicts)
    return (*verdicts, *_on_the_referee(case, known, verdicts))


def _evidence(known: Truth) -> tuple[str, ...]:
    proof = known.proof
    return (f"formulas {proof.outcome.value} on balls of {proof.bits} bits", "worst-case and sampled rounding")


def _on_the_referee(case: Case, known: Truth, verdicts: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
    """Return a failing verdict on the odd one out of the three implementations, unless it has one already."""
    if not known.odd or any(v.subject == known.odd and v.status is Status.FAIL for v in verdicts):
        return ()
    names = ", ".join(known.proof.wrong)
    text = f"proven different from the two that agree: {names}"
    return (Verdict(known.odd, case, (), (Finding("odd one out", names, text),), (), _evidence(known)),)
