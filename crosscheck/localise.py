"""Where a subject is wrong, in the network's own coordinates, found by experiments on the black box.

The smallest failing case hides where it fails: with one unit there is one of everything. So the experiments are done on
a grown case of the same options that fails too, in ordinary numbers if it fails in these. It is run again at T = 1,
where no path crosses a step but those to the initial states; with a cotangent at one step or one sequence alone; with
recurrent weights for one gate alone; and without one thing at a time, to see which it takes. What is said to be a part
of something is so on two cases, and the rest of it was seen to be right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from crosscheck.axes import BATCH, TIME, padding
from crosscheck.case import Case
from crosscheck.errors import ArgumentError
from crosscheck.evidence import Seen, look
from crosscheck.experiments import (
    COTANGENTS,
    IMPLIED,
    SQUARED,
    Without,
    from_item,
    one_step,
    recurrent_through,
    simplifications,
    tried,
    with_input_at,
    without,
)
from crosscheck.implementation import Subject
from crosscheck.location import Location, Reach
from crosscheck.parts import (
    BEGINNINGS,
    along,
    entries,
    gates_of,
    letters_of,
    runs_of_parameters,
    runs_of_states,
    units_of,
    wrong_along,
)
from crosscheck.paths import Reading, merged, paths, read
from crosscheck.probes import probes
from crosscheck.referee.truth import Known
from crosscheck.spec import base
from crosscheck.verdict import Status, Verdict

__all__ = ["Location", "Reach", "localise"]

OTHER_SEED = 100
OTHERS, MANY_OTHERS = 1, 7
"""In so many other numbers what is found is confirmed: in a few if they are plain, in many where a unit that is
clipped, masked or dead may be right by chance."""


def localise(subject: Subject, verdict: Verdict, known: Known | None = None) -> Location:
    """Return where a subject is wrong.

    Args:
        subject: the subject.
        verdict: on a case on which its numbers are wrong.
        known: what is known of that case already.
    """
    wrong = verdict.named(Status.FAIL)
    outputs = any(name in verdict.case.output_names for name in wrong)
    seen = _telling(subject, verdict.case, known, frozenset(wrong), outputs)
    if seen is None:
        return Location(verdict.case, outputs, wrong, verdict.named(Status.PASS))
    return _locate(subject, seen, outputs)


def _telling(subject: Subject, case: Case, known: Known | None, wrong: frozenset[str], outputs: bool) -> Seen | None:
    """Return what a subject does on a case that tells more than the failing one, and fails in the same way.

    Ordinary numbers tell most, and float64 is blind to least; if it fails in neither, as it did.
    """
    for dtype in dict.fromkeys(("float64", case.dtype)):
        grown = sorted(probes(subject, replace(case, dtype=dtype, arrays={}))[1:], key=_not_ordinary)
        for probe in grown:
            seen = tried(subject, probe)
            if seen is not None and alike(seen, wrong, outputs):
                return seen
    seen = look(subject, case, known)
    return seen if seen is not None and alike(seen, wrong, outputs) else None


def _not_ordinary(case: Case) -> bool:
    return case.regime != "ordinary"


def alike(seen: Seen, wrong: Iterable[str], outputs: bool) -> bool:
    """Say whether a failure is of the same side as another, and of some of the same tensors.

    Args:
        seen: what a subject does on a case.
        wrong: the tensors that are wrong in the other failure.
        outputs: whether outputs are among them.
    """
    of_outputs = any(name in seen.case.output_names for name in seen.wrong)
    return of_outputs == outputs and bool(set(map(base, seen.wrong)) & set(map(base, wrong)))


def _locate(subject: Subject, seen: Seen, outputs: bool) -> Location:
    bases = (seen, *_again(subject, seen, outputs))
    wrong = seen.verdict.named(Status.FAIL)
    where = Location(seen.case, outputs, wrong, seen.verdict.named(Status.PASS))
    where = (_outputs if outputs else _gradients)(subject, bases, where)
    needed = tuple(_needed(subject, bases, outputs))
    return replace(where, only_with=tuple(words for words in needed if not set(IMPLIED.get(words, ())) & set(needed)))


def _again(subject: Subject, seen: Seen, outputs: bool) -> Iterator[Seen]:
    """Yield the same in other numbers, as far as it is wrong there too."""
    case = seen.case
    plain = case.regime == "ordinary" and case.spec.cell != "rnn_relu" and not (any(case.spec.rates) or case.spec.clip)
    for k in range(OTHERS if plain else MANY_OTHERS):
        other = tried(subject, replace(case, seed=OTHER_SEED + k, arrays={}))
        if other is not None and alike(other, seen.wrong, outputs):
            yield other


def _outputs(subject: Subject, bases: Sequence[Seen], where: Location) -> Location:
    case, wrong = where.case, tuple(name for name in where.wrong if name in where.case.output_names)
    layers, directions = runs_of_states(bases, tuple(f"{name}_n" for name in case.spec.states))
    return replace(
        where,
        layers=layers,
        directions=directions,
        units=entries(bases, _with_units(case, wrong), -1),
        items=along(bases, wrong, BATCH),
        steps=along(bases, tuple(name for name in wrong if name == "y"), TIME),
        padding=wrong == ("y",) and all(_in_padding(one, "y") for one in bases),
        reach=_reach_of_outputs(subject, bases[0], wrong),
    )


def _reach_of_outputs(subject: Subject, seen: Seen, wrong: Sequence[str]) -> Reach:
    """Return whether a single step is wrong, the states that go on, or what is made of them."""
    single = tried(subject, one_step(seen.case))
    if single is None:
        return Reach.UNKNOWN
    if single.wrong & set(seen.case.output_names):
        return Reach.ONE_STEP
    if not single.right & set(wrong):
        return Reach.UNKNOWN
    states = {f"{name}_n" for name in seen.case.spec.states}
    if states <= seen.right or ("y" in seen.right and not seen.case.spec.output_size):
        return Reach.TOGETHER
    first = 0 not in wrong_along([seen], ("y",), TIME)[0]
    return Reach.CARRIED if first and _right_without_recurrence(subject, seen) else Reach.UNKNOWN


def _right_without_recurrence(subject: Subject, seen: Seen) -> bool:
    """Say whether all is right where the recurrent weights are zero, so that a step sees no state through them."""
    cut = tried(subject, recurrent_through(seen.case, 1, None))
    return cut is not None and set(seen.case.output_names) & cut.wrong == set() and "y" in cut.right


def _with_units(case: Case, wrong: Sequence[str]) -> tuple[str, ...]:
    """Return those outputs whose last axis is that of the units of the only layer; none if not all are such."""
    plain = len(case.spec.runs) == 1 and case.spec.proj_size == 0
    units = tuple(name for name in wrong if name in ("h_n", "c_n") or (name == "y" and not case.spec.output_size))
    return units if plain and units == tuple(wrong) else ()


def _gradients(subject: Subject, bases: Sequence[Seen], where: Location) -> Location:
    ones = tuple(one for seen in bases if (one := tried(subject, one_step(seen.case))) is not None)
    where = _with_reach(subject, bases, ones, where)
    basis = ones if where.reach is Reach.ONE_STEP and ones and all(one.wrong for one in ones) else bases
    layers, directions, names = runs_of_parameters(basis)
    where = replace(
        where,
        layers=layers,
        directions=directions,
        items=_items(subject, bases),
        padding="dx" in where.wrong and all(_in_padding(seen, "dx") for seen in bases),
    )
    if where.reach is Reach.CARRIED:
        return _carried(subject, ones, where) if ones else where
    return replace(where, gates=gates_of(basis, names), units=units_of(basis, names))


def _with_reach(subject: Subject, bases: Sequence[Seen], ones: Sequence[Seen], where: Location) -> Location:
    """Return the location with over how many steps a gradient has to go to be wrong."""
    if not ones:
        return where
    seen = bases[0]
    within = frozenset.union(*(single.wrong for single in ones)) - set(BEGINNINGS)
    where = replace(where, added=_is_added(subject, seen.case))
    if all(_recurrence_is_right(one) for one in bases):
        reach = Reach.ONE_STEP if within else Reach.TOGETHER
        return replace(where, apart=True, reach=reach, steps=_steps_of_input(subject, seen))
    if {"dW_hy", "db_y"} & seen.wrong:  # no path to the output layer crosses a step
        return replace(where, reach=Reach.ONE_STEP)
    cases = [one.case for one in bases]
    if seen.case.spec.loss != "none":
        lossless = [replace(case, spec=replace(case.spec, loss="none", mean="default"), arrays={}) for case in cases]
        given = tried(subject, lossless[0])
        if given is not None and (given.wrong or given.right):
            if not alike(given, seen.wrong, outputs=False):  # the loss itself
                return replace(where, reach=Reach.ONE_STEP)
            cases = lossless
        elif seen.case.spec.loss not in SQUARED:
            return replace(where, reach=Reach.ONE_STEP if within else Reach.UNKNOWN)
    reading = None if where.added else _reading(subject, cases)
    if reading is not None and not (within and reading.path_length):
        return replace(
            where,
            reach=Reach.CARRIED if reading.path_length else Reach.ONE_STEP,
            path_length=reading.path_length,
            steps=reading.steps,
            sources=reading.sources,
            crossings=reading.crossings,
        )
    if within:
        return replace(where, reach=Reach.ONE_STEP)
    return replace(where, reach=Reach.CARRIED if any(single.wrong for single in ones) else Reach.UNKNOWN)


def _reading(subject: Subject, cases: Sequence[Case]) -> Reading | None:
    """Return over which paths gradients go wrong, by as many cases as it takes to say more than that they do."""
    found = paths(subject, cases[0])
    reading = read(found) if found is not None else None
    for case in cases[1:]:
        if found is None or reading is None or reading in (Reading(0), Reading(1)):
            break
        others = paths(subject, case)
        found = merged(found, others) if others is not None else found
        reading = read(found)
    return reading


def _is_added(subject: Subject, case: Case) -> bool:
    """Say whether gradients are wrong with no cotangent at all."""
    nothing = tried(subject, without(case, *COTANGENTS)) if case.spec.loss == "none" else None
    return nothing is not None and bool(nothing.wrong)


def _steps_of_input(subject: Subject, seen: Seen) -> tuple[int, ...]:
    """Return the steps whose share in dW_xh is wrong, if not all are: those at which alone x must not be zero."""
    if {base(name) for name in seen.wrong} != {"dW_xh"}:
        return ()
    case = seen.case
    shares = [tried(subject, with_input_at(case, t)) for t in range(case.T)]
    if not all(share is not None and seen.wrong <= share.wrong | share.right for share in shares):
        return ()
    wrong = tuple(t for t, share in enumerate(shares) if share is not None and share.wrong)
    return wrong if len(wrong) < case.T else ()


def _recurrence_is_right(seen: Seen) -> bool:
    """Say whether all that goes from step to step is right: then dx is, or all that is made of the same."""
    parameters = {f"d{name}" for name in seen.case.layer_params}
    beginnings = {f"d{name}_0" for name in seen.case.spec.states} - set(seen.verdict.not_checked)
    if "dx" in seen.right or ("dx" in seen.wrong and _in_padding(seen, "dx")):
        return beginnings <= seen.right or seen.wrong <= set(BEGINNINGS)
    return parameters <= seen.right and beginnings <= seen.right


def _in_padding(seen: Seen, name: str) -> bool:
    """Say whether a tensor over time is wrong in the padding, and nowhere else."""
    if name not in seen.wrong or seen.case.lengths is None:
        return False
    return not (seen.off(name) & ~padding(seen.case, name)).any()


def _carried(subject: Subject, ones: Sequence[Seen], where: Location) -> Location:
    """Return the location with what of the carried gradient is lost, by what reaches the initial states in one step."""
    lost = tuple(name for name in BEGINNINGS if any(name in one.wrong for one in ones))
    if not lost or any(one.wrong - set(BEGINNINGS) for one in ones):
        return where
    returned = set.intersection(*({*one.right, *one.wrong} for one in ones))
    states = (lost[0][1],) if len(lost) == 1 and returned >= set(BEGINNINGS) else ()
    gates, direct = _ways(subject, ones) if "dh_0" in lost and not where.added else ((), False)
    return replace(where, states=states, gates=gates, direct=direct, units=entries(ones, lost, -1))


def _ways(subject: Subject, ones: Sequence[Seen]) -> tuple[tuple[str, ...], bool]:
    """Return through which gates' recurrent weights dh_0 is wrong, if not all; and whether it is so without any."""
    letters = letters_of(ones[0].case)
    wrong: set[str] = set()
    for single in ones if letters else ():
        for k, letter in ((None, ""), *enumerate(letters)):
            seen = tried(subject, recurrent_through(single.case, len(letters), k))
            if seen is None or "dh_0" not in seen.wrong | seen.right:
                return (), False
            wrong |= {letter} if "dh_0" in seen.wrong else set()
    gates = tuple(letter for letter in letters if letter in wrong)
    return gates if "" not in wrong and len(gates) < len(letters) else (), "" in wrong


def _items(subject: Subject, bases: Sequence[Seen]) -> tuple[int, ...]:
    """Return the sequences whose cotangents alone lead to wrong gradients."""
    case = bases[0].case
    if case.B == 1:
        return ()
    if case.spec.loss != "none":
        return along(bases, tuple(name for name in bases[0].wrong if not name.startswith(("dW", "db", "dp"))), BATCH)
    wrong: set[int] = set()
    right: set[int] = set()
    for seen in bases:
        for b in range(case.B):
            alone = tried(subject, from_item(seen.case, b))
            if alone is None:
                return ()
            if alone.wrong:
                wrong.add(b)
            elif seen.wrong <= alone.right and any(np.any(alone.known.worst.want[name]) for name in seen.wrong):
                right.add(b)
        if not right - wrong:
            return ()
    return tuple(sorted(wrong))


def _needed(subject: Subject, bases: Sequence[Seen], outputs: bool) -> Iterator[str]:
    """Yield what it takes for a subject to be wrong: what is gone when it is right, whatever the numbers."""
    case = bases[0].case
    for words, usual in (
        (case.dtype, replace(case, dtype="float64", arrays={})),
        (f"numbers of the regime {case.regime}", replace(case, regime="ordinary", arrays={})),
    ):
        if usual != case and _right_again(tried(subject, usual), bases[0]):
            yield words
    for simpler in simplifications(case, outputs=outputs):
        if all(_right_again(_simplified(subject, simpler, seen.case), seen) for seen in bases):
            yield simpler.words


def _simplified(subject: Subject, simpler: Without, case: Case) -> Seen | None:
    try:
        return tried(subject, simpler.change(case))
    except ArgumentError:  # what is left is no network
        return None


def _right_again(seen: Seen | None, before: Seen) -> bool:
    """Say whether what was wrong is seen to be right, and is not right for being zero."""
    if seen is None or seen.wrong or seen.verdict.findings:
        return False
    concerned = [name for name in seen.got if base(name) in set(map(base, before.wrong))]
    return bool(concerned) and all(
        name in seen.right and bool(np.any(seen.known.worst.want[name])) for name in concerned
    )
