"""The methods of an ndarray that people call, each as NumPy's function of that name, for a type that has those."""

from __future__ import annotations

from typing import Any

import numpy as np


class Methods:
    """What an array-like type inherits; its functions do the work."""

    @property
    def T(self) -> Any:
        """A view with the axes reversed."""
        return self.transpose()

    def reshape(self, *shape: Any, order: Any = "C") -> Any:
        """Return a view of another shape, or a copy where an ndarray would."""
        return self._call(np.reshape, _listed(shape), order=order)

    def transpose(self, *axes: Any) -> Any:
        """Return a view with the axes in another order, reversed if none is given."""
        return self._call(np.transpose, _listed(axes) if axes and axes[0] is not None else None)

    def swapaxes(self, axis1: int, axis2: int) -> Any:
        """Return a view with two axes interchanged."""
        return self._call(np.swapaxes, axis1, axis2)

    def squeeze(self, axis: Any = None) -> Any:
        """Return a view without axes of length 1."""
        return self._call(np.squeeze, axis=axis)

    def ravel(self, order: Any = "C") -> Any:
        """Return a view, or a copy where an ndarray would, with one axis."""
        return self._call(np.ravel, order=order)

    def flatten(self, order: Any = "C") -> Any:
        """Return a copy with one axis."""
        return self.ravel(order).copy()

    def repeat(self, repeats: Any, axis: Any = None) -> Any:
        """Return a copy with elements repeated."""
        return self._call(np.repeat, repeats, axis=axis)

    def copy(self) -> Any:
        """Return a copy, in order of the rows, as an ndarray's method does and `np.copy` doesn't."""
        return self._call(np.copy, order="C")

    def fill(self, value: Any) -> None:
        """Set every element to a value."""
        self._call(np.copyto, value)

    def sum(self, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        """Return the sum over axes, or over all."""
        return self._call(np.sum, axis=axis, dtype=dtype, out=out, keepdims=keepdims)

    def mean(self, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        """Return the mean over axes, or over all."""
        return self._call(np.mean, axis=axis, dtype=dtype, out=out, keepdims=keepdims)

    def cumsum(self, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        """Return the sums of the elements up to each."""
        return self._call(np.cumsum, axis=axis, dtype=dtype, out=out)

    def max(self, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        """Return the largest element over axes, or over all."""
        return self._call(np.max, axis=axis, out=out, keepdims=keepdims)

    def min(self, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        """Return the smallest element over axes, or over all."""
        return self._call(np.min, axis=axis, out=out, keepdims=keepdims)

    def clip(self, min: Any = None, max: Any = None, out: Any = None) -> Any:
        """Return the elements, each within limits."""
        return self._call(np.clip, min, max, out=out)

    def dot(self, other: Any, out: Any = None) -> Any:
        """Return the product of two arrays as `np.dot` understands it."""
        return self._call(np.dot, other, out=out)

    def _call(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)


def _listed(sizes: tuple[Any, ...]) -> Any:
    """Return sizes that were given one by one, or as one list, as a tuple."""
    if len(sizes) == 1 and isinstance(sizes[0], tuple | list):
        return tuple(sizes[0])
    return sizes
