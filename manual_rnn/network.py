"""A recurrent network on named arrays, forward and backward: what most callers want.

The arguments are checked here, once, so that nothing below has to. Parameters and gradients go by their names in the
equations, with the suffixes of `manual_rnn.names`; how many layers and directions there are follows from the names:

    W_xh, W_xh_reverse (G*H, I)      W_xh_l1, W_xh_l1_reverse, ... (G*H, width of a layer's output)
    W_hh, W_hh_reverse, W_hh_l1, ... (G*H, P)      b_xh, b_hh, b_xh_reverse, ... (G*H,), all of them or none
    p_i, p_f, p_o (H,), W_hr (P, H), ... of a cell that has them

P is the width of h: H, but for a projection. Shapes are given for the axes "TB" (see `manual_rnn.axes`): x is (T, B,
I), y (T, B, D*P), forward then reverse, or (T, B, P) their sum; states have torch's shape and order, (L*D, B, P) or
(L*D, B, H): layer by layer, forward then reverse. What comes after the end of a sequence, in x, dy, the attention and
the masks, is padding: it is not read, not even to see whether it is finite.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from manual_rnn import lengths as ragged
from manual_rnn import stack, truncation
from manual_rnn.arrays import Array, check_array, check_finite, zeros
from manual_rnn.axes import AXES, back, check_axes, sequence, time_major, with_batch, without_batch
from manual_rnn.cells.cell import Cell, Weights
from manual_rnn.cells.recurrent_dropout import dropping
from manual_rnn.cells.zoneout import zoned
from manual_rnn.errors import ArgumentError
from manual_rnn.lengths import Batch
from manual_rnn.names import Layout, layout
from manual_rnn.stack import MERGES, Stack
from manual_rnn.variants import CELLS


class Forward(NamedTuple):
    """What `forward` returns: the outputs, and what `backward` needs.

    Attributes:
        y (T, B, D*P): the last layer's hidden state after every step, 0 in the padding.
        h_n (L*D, B, P): the hidden states after each sequence's last step, in the reverse direction after its step 0.
        c_n (L*D, B, H): the cell states, likewise; None unless the cell is an LSTM.
        cell: the cell.
        layout: how many layers and directions there are, and whether biases.
        stack: what each layer has left, time-major.
        axes: the order of the leading axes.
        attended: whether attention was given.
    """

    y: Array
    h_n: Array
    c_n: Array | None
    cell: Cell
    layout: Layout
    stack: Stack
    axes: str
    attended: bool


def forward(
    cell: str | Cell,
    params: Mapping[str, Array],
    x: Array,
    h_0: Array | None = None,
    c_0: Array | None = None,
    *,
    lengths: Any = None,
    masks: Iterable[Array] = (),
    recurrent: Array | None = None,
    zoneout: Sequence[Array] = (),
    attention: Array | None = None,
    merge: str = "concat",
    axes: str = "TB",
) -> Forward:
    """Run a recurrent network over a batch of sequences.

    Args:
        cell: a name in `CELLS`, or what `manual_rnn.cell` returns.
        params: the parameters by name; see the top of this file.
        x (T, B, I): the input, float32, float64, complex128 or any other number type.
        h_0 (L*D, B, P): the initial hidden states; zero if None.
        c_0 (L*D, B, H): the initial cell states, for an LSTM only; zero if None.
        lengths (B,): how many steps each sequence has, from 0 to T, in any order; T each if None.
        masks: L-1 arrays (T, B, D*P), the output of each layer but the last is multiplied with; of a dropout layer, 0
            or 1 / (1 - p). None are multiplied if there are none. These and the masks below are time-major whatever
            the axes are, and belong, in either direction, to the step that reads x[t]; see `manual_rnn.masks`.
        recurrent (L*D, T, B, P): what h_prev is multiplied with before the recurrent product; with nothing if None.
        zoneout: how much of each old state is kept, (L*D, T, B, P) for h and (L*D, T, B, H) for c; or none.
        attention (T, B): the score of each step, for a GRU made with attention or clip; 0 if None.
        merge: what becomes of the outputs of two directions: "concat" or "sum".
        axes: the order of the leading axes: "TB", "BT", or "T", where nothing but masks has an axis for the batch.

    Raises:
        ArgumentError: a name is unknown or missing, or an array has a wrong shape or dtype or is not finite.
    """
    kind = _cell(cell)
    if merge not in MERGES:
        raise ArgumentError("merge", repr(merge), "one of " + ", ".join(MERGES))
    check_axes(axes)
    if axes == "T" and lengths is not None:
        raise ArgumentError("lengths", repr(lengths), "None: a sequence without a batch has all steps")
    named = layout(tuple(params), tuple(kind.own))
    weights = _weights(kind, params, named, merge)
    W_xh, W_hh = weights[0].W_xh, weights[0].W_hh
    check_array("x", x, (*AXES[axes], W_xh.shape[1]), like=W_xh, finite=False)
    x = time_major(x, axes)
    batch = ragged.batch(x, lengths)
    x = batch.finite("x", x)
    runs, widths = len(weights), _widths(kind, W_hh)
    states_0 = _states(kind, {"h": ("h_0", h_0), "c": ("c_0", c_0)}, runs, widths, x, axes)
    y_width = widths["h"] * (named.directions if merge == "concat" else 1)
    checked_masks = _masks(masks, named.num_layers, y_width, x, batch)
    kind, given = _given(kind, runs, widths, x, batch, recurrent, zoneout, _attention(kind, attention, x, batch, axes))
    y, states_n, left = stack.forward(
        kind, weights, named.directions, x, states_0, batch, checked_masks, given, MERGES[merge]
    )
    h_n, *c_n = [without_batch(state, axes) for state in states_n]
    return Forward(back(y, axes), h_n, c_n[0] if c_n else None, kind, named, left, axes, attention is not None)


def backward(
    run: Forward,
    dy: Array | None = None,
    dh_n: Array | None = None,
    dc_n: Array | None = None,
    *,
    truncate: tuple[int, int] | None = None,
) -> dict[str, Array]:
    """Return the gradient of every parameter and input, given the gradients of the outputs.

    It may be called any number of times on one `Forward`, which it only reads.

    Args:
        run: what `forward` returned.
        dy (T, B, D*P): the gradient of y; zero if None.
        dh_n (L*D, B, P): the gradient of h_n; zero if None.
        dc_n (L*D, B, H): the gradient of c_n, for an LSTM only; zero if None.
        truncate: (k1, k2): how far gradients go back; see `manual_rnn.truncation`. All the way if None. Not with two
            directions.

    Returns:
        `dx` (0 in the padding), `dh_0` and, for an LSTM, `dc_0`, `dattention` if it was given, and `d` + the name of
        each parameter: each of the shape of what it is the gradient of.

    Raises:
        ArgumentError: an array has a wrong shape or dtype or is not finite, or `truncate` is no such thing.
    """
    left, kind, axes = run.stack, run.cell, run.axes
    x = left.passes[0].tape.x
    if dy is None:
        dy = zeros(x, time_major(run.y, axes).shape)
    else:
        check_array("dy", dy, run.y.shape, like=x, finite=False)
        dy = left.batch.finite("dy", time_major(dy, axes))
    widths = _widths(kind, left.passes[0].weights.W_hh)
    dstates_n = _states(kind, {"h": ("dh_n", dh_n), "c": ("dc_n", dc_n)}, len(left.passes), widths, x, axes)
    if truncate is None:
        g = stack.backward(left, dy, dstates_n)
    else:
        k1, k2 = truncation.check_truncate(truncate)
        if left.directions > 1:
            raise ArgumentError("truncate", truncate, "None: there are two directions")
        g = truncation.backward(left, dy, dstates_n, k1, k2)
    gradients = {"dx": back(g.dx, axes)}
    for name, d in zip(kind.states, g.dstates_0, strict=True):
        gradients[f"d{name}_0"] = without_batch(d, axes)
    if run.attended:
        gradients["dattention"] = back(g.dgiven[0][..., 0], axes)
    for name, k, place in run.layout.gradients:
        gradients[name] = g.params[k][place]
    return gradients


def _cell(cell: str | Cell) -> Cell:
    if isinstance(cell, Cell):
        return cell
    if cell not in CELLS:
        raise ArgumentError("cell", repr(cell), "one of " + ", ".join(CELLS))
    return CELLS[cell]


def _weights(cell: Cell, params: Mapping[str, Array], named: Layout, merge: str) -> list[Weights]:
    """Return the checked weights of each layer in each direction, with zero biases where there are none."""
    W_hh = params["W_hh"]
    check_array("W_hh", W_hh, ("G*H", "P" if "W_hr" in cell.own else "H"), finite=False)
    GH, P = W_hh.shape
    H = GH // cell.num_gates
    if cell.num_gates * H != GH or (P != H and "W_hr" not in cell.own):
        raise ArgumentError("W_hh", f"shape {W_hh.shape}", f"shape ({cell.num_gates}*H, H)")
    no_bias = [] if named.bias else [zeros(W_hh, (GH,))] * 2
    further = _further(cell, named.bias, GH, P)
    inputs: int | str = "I"
    weights = []
    for k, names in enumerate(named.passes):
        if k >= named.directions:
            inputs = P * (named.directions if merge == "concat" else 1)
        arrays = [params[name] for name in names]
        for name, array, shape in zip(names, arrays, ((GH, inputs), *further), strict=True):
            if name == "W_hh":  # whose shape has been checked
                check_finite(name, array)
            else:
                check_array(name, array, shape, like=W_hh)
        inputs = arrays[0].shape[1]  # of layer 0, in the reverse direction too
        W_xh, W_hh_k, b_xh, b_hh, *of_cell = [*arrays[:2], *no_bias, *arrays[2:]]
        weights.append(Weights(W_xh, W_hh_k, b_xh, b_hh, W_hh_k.T.copy(), tuple(of_cell)))
    return weights


@lru_cache(maxsize=128)
def _further(cell: Cell, bias: bool, GH: int, P: int) -> tuple[tuple[int, ...], ...]:
    """Return the shapes of the parameters of a layer in a direction, all but W_xh."""
    letters = {"H": GH // cell.num_gates, "P": P}
    own = [tuple([letters[letter] for letter in shape]) for shape in cell.own.values()]
    return (GH, P), *(((GH,), (GH,)) if bias else ()), *own


def _widths(cell: Cell, W_hh: Array) -> dict[str, int]:
    """Return the width of each state that a cell may have."""
    GH, P = W_hh.shape
    return {"h": P, "c": GH // cell.num_gates}


def _states(
    cell: Cell,
    given: Mapping[str, tuple[str, Array | None]],
    runs: int,
    widths: Mapping[str, int],
    x: Array,
    axes: str,
) -> list[Array]:
    """Return the checked states (L*D, B, width) of a cell, zero where there are none.

    Args:
        cell: the cell.
        given: for each state its name as an argument, and its array, or None.
        runs: L*D.
        widths: that of each state.
        x (T, B, I): an array of their number type.
        axes: the order of the axes of what is given.
    """
    B = x.shape[1]
    arrays = []
    for state, (argument, array) in given.items():
        if state not in cell.states:
            if array is not None:
                raise ArgumentError(argument, "an array", "None: the cell has no such state")
            continue
        if array is None:
            arrays.append(zeros(x, (runs, B, widths[state])))
            continue
        batch = () if axes == "T" else (B,)
        check_array(argument, array, (runs, *batch, widths[state]), like=x)
        arrays.append(with_batch(array, axes))
    return arrays


def _masks(masks: Iterable[Array], num_layers: int, width: int, x: Array, batch: Batch) -> list[Array]:
    """Return the checked masks (T, B, width), one between each two layers, or none."""
    arrays = list(masks) if hasattr(masks, "__iter__") else None
    if arrays is None or len(arrays) not in (0, num_layers - 1):
        got = type(masks).__name__ if arrays is None else f"{len(arrays)} arrays"
        raise ArgumentError("masks", got, f"{num_layers - 1} arrays, one between each two layers, or ()")
    for k, array in enumerate(arrays):
        check_array(f"masks[{k}]", array, (*x.shape[:2], width), like=x, finite=False)
        arrays[k] = batch.finite(f"masks[{k}]", array)
    return arrays


def _attention(cell: Cell, attention: Array | None, x: Array, batch: Batch, axes: str) -> tuple[Array, ...]:
    """Return the checked attention (T, B, 1), zero if it is None; nothing for a cell that takes none."""
    if "attention" not in cell.given:
        if attention is not None:
            raise ArgumentError("attention", "an array", "None: the cell takes none")
        return ()
    T, B, _ = x.shape
    if attention is None:
        return (zeros(x, (T, B, 1)),)
    check_array("attention", attention, sequence({"T": T, "B": B}, axes), like=x, finite=False)
    return (batch.finite("attention", time_major(attention, axes)[..., None]),)


def _given(
    cell: Cell,
    runs: int,
    widths: Mapping[str, int],
    x: Array,
    batch: Batch,
    recurrent: Array | None,
    zoneout: Sequence[Array],
    attention: tuple[Array, ...],
) -> tuple[Cell, list[tuple[Array, ...]]]:
    """Return the cell with what the masks make of it, and for each pass what it is given, (T, B, width) each."""
    states = cell.states
    if not hasattr(zoneout, "__len__") or len(zoneout) not in (0, len(states)):
        got = f"{len(zoneout)} arrays" if hasattr(zoneout, "__len__") else type(zoneout).__name__
        raise ArgumentError("zoneout", got, f"{len(states)}, one for each of {', '.join(states)}, or ()")
    series = []
    if recurrent is not None:
        cell = dropping(cell)
        series.append(("recurrent", recurrent, widths["h"]))
    if len(zoneout):
        cell = zoned(cell)
        series += [
            (f"zoneout[{k}]", d, widths[state]) for k, (state, d) in enumerate(zip(states, zoneout, strict=True))
        ]
    for argument, array, width in series:
        check_array(argument, array, (runs, *x.shape[:2], width), like=x, finite=False)
    given = [attention] * runs
    for argument, array, _ in series:
        given = [(*before, batch.finite(argument, array[k])) for k, before in enumerate(given)]
    return cell, given
