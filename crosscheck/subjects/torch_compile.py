"""torch.nn through `torch.compile` as a subject: the graph of the forward pass, and that of its backward.

Inductor makes C++ of both where there is a compiler for it; elsewhere they run as graphs of torch's own operations.
"""

from __future__ import annotations

import os
import shutil
from typing import Any

import torch

from crosscheck.case import Case
from crosscheck.subject import subject, two_steps
from crosscheck.subjects import torch_case
from crosscheck.subjects.torch_builtin import OPTIONS, module_outputs

COMPILER = shutil.which(os.environ.get("CXX", "g++"))
BACKEND = "inductor" if COMPILER else "aot_eager"


def forward(case: Case) -> tuple[dict[str, Any], Any]:
    """Return the outputs of a case, and what `torch_case.backward` needs."""
    return torch_case.forward(case, _outputs)
