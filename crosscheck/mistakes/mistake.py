"""What a known mistake is: a line that people get wrong, and the change that plants it in the hand-written network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crosscheck.referee.patched import Patch

RNN = ("rnn_tanh", "rnn_relu")
EVERY_CELL = (*RNN, "lstm", "gru")


@dataclass(frozen=True)
class Mistake:
    """A mistake that somebody made, or that is easily made.

    Attributes:
        name: what it is called, the cell or the part first: "rnn.carry-dropped".
        family: "F1" to "F16"; see the files of this folder.
        says: what is wrong, in words that follow "because": "the gradient is not carried to the previous step".
        right, wrong: the line as it should be and as it was written, in the notation of the cells' equations.
        belief: why somebody writes it so.
        source: where it was published; empty if nowhere that we know.
        patches: what plants it in the hand-written network.
        options: what has to be drawn for it to show; see `crosscheck.strategies.supports`.
        case: the line of the smallest case that shows it.
        tensors: what is wrong there, perhaps among others.
        hidden_by: options, one or more sets, under which it cannot show.
    """

    name: str
    family: str
    says: str
    right: str
    wrong: str
    belief: str
    source: str
    patches: tuple[Patch, ...]
    options: Mapping[str, Any]
    case: str
    tensors: tuple[str, ...]
    hidden_by: tuple[Mapping[str, Any], ...] = ()

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells that it may be made in."""
        cell = self.options["cell"]
        return (cell,) if isinstance(cell, str) else tuple(cell)
