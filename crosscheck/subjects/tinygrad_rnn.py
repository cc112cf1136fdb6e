"""tinygrad's LSTM cell in layers and directions, as a subject: its autograd does the backward.

Its parameters are ours under other names. Where it finds no compiler for any device, it runs on the one that it has in
Python.
"""

from __future__ import annotations

from typing import Any

from tinygrad import Context, Device, Tensor, dtypes
from tinygrad.nn import LSTMCell

from crosscheck.axes import in_axes, time_major
from crosscheck.case import Case
from crosscheck.implementation import subject
from crosscheck.spec import suffix

FIELDS = {"W_xh": "weight_ih", "W_hh": "weight_hh", "b_xh": "bias_ih", "b_hh": "bias_hh"}


def _outputs(case: Case, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return y, h_n and c_n by name."""
    spec = case.spec
    x, h_0, c_0 = (tensors[name] for name in ("x", "h_0", "c_0"))
    steps = [x[t] for t in range(case.T)]
    halves: list[Any] = []
    h_n: list[Tensor] = []
    c_n: list[Tensor] = []
    for k, (layer, reverse) in enumerate(spec.runs):
        if not reverse:
            inputs, halves = steps, []
        cell, end = LSTMCell(inputs[0].shape[-1], spec.hidden_size, spec.bias), suffix(layer, reverse)
        for ours, field in FIELDS.items():
            setattr(cell, field, tensors.get(f"{ours}{end}"))
        h, c, half = h_0[k], c_0[k], [None] * case.T
        for t in reversed(range(case.T)) if reverse else range(case.T):
            h, c = cell(inputs[t], (h, c))
            half[t] = h
        h_n.append(h)
        c_n.append(c)
        halves.append(half)
        pairs = zip(*halves, strict=True)
        steps = [sum(pair[1:], start=pair[0]) if spec.merge == "sum" else Tensor.cat(*pair, dim=-1) for pair in pairs]
    return {"y": Tensor.stack(*steps), "h_n": Tensor.stack(*h_n), "c_n": Tensor.stack(*c_n)}


@subject(
    cell="lstm",
    dtype=("float64", "float32"),
    num_layers=(1, 2),
    bidirectional=(False, True),
    merge=("concat", "sum"),
    axes=("TB", "BT", "T"),
    bias=(True, False),
    max_T=2,  # each case is compiled anew, or takes long in Python
    max_B=2,
    max_I=2,
    max_H=2,
)
def tinygrad_rnn(case: Case) -> dict[str, Any]:
    """Return every output and gradient of a case."""
    axes, case = case.spec.axes, time_major(case)
    dtype = getattr(dtypes, case.dtype)
    with Context(DEV=_device()):
        tensors = {name: Tensor(array, dtype=dtype) for name, array in case.arrays.items()}
        leaves = {name: tensors[name] for name in case.input_names}
        outputs = _outputs(case, tensors)
        terms = [(tensors[f"d{name}"] * output).sum() for name, output in outputs.items()]
        gradients = sum(terms[1:], start=terms[0]).gradient(*leaves.values())
        results = outputs | {f"d{name}": gradient for name, gradient in zip(leaves, gradients, strict=True)}
        return in_axes({name: result.numpy() for name, result in results.items()}, axes)


def _device() -> str:
    try:
        return str(Device.DEFAULT)
    except RuntimeError:  # no usable devices
        return "PYTHON"
