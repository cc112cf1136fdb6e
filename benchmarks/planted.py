"""Every mistake of the catalogue, planted in the plain network of `plain/` as somebody would have made it there.

The catalogue's own patches are of `manual_rnn`. These are of code that shares nothing with it, so that a diagnosis that
recognises them recognises the mistake, and not its patch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.planted_cells import GRU, LSTM, RNN
    from benchmarks.planted_outside import DIRECTION, OUTSIDE
    from benchmarks.planted_time import LENGTHS, MASKS, STATE, TIME, TRUNCATION
    from benchmarks.planting import Changes
else:
    from planted_cells import GRU, LSTM, RNN
    from planted_outside import DIRECTION, OUTSIDE
    from planted_time import LENGTHS, MASKS, STATE, TIME, TRUNCATION
    from planting import Changes

PLANTINGS: Mapping[str, Changes] = RNN | TIME | LSTM | GRU | STATE | DIRECTION | LENGTHS | MASKS | TRUNCATION | OUTSIDE
"""The changes that plant each mistake, by its name in the catalogue."""

NOT_PLANTED: Mapping[str, str] = {}
"""The mistakes of the catalogue that can't be made in this code, each with the reason."""
