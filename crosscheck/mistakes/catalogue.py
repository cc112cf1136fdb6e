"""All known mistakes by name, and the hand-written network with one of them in it, or with several."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Mapping
from importlib import import_module
from types import MappingProxyType

from crosscheck import mistakes
from crosscheck.implementation import Function
from crosscheck.mistakes.mistake import Mistake
from crosscheck.referee.patched import patched


def planted(made: Mistake | Iterable[Mistake]) -> Function:
    """Return the hand-written network, as a subject's function, with a mistake in it, or with several at once.

    Args:
        made: the mistake, or the mistakes.

    Raises:
        PatchError: two of them change the same line.
    """
    each = [made] if isinstance(made, Mistake) else list(made)
    return patched([patch for mistake in each for patch in mistake.patches])


def collected(found: Iterable[Mistake]) -> Mapping[str, Mistake]:
    """Return mistakes by name.

    Raises:
        ValueError: two have the same name.
    """
    by_name: dict[str, Mistake] = {}
    for mistake in found:
        if mistake.name in by_name:
            raise ValueError(f"two mistakes are called {mistake.name}")
        by_name[mistake.name] = mistake
    return MappingProxyType(by_name)


def _in_this_folder() -> Iterable[Mistake]:
    for module in pkgutil.iter_modules(mistakes.__path__):
        yield from getattr(import_module(f"{mistakes.__name__}.{module.name}"), "MISTAKES", ())


CATALOGUE: Mapping[str, Mistake] = collected(_in_this_folder())
"""Every mistake of every `MISTAKES` of this folder, by name."""
