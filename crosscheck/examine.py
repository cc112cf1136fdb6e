"""One case: the cheap check, and where that isn't enough, a dearer one.

Cheap: the worst-case rounding bound around the hand-written network's own values; a few milliseconds. Where that is
blind: sampled rounding around the same values; about as much again. Dear: the formulas proven on balls, and sampled
rounding around the proven values; tens to hundreds of milliseconds. The dear one is called in where the others do not
pass a subject, so that it is the last word on every failure and every doubt, and on a fixed share of all cases. There a
subject whose own code can be lifted to balls has its own formulas proven too, where its numbers don't fail anyway.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from crosscheck.case import Case
from crosscheck.formula import formula, wrong
from crosscheck.implementation import NOT_REPEATABLE, OURS, Finding, Result, Subject, run
from crosscheck.referee.numbers.format import FORMATS
from crosscheck.referee.proof import Outcome
from crosscheck.referee.reference import Reference
from crosscheck.referee.truth import Known
from crosscheck.verdict import Status, Verdict, blind_above, compare, judge

WRONG_FORMULA = "wrong formula"  # the kind of finding
SHARE = 5  # one case in so many is proven even if the cheap check passes


def chosen(case: Case) -> bool:
    """Say whether a case belongs to the share that is proven anyway."""
    return zlib.crc32(str(case).encode()) % SHARE == 0


def examine(
    subjects: Sequence[Subject], case: Case, deep: bool | None = None, known: Known | None = None
) -> tuple[Verdict, ...]:
    """Return the verdict on each subject for one case, and one on the referee's own parts if these are wrong.

    Args:
        subjects: the subjects.
        case: the case.
        deep: whether to go on to the expensive check; None: if the cheap one doesn't settle it, or the case is
            `chosen`.
        known: what is known of the case already.
    """
    known = known or Known(case)
    twice = chosen(case) if deep is None else deep
    results = [_repeatable(run(s, case, twice=twice and s.name not in OURS), known) for s in subjects]

    def judged(reference: Reference) -> tuple[Verdict, ...]:
        return tuple(
            judge(subject.name, case, result, reference, {} if result.finite else known.overflows)
            for subject, result in zip(subjects, results, strict=True)
        )

    verdicts = judged(known.worst)
    if _any(Status.INCONCLUSIVE, verdicts) and not deep:
        verdicts = judged(known.sampled)
    settled = all(verdict.status is Status.PASS for verdict in verdicts)
    if deep is False or (deep is None and settled and not chosen(case)):
        return verdicts
    verdicts = judged(known.to_judge_by(lambda reference: _fails(judged(reference))))
    verdicts = tuple(replace(verdict, outcome=known.proof.outcome, evidence=_evidence(known)) for verdict in verdicts)
    if known.proof.outcome is Outcome.PROVEN:
        verdicts = tuple(
            verdict if verdict.status is Status.FAIL and not deep else _with_formula(subject, result, verdict)
            for subject, result, verdict in zip(subjects, results, verdicts, strict=True)
        )
    return _with_the_odd_one_out(known, verdicts)


def _repeatable(result: Result, known: Known) -> Result:
    """Return a result with a finding for each tensor that a second call gave otherwise, by more than rounding."""
    E, blind = known.worst.worst, blind_above(FORMATS[known.case.dtype])
    checks = [
        compare(name, array, result.values[name], 2 * E[name], blind, may=np.isinf(E[name]))
        for name, array in result.again.items()
    ]
    findings = tuple(
        Finding(NOT_REPEATABLE, c.name, f"it gave {c.want:.17g} at first, and then, on the same case, {c.got:.17g}")
        for c in checks
        if c.status is Status.FAIL
    )
    return replace(result, findings=(*result.findings, *findings)) if findings else result


def _any(status: Status, verdicts: Sequence[Verdict]) -> bool:
    return any(verdict.status is status for verdict in verdicts)


def _fails(verdicts: Sequence[Verdict]) -> set[tuple[str, str]]:
    """Return the subjects and their tensors that fail."""
    return {(verdict.subject, name) for verdict in verdicts for name in verdict.named(Status.FAIL)}


def _evidence(known: Known) -> tuple[str, ...]:
    proof = known.proof
    return (f"formulas {proof.outcome.value} on balls of {proof.bits} bits", "worst-case and sampled rounding")


def _with_formula(subject: Subject, result: Result, verdict: Verdict) -> Verdict:
    """Return the verdict with what is proven of the subject's own formulas."""
    found = formula(subject, verdict.case, frozenset(result.values))
    if found is None:
        return verdict
    if found.proof is None:
        return replace(verdict, evidence=(*verdict.evidence, f"its own code can't be lifted to balls ({found.reason})"))
    said = f"its own code {found.proof.outcome.value} on balls of {found.proof.bits} bits"
    failing = verdict.named(Status.FAIL)
    findings = tuple(
        Finding(WRONG_FORMULA, name, "proven different from the definition, by less than rounding hides")
        for name in wrong(found)
        if name not in failing
    )
    return replace(verdict, evidence=(*verdict.evidence, said), findings=(*verdict.findings, *findings))


def _with_the_odd_one_out(known: Known, verdicts: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
    """Return the verdicts, with findings against the odd one out of the three implementations if there is one."""
    if not known.odd:
        return verdicts
    text = "proven different from the other two, which agree"
    findings = tuple(Finding("odd one out", name, text) for name in known.proof.wrong)
    if known.odd not in [verdict.subject for verdict in verdicts]:
        alone = Verdict(known.odd, known.case, (), findings, (), known.proof.outcome, _evidence(known))
        return (*verdicts, alone)
    return tuple(
        replace(verdict, findings=(*verdict.findings, *findings)) if verdict.subject == known.odd else verdict
        for verdict in verdicts
    )
