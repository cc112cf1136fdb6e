"""The hand-written network with lines replaced, in memory: what somebody who made a mistake would compute.

The modules of `manual_rnn`, and its adapter, are executed once more from their sources, the changed ones from the
changed text. They import each other, and not the real ones, since their own `__import__` hands them what belongs to
them. Nothing is written, and the real network is not touched.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import manual_rnn
from crosscheck.subject import Function
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
    """Return the hand-written network, as a subject's function, with changes in it.

    Args:
        patches: the changes, made one after the other.

    Raises:
        PatchError: one of them doesn't apply.
    """
    texts: dict[str, str] = {}
    for patch in patches:
        text = texts.get(patch.file) or _source(patch.file)
        count = text.count(patch.right)
        if count != 1:
            raise PatchError(f"{patch.right!r} is {count} times in {patch.file}, wanted once")
        texts[patch.file] = text.replace(patch.right, patch.wrong)
    changed = {file: compile(text, f"<{file}, patched>", "exec") for file, text in texts.items()}
    function: Function = _Copy(changed).module(ADAPTER).manual
    return function


class _Copy:
    """A second set of the network's modules, executed when one of them imports another.

    Args:
        changed: the code of the files that differ.
    """

    def __init__(self, changed: Mapping[str, CodeType]) -> None:
        self._changed = changed
        self._modules: dict[str, ModuleType] = {}
        self._builtins = {**vars(builtins), "__import__": self._import}

    def module(self, name: str) -> ModuleType:
        """Return the module of a dotted name, executed if it has not been."""
        if name not in self._modules:
            file = _file(name)
            module = self._modules[name] = ModuleType(name)
            module.__dict__["__builtins__"] = self._builtins
            exec(self._changed.get(file) or _code(file), module.__dict__)
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
def _code(file: str) -> CodeType:
    return compile(_source(file), str(ROOT / file), "exec")


@cache
def _source(file: str) -> str:
    path = Path(str(adapter.__file__)) if file == _file(ADAPTER) else ROOT / file
    return path.read_text(encoding="utf-8")


@cache
def _file(name: str) -> str:
    """Return the file of a module, from the root."""
    path = name.replace(".", "/")
    return f"{path}/__init__.py" if (ROOT / path).is_dir() else f"{path}.py"
