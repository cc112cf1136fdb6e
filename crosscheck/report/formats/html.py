"""One HTML file to look at: no network, dark and light, and all of it there without JavaScript."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from crosscheck.errors import ArgumentError
from crosscheck.plain import JSON, NAMES
from crosscheck.report.charts import HeatChart, NormChart, heat_chart, norm_chart, strip_chart, times
from crosscheck.report.digest import clean, group_of, one_line, outcome, subject_of, sums, wrong
from crosscheck.report.run import Run, Shown
from crosscheck.report.text import count, number, telling_digits

try:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
except ModuleNotFoundError as error:
    wanted = "it installed: pip install 'rnn-crosscheck[report]'"
    raise ArgumentError("html", f"no module {error.name!r}", wanted) from error

FILE = "report.html"
FOLDER = Path(__file__).parent / "_html"
DRAWN = 30
"""Of so many failures there are pictures: they are most of what the file takes."""
RARE = 5
"""Fewer cases than this are rare, as the terminal has it."""
HAS = ("lengths", "truncate", "dropout", "recurrent_dropout", "zoneout", "clip", "forget_bias", "proj_size")
"""The options of which a case has one or not, whatever its value."""
OF_ITSELF = ("seed",)


@dataclass(frozen=True)
class Part:
    """The cases with something in common: how many, and how many of them failed or were inconclusive."""

    name: str
    cases: int
    failed: int
    inconclusive: int


@dataclass(frozen=True)
class Wrong:
    """A wrong tensor at its worst element, in words."""

    name: str
    got: str
    want: str
    bound: str
    ratio: str
    at: str
    wrong: str


@dataclass(frozen=True)
class Failed:
    """A failure, ready to be shown."""

    id: str
    shown: Shown
    cell: str
    head: str
    place: str
    tensors: tuple[Wrong, ...]
    findings: tuple[Mapping[str, JSON], ...]
    explanations: tuple[Mapping[str, JSON], ...]
    signatures: tuple[Mapping[str, JSON], ...]
    heats: tuple[HeatChart, ...]
    norms: NormChart | None
    undrawn: bool


def render(run: Run) -> str:
    """Return a run as one HTML file."""
    groups = sums(run)
    status, text = outcome(run)
    script = (FOLDER / "script.js").read_text(encoding="utf-8").strip()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page: str = _template().render(
        run=run,
        status=status,
        said=text,
        groups=groups,
        parts=_parts(run),
        most=max((group.cases for group in groups), default=1),
        strips=strip_chart(run, groups),
        failures=[_failed(run, k, shown) for k, shown in enumerate(run.failures, 1)],
        covered=_covered(run),
        notes=_notes(run),
        settings=[(name, json.dumps(value)) for name, value in run.settings.items()],
        style=(FOLDER / "style.css").read_text(encoding="utf-8"),
        script=script,
        digest=digest,
    )
    return page


@cache
def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: clean(value) if type(value) is str else value,
    )
    environment.filters |= {"line": one_line, "count": count, "times": times, "few": lambda v: number(v, 3)}
    return environment.get_template("page.html")


def _parts(run: Run) -> tuple[Part, ...]:
    """Return the cases by their options, as their lines have them, the failing ones first."""
    cases: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    blind: Counter[str] = Counter()
    for row in run.rows:
        statuses = {outcome.status for outcome in row.outcomes}
        names = set(_options(row.case))
        cases.update(names)
        if "FAIL" in statuses:
            failed.update(names)
        elif "INCONCLUSIVE" in statuses:
            blind.update(names)
    parts = [Part(name, cases[name], failed[name], blind[name]) for name in cases]
    return tuple(sorted(parts, key=lambda part: (-part.failed, -part.cases, part.name)))


def _options(case: str) -> Iterator[str]:
    """Yield the options in the line of a case, without the values of those that have many."""
    for option in case.split(":")[2:]:
        name, _, value = option.partition("=")
        if name not in OF_ITSELF:
            yield name if name in HAS or not value else f"{name}={value}"


def _failed(run: Run, k: int, shown: Shown) -> Failed:
    tested = subject_of(run, shown.subject)
    picture = shown.picture if k <= DRAWN else None
    heats = picture.heats if picture else ()
    return Failed(
        f"failure-{k}",
        shown,
        " ".join(group_of(shown)),
        wrong(shown),
        f"{tested.file}:{tested.line}" if tested.file else "",
        tuple(_wrong(tensor) for tensor in shown.verdict["tensors"] if tensor["status"] == "FAIL"),
        tuple(shown.verdict["findings"]),
        tuple(shown.diagnosis["explanations"]),
        tuple(shown.diagnosis["signatures"]),
        tuple(heat_chart(heat, picture.case) for heat in heats if picture and heat.error and heat.error[0]),
        norm_chart(picture.norms) if picture and picture.norms else None,
        shown.picture is not None and picture is None,
    )


def _wrong(tensor: Mapping[str, JSON]) -> Wrong:
    got, want, bound, ratio = (_number(tensor[name]) for name in ("got", "want", "bound", "ratio"))
    digits = telling_digits(got, want)
    return Wrong(
        tensor["name"],
        number(got, digits),
        number(want, digits),
        number(bound, 2),
        number(ratio, 3),
        f"[{', '.join(map(str, tensor['index']))}]" if tensor["index"] else "",
        f"{tensor['wrong']} of {tensor['size']}",
    )


def _number(data: JSON) -> float:
    return NAMES[data] if isinstance(data, str) else float(data)


def _covered(run: Run) -> dict[str, Any]:
    """Return the regimes that were covered, those that were rare, and those that are missing."""
    return {
        "seen": sum(cases > 0 for cases in run.covered.values()),
        "often": [(name, cases) for name, cases in run.covered.items() if cases >= RARE],
        "rare": sorted(((n, cases) for n, cases in run.covered.items() if 0 < cases < RARE), key=lambda each: each[1]),
        "missing": [name for name, cases in run.covered.items() if cases == 0],
    }


def _notes(run: Run) -> list[tuple[str, str, int | None]]:
    of_subjects = [(tested.name, note, None) for tested in run.subjects for note in tested.notes]
    return [*run.notes, *of_subjects]
