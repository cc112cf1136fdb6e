"""Which conventions does somebody's code have? Its forward pass is asked, on cases large enough to tell.

Every layout is tried that the adapter can make of the code: weights (in, out), one bias, columns, batch first, a weight
for each gate or one for h and x; and in every layout that runs, every order of gates, z for 1 - z, and the reset gate
before or after. One fits if all its outputs are right, within the bounds by which everything is judged. The backward
pass is not run: it may be wrong, which is what is to be found out.

Of those that hand the code the very same numbers the first is kept, the one with the least to say. And that there are
no biases is believed only where nothing with biases fits: those of a class may be 0 until they are set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import permutations, product
from typing import Any

import numpy as np

from crosscheck.adapters import settings_of
from crosscheck.case import Case
from crosscheck.conventions import JOINED, Conventions, theirs
from crosscheck.errors import ArgumentError
from crosscheck.implementation import Result, Subject, TwoSteps, load, make, read
from crosscheck.referee.truth import Known
from crosscheck.spec import GATES, LETTERS, Spec
from crosscheck.verdict import Status, Verdict, judge

WHOSE: dict[str, str] = {
    "ifgo": "torch's, Keras's",
    "iofg": "ONNX's",
    "igfo": "TensorFlow 1's",
    "ifog": "Karpathy's",
    "gifo": "Chainer's",
    "fgio": "that of Saitoh's book",
    "rzn": "torch's",
    "zrn": "Keras's, ONNX's",
}
"""The orders of gates that are somebody's."""
T, B, I, H, O = 3, 2, 3, 4, 2
"""Sizes so different that no array fits where another belongs. With T = 1, W_hh would be seen through the initial state
alone, which may be 0."""
SEEDS = (1, 2)
RAN = "target"
"""The argument that is wrong where code was run, and raised."""
AXES: tuple[dict[str, bool], ...] = (
    {},
    {"batch_first": True},
    {"columns": True},
    {"columns": True, "time_last": True},
    {"time_last": True},
    {"unbatched": True},
    {"unbatched": True, "columns": True},
)


@dataclass(frozen=True)
class Fit:
    """Conventions that were tried.

    Attributes:
        cell: the cell.
        conventions: how it is laid out.
        fits: whether every output was right.
        ratio: the largest error, in bounds; infinite for NaN.
    """

    cell: str
    conventions: Conventions
    fits: bool
    ratio: float

    def __str__(self) -> str:
        said = [setting for setting in settings_of(self.conventions) if not setting.startswith("names.")]
        order = self.conventions.gates or LETTERS[self.cell]
        gates = f"gates={order}" + (f" ({WHOSE[order]})" if order in WHOSE else "") if len(order) > 1 else ""
        others = [setting.removesuffix("=true") for setting in said if not setting.startswith("gates=")]
        return " ".join(filter(None, [self.cell, gates, *others]))


def infer(
    thing: Any, adapter: str, cells: Iterable[str] = tuple(GATES), conventions: Conventions | None = None
) -> tuple[Fit, ...]:
    """Return the conventions that fit, the plainest first; if none does, the nearest alone, and it says so.

    Args:
        thing: what the adapter takes, or a text that names it; see `crosscheck.implementation.make`.
        adapter: a name in `crosscheck.adapters.ADAPTERS`.
        cells: the cells that it may be.
        conventions: what is known of them; the rest is found out.

    Raises:
        ArgumentError: nothing runs whatever is tried; with what the code said to the plainest.
    """
    known = conventions or Conventions()
    thing = load(thing) if isinstance(thing, str) else thing
    tried: list[Fit] = []
    errors: list[ArgumentError] = []
    given: set[tuple[str, bool, bytes]] = set()
    for cell in cells:
        for layout in layouts(cell, known):
            first = _tried(thing, adapter, cell, layout)
            if isinstance(first, ArgumentError):
                errors.append(first)
                continue
            for ordered in orders(cell, layout):
                seen = (cell, ordered.reset_after, _fingerprint(cell, ordered))
                fit = _tried(thing, adapter, cell, ordered) if ordered != layout else first
                if isinstance(fit, Fit) and not (fit.fits and seen in given):
                    tried.append(fit)
                    given |= {seen} if fit.fits else set()
    if not tried:
        ran = [error for error in errors if error.argument == RAN]
        raise (ran or errors)[0] if errors else ArgumentError("cell", ", ".join(cells), "one that the adapter can make")
    found = tuple(fit for fit in tried if fit.fits)
    biased = {fit.cell for fit in found if fit.conventions.biases != "none"}
    found = tuple(fit for fit in found if fit.conventions.biases != "none" or fit.cell not in biased)
    return found or (min(tried, key=lambda fit: fit.ratio),)


def layouts(cell: str, known: Conventions) -> Iterator[Conventions]:
    """Yield the layouts that a cell may have, the plainest first: how arrays lie, and not yet which gate is where."""
    gated = cell in ("lstm", "gru")
    resets = ("", "before") if cell == "gru" and not known.reset else (known.reset,)
    choices = {
        "axes": AXES,
        "transposed": (known.transposed,) if known.transposed else (False, True),
        "biases": (known.biases,) if known.biases != "two" else ("two", "one", "none"),
        "separate": (known.separate,) if known.separate or not gated else (False, True),
        "joined": (known.joined,) if known.joined else JOINED,
        "reset": resets,
    }
    axes_known = any((known.batch_first, known.columns, known.time_last, known.unbatched))
    for values in product(*choices.values()):
        chosen: dict[str, Any] = dict(zip(choices, values, strict=True))
        axes = chosen.pop("axes")
        try:
            yield replace(known, **chosen, **({} if axes_known else axes))
        except ArgumentError:  # two of these exclude each other
            continue


def orders(cell: str, layout: Conventions) -> Iterator[Conventions]:
    """Yield the conventions of a layout: every order of gates, those that are somebody's first, and z or 1 - z."""
    letters = LETTERS[cell]
    every = sorted(("".join(order) for order in permutations(letters)), key=lambda order: order not in WHOSE)
    gates = (layout.gates,) if layout.gates or layout.separate or len(letters) == 1 else every
    flips = (False, True) if cell == "gru" and not layout.z_new else (layout.z_new,)
    for order, z_new in product(gates, flips):
        yield replace(layout, gates="" if order == letters else order, z_new=z_new)


def _tried(thing: Any, adapter: str, cell: str, conventions: Conventions) -> Fit | ArgumentError:
    """Return how conventions fit; the error if they can't be tried, or the code can't be run so."""
    told = replace(conventions, gates=conventions.gates or LETTERS[cell])  # which says what cell it is, too
    try:
        subject = make(thing, adapter, told)
        ratios = [_ratio(subject, case) for case in _cases(subject, cell, conventions)]
    except ArgumentError as error:
        return error
    except Exception as error:  # anything at all may be wrong with somebody's code
        return ArgumentError(RAN, f"{type(error).__name__}: {error}", "code that runs")
    return Fit(cell, conventions, all(fits for fits, _ in ratios), max(ratio for _, ratio in ratios))


def _ratio(subject: Subject, case: Case) -> tuple[bool, float]:
    """Return whether the outputs of a case are right, and the largest error in bounds.

    Raises:
        ArgumentError: they have no such shapes.
    """
    result = read(outputs(subject, case), case)
    if result.findings:
        raise ArgumentError("outputs", result.findings[0].text, "the outputs of such a network")
    verdict = _judged(subject.name, case, result)
    return verdict.status is not Status.FAIL, verdict.ratio


def outputs(subject: Subject, case: Case) -> Mapping[str, Any]:
    """Return the outputs alone of a case, without a backward pass where that can be."""
    function = subject.function
    alone: Callable[[Case], Mapping[str, Any]] | None = getattr(function, "outputs", None)
    if alone is not None:
        return alone(case.laid_out())
    if isinstance(function, TwoSteps):
        return function.forward(case.laid_out())[0]
    returned = function(case.laid_out())
    return {name: array for name, array in returned.items() if name in case.output_names}


def _judged(name: str, case: Case, result: Result) -> Verdict:
    return judge(name, case, result, _known(case).worst)


@cache
def _known_line(line: str) -> Known:
    return Known(Case.parse(line))


def _known(case: Case) -> Known:
    return _known_line(str(case))


def _cases(subject: Subject, cell: str, conventions: Conventions) -> list[Case]:
    """Return the cases to try a subject on.

    Raises:
        ArgumentError: it can't be a cell.
    """
    options = subject.options
    if cell not in options["cell"] or len(options["reset_after"]) > 1:
        raise ArgumentError("cell", cell, f"one of {', '.join(options['cell'])}")
    spec = Spec(
        cell,
        min(max(I, options["min_I"][0]), options["max_I"][0]),
        min(max(H, options["min_H"][0]), options["max_H"][0]),
        O if options["output_layer"] == (True,) else 0,
        bias=options["bias"][0],
        reset_after=options["reset_after"][0] if cell == "gru" else True,
        loss=options["loss"][0],
        mean=options["mean"][0],
    )
    sizes = {"T": min(T, options["max_T"][0]), "B": 1 if conventions.unbatched else min(B, options["max_B"][0])}
    return [
        Case(spec, **sizes, regime="ordinary", seed=seed, dtype=options["dtype"][0], states=options["states"][0])
        for seed in SEEDS
    ]


def _fingerprint(cell: str, conventions: Conventions) -> bytes:
    """Return what the code would be given, as bytes: alike for conventions that only say it differently."""
    spec = Spec(cell, I, H, bias=conventions.biases != "none", reset_after=conventions.reset_after or cell != "gru")
    arrays = theirs(Case(spec, T, 1, "ordinary").arrays, spec, conventions)
    return b"".join(name.encode() + np.asarray(arrays[name]).tobytes() for name in sorted(arrays))
