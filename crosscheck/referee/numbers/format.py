"""Floating-point formats, as error analysis sees them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """A binary floating-point format, and how programs compute in it.

    Attributes:
        precision: the bits of a significand, the hidden one included.
        smallest: the smallest normal number.
        inner: the precision inside one operation, such as a sum of products, of which only the result is stored in the
            format; 0 where that is the format's own.
        gradual: whether every program keeps subnormal numbers; else some flush them to zero.
    """

    precision: int
    smallest: float
    inner: int = 0
    gradual: bool = False

    @property
    def u(self) -> float:
        """The unit roundoff: half the distance from 1 to the next number."""
        return 2.0**-self.precision

    @property
    def u_inner(self) -> float:
        """The unit roundoff inside one operation."""
        return 2.0 ** -(self.inner or self.precision)

    @property
    def eta(self) -> float:
        """What an operation that underflows is off by at most."""
        return self.smallest * self.u if self.gradual else self.smallest

    @property
    def largest(self) -> float:
        """The largest number: IEEE 754's formats have as many powers of two above 1 as below."""
        return (2 - 2 * self.u) * (2 / self.smallest)


FORMATS = {
    "float64": Format(53, 2.0**-1022),
    "float32": Format(24, 2.0**-126),
    "bfloat16": Format(8, 2.0**-126, inner=24),
    "float16": Format(11, 2.0**-14, inner=24, gradual=True),
}
"""The formats by the names of torch's dtypes. In the short ones programs add in float32 and store the sum."""
