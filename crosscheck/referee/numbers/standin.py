"""A stand-in for NumPy in somebody's module, so that its new buffers hold balls.

Code such as `h = np.zeros((T, B, H))` makes an array of floats, which can't take a ball. The stand-in passes
everything on to NumPy, but what makes a new array of floats makes one of balls. Code that was compiled, or that calls
`float` or `math`, can't be lifted so; it fails with a TypeError that says where.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from crosscheck.referee.numbers.ball import balls

MAKERS = (
    "zeros",
    "ones",
    "empty",
    "full",
    "eye",
    "identity",
    "array",
    "asarray",
    "ascontiguousarray",
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

    def __init__(self) -> None:
        super().__init__("numpy")

    def __getattr__(self, name: str) -> Any:
        found = getattr(np, name)
        return _maker(found) if name in MAKERS else found


def lift_module(module: ModuleType) -> None:
    """Put the stand-in in the place of NumPy, and of its functions, among a module's names."""
    makers = {getattr(np, name): name for name in MAKERS}
    for name, value in list(vars(module).items()):
        if value is np:
            setattr(module, name, StandIn())
        elif callable(value) and _is_one_of(value, makers):
            setattr(module, name, _maker(value))


def _is_one_of(value: Any, makers: dict[Any, str]) -> bool:
    return any(value is maker for maker in makers)


def _maker(function: Callable[..., Any]) -> Callable[..., Any]:
    def make(*args: Any, **kwargs: Any) -> Any:
        kept = [value for value in args if not _is_float_type(value)]
        asked = len(kept) < len(args) or _is_float_type(kwargs.get("dtype"))
        if _is_float_type(kwargs.get("dtype")):
            del kwargs["dtype"]
        made = function(*kept, **kwargs)
        return balls(_filled(made)) if asked or made.dtype.kind in "fO" else made

    return make


def _filled(array: Any) -> Any:
    """Return an array whose unset elements, None in an array of objects, are 0."""
    if array.dtype != object:
        return array
    filled = np.array(array, dtype=object)
    for index in np.ndindex(filled.shape):
        if filled[index] is None:
            filled[index] = 0.0
    return filled


def _is_float_type(value: Any) -> bool:
    """Say whether a value names a floating-point type, as a dtype argument does."""
    if not isinstance(value, type | np.dtype | str):
        return False
    try:
        return np.dtype(value).kind == "f"
    except TypeError:
        return False
