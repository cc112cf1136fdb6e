"""Which arguments name a floating-point type: to a lifted number all are one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def is_float_type(value: Any) -> bool:
    """Say whether a value names a floating-point type, as a dtype argument does."""
    if not isinstance(value, type | np.dtype | str):
        return False
    try:
        return np.dtype(value).kind == "f"
    except TypeError:
        return False


def without_float_type(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options without a dtype of floats, or none: whatever the format, a lifted number is a lifted number."""
    given = dict(options)
    if given.get("dtype") is None or is_float_type(given["dtype"]):
        given.pop("dtype", None)
    return given
