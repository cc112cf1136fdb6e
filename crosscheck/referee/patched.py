"""The hand-written network with lines replaced, in memory: what somebody who made a mistake would compute.

The modules of `manual_rnn` that are changed, those that import them, and the adapter are executed once more from their
sources, the changed ones from the changed text. They import each other, and not the real ones, since their own
`__import__` hands them what belongs to them; the modules that no change reaches are the real ones, for speed. Nothing
is written, and the real network is not touched.
"""

from __future__ import annotations

import ast
import builtins
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import manual_rnn
from crosscheck.implementation import Function, two_steps
from crosscheck.subjects import manual as adapter

NETWORK, ADAPTER = manual_rnn.__name__, adapter.__name__
ROOT = Path(str(manual_rnn.__file__)).parent.parent


class PatchError(LookupError):
    """The text to be replaced is not in its file exactly once."""


@dataclass(frozen=True)
class Patch:
    """A change of one file.

    Attributes:
        file: the file, from the root: "manual_rnn/cells/lstm.py", or "crosscheck/subjects/manual.py", the adapter.
        right: the text that is replaced, which must be there exactly once.
        wrong: what stands there instead.
    """

    file: str
    right: str
    wrong: str


def patched(patches: Sequence[Patch]) -> Function:
    """Return the hand-written network, as a subject's function, with changes in it; it doesn't say what it supports.

    Args:
        patches: the changes, made one after the other.

    Raises:
        PatchError: one of them doesn't apply.
    """
    texts: dict[str, str] = {}
    for patch in patches:
        if patch.file not in _modules():
            raise PatchError(f"{patch.file} is no file of the network: {', '.join(_modules())}")
        text = texts.get(patch.file) or _source(patch.file)
        count = text.count(patch.right)
        if count != 1:
            raise PatchError(f"{patch.right!r} is {count} times in {patch.file}, wanted once")
        texts[patch.file] = text.replace(patch.right, patch.wrong)
    changed = {_modules()[file]: compile(text, f"<{file}, patched>", "exec") for file, text in texts.items()}
    network = _Copy(changed).module(ADAPTER).manual
    return two_steps(network.__name__, network.forward, network.backward)


class _Copy:
    """A second set of the network's modules, each executed when one of them imports it.

    Args:
        changed: the code of the modules that differ.
    """

    def __init__(self, changed: Mapping[str, CodeType]) -> None:
        self._changed = changed
        self._modules: dict[str, ModuleType] = {}
        self._builtins = {**vars(builtins), "__import__": self._import}

    def module(self, name: str) -> ModuleType:
        """Return the module of a dotted name, executed if it has not been; the real one if no change reaches it."""
        if name not in (ADAPTER, NETWORK) and not self._changed.keys() & _reached_by(name):
            return importlib.import_module(name)
        if name not in self._modules:
            module = self._modules[name] = ModuleType(name)
            module.__dict__["__builtins__"] = self._builtins
            exec(self._changed.get(name) or _code(name), module.__dict__)
        return self._modules[name]

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] = (),
        level: int = 0,
    ) -> ModuleType:
        if name.partition(".")[0] != NETWORK:
            return builtins.__import__(name, globals, locals, fromlist, level)
        if not fromlist:
            raise ImportError(f"import {name}: the copy knows `from {name} import ...` alone")
        module = self.module(name)
        for attribute in fromlist:
            if not hasattr(module, attribute):
                setattr(module, attribute, self.module(f"{name}.{attribute}"))
        return module


@cache
def _modules() -> Mapping[str, str]:
    """Return the module of each file of the network, and of the adapter's; files are told from the root."""
    paths = sorted((ROOT / NETWORK).rglob("*.py"))
    names = [path.relative_to(ROOT).with_suffix("").parts for path in paths]
    found = {"/".join(parts) + ".py": ".".join(parts).removesuffix(".__init__") for parts in names}
    return found | {ADAPTER.replace(".", "/") + ".py": ADAPTER}


@cache
def _source(file: str) -> str:
    path = Path(str(adapter.__file__)) if _modules()[file] == ADAPTER else ROOT / file
    return path.read_text(encoding="utf-8")


@cache
def _code(module: str) -> CodeType:
    file = _file(module)
    return compile(_source(file), file, "exec")


@cache
def _file(module: str) -> str:
    return next(file for file, name in _modules().items() if name == module)


@cache
def _reached_by(module: str) -> frozenset[str]:
    """Return a module and all of the network's that it imports, by whatever way."""
    found = {module}
    for name in _imported(module):
        found |= _reached_by(name)
    return frozenset(found)


@cache
def _imported(module: str) -> frozenset[str]:
    """Return the modules of the network that one imports."""
    names = set()
    for node in ast.walk(ast.parse(_source(_file(module)))):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return frozenset(names & set(_modules().values()) - {NETWORK})
