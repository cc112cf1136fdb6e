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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from manual_rnn import lengths as ragged
from manual_rnn import stack
from manual_rnn.arrays import Array, check_array, check_finite, check_form, zeros
from manual_rnn.cells.cell import Cell, Weights
from manual_rnn.cells.elman import RNN_RELU, RNN_TANH
from manual_rnn.cells.gru import GRU
from manual_rnn.cells.gru_reset_before import GRU_RESET_BEFORE
from manual_rnn.cells.lstm import LSTM
from manual_rnn.errors import ArgumentError
from manual_rnn.lengths import Batch
from manual_rnn.names import BIASES, Layout, layout
from manual_rnn.stack import Stack, States

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
    masks: Sequence[Array] = (),
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
    W_xh, W_hh = weights[0][0].W_xh, weights[0][0].W_hh
    check_form("x", x, ("T", "B", W_xh.shape[1]), like=W_xh)
    T, B, _ = x.shape
    batch = ragged.batch(T, B, lengths)
    x = batch.without_padding(x)
    check_finite("x", x)
    L, D, H = named.num_layers, named.directions, W_hh.shape[1]
    states_0 = _states("{}_0", cell, {"h": h_0, "c": c_0}, (L * D, B, H), x)
    y, left = stack.forward(kind, weights, x, states_0, batch, _masks(masks, L, (T, B, D * H), x, batch))
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
    dy = zeros(x, run.y.shape) if dy is None else _sequences("dy", dy, run.y.shape, x, batch)
    given = {"h": dh_n, "c": dc_n}
    dstates_n = _states("d{}_n", run.cell, given, run.h_n.shape, x)
    g = stack.backward(run.stack, dy, dstates_n)
    gradients = {"dx": g.dx} | {f"d{name}_0": d for name, d in zip(CELLS[run.cell].states, g.dstates_0, strict=True)}
    suffixes = [suffix for of_layer in run.layout.suffixes for suffix in of_layer]
    for suffix, of_pass in zip(suffixes, g.passes, strict=True):
        gradients |= {f"d{name}{suffix}": getattr(of_pass, f"d{name}") for name in run.layout.kinds}
    return gradients


def _weights(cell: Cell, params: Mapping[str, Array], named: Layout) -> list[list[Weights]]:
    """Return the checked weights of each layer in each direction, with zero biases where there are none."""
    W_hh, W_xh = params["W_hh"], params["W_xh"]
    check_array("W_hh", W_hh, ("G*H", "H"))
    GH, H = W_hh.shape
    if cell.num_gates * H != GH:
        raise ArgumentError("W_hh", f"shape {W_hh.shape}", f"shape ({cell.num_gates}*H, H)")
    check_array("W_xh", W_xh, (GH, "I"), like=W_hh)
    b_0 = None if named.bias else zeros(W_hh, (GH,))

    def of_pass(layer: int, suffix: str) -> Weights:
        inputs = named.directions * H if layer else W_xh.shape[1]
        shapes = {"W_xh": (GH, inputs), "W_hh": (GH, H), "b_xh": (GH,), "b_hh": (GH,)}
        arrays = {name: params[name + suffix] for name in named.kinds}
        for name, array in arrays.items():
            if suffix or name in BIASES:  # W_xh and W_hh are checked above
                check_array(name + suffix, array, shapes[name], like=W_hh)
        biases = (b_0, b_0) if b_0 is not None else (arrays["b_xh"], arrays["b_hh"])
        return Weights(arrays["W_xh"], arrays["W_hh"], *biases, W_hh_T=arrays["W_hh"].T.copy())

    return [[of_pass(layer, suffix) for suffix in suffixes] for layer, suffixes in enumerate(named.suffixes)]


def _states(name: str, cell: str, given: Mapping[str, Array], shape: tuple[int, ...], x: Array) -> list[States]:
    """Return the checked states (L*D, B, H) as (B, H) for each pass, zero where there are none.

    Args:
        name: what they are called, given the name of the state: "{}_0" or "d{}_n".
        cell: the name of the cell.
        given: the states' arrays, or None, by their names.
        shape: (L*D, B, H).
        x: an array of their number type.
    """
    for state, array in given.items():
        if array is not None and state not in CELLS[cell].states:
            raise ArgumentError(name.format(state), "an array", f"None: {cell} has no such state")
    of_state = []
    for state in CELLS[cell].states:
        if (array := given[state]) is None:
            array = [zeros(x, shape[1:])] * shape[0]
        else:
            check_array(name.format(state), array, shape, like=x)
        of_state.append(array)
    return list(zip(*of_state, strict=True))


def _masks(masks: Sequence[Array], num_layers: int, shape: tuple[int, ...], x: Array, batch: Batch) -> list[Array]:
    """Return the checked masks (T, B, D*H), one between each two layers, or none."""
    if not isinstance(masks, list | tuple) or len(masks) not in (0, num_layers - 1):
        got = f"{len(masks)} arrays" if isinstance(masks, list | tuple) else type(masks).__name__
        raise ArgumentError(
            "masks", got, f"a tuple or list of {num_layers - 1} arrays, one between each two layers, or ()"
        )
    return [_sequences(f"masks[{k}]", mask, shape, x, batch) for k, mask in enumerate(masks)]


def _sequences(name: str, array: Array, shape: tuple[int | str, ...], like: Array, batch: Batch) -> Array:
    """Return sequences (T, B, K), checked, with 0 for the padding."""
    check_form(name, array, shape, like=like)
    array = batch.without_padding(array)
    check_finite(name, array)
    return array
