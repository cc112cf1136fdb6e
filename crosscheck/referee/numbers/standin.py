"""A stand-in for NumPy in somebody's module, so that its new buffers hold numbers of another type.

Code such as `h = np.zeros((T, B, H))` makes an array of floats, which can't take a ball. The stand-in passes
everything on to NumPy, but what makes a new array of floats makes one of balls, or of whatever type is asked for. Code
that was compiled, or that calls `float` or `math`, can't be lifted so; it fails with a TypeError that says where.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from crosscheck.referee.numbers.ball import balls
from crosscheck.referee.numbers.floats import is_float_type
from crosscheck.referee.numbers.lifted import Lifted
from crosscheck.referee.numbers.objects import Objects

Lift = Callable[[Any], Any]

CONVERTERS = ("array", "asarray", "ascontiguousarray", "asanyarray")
"""The functions that make an array of what they are given."""

MAKERS = (
    *CONVERTERS,
    "zeros",
    "ones",
    "empty",
    "full",
    "eye",
    "identity",
    "zeros_like",
    "ones_like",
    "empty_like",
    "full_like",
    "arange",
    "linspace",
)
"""The functions that make arrays."""


class StandIn(ModuleType):
    """What a lifted module finds under the name of NumPy."""

    def __init__(self, lift: Lift = balls) -> None:
        """Make the stand-in whose arrays are what `lift` makes of arrays of floats."""
        super().__init__("numpy")
        self._lift = lift

    def __getattr__(self, name: str) -> Any:
        found = getattr(np, name)
        return _maker(name, self._lift) if name in MAKERS else found


def lift_module(module: ModuleType, lift: Lift = balls) -> None:
    """Put the stand-in in the place of NumPy, and of its functions, among a module's names.

    Args:
        module: somebody's module, or a copy of it.
        lift: makes an array of the wanted type of an array of floats.
    """
    makers = {getattr(np, name): name for name in MAKERS}
    for name, value in list(vars(module).items()):
        if value is np:
            setattr(module, name, StandIn(lift))
        elif callable(value):
            maker = next((makers[known] for known in makers if value is known), None)
            if maker is not None:
                setattr(module, name, _maker(maker, lift))


def _maker(name: str, lift: Lift) -> Callable[..., Any]:
    function = getattr(np, name.replace("empty", "zeros"))  # memory as it is found holds no numbers

    def make(*args: Any, **kwargs: Any) -> Any:
        kept = [value for value in args if not is_float_type(value)]
        asked = len(kept) < len(args) or is_float_type(kwargs.get("dtype"))
        if is_float_type(kwargs.get("dtype")):
            del kwargs["dtype"]
        if name in CONVERTERS and kept and _any_lifted(kept[0]):
            return _converted(kept[0], lift, copies=name == "array" and kwargs.get("copy", True) is True)
        made = function(*kept, **kwargs)
        return lift(_filled(made)) if asked or made.dtype.kind in "fO" else made

    return make


def _any_lifted(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_any_lifted, value))
    return isinstance(value, Lifted | Objects)


def _converted(value: Any, lift: Lift, copies: bool) -> Any:
    """Return what is lifted already as it is, or as a copy; of a list, its elements stacked."""
    if isinstance(value, Lifted | Objects):
        return value.copy() if copies else value
    return _stacked(value, lift)


def _stacked(value: Any, lift: Lift) -> Any:
    if isinstance(value, Lifted | Objects):
        return value
    return np.stack([_stacked(element, lift) for element in value]) if _any_lifted(value) else lift(np.asarray(value))


def _filled(array: Any) -> Any:
    """Return an array whose unset elements, None in an array of objects, are 0."""
    if isinstance(array, Lifted) or array.dtype != object:
        return array
    filled = np.array(array, dtype=object)
    for index in np.ndindex(filled.shape):
        if filled[index] is None:
            filled[index] = 0.0
    return filled
