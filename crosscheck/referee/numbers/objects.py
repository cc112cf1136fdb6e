"""What the number types that live one by one in NumPy's object arrays share: the array around them.

NumPy runs an operation on an object array by asking each element for it: `+`, `*`, `tanh()` and so on. Two things it
leaves undone. A plain number that it puts among them (the 0 of `np.maximum(a, 0)`) has none of these methods; here it
becomes a number of the type. And an operation that the type doesn't know ends in an error whose words depend on how
NumPy implements it; here it is a TypeError that names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import numpy as np

from crosscheck.referee.numbers.floats import is_float_type


class Objects(np.ndarray[Any, np.dtype[np.object_]]):
    """An object array of numbers of one type.

    Attributes:
        number: the type of its elements; called with a plain number, it makes one. Set by the subclass.
        selecting: the ufuncs that return one of their operands as it is, with what is run in their place.
        computing: the ufuncs that the type has a faster way for, from plain arrays to a plain array.
    """

    number: ClassVar[type]
    selecting: ClassVar[Mapping[np.ufunc, np.ufunc]] = {
        ufunc: ufunc for ufunc in (np.maximum, np.minimum, np.fmax, np.fmin)
    }
    computing: ClassVar[Mapping[np.ufunc, Callable[..., Any]]] = {}

    @classmethod
    def of(cls, array: Any) -> Self:
        """Return a new array from an array of numbers, plain ones or of this type."""
        array = np.asarray(array)
        lifted = np.empty(array.shape, dtype=object)
        for index in np.ndindex(array.shape):
            element = array[index]
            lifted[index] = element if isinstance(element, cls.number) else cls.number(element)
        return lifted.view(cls)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        run = ufunc
        if ufunc in self.selecting:
            inputs, run = tuple(self.of(value) for value in inputs), self.selecting[ufunc]
        if ufunc in self.computing and method == "__call__" and not kwargs:
            return self._computed(self.computing[ufunc], inputs, out)
        if out is not None:
            kwargs["out"] = tuple(_plain(value) for value in out)
        try:
            result = getattr(run, method)(*(_plain(value) for value in inputs), **kwargs)
        except (TypeError, AttributeError) as error:
            raise TypeError(f"{self.number.__name__} knows nothing of numpy.{ufunc.__name__} ({error})") from error
        return out[0] if out is not None else self._lifted(result)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return self._lifted(super().__array_function__(function, types, args, kwargs))

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(index, _plain(self.of(value))[()])  # of a single number, the number itself

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the same numbers, whatever floating-point type is asked for; as another, what NumPy makes of them."""
        if is_float_type(dtype):
            return self.copy() if kwargs.get("copy", True) else self
        return super().astype(dtype, *args, **kwargs)

    def fill(self, value: Any) -> None:
        """Set every element to a value."""
        self[...] = value

    def _computed(self, of: Callable[..., Any], inputs: Any, out: Any) -> Any:
        result = of(*(np.asarray(_plain(value)) for value in inputs))
        if out is None:
            return self._lifted(result)
        out[0][...] = result
        return out[0]

    def _lifted(self, result: Any) -> Any:
        """Return what NumPy returned, object arrays as arrays of this type."""
        if isinstance(result, list | tuple):
            return type(result)(self._lifted(part) for part in result)
        if isinstance(result, np.ndarray) and result.dtype == object:
            if all(isinstance(element, self.number) or element is None for element in result.flat):
                return result.view(type(self))  # a view stays a view; None is what a new buffer holds
            return self.of(result)
        return result


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, Objects) else value
