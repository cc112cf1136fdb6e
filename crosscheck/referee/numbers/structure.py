"""What moves elements about and computes nothing, for all array-like number types; and what other functions make up.

`STRUCTURE` does to each part of a number what NumPy does to an array; so what is a view of an array is a view of a
number. `DERIVED` has what NumPy's documentation defines by other functions, and no rounding of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from string import ascii_letters
from typing import Any

import numpy as np

from crosscheck.referee.numbers.floats import is_float_type
from crosscheck.referee.numbers.lifted import Lifted

Function = Callable[..., Any]


def first_lifted(values: Sequence[Any]) -> Any:
    """Return the first lifted number among some values."""
    return next(value for value in values if isinstance(value, Lifted))


def lifting(of: Function) -> Function:
    """Return a function of several numbers, all lifted, as one of any of which one is."""

    def apply(*operands: Any, **options: Any) -> Any:
        one = first_lifted(operands)
        return of(*(one.lift(operand) for operand in operands), **options)

    return apply


def reduction(of: Function) -> Function:
    """Return a reduction with the arguments that NumPy's have in common."""

    def apply(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        return of(a, axis=axis, keepdims=keepdims)

    return apply


def _moved(function: Function) -> Function:
    def apply(a: Any, *args: Any, **kwargs: Any) -> Any:
        return a.each(lambda part: function(part, *args, **kwargs))

    return apply


def _joined(function: Function) -> Function:
    def apply(arrays: Sequence[Any], *args: Any, **kwargs: Any) -> Any:
        one = first_lifted(arrays)
        first, *others = (one.lift(array) for array in arrays)
        return first.each(lambda *parts: function(parts, *args, **kwargs), *others)

    return apply


def _reshape(a: Any, *args: Any, **kwargs: Any) -> Any:
    """Return a reshaped view; where some part can't be viewed so, a copy of all."""
    reshaped = a.each(lambda part: np.reshape(part, *args, **kwargs))
    return reshaped if reshaped.shares_memory(a) else reshaped.each(np.copy)


def _atleast(function: Function) -> Function:
    def apply(*arrays: Any) -> Any:
        lifted = tuple(first_lifted(arrays).lift(array).each(function) for array in arrays)
        return lifted[0] if len(lifted) == 1 else lifted

    return apply


def _full_like(prototype: Any, value: Any, dtype: Any = None, order: Any = "K", *_: Any, shape: Any = None) -> Any:
    """Return a new array; of a type that is not a floating-point one, a plain array."""
    del order  # as everything is here, in order of the rows
    sizes = prototype.shape if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
    if dtype is not None and not is_float_type(dtype):
        return np.full(sizes, value, dtype=dtype)
    made = prototype.zeros(sizes)
    made[...] = value
    return made


def _like(value: float) -> Function:
    return lambda prototype, dtype=None, **options: _full_like(prototype, value, dtype, **options)


def _copyto(to: Any, values: Any, where: Any = True) -> None:
    to[...] = values if where is True else np.where(where, values, to)


MOVING = (
    *(np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.squeeze, np.expand_dims, np.broadcast_to),
    *(np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit, np.diagonal, np.flip, np.flipud, np.fliplr),
    *(np.roll, np.repeat, np.tile, np.take, np.copy),
)
JOINING = (np.concatenate, np.stack, np.vstack, np.hstack, np.dstack, np.column_stack)

STRUCTURE: Mapping[Any, Function] = {
    **{function: _moved(function) for function in MOVING},
    **{function: _joined(function) for function in JOINING},
    **{function: _atleast(function) for function in (np.atleast_1d, np.atleast_2d, np.atleast_3d)},
    np.reshape: _reshape,
    np.ravel: lambda a, order="C": _reshape(a, -1, order=order),
    np.full_like: _full_like,
    np.empty_like: _like(0.0),
    np.zeros_like: _like(0.0),
    np.ones_like: _like(1.0),
    np.copyto: _copyto,
    np.shape: lambda a: a.shape,
    np.ndim: lambda a: a.ndim,
    np.size: lambda a, axis=None: a.size if axis is None else a.shape[axis],
}


def of_conditions(of: Function) -> Function:
    """Return a function of conditions that raises TypeError for other numbers."""

    def apply(*numbers: Any) -> Any:
        for number in numbers:
            number.require_conditions()
        return of(*numbers)

    return apply


def _mean(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    total = np.sum(a, axis=axis, keepdims=keepdims)
    return total / (a.size / max(1, np.size(total)))


def _clip(a: Any, least: Any = None, most: Any = None, *, min: Any = None, max: Any = None) -> Any:
    least, most = (min if least is None else least), (max if most is None else most)
    above = a if least is None else np.maximum(a, least)
    return +above if most is None else np.minimum(above, most)


def _minimum(a: Any, b: Any) -> Any:
    return -np.maximum(-a, -b)


def _min(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return -np.max(-a, axis=axis, keepdims=keepdims)


def _dot(a: Any, b: Any) -> Any:
    if 0 in (np.ndim(a), np.ndim(b)):
        return np.multiply(a, b)
    return np.matmul(a, b) if np.ndim(b) <= 2 else np.tensordot(a, b, axes=(-1, -2))


def _inner(a: Any, b: Any) -> Any:
    return np.multiply(a, b) if 0 in (np.ndim(a), np.ndim(b)) else np.tensordot(a, b, axes=(-1, -1))


def _outer(a: Any, b: Any) -> Any:
    return np.multiply(np.ravel(a)[:, None], np.ravel(b)[None, :])


def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Return the sum of products over pairs of axes, as an `einsum`."""
    if isinstance(axes, int):
        axes = (range(-axes, 0), range(axes))
    pairs = [(one,) if isinstance(one, int) else tuple(one) for one in axes]
    letters = iter(ascii_letters)
    of_a, of_b = ([next(letters) for _ in range(np.ndim(array))] for array in (a, b))
    for i, j in zip(*pairs, strict=True):
        of_b[j] = of_a[i]
    kept = [letter for letter in of_a + of_b if not (letter in of_a and letter in of_b)]
    return np.einsum("".join([*of_a, ",", *of_b, "->", *kept]), a, b)


DERIVED: Mapping[Any, Function] = {
    np.mean: _mean,
    np.clip: _clip,
    np.min: _min,
    np.amin: _min,
    np.amax: lambda a, axis=None, *, keepdims=False: np.max(a, axis=axis, keepdims=keepdims),
    np.dot: _dot,
    np.inner: _inner,
    np.outer: _outer,
    np.tensordot: _tensordot,
}
DERIVED_OPERATIONS: Mapping[np.ufunc, Function] = {
    np.positive: lambda a: a.copy(),
    np.square: lambda a: a * a,
    np.minimum: _minimum,
    np.fmin: _minimum,
    np.fmax: lambda a, b: np.maximum(a, b),
}

COMPARISONS = (np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal)
LOGICAL = (np.logical_not, np.logical_and, np.logical_or, np.logical_xor)
BITWISE: Mapping[np.ufunc, np.ufunc] = {
    np.invert: np.logical_not,
    np.bitwise_and: np.logical_and,
    np.bitwise_or: np.logical_or,
    np.bitwise_xor: np.logical_xor,
}
"""What `~`, `&`, `|` and `^` mean between conditions."""
