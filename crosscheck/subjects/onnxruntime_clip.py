"""ONNX Runtime with its attribute `clip`, of the cells where it does what ONNX says.

Its LSTM is left out: ONNX has the input of every activation clipped, and there tanh(c) sees c unclipped.
"""

from __future__ import annotations

from typing import Any

from crosscheck.case import Case
from crosscheck.implementation import subject
from crosscheck.subjects.onnxruntime_rnn import OPTIONS, outputs


@subject(cell=("rnn_relu", "gru"), clip=True, **OPTIONS)
def onnxruntime_clip(case: Case) -> dict[str, Any]:
    """Return the outputs of a case."""
    return outputs(case)
