"""Every cell against its equations as scalar loops, differentiated by the complex step: no torch, no autograd."""

from __future__ import annotations

import cmath
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from torch_rnn import CELLS

STEP = 2.0**-600  # multiplying by it is exact and its square is 0, so the imaginary part is the derivative, rounded

Row = list[complex]
Nested = Any  # numbers in lists in lists


def sigmoid(a: complex) -> complex:
    return 1 / (1 + cmath.exp(-a))


def relu(a: complex) -> complex:
    return a if a.real > 0 else 0j


def step(cell: str, p: dict[str, Nested], x: Row, h: Row, c: Row) -> tuple[Row, Row]:
    H = len(h)

    def share(W: list[Row], b: Row, k: int, v: Row) -> complex:
        return sum((w * u for w, u in zip(W[k], v, strict=True)), b[k])

    def a(gate: int, j: int, v: Row) -> complex:
        k = gate * H + j
        return share(p["W_xh"], p["b_xh"], k, x) + share(p["W_hh"], p["b_hh"], k, v)

    units = range(H)
    if cell in ("rnn_tanh", "rnn_relu"):
        f = cmath.tanh if cell == "rnn_tanh" else relu
        return [f(a(0, j, h)) for j in units], c
    if cell == "lstm":
        c = [sigmoid(a(1, j, h)) * c[j] + sigmoid(a(0, j, h)) * cmath.tanh(a(2, j, h)) for j in units]
        return [sigmoid(a(3, j, h)) * cmath.tanh(c[j]) for j in units], c
    r = [sigmoid(a(0, j, h)) for j in units]
    z = [sigmoid(a(1, j, h)) for j in units]
    if cell == "gru":
        q = [share(p["W_hh"], p["b_hh"], 2 * H + j, h) for j in units]
        n = [cmath.tanh(share(p["W_xh"], p["b_xh"], 2 * H + j, x) + r[j] * q[j]) for j in units]
    else:
        s = [r[j] * h[j] for j in units]
        n = [cmath.tanh(a(2, j, s)) for j in units]
    return [(1 - z[j]) * n[j] + z[j] * h[j] for j in units], c


def loop(cell: str, case: dict[str, Nested]) -> dict[str, Nested]:
    B = len(case["h_0"][0])
    h, c = case["h_0"][0], case["c_0"][0] if cell == "lstm" else [[]] * B
    y = []
    for x_t in case["x"]:
        after = [step(cell, case, x_t[b], h[b], c[b]) for b in range(B)]
        h, c = [states[0] for states in after], [states[1] for states in after]
        y.append(h)
    return {"y": y, "h_n": [h]} | ({"c_n": [c]} if cell == "lstm" else {})


def tensor(values: Nested) -> Tensor:
    return torch.tensor(values, dtype=torch.complex128)


def reference(cell: str, case: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return outputs and gradients, one scalar of the inputs at a time."""
    values: dict[str, Nested] = {name: array.tolist() for name, array in case.items()}
    results = {name: tensor(output).real for name, output in loop(cell, values).items()}
    for name, array in case.items():
        if name.startswith("d"):
            continue
        gradient = torch.empty_like(array)
        for k in range(array.numel()):
            nudged = array.to(torch.complex128)
            nudged.view(-1)[k] += STEP * 1j
            outputs = loop(cell, values | {name: nudged.tolist()})
            loss = sum((tensor(output) * case[f"d{out}"]).sum() for out, output in outputs.items())
            gradient.view(-1)[k] = torch.as_tensor(loss).imag / STEP
        results[f"d{name}"] = gradient
    return results


size = st.integers(1, 2)


@pytest.mark.parametrize("cell", CELLS)
@given(T=st.integers(1, 3), B=size, I=size, H=size, seed=st.integers(0, 2**32 - 1))
def test_cell_is_its_equations(
    draw: Callable[..., dict[str, Tensor]],
    run: Callable[..., dict[str, Tensor]],
    assert_agree: Callable[..., None],
    cell: str,
    T: int,
    B: int,
    I: int,
    H: int,
    seed: int,
) -> None:
    case = draw(cell, T, B, I, H, True, seed)
    assert_agree(run(cell, case), reference(cell, case), case)


def test_a_wrong_reset_is_caught(
    draw: Callable[..., dict[str, Tensor]], run: Callable[..., dict[str, Tensor]], assert_agree: Callable[..., None]
) -> None:
    case = draw("gru", 2, 1, 2, 2, True, 1)
    assert_agree(run("gru", case), reference("gru", case), case)
    with pytest.raises(AssertionError, match=r"^y is off by"):
        assert_agree(run("gru_reset_before", case), reference("gru", case), case)
