"""Where a subject is defined, for those who want to point there."""

from __future__ import annotations

import inspect
from functools import partial
from pathlib import Path
from typing import Any

from crosscheck.adapters import parsed
from crosscheck.implementation import Subject
from crosscheck.loading import file_of, line_of, split_target


def defined(subject: Subject) -> tuple[str, int]:
    """Return the file and the line that a subject is defined on, the file relative to the working folder if in there.

    One that was loaded by a text, perhaps in a process of its own, is looked for in that file's text. Where nothing is
    to be found it is "" and 0.
    """
    if subject.loaded:
        place, name = split_target(parsed(subject.name)[0])
        file, line = file_of(place), 0
    elif subject.adapter is None:
        file, name, line = _of_object(subject.function)
    else:  # what it was made of is not known any more
        return "", 0
    if file is None or not file.is_file():
        return "", 0
    return _relative(file), line_of(file, name) or line


def _of_object(thing: Any) -> tuple[Path | None, str, int]:
    """Return the file of an object or its class, its name in there, and the line if Python knows."""
    try:
        thing = inspect.unwrap(thing.func if isinstance(thing, partial) else thing)
        thing = thing if inspect.isroutine(thing) or inspect.isclass(thing) else type(thing)
        file = inspect.getsourcefile(thing)
    except (TypeError, ValueError):  # written in C; or wrapped in itself
        return None, "", 0
    line = thing.__code__.co_firstlineno if inspect.isfunction(thing) else 0
    return Path(file) if file else None, thing.__qualname__.replace(".<locals>", ""), line


def _relative(file: Path) -> str:
    path, here = file.resolve(), Path.cwd().resolve()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()
