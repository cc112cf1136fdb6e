"""One case: the cheap check, and where that isn't enough, a dearer one.

Cheap: the worst-case rounding bound around the hand-written network's own values; a few milliseconds. Where that is
blind: sampled rounding around the same values; about as much again. Dear: the formulas proven on balls, and sampled
rounding around the proven values; tens to hundreds of milliseconds. The dear one is called in where the others do not
pass a subject, so that it is the last word on every failure and every doubt, and on a fixed share of all cases.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace

from crosscheck.case import Case
from crosscheck.referee.proof import Outcome
from crosscheck.referee.reference import reference
from crosscheck.referee.truth import MORE_SAMPLES, Truth, sampled, truth
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
    if any(verdict.status is Status.INCONCLUSIVE for verdict in verdicts) and not deep:
        closer = sampled(case, cheap)
        verdicts = tuple(judge(name, case, result, closer) for name, result in results)
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
    return _with_the_odd_one_out(case, known, verdicts)


def _evidence(known: Truth) -> tuple[str, ...]:
    proof = known.proof
    return (f"formulas {proof.outcome.value} on balls of {proof.bits} bits", "worst-case and sampled rounding")


def _with_the_odd_one_out(case: Case, known: Truth, verdicts: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
    """Return the verdicts, with findings against the odd one out of the three implementations if there is one."""
    if not known.odd:
        return verdicts
    text = "proven different from the other two, which agree"
    findings = tuple(Finding("odd one out", name, text) for name in known.proof.wrong)
    if known.odd not in [verdict.subject for verdict in verdicts]:
        return (*verdicts, Verdict(known.odd, case, (), findings, (), _evidence(known)))
    return tuple(
        replace(verdict, findings=(*verdict.findings, *findings)) if verdict.subject == known.odd else verdict
        for verdict in verdicts
    )
