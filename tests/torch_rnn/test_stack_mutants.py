"""Planted mistakes in layers, directions, lengths and masks: each is seen, in the results that it makes wrong.

A mutant is a copy of the package with one text replaced, imported under another name. The case has everything: three
layers, two directions, unequal lengths in no order, masks, initial states and cotangents on all outputs; and NaN in
all of its padding, of which torch.nn is not told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

import torch_rnn

Arrays = dict[str, Tensor]

EVERYTHING = {"T": 4, "B": 4, "I": 3, "H": 2, "bias": True, "seed": 1, "num_layers": 3, "directions": 2}

MUTANTS: dict[str, tuple[str, str, str, set[str]]] = {
    # name: file, right, wrong, and some of the results that must be off
    "the reverse output is not reversed back": ("stack.py", "append(turned(h))", "append(h)", {"y", "dx"}),
    "the reverse input is not reversed": ("stack.py", "] = turned(x)", "] = x", {"y", "h_n", "dW_hh_reverse"}),
    "reversal over all T": ("lengths.py", "return x.gather(0, self.mirror.expand_as(x))", "return x.flip(0)", {"y"}),
    "reversal one step off": (
        "lengths.py",
        "torch.where(running, last - t, t)",
        "torch.where(running, (last - t - 1) % (last + 1), t)",
        {"y", "dx"},
    ),
    "the last step is padding": ("lengths.py", "lengths[:, None] - 1", "lengths[:, None] - 2", {"y", "h_n", "dx"}),
    "a step too many": ("lengths.py", "lengths[:, None] - 1", "lengths[:, None]", {"y", "h_n"}),
    "the final state after T steps": (
        "lengths.py",
        "torch.where(running, state, prev) for",
        "state for",
        {"h_n", "c_n", "dh_0", "dW_hh"},
    ),
    "a finished sequence starts again from zero": (
        "lengths.py",
        "torch.where(running, state, prev) for",
        "torch.where(running, state, 0 * prev) for",
        {"h_n", "c_n"},
    ),
    "the padding of the output is the last state": (
        "stack.py",
        "y = lengths.blank(merge(outputs))",
        "y = merge(outputs)",
        {"y", "dx"},
    ),
    "the padding of the output is multiplied by zero": (
        "lengths.py",
        "return torch.where(self.running, x, 0)",
        "return x * self.running",
        {"dx", "dW_xh"},
    ),
    "the padding of the input is read": (
        "stack.py",
        "x = lengths.blank(y * masks[layer - 1] if layer and masks else y)",
        "x = y * masks[layer - 1] if layer and masks else y",
        {"dx", "dW_xh"},
    ),
    "the masks are skipped": ("stack.py", "y * masks[layer - 1] if", "y if", {"y", "h_n", "dx"}),
    "one mask for all layers": ("stack.py", "masks[layer - 1]", "masks[0]", {"y", "dW_xh_l2"}),
    "the mask of the next layer": ("stack.py", "masks[layer - 1]", "masks[-layer]", {"y", "dx"}),
    "the masks after the last layer": (
        "stack.py",
        "    return y, tuple(",
        "    y = y * lengths.blank(masks[-1])\n    return y, tuple(",
        {"y"},
    ),
    "the masks have no gradient": (
        "stack.py",
        "y * masks[layer - 1]",
        "y + (y * (masks[layer - 1] - 1)).detach()",
        {"dx", "dW_hh_l1"},
    ),
    "forward weights in the reverse direction": (
        "network.py",
        "self._weights(suffix(l, d))",
        "self._weights(suffix(l, 0))",
        {"y", "dW_xh"},
    ),
    "the weights of the two directions swapped": (
        "network.py",
        "self._weights(suffix(l, d))",
        "self._weights(suffix(l, 1 - d))",
        {"y", "h_n", "dW_hh_l1"},
    ),
    "initial states by direction, then layer": (
        "stack.py",
        "starts = zip(*states_0, strict=True)",
        "starts = zip(*(s.unflatten(0, (-1, len(layers))).transpose(0, 1).flatten(0, 1) for s in states_0))",
        {"y", "dh_0", "dc_0"},
    ),
    "initial states of reverse, then forward": (
        "stack.py",
        "starts = zip(*states_0, strict=True)",
        "starts = zip(*(s.unflatten(0, (len(layers), -1)).flip(1).flatten(0, 1) for s in states_0))",
        {"y", "dh_0", "dc_0"},
    ),
    "initial states of the first layer for all": (
        "stack.py",
        "next(starts)",
        "tuple(s[0] for s in states_0)",
        {"y", "h_n"},
    ),
    "final states by direction, then layer": (
        "stack.py",
        "tuple(torch.stack(states) for states in",
        "tuple(torch.stack(states[::2] + states[1::2]) for states in",
        {"h_n", "c_n"},
    ),
    "final states from the top down": (
        "stack.py",
        "ends.append(states_n)",
        "ends.insert(0, states_n)",
        {"h_n", "c_n"},
    ),
    "reverse, then forward in the output": (
        "stack.py",
        "torch.cat(list(outputs),",
        "torch.cat(list(outputs)[::-1],",
        {"y", "dx"},
    ),
    "the directions summed and doubled": (
        "stack.py",
        "torch.cat(list(outputs), dim=-1)",
        "(sum(outputs) / 2).repeat(1, 1, 2)",
        {"y", "dx"},
    ),
    "the input of a layer is added to its output": (
        "stack.py",
        "y = lengths.blank(merge(outputs))",
        "y = lengths.blank(merge(outputs)) + (x if layer else 0)",
        {"y", "dx"},
    ),
}

ONLY_NAN_SHOWS = {"the padding of the output is multiplied by zero", "the padding of the input is read"}


def off(got: Arrays, want: Arrays, case: Arrays, assert_agree: Callable[..., None]) -> set[str]:
    """Return the names of the results that are off by more than rounding allows."""
    assert got.keys() <= want.keys()
    found = want.keys() - got.keys()  # no gradient came to them
    for name in got:
        try:
            assert_agree({name: got[name]}, {name: want[name]}, case)
        except AssertionError:
            found.add(name)
    return found


@pytest.fixture(scope="module")
def case(draw: Callable[..., Arrays]) -> Arrays:
    """The case, with NaN nowhere."""
    return draw("lstm", **EVERYTHING, masks=True) | {"lengths": torch.tensor([2, 3, 1, 2])}


@pytest.fixture(scope="module")
def spoilt(case: Arrays) -> Arrays:
    """The same with NaN in all padding."""
    padding = torch.arange(4)[:, None, None] >= case["lengths"][:, None]
    return case | {name: case[name].masked_fill(padding, torch.nan) for name in ("x", "dy", "mask_0", "mask_1")}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mistake_is_seen(
    mutated: Callable[[str, str, str], Any],
    case: Arrays,
    spoilt: Arrays,
    run: Callable[..., Arrays],
    run_torch: Callable[..., Arrays],
    assert_agree: Callable[..., None],
    mutant: str,
) -> None:
    *change, expected = MUTANTS[mutant]
    network, want = mutated(*change).Recurrent, run_torch("lstm", case)
    with_nan, without = (off(run("lstm", given, network), want, case, assert_agree) for given in (spoilt, case))
    assert expected <= with_nan
    assert not without if mutant in ONLY_NAN_SHOWS else expected <= without


def test_a_copy_without_a_mistake_is_right(
    mutated: Callable[[str, str, str], Any],
    spoilt: Arrays,
    case: Arrays,
    run: Callable[..., Arrays],
    run_torch: Callable[..., Arrays],
    assert_agree: Callable[..., None],
) -> None:
    network = mutated("stack.py", "append(turned(h))", "append(turned(h))").Recurrent
    assert network is not torch_rnn.Recurrent
    assert off(run("lstm", spoilt, network), run_torch("lstm", case), case, assert_agree) == set()


def test_a_state_in_a_step_that_is_not_taken_is_seen(
    mutated: Callable[[str, str, str], Any], case: Arrays, run: Callable[..., Arrays]
) -> None:
    given = case | {"lengths": torch.tensor([2, 0, 1, 2]), "h_0": case["h_0"].clone()}
    given["h_0"][:, 1] = torch.nan
    right, wrong = (
        run("lstm", given),
        run("lstm", given, mutated("lengths.py", "(torch.where(running, prev, 0)", "(prev").Recurrent),
    )
    assert torch.equal(right["y"], wrong["y"])
    assert right["dW_hh"].isfinite().all()
    assert wrong["dW_hh"].isnan().any()
