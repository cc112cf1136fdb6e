"""Cases made from a failing one to find out where a subject is wrong: with less in them, or with other numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from crosscheck import strategies
from crosscheck.axes import AXES, BATCH, TIME
from crosscheck.case import Case
from crosscheck.evidence import Seen, look
from crosscheck.implementation import Subject
from crosscheck.probes import admits
from crosscheck.referee.truth import Known

Change = Callable[[Case], Case]
COTANGENTS = ("dy", "dh_n", "dc_n")
SQUARED = ("half_squared_error", "mse")
"""The losses whose gradient is 0 where the target is met."""
FINALS = "a gradient of the final states"
SHORTER = "sequences of fewer steps"
IMPLIED = {"lengths": (SHORTER,), FINALS: ("a gradient of h_n", "a gradient of c_n")}
"""What need not be said where one of the others is, of the things that a case may do without."""


def tried(subject: Subject, case: Case) -> Seen | None:
    """Return what a subject does on a case; None if it doesn't support it, or returns nothing to look at."""
    return look(subject, case) if strategies.supported(case, admits(subject, case)) else None


def one_step(case: Case) -> Case:
    """Return a case like another, of one step; sequences of no step stay so."""
    lengths = case.lengths and tuple(min(length, 1) for length in case.lengths)
    return replace(case, T=1, lengths=lengths, arrays={})


def without(case: Case, *names: str) -> Case:
    """Return a case with zeros in some of its arrays, as far as it has them."""
    return _changed(case, {name: np.zeros_like(case.arrays[name]) for name in names if name in case.arrays})


def from_step(case: Case, t: int) -> Case:
    """Return a case with no cotangent but that of the output of one step.

    A squared error has none where the target is met, but for what rounding leaves.
    """
    if case.spec.loss in SQUARED:
        y = Known(case).worst.want["y"].astype(case.array_dtype)
        return _changed(case, {"target": np.where(_at(case, "target", TIME, t), case.arrays["target"], y)})
    cleared = without(case, "dh_n", "dc_n")
    return _changed(cleared, {"dy": _kept(case, "dy", TIME, t)})


def from_item(case: Case, b: int) -> Case:
    """Return a case with no cotangent but those of one sequence."""
    return _changed(case, {name: _kept(case, name, BATCH, b) for name in COTANGENTS if name in case.arrays})


def with_input_at(case: Case, t: int) -> Case:
    """Return a case whose x is zero but at one step."""
    return _changed(case, {"x": _kept(case, "x", TIME, t)})


def recurrent_through(case: Case, gates: int, gate: int | None) -> Case:
    """Return a case whose recurrent weights are zero but for those of one gate out of several, or of none."""

    def kept(W_hh: Any) -> Any:
        blocks = np.zeros_like(W_hh)
        if gate is not None:
            H = len(W_hh) // gates
            blocks[gate * H : (gate + 1) * H] = W_hh[gate * H : (gate + 1) * H]
        return blocks

    return _changed(case, {name: kept(W) for name, W in case.arrays.items() if name.startswith("W_hh")})


def _kept(case: Case, name: str, kind: int, index: int) -> Any:
    """Return an array of a case with zeros wherever it is not at one step, or of one sequence."""
    array = case.arrays[name]
    return np.where(_at(case, name, kind, index), array, np.zeros_like(array))


def _at(case: Case, name: str, kind: int, index: int) -> Any:
    """Return where an array of a case is at one step, or of one sequence; everywhere, if it has no such axis."""
    here = np.ones(case.arrays[name].shape, dtype=bool)
    axis = AXES[case.spec.axes][name][kind]
    if axis is not None:
        here[...] = False
        here[(slice(None),) * axis + (index,)] = True
    return here


def _changed(case: Case, arrays: dict[str, Any]) -> Case:
    return replace(case, arrays={**case.arrays, **arrays})


@dataclass(frozen=True)
class Without:
    """A case without one thing.

    Attributes:
        words: the thing.
        change: what takes it away.
    """

    words: str
    change: Change


def simplifications(case: Case, *, outputs: bool) -> Iterator[Without]:
    """Yield what a case can do without, one thing at a time.

    Args:
        case: the case.
        outputs: whether outputs are wrong, to which no cotangent belongs, but every parameter.
    """
    yield from _smaller(case)
    yield from _plainer(case)
    states = tuple(f"{name}_0" for name in case.spec.states)
    if _any(case, states):
        yield Without("an initial state", lambda case: without(case, *states))
    if outputs:
        for name in case.layer_params:
            if _any(case, (name,)):
                yield Without(name, lambda case, name=name: without(case, name))  # type: ignore[misc]
        return
    finals = tuple(f"d{name}_n" for name in case.spec.states)
    single = [(f"a gradient of {name[1:]}", (name,)) for name in ("dy", *(finals if len(finals) > 1 else ()))]
    for words, names in ((FINALS, finals), *single):
        rest = tuple(name for name in COTANGENTS if name not in names)
        if _any(case, names) and _any(case, rest):
            yield Without(words, lambda case, names=names: without(case, *names))  # type: ignore[misc]


def _any(case: Case, names: tuple[str, ...]) -> bool:
    return any(np.any(case.arrays[name]) for name in names if name in case.arrays)


def _smaller(case: Case) -> Iterator[Without]:
    """Yield what makes a case smaller."""
    spec = case.spec
    if case.T > 1:
        yield Without("more than one step", one_step)
    if case.B > 1:
        yield Without("more than one sequence", _first_sequence)
    if spec.hidden_size > 1 and not spec.proj_size:
        yield _option("more than one unit", hidden_size=1)
    if spec.input_size > 1:
        yield _option("more than one input", input_size=1)
    if case.lengths is not None:
        if min(case.lengths) < case.T:
            yield Without(SHORTER, lambda case: replace(case, lengths=(case.T,) * case.B, arrays={}))
        yield Without("lengths", lambda case: replace(case, lengths=None, arrays={}))
        if 0 in case.lengths:
            yield Without("a sequence of length 0", _no_empty_sequence)


def _first_sequence(case: Case) -> Case:
    return replace(case, B=1, lengths=case.lengths and (min(filter(None, case.lengths), default=0),), arrays={})


def _no_empty_sequence(case: Case) -> Case:
    return replace(case, lengths=tuple(length or 1 for length in case.lengths or ()), arrays={})


def _plainer(case: Case) -> Iterator[Without]:
    """Yield the options of a case."""
    spec = case.spec
    if spec.num_layers > 1:
        yield _option("more than one layer", num_layers=1, dropout=0.0)
    if spec.bidirectional:
        yield _option("two directions", bidirectional=False, merge="concat")
    if spec.merge == "sum":
        yield _option("summed directions", merge="concat")
    if spec.axes != "TB":
        yield _option(f"axes={spec.axes}", axes="TB")
    if spec.loss != "none":
        yield _option(f"the loss {spec.loss}", loss="none", mean="default")
        if spec.mean != "default":
            yield _option(f"mean={spec.mean}", mean="default")
    if spec.output_size:
        yield _option("an output layer", output_size=0)
    if not spec.bias:
        yield _option("no bias", bias=True)
    if not spec.reset_after:
        yield _option("the reset gate before the product", reset_after=True)
    if spec.proj_size:
        yield _option("a projection", proj_size=0)
    if spec.truncate:
        yield _option("truncation", truncate=None)
    if not spec.train and any(spec.rates):
        yield _option("masks outside training", train=True)
    for rate, words in (
        ("dropout", "dropout between layers"),
        ("recurrent_dropout", "recurrent dropout"),
        ("zoneout", "zoneout"),
        ("clip", "clipping"),
        ("forget_bias", "a forget bias"),
    ):
        if getattr(spec, rate):
            yield _option(words, **{rate: 0.0})
    for option, words in (("peephole", "peepholes"), ("coupled", "coupled gates"), ("attention", "attention")):
        if getattr(spec, option):
            yield _option(words, **{option: False})
    if case.memory != "contiguous":
        yield Without(f"{case.memory} memory", lambda case: replace(case, memory="contiguous", arrays={}))


def _option(words: str, **changes: Any) -> Without:
    """Return the change of options of the spec."""
    return Without(words, lambda case: replace(case, spec=replace(case.spec, **changes), arrays={}))
