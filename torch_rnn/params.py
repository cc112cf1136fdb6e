"""The parameters of a stack of layers: their names, which are those of `manual_rnn`, and their shapes.

Layer 0 has no suffix, further layers have their number, and the reverse direction always has its own, last:

    W_xh  W_hh  b_xh  b_hh  p_i  p_f  p_o  W_hr  W_xh_reverse  ...  W_xh_l1  ...  W_xh_l1_reverse  ...

    W_xh          (G*H, I), above the first layer as many columns as y of the layer below: D*H', or H' if summed
    W_hh          (G*H, H')
    b_xh, b_hh    (G*H,)                              of a network with biases
    p_i, p_f, p_o (H,)                                of an LSTM with peepholes; coupled, it has no p_f
    W_hr          (P, H)                              of one with projection

H' is P with projection, else H.
"""

from __future__ import annotations

from torch_rnn.checks import check_size

FURTHER = ("p_i", "p_f", "p_o", "W_hr")
"""The parameters that only some cells have."""


def suffix(layer: int, direction: int) -> str:
    """Return what the names of a layer's parameters end in; direction 0 is forward, 1 is reverse."""
    return (f"_l{layer}" if layer else "") + ("_reverse" if direction else "")


def param_names(
    num_layers: int,
    bidirectional: bool,
    bias: bool,
    *,
    peephole: bool = False,
    coupled: bool = False,
    projection: bool = False,
) -> tuple[str, ...]:
    """Return the names of all parameters: layer by layer, forward then reverse, W_xh, W_hh, b_xh, b_hh, and so on.

    Args:
        num_layers: L, at least 1.
        bidirectional: whether there is a reverse direction.
        bias: whether there are biases.
        peephole: whether there are peepholes.
        coupled: whether there is no forget gate of its own.
        projection: whether the hidden state is projected.

    Raises:
        ArgumentError: `num_layers` is not a positive integer.
    """
    check_size("num_layers", num_layers)
    sizes = param_shapes(1, 1, 1, num_layers, bidirectional, bias, peephole, coupled, 1 if projection else 0)
    return tuple(sizes)


def param_shapes(
    num_gates: int,
    input_size: int,
    hidden_size: int,
    num_layers: int,
    bidirectional: bool,
    bias: bool = True,
    peephole: bool = False,
    coupled: bool = False,
    proj_size: int = 0,
    merge: str = "concat",
) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all parameters by name, in the order of `param_names`.

    Args:
        num_gates: G.
        input_size: I.
        hidden_size: H.
        num_layers: L, at least 1.
        bidirectional: whether there is a reverse direction.
        bias: whether there are biases.
        peephole: whether there are peepholes.
        coupled: whether there is no forget gate of its own.
        proj_size: P; 0 without projection.
        merge: "concat" or "sum".
    """
    rows = num_gates * hidden_size
    width = proj_size or hidden_size
    directions = range(2 if bidirectional else 1)
    own: dict[str, tuple[int, ...]] = {"W_hh": (rows, width)}
    own |= {"b_xh": (rows,), "b_hh": (rows,)} if bias else {}
    own |= {name: (hidden_size,) for name in ("p_i", "p_f", "p_o") if peephole and not (coupled and name == "p_f")}
    own |= {"W_hr": (proj_size, hidden_size)} if proj_size else {}
    above = width if merge == "sum" else len(directions) * width
    return {
        field + suffix(l, d): shape
        for l in range(num_layers)
        for d in directions
        for field, shape in {"W_xh": (rows, above if l else input_size), **own}.items()
    }
