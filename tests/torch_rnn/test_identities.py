"""What options must leave as it is, and that nothing depends on what is in the padding."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from torch_rnn import CELLS, Recurrent
from torch_rnn.cells.clip import clipping

Arrays = dict[str, Tensor]
Run = Callable[..., Arrays]
Off = Callable[..., dict[str, str]]

seeds = st.integers(0, 2**32 - 1)
size = st.integers(1, 3)


@st.composite
def shapes(draw: st.DrawFn, *, truncated: bool = False) -> dict[str, Any]:
    """Draw what every cell has of a `Setup`, without masks."""
    T, B = draw(st.integers(1, 4)), draw(size)
    found: dict[str, Any] = {name: draw(size) for name in "IH"} | {
        "T": T,
        "B": B,
        "num_layers": draw(st.integers(1, 2)),
    }
    found |= {"bias": draw(st.booleans()), "merge": draw(st.sampled_from(["concat", "sum"]))}
    found |= {"bidirectional": draw(st.booleans()) and not truncated}
    if draw(st.booleans()):
        found["lengths"] = tuple(draw(st.integers(0, T)) for _ in range(B))
    return found


def masked(cell: str) -> dict[str, Any]:
    """Return all the options of a cell that are given something step by step."""
    attention = {"attention": True} if cell.startswith("gru") else {}
    return {"masks": True, "recurrent": True, "zoneout": True} | attention


def assert_same(got: Arrays, want: Arrays) -> None:
    """Compare to the bit, but for the signs of zeros."""
    assert got.keys() == want.keys()
    for name, value in want.items():
        assert torch.equal(got[name], value), name


def as_numpy(results: Arrays) -> dict[str, Any]:
    return {name: value.numpy() for name, value in results.items()}


NEUTRAL: dict[str, tuple[str, ...]] = {
    "clip": tuple(CELLS),
    "masks": tuple(CELLS),
    "recurrent": tuple(CELLS),
    "zoneout": tuple(CELLS),
    "attention": ("gru", "gru_reset_before"),
    "peephole": ("lstm",),
}


@pytest.mark.parametrize(("cell", "option"), [(cell, option) for option, cells in NEUTRAL.items() for cell in cells])
def test_an_option_that_does_nothing(book: Any, tensors: Run, run_setup: Run, off: Off, cell: str, option: str) -> None:
    @given(shape=shapes(), seed=seeds)
    def check(shape: dict[str, Any], seed: int) -> None:
        plain = book.Setup(cell, **shape)
        setup = dataclasses.replace(plain, **{option: 1000.0 if option == "clip" else True})
        arrays = tensors(book.draw(plain, seed))
        added = tensors(book.draw(setup, seed))
        for name in added.keys() - arrays.keys():  # 1 multiplies, 0 adds
            added[name].fill_(1.0 if name.startswith(("mask_", "recurrent")) else 0.0)
        got, want = run_setup(setup, added | arrays), run_setup(plain, arrays)
        # not to the bit: gradients come together in another order
        assert off({name: got[name] for name in want}, plain, as_numpy(want)) == {}

    check()


@pytest.mark.parametrize("cell", CELLS)
@given(shape=shapes(), seed=seeds)
def test_zoneout_of_all_keeps_the_initial_states(
    book: Any, tensors: Run, run_setup: Run, cell: str, shape: dict[str, Any], seed: int
) -> None:
    setup = book.Setup(cell, **shape | {"lengths": None}, zoneout=True)
    arrays = tensors(book.draw(setup, seed))
    arrays |= {name: torch.ones_like(value) for name, value in arrays.items() if name.startswith("zoneout")}
    got = run_setup(setup, arrays)
    for state in setup.states:
        assert torch.equal(got[f"{state}_n"], arrays[f"{state}_0"])
    h = arrays["h_0"][-setup.D :]
    want = h.sum(0) if setup.merge == "sum" else torch.cat(list(h), -1)
    assert torch.equal(got["y"], want.expand_as(got["y"]))


@given(shape=shapes(), seed=seeds)
def test_a_projection_by_the_identity_is_none(
    book: Any, tensors: Run, run_setup: Run, off: Off, shape: dict[str, Any], seed: int
) -> None:
    plain = book.Setup("lstm", **shape)
    arrays = tensors(book.draw(plain, seed))
    eyes = {f"W_hr{end}": torch.eye(plain.H, dtype=torch.float64) for end in plain.ends}
    projected = dataclasses.replace(plain, proj_size=plain.H)
    got, want = run_setup(projected, arrays | eyes), run_setup(plain, arrays)
    # not to the bit: another layout of h in memory makes other sums of products
    assert off({name: got[name] for name in want}, projected, as_numpy(want)) == {}


@given(edge=st.integers(1, 2**10).map(lambda n: n / 2**10))
def test_the_slope_at_the_edge_of_clipping_is_one(edge: float) -> None:
    u = torch.tensor([-2 * edge, -edge, 0.0, edge, 2 * edge], dtype=torch.float64, requires_grad=True)
    clipped = clipping(edge)(u)
    clipped.sum().backward()  # type: ignore[no-untyped-call]
    assert clipped.tolist() == [-edge, -edge, 0, edge, edge]
    assert u.grad is not None
    assert u.grad.tolist() == [0, 1, 1, 1, 0]


@pytest.mark.parametrize("axes", ["BT", "T"])
@pytest.mark.parametrize("cell", CELLS)
def test_the_order_of_axes_changes_no_number(book: Any, tensors: Run, run_setup: Run, cell: str, axes: str) -> None:
    @given(shape=shapes(), seed=seeds)
    def check(shape: dict[str, Any], seed: int) -> None:
        alone = {"B": 1, "lengths": None} if axes == "T" else {}
        setup = book.Setup(cell, **shape | alone, **masked(cell))
        arrays = tensors(book.draw(setup, seed))
        assert_same(run_setup(setup, arrays, axes=axes), run_setup(setup, arrays))

    check()


@pytest.mark.parametrize("change", [("time_major", "attention"), ("time_major", "x"), ("back", "y")])
def test_axes_left_as_they_are_are_seen(
    book: Any, tensors: Run, run_setup: Run, mutated: Callable[..., Any], change: tuple[str, str]
) -> None:
    function, argument = change
    setup = book.Setup("gru", T=2, B=2, attention=True)
    arrays = tensors(book.draw(setup, 1))
    called = f"{function}({argument}, axes)"
    wrong = mutated("network.py", called, argument).Recurrent
    got, want = run_setup(setup, arrays, wrong, "BT"), run_setup(setup, arrays)
    assert not torch.equal(got["y"], want["y"])


@pytest.mark.parametrize("truncated", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_what_is_in_the_padding_changes_nothing(
    book: Any, tensors: Run, run_setup: Run, cell: str, truncated: bool
) -> None:
    @given(
        shape=shapes(truncated=truncated),
        gaps=st.lists(st.integers(0, 4), min_size=3, max_size=3),
        seed=seeds,
        k=st.tuples(st.integers(1, 3), st.integers(0, 3)),
        value=st.sampled_from([torch.nan, torch.inf, -3e300]),
    )
    def check(shape: dict[str, Any], gaps: list[int], seed: int, k: tuple[int, int], value: float) -> None:
        lengths = tuple(max(0, shape["T"] - gap) for gap in gaps[: shape["B"]])
        cut = {"truncate": (k[0], k[0] + k[1])} if truncated else {}
        setup = book.Setup(cell, **shape | {"lengths": lengths}, **masked(cell), **cut)
        arrays = tensors(book.draw(setup, seed))
        padding = torch.arange(setup.T)[:, None] >= torch.tensor(lengths)
        spoilt = dict(arrays)
        for name, array in arrays.items():
            if name in ("x", "dy") or name.startswith(("mask_", "recurrent", "zoneout")):
                spoilt[name] = array.masked_fill(padding[..., None], value)
        if "attention" in arrays:
            spoilt["attention"] = arrays["attention"].masked_fill(padding, value)
        want = run_setup(setup, arrays)
        assert want["y"][padding].count_nonzero() == 0
        assert_same(run_setup(setup, spoilt), want)

    check()


EVERYTHING = {"T": 3, "B": 2, "I": 2, "H": 2, "num_layers": 2, "bidirectional": True, "lengths": (2, 3), "clip": 0.25}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("cell", CELLS)
def test_other_dtypes(book: Any, tensors: Run, run_setup: Run, cell: str, dtype: torch.dtype) -> None:
    lstm = {"peephole": True, "forget_bias": 0.125, "proj_size": 1} if cell == "lstm" else {}
    setup = book.Setup(cell, **EVERYTHING, **masked(cell), **lstm)
    arrays = book.draw(setup, 2)
    got = run_setup(setup, tensors(arrays, dtype))
    want = run_setup(setup, tensors(arrays))
    u = torch.finfo(dtype).eps / 2
    for name, value in got.items():
        assert value.dtype == dtype
        assert value.isfinite().all()
        # the bound is for float64, and to first order; its first-order part grows with u, its numbers are exact in any
        if not name.startswith("d"):
            assert (value.double() - want[name]).abs().max() <= book.roundings(name, setup) * u


def test_dtype_and_options_are_kept() -> None:
    layer = Recurrent("lstm", 2, 3, dtype=torch.bfloat16, peephole=True, proj_size=2)
    assert {value.dtype for value in layer.parameters()} == {torch.bfloat16}
    assert (layer.options.peephole, layer.options.proj_size, layer.hidden_size) == (True, 2, 3)
