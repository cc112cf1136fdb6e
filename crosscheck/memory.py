"""How the arrays of a case lie in memory. The numbers are the same in every layout; a program may not see a difference.

Where a layout leaves gaps between the numbers of an array, NaN is in them: whoever reads them shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Arrays = Mapping[str, Any]


def _contiguous(array: Any) -> Any:
    return np.array(array, order="C")


def _transposed(array: Any) -> Any:
    """Return a copy with the two leading axes swapped in memory: batch-first under time-major, W.T under W."""
    return _contiguous(array.swapaxes(0, 1)).swapaxes(0, 1) if array.ndim > 1 else _contiguous(array)


def _fortran(array: Any) -> Any:
    return np.array(array, order="F")


def _strided(array: Any) -> Any:
    """Return a copy that is every second element, along every axis, of a larger buffer."""
    return _within(np.full([2 * size for size in array.shape], np.nan, array.dtype), array, slice(None, None, 2))


def _negative(array: Any) -> Any:
    """Return a copy that runs backward through its buffer, along every axis."""
    return _within(np.empty_like(array, order="C"), array, slice(None, None, -1))


def _offset(array: Any) -> Any:
    """Return a copy that begins at the second element of a larger buffer, aligned to its own numbers and no more."""
    return _filled(np.full(array.size + 2, np.nan, array.dtype)[1:-1].reshape(array.shape), array)


def _broadcast(array: Any) -> Any:
    """Return a copy with a stride of zero along every axis that all numbers repeat along."""
    repeats = [bool(_same(array, _first(array, axis)).all()) for axis in range(array.ndim)]
    buffer = _contiguous(array[tuple(slice(1 if same else None) for same in repeats)])
    strides = [0 if same else step for same, step in zip(repeats, buffer.strides, strict=True)]
    return np.ndarray(array.shape, array.dtype, buffer, strides=strides)


def _readonly(array: Any) -> Any:
    copy = _contiguous(array)
    copy.flags.writeable = False
    return copy


COPIES: dict[str, Callable[[Any], Any]] = {
    "contiguous": _contiguous,
    "transposed": _transposed,
    "fortran": _fortran,
    "strided": _strided,
    "offset": _offset,
    "broadcast": _broadcast,
    "readonly": _readonly,
    "aliased": _contiguous,
    "negative": _negative,
}
"""How an array is copied into each layout, simplest first."""
MEMORY = tuple(COPIES)
SHOWS = {
    "contiguous": "any gross mistake",
    "transposed": "a buffer of the other order of axes: a `reshape` or `ravel` that copies where a view was meant",
    "fortran": "a loop over memory in place of indices",
    "strided": "a pointer that steps by one number; whoever reads between the numbers reads NaN",
    "offset": "a pointer to the buffer's beginning in place of the view's; vectors that want aligned numbers",
    "broadcast": "what is written into one step, and so into all: x and the cotangents repeat over time, stride zero",
    "readonly": "inputs that are written into",
    "aliased": "inputs that are written into: x and dy are one array, where their shapes are the same",
    "negative": "an unsigned stride, or a pointer that runs forward",
}
"""What mistake is visible in each layout."""


def laid_out(arrays: Arrays, memory: str) -> dict[str, Any]:
    """Return copies of arrays, by name, in a layout.

    Args:
        arrays: NumPy arrays.
        memory: a name in `MEMORY`.
    """
    copies = {name: COPIES[memory](array) for name, array in arrays.items()}
    if memory == "aliased" and may_alias(arrays):
        copies["dy"] = copies["x"].view()
    return copies


def may_alias(arrays: Arrays) -> bool:
    """Say whether x and dy may share memory, being the same."""
    x, dy = arrays["x"], arrays.get("dy")
    return dy is not None and x.shape == dy.shape and bool(_same(x, dy).all())


def behind(array: Any) -> Any:
    """Return the buffer that an array lies in, its gaps included."""
    return array if array.base is None else array.base


def _same(a: Any, b: Any) -> Any:
    """Return where two arrays hold the same numbers: any NaN is one number, the two zeros are two."""
    return (a == b) & (np.signbit(a) == np.signbit(b)) | (np.isnan(a) & np.isnan(b))


def _first(array: Any, axis: int) -> Any:
    return array[(slice(None),) * axis + (slice(1),)]


def _within(buffer: Any, array: Any, index: slice) -> Any:
    return _filled(buffer[(index,) * array.ndim], array)


def _filled(view: Any, array: Any) -> Any:
    view[...] = array
    return view
