"""Planted mistakes in the options: each is seen, in the results that it makes wrong.

A mutant is a copy of the package with one text replaced. It is compared with the textbook on a problem that has NaN in
all of its padding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

Arrays = dict[str, Tensor]

BASE: dict[str, Any] = {"T": 3, "B": 3, "I": 2, "H": 2, "num_layers": 2, "lengths": (3, 1, 2)}
PROBLEMS: dict[str, dict[str, Any]] = {
    # no bias lets few pre-activations reach a wide clip
    "tanh": BASE | {"cell": "rnn_tanh", "clip": 1 / 16, "bidirectional": True, "merge": "sum"},
    "lstm": BASE | {"cell": "lstm", "peephole": True, "forget_bias": 1 / 8, "clip": 1 / 16, "proj_size": 2},
    "coupled": BASE | {"cell": "lstm", "coupled": True, "peephole": True},
    "wide lstm": BASE | {"cell": "lstm", "recurrent": True, "zoneout": True, "bidirectional": True},
    "gru": BASE | {"cell": "gru", "attention": True, "clip": 1 / 16, "recurrent": True, "bidirectional": True},
    "before": BASE | {"cell": "gru_reset_before", "attention": True, "clip": 1 / 16, "recurrent": True},
    "zoned gru": BASE | {"cell": "gru", "attention": True, "recurrent": True, "zoneout": True, "masks": True},
    "truncated": BASE
    | {"T": 5, "cell": "lstm", "lengths": (5, 4, 2), "truncate": (2, 3), "masks": True, "recurrent": True}
    | {"zoneout": True},
    "whole": BASE | {"cell": "gru", "bidirectional": True, "lengths": None},
}

V, A, B = "cells/lstm_variant.py", "cells/augru.py", "cells/augru_reset_before.py"

MUTANTS: dict[str, tuple[str, str, str, str, set[str]]] = {
    # name: problem, file, right, wrong, and some of the results that must be off
    "the state is clipped": ("tanh", "cells/elman_clipped.py", "(f(k(a)),)", "(k(f(a)),)", {"y"}),
    "clipped above only": ("tanh", "cells/clip.py", "min=-clip, ", "", {"y"}),
    "clipped for the values only": (
        "tanh",
        "cells/clip.py",
        "partial(torch.clamp, min=-clip, max=clip)",
        "lambda u: u + (u.clamp(-clip, clip) - u).detach()",
        {"dx", "dW_hh", "db_xh_l1"},
    ),
    "the mean of two directions": ("tanh", "stack.py", "sum(others, first)", "sum(others, first) / 2", {"y", "dx"}),
    "one direction in place of both": ("tanh", "stack.py", "sum(others, first)", "first", {"y", "dx"}),
    "the candidate is not clipped": ("lstm", V, "torch.tanh(k(a_g))", "torch.tanh(a_g)", {"y", "c_n"}),
    "the cell state is not clipped": ("lstm", V, "torch.tanh(k(c))", "torch.tanh(c)", {"y"}),
    "the new cell state is clipped": ("lstm", V, "c = f * c_prev + i * g", "c = k(f * c_prev + i * g)", {"c_n"}),
    "clipped before the peephole": (
        "lstm",
        V,
        'k(_peep(a_i, p.get("p_i"), c_prev))',
        '_peep(k(a_i), p.get("p_i"), c_prev)',
        {"y", "dp_i"},
    ),
    "the forget bias is not clipped": (
        "lstm",
        V,
        'k(_peep(a_f[0], p.get("p_f"), c_prev) + forget_bias)',
        'k(_peep(a_f[0], p.get("p_f"), c_prev)) + forget_bias',
        {"y", "c_n"},
    ),
    "no forget bias": ("lstm", V, " + forget_bias))\n", "))\n", {"y", "c_n"}),
    "the output gate sees the old cell state": (
        "lstm",
        V,
        'p.get("p_o"), c)',
        'p.get("p_o"), c_prev)',
        {"y", "dp_o"},
    ),
    "one peephole for two gates": ("lstm", V, 'p.get("p_f")', 'p.get("p_i")', {"y", "dp_i", "dp_f"}),
    "the peepholes have no way back": ("lstm", V, "a + p * c\n", "a + p * c.detach()\n", {"dc_0", "dx"}),
    "the projection transposed": ("lstm", "cells/projection.py", '["W_hr"].T', '["W_hr"]', {"y", "dW_hr"}),
    "the cell state is projected": (
        "lstm",
        "cells/projection.py",
        'return h @ weights.further["W_hr"].T, *others',
        'return tuple(s @ weights.further["W_hr"].T for s in (h, *others))',
        {"c_n"},
    ),
    "coupled to the input gate itself": ("coupled", V, "1 - i if", "i if", {"y", "c_n"}),
    "gates i, o, g": ("coupled", V, "a_i, *a_f, a_g, a_o = ", "a_i, *a_f, a_o, a_g = ", {"y", "dW_xh"}),
    "the recurrent mask is for the cell state, too": (
        "wide lstm",
        "cells/recurrent_dropout.py",
        "else (s, *others)",
        "else (s, *(mask * other for other in others))",
        {"y", "c_n"},
    ),
    "h from the cell state after zoneout": (
        "wide lstm",
        "cells/zoneout.py",
        "        # lerp",
        "        c = torch.lerp(proposed[1], states_prev[1], factors[1])\n"
        "        proposed = (proposed[0] / proposed[1].tanh() * c.tanh(), proposed[1])\n"
        "        # lerp",
        {"y"},
    ),
    "zoneout the other way": (
        "wide lstm",
        "cells/zoneout.py",
        "zip(proposed, states_prev, factors",
        "zip(states_prev, proposed, factors",
        {"y", "c_n"},
    ),
    "zoneout of h for c": (
        "wide lstm",
        "cells/zoneout.py",
        "states_prev, factors,",
        "states_prev, factors[::-1],",
        {"y"},
    ),
    "zoneout has no way back to the previous state": (
        "wide lstm",
        "cells/zoneout.py",
        "zip(proposed, states_prev, factors",
        "zip(proposed, (s.detach() for s in states_prev), factors",
        {"dh_0", "dc_0", "dW_hh"},
    ),
    "masks in the order of the reversed steps": ("wide lstm", "stack.py", "(turned(self", "(_as_it_is(self", {"y"}),
    "masks of the first layer for all": ("wide lstm", "stack.py", "blank(series[number])", "blank(series[0])", {"y"}),
    "the padding of masks is read": (
        "wide lstm",
        "stack.py",
        "self.lengths.blank(series[number])",
        "series[number]",
        {"dW_hh"},
    ),
    "attention the other way": ("gru", A, "(1 - attention) * z", "attention * z", {"y", "dattention"}),
    "attention has no gradient": ("gru", A, "(1 - attention) * z", "(1 - attention.detach()) * z", {"dattention"}),
    "attention for the candidate, too": (
        "gru",
        A,
        "h = n + z_left * (h",
        "h = (1 - attention) * n + z_left * (h",
        {"y"},
    ),
    "the candidate's share is clipped": ("gru", A, "k(x_n + r * q)", "k(x_n) + r * q", {"y"}),
    "the update gate is not clipped": ("gru", A, "torch.sigmoid(k(x_z + h_z))", "torch.sigmoid(x_z + h_z)", {"y"}),
    "what is carried over is masked": (
        "gru",
        "cells/recurrent_dropout.py",
        "(h_prev, *others, s) if",
        "(s, *others, s) if",
        {"y", "dh_0"},
    ),
    "no recurrent mask": ("gru", A, "h_prev if h_seen is None else h_seen", "h_prev", {"y", "dW_hh"}),
    "what is reset is not masked": ("before", B, "(r * s) @", "(r * h_prev) @", {"y", "dW_hh"}),
    "the update gate sees more than the mask lets through": ("before", B, "s @ W_hz.T", "h_prev @ W_hz.T", {"y"}),
    "the candidate is not clipped before": (
        "before",
        B,
        "torch.tanh(k(x_n + (r * s) @ W_hn.T + b_hn))",
        "torch.tanh(x_n + (r * s) @ W_hn.T + b_hn)",
        {"y"},
    ),
    "attention the other way before": ("before", B, "(1 - attention) * z", "attention * z", {"y", "dattention"}),
    "zoneout keeps a masked state": (
        "zoned gru",
        "network.py",
        "modifiers += self._zoneout(x, zoneout, generator)",
        "modifiers = self._zoneout(x, zoneout, generator) + modifiers",
        {"y"},
    ),
    "windows a step short": (
        "truncated",
        "truncation.py",
        "max(0, s + k1 - k2) for",
        "max(0, s + k1 - k2 + 1) for",
        {"dx", "dW_hh"},
    ),
    "windows a step long": (
        "truncated",
        "truncation.py",
        "max(0, s + k1 - k2) for",
        "max(0, s + k1 - k2 - 1) for",
        {"dx", "dW_hh"},
    ),
    "windows counted from the block's start": (
        "truncated",
        "truncation.py",
        "max(0, s + k1 - k2) for",
        "max(0, s - k2) for",
        {"dx", "dW_hh"},
    ),
    "not truncated": (
        "truncated",
        "truncation.py",
        "with torch.no_grad():",
        "with torch.enable_grad():",
        {"dx", "dh_0"},
    ),
    "the initial states are constants": (
        "truncated",
        "truncation.py",
        "before = {0: states_0}",
        "before = {0: tuple(s.detach() for s in states_0)}",
        {"dh_0", "dc_0"},
    ),
    "the output of the window's start": ("truncated", "truncation.py", "narrow(dim, s - w,", "narrow(dim, 0,", {"y"}),
    "windows from the initial states": (
        "truncated",
        "truncation.py",
        "run(w, e, before[w])",
        "run(w, e, states_0)",
        {"y"},
    ),
    "lengths of the first steps in every window": (
        "truncated",
        "lengths.py",
        "(self.lengths - first)",
        "(self.lengths)",
        {"h_n", "c_n"},
    ),
    "masks of the first steps in every window": (
        "truncated",
        "stack.py",
        "mask[first:last]",
        "mask[: last - first]",
        {"y"},
    ),
    "modifiers of the first steps in every window": (
        "truncated",
        "stack.py",
        "series[:, first:last]",
        "series[:, : last - first]",
        {"y"},
    ),
    "no reversal without lengths": ("whole", "lengths.py", "return x.flip(0)", "return x", {"y", "dx"}),
}

ONLY_NAN_SHOWS = {"the padding of masks is read"}
OUTPUTS = {"y", "h_n", "c_n"}


@pytest.fixture(scope="module")
def problem(book: Any, tensors: Callable[..., Arrays]) -> Callable[[str], Any]:
    """`name -> setup, tensors with NaN in the padding, the same without, what is right`."""
    known: dict[str, Any] = {}

    def found(name: str) -> Any:
        if name not in known:
            setup = book.Setup(**PROBLEMS[name])
            arrays = book.draw(setup, 5)
            clean = tensors(arrays)
            known[name] = setup, spoilt(setup, clean), clean, book.results(setup, arrays)
        return known[name]

    return found


def spoilt(setup: Any, clean: Arrays, value: float = torch.nan) -> Arrays:
    """Fill the padding of everything that has one."""
    padding = torch.arange(setup.T)[:, None] >= torch.tensor(setup.own)
    found = dict(clean)
    for name, array in clean.items():
        if name in ("x", "dy") or name.startswith(("mask_", "recurrent", "zoneout")):
            found[name] = array.masked_fill(padding[..., None], value)
    if "attention" in clean:
        found["attention"] = clean["attention"].masked_fill(padding, value)
    return found


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mistake_is_seen(
    mutated: Callable[..., Any],
    problem: Callable[[str], Any],
    run_setup: Callable[..., Arrays],
    off: Callable[..., dict[str, str]],
    mutant: str,
) -> None:
    name, *change, expected = MUTANTS[mutant]
    setup, with_nan, without, want = problem(name)
    network = mutated(*change).Recurrent
    seen = off(run_setup(setup, with_nan, network), setup, want)
    assert expected <= seen.keys()
    if not expected & OUTPUTS:  # a mistake in gradients alone
        assert not OUTPUTS & seen.keys()
    if mutant in ONLY_NAN_SHOWS:
        assert off(run_setup(setup, without, network), setup, want) == {}


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_copy_without_a_mistake_is_right(
    mutated: Callable[..., Any],
    problem: Callable[[str], Any],
    run_setup: Callable[..., Arrays],
    off: Callable[..., dict[str, str]],
    name: str,
) -> None:
    setup, with_nan, _, want = problem(name)
    network = mutated("truncation.py", "torch.cat(ys", "torch.cat(ys").Recurrent
    assert off(run_setup(setup, with_nan, network), setup, want) == {}
