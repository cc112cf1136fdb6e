"""The parameters of a stack of layers: their names, which are those of `manual_rnn`, and their shapes.

Layer 0 has no suffix, further layers have their number, and the reverse direction always has its own, last:

    W_xh  W_hh  b_xh  b_hh  W_xh_reverse  ...  W_xh_l1  ...  W_xh_l1_reverse  ...

W_xh is (G*H, I), and (G*H, D*H) above the first layer; W_hh is (G*H, H), b_xh and b_hh are (G*H,).
"""

from __future__ import annotations

from torch_rnn.cells.cell import Weights
from torch_rnn.checks import check_size


def suffix(layer: int, direction: int) -> str:
    """Return what the names of a layer's parameters end in; direction 0 is forward, 1 is reverse."""
    return (f"_l{layer}" if layer else "") + ("_reverse" if direction else "")


def param_names(num_layers: int, bidirectional: bool, bias: bool) -> tuple[str, ...]:
    """Return the names of all parameters: layer by layer, forward then reverse, W_xh, W_hh, b_xh, b_hh.

    Args:
        num_layers: L, at least 1.
        bidirectional: whether there is a reverse direction.
        bias: whether there are biases.

    Raises:
        ArgumentError: `num_layers` is not a positive integer.
    """
    check_size("num_layers", num_layers)
    fields = [field for field in Weights._fields if bias or not field.startswith("b_")]
    directions = range(2 if bidirectional else 1)
    return tuple(field + suffix(l, d) for l in range(num_layers) for d in directions for field in fields)


def param_shapes(
    num_gates: int, input_size: int, hidden_size: int, num_layers: int, bidirectional: bool
) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all parameters, biases included, by name and in the order of `param_names`.

    Args:
        num_gates: G.
        input_size: I.
        hidden_size: H.
        num_layers: L, at least 1.
        bidirectional: whether there is a reverse direction.
    """
    rows = num_gates * hidden_size
    directions = 2 if bidirectional else 1
    shapes: dict[str, tuple[int, ...]] = {}
    for l in range(num_layers):
        columns = directions * hidden_size if l else input_size
        sizes = ((rows, columns), (rows, hidden_size), (rows,), (rows,))
        for d in range(directions):
            shapes |= {field + suffix(l, d): size for field, size in zip(Weights._fields, sizes, strict=True)}
    return shapes
