"""torch.nn through `torch.compile` as a subject: the graph of the forward pass, and that of its backward.

Inductor makes C++ of both where there is a compiler for it; elsewhere they run as graphs of torch's own operations.
Each case is compiled anew, so the cases are small.
"""

from __future__ import annotations

import os
import shutil
from functools import partial
from typing import Any

import torch
from torch.func import functional_call

from crosscheck.case import Case
from crosscheck.implementation import subject, two_steps
from crosscheck.subjects import torch_case
from crosscheck.subjects.torch_builtin import OPTIONS, outputs

BACKEND = "inductor" if shutil.which(os.environ.get("CXX", "g++")) else "aot_eager"


def forward(case: Case) -> tuple[dict[str, Any], Any]:
    """Return the outputs of a case, and what `torch_case.backward` needs."""
    return torch_case.forward(case, partial(outputs, call=_compiled))


def _compiled(module: torch.nn.Module, params: dict[str, torch.Tensor], arguments: tuple[Any, ...]) -> Any:
    """Return what a module returns, compiled as one graph; without `allow_rnn`, torch leaves its RNNs uncompiled."""
    torch.compiler.reset()
    with torch._dynamo.config.patch(allow_rnn=True):
        return torch.compile(partial(functional_call, module), backend=BACKEND, fullgraph=True, dynamic=False)(
            params, arguments
        )


SIZES = {"max_T": 3, "max_B": 2, "max_I": 2, "max_H": 3, "num_layers": (1, 2), "lengths": "none"}
torch_compile = subject(**OPTIONS | SIZES | {"dtype": ("float64", "float32")})(
    two_steps("torch_compile", forward, torch_case.backward)
)
