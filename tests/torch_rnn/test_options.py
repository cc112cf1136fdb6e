"""Every option of the network, in any combination, against the textbook: outputs and all gradients, by value."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from torch_rnn import CELLS, ArgumentError, Recurrent, param_names
from torch_rnn.params import param_shapes

Arrays = dict[str, Tensor]
Run = Callable[..., Arrays]
Options = dict[str, Any]


@st.composite
def options(draw: st.DrawFn, cell: str, *, truncated: bool = False, batch: int = 2, dropping: bool = True) -> Options:
    """Draw the fields of a `Setup` for a cell."""
    flag = st.booleans()
    T, B = draw(st.integers(1, 3 + truncated)), draw(st.integers(1, batch))
    found: Options = {
        "T": T,
        "B": B,
        "I": draw(st.integers(1, 2)),
        "H": draw(st.integers(1, 2)),
        "bias": draw(flag),
        "num_layers": draw(st.integers(1, 2)),
        "bidirectional": not truncated and draw(flag),
        "clip": draw(st.sampled_from([None, 1 / 16, 1 / 8, 1 / 4])),
        "merge": draw(st.sampled_from(["concat", "sum"])),
    }
    if dropping:
        found |= {name: draw(flag) for name in ("masks", "recurrent", "zoneout")}
    if cell == "lstm":
        found |= {"peephole": draw(flag), "coupled": draw(flag), "proj_size": draw(st.integers(0, 2))}
        if not found["coupled"]:
            found["forget_bias"] = draw(st.sampled_from([0.0, 1 / 8, -1 / 16]))
    if cell.startswith("gru"):
        found["attention"] = draw(flag)
    if draw(flag):
        found["lengths"] = tuple(draw(st.integers(0, T)) for _ in range(B))
    if truncated:
        k1 = draw(st.integers(1, T))
        found["truncate"] = (k1, draw(st.integers(k1, T + 1)))
    return found


EVERYTHING: dict[str, Options] = {
    cell: {"T": 3, "B": 2, "I": 2, "H": 2, "num_layers": 2, "bidirectional": True, "clip": 1 / 4, "lengths": (2, 3)}
    | {"masks": True, "recurrent": True, "zoneout": True}
    for cell in CELLS
}
EVERYTHING["lstm"] |= {"peephole": True, "forget_bias": 1 / 8, "proj_size": 1}
for name in ("gru", "gru_reset_before"):
    EVERYTHING[name] |= {"attention": True, "merge": "sum"}

seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("truncated", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_agrees_with_the_textbook(
    book: Any, tensors: Run, run_setup: Run, off: Callable[..., dict[str, str]], cell: str, truncated: bool
) -> None:
    @given(said=options(cell, truncated=truncated), seed=seeds)
    @example(said=EVERYTHING[cell] | ({"bidirectional": False, "truncate": (2, 2)} if truncated else {}), seed=1)
    def check(said: Options, seed: int) -> None:
        setup = book.Setup(cell, **said)
        arrays = book.draw(setup, seed)
        assert off(run_setup(setup, tensors(arrays)), setup, book.results(setup, arrays)) == {}

    check()


def test_a_wrong_combination_is_seen(
    book: Any, tensors: Run, run_setup: Run, off: Callable[..., dict[str, str]]
) -> None:
    setup = book.Setup("lstm", **EVERYTHING["lstm"])
    arrays = book.draw(setup, 1)
    swapped = tensors(arrays) | {"p_i": tensors(arrays)["p_f"], "p_f": tensors(arrays)["p_i"]}
    assert {"y", "c_n", "dp_o"} <= off(run_setup(setup, swapped), setup, book.results(setup, arrays)).keys()


@pytest.mark.parametrize("cell", CELLS)
@given(data=st.data())
def test_parameters(book: Any, made: Callable[..., Any], cell: str, data: st.DataObject) -> None:
    setup = book.Setup(cell, **data.draw(options(cell)))
    layer = made(setup)
    want = {name: array.shape for name, array in book.draw(setup, 0).items() if name[0] in "Wbp"}
    assert {name: tuple(value.shape) for name, value in layer.named_parameters()} == want
    assert all(value.detach().abs().max() <= setup.H**-0.5 for value in layer.parameters())
    said: dict[str, Any] = {"peephole": setup.peephole, "coupled": setup.coupled}
    names = param_names(setup.num_layers, setup.bidirectional, setup.bias, **said, projection=bool(setup.proj_size))
    assert names == tuple(want) == tuple(name for name, _ in layer.named_parameters())
    said |= {"bias": setup.bias, "proj_size": setup.proj_size, "merge": setup.merge}
    assert param_shapes(setup.G, setup.I, setup.H, setup.num_layers, setup.bidirectional, **said) == want


def test_names() -> None:
    assert param_names(1, True, True, peephole=True, projection=True)[8:] == (
        "W_xh_reverse",
        "W_hh_reverse",
        "b_xh_reverse",
        "b_hh_reverse",
        "p_i_reverse",
        "p_f_reverse",
        "p_o_reverse",
        "W_hr_reverse",
    )
    assert param_names(2, False, False, peephole=True, coupled=True)[4:] == ("W_xh_l1", "W_hh_l1", "p_i_l1", "p_o_l1")


@pytest.mark.parametrize(
    ("argument", "cell", "said"),
    [
        ("peephole", "gru", {"peephole": True}),
        ("peephole", "lstm", {"peephole": 1}),
        ("coupled", "rnn_tanh", {"coupled": True}),
        ("coupled", "lstm", {"coupled": None}),
        ("forget_bias", "gru", {"forget_bias": 1.0}),
        ("forget_bias", "lstm", {"forget_bias": math.nan}),
        ("forget_bias", "lstm", {"forget_bias": "1"}),
        ("forget_bias", "lstm", {"forget_bias": 1.0, "coupled": True}),
        ("clip", "gru", {"clip": 0.0}),
        ("clip", "lstm", {"clip": -1.0}),
        ("clip", "rnn_relu", {"clip": math.inf}),
        ("clip", "rnn_relu", {"clip": True}),
        ("proj_size", "gru", {"proj_size": 2}),
        ("proj_size", "lstm", {"proj_size": -1}),
        ("proj_size", "lstm", {"proj_size": 1.0}),
        ("proj_size", "lstm", {"proj_size": False}),
        ("attention", "lstm", {"attention": True}),
        ("attention", "gru", {"attention": 2}),
        ("merge", "gru", {"merge": "mul"}),
        ("dropout", "gru", {"dropout": 0.5, "num_layers": 1}),
        ("dropout", "gru", {"dropout": 1.0}),
        ("dropout", "gru", {"dropout": -0.5}),
        ("recurrent_dropout", "gru", {"recurrent_dropout": 1}),
        ("recurrent_dropout", "gru", {"recurrent_dropout": True}),
        ("zoneout", "gru", {"zoneout": 1.5}),
        ("zoneout", "gru", {"zoneout": math.nan}),
        ("zoneout", "gru", {"zoneout": None}),
    ],
)
def test_bad_options(argument: str, cell: str, said: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError) as error:
        Recurrent(cell, 2, 3, **({"num_layers": 2} | said))
    assert error.value.argument == argument


ones = torch.ones


@pytest.mark.parametrize(
    ("argument", "inputs"),
    [
        ("axes", {"axes": "B"}),
        ("axes", {"axes": None}),
        ("x", {"axes": "T"}),
        ("x", {"x": ones(5, 2)}),
        ("lengths", {"x": ones(5, 2), "axes": "T", "attention": ones(5), "lengths": [5]}),
        ("h_0", {"x": ones(5, 2), "axes": "T", "attention": ones(5), "h_0": ones(4, 1, 3)}),
        ("h_0", {"axes": "BT", "attention": ones(5, 4), "h_0": ones(4, 4, 3)}),
        ("attention", {"attention": None}),
        ("attention", {"attention": ones(4, 5)}),
        ("attention", {"axes": "BT", "attention": ones(4, 5)}),
        ("attention", {"attention": ones(5, 4, 1)}),
        ("attention", {"attention": ones(5, 4).double()}),
        ("attention", {"attention": 0.5}),
        ("recurrent", {"recurrent": ones(4, 5, 4, 2)}),
        ("recurrent", {"recurrent": ones(5, 4, 3)}),
        ("recurrent", {"recurrent": ones(4, 5, 4, 3).double()}),
        ("recurrent", {"axes": "BT", "x": ones(4, 5, 2), "attention": ones(4, 5), "recurrent": ones(4, 4, 5, 3)}),
        ("zoneout", {"zoneout": ones(4, 5, 4, 3)}),
        ("zoneout", {"zoneout": [ones(4, 5, 4, 3), ones(4, 5, 4, 3)]}),
        ("zoneout[0]", {"zoneout": [ones(4, 5, 4, 1)]}),
        ("zoneout[0]", {"zoneout": [ones(4, 5, 4, 3) > 0]}),
        ("masks[0]", {"masks": [ones(5, 4, 6)]}),  # summed, y is as wide as one direction
        ("generator", {"generator": 1}),
    ],
)
def test_bad_inputs(argument: str, inputs: dict[str, Any]) -> None:
    layer = Recurrent("gru", 2, 3, num_layers=2, bidirectional=True, attention=True, merge="sum")
    with pytest.raises(ArgumentError) as error:
        layer(**({"x": ones(5, 4, 2), "attention": ones(5, 4)} | inputs))
    assert error.value.argument == argument


@pytest.mark.parametrize(
    ("argument", "inputs"),
    [
        ("attention", {"attention": ones(5, 4)}),
        ("h_0", {"h_0": ones(1, 4, 3)}),
        ("c_0", {"c_0": ones(1, 4, 2)}),
        ("recurrent", {"recurrent": ones(1, 5, 4, 3)}),
        ("zoneout[0]", {"zoneout": [ones(1, 5, 4, 3), ones(1, 5, 4, 3)]}),
        ("zoneout[1]", {"zoneout": [ones(1, 5, 4, 2), ones(1, 5, 4, 2)]}),
        ("zoneout", {"zoneout": [ones(1, 5, 4, 2)]}),
    ],
)
def test_bad_inputs_of_a_projection(argument: str, inputs: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError) as error:
        Recurrent("lstm", 2, 3, proj_size=2)(ones(5, 4, 2), **inputs)
    assert error.value.argument == argument
