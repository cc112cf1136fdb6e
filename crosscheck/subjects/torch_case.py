"""A case in torch, in two steps: its arrays as leaves and the objective; then autograd's gradients by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from crosscheck.case import Case
from crosscheck.strategies import EVERYTHING
from torch_rnn import losses

Outputs = Mapping[str, torch.Tensor]
SUPPORTED = {name: values for name, values in EVERYTHING.items() if name != "dtype"}
"""What torch supports. Of dtypes nothing is said: float64 and float32 are drawn, the short formats if asked for."""


def forward(
    case: Case, outputs: Callable[[Case, dict[str, torch.Tensor]], Outputs]
) -> tuple[dict[str, Any], tuple[torch.Tensor, dict[str, torch.Tensor]]]:
    """Return the outputs of a case; the objective, and the tensors to differentiate it by.

    Args:
        case: the problem.
        outputs: computes y, h_n and c_n from the tensors of the case by name.
    """
    dtype = getattr(torch, case.dtype)
    tensors = {name: tensor_of(array).to(dtype) for name, array in case.arrays.items()}
    leaves = {name: tensors[name].requires_grad_() for name in case.input_names}
    computed = dict(outputs(case, tensors))
    if case.spec.loss == "none":
        objective = sum((tensors[f"d{name}"] * output).sum() for name, output in computed.items())
    else:
        loss = losses.LOSSES[case.spec.loss]
        objective = computed["loss"] = loss(
            computed["y"], tensors["target"], lengths=case.lengths, mean=case.spec.mean_over, axes=case.spec.axes
        )
    assert isinstance(objective, torch.Tensor)
    return {name: array_of(tensor.detach()) for name, tensor in computed.items()}, (objective, leaves)


def backward(memory: tuple[torch.Tensor, dict[str, torch.Tensor]], case: Case) -> dict[str, Any]:  # noqa: ARG001
    """Return every gradient of a case."""
    objective, leaves = memory
    gradients = torch.autograd.grad(objective, list(leaves.values()), retain_graph=True)
    return {f"d{name}": array_of(gradient) for name, gradient in zip(leaves, gradients, strict=True)}


def tensor_of(array: Any) -> torch.Tensor:
    """Return an array as a tensor in the same memory, where torch can: not with negative strides, nor read-only."""
    shared = array.flags.writeable and min(array.strides, default=0) >= 0
    return torch.from_numpy(array if shared else array.copy(order="C"))


def array_of(tensor: torch.Tensor) -> Any:
    """Return a tensor as an array; bfloat16, which NumPy has not, as float32."""
    return (tensor.float() if tensor.dtype is torch.bfloat16 else tensor).numpy()
