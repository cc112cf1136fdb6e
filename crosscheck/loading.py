"""Finding somebody's code by the text that names it: `package.module:attr` or `path/to/file.py:attr`."""

from __future__ import annotations

import ast
import difflib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator, Sequence
from importlib.machinery import PathFinder
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


def file_of(place: str) -> Path | None:
    """Return the file of a place, importing nothing; None where that is not to be found."""
    return Path(place) if place.endswith(".py") else _file_of_module(place)


def line_of(file: Path, name: str) -> int:
    """Return the line on which a file defines what a dotted name stands for, executing nothing; 0 if that isn't seen.

    Args:
        file: the file.
        name: the name; of several, with commas, the first; what is in a function counts as its own.
    """
    try:
        body: Sequence[ast.stmt] = ast.parse(file.read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return 0
    line = 0
    for part in name.partition(",")[0].split("."):
        found = [node for node in _statements(body) if part in _defined(node)]
        if not found:
            break  # such as a method that is inherited
        line, body = found[-1].lineno, getattr(found[-1], "body", ())
    return line


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements, also those that are under an `if` and the like, but not those of a function or class."""
    for node in body:
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for part in ("body", "orelse", "finalbody", "handlers"):
                yield from _statements(getattr(node, part, ()))


def _defined(node: ast.stmt) -> set[str]:
    """Return the names that a statement gives something."""
    match node:
        case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name):
            return {name}
        case ast.Assign(targets):
            return {each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)}
        case ast.AnnAssign(ast.Name(name)):
            return {name}
        case ast.Import(names) | ast.ImportFrom(_, names):
            return {alias.asname or alias.name for alias in names}
    return set()


def _file_of_module(module: str) -> Path | None:
    name = ""
    places: Sequence[str] | None = None
    origin: str | None = None
    for part in filter(None, module.split(".")):
        name = f"{name}.{part}" if name else part
        try:
            spec = PathFinder.find_spec(name, places)
        except KeyError:  # a folder without __init__.py, in another, asks for that as a module
            places, origin = [str(Path(folder) / part) for folder in places or ()], None
            continue
        if spec is None:
            return None
        places, origin = spec.submodule_search_locations, spec.origin
    return Path(origin) if origin else None


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
