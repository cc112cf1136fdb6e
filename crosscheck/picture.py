"""What there is to see of a failure: its errors over units and steps, and a gradient on its way back through time.

Found by experiments on the black box, as `localise` does them, on a case of the same options that is larger than those,
since a pattern needs room. A tensor over time is shown as it is. One that is a sum over all steps is shown by its
shares: a column has what it is with the cotangent of the output of one step alone. The gradient of the state at step t
is no result, but it is the dh_0 of the rest of the sequence, begun in the state that is right there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from crosscheck.axes import AXES, TIME
from crosscheck.case import Case
from crosscheck.evidence import Seen
from crosscheck.experiments import SQUARED, from_step, tried
from crosscheck.implementation import ENDS, Subject
from crosscheck.localise import alike
from crosscheck.probes import with_sizes
from crosscheck.referee.truth import Known
from crosscheck.report.run import Heat, Norms, Picture
from crosscheck.spec import base
from crosscheck.verdict import Status, Verdict

SIZES = (8, 2, 3, 6)
"""T, B, I, H of a case that is shown: no two alike, and each number in a heatmap large enough to read."""
SEED = 1
MOST = 3
"""So many heatmaps say what more would."""
OVER_TIME = {"y": "unit", "dx": "input", "dattention": "score"}
"""The tensors over time, and what stands at each step of them."""
FIRST = ("y", "dx", "dW_hh", "dh_0", "dW_xh", "db_hh")
"""Tensors in the order in which they tell most."""
FROM_STEP = "the cotangent at step t alone"


def picture(subject: Subject, verdict: Verdict) -> Picture | None:
    """Return what there is to see of a failure; None if nothing is wrong with its numbers, or not again.

    Args:
        subject: the subject.
        verdict: on a case on which it fails.
    """
    seen = _telling(subject, verdict)
    if seen is None:
        return None
    return Picture(str(seen.case), tuple(_heats(subject, seen)), _norms(subject, seen))


def _telling(subject: Subject, verdict: Verdict) -> Seen | None:
    """Return what a subject does on a larger case that fails as the verdict does, or else on its own."""
    case, wrong = verdict.case, verdict.named(Status.FAIL)
    outputs = any(name in case.output_names for name in wrong)
    for probe in _larger(subject, case) if wrong else ():
        seen = tried(subject, probe)
        if seen is not None and any(finding.kind in ENDS for finding in seen.verdict.findings):
            return None  # each further look may take as long
        if seen is not None and alike(seen, wrong, outputs):
            return seen
    return None


def _larger(subject: Subject, case: Case) -> Iterator[Case]:
    """Yield larger cases, the plainest first, and the case itself."""
    losses = (case.spec.loss,) if case.spec.loss in ("none", *SQUARED) else ("none", case.spec.loss)
    found = []
    for loss in losses:
        spec = replace(case.spec, loss=loss, mean="default" if loss == "none" else case.spec.mean)
        for dtype in ("float64", case.dtype):
            for regime in ("ordinary", case.regime):
                like = replace(case, spec=spec, dtype=dtype, arrays={})
                found.append(with_sizes(like, SIZES, subject.options, regime, SEED))
    yield from dict.fromkeys((*found, case))


def _heats(subject: Subject, seen: Seen) -> Iterator[Heat]:
    """Yield the errors of the wrong tensors, the most telling first."""
    shares = _Shares(subject, seen)
    found = 0
    for name in sorted(seen.wrong, key=lambda name: (_place(name), name)):
        heat = _over_time(seen, name) if name in OVER_TIME else shares.heat(name)
        if heat is not None:
            yield heat
            found += 1
        if found == MOST:
            return


def _place(name: str) -> int:
    return FIRST.index(base(name)) if base(name) in FIRST else len(FIRST)


def _over_time(seen: Seen, name: str) -> Heat:
    """Return the error of a tensor over time: a column is a step."""
    time = AXES[seen.case.spec.axes][name][TIME] or 0
    units = 1 if name == "dattention" else seen.got[name].shape[-1]
    error = np.moveaxis(seen.errors(name), time, 0).reshape(seen.case.T, -1, units).max(axis=1)
    rows = "output" if name == "y" and seen.case.spec.output_size else OVER_TIME[name]
    return Heat(name, rows, "step", _plain(error.T))


@dataclass
class _Shares:
    """What a subject returns for the cotangent of one step alone, each step in its turn, found out when asked for."""

    subject: Subject
    seen: Seen
    steps: tuple[Seen | None, ...] | None = None

    def heat(self, name: str) -> Heat | None:
        """Return the error of a tensor that has no steps, a column for each step's share; None if it can't be had."""
        case = self.seen.case
        if name in case.output_names or case.spec.loss not in ("none", *SQUARED):
            return None
        if self.steps is None:
            self.steps = tuple(tried(self.subject, from_step(case, t)) for t in range(case.T))
        columns = [_rows(step, name) for step in self.steps if step is not None and name in step.got]
        if len(columns) < case.T or not any(column[column > 1].size for column in columns):
            return None
        of = base(name).removeprefix("d")
        rows = "unit" if of in ("h_0", "c_0") else f"row of {of}"
        return Heat(name, rows, FROM_STEP, _plain(np.stack(columns, axis=1)))


def _rows(seen: Seen, name: str) -> Any:
    """Return the largest error in each row of a parameter's gradient, or of each unit of an initial state's."""
    error = seen.errors(name)
    if base(name) in ("dh_0", "dc_0"):
        return error.reshape(-1, error.shape[-1]).max(axis=0)
    return error.reshape(len(error), -1).max(axis=1)


def _norms(subject: Subject, seen: Seen) -> Norms | None:
    """Return the size of the gradient at each step: of the states, or else of the inputs."""
    if "dh_0" in seen.got and _may_be_cut(seen.case):
        return _of_states(subject, seen)
    return _of_inputs(seen) if "dx" in seen.got else None


def _may_be_cut(case: Case) -> bool:
    """Say whether the rest of a case from any step on, begun in another state, is a part of the same problem."""
    spec = case.spec
    whole = not spec.bidirectional and spec.truncate is None and case.lengths is None
    return whole and case.states in ("both", "initial") and not (spec.loss != "none" and "T" in spec.mean_over)


def _of_states(subject: Subject, seen: Seen) -> Norms:
    """Return |dh_t| for t = 0 to T; at T it is the cotangent that was given."""
    case = seen.case
    end = np.asarray(case.arrays["dh_n"], np.float64) if "dh_n" in case.arrays else np.zeros(1)
    got, want = [_norm(seen.got["dh_0"])], [_norm(seen.known.worst.want["dh_0"])]
    for t in range(1, case.T):
        rest = rest_of(case, t)
        there = tried(subject, rest)
        want.append(_norm((there.known if there else Known(rest)).worst.want["dh_0"]))
        got.append(_norm(there.got["dh_0"]) if there and "dh_0" in there.got else float("nan"))
    return Norms("dh", (*got, _norm(end)), (*want, _norm(end)))


def rest_of(case: Case, t: int) -> Case:
    """Return the rest of a case from step t on, begun in the states that are right there.

    Args:
        case: the case, of one direction, no lengths and no truncation.
        t: the step, from 1 to T - 1.
    """
    begun = Known(_steps(case, slice(0, t))).worst.want
    states = {f"{name}_0": begun[f"{name}_n"].astype(case.array_dtype) for name in case.spec.states}
    rest = _steps(case, slice(t, case.T))
    return replace(rest, arrays={**rest.arrays, **states})


def _steps(case: Case, steps: slice) -> Case:
    """Return a case of some of its steps alone."""
    axes = AXES[case.spec.axes]
    arrays = {}
    for name, array in case.arrays.items():
        axis = axes[name][TIME] if name in axes else None
        arrays[name] = array if axis is None else array[(slice(None),) * axis + (steps,)]
    return replace(case, T=len(range(case.T)[steps]), arrays=arrays)


def _of_inputs(seen: Seen) -> Norms:
    """Return |dx_t| for each step."""
    time = AXES[seen.case.spec.axes]["dx"][TIME] or 0
    got, want = (np.moveaxis(array, time, 0) for array in (seen.got["dx"], seen.known.worst.want["dx"]))
    return Norms("dx", tuple(map(_norm, got)), tuple(map(_norm, want)))


def _norm(array: Any) -> float:
    """Return the square root of the sum of all squares."""
    return float(np.linalg.norm(np.ravel(array)))


def _plain(error: Any) -> tuple[tuple[float, ...], ...]:
    rows: Sequence[Sequence[float]] = error.tolist()
    return tuple(map(tuple, rows))
