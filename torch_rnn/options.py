"""The options of the cells: which cell has which, and the cell that they make."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from typing import TypeGuard

import torch

from torch_rnn.cells.augru import augru
from torch_rnn.cells.augru_reset_before import augru_reset_before
from torch_rnn.cells.cell import Cell
from torch_rnn.cells.elman_clipped import elman_clipped
from torch_rnn.cells.lstm_variant import lstm_variant
from torch_rnn.cells.projection import projection
from torch_rnn.checks import check_size
from torch_rnn.errors import ArgumentError


@dataclass(frozen=True)
class Options:
    """The options of a cell; the defaults are the plain cell.

    Attributes:
        peephole: whether the gates of an LSTM see c.
        coupled: whether the forget gate of an LSTM is 1 - i.
        forget_bias: what is added to the pre-activation of an LSTM's forget gate.
        clip: where pre-activations are cut off, on either side; nowhere if None.
        proj_size: P, the width that the hidden state of an LSTM is projected to; 0 for no projection.
        attention: whether a GRU is given attention.
    """

    peephole: bool = False
    coupled: bool = False
    forget_bias: float = 0.0
    clip: float | None = None
    proj_size: int = 0
    attention: bool = False


def _elman(f: Callable[[torch.Tensor], torch.Tensor], options: Options) -> Cell:
    return elman_clipped(f, options.clip)


def _lstm(options: Options) -> Cell:
    cell = lstm_variant(options.coupled, options.forget_bias, options.clip)
    return projection(cell) if options.proj_size else cell


def _gru(cell: Callable[[float | None], Cell], options: Options) -> Cell:
    return cell(options.clip)


VARIANTS: dict[str, Callable[[Options], Cell]] = {
    "rnn_tanh": partial(_elman, torch.tanh),
    "rnn_relu": partial(_elman, torch.relu),
    "lstm": _lstm,
    "gru": partial(_gru, augru),
    "gru_reset_before": partial(_gru, augru_reset_before),
}
"""The cell with options, by the name of the plain one."""

APPLIES: dict[str, tuple[str, ...]] = {
    "rnn_tanh": ("clip",),
    "rnn_relu": ("clip",),
    "lstm": ("peephole", "coupled", "forget_bias", "clip", "proj_size"),
    "gru": ("clip", "attention"),
    "gru_reset_before": ("clip", "attention"),
}
"""The options that a cell has."""


def check_options(cell: str, options: Options) -> None:
    """Check the options of a cell in `APPLIES`.

    Raises:
        ArgumentError: the cell has no such option, the gate that it is for is missing, or its value is none.
    """
    for field in fields(options):
        value = getattr(options, field.name)
        if value != field.default and field.name not in APPLIES[cell]:
            raise ArgumentError(field.name, repr(value), f"{field.default!r}: {cell} has no such option")
    check_flag("peephole", options.peephole)
    check_flag("coupled", options.coupled)
    check_flag("attention", options.attention)
    if not _is_number(options.forget_bias):
        raise ArgumentError("forget_bias", repr(options.forget_bias), "a finite number")
    if options.coupled and options.forget_bias:
        raise ArgumentError("forget_bias", options.forget_bias, "0: coupled, there is no forget gate of its own")
    if options.clip is not None and not (_is_number(options.clip) and options.clip > 0):
        raise ArgumentError("clip", repr(options.clip), "None, or a finite number above 0")
    if options.proj_size != 0 or isinstance(options.proj_size, bool):
        check_size("proj_size", options.proj_size)


def check_flag(argument: str, value: object) -> None:
    """Check that `value` is True or False.

    Raises:
        ArgumentError: it is not.
    """
    if not isinstance(value, bool):
        raise ArgumentError(argument, repr(value), "True or False")


def check_rate(argument: str, rate: object, *, certain: bool = False) -> None:
    """Check that `rate` is a probability, below 1 unless `certain`.

    Raises:
        ArgumentError: it is not.
    """
    if not _is_number(rate) or not (0 <= rate < 1 or (certain and rate == 1)):
        raise ArgumentError(argument, repr(rate), "a number from 0 to 1" + ("" if certain else ", and less than 1"))


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
