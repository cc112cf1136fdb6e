"""A number type that rounds at random: sampled rounding, for where the worst case says nothing.

A `Noisy` array holds N samples of what a program might compute. Every operation adds to each sample, element by
element, Gaussian noise of the size of its own rounding error; so the spread of the results shows how rounding spreads
through this very computation, cancellations included, with no worst case piled on worst case.

    a sum of n terms      sqrt(n) u sum |terms|
    a product, quotient   u |result|
    tanh, exp, log        2 u |result|
    max, comparison       none

sqrt(n) is how n independent rounding errors add up (Higham & Mary, "A new approach to probabilistic rounding error
analysis", SIAM J. Sci. Comput. 41, 2019). Reference for the method: Parker, "Monte Carlo Arithmetic", UCLA CSD-970002
(1997).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from crosscheck.referee.numbers.format import Format
from crosscheck.referee.numbers.lifted import Lifted

SAMPLES = 16


class Noisy(Lifted):
    """An array of numbers in N samples.

    Attributes:
        samples: an array with one axis more than the number has, the last, of length N: so NumPy's rules for shapes
            hold for the axes before it as they stand.
        format: the format whose rounding is imitated.
        rng: where the noise comes from.
    """

    def __init__(self, samples: Any, format: Format, rng: np.random.Generator) -> None:
        self.samples, self.format, self.rng = samples, format, rng

    @property
    def parts(self) -> tuple[Any, ...]:  # type: ignore[override]
        """The samples one by one, as views."""
        return tuple(np.moveaxis(self.samples, -1, 0))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, as an ndarray's."""
        return tuple(self.samples.shape[:-1])

    @property
    def T(self) -> Noisy:
        """A view with the axes reversed."""
        axes = range(self.ndim)
        return self.like(self.samples.transpose(*reversed(axes), self.ndim))

    def reshape(self, *shape: Any) -> Noisy:
        """Return a view of another shape, as an ndarray would."""
        sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
        return self.like(self.samples.reshape(*sizes, self.samples.shape[-1]))

    def copy(self) -> Noisy:
        """Return a copy."""
        return self.like(self.samples.copy())

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Noisy:
        return self.like(self.samples[_whole(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        self.samples[_whole(index)] = self.lift(value).samples

    def like(self, samples: Any) -> Noisy:
        """Return a number of the same format with other samples."""
        return Noisy(samples, self.format, self.rng)

    def lift(self, value: Any) -> Noisy:
        """Return exact numbers, the same in every sample."""
        if isinstance(value, Noisy):
            return value
        return self.like(np.asarray(value, dtype=np.float64)[..., None])

    def rounded(self, result: Any, size: Any) -> Noisy:
        """Return a result with noise of u times the size."""
        noise = self.rng.standard_normal(np.shape(result), dtype=np.float32)  # its own rounding is no matter
        return self.like(result + self.format.u * size * noise)


def _whole(index: Any) -> Any:
    """Return an index that takes all samples: where it counts from the last axis, that is now the last but one."""
    index = index if isinstance(index, tuple) else (index,)
    return (*index, slice(None)) if any(entry is Ellipsis for entry in index) else index


def noisy(value: Any, format: Format, rng: np.random.Generator, samples: int = SAMPLES) -> Noisy:
    """Return exact numbers as `Noisy`."""
    return Noisy(np.repeat(np.asarray(value, dtype=np.float64)[..., None], samples, axis=-1), format, rng)


def deviation(number: Noisy, center: Any) -> Any:
    """Return the root mean square deviation of the samples from `center`, element by element."""
    with np.errstate(all="ignore"):  # what overflows is infinite, or NaN, and is seen for that
        return np.sqrt(np.mean((number.samples - np.asarray(center)[..., None]) ** 2, axis=-1))


Sized = Callable[..., tuple[Any, ...]]


def _operation(of: Sized) -> Callable[..., Noisy]:
    """Return the operation on `Noisy` of one that maps samples to a result and the size of its rounding, in u."""

    def apply(*operands: Noisy, **options: Any) -> Noisy:
        return operands[0].rounded(*of(*(operand.samples for operand in operands), **options))

    return apply


def _exact(of: Callable[..., Any]) -> Callable[..., Noisy]:
    """Return the operation on `Noisy` of one that does not round."""

    def apply(*operands: Noisy, **options: Any) -> Noisy:
        return operands[0].like(of(*(operand.samples for operand in operands), **options))

    return apply


def _sized(of: Callable[..., Any], roundings: float) -> Sized:
    def apply(*operands: Any) -> tuple[Any, Any]:
        result = of(*operands)
        return result, roundings * np.abs(result)

    return apply


def _add(a: Any, b: Any) -> tuple[Any, Any]:
    return a + b, np.abs(a) + np.abs(b)


def _subtract(a: Any, b: Any) -> tuple[Any, Any]:
    return a - b, np.abs(a) + np.abs(b)


def _matmul(a: Any, b: Any) -> tuple[Any, ...]:
    if a.ndim == 2:  # a vector times, which NumPy takes for a row
        return tuple(part[0] for part in _matmul(a[None], b))
    if b.ndim == 2:  # times a vector, for a column
        return tuple(part[..., 0, :] for part in _matmul(a, b[:, None]))
    a, b = np.moveaxis(a, -1, 0), np.moveaxis(b, -1, 0)
    size = np.sqrt(a.shape[-1]) * (np.abs(a) @ np.abs(b))
    return np.moveaxis(a @ b, 0, -1), np.moveaxis(size, 0, -1)


def _sum(a: Any, axis: Any = None, keepdims: bool = False) -> tuple[Any, Any]:
    axes = _axes(a, axis)
    result = np.sum(a, axis=axes, keepdims=keepdims)
    terms = a.size / max(1, np.size(result))
    return result, np.sqrt(terms) * np.sum(np.abs(a), axis=axes, keepdims=keepdims)


def _max(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.max(a, axis=_axes(a, axis), keepdims=keepdims)


def _axes(a: Any, axis: Any) -> tuple[int, ...]:
    """Return axes of the number, all of them if None, as axes of its samples."""
    count = a.ndim - 1
    if axis is None:
        return tuple(range(count))
    return tuple(one % count for one in (axis if isinstance(axis, tuple) else (axis,)))


def _empty_like(prototype: Noisy, shape: tuple[int, ...] | None = None) -> Noisy:
    sizes = prototype.shape if shape is None else shape
    return prototype.like(np.zeros((*sizes, prototype.samples.shape[-1])))


Noisy.operations = {
    np.add: _operation(_add),
    np.subtract: _operation(_subtract),
    np.negative: _exact(np.negative),
    np.multiply: _operation(_sized(np.multiply, 1)),
    np.matmul: _operation(_matmul),
    np.divide: _operation(_sized(np.divide, 1)),
    np.reciprocal: _operation(_sized(np.reciprocal, 1)),
    np.tanh: _operation(_sized(np.tanh, 2)),
    np.exp: _operation(_sized(np.exp, 2)),
    np.log: _operation(_sized(np.log, 2)),
    np.maximum: _exact(np.maximum),
    np.greater: _exact(lambda a, b: (a > b) * 1.0),
}
Noisy.functions = {
    np.empty_like: _empty_like,
    np.zeros_like: _empty_like,
    np.sum: _operation(_sum),
    np.max: _exact(_max),
}
