"""A number type that rounds at random: sampled rounding, for where the worst case says nothing.

A `Noisy` array holds N samples of what a program might compute. Every operation adds to each sample, element by
element, Gaussian noise of the size of its own rounding error; so the spread of the results shows how rounding spreads
through this very computation, cancellations included, with no worst case piled on worst case.

    a sum of n terms      sqrt(n) u sum |terms|; in einsum, of products of m factors, sqrt(n + m - 2) u sum |products|
    a product, quotient   u |result|; also a square root, a^2, a^0.5
    tanh, exp, log, ...   2 u |result|; also the other powers
    max, comparison       none; nor has a sign, an absolute value, a choice, and what only moves elements

A sum up to each element is a sum for each; a mean is a sum, and then a quotient.

In a short format, whose sums are formed in a longer one of unit roundoff u_inner, u becomes u_inner in all of these,
and what is stored is rounded once more: by u |result| at least, or eta where that is larger. Long sums, the gradients
of parameters, are accumulated in storage by some programs, step by step. So with `Pieces`, a sum of more terms than any
product of one step has is stored, and rounded, after each piece: by u sqrt(sum of the partial sums' squares).

sqrt(n) is how n independent rounding errors add up (Higham & Mary, "A new approach to probabilistic rounding error
analysis", SIAM J. Sci. Comput. 41, 2019). Reference for the method: Parker, "Monte Carlo Arithmetic", UCLA CSD-970002
(1997).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from crosscheck.referee.numbers.format import Format
from crosscheck.referee.numbers.lifted import Lifted
from crosscheck.referee.numbers.structure import (
    BITWISE,
    COMPARISONS,
    DERIVED,
    DERIVED_OPERATIONS,
    LOGICAL,
    STRUCTURE,
    first_lifted,
    lifting,
    of_conditions,
    reduction,
)
from crosscheck.referee.numbers.subscripts import distinct, spelled_out

SAMPLES = 16
ELEMENTARY = (np.tanh, np.exp, np.expm1, np.log, np.log1p, np.sinh, np.cosh)


@dataclass(frozen=True)
class Pieces:
    """How long sums are accumulated in storage.

    Attributes:
        longest: the most terms of a sum that is stored once.
        size: the terms of a piece, after each of which a longer sum is stored.
    """

    longest: int
    size: int


class Noisy(Lifted):
    """An array of numbers in N samples.

    Attributes:
        samples: an array with one axis more than the number has, the last, of length N: so NumPy's rules for shapes
            hold for the axes before it as they stand.
        format: the format whose rounding is imitated.
        rng: where the noise comes from.
        pieces: how long sums are accumulated; None if each is stored once.
    """

    def __init__(self, samples: Any, format: Format, rng: np.random.Generator, pieces: Pieces | None = None) -> None:
        self.samples, self.format, self.rng, self.pieces = samples, format, rng, pieces

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

    def each(self, of: Callable[..., Any], *others: Noisy) -> Any:
        """Return what a function that moves elements about makes of each sample; a view, where it is one of a sample.

        The samples lie at equal distances in memory; so a view of the first says where those of the others are.
        """
        count = max(number.samples.shape[-1] for number in (self, *others))
        samples = [_of_samples(number.samples, count) for number in (self, *others)]
        first = of(*(array[..., 0] for array in samples))
        if isinstance(first, list | tuple):
            return [self.each(lambda *parts, k=k: of(*parts)[k], *others) for k in range(len(first))]
        if np.may_share_memory(first, samples[0]):
            strides = (*first.strides, samples[0].strides[-1])
            return self.like(as_strided(first, (*first.shape, count), strides))
        rest = [of(*(array[..., k] for array in samples)) for k in range(1, count)]
        return self.like(np.stack([first, *rest], axis=-1))

    def copy(self) -> Noisy:
        """Return a copy."""
        return self.like(self.samples.copy())

    def zeros(self, shape: tuple[int, ...]) -> Noisy:
        """Return a new array of as many samples, of exact zeros."""
        return self.like(np.zeros((*shape, self.samples.shape[-1])))

    def truth(self) -> tuple[Any, Any]:
        """Return which elements are not zero, and where all samples agree in that, as arrays of booleans."""
        truths = self.samples != 0
        return truths[..., 0], np.all(truths == truths[..., :1], axis=-1)

    @property
    def values(self) -> Any:
        """The samples."""
        return self.samples

    def shares_memory(self, other: Noisy) -> bool:
        """Say whether it is a view of the same memory as another."""
        return bool(np.may_share_memory(self.samples, other.samples))

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of an array without axes")
        return self.shape[0]

    def _get(self, index: Any) -> Noisy:
        found = self.samples[_whole(index)]
        # of a single element, NumPy returns no view
        return self.like(found.copy() if found.ndim == 1 and index is not Ellipsis else found)

    def _set(self, index: Any, value: Any) -> None:
        self.samples[_whole(index)] = self.lift(value).samples

    def like(self, samples: Any) -> Noisy:
        """Return a number of the same format with other samples."""
        return Noisy(samples, self.format, self.rng, self.pieces)

    def lift(self, value: Any) -> Noisy:
        """Return exact numbers, the same in every sample."""
        if isinstance(value, Noisy):
            return value
        return self.like(np.asarray(value, dtype=np.float64)[..., None])

    def rounded(self, result: Any, size: Any, stored: Any = None) -> Noisy:
        """Return a result with the noise of its rounding.

        Args:
            result: the samples of an operation's result.
            size: how large the noise is inside the operation, in units of u_inner.
            stored: how large that of storing is, in units of u; |result| if None.
        """
        noise = self.rng.standard_normal(np.shape(result), dtype=np.float32)  # its own rounding is no matter
        format = self.format
        inner = format.u_inner * size
        if format.inner:
            storing = format.u * (np.abs(result) if stored is None else stored)
            inner = np.maximum(inner, np.where(size > 0, np.maximum(storing, format.eta), 0))
        return self.like(result + inner * noise)


def _of_samples(samples: Any, count: int) -> Any:
    """Return samples so many in number, where there may be one that stands for all."""
    return samples if samples.shape[-1] == count else np.broadcast_to(samples, (*samples.shape[:-1], count))


def _whole(index: Any) -> Any:
    """Return an index that takes all samples: where it counts from the last axis, that is now the last but one."""
    index = index if isinstance(index, tuple) else (index,)
    return (*index, slice(None)) if any(entry is Ellipsis for entry in index) else index


def noisy(
    value: Any, format: Format, rng: np.random.Generator, samples: int = SAMPLES, pieces: Pieces | None = None
) -> Noisy:
    """Return exact numbers as `Noisy`; what is `Noisy` already is returned as it is."""
    if isinstance(value, Noisy):
        return value
    return Noisy(np.repeat(np.asarray(value, dtype=np.float64)[..., None], samples, axis=-1), format, rng, pieces)


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


def _summing(of: Sized) -> Callable[..., Noisy]:
    """Return the operation on `Noisy` of one that is also told how long sums are accumulated."""

    def apply(*operands: Noisy, **options: Any) -> Noisy:
        pieces = operands[0].pieces
        return operands[0].rounded(*of(*(operand.samples for operand in operands), pieces=pieces, **options))

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


def _matmul(a: Any, b: Any, pieces: Pieces | None) -> tuple[Any, ...]:
    if a.ndim == 2:  # a vector times, which NumPy takes for a row
        return tuple(part[0] for part in _matmul(a[None], b, pieces))
    if b.ndim == 2:  # times a vector, for a column
        return tuple(part[..., 0, :] for part in _matmul(a, b[:, None], pieces))
    a, b = np.moveaxis(a, -1, 0), np.moveaxis(b, -1, 0)
    n = a.shape[-1]
    result, size = a @ b, np.sqrt(n) * (np.abs(a) @ np.abs(b))
    stored = _stored([a[..., k] @ b[..., k, :] for k in _cut(n, pieces)], result)
    return tuple(np.moveaxis(part, 0, -1) for part in (result, size, stored))


def _cut(n: int, pieces: Pieces | None) -> list[slice]:
    """Return the pieces of n terms, the last first, as backpropagation comes upon them; none if there is one alone."""
    if pieces is None or n <= pieces.longest:
        return []
    return [slice(max(0, end - pieces.size), end) for end in range(n, 0, -pieces.size)]


def _stored(parts: list[Any], result: Any) -> Any:
    """Return the root of the sum of the squares of the partial sums; |result| where there are no parts."""
    if not parts:
        return np.abs(result)
    partial, squares = 0, 0
    for part in parts:
        partial = partial + part
        squares = squares + partial * partial
    return np.sqrt(squares)


def _sum(a: Any, axis: Any = None, keepdims: bool = False, *, pieces: Pieces | None) -> tuple[Any, ...]:
    axes = _axes(a, axis)
    result = np.sum(a, axis=axes, keepdims=keepdims)
    terms = a.size // max(1, np.size(result))
    size = np.sqrt(terms) * np.sum(np.abs(a), axis=axes, keepdims=keepdims)
    flat = np.moveaxis(a, axes, range(len(axes))).reshape(terms, -1)
    parts = [flat[k].sum(axis=0).reshape(result.shape) for k in _cut(terms, pieces)]
    return result, size, _stored(parts, result)


def _max(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.max(a, axis=_axes(a, axis), keepdims=keepdims)


def _condition(of: np.ufunc) -> Callable[..., Any]:
    return lambda *operands: of(*operands) * 1.0


def _axes(a: Any, axis: Any) -> tuple[int, ...]:
    """Return axes of the number, all of them if None, as axes of its samples."""
    count = a.ndim - 1
    if axis is None:
        return tuple(range(count))
    return tuple(one % count for one in (axis if isinstance(axis, tuple) else (axis,)))


def _power(a: Any, exponent: Any) -> tuple[Any, Any]:
    result = a**exponent
    simple, exact = (exponent == 2) | (exponent == 0.5), (exponent == 0) | (exponent == 1)
    return result, np.where(exact, 0, np.where(simple, 1, 2)) * np.abs(result)


def _cumsum(a: Any, axis: Any = None) -> tuple[Any, Any]:
    if axis is None:
        return _cumsum(a.reshape(-1, a.shape[-1]), axis=0)
    (axis,) = _axes(a, axis)
    terms = np.arange(1.0, a.shape[axis] + 1).reshape(-1, *(1,) * (a.ndim - 1 - axis))
    return np.cumsum(a, axis=axis), np.sqrt(terms) * np.cumsum(np.abs(a), axis=axis)


def _einsum(text: str, *operands: Any, optimize: Any = False) -> Noisy:  # noqa: ARG001 - of the order nothing depends
    one = first_lifted(operands)
    numbers = [one.lift(operand) for operand in operands]
    subscripts, numbers = distinct(spelled_out(text, [number.ndim for number in numbers]), numbers)
    axes = subscripts.summed_axes()
    if len(numbers) == 1:
        summed = np.sum(numbers[0], axis=axes[0]) if axes[0] else numbers[0]
        kept: Noisy = summed.each(lambda part: np.einsum(str(subscripts.kept()), part).copy())
        return kept
    roundings = subscripts.terms([number.shape for number in numbers]) + len(numbers) - 2
    whole, samples = str(subscripts.with_one_more()), [number.samples for number in numbers]
    size = np.sqrt(roundings) * np.einsum(whole, *map(np.abs, samples))
    result: Noisy = one.rounded(np.einsum(whole, *samples), size)
    return result


Noisy.operations = {
    **DERIVED_OPERATIONS,
    np.add: _operation(_add),
    np.subtract: _operation(_subtract),
    np.multiply: _operation(_sized(np.multiply, 1)),
    np.matmul: _summing(_matmul),
    np.divide: _operation(_sized(np.divide, 1)),
    np.reciprocal: _operation(_sized(np.reciprocal, 1)),
    np.sqrt: _operation(_sized(np.sqrt, 1)),
    np.power: _operation(_power),
    np.float_power: _operation(_power),
    **{ufunc: _operation(_sized(ufunc, 2)) for ufunc in ELEMENTARY},
    **{ufunc: _exact(ufunc) for ufunc in (np.negative, np.absolute, np.fabs, np.sign, np.maximum)},
    **{ufunc: _exact(_condition(ufunc)) for ufunc in (*COMPARISONS, *LOGICAL)},
    **{ufunc: of_conditions(_exact(_condition(of_truths))) for ufunc, of_truths in BITWISE.items()},
}
Noisy.functions = {
    **STRUCTURE,
    **DERIVED,
    np.sum: reduction(_summing(_sum)),
    np.max: reduction(_exact(_max)),
    np.cumsum: _operation(_cumsum),
    np.where: lifting(_exact(lambda condition, a, b: np.where(condition != 0, a, b))),
    np.einsum: _einsum,
}
