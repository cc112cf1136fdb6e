"""The bridge to torch.nn.RNN, LSTM and GRU and back: the names differ, shapes and gate orders are the same.

    W_xh  weight_ih_l0        b_xh  bias_ih_l0
    W_hh  weight_hh_l0        b_hh  bias_hh_l0

Parameters are copied both ways, so that neither side changes with the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from torch import Tensor, nn

from torch_rnn.checks import check_tensor
from torch_rnn.errors import ArgumentError
from torch_rnn.network import CELLS

NAMES = {"W_xh": "weight_ih_l0", "W_hh": "weight_hh_l0", "b_xh": "bias_ih_l0", "b_hh": "bias_hh_l0"}

BUILTIN: dict[str, Callable[..., nn.RNNBase]] = {
    "rnn_tanh": partial(nn.RNN, nonlinearity="tanh"),
    "rnn_relu": partial(nn.RNN, nonlinearity="relu"),
    "lstm": nn.LSTM,
    "gru": nn.GRU,
}


def to_builtin(cell: str, params: Mapping[str, Tensor]) -> nn.RNNBase:
    """Return the module of torch.nn, time-major, with copies of the parameters, their dtype and device.

    Args:
        cell: a name in `CELLS` but gru_reset_before, which torch.nn has not.
        params: W_xh (G*H, I), W_hh (G*H, H), and either both of b_xh and b_hh (G*H,) or none.

    Raises:
        ArgumentError: torch.nn has no such cell, a name is unknown or missing, or a tensor has a wrong shape, dtype or
            device.
    """
    if cell not in BUILTIN:
        raise ArgumentError("cell", repr(cell), "a cell of torch.nn: " + ", ".join(BUILTIN))
    _check(CELLS[cell].num_gates, params)
    (_, I), (_, H) = params["W_xh"].shape, params["W_hh"].shape
    # on the meta device nothing is drawn, which would be thrown away here and move the caller's random numbers on
    module = BUILTIN[cell](I, H, bias="b_xh" in params, device="meta", dtype=params["W_xh"].dtype)
    module.load_state_dict({NAMES[name]: value.detach().clone() for name, value in params.items()}, assign=True)
    return module


def from_builtin(module: nn.RNNBase) -> tuple[str, dict[str, Tensor]]:
    """Return a module of torch.nn as the name of its cell and copies of its parameters, detached, by our names.

    The parameters do not depend on `batch_first`; what is made of them is time-major.

    Args:
        module: a torch.nn.RNN, LSTM or GRU of one layer and one direction, without projection.

    Raises:
        ArgumentError: it is something else.
    """
    if not isinstance(module, nn.RNNBase):
        raise ArgumentError("module", type(module).__name__, "a torch.nn.RNN, LSTM or GRU")
    for option, only in {"num_layers": 1, "bidirectional": False, "proj_size": 0}.items():
        if getattr(module, option) != only:
            raise ArgumentError(option, getattr(module, option), only)
    names = [name for name in NAMES if module.bias or not name.startswith("b_")]
    return module.mode.lower(), {name: getattr(module, NAMES[name]).detach().clone() for name in names}


def _check(num_gates: int, params: Mapping[str, Tensor]) -> None:
    """Check the names, shapes, dtypes and devices of the parameters of a cell with `num_gates` gates."""
    bias = "b_xh" in params or "b_hh" in params
    wanted = [name for name in NAMES if bias or not name.startswith("b_")]
    if set(params) != set(wanted):
        got = ", ".join(params) or "none"
        raise ArgumentError("params", got, "W_xh, W_hh, and both of b_xh and b_hh or none")
    W_hh = params["W_hh"]
    check_tensor("W_hh", W_hh, ("G*H", "H"))
    H = W_hh.shape[1]
    rows = num_gates * H
    shapes: dict[str, tuple[int | str, ...]] = {
        "W_hh": (rows, H),
        "W_xh": (rows, "I"),
        "b_xh": (rows,),
        "b_hh": (rows,),
    }
    for name, shape in shapes.items():
        if name in params:
            check_tensor(name, params[name], shape, like=W_hh)
