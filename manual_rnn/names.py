"""The names of parameters: W_xh, W_hh, b_xh, b_hh, and those that only some cell has, such as p_i; and whose they are.

Layer 0 has no suffix of a layer, further ones have _l1, _l2, ...; the reverse direction has _reverse, always last:
W_xh, W_hh, b_xh, b_hh, W_xh_reverse, ..., W_xh_l1, ..., W_xh_l1_reverse, ...
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from manual_rnn.errors import ArgumentError

WEIGHTS = ("W_xh", "W_hh")
BIASES = ("b_xh", "b_hh")
NAME = re.compile(r"(.*?)(?:_l([1-9][0-9]*))?(_reverse)?")


class Layout(NamedTuple):
    """What the names of a network's parameters say.

    Attributes:
        num_layers: L.
        directions: D, 1 or 2.
        bias: whether there are biases.
        passes: the names of each layer in each direction, layer by layer, forward then reverse: W_xh W_hh b_xh b_hh,
            those without bias, and then the cell's own.
        gradients: for each of them the name of its gradient, the number of its pass, and its place in a pass that has
            biases.
    """

    num_layers: int
    directions: int
    bias: bool
    passes: tuple[tuple[str, ...], ...]
    gradients: tuple[tuple[str, int, int], ...]


def param_names(num_layers: int, bidirectional: bool, bias: bool, own: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the names of a network's parameters: layer by layer, forward then reverse, W_xh W_hh b_xh b_hh.

    Args:
        num_layers: L.
        bidirectional: whether there are two directions.
        bias: whether there are biases.
        own: the names of weights that only the cell has, which come last; see `Cell.own`.

    Raises:
        ArgumentError: `num_layers` is not a positive integer.
    """
    if not isinstance(num_layers, int) or num_layers < 1:
        raise ArgumentError("num_layers", repr(num_layers), "an integer, at least 1")
    return tuple(chain.from_iterable(_passes(num_layers, 2 if bidirectional else 1, bias, own)))


def _passes(num_layers: int, directions: int, bias: bool, own: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the names of each layer in each direction."""
    for layer in range(num_layers):
        for direction in ("", "_reverse")[:directions]:
            suffix = (f"_l{layer}" if layer else "") + direction
            yield tuple(name + suffix for name in (WEIGHTS + BIASES if bias else WEIGHTS) + own)


@lru_cache(maxsize=128)
def layout(names: tuple[str, ...], own: tuple[str, ...] = ()) -> Layout:
    """Return what the names of a network's parameters say, in whatever order they come.

    Args:
        names: the names.
        own: those of weights that only the cell has, for layer 0.

    Raises:
        ArgumentError: one is unknown, or one is missing, given the others.
    """
    known = WEIGHTS + BIASES + own
    found = {name: match for name in names if (match := NAME.fullmatch(name)) and match[1] in known}
    unknown = sorted(set(names) - set(found))
    if unknown:
        further = "with _l1, _l2, ... for further layers and then _reverse for the reverse direction"
        raise ArgumentError("params", ", ".join(unknown), f"{', '.join(known)}, {further}")
    num_layers = 1 + max((int(match[2] or 0) for match in found.values()), default=0)
    directions = 2 if any(match[3] for match in found.values()) else 1
    bias = any(name.startswith("b") for name in names)
    for name in chain.from_iterable(_passes(num_layers, directions, bias, own)):
        if name not in found:  # a gap ends this soon, however large the numbers after it
            wanted = "both of b_xh and b_hh, or none," if name.startswith("b") else " and ".join(WEIGHTS + own)
            raise ArgumentError("params", f"no {name}", f"{wanted} in all of L layers and D directions alike")
    passes = tuple(_passes(num_layers, directions, bias, own))
    places = [place for place, name in enumerate(known) if bias or name not in BIASES]
    gradients = [
        (f"d{name}", k, place) for k, each in enumerate(passes) for name, place in zip(each, places, strict=True)
    ]
    return Layout(num_layers, directions, bias, passes, tuple(gradients))
