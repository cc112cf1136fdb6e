"""Random cases, the layer run on them, and how far rounding may take two correct float64 computations apart.

A case is a mapping from name to array: the parameters, `x`, `h_0` (and `c_0`), and the cotangents `dy`, `dh_n` (and
`dc_n`). Its numbers are dyadic and sized for the error analysis:

    |x|, |h_0|, |c_0|, |cotangents| <= 1      |W| <= 1 / (4 max(I, H))      |b| <= 1/8

So a row of W_xh or W_hh sums to at most 1/4 in absolute value, |a| <= 3/4 and |h| <= 1 for every cell, a sigmoid is at
most 0.68, |c| <= 1.4, and a step is nonexpansive: the absolute sums of its Jacobian's rows, over all previous states,
are at most 1/4 (Elman), 0.98 (LSTM: 0.68 + (1.4/4 + 0.64/4 + 0.68)/4 for c) and 0.85 (GRU, both). Errors made at one
step do not grow in later ones. (For relu nothing rounds at all: T <= 4 steps of 10-bit weights fit into 53 bits, so the
kink at 0 is decided alike, too.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor

from torch_rnn import CELLS, Recurrent

Arrays = dict[str, Tensor]

U = 2.0**-53


def _draw(cell: str, T: int, B: int, I: int, H: int, bias: bool, seed: int) -> Arrays:
    generator = torch.Generator().manual_seed(seed)

    def dyadic(bound: float, *shape: int) -> Tensor:
        return torch.randint(-64, 65, shape, generator=generator).double() / 64 * bound

    rows, states = CELLS[cell].num_gates * H, CELLS[cell].states
    weight = 0.25
    while weight * 4 * max(I, H) > 1:
        weight /= 2
    arrays = {"W_xh": dyadic(weight, rows, I), "W_hh": dyadic(weight, rows, H)}
    if bias:
        arrays |= {"b_xh": dyadic(1 / 8, rows), "b_hh": dyadic(1 / 8, rows)}
    arrays |= {"x": dyadic(1, T, B, I), "dy": dyadic(1, T, B, H)}
    arrays |= {f"{state}_0": dyadic(1, 1, B, H) for state in states}
    return arrays | {f"d{state}_n": dyadic(1, 1, B, H) for state in states}


def _run(cell: str, arrays: Mapping[str, Tensor]) -> Arrays:
    params = {name: value for name, value in arrays.items() if name[0] in "Wb"}
    (_, I), (_, H) = params["W_xh"].shape, params["W_hh"].shape
    layer = Recurrent(cell, I, H, bias="b_xh" in params, dtype=torch.float64)
    layer.load_state_dict(params)
    inputs = {name: arrays[name].clone().requires_grad_() for name in ("x", "h_0", "c_0") if name in arrays}
    outputs = dict(zip(("y", "h_n", "c_n"), layer(**inputs), strict=False))
    torch.autograd.backward(list(outputs.values()), [arrays[f"d{name}"] for name in outputs])
    gradients = {f"d{name}": leaf.grad for name, leaf in [*inputs.items(), *layer.named_parameters()]}
    return {name: value.detach() for name, value in (outputs | gradients).items() if value is not None}


def _roundings(name: str, case: Mapping[str, Tensor]) -> float:
    """Return how many times u = 2^-53 the result `name` of a case may be off in two computations together.

    Forward: a state comes from at most K = I + H + 20 roundings a step (two dot products, two biases, two activations
    of 4 each and the gate arithmetic) of numbers below 1.5, and errors do not grow: E = 1.5 K T after T steps.

    Backward: the step's transpose is nonexpansive in the 1-norm over units, so the gradient of a batch item's states
    stays below D = (T + 2) H, the 1-norm of all its cotangents. A step back has K' = G H + 20 roundings, and each
    derivative in it is a product of at most four forward values, below 1.5 together but for the one that is off by E:
    so 6 E. After T steps: D T (K' + 6 E). A parameter's gradient sums T B products of that with a forward value of at
    most 1, off by E in turn, in T B roundings. The other gradients have shorter sums.
    """
    T, B, I = case["x"].shape
    rows, H = case["W_hh"].shape
    E = 1.5 * (I + H + 20) * T
    if not name.startswith("d"):
        return 2 * E
    D = (T + 2) * H
    return 2 * T * B * D * (T * (rows + 20 + 6 * E) + E + T * B)


def _assert_agree(got: Mapping[str, Tensor], want: Mapping[str, Tensor], case: Mapping[str, Tensor]) -> None:
    assert got.keys() == want.keys()
    for name, value in want.items():
        assert got[name].shape == value.shape, name
        error = (got[name] - value).abs().max().item()
        allowed = _roundings(name, case) * U
        assert error <= allowed, f"{name} is off by {error:.3g}, rounding allows {allowed:.3g}"


@pytest.fixture(scope="session")
def draw() -> Callable[..., Arrays]:
    """`(cell, T, B, I, H, bias, seed) -> case`."""
    return _draw


@pytest.fixture(scope="session")
def run() -> Callable[..., Arrays]:
    """`(cell, case) -> outputs and gradients` of torch_rnn.Recurrent."""
    return _run


@pytest.fixture(scope="session")
def assert_agree() -> Callable[..., None]:
    """`(got, want, case)`: every result is there, and off by no more than rounding allows."""
    return _assert_agree
