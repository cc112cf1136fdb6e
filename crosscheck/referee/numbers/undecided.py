"""What is raised where rounding, or a ball, leaves open which way a program goes."""

from __future__ import annotations


class UndecidedError(ArithmeticError):
    """A comparison of numbers that may be either way round."""
