"""torch.nn.RNN, LSTM and GRU as a subject, with torch's own output layer behind them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch.func import functional_call
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from crosscheck.case import Case
from crosscheck.implementation import subject, two_steps
from crosscheck.subjects import torch_case
from torch_rnn.builtin import NAMES, to_builtin


def forward(case: Case) -> tuple[dict[str, Any], Any]:
    """Return the outputs of a case, computed by `torch.nn`, and what `torch_case.backward` needs."""
    return torch_case.forward(case, outputs)


def outputs(
    case: Case, tensors: dict[str, torch.Tensor], call: Callable[..., Any] = functional_call
) -> torch_case.Outputs:
    """Return y, h_n and c_n by name.

    Args:
        case: the problem.
        tensors: its arrays.
        call: module, parameters by name, arguments -> what the module returns for them.
    """
    spec = case.spec
    params = {name: tensors[name] for name in case.layer_params}
    module = to_builtin(spec.cell, params)
    module.batch_first = spec.axes == "BT"
    module.dropout = spec.dropout
    module.train(spec.train)
    # in place of its copies of the parameters, which have no gradient here
    named = {NAMES[name]: tensor for name, tensor in params.items()}
    states_0 = tuple(tensors[f"{name}_0"] for name in spec.states)
    x: torch.Tensor | PackedSequence = tensors["x"]
    if case.lengths is not None:
        lengths = torch.tensor(case.lengths)
        x = pack_padded_sequence(tensors["x"], lengths, batch_first=module.batch_first, enforce_sorted=False)
    with warnings.catch_warnings():  # that oneDNN has no projection in float32; PyTorch's own code has
        warnings.filterwarnings("ignore", message="LSTM with projections", category=UserWarning)
        y, states_n = call(module, named, (x, states_0 if len(states_0) > 1 else states_0[0]))
    states_n = states_n if len(states_0) > 1 else (states_n,)
    if case.lengths is not None:
        y, _ = pad_packed_sequence(y, batch_first=module.batch_first, total_length=case.T)
    if spec.output_size:
        y = torch.nn.functional.linear(y, tensors["W_hy"], tensors["b_y"])
    if spec.output_size and case.lengths is not None:
        running = torch.arange(case.T)[:, None] < lengths
        y = torch.where((running.T if module.batch_first else running)[..., None], y, 0)
    return {"y": y} | {f"{name}_n": state for name, state in zip(spec.states, states_n, strict=True)}


NOT_THERE = ("coupled", "forget_bias", "clip", "peephole", "attention", "recurrent_dropout", "zoneout", "truncate")
"""What torch.nn has not."""
OPTIONS = (
    torch_case.SUPPORTED
    | dict.fromkeys(NOT_THERE, False)
    | {"reset_after": True, "merge": "concat", "lengths": ("none", "positive"), "train": False}
)
"""Its dropout draws masks of its own, so it is asked about evaluation alone."""
torch_builtin = subject(**OPTIONS)(two_steps("torch_builtin", forward, torch_case.backward))
