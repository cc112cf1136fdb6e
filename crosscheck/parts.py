"""Which layers, gates, units, sequences and steps all wrong elements of tensors are of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from crosscheck.axes import AXES
from crosscheck.case import Case
from crosscheck.evidence import Seen
from crosscheck.spec import run_of

STACKED = ("dW_xh", "dW_hh", "db_xh", "db_hh")
PEEPHOLES = ("dp_i", "dp_f", "dp_o")
BEGINNINGS = ("dh_0", "dc_0")


def letters_of(case: Case) -> str:
    """Return the gates in the order of their blocks; nothing where there is one alone."""
    letters = case.spec.letters
    return letters if len(letters) > 1 else ""


def runs_of_parameters(bases: Sequence[Seen]) -> tuple[tuple[int, ...], tuple[str, ...], frozenset[str]]:
    """Return the layers and the direction of wrong parameters, if not all, and those of the layer that comes first.

    Gradients come from the last layer. Where no parameter is wrong, initial states tell the same.
    """
    parameters = {f"d{name}" for name in bases[0].case.layer_params}
    wrong = frozenset.union(*(seen.wrong for seen in bases)) & parameters
    if not wrong:
        return (*runs_of_states(bases, BEGINNINGS), frozenset())
    runs = {run_of(name) for name in wrong}
    first = max(layer for layer, _ in runs)
    names = frozenset(name for name in wrong if run_of(name)[0] == first)
    return (*_proper(bases[0].case, runs, first), names)


def runs_of_states(bases: Sequence[Seen], names: Sequence[str]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the layers and the direction of wrong states, if not all."""
    case = bases[0].case
    wrong = [seen.off(name) for seen in bases for name in names if name in seen.wrong]
    runs = {run for off in wrong for k, run in enumerate(case.spec.runs) if off[k].any()}
    return _proper(case, runs, min(layer for layer, _ in runs)) if runs else ((), ())


def _proper(case: Case, runs: set[tuple[int, bool]], first: int) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the layers, if they are not all, and the direction in the first, if it is not both."""
    layers = {layer for layer, _ in runs}
    reverse = {reverse for layer, reverse in runs if layer == first}
    directions = (
        ("reverse" if reverse == {True} else "forward",) if case.spec.bidirectional and len(reverse) == 1 else ()
    )
    return tuple(sorted(layers)) if len(layers) < case.spec.num_layers else (), directions


def gates_of(bases: Sequence[Seen], names: Iterable[str]) -> tuple[str, ...]:
    """Return the gates of which all wrong rows of stacked gradients are, if the others' are seen to be right."""
    letters = letters_of(bases[0].case)
    wrong: set[str] = set()
    right: set[str] = set()
    for seen in bases:
        for name in names:
            if name.startswith(STACKED) and letters and name in seen.got:
                blocks = np.split(seen.off(name), len(letters)), np.split(seen.known.worst.want[name], len(letters))
                for letter, off, want in zip(letters, *blocks, strict=True):
                    wrong |= {letter} if off.any() else set()
                    right |= {letter} if want.any() else set()
            elif name.startswith(PEEPHOLES) and name in seen.wrong:
                wrong |= {name[3]}
                right |= set(letters) - {"g"}
    return tuple(letter for letter in letters if letter in wrong) if right - wrong else ()


def units_of(bases: Sequence[Seen], names: Iterable[str]) -> tuple[int, ...]:
    """Return the units of which all wrong rows of stacked gradients are, if the others' are seen to be right."""
    H = bases[0].case.spec.hidden_size
    wrong, right = np.zeros(H, dtype=bool), np.zeros(H, dtype=bool)
    for seen in bases:
        for name in names:
            if name.startswith((*STACKED, *PEEPHOLES)) and name in seen.got:
                wrong |= _by_unit(seen.off(name), H)
                right |= _by_unit(seen.known.worst.want[name], H)
    return tuple(np.nonzero(wrong)[0].tolist()) if wrong.any() and right.all() and not wrong.all() else ()


def _by_unit(array: Any, H: int) -> Any:
    """Return for each unit whether anything is not zero in its rows of an array stacked by gates."""
    return np.moveaxis(array.reshape(-1, H, *array.shape[1:]), 1, 0).reshape(H, -1).any(axis=1)


def along(bases: Sequence[Seen], names: Sequence[str], kind: int) -> tuple[int, ...]:
    """Return the steps or the sequences of which all wrong elements are, if they aren't all."""
    wrong, size = wrong_along(bases, names, kind)
    return tuple(sorted(wrong)) if 0 < len(wrong) < size else ()


def wrong_along(bases: Sequence[Seen], names: Sequence[str], kind: int) -> tuple[set[int], int]:
    """Return the steps or the sequences at which something is wrong, and how many there are."""
    axes = AXES[bases[0].case.spec.axes]
    by_axis = {axis: [name for name in names if axes.get(name, (None, None))[kind] == axis] for axis in (0, 1)}
    wrong: set[int] = set()
    size = 0
    for axis, group in by_axis.items():
        for seen in bases:
            for name in seen.got.keys() & group:
                off = np.moveaxis(seen.off(name), axis, 0).reshape(seen.got[name].shape[axis], -1).any(axis=1)
                wrong |= set(np.nonzero(off)[0].tolist())
                size = len(off)
    return wrong, size


def entries(bases: Sequence[Seen], names: Sequence[str], axis: int) -> tuple[int, ...]:
    """Return the entries along an axis that all wrong elements have, if in others something is right and not zero."""
    wrong: Any = False
    right: Any = False
    for seen in bases:
        for name in names:
            if name in seen.got:
                want = seen.known.worst.want[name]
                wrong = wrong | np.moveaxis(seen.off(name), axis, 0).reshape(want.shape[axis], -1).any(axis=1)
                right = right | np.moveaxis(want != 0, axis, 0).reshape(want.shape[axis], -1).any(axis=1)
    told = np.any(wrong) and np.all(right) and not np.all(wrong)
    return tuple(np.nonzero(wrong)[0].tolist()) if told else ()
