"""ONNX Runtime's RNN, LSTM and GRU as a subject: a model made for the case, with a node for each layer; forward only.

Its gates are i o f c and z r h, its peepholes i o f, and the biases of a direction are one vector, b_xh before b_hh.
Coupled gates leave the rows of f unread.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from crosscheck.axes import in_axes, time_major
from crosscheck.case import Case
from crosscheck.implementation import subject
from crosscheck.regimes import REGIMES
from crosscheck.spec import Spec, suffix

OPERATORS = {"rnn_tanh": "RNN", "rnn_relu": "RNN", "lstm": "LSTM", "gru": "GRU"}
ORDERS = {"rnn_tanh": "h", "rnn_relu": "h", "lstm": "iofg", "gru": "zrn"}
"""The gates in ONNX's order, by our names."""
OURS = {"rnn_tanh": "h", "rnn_relu": "h", "lstm": "ifgo", "gru": "rzn"}
PEEPHOLES = "iof"
JOIN = {"concat": (0, 0, -1), "sum": (1,)}
"""The shape that joins directions to a Reshape, where 0 is a size that stays; the axis that a ReduceSum takes away."""
OPSET, IR_VERSION = 22, 10


def outputs(case: Case) -> dict[str, Any]:
    """Return y, h_n and c_n of a case, computed by ONNX Runtime; clipped too, which not all cells are as here."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    axes, case = case.spec.axes, time_major(case)
    session = onnxruntime.InferenceSession(model(case).SerializeToString(), options, providers=["CPUExecutionProvider"])
    y, *states = session.run(None, {"x": np.ascontiguousarray(case.x)})
    returned = {"y": y} | {f"{name}_n": state for name, state in zip(case.spec.states, states, strict=True)}
    return in_axes(returned, axes)


def model(case: Case) -> onnx.ModelProto:
    """Return the model of a time-major case: x (T, B, I) in, y (T, B, D*H or H) and states (L*D, B, H) out."""
    spec = case.spec
    nodes, constants = [], []
    for layer in range(spec.num_layers):
        tensors = dict(_tensors(case, layer))
        constants += [numpy_helper.from_array(array, f"{name}_{layer}") for name, array in tensors.items()]
        inputs = [f"{name}_{layer}" if name in tensors else "" for name in ("W", "R", "B", "lens", "h", "c", "P")]
        inputs = inputs if spec.cell == "lstm" else inputs[:5]
        states = [f"{name}_n_{layer}" for name in spec.states]
        nodes += [
            helper.make_node(
                OPERATORS[spec.cell],
                [f"y_{layer - 1}" if layer else "x", *inputs],
                [f"Y_{layer}", *states],
                **_attributes(spec),
            ),
            *_joined(spec, f"Y_{layer}", f"y_{layer}"),
        ]
    nodes += [
        helper.make_node("Concat", [f"{name}_n_{layer}" for layer in range(spec.num_layers)], [f"{name}_n"], axis=0)
        for name in spec.states
    ]
    nodes.append(helper.make_node("Identity", [f"y_{spec.num_layers - 1}"], ["y"]))
    constants.append(numpy_helper.from_array(np.array(JOIN[spec.merge], np.int64), spec.merge))

    number = helper.np_dtype_to_tensor_dtype(case.array_dtype)
    outputs = ("y", *(f"{name}_n" for name in spec.states))
    graph = helper.make_graph(
        nodes,
        "layers",
        [helper.make_tensor_value_info("x", number, (case.T, case.B, spec.input_size))],
        [helper.make_tensor_value_info(name, number, (None, None, None)) for name in outputs],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def _attributes(spec: Spec) -> dict[str, Any]:
    directions = 2 if spec.bidirectional else 1
    attributes: dict[str, Any] = {
        "hidden_size": spec.hidden_size,
        "direction": "bidirectional" if spec.bidirectional else "forward",
    }
    if spec.clip:
        attributes["clip"] = spec.clip
    if spec.cell == "rnn_relu":
        attributes["activations"] = ["Relu"] * directions
    if spec.cell == "lstm":
        attributes["input_forget"] = int(spec.coupled)
    if spec.cell == "gru":
        attributes["linear_before_reset"] = int(spec.reset_after)
    return attributes


def _joined(spec: Spec, Y: str, y: str) -> list[onnx.NodeProto]:
    """Return the nodes that make y (T, B, D*H), or (T, B, H) where directions are summed, of Y (T, D, B, H)."""
    if spec.merge == "sum":
        return [helper.make_node("ReduceSum", [Y, "sum"], [y], keepdims=0)]
    return [
        helper.make_node("Transpose", [Y], [f"{Y}_by_step"], perm=[0, 2, 1, 3]),
        helper.make_node("Reshape", [f"{Y}_by_step", "concat"], [y]),
    ]


def _tensors(case: Case, layer: int) -> Iterator[tuple[str, Any]]:
    """Yield the constants of a layer by ONNX's names, those of the directions one after the other."""
    spec = case.spec
    ends = [suffix(layer, reverse) for of, reverse in spec.runs if of == layer]

    def gates(array: Any) -> Any:
        """Return what has G*H rows with ONNX's order of gates."""
        ours = OURS[spec.cell].replace("f", "") if spec.coupled else OURS[spec.cell]
        rows = dict(zip(ours, np.split(array, len(ours)), strict=True))
        return np.concatenate([rows[gate] if gate in rows else 0 * rows["i"] for gate in ORDERS[spec.cell]])

    def both(name: str) -> Any:
        return np.stack([gates(case.params[name + end]) for end in ends])

    yield "W", both("W_xh")
    yield "R", both("W_hh")
    if spec.bias:
        yield "B", np.concatenate([both("b_xh"), both("b_hh")], axis=1)
    if spec.peephole:
        names = [f"p_{gate}" for gate in PEEPHOLES]
        absent = np.zeros(spec.hidden_size, case.array_dtype)  # p_f, of coupled gates
        yield "P", np.stack([np.concatenate([case.params.get(name + end, absent) for name in names]) for end in ends])
    if case.lengths is not None:
        yield "lens", np.array(case.lengths, np.int32)
    for name in spec.states:
        yield name, case.arrays[f"{name}_0"][layer * len(ends) : (layer + 1) * len(ends)]


BOTH = (False, True)
OPTIONS: dict[str, Any] = {
    "dtype": "float32",  # there are no kernels for float64
    # its sigmoid is right to 3u, but not to 6u of itself where it is small, which shows in the other two regimes
    "regime": tuple(regime for regime in REGIMES if regime not in ("saturated", "large_inputs")),
    "num_layers": (1, 2, 3),
    "bidirectional": BOTH,
    "merge": ("concat", "sum"),
    "axes": ("TB", "BT", "T"),
    "lengths": ("none", "positive"),  # the final states of a sequence of length 0 are 0, not the initial ones
    "bias": BOTH,
    "reset_after": BOTH,
    "peephole": BOTH,
    "coupled": BOTH,
}


# without rnn_tanh: its tanh is right to 3u, but not to 6u of itself near 0
@subject(cell=("rnn_relu", "lstm", "gru"), **OPTIONS)
def onnxruntime_rnn(case: Case) -> dict[str, Any]:
    """Return the outputs of a case."""
    return outputs(case)
