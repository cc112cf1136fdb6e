"""The output layer: o = W_hy y + b_y at every step that is a sequence's own, and 0 in the padding.

Backward, given do:

    dW_hy = sum_{t,b} do^T y       db_y = sum_{t,b} do       dy = do W_hy
"""

from __future__ import annotations

from typing import Any

from manual_rnn import lengths as ragged
from manual_rnn.arrays import Array, steps_below
from manual_rnn.axes import back, time_major


def forward(W_hy: Array, b_y: Array, y: Array, *, lengths: Any = None, axes: str = "TB") -> Array:
    """Return o.

    Args:
        W_hy (O, H): the weights.
        b_y (O,): the bias.
        y (T, B, H): the hidden states, or in the order of `axes`; see `manual_rnn.axes`.
        lengths (B,): how many steps each sequence has; T each if None.
        axes: the order of the leading axes of y and o.

    Returns:
        o (T, B, O).
    """
    y = time_major(y, axes)
    T, B, _ = y.shape
    o = (steps_below(y) @ W_hy.T + b_y).reshape(T, B, W_hy.shape[0])
    return back(ragged.batch(y, lengths).blank(o), axes)


def backward(W_hy: Array, y: Array, do: Array, *, lengths: Any = None, axes: str = "TB") -> tuple[Array, Array, Array]:
    """Return dW_hy (O, H), db_y (O,) and dy (T, B, H) from do (T, B, O) and what `forward` was given."""
    y, do = time_major(y, axes), time_major(do, axes)
    do = ragged.batch(y, lengths).blank(do)
    dy = (steps_below(do) @ W_hy).reshape(y.shape)
    return steps_below(do).T @ steps_below(y), steps_below(do).sum(axis=0), back(dy, axes)
