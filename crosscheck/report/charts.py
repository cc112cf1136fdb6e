"""The charts of a report as geometry: where each mark of a heatmap, a curve and a strip of cases goes, and its words.

Numbers and texts alone; what is drawn of them is the template's affair.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from crosscheck.errors import ArgumentError
from crosscheck.line import parsed
from crosscheck.report.run import Group, Heat, Norms, Outcome, Run
from crosscheck.spec import Spec
from crosscheck.verdict import blind_above_of

LEVELS = 6
"""So many shades has an error beyond its bound."""
MOST_ROWS, MOST_COLUMNS = 48, 64
"""A larger heatmap is shown by the largest error of each block."""
NUMBERED = 12
"""In a heatmap of up to so many rows each cell has its number."""
GOLDEN = (math.sqrt(5) - 1) / 2
"""The fractions of its multiples are spread evenly: where in its strip a point goes, by its place in the run."""


@dataclass(frozen=True)
class Label:
    """A word at a place."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Cell:
    """A cell of a heatmap: its place, its shade from 0, within the bound, to `LEVELS`, its number, and what it is."""

    x: float
    y: float
    level: int
    text: str
    title: str


@dataclass(frozen=True)
class HeatChart:
    """A heatmap: the cells, each `cell_width` by `cell_height`, the words beside them, and what the shades mean."""

    tensor: str
    rows: str
    columns: str
    width: float
    height: float
    cell_width: float
    cell_height: float
    cells: tuple[Cell, ...]
    row_labels: tuple[Label, ...]
    column_labels: tuple[Label, ...]
    legend: tuple[tuple[int, str], ...]
    worst: str
    first: str


def heat_chart(heat: Heat, case: str) -> HeatChart:
    """Return a heatmap of a tensor's error.

    Args:
        heat: the error.
        case: the line of its case, which tells what its rows belong to.
    """
    rows, tall = _pooled(heat.error, MOST_ROWS), math.ceil(len(heat.error) / MOST_ROWS)
    columns, wide = _pooled(tuple(zip(*rows, strict=True)), MOST_COLUMNS), math.ceil(len(rows[0]) / MOST_COLUMNS)
    error = tuple(zip(*columns, strict=True))
    shade = _Shades([value for row in error for value in row])
    width, height = 30.0, 24.0 if len(error) <= NUMBERED else 11.0
    gates = _gates(heat, case)
    per = len(error) / max(len(gates), 1)
    left, top, gap = 44.0, 4.0, 5.0
    tops = [top + k * height + (gap * (k // per) if gates else 0) for k in range(len(error))]
    cells = []
    for k, row in enumerate(error):
        for t, value in enumerate(row):
            unit = f"{gates[int(k // per)]}{int(k % per)}" if gates else _span(k, tall)
            title = f"{unit}, step {_span(t, wide)}: {value:.2g}"
            text = shade.text(value) if len(error) <= NUMBERED else ""
            cells.append(Cell(left + t * width, tops[k], shade.level(value), text, title))
    bottom = tops[-1] + height
    if gates:
        middles = [(tops[int(g * per)] + tops[int((g + 1) * per) - 1] + height) / 2 for g in range(len(gates))]
        row_labels = [Label(left - 8, middle, gate) for middle, gate in zip(middles, gates, strict=True)]
    else:
        every = 1 if height > NUMBERED else 4
        row_labels = [Label(left - 8, tops[k] + height / 2, _span(k, tall)) for k in range(0, len(error), every)]
    return HeatChart(
        heat.tensor,
        heat.rows,
        heat.columns,
        left + len(error[0]) * width + 4,
        bottom + 22,
        width,
        height,
        tuple(cells),
        tuple(row_labels),
        tuple(Label(left + (t + 0.5) * width, bottom + 15, _span(t, wide)) for t in range(len(error[0]))),
        shade.legend,
        times(max((value for row in error for value in row), key=_size)),
        _first(error),
    )


def _first(error: Sequence[Sequence[float]]) -> str:
    """Return how much of a heatmap is wrong, in words."""
    steps = [t for t in range(len(error[0])) if any(_size(row[t]) > 1 for row in error)]
    wrong = sum(_size(value) > 1 for row in error for value in row)
    where = f"step {steps[0]}" if len(steps) == 1 else f"{len(steps)} of {len(error[0])} steps"
    return f"{wrong} of {len(error) * len(error[0])} cells out of bounds, at {where}"


def _pooled(rows: Sequence[Sequence[float]], most: int) -> tuple[tuple[float, ...], ...]:
    """Return rows, the largest of several in the place of each where there would be more than `most`."""
    size = math.ceil(len(rows) / most)
    blocks = [rows[k : k + size] for k in range(0, len(rows), size)]
    return tuple(tuple(max(column, key=_size) for column in zip(*block, strict=True)) for block in blocks)


def _span(k: int, size: int) -> str:
    return str(k) if size == 1 else f"{k * size}-{k * size + size - 1}"


def _gates(heat: Heat, case: str) -> str:
    """Return the letters of the gates that the rows of a heatmap belong to, in equal parts; "" if there is but one."""
    if not heat.rows.startswith(("row of W_xh", "row of W_hh", "row of b_xh", "row of b_hh")):
        return ""
    try:
        of_spec, _ = parsed(case)
        spec = Spec(**of_spec)
    except ArgumentError:
        return ""
    letters = spec.letters
    fits = len(heat.error) == len(letters) * spec.hidden_size and len(heat.error) <= MOST_ROWS
    return letters if fits and len(letters) > 1 else ""


class _Shades:
    """Which shade an error has: equal steps of its logarithm, from the least beyond its bound to the largest."""

    def __init__(self, values: Iterable[float]) -> None:
        beyond = [math.log10(value) for value in values if 1 < value < math.inf] or [0.0]
        self.low, self.high = min(beyond), max(beyond)
        self.step = max((self.high - self.low) / LEVELS, 1e-9)

    def level(self, value: float) -> int:
        if _size(value) <= 1:
            return 0
        if not math.isfinite(value):
            return LEVELS
        return min(LEVELS, 1 + int((math.log10(value) - self.low) / self.step))

    def text(self, value: float) -> str:
        """Return the number of an error: how many digits it is beyond the bound."""
        if _size(value) <= 1:
            return "\u00b7"
        return f"{math.log10(value):.0f}" if math.isfinite(value) else "\u221e"

    @property
    def legend(self) -> tuple[tuple[int, str], ...]:
        """The shades, each with the least error that has it."""
        levels = range(1, LEVELS + 1) if self.high - self.low > LEVELS * 0.1 else (LEVELS,)
        if len(levels) == 1:
            return ((LEVELS, _power(self.high)),)
        return tuple((level, _power(self.low + (level - 1) * self.step)) for level in levels)


def _size(value: float) -> float:
    """Return an error to compare by: what is no number is the largest."""
    return math.inf if math.isnan(value) else value


def times(value: float) -> str:
    """Return an error in units of its bound, in words."""
    return f"{value:.2g} times the bound" if math.isfinite(value) else "no number, or off where the bound is 0"


def _power(exponent: float) -> str:
    return f"{10**exponent:.0e}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")


@dataclass(frozen=True)
class Curve:
    """A line and its marks."""

    name: str
    path: str
    marks: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True)
class NormChart:
    """The size of a gradient at each step, right and got."""

    what: str
    width: float
    height: float
    left: float
    right: float
    bottom: float
    curves: tuple[Curve, ...]
    x_labels: tuple[Label, ...]
    y_labels: tuple[Label, ...]
    log: bool


def norm_chart(norms: Norms) -> NormChart:
    """Return a chart of the size of a gradient at each step, on a logarithmic scale where it takes one."""
    width, left, right, top, bottom = 460.0, 56.0, 444.0, 12.0, 168.0
    n = max(len(norms.want), len(norms.got), 1)
    values = [value for value in (*norms.want, *norms.got) if math.isfinite(value) and value > 0]
    high, low = max(values, default=1.0), min(values, default=1.0)
    log = high / low > 30
    place: Callable[[float], float]
    if log:
        a, b = math.floor(math.log10(low)), math.ceil(math.log10(high))
        place = lambda v: bottom - (math.log10(v) - a) / max(b - a, 1) * (bottom - top) if v > 0 else bottom  # noqa: E731
        every = max(1, math.ceil((b - a) / 5))
        ticks = [(10.0**k, f"1e{k}") for k in range(a, b + 1, every)]
    else:
        step = _nice(high / 4)
        place = lambda v: bottom - v / (step * math.ceil(high / step)) * (bottom - top)  # noqa: E731
        ticks = [(k * step, f"{k * step:.3g}") for k in range(math.ceil(high / step) + 1)]
    xs = [left + (right - left) * (k / max(n - 1, 1)) for k in range(n)]
    every_x = max(1, math.ceil(n / 16))
    return NormChart(
        norms.what,
        width,
        bottom + 40,
        left,
        right,
        bottom,
        (_curve("right", norms.want, xs, place), _curve("yours", norms.got, xs, place)),
        tuple(Label(xs[k], bottom + 18, str(k)) for k in range(0, n, every_x)),
        tuple(Label(left - 10, place(value), text) for value, text in ticks),
        log,
    )


def _curve(name: str, values: Sequence[float], xs: Sequence[float], place: Callable[[float], float]) -> Curve:
    """Return the curve of some values, with gaps where there is no number."""
    path, marks, pen = "", [], "M"
    for k, value in enumerate(values):
        if not math.isfinite(value):
            pen = "M"
            continue
        x, y = round(xs[k], 1), round(place(value), 1)
        path, pen = f"{path}{pen}{x} {y}", "L"
        marks.append((x, y, f"{name}, step {k}: {value:.4g}"))
    return Curve(name, path, tuple(marks))


def _nice(value: float) -> float:
    """Return a number at least as large, of one digit: 1, 2 or 5."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= value)


@dataclass(frozen=True)
class Strip:
    """The cases of a cell in a dtype as points: those that pass as one path, each of the others by itself."""

    name: str
    y: float
    passed: str
    others: tuple[tuple[float, float, str, str], ...]
    resolution: str
    blind: float


@dataclass(frozen=True)
class StripChart:
    """The error and the resolution of every case, a strip a cell and dtype."""

    width: float
    height: float
    row: float
    bound: float
    strips: tuple[Strip, ...]
    error_ticks: tuple[Label, ...]
    resolution_ticks: tuple[Label, ...]
    error_span: tuple[float, float]
    resolution_span: tuple[float, float]


ROW = 40.0
ERROR, RESOLUTION = (150.0, 620.0), (690.0, 1000.0)
LEAST_ERROR, LEAST_RESOLUTION = -4.0, -16.0
RESOLUTIONS = ((-16, "\u22641e-16"), (-12, "1e-12"), (-8, "1e-8"), (-4, "1e-4"), (0, "1"))


class _ErrorAxis:
    """Where an error goes: what is within the bound on the left, in its decades, the rest on the right, in others."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        beyond = [math.log10(o.ratio) for o in outcomes if o.status == "FAIL" and 1 < o.ratio < math.inf]
        self.any = any(o.status == "FAIL" for o in outcomes)
        self.most = max(4.0, 4.0 * math.ceil(max(beyond, default=4.0) / 4))
        left, right = ERROR
        self.bound = left + (right - left) * (0.55 if self.any else 0.94)

    def __call__(self, ratio: float) -> float:
        left, right = ERROR
        if not math.isfinite(ratio):
            return right
        exponent = math.log10(ratio) if ratio > 0 else -math.inf
        if exponent <= 0:
            return self.bound - min(1.0, exponent / LEAST_ERROR) * (self.bound - left)
        return self.bound + min(1.0, exponent / self.most) * (right - self.bound)

    def ticks(self) -> list[tuple[float, str]]:
        exponents = [*range(int(LEAST_ERROR), 1), *((self.most / 2, self.most) if self.any else ())]
        least = f"\u22641e{LEAST_ERROR:.0f}"
        texts = ["1" if exponent == 0 else f"1e{exponent:.0f}" for exponent in exponents]
        return list(zip((self(10.0**exponent) for exponent in exponents), [least, *texts[1:]], strict=True))


def _resolution_at(value: float) -> float:
    left, right = RESOLUTION
    exponent = math.log10(value) if value > 0 else -math.inf
    return left + (right - left) * min(1.0, max(0.0, 1 - exponent / LEAST_RESOLUTION))


def strip_chart(run: Run, groups: Sequence[Group]) -> StripChart | None:
    """Return the error and the resolution of every case of a run; None if it has none."""
    if not run.rows:
        return None
    axis = _ErrorAxis([outcome for row in run.rows for outcome in row.outcomes])
    strips = []
    top = 8.0
    for k, group in enumerate(groups):
        y, passed, others, resolution = top + k * ROW, "", [], ""
        rows = [row for row in run.rows if (row.cell, row.dtype) == (group.cell, group.dtype)]
        number = 0
        for row in rows:
            for outcome in row.outcomes:
                at = round(y + 7 + (ROW - 14) * (number * GOLDEN % 1), 1)
                x = round(axis(outcome.ratio), 1)
                number += 1
                if outcome.status == "PASS":
                    passed += f"M{x:g} {at:g}h0"
                else:
                    title = (
                        f"{outcome.subject}, {row.case}: {times(outcome.ratio)}, resolution {outcome.resolution:.2g}"
                    )
                    others.append((x, at, outcome.status, title))
                if outcome.status != "FAIL":
                    resolution += f"M{round(_resolution_at(outcome.resolution), 1):g} {at:g}h0"
        blind = _resolution_at(blind_above_of(group.dtype))
        strips.append(Strip(f"{group.cell} {group.dtype}", y, passed, tuple(others), resolution, blind))
    bottom = top + len(strips) * ROW
    return StripChart(
        RESOLUTION[1] + 14,
        bottom + 40,
        ROW,
        axis.bound,
        tuple(strips),
        tuple(Label(x, bottom + 18, text) for x, text in axis.ticks()),
        tuple(Label(_resolution_at(10.0**e), bottom + 18, text) for e, text in RESOLUTIONS),
        ERROR,
        RESOLUTION,
    )
