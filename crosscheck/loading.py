"""Finding somebody's code by the text that names it: `package.module:attr` or `path/to/file.py:attr`."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from crosscheck.errors import ArgumentError


def split_target(target: str) -> tuple[str, str]:
    """Return the place and the attribute of a text.

    Raises:
        ArgumentError: it has not the two.
    """
    place, _, attribute = target.rpartition(":")
    if not place or not attribute:
        raise ArgumentError("target", repr(target), "package.module:attr or path/to/file.py:attr")
    return place, attribute


def load_module(place: str) -> ModuleType:
    """Return the module of a place: a file that ends in .py, executed anew each time, or a dotted name.

    Raises:
        ArgumentError: there is no such file or module, or it can't be imported; the message says where it fails.
    """
    return _module_of_file(Path(place)) if place.endswith(".py") else _module(place)


def copy_of(module: ModuleType) -> ModuleType:
    """Return a second module from the same file, which shares nothing with the first."""
    return _module_of_file(Path(str(module.__file__)))


def attribute_of(module: ModuleType, place: str, name: str) -> Any:
    """Return what a dotted name stands for in a module, which came from a place; for several, with commas, a tuple.

    Raises:
        ArgumentError: there is no such thing; the message has the nearest name.
    """
    if "," in name:
        return tuple(attribute_of(module, place, part) for part in name.split(","))
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            near = difflib.get_close_matches(part, dir(found), n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ArgumentError("target", f"no attribute {part!r} in {place}{hint}", "one that is there")
        found = getattr(found, part)
    return found


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            raise ArgumentError("target", f"no module {name!r}", "an importable module") from error
        raise ArgumentError(name, f"an error while importing it: {error}", "a module that imports") from error
    except (Exception, SystemExit) as error:
        raise ArgumentError(name, _import_error(error), "a module that imports") from error


def _module_of_file(path: Path) -> ModuleType:
    """Import a file, with its folder on the path, as `python file.py` would."""
    if not path.is_file():
        near = difflib.get_close_matches(path.name, [other.name for other in path.parent.glob("*.py")], n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ArgumentError("target", f"no file {path}{hint}", "a file that is there")
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    name = f"crosscheck_target_{path.stem}"  # so that it hides no other module
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ArgumentError("target", str(path), "a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise ArgumentError(str(path), _import_error(error), "a file that runs") from error
    return module


def _import_error(error: BaseException) -> str:
    if isinstance(error, SyntaxError):  # its text names the line
        return f"{type(error).__name__}: {error}"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} (line {frame.lineno} of {frame.filename})"
