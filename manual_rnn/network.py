"""A recurrent layer on named arrays, forward and backward: what most callers want.

The arguments are checked here, once, so that nothing below has to. Parameters and gradients go by their names in the
equations: W_xh (G*H, I), W_hh (G*H, H), b_xh (G*H,), b_hh (G*H,); a layer without biases simply has none of the two.
States have torch's shape, (1, B, H), one layer and one direction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from manual_rnn import unroll
from manual_rnn.arrays import Array, check_array
from manual_rnn.cells.cell import Cell, Tape, Weights
from manual_rnn.cells.elman import RNN_RELU, RNN_TANH
from manual_rnn.cells.gru import GRU
from manual_rnn.cells.gru_reset_before import GRU_RESET_BEFORE
from manual_rnn.cells.lstm import LSTM
from manual_rnn.errors import ArgumentError

CELLS: dict[str, Cell] = {
    "rnn_tanh": RNN_TANH,
    "rnn_relu": RNN_RELU,
    "lstm": LSTM,
    "gru": GRU,
    "gru_reset_before": GRU_RESET_BEFORE,
}
PARAMS = ("W_xh", "W_hh", "b_xh", "b_hh")


@dataclass(frozen=True)
class Forward:
    """What `forward` returns: the outputs, and what `backward` needs.

    Attributes:
        y (T, B, H): the hidden state after every step.
        h_n (1, B, H): the final hidden state.
        c_n (1, B, H): the final cell state; None unless the cell is an LSTM.
    """

    y: Array
    h_n: Array
    c_n: Array | None
    cell: Cell
    weights: Weights
    bias: bool
    tape: Tape


def forward(
    cell: str, params: Mapping[str, Array], x: Array, h_0: Array | None = None, c_0: Array | None = None
) -> Forward:
    """Run a recurrent layer over a batch of sequences.

    Args:
        cell: a name in `CELLS`.
        params: W_xh (G*H, I), W_hh (G*H, H), and either both of b_xh and b_hh (G*H,) or none.
        x (T, B, I): the input, float32, float64, complex128 or any other number type.
        h_0 (1, B, H): the initial hidden state; zero if None.
        c_0 (1, B, H): the initial cell state, for an LSTM only; zero if None.

    Raises:
        ArgumentError: a name is unknown, or an array has a wrong shape or dtype or is not finite.
    """
    if cell not in CELLS:
        raise ArgumentError("cell", repr(cell), "one of " + ", ".join(CELLS))
    kind = CELLS[cell]
    weights, bias = _weights(kind, params)
    H, I = weights.W_hh.shape[1], weights.W_xh.shape[1]
    check_array("x", x, ("T", "B", I), like=weights.W_xh)
    B = x.shape[1]
    given = {"h": h_0, "c": c_0}
    for state, array in given.items():
        if array is not None and state not in kind.states:
            raise ArgumentError(f"{state}_0", "an array", f"None: {cell} has no such state")
    states_0 = [_state(f"{state}_0", given[state], B, H, x) for state in kind.states]
    tape = unroll.forward(kind, weights, x, tuple(states_0))
    final = dict(zip(kind.states, (state[-1:] for state in tape.states), strict=True))
    return Forward(tape.states[0][1:], final["h"], final.get("c"), kind, weights, bias, tape)


def backward(
    run: Forward, dy: Array | None = None, dh_n: Array | None = None, dc_n: Array | None = None
) -> dict[str, Array]:
    """Return the gradient of every parameter and input, given the gradients of the outputs.

    It may be called any number of times on one `Forward`, which it only reads.

    Args:
        run: what `forward` returned.
        dy: the gradient of y (T, B, H); zero if None.
        dh_n: the gradient of h_n (1, B, H); zero if None.
        dc_n: the gradient of c_n (1, B, H), for an LSTM only; zero if None.

    Returns:
        `dW_xh`, `dW_hh`, `db_xh`, `db_hh` (unless the layer has no biases), `dx`, `dh_0` and, for an LSTM, `dc_0`: each
        of the shape of what it is the gradient of.

    Raises:
        ArgumentError: an array has a wrong shape or dtype or is not finite.
    """
    x, h = run.tape.x, run.tape.states[0]
    if dy is None:
        dy = _zeros(x, run.y.shape)
    else:
        check_array("dy", dy, run.y.shape, like=x)
    given = {"h": dh_n, "c": dc_n}
    for state, array in given.items():
        if array is not None and state not in run.cell.states:
            raise ArgumentError(f"d{state}_n", "an array", "None: the cell has no such state")
    dstates_n = [_state(f"d{state}_n", given[state], h.shape[1], h.shape[2], x) for state in run.cell.states]
    g = unroll.backward(run.cell, run.weights, run.tape, dy, tuple(dstates_n))
    gradients = {"dx": g.dx, "dW_xh": g.dW_xh, "dW_hh": g.dW_hh}
    if run.bias:
        gradients |= {"db_xh": g.db_xh, "db_hh": g.db_hh}
    return gradients | {f"d{name}_0": d[:1] for name, d in zip(run.cell.states, g.dstates, strict=True)}


def _weights(cell: Cell, params: Mapping[str, Array]) -> tuple[Weights, bool]:
    """Return the checked weights, with zero biases where there are none, and whether there are any."""
    unknown = params.keys() - PARAMS
    if unknown:
        raise ArgumentError("params", ", ".join(sorted(unknown)), ", ".join(PARAMS))
    for name in ("W_xh", "W_hh"):
        if name not in params:
            raise ArgumentError("params", f"no {name}", ", ".join(PARAMS))
    W_xh, W_hh = params["W_xh"], params["W_hh"]
    check_array("W_hh", W_hh, ("G*H", "H"))
    GH, H = W_hh.shape
    if cell.num_gates * H != GH:
        raise ArgumentError("W_hh", f"shape {W_hh.shape}", f"shape ({cell.num_gates}*H, H)")
    check_array("W_xh", W_xh, (GH, "I"), like=W_hh)
    bias = "b_xh" in params or "b_hh" in params
    for name in ("b_xh", "b_hh") if bias else ():
        if name not in params:
            raise ArgumentError("params", f"no {name}", "both of b_xh and b_hh, or none")
        check_array(name, params[name], (GH,), like=W_hh)
    b_xh, b_hh = (params["b_xh"], params["b_hh"]) if bias else (_zeros(W_hh, (GH,)), _zeros(W_hh, (GH,)))
    return Weights(W_xh, W_hh, b_xh, b_hh, W_hh_T=W_hh.T.copy()), bias


def _state(name: str, state: Array | None, B: int, H: int, x: Array) -> Array:
    """Return the checked state (1, B, H) as (B, H), zero where there is none."""
    if state is None:
        return _zeros(x, (B, H))
    check_array(name, state, (1, B, H), like=x)
    return state[0]


def _zeros(like: Array, shape: tuple[int, ...]) -> Array:
    zeros = np.empty_like(like, shape=shape)
    zeros[...] = 0
    return zeros
