"""Options that torch.nn has, against torch.nn: projection, batch first, no batch; and truncation of torch.nn itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils import rnn

from torch_rnn.truncation import States, truncated

Arrays = dict[str, Tensor]
Run = Callable[..., Arrays]

THEIRS = {"W_xh": "weight_ih", "W_hh": "weight_hh", "b_xh": "bias_ih", "b_hh": "bias_hh", "W_hr": "weight_hr"}
CLASSES: dict[str, Callable[..., nn.RNNBase]] = {
    "rnn_tanh": nn.RNN,
    "rnn_relu": lambda *sizes, **options: nn.RNN(*sizes, nonlinearity="relu", **options),
    "gru": nn.GRU,
    "lstm": nn.LSTM,
}
seeds = st.integers(0, 2**32 - 1)


@st.composite
def shapes(draw: st.DrawFn, cell: str, *, bidirectional: bool = True, lengths: bool = True) -> dict[str, Any]:
    T, B = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    H = draw(st.integers(1, 3))
    found: dict[str, Any] = {"T": T, "B": B, "I": draw(st.integers(1, 3)), "H": H, "bias": draw(st.booleans())}
    found |= {"num_layers": draw(st.integers(1, 3)), "bidirectional": bidirectional and draw(st.booleans())}
    if cell == "lstm":
        found["proj_size"] = draw(st.integers(0, H - 1))
    if lengths and draw(st.booleans()):  # torch.nn takes none of length 0
        found["lengths"] = tuple(draw(st.integers(1, T)) for _ in range(B))
    return found


def run_torch(setup: Any, arrays: Arrays, axes: str = "TB", shift: float = 0.0) -> Arrays:
    """Run torch.nn, by its own names and not by our bridge; `shift` is added to its W_hr, a planted mistake."""
    leaves = {name: a.clone().requires_grad_() for name, a in arrays.items() if name[0] in "Wb" or name[-2:] == "_0"}
    leaves["x"] = arrays["x"].clone().requires_grad_()
    named = {}
    for end in setup.ends:
        layer, _, direction = end.strip("_").partition("_") if end.startswith("_l") else ("l0", "", end.strip("_"))
        for ours, theirs in THEIRS.items():
            if ours + end in leaves:
                value = leaves[ours + end] + (shift if ours == "W_hr" else 0)
                named[f"{theirs}_{layer}" + f"_{direction}" * bool(direction)] = value
    sizes = {"num_layers": setup.num_layers, "bidirectional": setup.bidirectional, "bias": setup.bias}
    projected = {"proj_size": setup.proj_size} if setup.proj_size else {}
    module = CLASSES[setup.cell](setup.I, setup.H, **sizes, **projected, batch_first=axes == "BT", dtype=torch.float64)
    x: Any = leaves["x"]
    states = tuple(leaves[f"{name}_0"] for name in setup.states)
    if axes == "T":
        x, states = x[:, 0], tuple(state[:, 0] for state in states)
    if axes == "BT":
        x = x.transpose(0, 1)
    if setup.lengths:
        first = axes == "BT"
        x = rnn.pack_padded_sequence(x, torch.tensor(setup.lengths), batch_first=first, enforce_sorted=False)
    if setup.truncate:
        y, states_n = truncated(stepping(module, named, x), setup.T, setup.truncate, states)
    else:
        y, last = functional_call(module, named, (x, states if len(states) > 1 else states[0]))
        states_n = last if len(states) > 1 else (last,)
    if setup.lengths:
        packed: Any = y
        y, _ = rnn.pad_packed_sequence(packed, batch_first=axes == "BT", total_length=setup.T)
    if axes == "BT":
        y = y.transpose(0, 1)
    if axes == "T":
        y, states_n = y[:, None], tuple(state[:, None] for state in states_n)
    outputs = {"y": y} | dict(zip(("h_n", "c_n"), states_n, strict=False))
    torch.autograd.backward(list(outputs.values()), [arrays[f"d{name}"] for name in outputs])
    gradients = {f"d{name}": leaf.grad for name, leaf in leaves.items()}
    return {name: value.detach() for name, value in (outputs | gradients).items() if value is not None}


def stepping(module: nn.Module, named: Arrays, x: Tensor) -> Callable[[int, int, States], tuple[Tensor, States]]:
    """Return torch.nn as `truncated` wants it."""

    def run(first: int, last: int, states: States) -> tuple[Tensor, States]:
        y, after = functional_call(module, named, (x[first:last], states if len(states) > 1 else states[0]))
        return y, after if len(states) > 1 else (after,)

    return run


@pytest.mark.parametrize("axes", ["TB", "BT", "T"])
@pytest.mark.parametrize("cell", CLASSES)
def test_agrees(
    book: Any, tensors: Run, run_setup: Run, off: Callable[..., dict[str, str]], cell: str, axes: str
) -> None:
    @given(shape=shapes(cell, lengths=axes != "T"), seed=seeds)
    def check(shape: dict[str, Any], seed: int) -> None:
        setup = book.Setup(cell, **shape | ({"B": 1} if axes == "T" else {}))
        arrays = tensors(book.draw(setup, seed))
        want = {name: value.numpy() for name, value in run_torch(setup, arrays, axes).items()}
        assert off(run_setup(setup, arrays, axes=axes), setup, want) == {}

    check()


def test_a_wrong_projection_is_seen(
    book: Any, tensors: Run, run_setup: Run, off: Callable[..., dict[str, str]]
) -> None:
    setup = book.Setup("lstm", T=2, B=2, I=2, H=3, proj_size=2, bidirectional=True)
    arrays = tensors(book.draw(setup, 1))
    want = {name: value.numpy() for name, value in run_torch(setup, arrays, shift=2.0**-20).items()}
    assert {"y", "h_n", "dx"} <= off(run_setup(setup, arrays), setup, want).keys()


@pytest.mark.parametrize("cell", CLASSES)
def test_truncation_of_torch_nn(
    book: Any, tensors: Run, run_setup: Run, off: Callable[..., dict[str, str]], cell: str
) -> None:
    @given(
        shape=shapes(cell, bidirectional=False, lengths=False),
        seed=seeds,
        k=st.tuples(st.integers(1, 3), st.integers(0, 2)),
    )
    @example(shape={"T": 4, "B": 2, "I": 2, "H": 2, "num_layers": 2}, seed=0, k=(1, 1))
    def check(shape: dict[str, Any], seed: int, k: tuple[int, int]) -> None:
        setup = book.Setup(cell, **shape, truncate=(k[0], k[0] + k[1]))
        arrays = tensors(book.draw(setup, seed))
        want = {name: value.numpy() for name, value in run_torch(setup, arrays).items()}
        assert off(run_setup(setup, arrays), setup, want) == {}

    check()
