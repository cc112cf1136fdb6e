"""The subscripts of `einsum`, spelled out: every axis has its letter, and so has every axis of the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from string import ascii_letters
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Subscripts:
    """Which axes are multiplied and summed.

    Attributes:
        operands: each operand's letters, one an axis.
        result: the result's letters. The others are summed over.
    """

    operands: tuple[str, ...]
    result: str

    def __str__(self) -> str:
        return f"{','.join(self.operands)}->{self.result}"

    def terms(self, shapes: Sequence[tuple[int, ...]]) -> int:
        """Return how many products make one element of the result, for operands of such shapes."""
        sizes: dict[str, int] = {}
        for letters, shape in zip(self.operands, shapes, strict=True):
            for letter, size in zip(letters, shape, strict=True):
                sizes[letter] = size if sizes.get(letter, 1) == 1 else sizes[letter]  # of length 1, it is repeated
        return prod(size for letter, size in sizes.items() if letter not in self.result)

    def kept(self) -> Subscripts:
        """Return those of the operands without the axes that are summed over."""
        operands = ("".join(letter for letter in letters if letter in self.result) for letters in self.operands)
        return Subscripts(tuple(operands), self.result)

    def summed_axes(self) -> list[tuple[int, ...]]:
        """Return the axes of each operand that are summed over."""
        return [
            tuple(axis for axis, letter in enumerate(letters) if letter not in self.result) for letters in self.operands
        ]

    def with_one_more(self) -> Subscripts:
        """Return those for operands with one axis more, the last of each, which they and the result share."""
        letter = next(_unused("".join(self.operands)))
        return Subscripts(tuple(letters + letter for letters in self.operands), self.result + letter)


def spelled_out(text: Any, dimensions: Sequence[int]) -> Subscripts:
    """Return the subscripts that a text stands for.

    Args:
        text: such as "ij,jk->ik", "ij,jk" or "...i,ij->...j".
        dimensions: how many axes each operand has.
    """
    if not isinstance(text, str):
        raise TypeError("subscripts that are no text")
    inputs, arrow, output = text.replace(" ", "").partition("->")
    letters = inputs.split(",")
    new = list(_unused(text))
    widths = [
        count - len(one.replace("...", "")) if "..." in one else 0
        for one, count in zip(letters, dimensions, strict=True)
    ]
    dots = [
        one.replace("...", "".join(new[max(widths) - width : max(widths)]))
        for one, width in zip(letters, widths, strict=True)
    ]
    spread = "".join(new[: max(widths)])
    if not arrow:
        once = sorted(letter for letter in set(inputs) - set(".,") if inputs.count(letter) == 1)
        output = "..." + "".join(once)
    return Subscripts(tuple(dots), output.replace("...", spread))


def _unused(text: str) -> Any:
    return (letter for letter in reversed(ascii_letters) if letter not in text)


def distinct(subscripts: Subscripts, numbers: Sequence[Any]) -> tuple[Subscripts, list[Any]]:
    """Return subscripts and lifted numbers without a letter that is twice in an operand: the diagonal is taken."""
    once = tuple("".join(dict.fromkeys(letters)) for letters in subscripts.operands)
    diagonals = [
        number if letters == left else number.each(lambda part, one=f"{letters}->{left}": np.einsum(one, part))
        for number, letters, left in zip(numbers, subscripts.operands, once, strict=True)
    ]
    return Subscripts(once, subscripts.result), diagonals
