"""The textbook equations as scalar loops: the third implementation. It shares no code with the other two.

Every number is handled by itself, with `+ - * /`, `exp`, `tanh` and comparison, so it may be of any type: a ball, a
dual number, a fraction. Time, batch, layers and units are written out. Gates come in torch's order, i f g o and r z n;
row k of a weight matrix belongs to unit k mod H of gate k div H. References: Elman, Cognitive Science 14 (1990), for
the plain cell; Gers, Schmidhuber & Cummins, Neural Computation 12 (2000), section 2, for the LSTM; Cho et al., EMNLP
2014, equations 5 to 8, for the GRU, whose h = z h_prev + (1 - z) n is written so here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from crosscheck.case import Case, suffix
from crosscheck.referee.numbers.dual import Dual

Number = Any
Vector = list[Number]


def outputs(case: Case) -> dict[str, Any]:
    """Return y, h_n, c_n and the loss of a case, as object arrays of its numbers.

    Args:
        case: the problem, its arrays of any number type; see `Case.lift`.
    """
    spec, a = case.spec, case.arrays
    y, h_n, c_n = [], [], []
    for b in range(case.B):
        steps = case.T if case.lengths is None else case.lengths[b]
        sequence, h, c = _stack(case, b, [list(a["x"][t][b]) for t in range(steps)])
        if spec.output_size:
            sequence = [_affine(a["W_hy"], h_t, a["b_y"]) for h_t in sequence]
        y.append(sequence + [[0] * spec.y_size] * (case.T - steps))
        h_n.append(h)
        c_n.append(c)
    runs = range(len(spec.runs))
    results = {"y": _array([[y[b][t] for b in range(case.B)] for t in range(case.T)])}
    results["h_n"] = _array([[h_n[b][k] for b in range(case.B)] for k in runs])
    if spec.cell == "lstm":
        results["c_n"] = _array([[c_n[b][k] for b in range(case.B)] for k in runs])
    if spec.loss != "none":
        results["loss"] = _array(_loss(spec.loss, y, a["target"]))
    return results


def objective(case: Case) -> Number:
    """Return the number whose gradients are wanted: the loss, or the outputs weighted with their cotangents."""
    return weighted(case, outputs(case))


def weighted(case: Case, results: Mapping[str, Any]) -> Number:
    """Return `objective` from what `outputs` returned for the case."""
    if case.spec.loss != "none":
        return results["loss"][()]
    total = 0
    for name, output in results.items():
        for index in np.ndindex(output.shape):
            total = output[index] * case.arrays[f"d{name}"][index] + total
    return total


def values(case: Case) -> dict[str, Any]:
    """Return every output and every gradient as float64, one dual number a time: slow, and independent of all else."""
    case = case.lift(lambda array: np.asarray(array, dtype=np.float64))
    results = {name: np.asarray(output, dtype=np.float64) for name, output in outputs(case).items()}
    for name in case.result_shapes:
        of = name.removeprefix("d")
        if name in results or of not in case.arrays:
            continue
        gradient = np.empty(np.shape(case.arrays[of]))
        for index in np.ndindex(gradient.shape):
            lifted = np.array(case.arrays[of], dtype=object)
            lifted[index] = Dual(lifted[index], 1.0)
            total = objective(replace(case, arrays={**case.arrays, of: lifted}))
            gradient[index] = total.d if isinstance(total, Dual) else 0.0
        results[name] = gradient
    return results


def _stack(case: Case, b: int, sequence: list[Vector]) -> tuple[list[Vector], list[Vector], list[Vector]]:
    """Return the last layer's output for sequence b of the batch, and the final states of each layer and direction."""
    spec, a = case.spec, case.arrays
    h_n: list[Vector] = []
    c_n: list[Vector] = []
    for layer in range(spec.num_layers):
        halves = []
        for reverse in (False, True) if spec.bidirectional else (False,):
            end = suffix(layer, reverse)
            layer_params = {name: a[name + end] for name in ("W_xh", "W_hh", "b_xh", "b_hh") if name + end in a}
            h, c = list(a["h_0"][len(h_n)][b]), list(a["c_0"][len(h_n)][b]) if "c_0" in a else []
            half: list[Vector] = [[] for _ in sequence]
            for t in range(len(sequence))[:: -1 if reverse else 1]:
                h, c = _step(spec.cell, spec.reset_after, layer_params, sequence[t], h, c)
                half[t] = h
            halves.append(half)
            h_n.append(h)
            c_n.append(c)
        sequence = [[u for half in halves for u in half[t]] for t in range(len(sequence))]
    return sequence, h_n, c_n


def _step(
    cell: str, reset_after: bool, a: Mapping[str, Any], x: Sequence[Number], h: Vector, c: Vector
) -> tuple[Vector, Vector]:
    """Return the next hidden and cell state of one sequence in one layer and direction, whose parameters are `a`."""
    H = len(h)
    zero = [0] * len(a["W_xh"])
    from_x = _affine(a["W_xh"], x, a.get("b_xh", zero))
    from_h = _affine(a["W_hh"], h, a.get("b_hh", zero))
    gate = [u + w for u, w in zip(from_x, from_h, strict=True)]
    units = range(H)
    if cell == "rnn_tanh":
        return [_tanh(gate[k]) for k in units], c
    if cell == "rnn_relu":
        return [gate[k] if gate[k] > 0 else gate[k] * 0 for k in units], c
    if cell == "lstm":
        new_c = [_sigmoid(gate[H + k]) * c[k] + _sigmoid(gate[k]) * _tanh(gate[2 * H + k]) for k in units]
        return [_sigmoid(gate[3 * H + k]) * _tanh(new_c[k]) for k in units], new_c
    reset, update = [_sigmoid(gate[k]) for k in units], [_sigmoid(gate[H + k]) for k in units]
    if reset_after:
        inner = [reset[k] * from_h[2 * H + k] for k in units]
    else:
        kept = [reset[k] * h[k] for k in units]
        inner = _affine(a["W_hh"][2 * H :], kept, a.get("b_hh", zero)[2 * H :])
    new = [_tanh(from_x[2 * H + k] + inner[k]) for k in units]
    return [update[k] * h[k] + (1 - update[k]) * new[k] for k in units], c


def _affine(W: Any, x: Sequence[Number], b: Sequence[Number]) -> Vector:
    return [sum((w * u for w, u in zip(row, x, strict=True)), start=b_k) for row, b_k in zip(W, b, strict=True)]


def _loss(name: str, y: list[list[Vector]], target: Any) -> Number:
    """Return the loss of y[b][t] against target[t][b]."""
    total, steps, width = 0, len(y) * len(y[0]), len(y[0][0])
    for b, sequence in enumerate(y):
        for t, y_t in enumerate(sequence):
            wanted = target[t][b]
            if name == "cross_entropy":
                log_sum = _log(sum(_exp(u) for u in y_t))
                total = sum(((log_sum - u) * w for u, w in zip(y_t, wanted, strict=True)), start=total)
            else:
                total = sum(((u - w) * (u - w) for u, w in zip(y_t, wanted, strict=True)), start=total)
    return total / {"half_squared_error": 2, "mse": steps * width, "cross_entropy": steps}[name]


def _sigmoid(z: Number) -> Number:
    return 1 / (1 + _exp(-z))


def _exp(z: Number) -> Number:
    return np.exp(z)


def _log(z: Number) -> Number:
    return np.log(z)


def _tanh(z: Number) -> Number:
    return np.tanh(z)


def _array(nested: Any) -> Any:
    """Return nested lists of numbers as an object array."""
    return np.array(nested, dtype=object)
