"""The bridge to torch.nn.RNN, LSTM and GRU and back: the names differ, shapes and gate orders are the same.

    W_xh  weight_ih_l0    W_xh_reverse  weight_ih_l0_reverse    W_xh_l1  weight_ih_l1
    W_hh  weight_hh_l0    W_hh_reverse  weight_hh_l0_reverse    ...
    b_xh  bias_ih_l0      b_xh_reverse  bias_ih_l0_reverse
    b_hh  bias_hh_l0      b_hh_reverse  bias_hh_l0_reverse      W_xh_l1_reverse  weight_ih_l1_reverse    ...
    W_hr  weight_hr_l0    W_hr_reverse  weight_hr_l0_reverse    (of an LSTM with projection)

Parameters are copied both ways, so that neither side changes with the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

from torch import Tensor, nn

from torch_rnn.checks import check_tensor
from torch_rnn.errors import ArgumentError
from torch_rnn.network import CELLS
from torch_rnn.params import param_names, param_shapes


class Names:
    """torch.nn's name of a parameter by ours, for any layer: `NAMES["W_xh_l1"]` is weight_ih_l1."""

    fields: Mapping[str, str] = {
        "W_xh": "weight_ih",
        "W_hh": "weight_hh",
        "b_xh": "bias_ih",
        "b_hh": "bias_hh",
        "W_hr": "weight_hr",
    }

    def __getitem__(self, name: str) -> str:
        """Return torch.nn's name.

        Raises:
            ArgumentError: there is no such parameter.
        """
        parts = re.fullmatch(r"(W_[xh]h|b_[xh]h|W_hr)(?:_l([1-9]\d*))?(_reverse)?", name)
        if parts is None:
            raise ArgumentError("name", repr(name), "one of `param_names`")
        field, layer, direction = parts.groups(default="")
        return f"{self.fields[field]}_l{layer or 0}{direction}"


NAMES = Names()

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
        params: for each layer and direction, W_xh (G*H, I), or (G*H, D*H) above the first layer, W_hh (G*H, H), and
            either both of b_xh and b_hh (G*H,) or none, by the names of `param_names`. An LSTM may have a projection:
            W_hr (P, H) for each layer and direction, P < H; then W_hh is (G*H, P).

    Raises:
        ArgumentError: torch.nn has no such cell, a name is unknown or missing, or a tensor has a wrong shape, dtype or
            device.
    """
    if cell not in BUILTIN:
        raise ArgumentError("cell", repr(cell), "a cell of torch.nn: " + ", ".join(BUILTIN))
    num_layers, bidirectional, bias, projected = _options(params)
    if projected and cell != "lstm":
        raise ArgumentError("params", "W_hr", f"no projection: torch.nn has one only for lstm, not for {cell}")
    H, P = _check(CELLS[cell].num_gates, num_layers, bidirectional, bias, projected, params)
    # on the meta device nothing is drawn, which would be thrown away here and move the caller's random numbers on
    module = BUILTIN[cell](
        params["W_xh"].shape[1],
        H,
        num_layers=num_layers,
        bidirectional=bidirectional,
        bias=bias,
        **({"proj_size": P} if projected else {}),  # to a GRU, torch.nn wants nothing said of it
        device="meta",
        dtype=params["W_xh"].dtype,
    )
    module.load_state_dict({NAMES[name]: value.detach().clone() for name, value in params.items()}, assign=True)
    return module


def from_builtin(module: nn.RNNBase) -> tuple[str, dict[str, Tensor]]:
    """Return a module of torch.nn as the name of its cell and copies of its parameters, detached, by our names.

    The parameters do not depend on `batch_first` and `dropout`: what is made of them is time-major and drops nothing.

    Args:
        module: a torch.nn.RNN, LSTM or GRU.

    Raises:
        ArgumentError: it is something else.
    """
    if not isinstance(module, nn.RNNBase):
        raise ArgumentError("module", type(module).__name__, "a torch.nn.RNN, LSTM or GRU")
    names = param_names(module.num_layers, module.bidirectional, module.bias, projection=module.proj_size > 0)
    return module.mode.lower(), {name: getattr(module, NAMES[name]).detach().clone() for name in names}


def _options(params: Mapping[str, Tensor]) -> tuple[int, bool, bool, bool]:
    """Return the number of layers, and whether there are two directions, biases and projections, by the names."""
    layers = sum(name.startswith("W_hh") and not name.endswith("_reverse") for name in params)
    bidirectional = any(name.endswith("_reverse") for name in params)
    bias = any(name.startswith("b_") for name in params)
    projected = any(name.startswith("W_hr") for name in params)
    wanted = param_names(max(layers, 1), bidirectional, bias, projection=projected)
    if set(params) != set(wanted):
        got = ", ".join(params) or "none"
        raise ArgumentError(
            "params",
            got,
            "W_xh, W_hh, and both of b_xh and b_hh or none, for each layer and direction, and W_hr or not",
        )
    return layers, bidirectional, bias, projected


def _check(
    num_gates: int, num_layers: int, bidirectional: bool, bias: bool, projected: bool, params: Mapping[str, Tensor]
) -> tuple[int, int]:
    """Check the shapes, dtypes and devices of a stack's parameters, and return H and P, which is 0 if not projected."""
    W_hh, W_xh = params["W_hh"], params["W_xh"]
    check_tensor("W_hh", W_hh, ("G*H", "P" if projected else "H"))
    H, P = W_hh.shape[1], 0
    if projected:
        check_tensor("W_hr", params["W_hr"], ("P", "H"), like=W_hh)
        P, H = params["W_hr"].shape
        if P >= H:
            raise ArgumentError("W_hr", f"shape {(P, H)}", "fewer rows than columns: torch.nn projects to less only")
    check_tensor("W_hh", W_hh, (num_gates * H, P or H))
    check_tensor("W_xh", W_xh, (num_gates * H, "I"), like=W_hh)
    shapes = param_shapes(num_gates, W_xh.shape[1], H, num_layers, bidirectional, bias, proj_size=P)
    for name, shape in shapes.items():
        check_tensor(name, params[name], shape, like=W_hh)
    return H, P
