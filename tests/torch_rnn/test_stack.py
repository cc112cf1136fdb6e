"""Stacks, two directions, unequal lengths and masks: outputs and all gradients, by value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from torch_rnn import CELLS, ArgumentError, Recurrent, param_names

Arrays = dict[str, Tensor]
Draw = Callable[..., dict[str, Any]]
Run = Callable[..., Arrays]

IN_TORCH = ["rnn_tanh", "rnn_relu", "lstm", "gru"]
NAN = float("nan")


@st.composite
def sizes(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the arguments of the fixture `draw`; H <= 4/D keeps relu exact."""
    directions, steps = draw(st.integers(1, 2)), st.integers(1, 4)
    return {
        "T": draw(steps),
        "B": draw(steps),
        "I": draw(steps),
        "H": draw(st.integers(1, 4 // directions)),
        "bias": draw(st.booleans()),
        "seed": draw(st.integers(0, 2**32 - 1)),
        "num_layers": draw(st.integers(1, 3)),
        "directions": directions,
    }


# one for each of at most 4 sequences, as what is missing to T
missing = st.lists(st.integers(0, 4), min_size=4, max_size=4)


def with_lengths(case: Arrays, gaps: list[int], shortest: int) -> Arrays:
    """Give the sequences lengths from `shortest` to T."""
    T, B, _ = case["x"].shape
    return case | {"lengths": torch.tensor([max(shortest, T - gap) for gap in gaps[:B]])}


def padding(case: Arrays) -> Tensor:
    """Return where the padding is (T, B)."""
    return torch.arange(len(case["x"]))[:, None] >= case["lengths"]


def spoilt(case: Arrays, value: float) -> Arrays:
    """Fill the padding of the input, of the output's cotangent and of the masks."""
    names = [name for name in case if name in ("x", "dy") or name.startswith("mask_")]
    return case | {name: case[name].masked_fill(padding(case)[..., None], value) for name in names}


def assert_same(got: Arrays, want: Arrays) -> None:
    assert got.keys() == want.keys()
    for name, value in want.items():
        assert torch.equal(got[name], value), name


BIG = {"T": 4, "B": 4, "I": 3, "H": 2, "bias": True, "seed": 3, "num_layers": 3, "directions": 2}


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("cell", IN_TORCH)
@given(size=sizes(), gaps=st.none() | missing)
@example(size=BIG, gaps=None)
@example(size=BIG, gaps=[2, 0, 3, 1])  # unsorted
@example(size=BIG, gaps=[1, 3, 3, 1])  # ties, and the longest is shorter than T
@example(size=BIG, gaps=[0, 0, 0, 0])
@example(size=BIG, gaps=[3, 3, 3, 3])
@example(size=BIG | {"directions": 1, "H": 4, "bias": False}, gaps=[3, 1, 2, 0])
def test_agrees_with_torch_nn(
    draw: Draw,
    run: Run,
    run_torch: Run,
    assert_agree: Callable[..., None],
    cell: str,
    masked: bool,
    size: dict[str, Any],
    gaps: list[int] | None,
) -> None:
    case = draw(cell, **size, masks=masked)
    if gaps is not None:
        case = with_lengths(case, gaps, 1)
    assert_agree(run(cell, case), run_torch(cell, case), case)


@pytest.mark.parametrize("cell", CELLS)
@given(size=sizes(), gaps=missing)
@example(size=BIG, gaps=[2, 4, 3, 1])
def test_what_is_in_the_padding_changes_nothing(
    draw: Draw, run: Run, cell: str, size: dict[str, Any], gaps: list[int]
) -> None:
    case = with_lengths(draw(cell, **size, masks=True), gaps, 0)
    want = run(cell, case)
    assert want["y"][padding(case)].count_nonzero() == 0
    assert want["dx"][padding(case)].count_nonzero() == 0
    for value in (NAN, float("inf"), -3e300):
        assert_same(run(cell, spoilt(case, value)), want)


@pytest.mark.parametrize("cell", CELLS)
@given(size=sizes(), gaps=missing)
@example(size=BIG, gaps=[2, 4, 0, 4])
def test_sequences_of_no_steps_are_as_if_they_were_not_there(
    draw: Draw,
    run: Run,
    assert_agree: Callable[..., None],
    cell: str,
    size: dict[str, Any],
    gaps: list[int],
) -> None:
    # one sequence always has steps; the batch of the others is B - 1 or less
    case = with_lengths(draw(cell, **size, masks=True), [0, *gaps], 0)
    there = case["lengths"] > 0
    got = run(cell, case)
    batch = [name for name in case if name[0] not in "Wb" and name != "lengths"]
    rest = case | {name: case[name][:, there] for name in batch} | {"lengths": case["lengths"][there]}
    kept = {name: value[:, there] if name.removeprefix("d")[0] not in "Wb" else value for name, value in got.items()}
    assert_agree(kept, run(cell, rest), case)
    assert got["y"][:, ~there].count_nonzero() == 0
    assert got["dx"][:, ~there].count_nonzero() == 0
    for state in CELLS[cell].states:
        assert torch.equal(got[f"{state}_n"][:, ~there], case[f"{state}_0"][:, ~there])
        assert torch.equal(got[f"d{state}_0"][:, ~there], case[f"d{state}_n"][:, ~there])


@pytest.mark.parametrize("cell", CELLS)
def test_a_finished_sequence_spoils_no_gradient(draw: Draw, run: Run, cell: str) -> None:
    case = with_lengths(draw(cell, **BIG, masks=True), [4, 0, 4, 2], 0)
    want = run(cell, case)
    empty = case["lengths"] == 0
    for value in (NAN, float("inf"), 1e308):
        states = {f"{s}_0": case[f"{s}_0"].masked_fill(empty[:, None], value) for s in CELLS[cell].states}
        got = run(cell, case | states)
        for s in CELLS[cell].states:
            assert torch.equal(got[f"{s}_n"].isnan(), want[f"{s}_n"].isnan() | (empty[:, None] & (value != value)))
            got[f"{s}_n"][:, empty] = want[f"{s}_n"][:, empty]
        assert_same(got, want)


@pytest.mark.parametrize("with_mask", [False, True])
@pytest.mark.parametrize("cell", CELLS)
@given(size=sizes(), gaps=st.none() | missing)
@example(size=BIG, gaps=[2, 4, 3, 1])
def test_a_stack_is_its_layers_one_after_the_other(
    draw: Draw, cell: str, with_mask: bool, size: dict[str, Any], gaps: list[int] | None
) -> None:
    case = draw(cell, **size, masks=with_mask)
    lengths = None if gaps is None else with_lengths(case, gaps, 0)["lengths"]
    L, D, H, bias = (size[name] for name in ("num_layers", "directions", "H", "bias"))
    options = {"bias": bias, "dtype": torch.float64, "bidirectional": D == 2}
    stack = Recurrent(cell, size["I"], H, num_layers=L, **options)
    stack.load_state_dict({name: case[name] for name in param_names(L, D == 2, bias)})
    layers = [Recurrent(cell, D * H if l else size["I"], H, **options) for l in range(L)]
    for l, layer in enumerate(layers):
        last = f"_l{l}" if l else ""
        ours = {name: name[:4] + last + name[4:] for name in param_names(1, D == 2, bias)}
        layer.load_state_dict({name: case[there] for name, there in ours.items()})
    # factors of dropout with p = 1/4, which round: the products are the same ones
    masks = [(case[f"mask_{l}"] > 0).double() / 0.75 for l in range(L - 1)] if with_mask else []
    states = [case[f"{state}_0"] for state in CELLS[cell].states]

    x = case["x"].clone().requires_grad_()
    got = stack(x, *states, lengths=lengths, masks=masks)
    y = x_again = case["x"].clone().requires_grad_()
    ends = []
    for l, layer in enumerate(layers):
        y, *end = layer(y, *(state[l * D : (l + 1) * D] for state in states), lengths=lengths)
        ends.append(end)
        if l < len(masks):
            y = y * masks[l]
    want = (y, *(torch.cat(state) for state in zip(*ends, strict=True)))

    cotangents = [case["dy"], *(case[f"d{state}_n"] for state in CELLS[cell].states)]
    for outputs in (got, want):
        torch.autograd.backward(list(outputs), cotangents)
    for a, b in zip(got, want, strict=True):
        assert torch.equal(a, b)
    gradients = [x_again.grad, *(value.grad for layer in layers for value in layer.parameters())]
    for mine, theirs in zip([x.grad, *(value.grad for value in stack.parameters())], gradients, strict=True):
        assert mine is not None
        assert theirs is not None
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize("cell", CELLS)
def test_float32(draw: Draw, cell: str) -> None:
    case = with_lengths(draw(cell, **BIG, masks=True), [2, 4, 0, 1], 0)
    want = converted(cell, case, torch.float64)
    # E of conftest, in roundings of float32: T (1.5 K + E/2), K = 4 + 2 + 21, T = 4, three times from E = 0
    bound = (162 + 162 * 2 + 162 * 4) * torch.finfo(torch.float32).eps / 2
    for name, value in converted(cell, case, torch.float32).items():
        if not name.startswith("d"):
            assert (value.double() - want[name]).abs().max() <= bound


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_short_formats_where_nothing_rounds(draw: Draw, dtype: torch.dtype) -> None:
    case = with_lengths(draw("rnn_relu", **BIG | {"seed": 2}, masks=True), [2, 4, 0, 1], 0)
    # -1, 0 and 1 throughout: of relu, all outputs and gradients are whole numbers, and small
    case = {name: value if name == "lengths" else value.sign() for name, value in case.items()}
    want = converted("rnn_relu", case, torch.float64)
    assert all(1 <= value.abs().max() <= 256 for value in want.values())
    assert_same({name: value.double() for name, value in converted("rnn_relu", case, dtype).items()}, want)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("cell", CELLS)
def test_dtype_is_kept(draw: Draw, cell: str, dtype: torch.dtype) -> None:
    case = with_lengths(draw(cell, **BIG, masks=True), [2, 4, 0, 1], 0)
    results = converted(cell, case, dtype)
    assert {value.dtype for value in results.values()} == {dtype}
    assert all(value.isfinite().all() for value in results.values())
    again = converted(cell, spoilt(case, NAN), dtype)
    assert_same(again, results)


def converted(cell: str, case: Arrays, dtype: torch.dtype) -> Arrays:
    """Return outputs and gradients of a case like BIG in another dtype."""
    numbers = {name: value if name == "lengths" else value.to(dtype) for name, value in case.items()}
    layer = Recurrent(cell, 3, 2, dtype=dtype, num_layers=3, bidirectional=True)
    layer.load_state_dict({name: numbers[name] for name in param_names(3, True, True)})
    leaves = {name: numbers[name].clone().requires_grad_() for name in ("x", "h_0", "c_0") if name in case}
    masks = [numbers["mask_0"], numbers["mask_1"]]
    outputs = dict(zip(("y", "h_n", "c_n"), layer(**leaves, lengths=case["lengths"], masks=masks), strict=False))
    torch.autograd.backward(list(outputs.values()), [numbers[f"d{name}"] for name in outputs])
    gradients = {f"d{name}": leaf.grad for name, leaf in [*leaves.items(), *layer.named_parameters()]}
    return {name: value.detach() for name, value in (outputs | gradients).items() if value is not None}


GIVEN: list[Any] = [
    (3, 0, 2),
    torch.tensor([3, 0, 2]),
    torch.tensor([3, 0, 2], dtype=torch.int8),
    torch.tensor([3, 0, 2], dtype=torch.uint8),
    torch.tensor([3, 0, 2]).numpy(),
]


@pytest.mark.parametrize("lengths", GIVEN)
def test_lengths_may_be_given_in_many_ways(lengths: Any) -> None:
    layer, x = Recurrent("gru", 2, 3, bidirectional=True), torch.ones(3, 3, 2)
    for a, b in zip(layer(x, lengths=lengths), layer(x, lengths=[3, 0, 2]), strict=True):
        assert torch.equal(a, b)


def test_arguments_are_left_as_they_are(draw: Draw, run: Run) -> None:
    case = with_lengths(draw("lstm", **BIG, masks=True), [2, 4, 3, 1], 0)
    before = {name: value.clone() for name, value in case.items()}
    run("lstm", case)
    assert_same(case, before)


@pytest.mark.parametrize("cell", CELLS)
def test_states_left_out_are_zero(draw: Draw, cell: str) -> None:
    case = draw(cell, **BIG)
    layer = Recurrent(cell, 3, 2, dtype=torch.float64, num_layers=3, bidirectional=True)
    zeros = [torch.zeros(6, 4, 2, dtype=torch.float64) for _ in CELLS[cell].states]
    for a, b in zip(layer(case["x"]), layer(case["x"], *zeros), strict=True):
        assert torch.equal(a, b)


def test_param_names() -> None:
    assert param_names(1, False, True) == ("W_xh", "W_hh", "b_xh", "b_hh")
    assert param_names(2, True, False) == (
        "W_xh",
        "W_hh",
        "W_xh_reverse",
        "W_hh_reverse",
        "W_xh_l1",
        "W_hh_l1",
        "W_xh_l1_reverse",
        "W_hh_l1_reverse",
    )
    assert param_names(3, False, True)[8:] == ("W_xh_l2", "W_hh_l2", "b_xh_l2", "b_hh_l2")
    with pytest.raises(ArgumentError):
        param_names(0, False, True)


@pytest.mark.parametrize("bias", [True, False])
def test_parameters(bias: bool) -> None:
    layer = Recurrent("gru", 2, 3, bias, num_layers=2, bidirectional=True)
    assert tuple(name for name, _ in layer.named_parameters()) == param_names(2, True, bias)
    ends = {"": 2, "_reverse": 2, "_l1": 6, "_l1_reverse": 6}
    for end, columns in ends.items():
        shapes = {"W_xh": (9, columns), "W_hh": (9, 3)} | ({"b_xh": (9,), "b_hh": (9,)} if bias else {})
        for field, shape in shapes.items():
            assert layer.get_parameter(field + end).shape == shape
            assert layer.get_parameter(field + end).detach().abs().max() <= 3**-0.5
    assert (layer.b_hh is None) == (not bias)
    assert len({value.sum().item() for value in layer.parameters()}) == len(param_names(2, True, bias))


ones = torch.ones
MASK = ones(5, 4, 6)


@pytest.mark.parametrize(
    ("argument", "inputs"),
    [
        ("lengths", {"lengths": [5, 4, 3]}),
        ("lengths", {"lengths": []}),
        ("lengths", {"lengths": [5, 4, 3, 6]}),
        ("lengths", {"lengths": [5, 4, 3, -1]}),
        ("lengths", {"lengths": [5, 4, 3, 2.0]}),
        ("lengths", {"lengths": [5, 4, 3, None]}),
        ("lengths", {"lengths": [5, 4, 3, 2**70]}),
        ("lengths", {"lengths": [[5, 4, 3, 2]]}),
        ("lengths", {"lengths": [[5], [4, 3], [2], [1]]}),
        ("lengths", {"lengths": [True, True, False, True]}),
        ("lengths", {"lengths": 5}),
        ("lengths", {"lengths": "5432"}),
        ("lengths", {"lengths": {5, 4, 3, 2}}),
        ("lengths", {"lengths": ones(4)}),
        ("lengths", {"lengths": ones(4, dtype=torch.complex64)}),
        ("lengths", {"lengths": ones(4, 1, dtype=torch.int64)}),
        ("lengths", {"lengths": ones(4, dtype=torch.int64, device="meta")}),
        ("masks", {"masks": (MASK,)}),
        ("masks", {"masks": (MASK, MASK, MASK)}),
        ("masks", {"masks": torch.stack([MASK, MASK])}),
        ("masks", {"masks": None}),
        ("masks[1]", {"masks": (MASK, ones(5, 4, 3))}),
        ("masks[0]", {"masks": (ones(1, 4, 6), MASK)}),
        ("masks[0]", {"masks": [MASK.double(), MASK]}),
        ("masks[1]", {"masks": [MASK, MASK > 0]}),
        ("h_0", {"h_0": ones(1, 4, 3)}),
        ("h_0", {"h_0": ones(3, 4, 3)}),
        ("h_0", {"h_0": ones(3, 2, 4, 3)}),
        ("c_0", {"c_0": ones(2, 4, 3)}),
    ],
)
def test_bad_inputs(argument: str, inputs: dict[str, Any]) -> None:
    layer = Recurrent("lstm", 2, 3, num_layers=3, bidirectional=True)
    with pytest.raises(ArgumentError) as error:
        layer(**({"x": ones(5, 4, 2)} | inputs))
    assert error.value.argument == argument


def test_a_single_layer_takes_no_masks() -> None:
    with pytest.raises(ArgumentError) as error:
        Recurrent("gru", 2, 3)(ones(5, 4, 2), masks=[ones(5, 4, 3)])
    assert (error.value.argument, error.value.got) == ("masks", "1 tensors")
