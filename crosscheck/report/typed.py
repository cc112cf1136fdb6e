"""Plain data as the dataclasses that it was made from: the other way of `dataclasses.asdict`."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from crosscheck.plain import JSON, NAMES


def typed(kind: Any, data: JSON) -> Any:
    """Return plain data as what a type says, and nothing is taken for granted.

    Args:
        kind: a dataclass, str, int, float, bool, Any, or a tuple, a mapping of names, or X | None of these.
        data: what `crosscheck.plain.without_nan` made of it.

    Raises:
        ValueError: it is something else; the message says what, and where.
    """
    if kind is Any:
        return data
    if is_dataclass(kind):
        return _record(kind, _of(dict, data))
    origin, of = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return None if data is None else typed(of[0], data)
    if origin is tuple:
        values = _of(list, data)
        kinds = (of[0],) * len(values) if of[-1] is Ellipsis else of
        if len(kinds) != len(values):
            raise ValueError(f"a list of {len(values)}, wanted one of {len(kinds)}")
        return tuple(map(typed, kinds, values))
    if origin is Mapping:
        return {name: typed(of[1], value) for name, value in _of(dict, data).items()}
    return _number(data) if kind is float else _of(kind, data)


def _record(kind: Any, data: dict[str, JSON]) -> Any:
    known, needed = _kinds(kind)
    if unknown := data.keys() - known.keys():
        raise ValueError(f"a field {min(unknown)!r}, which a {kind.__name__} has not")
    if missing := needed - data.keys():
        raise ValueError(f"a {kind.__name__} without {min(missing)}")
    values = {}
    for name, value in data.items():
        try:
            values[name] = typed(known[name], value)
        except ValueError as error:
            raise ValueError(f"in {name}: {error}") from error
    return kind(**values)


@cache
def _kinds(kind: Any) -> tuple[Mapping[str, Any], frozenset[str]]:
    """Return the type of each field of a dataclass, and the fields that have no default."""
    needed = (f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING)
    return get_type_hints(kind), frozenset(needed)


def _of(kind: type, data: JSON) -> Any:
    if type(data) is not kind:
        raise ValueError(f"{type(data).__name__}, wanted {kind.__name__}")
    return data


def _number(data: JSON) -> float:
    if isinstance(data, str) and data in NAMES:
        return NAMES[data]
    if type(data) not in (int, float):
        raise ValueError(f"{data!r}, wanted a number, or {', '.join(NAMES)}")
    try:
        return float(data)
    except OverflowError as error:
        raise ValueError("an integer too large for a number") from error
