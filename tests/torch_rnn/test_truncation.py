"""Truncated backpropagation through time: what it is by its definition, in identities; bad arguments."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from torch_rnn import CELLS, ArgumentError, Recurrent
from torch_rnn.truncation import States, check_truncate, truncated

Arrays = dict[str, Tensor]
Run = Callable[..., Arrays]
Off = Callable[..., dict[str, str]]

seeds = st.integers(0, 2**32 - 1)
lengths = st.none() | st.tuples(st.integers(0, 5), st.integers(0, 5))


def setup_of(book: Any, cell: str, **said: Any) -> Any:
    attention = {"attention": True} if cell.startswith("gru") else {"clip": 0.25}
    given = {"T": 5, "B": 2, "I": 2, "H": 2, "num_layers": 2, "masks": True, "recurrent": True, "zoneout": True}
    return book.Setup(cell, **given | attention | said)


def assert_same(got: Arrays, want: Arrays) -> None:
    assert got.keys() == want.keys()
    for name, value in want.items():
        assert torch.equal(got[name], value), name


@pytest.mark.parametrize("cell", CELLS)
@given(k1=st.integers(5, 7), more=st.integers(0, 2), own=lengths, seed=seeds)
def test_one_block_of_all_steps_is_no_truncation(
    book: Any, tensors: Run, run_setup: Run, cell: str, k1: int, more: int, own: Any, seed: int
) -> None:
    setup = setup_of(book, cell, lengths=own)
    arrays = tensors(book.draw(setup, seed))
    cut = dataclasses.replace(setup, truncate=(k1, k1 + more))
    assert_same(run_setup(cut, arrays), run_setup(setup, arrays))


@pytest.mark.parametrize("cell", CELLS)
@given(k1=st.integers(1, 5), k2=st.integers(1, 6), own=lengths, seed=seeds)
def test_the_values_are_those_of_the_forward_pass(
    book: Any, tensors: Run, run_setup: Run, cell: str, k1: int, k2: int, own: Any, seed: int
) -> None:
    setup = setup_of(book, cell, lengths=own)
    arrays = tensors(book.draw(setup, seed))
    got = run_setup(dataclasses.replace(setup, truncate=(k1, max(k1, k2))), arrays)
    want = run_setup(setup, arrays)
    for name in ("y", *(f"{state}_n" for state in setup.states)):
        assert torch.equal(got[name], want[name]), name


@pytest.mark.parametrize("cell", CELLS)
@given(k1=st.integers(1, 4), own=lengths, seed=seeds)
def test_windows_that_all_begin_at_the_start_truncate_nothing(
    book: Any, tensors: Run, run_setup: Run, off: Off, cell: str, k1: int, own: Any, seed: int
) -> None:
    setup = setup_of(book, cell, lengths=own)
    arrays = tensors(book.draw(setup, seed))
    cut = dataclasses.replace(setup, truncate=(k1, 5 + k1))
    want = {name: value.numpy() for name, value in run_setup(setup, arrays).items()}
    assert off(run_setup(cut, arrays), cut, want) == {}


@pytest.mark.parametrize("cell", CELLS)
@given(k=st.integers(1, 3), blocks=st.integers(1, 3), seed=seeds)
def test_equal_k_is_detaching_between_blocks(
    book: Any, tensors: Run, run_setup: Run, made: Callable[..., Any], cell: str, k: int, blocks: int, seed: int
) -> None:
    # as people write it: one block after the other, with the states of the one before, detached; if k did not divide T,
    # the window of the last block would begin before the block does
    setup = book.Setup(cell, T=k * blocks, B=2, I=2, H=2, num_layers=2, clip=0.25)
    arrays = tensors(book.draw(setup, seed))
    got = run_setup(dataclasses.replace(setup, truncate=(k, k)), arrays)
    layer = made(setup)
    layer.load_state_dict({name: value for name, value in arrays.items() if name[0] in "Wb"})
    x = arrays["x"].clone().requires_grad_()
    states = starts = [arrays[f"{state}_0"].clone().requires_grad_() for state in setup.states]
    ys = []
    for s in range(0, setup.T, k):
        y, *after = layer(x[s : s + k], *states)
        ys.append(y)
        outputs, cotangents = [y], [arrays["dy"][s : s + k]]
        if s + k == setup.T:
            outputs += after
            cotangents += [arrays[f"d{state}_n"] for state in setup.states]
        torch.autograd.backward(outputs, cotangents)
        states = [state.detach() for state in after]
    assert torch.equal(got["y"], torch.cat(ys))
    u = torch.finfo(torch.float64).eps / 2
    for name, leaf in {"x": x, "h_0": starts[0], **dict(layer.named_parameters())}.items():
        assert leaf.grad is not None
        # the same backward passes, whose results are summed in another order
        allowed = book.roundings(f"d{name}", dataclasses.replace(setup, truncate=(k, k))) * u
        assert (got[f"d{name}"] - leaf.grad).abs().max() <= allowed


@given(T=st.integers(1, 9), k1=st.integers(1, 9), k2=st.integers(1, 9), dim=st.integers(0, 1))
def test_paths_are_as_long_as_they_say(T: int, k1: int, k2: int, dim: int) -> None:
    # a sum of all inputs so far: the gradient by input u of output t counts the paths, none or one
    k2 = max(k1, k2)
    x = torch.zeros(T, requires_grad=True)
    start = torch.zeros(1, requires_grad=True)

    def run(first: int, last: int, states: States) -> tuple[Tensor, States]:
        (total,) = states
        sums = total + x[first:last].cumsum(0)
        return sums[:, None] if dim == 0 else sums[None], (sums[-1:],)

    y, (end,) = truncated(run, T, (k1, k2), (start,), dim)
    assert y.shape == ((T, 1) if dim == 0 else (1, T))
    for t in range(T):
        w = max(0, (t // k1 + 1) * k1 - k2)
        reached, began = torch.autograd.grad(y.flatten()[t], [x, start], retain_graph=True, allow_unused=True)
        assert reached.tolist() == [float(w <= u <= t) for u in range(T)]
        assert (0 if began is None else began.item()) == (w == 0)
    reached, _ = torch.autograd.grad(end, [x, start], allow_unused=True)
    assert reached.tolist() == [float(w <= u) for u in range(T)]


@pytest.mark.parametrize(
    "truncate", [(0, 1), (2, 1), (1,), (1, 2, 3), 2, "12", (1.0, 2), (True, 2), (-1, 1), (None, 1), {1: 2, 2: 3}]
)
def test_bad_truncation(truncate: Any) -> None:
    for call in (check_truncate, lambda pair: Recurrent("gru", 2, 3)(torch.ones(5, 4, 2), truncate=pair)):
        with pytest.raises(ArgumentError) as error:
            call(truncate)
        assert error.value.argument == "truncate"


def test_two_directions_are_not_truncated() -> None:
    with pytest.raises(ArgumentError) as error:
        Recurrent("gru", 2, 3, bidirectional=True)(torch.ones(5, 4, 2), truncate=(1, 2))
    assert error.value.argument == "truncate"
