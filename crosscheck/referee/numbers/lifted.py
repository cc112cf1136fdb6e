"""What the array-like number types share: they look like an ndarray, and keep several arrays of the same shape inside.

A subclass says what each ufunc and function does to its parts; one that it says nothing of raises TypeError with its
name. What only moves elements about does the same to every part: see `structure`. The methods are in `methods`.

A condition is a number like any other, 0 or 1, of which rounding may leave open which it is. As an index it chooses
elements where it is decided; an assignment goes through `np.where`, which knows what to do where it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from crosscheck.referee.numbers.floats import is_float_type, without_float_type
from crosscheck.referee.numbers.methods import Methods
from crosscheck.referee.numbers.undecided import UndecidedError


class Lifted(NDArrayOperatorsMixin, Methods):
    """An array-like number type.

    Attributes:
        parts: arrays of one shape; the first has the values.
        values: all the values that it stands for, in an array.
        operations, functions: what a ufunc, or a function that is none, does: from its arguments, for a ufunc all of
            this type, to its result. Set by the subclass.
    """

    __array_priority__ = 1000
    parts: tuple[Any, ...]
    values: Any
    operations: ClassVar[Mapping[np.ufunc, Callable[..., Any]]]
    functions: ClassVar[Mapping[Any, Callable[..., Any]]]

    def like(self, parts: tuple[Any, ...]) -> Self:
        """Return a number of the same kind with other parts."""
        raise NotImplementedError

    def lift(self, value: Any) -> Self:
        """Return exact numbers as this type; what is of this type already as it is."""
        raise NotImplementedError

    def zeros(self, shape: tuple[int, ...]) -> Self:
        """Return a new array of the same kind, of exact zeros."""
        raise NotImplementedError

    def truth(self) -> tuple[Any, Any]:
        """Return which elements are not zero, and where that is decided, as arrays of booleans."""
        raise NotImplementedError

    def each(self, of: Callable[..., Any], *others: Self) -> Any:
        """Return what a function that moves elements about, and computes nothing, makes of all parts alike.

        Args:
            of: from the same part of this number and of the others to an array, or to a list of arrays.
            others: its further operands.
        """
        results = [of(*parts) for parts in zip(self.parts, *(other.parts for other in others), strict=True)]
        if isinstance(results[0], list | tuple):
            return [self.like(parts) for parts in zip(*results, strict=True)]
        return self.like(tuple(results))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, as an ndarray's."""
        return tuple(self.parts[0].shape)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(self.parts[0].size)

    @property
    def dtype(self) -> Any:
        """The type of the values."""
        return self.parts[0].dtype

    def astype(self, dtype: Any, copy: bool = True) -> Self:
        """Return the same numbers; as a type that is not a floating-point one, only conditions."""
        if not is_float_type(dtype):
            self.require_conditions()
        return self.copy() if copy else self

    def require_conditions(self) -> None:
        """Raise TypeError unless all elements are 0 or 1, as those of a comparison."""
        if not np.all((self.values == 0) | (self.values == 1)):
            raise TypeError(f"this {type(self).__name__} is no condition: its values are not all 0 or 1")

    def decided(self) -> Any:
        """Return which elements are not zero.

        Raises:
            UndecidedError: of some it is not known.
        """
        truth, decided = self.truth()
        if not np.all(decided):
            raise UndecidedError(f"rounding decides {np.sum(~decided)} of {decided.size} conditions")
        return truth

    def shares_memory(self, other: Self) -> bool:
        """Say whether all parts are views of the same memory as another's."""
        return all(np.may_share_memory(mine, theirs) for mine, theirs in zip(self.parts, other.parts, strict=True))

    def __len__(self) -> int:
        return len(self.parts[0])

    def __bool__(self) -> bool:
        return bool(self.decided())

    def __iter__(self) -> Iterator[Self]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Self:
        return self._get(_plain(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, Lifted) and not np.all(index.truth()[1]):
            condition = index.reshape(*index.shape, *(1,) * (self.ndim - index.ndim))
            self._set(..., np.where(condition, value, self))
        else:
            self._set(_plain(index), value)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise TypeError(f"{type(self).__name__} does not become an array of plain numbers")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        of: Callable[..., Any] | None = None
        if method == "__call__" and not without_float_type(kwargs):
            of, kwargs = self.operations.get(ufunc), {}
        elif method == "reduce" and ufunc in REDUCTIONS:
            of = self.functions.get(REDUCTIONS[ufunc])
            kwargs = {"axis": 0} | without_float_type(kwargs)
        if of is None:
            details = ", ".join([method.strip("_"), *sorted(kwargs)])
            raise TypeError(f"{type(self).__name__} knows nothing of numpy.{ufunc.__name__} ({details})")
        operands = (self.lift(value) for value in inputs)
        return self._run(ufunc, of, operands, kwargs, None if out is None else out[0])

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function not in self.functions:
            raise TypeError(f"{type(self).__name__} knows nothing of numpy.{function.__name__}")
        options = {name: value for name, value in without_float_type(kwargs).items() if name != "out"}
        return self._run(function, self.functions[function], args, options, kwargs.get("out"))

    def _run(self, named: Any, of: Callable[..., Any], args: Any, options: Mapping[str, Any], out: Any) -> Any:
        """Return the result of an operation; in `out`, if there is one."""
        try:
            with np.errstate(all="ignore"):  # what overflows is infinite, and is seen for that
                result = of(*args, **options)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__} knows nothing of numpy.{named.__name__} ({error})") from error
        if out is None or (isinstance(out, Lifted) and not out.shape and isinstance(out.parts[0], np.generic)):
            return result  # as NumPy's scalars, which `total += x` doesn't change but replaces
        out[...] = result
        return out

    def _get(self, index: Any) -> Self:
        return self.like(tuple(part[index] for part in self.parts))

    def _set(self, index: Any, value: Any) -> None:
        for mine, theirs in zip(self.parts, self.lift(value).parts, strict=True):
            mine[index] = theirs


REDUCTIONS: Mapping[np.ufunc, Any] = {np.add: np.sum, np.maximum: np.max, np.minimum: np.min}
"""The functions that reduce by a ufunc."""


def _plain(index: Any) -> Any:
    """Return an index with its conditions as arrays of booleans."""
    if isinstance(index, tuple):
        return tuple(map(_plain, index))
    return index.decided() if isinstance(index, Lifted) else index
