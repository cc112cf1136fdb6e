"""A case in torch: its arrays as leaves, the objective, and autograd's gradients by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from crosscheck.case import Case
from crosscheck.strategies import EVERYTHING
from torch_rnn import losses

Outputs = Mapping[str, torch.Tensor]
SUPPORTED = {name: values for name, values in EVERYTHING.items() if name != "dtype"}
"""What torch supports. Of dtypes nothing is said: float64 and float32 are drawn, the short formats if asked for."""


def results(case: Case, outputs: Callable[[Case, dict[str, torch.Tensor]], Outputs]) -> dict[str, Any]:
    """Return every output and gradient of a case.

    Args:
        case: the problem.
        outputs: computes y, h_n and c_n from the tensors of the case by name.
    """
    dtype = getattr(torch, case.dtype)
    tensors = {name: torch.from_numpy(np.array(array)).to(dtype) for name, array in case.arrays.items()}
    leaves = {name: tensors[name].requires_grad_() for name in ("x", "h_0", "c_0", *case.params) if name in tensors}
    computed = dict(outputs(case, tensors))
    if case.spec.loss == "none":
        objective = sum((tensors[f"d{name}"] * output).sum() for name, output in computed.items())
    else:
        objective = computed["loss"] = losses.LOSSES[case.spec.loss](computed["y"], tensors["target"])
    assert isinstance(objective, torch.Tensor)
    gradients = torch.autograd.grad(objective, list(leaves.values()))
    computed |= {f"d{name}": gradient for name, gradient in zip(leaves, gradients, strict=True)}
    return {name: _array(tensor.detach()) for name, tensor in computed.items()}


def _array(tensor: torch.Tensor) -> Any:
    return (tensor.float() if tensor.dtype is torch.bfloat16 else tensor).numpy()  # NumPy has no bfloat16
