"""Flax's layers, `flax.linen.RNN` around its cells, as a subject: `jax.vjp` does the backward.

Each gate has a Dense layer of its own for the input and for the state, its kernel the transpose of ours, and a bias in
one of the two only: there stands the sum of ours. The GRU's n is the exception, with a bias in both. What Flax returns
for the steps after a sequence's own last one is no zero; it is made one here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from crosscheck.case import Case
from crosscheck.implementation import subject
from crosscheck.regimes import REGIMES
from crosscheck.spec import Spec, suffix
from crosscheck.subjects import jax_case

CELLS: Mapping[str, Any] = {
    "rnn_tanh": nn.SimpleCell,
    "rnn_relu": lambda H: nn.SimpleCell(H, activation_fn=nn.relu),
    "lstm": nn.LSTMCell,
    "gru": nn.GRUCell,
}
GATES = {"rnn_tanh": ("",), "rnn_relu": ("",), "lstm": ("i", "f", "g", "o"), "gru": ("r", "z", "n")}
"""What Flax's names of the gates end in, in our order."""


def _outputs(spec: Spec, inputs: jax_case.Arrays, _: jax_case.Arrays, lengths: Any) -> dict[str, Any]:
    """Return y, h_n and c_n by name."""
    y = inputs["x"]
    halves: list[Any] = []
    after: list[Any] = []
    running = jnp.arange(len(y))[:, None] < lengths
    for k, (layer, reverse) in enumerate(spec.runs):
        if not reverse:
            x, halves = y, []
        rnn = nn.RNN(CELLS[spec.cell](spec.hidden_size), time_major=True, return_carry=True, keep_order=True)
        before = {name: inputs[f"{name}_0"][k] for name in spec.states}
        carry, half = rnn.apply(
            {"params": {"cell": _params(spec, inputs, suffix(layer, reverse))}},
            x,
            initial_carry=(before["c"], before["h"]) if spec.cell == "lstm" else before["h"],
            seq_lengths=lengths,
            reverse=reverse,
        )
        after.append(dict(zip("ch", carry, strict=True)) if spec.cell == "lstm" else {"h": carry})
        halves.append(half)
        y = sum(halves[1:], start=halves[0]) if spec.merge == "sum" else jnp.concatenate(halves, axis=-1)
    finals = {f"{name}_n": jnp.stack([state[name] for state in after]) for name in spec.states}
    return {"y": jnp.where(running[..., None], y, 0), **finals}


def _params(spec: Spec, inputs: jax_case.Arrays, end: str) -> dict[str, dict[str, Any]]:
    """Return Flax's parameters of one layer and direction."""
    gates = GATES[spec.cell]
    W_xh, W_hh = (jnp.split(inputs[f"{name}{end}"], len(gates)) for name in ("W_xh", "W_hh"))
    zeros = jnp.zeros((len(gates), spec.hidden_size), inputs["x"].dtype)
    b_xh, b_hh = (jnp.split(inputs[f"{name}{end}"], len(gates)) if spec.bias else zeros for name in ("b_xh", "b_hh"))
    params: dict[str, dict[str, Any]] = {}
    for gate, W_x, W_h, b_x, b_h in zip(gates, W_xh, W_hh, b_xh, b_hh, strict=True):
        of_x, of_h = {"kernel": W_x.T}, {"kernel": W_h.T}
        if gate == "n":
            of_x, of_h = of_x | {"bias": b_x}, of_h | {"bias": b_h}
        elif spec.cell == "lstm":
            of_h |= {"bias": b_x + b_h}
        else:
            of_x |= {"bias": b_x + b_h}
        params |= {f"i{gate}": of_x, f"h{gate}": of_h}
    return params


@subject(
    cell=tuple(CELLS),
    dtype=("float64", "float32"),
    num_layers=(1, 2, 3),
    bidirectional=(False, True),
    merge=("concat", "sum"),
    axes=("TB", "BT", "T"),
    lengths=("none", "positive"),  # of a sequence of length 0, Flax returns the state after its last padding
    regime=tuple(regime for regime in REGIMES if regime != "nan_padding"),  # what comes of it is NaN
    bias=(True, False),
)
def flax_rnn(case: Case) -> dict[str, Any]:
    """Return every output and gradient of a case."""
    return jax_case.results(case, _outputs)
