"""The cells by their names, and those that options make of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from manual_rnn.activations import drelu, dtanh, relu, tanh
from manual_rnn.cells.augru import augru
from manual_rnn.cells.augru_reset_before import augru_reset_before
from manual_rnn.cells.cell import Cell
from manual_rnn.cells.elman import RNN_RELU, RNN_TANH
from manual_rnn.cells.elman_clipped import elman_clipped
from manual_rnn.cells.gru import GRU
from manual_rnn.cells.gru_reset_before import GRU_RESET_BEFORE
from manual_rnn.cells.lstm import LSTM
from manual_rnn.cells.lstm_coupled import lstm_coupled
from manual_rnn.cells.lstm_peephole import lstm_peephole
from manual_rnn.cells.projection import projected
from manual_rnn.errors import ArgumentError

CELLS: dict[str, Cell] = {
    "rnn_tanh": RNN_TANH,
    "rnn_relu": RNN_RELU,
    "lstm": LSTM,
    "gru": GRU,
    "gru_reset_before": GRU_RESET_BEFORE,
}
CLIPPED: dict[str, Callable[[float | None], Cell]] = {
    "rnn_tanh": lambda limit: elman_clipped(tanh, dtanh, limit),
    "rnn_relu": lambda limit: elman_clipped(relu, drelu, limit),
    "lstm": lambda limit: lstm_peephole(False, 0, limit),
    "gru": augru,
    "gru_reset_before": augru_reset_before,
}
"""The cell of each name with a limit of its clip; that of a GRU may be given an attention score, too."""


@lru_cache(maxsize=128)
def cell(
    name: str,
    *,
    peephole: bool = False,
    coupled: bool = False,
    forget_bias: float = 0,
    projection: bool = False,
    attention: bool = False,
    clip: float | None = None,
) -> Cell:
    """Return a cell.

    Args:
        name: a name in `CELLS`.
        peephole: of an LSTM, whether its gates see c, by the weights p_i, p_f and p_o (H,).
        coupled: of an LSTM, whether the forget gate is 1 - i; then the gates are i, g, o, and there is no p_f.
        forget_bias: of an LSTM that is not coupled, what is added to the forget gate's pre-activation.
        projection: of an LSTM, whether h is a projection, by the weight W_hr (P, H).
        attention: of a GRU, whether it is given an attention score.
        clip: what pre-activations are clipped to, from below and above, more than 0; None if they are not.

    Raises:
        ArgumentError: there is no such cell, or an option is not one of it.
    """
    if name not in CELLS:
        raise ArgumentError("cell", repr(name), "one of " + ", ".join(CELLS))
    of_lstm = {"peephole": peephole, "coupled": coupled, "forget_bias": forget_bias, "projection": projection}
    for option, value in of_lstm.items():
        if value and name != "lstm":
            raise ArgumentError(option, f"{value} for {name}", "none, or the cell lstm")
    if attention and not name.startswith("gru"):
        raise ArgumentError("attention", f"{attention} for {name}", "none, or a cell gru")
    if coupled and forget_bias:
        raise ArgumentError("forget_bias", forget_bias, "0 with coupled gates, which have no forget gate")
    if clip is not None and not clip > 0:
        raise ArgumentError("clip", clip, "a positive number, or None")
    if coupled:
        made = lstm_coupled(peephole, clip)
    elif peephole or forget_bias:
        made = lstm_peephole(peephole, forget_bias, clip)
    elif attention or clip is not None:
        made = CLIPPED[name](clip)
    else:
        made = CELLS[name]
    return projected(made) if projection else made
