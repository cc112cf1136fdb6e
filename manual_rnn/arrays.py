"""What counts as an array here, and the check that one is as wanted.

The arithmetic of this package asks three things of an array: NumPy's ufuncs, `matmul`, and slicing. So `Array` is an
ndarray of floats or complex numbers, an object array of numbers of any type, or any type that speaks NumPy's
`__array_ufunc__` and `__array_function__` protocols. New buffers are always made with `np.empty_like(x, shape=...)`,
so that they are of the type of what they are made for.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from manual_rnn.errors import ArgumentError

Array = Any
"""An array of any number type; see the top of this file. Shapes are in the docstrings."""

NUMBER_KINDS = "fcO"  # floating, complex, object: everything but integers, booleans, text, dates


def check_array(
    argument: str, array: Array, shape: tuple[int | str, ...], like: Array = None, *, finite: bool = True
) -> None:
    """Check that `array` is an array of numbers with the wanted shape.

    Args:
        argument: the name to use in the error.
        array: what was passed.
        shape: one entry an axis: its size, or the letter that stands for a size of the caller's choice (at least 1).
        like: an array whose dtype `array` must share, so that nothing is cast silently.
        finite: whether the numbers must be finite; they are not read if not.

    Raises:
        ArgumentError: it is not an array, has integers or non-finite numbers in it, or another shape or dtype.
    """
    try:
        sizes, dtype = array.shape, array.dtype
    except AttributeError:
        raise ArgumentError(argument, type(array).__name__, f"an array of shape {_in_words(shape)}") from None
    if sizes != shape and not _fits(sizes, shape):
        raise ArgumentError(argument, f"shape {sizes}", f"shape {_in_words(shape)}")
    if 0 in sizes:
        raise ArgumentError(argument, f"shape {sizes}", f"shape {_in_words(shape)} with every size at least 1")
    if dtype.kind not in NUMBER_KINDS:
        raise ArgumentError(argument, f"dtype {dtype}", "floating-point numbers")
    if like is not None and dtype != like.dtype:
        raise ArgumentError(argument, f"dtype {dtype}", f"dtype {like.dtype}, that of the other arrays")
    if finite:
        check_finite(argument, array)


def check_finite(argument: str, array: Array) -> None:
    """Check that an array of NumPy's own numbers, which alone can be asked, holds no NaN and no infinity.

    Raises:
        ArgumentError: it does.
    """
    if type(array) is not np.ndarray or array.dtype.kind == "O":
        return
    if 0 in np.isfinite(array).tobytes():  # of a small array, bytes are searched soonest
        raise ArgumentError(argument, "non-finite values", "finite numbers")


@lru_cache(maxsize=1024)
def _fits(sizes: tuple[int, ...], shape: tuple[int | str, ...]) -> bool:
    """Return whether an array has the wanted shape, in which a letter stands for any size."""
    if len(sizes) != len(shape):
        return False
    return all(size == want or isinstance(want, str) for size, want in zip(sizes, shape, strict=True))


def _in_words(shape: tuple[int | str, ...]) -> str:
    """Return a shape as Python writes it, with letters where it has them: (T, B, 3)."""
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"


def blocks(array: Array, count: int) -> list[Array]:
    """Return views of `count` equal blocks of the last axis: the gates of (..., G*H), each (..., H)."""
    width = array.shape[-1] // count
    return [array[..., k * width : (k + 1) * width] for k in range(count)]


def joined(arrays: Sequence[Array]) -> Array:
    """Return arrays of one shape side by side, along the last axis: what `blocks` undoes; one alone as it is."""
    if len(arrays) == 1:
        return arrays[0]
    *sizes, width = arrays[0].shape
    result = np.empty_like(arrays[0], shape=(*sizes, len(arrays) * width))
    for part, array in zip(blocks(result, len(arrays)), arrays, strict=True):
        part[...] = array
    return result


def zeros(like: Array, shape: tuple[int, ...]) -> Array:
    """Return a new array of zeros, of the number type of another."""
    result = np.empty_like(like, shape=shape)
    result[...] = 0
    return result


def steps_below(array: Array) -> Array:
    """Return (T, B, K) as (T*B, K): all steps of all sequences, one below the other."""
    return array.reshape(-1, array.shape[-1])
