"""The names of parameters: W_xh, W_hh, b_xh, b_hh, and whose they are.

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
NAME = re.compile(r"(?:W_xh|W_hh|b_xh|b_hh)(?:_l([1-9][0-9]*))?(_reverse)?")


class Layout(NamedTuple):
    """What the names of a network's parameters say.

    Attributes:
        num_layers: L.
        directions: D, 1 or 2.
        bias: whether there are biases.
        passes: the names of each layer in each direction, layer by layer, forward then reverse: W_xh W_hh b_xh b_hh.
        gradients: those of their gradients.
    """

    num_layers: int
    directions: int
    bias: bool
    passes: tuple[tuple[str, ...], ...]
    gradients: tuple[tuple[str, ...], ...]


def param_names(num_layers: int, bidirectional: bool, bias: bool) -> tuple[str, ...]:
    """Return the names of a network's parameters: layer by layer, forward then reverse, W_xh W_hh b_xh b_hh.

    Raises:
        ArgumentError: `num_layers` is not a positive integer.
    """
    if not isinstance(num_layers, int) or num_layers < 1:
        raise ArgumentError("num_layers", repr(num_layers), "an integer, at least 1")
    return tuple(chain.from_iterable(_passes(num_layers, 2 if bidirectional else 1, bias)))


def _passes(num_layers: int, directions: int, bias: bool) -> Iterator[tuple[str, ...]]:
    """Yield the names of each layer in each direction."""
    for layer in range(num_layers):
        for direction in ("", "_reverse")[:directions]:
            suffix = (f"_l{layer}" if layer else "") + direction
            yield tuple(name + suffix for name in (WEIGHTS + BIASES if bias else WEIGHTS))


@lru_cache(maxsize=128)
def layout(names: tuple[str, ...]) -> Layout:
    """Return what the names of a network's parameters say, in whatever order they come.

    Raises:
        ArgumentError: one is unknown, or one is missing, given the others.
    """
    found = {name: NAME.fullmatch(name) for name in names}
    unknown = sorted(name for name, match in found.items() if match is None)
    if unknown:
        further = "with _l1, _l2, ... for further layers and then _reverse for the reverse direction"
        raise ArgumentError("params", ", ".join(unknown), f"{', '.join(WEIGHTS + BIASES)}, {further}")
    matches = [match for match in found.values() if match is not None]
    num_layers = 1 + max((int(match[1] or 0) for match in matches), default=0)
    directions = 2 if any(match[2] for match in matches) else 1
    bias = any(name.startswith("b") for name in names)
    for name in chain.from_iterable(_passes(num_layers, directions, bias)):
        if name not in found:  # a gap ends this soon, however large the numbers after it
            wanted = "both of b_xh and b_hh, or none," if name.startswith("b") else "W_xh and W_hh"
            raise ArgumentError("params", f"no {name}", f"{wanted} in all of L layers and D directions alike")
    passes = tuple(_passes(num_layers, directions, bias))
    gradients = tuple(tuple(f"d{name}" for name in of_pass) for of_pass in passes)
    return Layout(num_layers, directions, bias, passes, gradients)
