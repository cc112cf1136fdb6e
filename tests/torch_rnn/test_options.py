"""Every option of the network, in any combination, against the textbook: outputs and all gradients, by value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from torch_rnn import CELLS

if TYPE_CHECKING:
    pass

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
