"""A recurrent network on named arrays, forward and backward: what most callers want.

The arguments are checked here, once, so that nothing below has to. Parameters and gradients go by their names in the
equations, with the suffixes of `manual_rnn.names`; how many layers and directions there are follows from the names:

    W_xh, W_xh_reverse (G*H, I)      W_xh_l1, W_xh_l1_reverse, ... (G*H, D*H)
    W_hh, W_hh_reverse, W_hh_l1, ... (G*H, H)      b_xh, b_hh, b_xh_reverse, ... (G*H,), all of them or none

x is (T, B, I), y (T, B, D*H), forward then reverse; states have torch's shape and order, (L*D, B, H): layer by layer,
forward then reverse. What comes after the end of a sequence, in x, dy and the masks, is padding: it is not read, not
even to see whether it is finite.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from manual_rnn import lengths as ragged
from manual_rnn import stack
from manual_rnn.arrays import Array, check_array, zeros
from manual_rnn.cells.cell import Cell, Weights
from manual_rnn.cells.elman import RNN_RELU, RNN_TANH
from manual_rnn.cells.gru import GRU
from manual_rnn.cells.gru_reset_before import GRU_RESET_BEFORE
from manual_rnn.cells.lstm import LSTM
from manual_rnn.errors import ArgumentError
from manual_rnn.lengths import Batch
from manual_rnn.names import Layout, layout
from manual_rnn.stack import Stack

CELLS: dict[str, Cell] = {
    "rnn_tanh": RNN_TANH,
    "rnn_relu": RNN_RELU,
    "lstm": LSTM,
    "gru": GRU,
    "gru_reset_before": GRU_RESET_BEFORE,
}


@dataclass(frozen=True)
class Forward:
    """What `forward` returns: the outputs, and what `backward` needs.

    Attributes:
        y (T, B, D*H): the last layer's hidden state after every step, 0 in the padding.
        h_n (L*D, B, H): the hidden states after each sequence's last step, in the reverse direction after its step 0.
        c_n (L*D, B, H): the cell states, likewise; None unless the cell is an LSTM.
        cell: the cell's name.
        x (T, B, I): the input, 0 in the padding.
        layout: how many layers and directions there are, and whether biases.
        stack: what each layer has left.
    """

    y: Array
    h_n: Array
    c_n: Array | None
    cell: str
    x: Array
    layout: Layout
    stack: Stack


def forward(
    cell: str,
    params: Mapping[str, Array],
    x: Array,
    h_0: Array | None = None,
    c_0: Array | None = None,
    *,
    lengths: Any = None,
    masks: Iterable[Array] = (),
) -> Forward:
    """Run a recurrent network over a batch of sequences.

    Args:
        cell: a name in `CELLS`.
        params: the parameters by name; see the top of this file.
        x (T, B, I): the input, float32, float64, complex128 or any other number type.
        h_0 (L*D, B, H): the initial hidden states; zero if None.
        c_0 (L*D, B, H): the initial cell states, for an LSTM only; zero if None.
        lengths (B,): how many steps each sequence has, from 0 to T, in any order; T each if None.
        masks: L-1 arrays (T, B, D*H), the output of each layer but the last is multiplied with; of a dropout layer, 0
            or 1 / (1 - p). None are multiplied if there are none.

    Raises:
        ArgumentError: a name is unknown or missing, or an array has a wrong shape or dtype or is not finite.
    """
    if cell not in CELLS:
        raise ArgumentError("cell", repr(cell), "one of " + ", ".join(CELLS))
    kind, named = CELLS[cell], layout(tuple(params))
    weights = _weights(kind, params, named)
    W_xh = weights[0].W_xh
    check_array("x", x, ("T", "B", W_xh.shape[1]), like=W_xh, finite=False)
    batch = ragged.batch(x, lengths)
    x = batch.checked("x", x, x.shape, W_xh)
    T, B, _ = x.shape
    L, D, H = named.num_layers, named.directions, weights[0].W_hh.shape[1]
    states_0 = _states(cell, {"h": ("h_0", h_0), "c": ("c_0", c_0)}, (L * D, B, H), x)
    checked_masks = _masks(masks, L, (T, B, D * H), x, batch)
    y, left = stack.forward(kind, weights, D, x, states_0, batch, checked_masks)
    final = dict(zip(kind.states, left.final_states(), strict=True))
    return Forward(y, final["h"], final.get("c"), cell, x, named, left)


def backward(
    run: Forward, dy: Array | None = None, dh_n: Array | None = None, dc_n: Array | None = None
) -> dict[str, Array]:
    """Return the gradient of every parameter and input, given the gradients of the outputs.

    It may be called any number of times on one `Forward`, which it only reads.

    Args:
        run: what `forward` returned.
        dy (T, B, D*H): the gradient of y; zero if None.
        dh_n (L*D, B, H): the gradient of h_n; zero if None.
        dc_n (L*D, B, H): the gradient of c_n, for an LSTM only; zero if None.

    Returns:
        `dx` (0 in the padding), `dh_0` and, for an LSTM, `dc_0`, and `d` + the name of each parameter: each of the
        shape of what it is the gradient of.

    Raises:
        ArgumentError: an array has a wrong shape or dtype or is not finite.
    """
    batch, x = run.stack.batch, run.x
    dy = zeros(x, run.y.shape) if dy is None else batch.checked("dy", dy, run.y.shape, x)
    dstates_n = _states(run.cell, {"h": ("dh_n", dh_n), "c": ("dc_n", dc_n)}, run.h_n.shape, x)
    g = stack.backward(run.stack, dy, dstates_n)
    gradients = {"dx": g.dx} | {f"d{name}_0": d for name, d in zip(CELLS[run.cell].states, g.dstates_0, strict=True)}
    for names, of_pass in zip(run.layout.gradients, g.passes, strict=True):
        gradients |= zip(names, of_pass, strict=False)  # its first are dW_xh, dW_hh, db_xh, db_hh
    return gradients


def _weights(cell: Cell, params: Mapping[str, Array], named: Layout) -> list[Weights]:
    """Return the checked weights of each layer in each direction, with zero biases where there are none."""
    W_hh = params["W_hh"]
    check_array("W_hh", W_hh, ("G*H", "H"), finite=False)
    GH, H = W_hh.shape
    if cell.num_gates * H != GH:
        raise ArgumentError("W_hh", f"shape {W_hh.shape}", f"shape ({cell.num_gates}*H, H)")
    no_bias = [] if named.bias else [zeros(W_hh, (GH,))] * 2
    inputs: int | str = "I"
    weights = []
    for k, names in enumerate(named.passes):
        if k >= named.directions:
            inputs = named.directions * H
        arrays = [params[name] for name in names]
        for name, array, shape in zip(names, arrays, ((GH, inputs), (GH, H), (GH,), (GH,)), strict=False):
            check_array(name, array, shape, like=W_hh)
        inputs = arrays[0].shape[1]  # of layer 0, in the reverse direction too
        W_xh, W_hh, b_xh, b_hh = arrays + no_bias
        weights.append(Weights(W_xh, W_hh, b_xh, b_hh, W_hh_T=W_hh.T.copy()))
    return weights


def _states(cell: str, given: Mapping[str, tuple[str, Array | None]], shape: tuple[int, ...], x: Array) -> list[Array]:
    """Return the checked states (L*D, B, H) of a cell, zero where there are none.

    Args:
        cell: the name of the cell.
        given: for each state its name as an argument, and its array, or None.
        shape: (L*D, B, H).
        x: an array of their number type.
    """
    states = CELLS[cell].states
    for state, (argument, array) in given.items():
        if array is None:
            continue
        if state not in states:
            raise ArgumentError(argument, "an array", f"None: {cell} has no such state")
        check_array(argument, array, shape, like=x)
    arrays = [given[state][1] for state in states]
    return [zeros(x, shape) if array is None else array for array in arrays]


def _masks(masks: Iterable[Array], num_layers: int, shape: tuple[int, ...], x: Array, batch: Batch) -> list[Array]:
    """Return the checked masks (T, B, D*H), one between each two layers, or none."""
    wanted = f"{num_layers - 1} arrays, one between each two layers, or ()"
    if not hasattr(masks, "__iter__"):
        raise ArgumentError("masks", type(masks).__name__, wanted)
    arrays = list(masks)
    if arrays and len(arrays) != num_layers - 1:
        raise ArgumentError("masks", f"{len(arrays)} arrays", wanted)
    return [batch.checked(f"masks[{k}]", array, shape, x) for k, array in enumerate(arrays)]
