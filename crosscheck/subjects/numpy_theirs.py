"""What somebody's NumPy code takes and returns, and what of it is which array of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from crosscheck.case import Case
from crosscheck.conventions import Conventions, ours, pieces, theirs
from crosscheck.errors import ArgumentError
from crosscheck.spec import GATES, Spec
from crosscheck.synonyms import match

DTYPE_NOTE = "NumPy code makes float64 as a rule, so float32 is not drawn unless it says that it supports it"
PARAMETERS = ("params", "parameters", "weights", "p", "theta")
"""What an argument is called that holds all parameters by name."""
STATES = ("h_0", "c_0", "dh_n", "dc_n")


class Parameters(dict[str, Any]):
    """Parameters by their names, and by whatever else they may be called."""

    def __init__(self, arrays: Mapping[str, Any], conventions: Conventions) -> None:
        """Hold arrays, which have our names of theirs."""
        super().__init__({conventions.name(name): array for name, array in arrays.items()})
        self._arrays, self._conventions = arrays, conventions

    def __missing__(self, their: str) -> Any:
        found = match([their], self._arrays, self._conventions)
        if not found:
            raise KeyError(their)
        return self._arrays[next(iter(found))]


def specs(conventions: Conventions) -> Iterator[Spec]:
    """Yield the plain layers that may have such conventions, one a cell."""
    cells = conventions.options().get("cell", tuple(GATES))
    for cell in cells:
        after = conventions.reset_after if cell == "gru" else True
        yield Spec(cell, 1, 1, bias=conventions.biases != "none", reset_after=after)


def given(case: Case, conventions: Conventions) -> dict[str, Any]:
    """Return the arrays of a plain layer's case as somebody lays them out, by our names of theirs; states (B, H)."""
    arrays = theirs(case.arrays, case.spec, _unnamed(conventions))
    return {name: array[0] if name in STATES else array for name, array in arrays.items()}


def returned(results: Mapping[str, Any], case: Case, conventions: Conventions) -> dict[str, Any]:
    """Return outputs and gradients in our layout.

    Args:
        results: arrays, lists of them, or mappings of step to them, by our names of theirs.
        case: the case of a plain layer.
        conventions: how they are laid out.
    """
    state = 1 if conventions.unbatched and not conventions.columns else 2
    arrays = {name: stacked(value) for name, value in results.items()}
    for name, array in arrays.items():
        if name in ("h_n", "c_n", "dh_0", "dc_0") and np.ndim(array) == state:
            arrays[name] = array[None]
    return ours(arrays, case.spec, _unnamed(conventions))


def gradient_names(spec: Spec, conventions: Conventions) -> tuple[str, ...]:
    """Return the names of all gradients that a layer may return, by our names of theirs."""
    return tuple(f"d{name}" for name in ("x", *(f"{state}_0" for state in spec.states), *pieces(spec, conventions)))


def named(values: Mapping[str, Any], names: tuple[str, ...], conventions: Conventions) -> dict[str, Any]:
    """Return what of a mapping by their names is known, by our names."""
    return {name: values[their] for name, their in match(map(str, values), names, conventions).items()}


def said(which: str, conventions: Conventions) -> tuple[str, ...]:
    """Return what was said that a function returns, in order; nothing if nothing was."""
    return tuple(conventions.names.get(which, "").replace(",", " ").split())


def listed(values: Any, order: tuple[str, ...], names: tuple[str, ...], conventions: Conventions) -> dict[str, Any]:
    """Return what a function returned by our names.

    Args:
        values: a mapping by their names; one array; or a tuple of arrays, of tuples and of mappings.
        order: what the arrays are, in order; the last ones may be left out.
        names: what may be in a mapping.
        conventions: their names.

    Raises:
        ArgumentError: there are more arrays than that.
    """
    parts = flat(values) if isinstance(values, tuple) else (values,)
    found: dict[str, Any] = {}
    for part in (part for part in parts if isinstance(part, Mapping) and not _is_steps(part)):
        found |= named(part, names, conventions)
    arrays = [part for part in parts if part is not None and (not isinstance(part, Mapping) or _is_steps(part))]
    if len(arrays) > len(order):
        raise ArgumentError("returned", f"{len(arrays)} arrays", f"{', '.join(order)}; or another order said by --set")
    return found | dict(zip(order, arrays, strict=False))


def flat(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return what is in a tuple and in the tuples in it."""
    return tuple(part for value in values for part in (value if isinstance(value, tuple) else (value,)))


def _is_steps(value: Mapping[Any, Any]) -> bool:
    return bool(value) and all(isinstance(key, int) for key in value)


def stacked(value: Any) -> Any:
    """Return an array, or the steps of one in a list or a mapping, stacked; a step before the first is left out."""
    if isinstance(value, Mapping) and _is_steps(value):
        value = [value[step] for step in sorted(value) if step >= 0]
    if isinstance(value, list | tuple) and len(value) and not np.isscalar(value[0]):
        return np.stack(value)
    return value


def states_option(initial: bool, final: bool) -> str:
    """Return which states somebody has a hand in; see `Case.states`."""
    return {(True, True): "both", (True, False): "initial", (False, True): "final", (False, False): "none"}[
        initial, final
    ]


def state_notes(initial: bool, final: bool) -> tuple[str, ...]:
    """Return what is not checked for want of states, in words."""
    notes = []
    if not initial:
        notes.append("it takes no initial states: they are 0 in every case, and their gradients are not checked")
    if not final:
        notes.append("its backward pass takes no cotangent of the final states: these have none in any case")
    return tuple(notes)


def unknown(argument: str, names: Any, of: str) -> ArgumentError:
    """Return the error that a name of theirs is nothing that is known."""
    wanted = f"a name for one of {', '.join(names)}; say which by --set names.{next(iter(names))}={argument}, or so"
    return ArgumentError(of, repr(argument), wanted)


def _unnamed(conventions: Conventions) -> Conventions:
    return replace(conventions, names={})
