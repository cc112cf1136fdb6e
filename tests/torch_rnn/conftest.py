"""Random cases, the network run on them, and how far rounding may take two correct float64 computations apart.

A case is a mapping from name to array: the parameters, `x`, `h_0` (and `c_0`), and the cotangents `dy`, `dh_n` (and
`dc_n`); for a stack, perhaps `lengths`, and `mask_0`, `mask_1`, ... between its layers. Its numbers are dyadic and
sized for the error analysis:

    |x|, |h_0|, |c_0|, |masks|, |cotangents| <= 1      |W| <= 1 / (4 max(I, D*H))      |b| <= 1/8

So a row of W_xh or W_hh sums to at most 1/4 in absolute value, |a| <= 3/4 and |h| <= 1 for every cell, a sigmoid is at
most 0.68, |c| <= 1.4, and a step is nonexpansive: the absolute sums of its Jacobian's rows, over all previous states,
are at most 1/4 (Elman), 0.98 (LSTM: 0.68 + (1.4/4 + 0.64/4 + 0.68)/4 for c) and 0.85 (GRU, both). Errors made at one
step do not grow in later ones. Over the input, the row sums are at most 1/2 (1/4, 0.3 and 0.32): errors of a layer are
halved on their way into the next.

For relu nothing rounds at all, so that the kink at 0 is decided alike, too: T <= 4 steps of 10-bit weights fit into 53
bits. In a stack, a path may lead through all steps of every layer, so weights there are -1, 0 or 1 times 2^-4 (for
which max(I, D*H) <= 4) or larger, and 12 of them (T L <= 12), 2 masks of a bit each and 2 bits of x are 52.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils import rnn

import torch_rnn
from torch_rnn import CELLS, Recurrent

if TYPE_CHECKING:
    from tests.torch_rnn import textbook
else:  # by its path: the tests are no package, and their folder is not on `sys.path`
    spec = importlib.util.spec_from_file_location("torch_rnn_textbook", Path(__file__).with_name("textbook.py"))
    textbook = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(textbook)

Arrays = dict[str, Tensor]

U = 2.0**-53
SOURCE = Path(torch_rnn.__file__).parent
FIELDS = {"W_xh": "weight_ih", "W_hh": "weight_hh", "b_xh": "bias_ih", "b_hh": "bias_hh"}


def _draw(
    cell: str,
    T: int,
    B: int,
    I: int,
    H: int,
    bias: bool,
    seed: int,
    *,
    num_layers: int = 1,
    directions: int = 1,
    masks: bool = False,
) -> Arrays:
    generator = torch.Generator().manual_seed(seed)
    coarse = cell == "rnn_relu" and num_layers > 1

    def dyadic(bound: float, *shape: int, levels: int = 4 if coarse else 64) -> Tensor:
        return torch.randint(-levels, levels + 1, shape, generator=generator).double() / levels * bound

    rows, states = CELLS[cell].num_gates * H, CELLS[cell].states
    weight = 0.25
    while weight * 4 * max(I, directions * H) > 1:
        weight /= 2
    arrays: Arrays = {}
    for end, columns in [
        (f"_l{l}" * (l > 0) + "_reverse" * d, directions * H if l else I)
        for l in range(num_layers)
        for d in range(directions)
    ]:
        levels = 1 if coarse else 64
        arrays |= {f"W_xh{end}": dyadic(weight, rows, columns, levels=levels)}
        arrays |= {f"W_hh{end}": dyadic(weight, rows, H, levels=levels)}
        if bias:
            arrays |= {f"b_xh{end}": dyadic(1 / 8, rows), f"b_hh{end}": dyadic(1 / 8, rows)}
    arrays |= {"x": dyadic(1, T, B, I), "dy": dyadic(1, T, B, directions * H)}
    arrays |= {f"{state}_0": dyadic(1, num_layers * directions, B, H) for state in states}
    arrays |= {f"d{state}_n": dyadic(1, num_layers * directions, B, H) for state in states}
    between = range(num_layers - 1 if masks else 0)
    return arrays | {f"mask_{l}": dyadic(1, T, B, directions * H, levels=2) for l in between}


def _size(case: Mapping[str, Tensor]) -> tuple[int, int]:
    """Return L and D."""
    directions = 2 if "W_hh_reverse" in case else 1
    return sum(name.startswith("W_hh") for name in case) // directions, directions


def _masks(case: Mapping[str, Tensor]) -> list[Tensor]:
    return [value for name, value in case.items() if name.startswith("mask_")]


def _results(case: Mapping[str, Tensor], leaves: Arrays, outputs: Arrays) -> Arrays:
    torch.autograd.backward(list(outputs.values()), [case[f"d{name}"] for name in outputs])
    gradients = {f"d{name}": leaf.grad for name, leaf in leaves.items()}
    return {name: value.detach() for name, value in (outputs | gradients).items() if value is not None}


def _run(cell: str, arrays: Mapping[str, Tensor], network: Callable[..., Any] = Recurrent) -> Arrays:
    params = {name: value for name, value in arrays.items() if name[0] in "Wb"}
    (_, I), (_, H) = params["W_xh"].shape, params["W_hh"].shape
    L, D = _size(arrays)
    layer = network(cell, I, H, bias="b_xh" in params, dtype=torch.float64, num_layers=L, bidirectional=D == 2)
    layer.load_state_dict(params)
    inputs = {name: arrays[name].clone().requires_grad_() for name in ("x", "h_0", "c_0") if name in arrays}
    returned = layer(**inputs, lengths=arrays.get("lengths"), masks=_masks(arrays))
    outputs = dict(zip(("y", "h_n", "c_n"), returned, strict=False))
    return _results(arrays, inputs | dict(layer.named_parameters()), outputs)


def _builtin(cell: str, *sizes: int, **options: Any) -> nn.RNNBase:
    if cell == "lstm":
        return nn.LSTM(*sizes, **options)
    if cell == "gru":
        return nn.GRU(*sizes, **options)
    return nn.RNN(*sizes, nonlinearity=cell.removeprefix("rnn_"), **options)


def _run_torch(cell: str, case: Mapping[str, Tensor]) -> Arrays:
    """Run torch.nn, by its own names and not by our bridge: all layers at once, or one by one if there are masks."""
    (L, D), masks, H = _size(case), _masks(case), case["W_hh"].shape[1]
    inputs = [name for name in ("x", "h_0", "c_0") if name in case]
    leaves = {name: case[name].clone().requires_grad_() for name in case if name in inputs or name[0] in "Wb"}
    y, finals = leaves["x"], []
    for first, layers in [(l, 1) for l in range(L)] if masks else [(0, L)]:
        x = y * masks[first - 1] if first else y
        options = {"num_layers": layers, "bidirectional": D == 2, "bias": "b_xh" in case, "dtype": torch.float64}
        ends = [(l, d) for l in range(layers) for d in range(D)]
        named = {
            f"{theirs}_l{l}" + "_reverse" * d: leaves[name]
            for l, d in ends
            for field, theirs in FIELDS.items()
            if (name := field + f"_l{first + l}" * (first + l > 0) + "_reverse" * d) in leaves
        }
        states = tuple(leaves[name][first * D : (first + layers) * D] for name in inputs[1:])
        taken: Tensor | rnn.PackedSequence = x
        if "lengths" in case:
            taken = rnn.pack_padded_sequence(x, case["lengths"], enforce_sorted=False)
        module = _builtin(cell, x.shape[2], H, **options)
        y, final = functional_call(module, named, (taken, states if cell == "lstm" else states[0]))
        if "lengths" in case:
            y, _ = rnn.pad_packed_sequence(y, total_length=len(x))
        finals.append(final if cell == "lstm" else (final,))
    states_n = [torch.cat(state) for state in zip(*finals, strict=True)]
    return _results(case, leaves, {"y": y} | dict(zip(("h_n", "c_n"), states_n, strict=False)))


def _roundings(name: str, case: Mapping[str, Tensor]) -> float:
    """Return how many times u = 2^-53 the result `name` of a case may be off in two computations together.

    Forward: a state comes from at most K = max(I, D H) + H + 21 roundings a step (two dot products, two biases, two
    activations of 4 each, the gate arithmetic and a mask) of numbers below 1.5, and errors do not grow; half of the
    error of the layer below comes in at each step: E_l = T (1.5 K + E_{l-1} / 2) after T steps.

    Backward: the step's transpose is nonexpansive in the 1-norm over units, so the gradient of a batch item's states,
    in one direction of the top layer, stays below S = (T + 2) H, the 1-norm of all its cotangents; in a layer below,
    below 2 H + D T S / 2, with the S of the layer above, half of which comes out at each step in each direction. A step
    back has K' = G H + 22 roundings, and each derivative in it is a product of at most four forward values, below 1.5
    together but for the one that is off by E: so K' + 6 E for each unit of S. After T steps, with the error F of the
    gradient that comes in: F + S T (K' + 6 E), where F is 0 in the top layer, and D T (F / 2 + S (K' + 6 E)) of the
    layer above in others. A parameter's gradient sums T B products of that with a forward value of at most 1, off by
    E in turn, in T B roundings; that of x is as that of an output of a layer below; those of states have shorter sums.
    """
    T, B, I = case["x"].shape
    rows, H = case["W_hh"].shape
    L, D = _size(case)
    E = [0.0]
    for l in range(L):
        E.append(T * (1.5 * ((D * H if l else I) + H + 21) + E[-1] / 2))
    if not name.startswith("d"):
        return 2 * E[-1]
    S, F, worst = float((T + 2) * H), 0.0, 0.0
    for e in reversed(E[1:]):
        step = rows + 22 + 6 * e
        F += S * T * step
        below = D * T * (F / 2 + S * step)
        worst = max(worst, T * B * (F + S * (e + T * B)), below)
        S, F = 2 * H + D * T * S / 2, below
    return 2 * worst


def _assert_agree(got: Mapping[str, Tensor], want: Mapping[str, Tensor], case: Mapping[str, Tensor]) -> None:
    assert got.keys() == want.keys()
    for name, value in want.items():
        assert got[name].shape == value.shape, name
        error = (got[name] - value).abs().max().item()
        allowed = _roundings(name, case) * U
        assert error <= allowed, f"{name} is off by {error:.3g}, rounding allows {allowed:.3g}"


def _tensors(arrays: Mapping[str, Any], dtype: torch.dtype = torch.float64) -> Arrays:
    return {name: torch.tensor(array, dtype=dtype) for name, array in arrays.items()}


def _made(setup: textbook.Setup, network: Callable[..., Any] = Recurrent, **options: Any) -> Any:
    names = ("num_layers", "bidirectional", "peephole", "coupled", "forget_bias", "clip", "proj_size", "attention")
    said = {name: getattr(setup, name) for name in (*names, "merge")}
    options = {"bias": setup.bias, "dtype": torch.float64} | said | options
    return network(setup.cell, setup.I, setup.H, **options)


def _run_setup(
    setup: textbook.Setup, arrays: Arrays, network: Callable[..., Any] = Recurrent, axes: str = "TB"
) -> Arrays:
    """Run the network with the leading axes as `axes` says, and return all results time-major."""
    states = {"h_0", "c_0", "h_n", "c_n"} if axes == "T" else set()
    turned = {"x", "y", "attention"} | states

    def to(name: str, array: Tensor) -> Tensor:
        if axes == "TB" or name.removeprefix("d") not in turned:
            return array
        return array.transpose(0, 1) if axes == "BT" else array.squeeze(1)

    def fro(name: str, array: Tensor) -> Tensor:
        if axes == "TB" or name.removeprefix("d") not in turned:
            return array
        return array.transpose(0, 1) if axes == "BT" else array.unsqueeze(1)

    given = {name: to(name, array) for name, array in arrays.items()}
    layer = _made(setup, network, dtype=arrays["x"].dtype)
    layer.load_state_dict({name: value for name, value in given.items() if name[0] in "Wbp"})
    names = ["x", "h_0", "c_0", "attention"]
    leaves = {name: given[name].clone().requires_grad_() for name in names if name in given}
    returned = layer(
        **leaves,
        lengths=setup.lengths,
        masks=[value for name, value in given.items() if name.startswith("mask_")],
        recurrent=given.get("recurrent"),
        zoneout=[value for name, value in given.items() if name.startswith("zoneout_")],
        axes=axes,
        truncate=setup.truncate,
    )
    outputs = dict(zip(("y", "h_n", "c_n"), returned, strict=False))
    found = _results(given, leaves | dict(layer.named_parameters()), outputs)
    return {name: fro(name, value) for name, value in found.items()}


def _off(got: Arrays, setup: textbook.Setup, want: Mapping[str, Any]) -> dict[str, str]:
    """Return the results that are off by more than rounding allows, and by how much; all of them must be there.

    A parameter that nothing depends on has no gradient in torch.
    """
    found = {}
    for name, value in want.items():
        zero = np.zeros_like(value)
        result = got[name].numpy() if name in got else zero
        assert result.shape == value.shape, name
        allowed = 0 if setup.cell == "rnn_relu" else textbook.roundings(name, setup) * U
        error = np.abs(result - value).max()
        if not error <= allowed:
            found[name] = f"is off by {error:.3g}, rounding allows {allowed:.3g}"
    assert got.keys() <= want.keys()
    return found


@pytest.fixture(scope="session")
def book() -> Any:
    """The module `textbook`."""
    return textbook


@pytest.fixture(scope="session")
def tensors() -> Callable[..., Arrays]:
    """`(arrays, dtype=float64) -> tensors`."""
    return _tensors


@pytest.fixture(scope="session")
def made() -> Callable[..., Any]:
    """`(setup, network=Recurrent, **options) -> the module for a setup`."""
    return _made


@pytest.fixture(scope="session")
def run_setup() -> Callable[..., Arrays]:
    """`(setup, tensors, network=Recurrent, axes="TB") -> outputs and gradients` of torch_rnn.Recurrent."""
    return _run_setup


@pytest.fixture(scope="session")
def off() -> Callable[..., dict[str, str]]:
    """`(got, setup, want) -> the results that are off by more than rounding allows`."""
    return _off


@pytest.fixture(scope="session")
def draw() -> Callable[..., Arrays]:
    """`(cell, T, B, I, H, bias, seed, *, num_layers=1, directions=1, masks=False) -> case`."""
    return _draw


@pytest.fixture(scope="session")
def run() -> Callable[..., Arrays]:
    """`(cell, case, network=Recurrent) -> outputs and gradients` of torch_rnn.Recurrent."""
    return _run


@pytest.fixture(scope="session")
def run_torch() -> Callable[..., Arrays]:
    """`(cell, case) -> outputs and gradients` of torch.nn."""
    return _run_torch


@pytest.fixture(scope="session")
def assert_agree() -> Callable[..., None]:
    """`(got, want, case)`: every result is there, and off by no more than rounding allows."""
    return _assert_agree


@pytest.fixture
def mutated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], Any]:
    """`(file, right, wrong) -> a copy of the package` with a text replaced, under another name."""

    def copied(file: str, right: str, wrong: str) -> Any:
        name = "torch_rnn_mutated"
        for path in SOURCE.rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if path == SOURCE / file:
                assert text.count(right) == 1, right
                text = text.replace(right, wrong)
            copy = tmp_path / name / path.relative_to(SOURCE)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(text.replace("from torch_rnn", f"from {name}"), encoding="utf-8")
        for module in [module for module in sys.modules if module.partition(".")[0] == name]:
            monkeypatch.delitem(sys.modules, module)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        return importlib.import_module(name)

    return copied
