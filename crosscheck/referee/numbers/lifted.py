"""What the array-like number types share: they look like an ndarray, and keep several arrays of the same shape inside.

A subclass says what each ufunc and function does to its parts; one that it says nothing of raises TypeError with its
name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin


class Lifted(NDArrayOperatorsMixin):
    """An array-like number type.

    Attributes:
        parts: arrays of one shape; the first has the values.
        operations, functions: what a ufunc, or a function that is none, does: from its arguments, all of this type, to
            its result. Set by the subclass.
    """

    __array_priority__ = 1000
    parts: tuple[Any, ...]
    operations: ClassVar[Mapping[np.ufunc, Callable[..., Any]]]
    functions: ClassVar[Mapping[Any, Callable[..., Any]]]

    def like(self, parts: tuple[Any, ...]) -> Self:
        """Return a number of the same kind with other parts."""
        raise NotImplementedError

    def lift(self, value: Any) -> Self:
        """Return exact numbers as this type; what is of this type already as it is."""
        raise NotImplementedError

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

    @property
    def T(self) -> Self:
        """A view with the axes reversed."""
        return self._each(lambda part: part.T)

    def reshape(self, *shape: Any) -> Self:
        """Return a view of another shape, as an ndarray would."""
        return self._each(lambda part: part.reshape(*shape))

    def copy(self) -> Self:
        """Return a copy."""
        return self._each(lambda part: part.copy())

    def sum(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Return the sum over an axis, or over all."""
        return np.sum(self, axis=axis, keepdims=keepdims)  # type: ignore[call-overload]

    def __len__(self) -> int:
        return len(self.parts[0])

    def __iter__(self) -> Iterator[Self]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Self:
        return self._each(lambda part: part[index])

    def __setitem__(self, index: Any, value: Any) -> None:
        for mine, theirs in zip(self.parts, self.lift(value).parts, strict=True):
            mine[index] = theirs

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        if method != "__call__" or kwargs or ufunc not in self.operations:
            details = ", ".join([method.strip("_"), *sorted(kwargs)])
            raise TypeError(f"{type(self).__name__} knows nothing of numpy.{ufunc.__name__} ({details})")
        with np.errstate(all="ignore"):  # what overflows is infinite, and is seen for that
            result = self.operations[ufunc](*(self.lift(value) for value in inputs))
        if out is None:
            return result
        out[0][...] = result
        return out[0]

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function not in self.functions:
            raise TypeError(f"{type(self).__name__} knows nothing of numpy.{function.__name__}")
        with np.errstate(all="ignore"):
            return self.functions[function](*args, **kwargs)

    def _each(self, of: Callable[[Any], Any]) -> Self:
        return self.like(tuple(map(of, self.parts)))
