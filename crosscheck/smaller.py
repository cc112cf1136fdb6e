"""Cases that are a step smaller than one, simplest first, for failures that are dear to see again.

Hypothesis makes a case smaller in hundreds of tries. Where each try ends a process, which costs up to seconds, a few
dozen have to do: all at its default and at size 1 first, then one thing after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from crosscheck.case import Case
from crosscheck.errors import ArgumentError
from crosscheck.line import parsed
from crosscheck.spec import Spec

SIZES = ("T", "B", "input_size", "hidden_size")
KEPT = ("cell", "output_size", "dtype", *SIZES)
Fields = dict[str, Any]


def smaller(case: Case) -> Iterator[Case]:
    """Yield the cases that are a step smaller than one: of the same cell and dtype."""
    of_spec, of_case = parsed(str(case))
    fields = of_spec | of_case
    plain: Fields = {name: value for name, value in fields.items() if name in KEPT}
    ones: Fields = dict.fromkeys(SIZES, 1)
    candidates = [plain | ones, plain, _cut(fields | ones)]
    candidates += [_cut(fields | {name: 1}) for name in SIZES]
    candidates += [_cut(fields | {name: fields[name] - 1}) for name in SIZES]
    candidates += [{n: v for n, v in fields.items() if n != name} for name in fields if name not in KEPT]
    candidates += [fields | {"output_size": 0}]
    seen = {str(case)}
    for candidate in candidates:
        made = _made(candidate, frozenset(of_spec))
        if made is not None and str(made) not in seen:
            seen.add(str(made))
            yield made


def smallest_by_steps(case: Case, fails: Callable[[Case], bool]) -> Case:
    """Return the smallest case that is reached in steps, each of which fails.

    Args:
        case: one that fails.
        fails: says whether another does.
    """
    asked = {str(case)}
    while True:
        for candidate in smaller(case):
            if str(candidate) in asked:
                continue
            asked.add(str(candidate))
            if fails(candidate):
                case = candidate
                break
        else:
            return case


def _cut(fields: Fields) -> Fields:
    """Return the fields with lengths that fit T and B."""
    lengths = fields.get("lengths")
    if lengths is None:
        return fields
    return fields | {"lengths": tuple(min(length, fields["T"]) for length in lengths[: fields["B"]])}


def _made(fields: Fields, of_spec: frozenset[str]) -> Case | None:
    """Return the case of some fields, those of the spec among them; None where there is none."""
    spec = {name: value for name, value in fields.items() if name in of_spec}
    try:
        return Case(Spec(**spec), **{name: value for name, value in fields.items() if name not in of_spec})
    except ArgumentError:
        return None
