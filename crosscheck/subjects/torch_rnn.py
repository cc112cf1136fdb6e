"""The twin in PyTorch, from primitive operations, as a subject: autograd does the backward."""

from __future__ import annotations

from typing import Any

import torch
from torch.func import functional_call

from crosscheck.case import Case
from crosscheck.subject import subject
from crosscheck.subjects import torch_case
from torch_rnn import Readout, Recurrent


@subject(**torch_case.SUPPORTED)
def torch_rnn(case: Case) -> dict[str, Any]:
    """Return every output and gradient of a case, computed by `torch_rnn`."""
    return torch_case.results(case, _outputs)


def _outputs(case: Case, tensors: dict[str, torch.Tensor]) -> torch_case.Outputs:
    spec = case.spec
    cell = spec.cell if spec.reset_after else f"{spec.cell}_reset_before"
    with torch.device("meta"):  # the parameters come from the case
        layer = Recurrent(
            cell,
            spec.input_size,
            spec.hidden_size,
            bias=spec.bias,
            dtype=tensors["x"].dtype,
            num_layers=spec.num_layers,
            bidirectional=spec.bidirectional,
        )
    params = {name: tensors[name] for name in case.params if name not in ("W_hy", "b_y")}
    states_0 = tuple(tensors[f"{name}_0"] for name in spec.states)
    y, *states_n = functional_call(layer, params, (tensors["x"], *states_0), {"lengths": case.lengths})
    if spec.output_size:
        with torch.device("meta"):
            readout = Readout(spec.h_size, spec.output_size, dtype=y.dtype)
        y = functional_call(readout, {"W_hy": tensors["W_hy"], "b_y": tensors["b_y"]}, (y,))
    return {"y": y} | {f"{name}_n": state for name, state in zip(spec.states, states_n, strict=True)}
