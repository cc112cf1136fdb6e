"""The twin in PyTorch, from primitive operations, as a subject: autograd does the backward."""

from __future__ import annotations

from typing import Any

import torch
from torch.func import functional_call

from crosscheck.case import Case
from crosscheck.implementation import subject, two_steps
from crosscheck.subjects import torch_case
from torch_rnn import Readout, Recurrent


def forward(case: Case) -> tuple[dict[str, Any], Any]:
    """Return the outputs of a case, computed by `torch_rnn`, and what `torch_case.backward` needs."""
    return torch_case.forward(case, _outputs)


def _outputs(case: Case, tensors: dict[str, torch.Tensor]) -> torch_case.Outputs:
    spec = case.spec
    with torch.device("meta"):  # the parameters come from the case
        layer = Recurrent(
            spec.cell if spec.reset_after else f"{spec.cell}_reset_before",
            spec.input_size,
            spec.hidden_size,
            bias=spec.bias,
            dtype=tensors["x"].dtype,
            num_layers=spec.num_layers,
            bidirectional=spec.bidirectional,
            peephole=spec.peephole,
            coupled=spec.coupled,
            forget_bias=spec.forget_bias,
            clip=spec.clip or None,
            proj_size=spec.proj_size,
            attention=spec.attention,
            merge=spec.merge,
        )
    options = {
        "lengths": case.lengths,
        "masks": list(tensors.get("dropout", ())),
        "recurrent": tensors.get("recurrent"),
        "zoneout": [tensors[f"zoneout_{name}"] for name in spec.states if f"zoneout_{name}" in tensors],
        "attention": tensors.get("attention"),
        "axes": spec.axes,
        "truncate": spec.truncate,
    }
    states_0 = tuple(tensors[f"{name}_0"] for name in spec.states)
    params = {name: tensors[name] for name in case.layer_params}
    y, *states_n = functional_call(layer, params, (tensors["x"], *states_0), options)
    if spec.output_size:
        with torch.device("meta"):
            readout = Readout(spec.h_size, spec.output_size, dtype=y.dtype)
        given = {"lengths": case.lengths, "axes": spec.axes}
        y = functional_call(readout, {"W_hy": tensors["W_hy"], "b_y": tensors["b_y"]}, (y,), given)
    return {"y": y} | {f"{name}_n": state for name, state in zip(spec.states, states_n, strict=True)}


torch_rnn = subject(**torch_case.SUPPORTED)(two_steps("torch_rnn", forward, torch_case.backward))
