"""A case worked through step by step, as a person reads it: the equations, the numbers, and a subject's beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from crosscheck.case import Case
from crosscheck.failure import Failure
from crosscheck.keep import Kept
from crosscheck.referee.equations import equations
from crosscheck.referee.trace import Step, trace
from crosscheck.report.failure import failed
from crosscheck.report.text import telling_digits
from crosscheck.spec import base
from crosscheck.verdict import Status, compare

DIGITS = 6
"""So many are shown, or where a number is wrong, as many as show that."""
WRONG = "<- wrong"
Place = tuple[Any, ...]


@dataclass(frozen=True)
class Limits:
    """How much is shown: steps of a sequence, sequences of the batch, numbers of an array; None: all."""

    steps: int | None = 3
    sequences: int | None = 1
    numbers: int | None = 8


SHORT, EVERYTHING = Limits(), Limits(None, None, None)


@dataclass(frozen=True)
class Yours:
    """What a subject returned, what is right and its bound, and what float64 cut off from that, by name."""

    got: Mapping[str, Any]
    want: Mapping[str, Any]
    bound: Mapping[str, Any]
    rest: Mapping[str, Any]

    def at(self, name: str, place: Place) -> tuple[Any, bool] | None:
        """Return numbers that were returned under a name, and whether any is wrong; None if they were not returned."""
        if name not in self.got:
            return None
        got, want, bound = (np.asarray(part[name][place]) for part in (self.got, self.want, self.bound))
        rest = self.rest[name][place] if name in self.rest else 0.0
        return got, compare(name, got, want, bound, np.inf, rest, may=np.isinf(bound)).status is Status.FAIL


@dataclass(frozen=True)
class Row:
    """A quantity of the walk: its name, its equation, the true numbers, and where the results hold them, if they do."""

    name: str
    equation: str
    true: Any
    result: tuple[str, Place] | None = None


Section = tuple[str, Sequence[Row]]


def explained(kept: Kept, limits: Limits = SHORT) -> RenderableType:
    """Return all there is to say of a failure that was kept: what was found, why, and its case worked through."""
    record = kept.record
    versions = ", ".join(f"{name} {version}" for name, version in kept.versions.items())
    sections = {
        "Where it is wrong": record.where,
        "Why": (*record.because, *record.mistake),
        "Who computes what is right": record.agreed,
        "Kept": (f"{kept.date} on {kept.platform}", versions, str(kept.folder)),
    }
    parts: list[RenderableType] = [Text(kept.folder.name, "bold"), failed(Failure(record.verdict))]
    for title, lines in sections.items():
        if lines:
            parts += [Text(title, "bold"), *(Text(f"  {line}") for line in lines), Text("")]
    return Group(*parts, walk(record.case, Yours(record.got, record.want, record.bound, record.rest), limits))


def walk(case: Case, yours: Yours | None = None, limits: Limits = SHORT) -> RenderableType:
    """Return a case worked through.

    Args:
        case: the case.
        yours: what a subject returned for it; None without one.
        limits: how much is shown.
    """
    way = _Walk(case, limits)
    parts: list[RenderableType] = [Text("The equations", "bold"), Text("")]
    for text in way.said.texts:
        parts += [*(Text(f"  {line}".rstrip()) for line in text.splitlines()), Text("")]
    parts += [Text("The numbers, step by step", "bold"), Text("")]
    sections = [(title, [_cells(row, yours, limits) for row in rows]) for title, rows in way.sections()]
    every = [("", "", " true", "" if yours is None else " yours", ""), *(row for _, rows in sections for row in rows)]
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]
    parts.append(_line(every[0], widths))
    for title, rows in sections:
        parts += [Text(f"  {title}", "bold"), *(_line(row, widths) for row in rows), Text("")]
    return Group(*parts)


class _Walk:
    """The sections of a walk through a case."""

    def __init__(self, case: Case, limits: Limits) -> None:
        self.case, self.spec, self.limits = case, case.spec, limits
        self.said, self.traced = equations(case.spec), trace(case)

    @cached_property
    def runs(self) -> list[list[Step]]:
        """The steps of each sequence in each layer and direction, as they run."""
        return [list(run) for _, run in groupby(self.traced.steps, lambda step: (step.layer, step.reverse, step.b))]

    @cached_property
    def shown(self) -> list[int]:
        """The sequences of the batch that are shown: the first that have a step."""
        return list(dict.fromkeys(run[0].b for run in self.runs))[: self.limits.sequences]

    def sections(self) -> Iterator[Section]:
        """Yield the steps forward, what becomes of the output, the steps backward, and the sums."""
        yield "The parameters", [Row(name, "", array) for name, array in self.case.params.items()]
        runs = [run for run in self.runs if run[0].b in self.shown]
        for run in runs:
            shown = run[: self.limits.steps]
            for step in shown:
                yield f"Forward, {self.title(step, run)}", list(self.forward(step, run))
            yield from self.left_out(len(run) - len(shown), "step", run[0])
        if self.spec.output_size or self.spec.loss != "none":
            yield "Output", list(self.output())
        for run in reversed(runs):
            shown = run[: self.limits.steps]
            yield from self.left_out(len(run) - len(shown), "step", run[0])
            for step in reversed(shown):
                yield f"Backward, {self.title(step, run)}", list(self.backward(step, run))
        yield from self.left_out(len({run[0].b for run in self.runs}) - len(self.shown), "sequence", None)
        yield "The gradients: what reaches the start, and the sums over all steps", list(self.sums())

    def title(self, step: Step, run: Sequence[Step]) -> str:
        """Return which step it is: in the order in which they run, and as the arrays count."""
        where = ", ".join([*self.where(step), f"step {run.index(step) + 1} of {len(run)}"])
        return f"{where}   t = {step.t}, b = {step.b}"

    def where(self, step: Step) -> list[str]:
        """Return the layer and direction of a step in words, where there are several."""
        layer = [f"layer {step.layer}"] if self.spec.num_layers > 1 else []
        return [*layer, *(["reverse"] if step.reverse else [])]

    def left_out(self, number: int, what: str, step: Step | None) -> Iterator[Section]:
        """Yield a section that says how many steps or sequences are not shown, if any."""
        if number > 0:
            where = ", ".join(["", *self.where(step)]) if step else ""
            yield f"... {number} more {what}{'' if number == 1 else 's'}{where}: --all shows all", []

    def forward(self, step: Step, run: Sequence[Step]) -> Iterator[Row]:
        """Yield what a step computes."""
        parts = next((name for name in step.forward if name.startswith("a_")), "")  # of a, which has one equation
        for name, numbers in step.forward.items():
            if name == parts and "a" in self.said.forward:
                yield Row("a", self.said.forward["a"], None)
            result = None
            if name == "h" and step.layer == self.spec.num_layers - 1 and not self.spec.output_size:
                result = self.of_output(step)
            elif name in self.spec.states and step is run[-1]:
                result = (f"{name}_n", self.of_state(step))
            yield Row(name, self.said.forward.get(name, ""), numbers, result)

    def output(self) -> Iterator[Row]:
        """Yield the output of every step that is shown, its gradient, and the loss."""
        for run in self.runs:
            last = run[0].layer == self.spec.num_layers - 1 and not run[0].reverse
            for step in run[: self.limits.steps] if last else ():
                if step.b in self.shown:
                    place = self.of_step(step)
                    yield Row(f"y[{step.t}]", "", self.traced.results["y"][place], ("y", place))
                    yield Row(f"dy[{step.t}]", "", self.traced.dy[place])
        if "loss" in self.traced.results:
            yield Row("loss", "", self.traced.results["loss"], ("loss", ()))

    def backward(self, step: Step, run: Sequence[Step]) -> Iterator[Row]:
        """Yield the gradients that a step computes: what reaches it first, what it hands on last."""
        given = ["dy", *(f"d{name}_next" for name in self.spec.states)]
        named = [name for name in self.said.backward if name in step.backward and name not in given]
        for name in (*given, *named):
            result = None
            if name == "dx" and step.layer == 0:
                result = ("dx", self.of_step(step))
            elif name.endswith("_prev") and step is run[0]:
                result = (name.replace("_prev", "_0"), self.of_state(step))
            yield Row(name, self.said.backward.get(name, ""), step.backward[name], result)

    def sums(self) -> Iterator[Row]:
        """Yield all gradients but those that belong to a step."""
        for name, numbers in self.traced.results.items():
            if name not in (*self.case.output_names, "dx"):
                equation = f"{name[:2]}_prev of the first step" if name in ("dh_0", "dc_0") else ""
                yield Row(name, self.said.backward.get(base(name), equation), numbers, (name, ()))

    def of_step(self, step: Step) -> Place:
        """Return where an array over time holds what belongs to a step."""
        return {"TB": (step.t, step.b), "BT": (step.b, step.t), "T": (step.t,)}[self.spec.axes]

    def of_output(self, step: Step) -> tuple[str, Place] | None:
        """Return where y holds h of a step; None if only a sum with another does."""
        width = self.spec.state_sizes["h"]
        if not self.spec.bidirectional:
            return "y", self.of_step(step)
        half = slice(width, None) if step.reverse else slice(width)
        return None if self.spec.merge == "sum" else ("y", (*self.of_step(step), half))

    def of_state(self, step: Step) -> Place:
        """Return where an array of states holds those of a step's layer, direction and sequence."""
        k = self.spec.runs.index((step.layer, step.reverse))
        return (k,) if self.spec.axes == "T" else (k, step.b)


def _cells(row: Row, yours: Yours | None, limits: Limits) -> tuple[str, ...]:
    """Return the cells of a row: name, equation, the true numbers, the subject's, and whether these are wrong."""
    equation = f"= {row.equation}" if row.equation else ""
    found = yours.at(*row.result) if yours and row.result else None
    if row.true is None:
        return row.name, equation, "", "", ""
    if found is None:
        return row.name, equation, _numbers(row.true, limits, DIGITS), "", ""
    got, wrong = found
    digits = max(DIGITS, *map(telling_digits, np.ravel(got), np.ravel(row.true))) if wrong else DIGITS
    return row.name, equation, *(_numbers(array, limits, digits) for array in (row.true, got)), WRONG if wrong else ""


def _numbers(array: Any, limits: Limits, digits: int) -> str:
    """Return numbers in words, the first of them if there are many."""
    numbers = np.ravel(array)
    shown = [f"{number + 0.0: .{digits}g}" for number in numbers[: limits.numbers]]  # + 0.0: no minus before a zero
    more = len(numbers) - len(shown)
    return "  ".join([*shown, *([f"... {more} more"] if more else [])])


def _line(cells: Sequence[str], widths: Sequence[int]) -> Text:
    line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
    return Text(f"    {line}".rstrip(), "bold red" if cells[-1] else "")
