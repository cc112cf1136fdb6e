"""Properties that every right network has, and that need no second implementation: a subject against itself.

    time split            T steps at once; or the first of them, and then the others from where these end
    zero-cotangent tail   steps after the last one that matters; or none
    batch additivity      a batch at once; or in two parts
    batch permutation     a batch in one order or another
    scaled cotangent      cotangents; or 2^k times as large
    padding garbage       one number in the padding or another, a large one
    padding NaN           the same with NaN
    bias equality         the gradients of two biases that are added to each other

The two sides of the first four are two programs for the same results, which add in different orders, since already
another number of rows may be another order inside a matrix product. The worst-case bound E is that of every program and
every order, so right sides are within 2 E of each other (`crosscheck.referee.reference`). So are the two biases'
gradients, which one program sums over all steps at once and another step by step.

The others change no order, and nothing that is rounded. What is multiplied by 0 is 0, whatever a finite number it was;
all that a backward pass does is linear in the cotangents, and a power of two goes through every product and sum
unchanged. So these agree to the bit, with two exceptions, which are held to 2 E. One is where numbers underflow. How
much may be lost is computed, E with all roundings but these left out; less than u^2 of an element doesn't count, since
that turns its last bit once in 1 / u times. The other is a program whose last bits depend on where in memory its arrays
lie; it is asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from crosscheck.axes import AXES, BATCH, MASKS, SEQUENCES, STATES, TIME
from crosscheck.case import Case
from crosscheck.implementation import Function, Subject, make, run
from crosscheck.referee.numbers.bounded import bounded
from crosscheck.referee.numbers.format import FORMATS, Format
from crosscheck.referee.reference import reference
from crosscheck.referee.truth import Known
from crosscheck.regimes import REGIMES
from crosscheck.search import Checks, NotApplicableError, OverflowedError, Property, PropertyVerdict, UnsoundError
from crosscheck.spec import suffix
from crosscheck.subjects.manual import manual
from crosscheck.verdict import TensorCheck, blind_above, compare

Arrays = Mapping[str, Any]
COTANGENTS = ("dy", "dh_n", "dc_n")
UNROUNDED = 1000
"""Bits of a significand that nothing here is rounded to."""
PLACES = (0, 16, 32, 48)
"""Where arrays may begin, in bytes after a multiple of 64, the length of a cache line and of the longest vectors."""


class Trial:
    """A subject on a case, and on cases made from it.

    Attributes:
        subject: the subject.
        case: the case.
    """

    def __init__(self, subject: Subject, case: Case) -> None:
        self.subject, self.case = subject, case

    def run(self, case: Case, copy: Callable[[Any], Any] | None = None) -> Arrays:
        """Return what the subject returns for a case, float64; `copy` is that of `crosscheck.implementation.run`.

        Raises:
            UnsoundError: something is wrong with it besides its numbers.
            OverflowedError: it isn't finite, and neither is what the hand-written network returns in this format.
        """
        result = run(self.subject, case, copy)
        if result.findings:
            raise UnsoundError(result.findings)
        if not result.finite and any(array.any() for array in Known(case).overflows.values()):
            raise OverflowedError
        return result.values

    @cached_property
    def values(self) -> Arrays:
        """What it returns for the case itself."""
        return self.run(self.case)

    @cached_property
    def apart(self) -> Arrays:
        """How far two programs may be apart on the case: 2 E."""
        return apart(self.case)

    @cached_property
    def underflow(self) -> Arrays:
        """The same for two programs that round nothing, but lose what is below the smallest normal number."""
        format = FORMATS[self.case.dtype]
        lost = Format(UNROUNDED, format.smallest if not format.gradual else 2 * format.eta)
        results = manual(self.case.lift(lambda array: bounded(array, lost)))
        return {name: 2 * result.E for name, result in results.items()}

    @cached_property
    def steady(self) -> bool:
        """Whether the subject returns the same to the bit wherever in memory its arrays lie."""
        return all(_same_bits(self.values, self.run(self.case, partial(_copy_at, place))) for place in PLACES)

    def compare(self, got: Arrays, want: Arrays, bound: Arrays) -> Iterator[TensorCheck]:
        """Compare what both have, each element within its bound."""
        blind = blind_above(FORMATS[self.case.dtype])
        for name in self.case.result_shapes:
            if name in got and name in want:
                within = np.broadcast_to(bound[name], np.shape(want[name]))
                yield compare(name, got[name], want[name], within, blind, may=np.isinf(within))

    def identical(self, got: Arrays, want: Arrays, scale: float = 1.0) -> Iterator[TensorCheck]:
        """Compare to the bit, where that may be asked, results whose gradients are `scale` times the case's own."""
        if _same_bits(got, want):
            return self.compare(got, want, dict.fromkeys(want, 0.0))
        u = FORMATS[self.case.dtype].u
        bound = {}
        for name in want:
            by = 1.0 if name in self.case.output_names else scale
            exact = self.steady & (self.underflow[name] * by <= u * u * np.abs(want[name]))
            bound[name] = by * np.where(exact, 0.0, self.apart[name])
        return self.compare(got, want, bound)


def apart(case: Case) -> Arrays:
    """Return how far two programs may be apart on a case, in each element: 2 E."""
    return {name: 2 * E for name, E in reference(case).worst.items()}


def changed(case: Case, arrays: Arrays) -> Case:
    """Return the case with some of its arrays replaced."""
    return replace(case, arrays={**case.arrays, **{n: np.asarray(a, case.array_dtype) for n, a in arrays.items()}})


def steps(case: Case, first: int, end: int) -> Case:
    """Return the case of some of the steps, all else being the same."""
    lengths = case.lengths and tuple(min(max(length - first, 0), end - first) for length in case.lengths)
    return replace(case, arrays=along(case, TIME, case.arrays, slice(first, end)), T=end - first, lengths=lengths)


def rows(case: Case, index: Sequence[int]) -> Case:
    """Return the case of some of the sequences, in the order of `index`."""
    lengths = case.lengths and tuple(case.lengths[b] for b in index)
    return replace(case, arrays=along(case, BATCH, case.arrays, list(index)), B=len(index), lengths=lengths)


def along(case: Case, kind: int, arrays: Arrays, index: Any) -> Arrays:
    """Return arrays indexed along the axis of the steps, or of the sequences, those without one as they are."""
    axes = {name: _axis(case, kind, name) for name in arrays}
    return {name: arrays[name] if axis is None else arrays[name][_at(axis, index)] for name, axis in axes.items()}


def joined(case: Case, kind: int, first: Arrays, second: Arrays) -> Arrays:
    """Return the results of the whole, a case, from those of its two parts in time, or in the batch."""
    return {name: _joined(case, kind, name, first[name], second[name]) for name in first if name in second}


def _joined(case: Case, kind: int, name: str, first: Any, second: Any) -> Any:
    axis = _axis(case, kind, name)
    if axis is not None:
        return np.concatenate((first, second), axis)
    if name in STATES:  # where the whole ends, and the gradient of where it begins
        return second if name.endswith("_n") else first
    return first + second  # the gradient of a parameter is the sum over all steps and sequences


def _axis(case: Case, kind: int, name: str) -> int | None:
    return AXES[case.spec.axes].get(name, (None, None))[kind]


def _at(axis: int, index: Any) -> Any:
    """Return the index of an array that is `index` along one axis, and everything along those before it."""
    return (slice(None),) * axis + (index,)


def _needs(condition: bool) -> None:
    if not condition:
        raise NotApplicableError


def _has_parts_in_time(case: Case) -> None:
    spec = case.spec
    _needs(case.T > 1 and spec.loss == "none" and not spec.bidirectional and spec.truncate is None)


def _renamed(states: Iterable[str], results: Arrays, old: str, new: str) -> Arrays:
    """Return the states' arrays that are there, under other names."""
    names = {old.format(state): new.format(state) for state in states}
    return {names[name]: array for name, array in results.items() if name in names}


def _time_split(trial: Trial) -> Iterator[TensorCheck]:
    case, states = trial.case, trial.case.spec.states
    _has_parts_in_time(case)
    taken = [REGIMES[name] for name in trial.subject.options["regime"]]
    _needs(any(regime.states.most and not regime.outputs_only for regime in taken))  # initial and final states
    latest = case.T if not case.lengths or 0 in case.lengths else min(case.lengths)  # so that no length becomes 0
    _needs(latest > 1)
    split = 1 + case.seed % (latest - 1)
    begin, end = steps(case, 0, split), steps(case, split, case.T)
    reached = _renamed(states, trial.run(begin), "{}_n", "{}_0")
    _needs(len(reached) == len(states))
    second = trial.run(changed(end, reached))
    carried = _renamed(states, second, "d{}_0", "d{}_n")
    whole = joined(case, TIME, trial.run(changed(begin, carried)), second)
    if len(carried) < len(states):
        whole = {name: array for name, array in whole.items() if name in case.output_names}
    return trial.compare(whole, trial.values, trial.apart)


def _zero_tail(trial: Trial) -> Iterator[TensorCheck]:
    case = trial.case
    _has_parts_in_time(case)
    end = 1 + case.seed % (case.T - 1)
    before, after = slice(None, end), slice(end, None)
    none = {f"d{state}_n": 0 * case.arrays[f"d{state}_n"] for state in case.spec.states}
    quiet = changed(case, {**none, "dy": _zeroed(case, "dy", case.dy, after)})
    long, short = trial.run(quiet), trial.run(steps(quiet, 0, end))
    lasting = {name: array for name, array in long.items() if not name.endswith("_n")}
    yield from trial.compare(along(case, TIME, lasting, before), short, along(case, TIME, apart(quiet), before))
    of_inputs = {name: long[name] for name in ("dx", "dattention") if name in long}
    want = {name: _zeroed(case, name, array, after) for name, array in of_inputs.items()}
    yield from trial.compare(of_inputs, want, dict.fromkeys(want, 0.0))


def _batch_additivity(trial: Trial) -> Iterator[TensorCheck]:
    case = trial.case
    _needs(case.B > 1 and case.spec.loss == "none")
    split = 1 + case.seed % (case.B - 1)
    parts = [trial.run(rows(case, index)) for index in (range(split), range(split, case.B))]
    return trial.compare(joined(case, BATCH, *parts), trial.values, trial.apart)


def _batch_permutation(trial: Trial) -> Iterator[TensorCheck]:
    case = trial.case
    _needs(case.B > 1)
    order = np.roll(np.arange(case.B), 1)  # of three or more, not its own inverse
    permuted = trial.run(rows(case, order.tolist()))
    return trial.compare(permuted, along(case, BATCH, trial.values, order), along(case, BATCH, trial.apart, order))


def _scaled_cotangent(trial: Trial) -> Iterator[TensorCheck]:
    case = trial.case
    _needs(case.spec.loss == "none")
    scale = _large(case, 4)
    larger = {name: case.arrays[name].astype(np.float64) * scale for name in COTANGENTS if name in case.arrays}
    scaled = trial.run(changed(case, larger))
    outputs = case.output_names
    want = {name: array if name in outputs else scale * array for name, array in trial.values.items()}
    return trial.identical(scaled, want, scale)


def _padding(trial: Trial, number: float) -> Iterator[TensorCheck]:
    case = trial.case
    _needs(case.lengths is not None and min(case.lengths) < case.T)
    given = {name: array for name, array in case.arrays.items() if name in (*SEQUENCES, *MASKS)}
    got = trial.run(changed(case, {name: _padded(case, name, array, number) for name, array in given.items()}))
    empty = {name: _padded(case, name, array, 0.0) for name, array in trial.values.items() if name in SEQUENCES}
    return trial.identical(got, {**trial.values, **empty})


def _padded(case: Case, name: str, array: Any, number: float) -> Any:
    """Return a copy of a case's array of this name with a number in its padding."""
    axes: Any = AXES[case.spec.axes][name]
    copy = array.copy()
    np.moveaxis(copy, axes, (0, 1))[np.arange(case.T)[:, None] >= np.array(case.lengths)] = number
    return copy


def _padding_garbage(trial: Trial) -> Iterator[TensorCheck]:
    return _padding(trial, _large(trial.case, 2))


def _padding_nan(trial: Trial) -> Iterator[TensorCheck]:
    return _padding(trial, math.nan)


def _bias_equality(trial: Trial) -> Iterator[TensorCheck]:
    case, values = trial.case, trial.values
    gru = case.spec.cell == "gru" and case.spec.reset_after
    added = slice(2 * case.spec.hidden_size if gru else None)  # n's are not: r stands between them
    ends = [suffix(*run) for run in case.spec.runs]
    of_x, of_h, bound = (
        {f"db_hh{end}": arrays[f"db_{which}{end}"][added] for end in ends if f"db_{which}{end}" in arrays}
        for arrays, which in ((values, "xh"), (values, "hh"), (trial.apart, "hh"))
    )
    _needs(bool(of_x.keys() & of_h.keys()))
    return trial.compare(of_h, of_x, bound)


CHECKS = Checks(
    "properties",
    Trial,
    {
        "time split": Property("T steps = the first ones, and then the others from where these end", _time_split),
        "zero-cotangent tail": Property("steps after the last cotangent change no gradient, their dx is 0", _zero_tail),
        "batch additivity": Property("a batch = its two parts, and parameters' gradients add up", _batch_additivity),
        "batch permutation": Property("the sequences of a batch may come in any order", _batch_permutation),
        "scaled cotangent": Property("2^k times the cotangents: exactly 2^k times the gradients", _scaled_cotangent),
        "padding garbage": Property("a large number in the padding changes nothing, dx there is 0", _padding_garbage),
        "padding NaN": Property("NaN in the padding changes nothing, dx there is 0", _padding_nan),
        "bias equality": Property("two biases that are added have the same gradient", _bias_equality),
    },
)
PROPERTIES = tuple(CHECKS.properties)
"""The names of the properties."""


def check_properties(
    subject: str | Function | Subject, case: Case, names: Iterable[str] | None = None
) -> tuple[PropertyVerdict, ...]:
    """Return whether a subject has each property on a case.

    Args:
        subject: the subject, as of `crosscheck.implementation.make`.
        case: the case.
        names: the properties to check; all if None.

    Raises:
        ArgumentError: the subject can't be loaded.
    """
    return CHECKS.verdicts(make(subject), case, names)


def _large(case: Case, root: int) -> float:
    """Return a power of two that `root` of can be multiplied without overflow."""
    return float(2.0 ** (int(-math.log2(FORMATS[case.dtype].smallest)) // root))


def _zeroed(case: Case, name: str, array: Any, steps: slice) -> Any:
    """Return a copy of a case's array of this name with zeros at some steps."""
    axis: Any = _axis(case, TIME, name)
    copy = array.copy()
    copy[_at(axis, steps)] = 0
    return copy


def _same_bits(got: Arrays, want: Arrays) -> bool:
    """Say whether what both have is the same, zeros of either sign and NaN being equal."""
    return all(np.array_equal(got[name], want[name], equal_nan=True) for name in got.keys() & want.keys())


def _copy_at(place: int, array: Any) -> Any:
    """Return a copy that begins `place` bytes after a multiple of 64."""
    buffer = np.empty(array.nbytes + 64 + place, np.uint8)
    start = -buffer.ctypes.data % 64 + place
    copy = buffer[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy
