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
        parts: the samples, each an array of one shape, float64.
        format: the format whose rounding is imitated.
        rng: where the noise comes from.
    """

    def __init__(self, parts: tuple[Any, ...], format: Format, rng: np.random.Generator) -> None:
        self.parts, self.format, self.rng = parts, format, rng

    def like(self, parts: tuple[Any, ...]) -> Noisy:
        """Return a number of the same format with other samples."""
        return Noisy(parts, self.format, self.rng)

    def lift(self, value: Any) -> Noisy:
        """Return exact numbers, the same in every sample."""
        if isinstance(value, Noisy):
            return value
        return self.like((np.asarray(value, dtype=np.float64),) * len(self.parts))

    def rounded(self, results: tuple[Any, ...], sizes: tuple[Any, ...]) -> Noisy:
        """Return results with noise of u times the sizes."""
        u = self.format.u
        return self.like(
            tuple(
                result + u * size * self.rng.standard_normal(np.shape(result))
                for result, size in zip(results, sizes, strict=True)
            )
        )


def noisy(value: Any, format: Format, rng: np.random.Generator, samples: int = SAMPLES) -> Noisy:
    """Return exact numbers as `Noisy`, each sample an array of its own."""
    return Noisy(tuple(np.array(value, dtype=np.float64) for _ in range(samples)), format, rng)


def deviation(number: Noisy, center: Any) -> Any:
    """Return the root mean square deviation of the samples from `center`, element by element."""
    with np.errstate(all="ignore"):  # what overflows is infinite, or NaN, and is seen for that
        return np.sqrt(sum((part - center) ** 2 for part in number.parts) / len(number.parts))


Sized = Callable[..., tuple[Any, Any]]


def _operation(of: Sized) -> Callable[..., Noisy]:
    """Return the operation on `Noisy` of one that maps samples to a result and the size of its rounding, in u."""

    def apply(*operands: Noisy, **options: Any) -> Noisy:
        pairs = [of(*samples, **options) for samples in zip(*(operand.parts for operand in operands), strict=True)]
        results, sizes = zip(*pairs, strict=True)
        return operands[0].rounded(results, sizes)

    return apply


def _exact(of: Callable[..., Any]) -> Callable[..., Noisy]:
    """Return the operation on `Noisy` of one that does not round."""

    def apply(*operands: Noisy, **options: Any) -> Noisy:
        samples = zip(*(operand.parts for operand in operands), strict=True)
        return operands[0].like(tuple(of(*sample, **options) for sample in samples))

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


def _matmul(a: Any, b: Any) -> tuple[Any, Any]:
    return a @ b, np.sqrt(a.shape[-1]) * (np.abs(a) @ np.abs(b))


def _sum(a: Any, axis: Any = None, keepdims: bool = False) -> tuple[Any, Any]:
    result = np.sum(a, axis=axis, keepdims=keepdims)
    terms = a.size / max(1, np.size(result))
    return result, np.sqrt(terms) * np.sum(np.abs(a), axis=axis, keepdims=keepdims)


def _empty_like(prototype: Noisy, shape: tuple[int, ...] | None = None) -> Noisy:
    zeros = np.zeros(prototype.shape if shape is None else shape)
    return prototype.like(tuple(zeros.copy() for _ in prototype.parts))


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
    np.max: _exact(np.max),
}
