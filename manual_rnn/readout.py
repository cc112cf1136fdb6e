"""The output layer: o = W_hy y + b_y at every step.

Backward, given do:

    dW_hy = sum_{t,b} do^T y       db_y = sum_{t,b} do       dy = do W_hy
"""

from __future__ import annotations

from manual_rnn.arrays import Array, steps_below


def forward(W_hy: Array, b_y: Array, y: Array) -> Array:
    """Return o (T, B, O) from the hidden states y (T, B, H), W_hy (O, H) and b_y (O,)."""
    T, B, _ = y.shape
    return (steps_below(y) @ W_hy.T + b_y).reshape(T, B, W_hy.shape[0])


def backward(W_hy: Array, y: Array, do: Array) -> tuple[Array, Array, Array]:
    """Return dW_hy (O, H), db_y (O,) and dy (T, B, H) from do (T, B, O) and what `forward` was given."""
    return steps_below(do).T @ steps_below(y), steps_below(do).sum(axis=0), (steps_below(do) @ W_hy).reshape(y.shape)
