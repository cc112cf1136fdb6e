"""Keras' layers, on torch, as a subject: autograd does the backward.

Its kernels are the transposes of our matrices, its gates i f c o and z r h. There is one bias, the sum of ours, except
in a GRU that resets after the product, which has the two as rows. It is batch-first, and what it returns for the steps
after a sequence's own last one is no zero; it is made one here.
"""

from __future__ import annotations

import os
from typing import Any

import torch

os.environ.setdefault("KERAS_BACKEND", "torch")  # it is chosen once, where Keras is imported
import keras

from crosscheck.axes import in_axes, time_major
from crosscheck.case import Case
from crosscheck.implementation import subject, two_steps
from crosscheck.regimes import REGIMES
from crosscheck.spec import Spec, suffix
from crosscheck.subjects import torch_case

ORDERS = {"rnn_tanh": (0,), "rnn_relu": (0,), "lstm": (0, 1, 2, 3), "gru": (1, 0, 2)}
"""Keras' gates, as places in our order."""


def forward(case: Case) -> tuple[dict[str, Any], Any]:
    """Return the outputs of a case, and what `torch_case.backward` needs."""
    outputs, memory = torch_case.forward(time_major(case), _outputs)
    return in_axes(outputs, case.spec.axes), memory


def backward(memory: Any, case: Case) -> dict[str, Any]:
    """Return every gradient of a case."""
    return in_axes(torch_case.backward(memory, case), case.spec.axes)


def _outputs(case: Case, tensors: dict[str, torch.Tensor]) -> torch_case.Outputs:
    spec = case.spec
    y = tensors["x"].swapaxes(0, 1)
    halves: list[Any] = []
    after: list[Any] = []
    lengths = torch.tensor((case.T,) * case.B if case.lengths is None else case.lengths)
    running = torch.arange(case.T) < lengths[:, None]
    for k, (layer, reverse) in enumerate(spec.runs):
        if not reverse:
            x, halves = y, []
        keras_layer = _layer(spec, case.dtype, reverse)
        keras_layer.build(x.shape)
        (half, *state), _ = keras_layer.stateless_call(
            _weights(spec, tensors, suffix(layer, reverse)),
            keras_layer.non_trainable_variables,
            x,
            mask=running if case.lengths is not None else None,
            initial_state=[tensors[f"{name}_0"][k] for name in spec.states],
        )
        half = half.flip(1) if reverse else half
        halves.append(torch.where(running[..., None], half, 0))
        after.append(state)
        y = sum(halves[1:], start=halves[0]) if spec.merge == "sum" else torch.cat(halves, dim=-1)
    finals = zip(spec.states, zip(*after, strict=True), strict=True)
    return {"y": y.swapaxes(0, 1), **{f"{name}_n": torch.stack(states) for name, states in finals}}


def _layer(spec: Spec, dtype: str, reverse: bool) -> Any:
    """Return Keras' layer, with no weights yet."""
    options = {
        "use_bias": spec.bias,
        "return_sequences": True,
        "return_state": True,
        "go_backwards": reverse,
        "dtype": dtype,
    }
    if spec.cell == "lstm":
        return keras.layers.LSTM(spec.hidden_size, **options)
    if spec.cell == "gru":
        return keras.layers.GRU(spec.hidden_size, reset_after=spec.reset_after, **options)
    return keras.layers.SimpleRNN(spec.hidden_size, activation=spec.cell.removeprefix("rnn_"), **options)


def _weights(spec: Spec, tensors: dict[str, torch.Tensor], end: str) -> list[torch.Tensor]:
    """Return the kernel, the recurrent kernel and the bias of one layer and direction."""

    def gates(name: str) -> torch.Tensor:
        rows = tensors[f"{name}{end}"].chunk(len(ORDERS[spec.cell]))
        return torch.cat([rows[place] for place in ORDERS[spec.cell]])

    weights = [gates("W_xh").T, gates("W_hh").T]
    if spec.bias:
        two = spec.cell == "gru" and spec.reset_after
        weights.append(torch.stack([gates("b_xh"), gates("b_hh")]) if two else gates("b_xh") + gates("b_hh"))
    return weights


keras_rnn = subject(
    cell=tuple(ORDERS),
    dtype="float32",  # of float64, `keras.ops.matmul` makes float32
    num_layers=(1, 2, 3),
    bidirectional=(False, True),
    merge=("concat", "sum"),
    axes=("TB", "BT", "T"),
    lengths=("none", "positive", "zero"),
    regime=tuple(regime for regime in REGIMES if regime != "nan_padding"),  # what comes of it is NaN
    bias=(True, False),
    reset_after=(True, False),
)(two_steps("keras_rnn", forward, backward))
