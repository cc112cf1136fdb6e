"""The fields of plain data that somebody else wrote: those that there must be, each of its type, and no others."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from crosscheck.errors import ArgumentError
from crosscheck.golden.strict import shown
from crosscheck.plain import JSON

TEXT_LIMIT = 10_000
WORDS: dict[type, str] = {str: "a text", int: "a whole number", dict: "an object", list: "a list", type(None): "null"}
Kinds = type | tuple[type, ...]


class Faults(list[ArgumentError]):
    """All that was found to be wrong."""

    @contextmanager
    def go_on(self) -> Iterator[None]:
        """Add an ArgumentError to the list, and go on after the block."""
        try:
            yield
        except ArgumentError as error:
            self.append(error)


def check_fields(data: JSON, place: str, wanted: Mapping[str, Kinds], may: Mapping[str, Kinds] | None = None) -> None:
    """Check that data is an object of the fields wanted.

    Args:
        data: the data.
        place: what messages call it.
        wanted: the type of each field that there must be, or its types.
        may: the same of those that there may be.

    Raises:
        ArgumentError: it is something else, a field is missing, unknown or of another type, or a text is too long or
            holds what can't be printed on a line.
    """
    kinds: dict[str, Kinds] = {**wanted, **(may or {})}
    if not isinstance(data, dict):
        raise ArgumentError(place, shown(data), f"an object of {', '.join(kinds)}")
    check_names(data, place, wanted, kinds)
    for name, value in data.items():
        kind = kinds[name]
        allowed = kind if isinstance(kind, tuple) else (kind,)
        if type(value) not in allowed:
            raise ArgumentError(f"{place}: {name}", shown(value), " or ".join(WORDS[one] for one in allowed))
        if isinstance(value, str):
            check_text(value, f"{place}: {name}")


def check_names(data: Collection[str], place: str, wanted: Collection[str], known: Collection[str]) -> None:
    """Check that names are known, and that none is missing.

    Raises:
        ArgumentError: they are not, or one is.
    """
    for name in data:
        if name not in known:
            raise ArgumentError(place, f"the unknown {shown(name)}", ", ".join(known))
    for name in wanted:
        if name not in data:
            raise ArgumentError(place, f"no {name}", ", ".join(wanted))


def check_text(value: JSON, place: str, pattern: str = "", words: str = "a line of text") -> str:
    """Return a text, if it is one that can be printed on a line.

    Args:
        value: the text.
        place: what messages call it.
        pattern: what it has to match; any if empty.
        words: what is wanted, in words.

    Raises:
        ArgumentError: it is none.
    """
    right = isinstance(value, str) and len(value) <= TEXT_LIMIT and value.isprintable()
    if not right or (pattern and not re.fullmatch(pattern, value, re.ASCII)):
        raise ArgumentError(place, shown(value), words)
    return str(value)


def check_texts(data: JSON, place: str) -> tuple[str, ...]:
    """Return a list of texts as a tuple, each there once.

    Raises:
        ArgumentError: it is none.
    """
    if not isinstance(data, list):
        raise ArgumentError(place, shown(data), "a list of texts")
    texts = tuple(check_text(value, place) for value in data)
    if len(set(texts)) != len(texts):
        raise ArgumentError(place, shown(data), "each text once")
    return texts


def check_equal(data: Mapping[str, JSON], place: str, wanted: Mapping[str, JSON]) -> None:
    """Check that fields say what follows from others.

    Raises:
        ArgumentError: one is missing or says something else.
    """
    for name, value in wanted.items():
        if name not in data or not _equal(data[name], value):
            raise ArgumentError(f"{place}: {name}", shown(data.get(name)), shown(value))


def _equal(a: Any, b: Any) -> bool:
    """Return whether plain data is the same, 1 being the same as 1.0 and another thing than true."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_equal(a[name], b[name]) for name in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_equal, a, b))
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)
