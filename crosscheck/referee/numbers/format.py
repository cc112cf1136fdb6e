"""Floating-point formats, as error analysis sees them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """A binary floating-point format.

    Attributes:
        precision: the bits of a significand, the hidden one included.
        smallest: the smallest normal number, eta: an operation that underflows is off by less than this, also where
            subnormal numbers are flushed to zero.
    """

    precision: int
    smallest: float

    @property
    def u(self) -> float:
        """The unit roundoff: half the distance from 1 to the next number."""
        return 2.0**-self.precision

    @property
    def largest(self) -> float:
        """The largest number: IEEE 754's formats have as many powers of two above 1 as below."""
        return (2 - 2 * self.u) * (2 / self.smallest)


FORMATS = {"float64": Format(53, 2.0**-1022), "float32": Format(24, 2.0**-126)}
"""The formats of IEEE 754 by the names of NumPy's dtypes."""
