"""Where a subject is wrong, in the network's own coordinates, found by experiments on the black box.

The smallest failing case hides where it fails: with one unit there is one of everything. So the experiments are done on
a grown case of the same options that fails too. It is run again without one thing at a time, to see which it takes; at
T = 1, where no path crosses a step but those to the initial states; and with a cotangent at one step alone, to see at
which length of the path from there the gradient is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np

from crosscheck import strategies
from crosscheck.case import Case
from crosscheck.evidence import Seen, gather, look
from crosscheck.probes import admits
from crosscheck.subject import Subject
from crosscheck.verdict import Status, Verdict

STACKED = ("dW_xh", "dW_hh", "db_xh", "db_hh")
GATES = {"lstm": "ifgo", "gru": "rzn"}


class Reach(Enum):
    """Over how many steps a gradient has to go to be wrong."""

    ONE_STEP = "wrong already within a single step"
    CARRIED = "right within a step, wrong wherever a path crosses one"
    SUMMED = "right within a step and from step to step, wrong where the steps are summed up"
    UNKNOWN = ""


@dataclass(frozen=True)
class Location:
    """Where a subject is wrong; what is empty or None is everywhere, or could not be found out.

    Attributes:
        case: the case on which it was found out.
        outputs: whether outputs are wrong; then it isn't asked where gradients are.
        wrong, right: the tensors.
        gates: the gates by letter, of the gradients of stacked weights and biases.
        units: the units of these, or of the output.
        items: the sequences of the batch.
        steps: the steps, of the output or of dx.
        reach: how far a gradient goes before it is wrong.
        path_length: over how many steps; None where no experiment shows it.
        only_with: what it takes, in words.
    """

    case: Case
    outputs: bool
    wrong: tuple[str, ...]
    right: tuple[str, ...]
    gates: tuple[str, ...] = ()
    units: tuple[int, ...] = ()
    items: tuple[int, ...] = ()
    steps: tuple[int, ...] = ()
    reach: Reach = Reach.UNKNOWN
    path_length: int | None = None
    only_with: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """The same in words."""
        return tuple(_sentences(self))


def localise(subject: Subject, verdict: Verdict) -> Location:
    """Return where a subject is wrong.

    Args:
        subject: the subject.
        verdict: on a case on which its numbers are wrong.
    """
    seen = gather(subject, verdict.case)
    telling = next((one for one in seen[1:] if one.case.T > 1 and one.wrong), None)
    if telling is None:
        telling = next((one for one in seen if one.wrong), None)
    if telling is None:
        names = {check.name: check.status for check in verdict.checks}
        wrong = tuple(name for name, status in names.items() if status is Status.FAIL)
        outputs = any(name in verdict.case.output_names for name in wrong)
        return Location(verdict.case, outputs, wrong, _right(verdict))
    return _locate(subject, telling)


def _locate(subject: Subject, seen: Seen) -> Location:
    case, off = seen.case, {name: _off(seen, name) for name in seen.got}
    wrong = tuple(name for name in seen.got if name in seen.wrong)
    outputs = tuple(name for name in wrong if name in case.output_names)
    concerned = outputs or wrong
    reach, path_length = (Reach.UNKNOWN, None) if outputs else _reach(subject, seen)
    return Location(
        case,
        bool(outputs),
        wrong,
        _right(seen.verdict),
        gates=() if outputs else _gates(case, off, concerned),
        units=_units(case, off, concerned),
        items=_part(case, off, concerned, _batch_axis),
        steps=_part(case, off, tuple(name for name in concerned if name in ("y", "dx")), _time_axis),
        reach=reach,
        path_length=path_length,
        only_with=tuple(_needed(subject, case)),
    )


def _right(verdict: Verdict) -> tuple[str, ...]:
    return tuple(check.name for check in verdict.checks if check.status is Status.PASS)


def _off(seen: Seen, name: str) -> Any:
    """Return which elements of a tensor are out of bounds."""
    want, bound = seen.known.worst.want[name], seen.known.worst.bound[name]
    with np.errstate(invalid="ignore"):
        return ~((np.abs(seen.got[name] - want) <= bound) | np.isnan(want))


def _gates(case: Case, off: Mapping[str, Any], names: Iterable[str]) -> tuple[str, ...]:
    """Return the gates of which all wrong rows of stacked gradients are, if they aren't all."""
    letters = GATES.get(case.spec.cell, "").replace("f", "" if case.spec.coupled else "f")
    rows = [off[name] for name in names if name.startswith(STACKED)]
    if not rows or not letters:
        return ()
    wrong = {k for array in rows for k, block in enumerate(np.split(array, len(letters))) if block.any()}
    return tuple(letters[k] for k in sorted(wrong)) if len(wrong) < len(letters) else ()


def _units(case: Case, off: Mapping[str, Any], names: Iterable[str]) -> tuple[int, ...]:
    """Return the units of which all wrong elements are, if they aren't all."""
    H, found = case.spec.hidden_size, set()
    for name in names:
        if name.startswith(STACKED):
            found |= set((np.nonzero(off[name].reshape(len(off[name]), -1).any(axis=1))[0] % H).tolist())
        elif (
            name in ("y", "h_n", "c_n")
            and len(case.spec.runs) == 1
            and case.spec.h_size == H
            and not case.spec.output_size
        ):
            found |= set(np.nonzero(off[name].reshape(-1, H).any(axis=0))[0].tolist())
        else:
            return ()
    return tuple(sorted(found)) if 0 < len(found) < H else ()


def _part(
    case: Case, off: Mapping[str, Any], names: Iterable[str], axis_of: Callable[[Case, str], int | None]
) -> tuple[int, ...]:
    """Return the entries along an axis that all wrong elements have, if they aren't all."""
    found: set[int] = set()
    size = 0
    for name in names:
        axis = axis_of(case, name)
        if axis is not None:
            size = off[name].shape[axis]
            others = tuple(k for k in range(off[name].ndim) if k != axis)
            found |= set(np.nonzero(off[name].any(axis=others))[0].tolist())
    return tuple(sorted(found)) if len(found) < size else ()


def _time_axis(case: Case, name: str) -> int | None:
    return {"TB": 0, "BT": 1, "T": 0}[case.spec.axes] if name in ("y", "dx") else None


def _batch_axis(case: Case, name: str) -> int | None:
    if case.spec.axes == "T":
        return None
    if name in ("y", "dx"):
        return {"TB": 1, "BT": 0}[case.spec.axes]
    return 1 if name in ("h_n", "c_n", "dh_0", "dc_0") else None


def _reach(subject: Subject, seen: Seen) -> tuple[Reach, int | None]:
    """Return over how many steps gradients must go to be wrong, and the number of steps if an experiment shows it."""
    at_one = _look(subject, replace(seen.case, T=1, lengths=seen.case.lengths and (1,) * seen.case.B, arrays={}))
    if at_one is None:
        return Reach.UNKNOWN, None
    if at_one.wrong - {"dh_0", "dc_0"} or seen.wrong & {"dW_hy", "db_y"}:  # no path to the output layer crosses a step
        return Reach.ONE_STEP, None
    if not (at_one.wrong or seen.wrong & {"dx", "dh_0", "dc_0"}) and {"dx", "dh_0"} <= set(seen.got):
        return Reach.SUMMED, None
    length = _path_length(subject, seen.case)
    return (Reach.ONE_STEP if length == 0 else Reach.CARRIED), length


def _path_length(subject: Subject, case: Case) -> int | None:
    """Return over how many steps the gradient of one output gets lost: where dx is first wrong, going back from it."""
    if case.spec.loss != "none" or case.spec.bidirectional or case.lengths is not None:
        return None
    last = _look(subject, _with(case, dy=_last_step_alone, dh_n=_zero, dc_n=_zero))
    if last is None or "dx" not in last.got:
        return None
    axis = _time_axis(case, "dx")
    wrong = np.moveaxis(_off(last, "dx"), axis or 0, 0).reshape(case.T, -1).any(axis=1)
    return next((length for length in range(case.T) if wrong[case.T - 1 - length]), None)


def _with(case: Case, **changes: Callable[[Case, Any], Any]) -> Case:
    """Return a case with some of its arrays changed, as far as it has them."""
    changed = {name: change(case, case.arrays[name]) for name, change in changes.items() if name in case.arrays}
    return replace(case, arrays={**case.arrays, **changed})


def _zero(_case: Case, array: Any) -> Any:
    return np.zeros_like(array)


def _last_step_alone(case: Case, dy: Any) -> Any:
    kept = np.zeros_like(dy)
    last = (slice(None), -1) if case.spec.axes == "BT" else (-1,)
    kept[last] = dy[last]
    return kept


def _needed(subject: Subject, case: Case) -> Iterator[str]:
    """Yield what it takes for the case to fail: what is gone when it is right."""
    for words, simpler in _simpler(case):
        without = _look(subject, simpler)
        if without is not None and without.verdict.status is not Status.FAIL:
            yield words


def _simpler(case: Case) -> Iterator[tuple[str, Case]]:
    """Yield cases without one thing that this one has, and the thing."""
    spec = case.spec

    def without(**changes: Any) -> Case:
        return replace(case, spec=replace(spec, **changes), arrays={})

    if case.T > 1:
        yield "more than one step", replace(case, T=1, lengths=case.lengths and (1,) * case.B, arrays={})
    if case.B > 1:
        yield "more than one sequence", replace(case, B=1, lengths=case.lengths and case.lengths[:1], arrays={})
    if case.lengths is not None:
        yield "lengths", replace(case, lengths=None, arrays={})
    if spec.num_layers > 1:
        yield "more than one layer", without(num_layers=1, dropout=0.0)
    if spec.bidirectional:
        yield "two directions", without(bidirectional=False, merge="concat")
    if spec.axes != "TB":
        yield f"axes {spec.axes}", without(axes="TB")
    if spec.output_size:
        yield "an output layer", without(output_size=0, loss="none", mean="default")
    if not spec.bias:
        yield "no bias", without(bias=True)
    for rate in ("dropout", "recurrent_dropout", "zoneout", "clip", "forget_bias"):
        if getattr(spec, rate):
            yield rate.replace("_", " "), without(**{rate: 0.0})
    for option in ("peephole", "coupled", "attention"):
        if getattr(spec, option):
            yield option, without(**{option: False})
    if case.memory != "contiguous":
        yield f"{case.memory} memory", replace(case, memory="contiguous", arrays={})
    yield "an initial state", _with(case, h_0=_zero, c_0=_zero)
    if spec.loss == "none":
        yield "a gradient of the final states", _with(case, dh_n=_zero, dc_n=_zero)
        yield "a gradient of the output", _with(case, dy=_zero)


def _look(subject: Subject, case: Case) -> Seen | None:
    """Return what a subject does on a case; None if it doesn't support it, or returns nothing to look at."""
    return look(subject, case) if strategies.supported(case, admits(subject, case)) else None


def _sentences(location: Location) -> Iterator[str]:
    parts = [
        (f"gate{_s(location.gates)} {', '.join(location.gates)} alone" if location.gates else ""),
        (f"unit{_s(location.units)} {_numbers(location.units)} alone" if location.units else ""),
        (f"sequence{_s(location.items)} {_numbers(location.items)} of the batch alone" if location.items else ""),
        (f"step{_s(location.steps)} {_numbers(location.steps)} of {location.case.T}" if location.steps else ""),
    ]
    yield from filter(None, parts)
    if location.reach is Reach.CARRIED and (location.path_length or 0) > 1:
        yield f"right up to a step, wrong wherever a path crosses {location.path_length}"
    elif location.reach is not Reach.UNKNOWN:
        yield location.reach.value
    if location.only_with:
        yield f"only with {', '.join(location.only_with)}"


def _s(entries: tuple[Any, ...]) -> str:
    return "" if len(entries) == 1 else "s"


def _numbers(entries: tuple[int, ...]) -> str:
    return ", ".join(map(str, entries))
