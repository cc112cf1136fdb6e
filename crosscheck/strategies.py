"""Hypothesis strategies that draw cases.

Hypothesis draws what is worth shrinking: T, B, I and H first and small, then the options, a regime, and a seed. The
arrays follow from the seed. Every choice is listed simplest first, so a failure shrinks to the simplest case, in
simple numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import reject
from hypothesis import strategies as st

from crosscheck.case import DTYPES, GATES, LOSSES, SEED_LIMIT, Case, Spec
from crosscheck.errors import ArgumentError
from crosscheck.regimes import REGIMES

LENGTHS = ("none", "positive", "zero")
"""Whether sequences have lengths of their own: none, from 1 step on, or 0 among them."""

PLAIN: dict[str, tuple[Any, ...]] = {
    "cell": tuple(GATES),
    "dtype": DTYPES[:2],
    "num_layers": (1,),
    "bidirectional": (False,),
    "lengths": ("none",),
    "bias": (True,),
    "reset_after": (True,),
    "output_layer": (False,),
    "loss": ("none",),
    "regime": tuple(REGIMES),
    "max_T": (8,),
    "max_B": (4,),
    "max_I": (6,),
    "max_H": (6,),
}
"""What is drawn of a subject that doesn't say what it supports: a plain layer. Each option with its values, simplest
first; `max_T` and so on hold one value, the largest size."""

EVERYTHING: dict[str, tuple[Any, ...]] = PLAIN | {
    "num_layers": (1, 2, 3),
    "bidirectional": (False, True),
    "lengths": LENGTHS,
    "bias": (True, False),
    "reset_after": (True, False),
    "output_layer": (False, True),
    "loss": LOSSES,
}
"""Every option of a spec, in the formats that every subject knows."""

OFTEN: dict[str, tuple[Any, ...]] = {"num_layers": (1, 1, 1, 2, 3), "bidirectional": (False, False, True)}
"""How often the values of an option are drawn, where not all alike: what takes longer to check less often."""

KNOWN: dict[str, tuple[Any, ...]] = EVERYTHING | {"dtype": DTYPES}
"""Every value that may be asked for: the short formats too, which nobody gets unasked."""


def supports(options: Mapping[str, Any], within: Mapping[str, tuple[Any, ...]] = PLAIN) -> dict[str, tuple[Any, ...]]:
    """Return `within` with some options replaced.

    Args:
        options: option name -> a value, or a sequence of values. The names are those of `PLAIN`.
        within: what holds for the others.

    Raises:
        ArgumentError: a name or a value is unknown.
    """
    result = dict(within)
    for name, given in options.items():
        if name not in PLAIN:
            raise ArgumentError("option", repr(name), "one of " + ", ".join(PLAIN))
        values = tuple(given) if isinstance(given, Sequence) and not isinstance(given, str) else (given,)
        known = [value for value in KNOWN[name] if value in values]
        if name.startswith("max_"):
            if len(values) != 1 or type(values[0]) is not int or values[0] < 1:
                raise ArgumentError(name, repr(given), "a positive whole number")
            known = list(values)
        if not values or len(known) != len(values):
            raise ArgumentError(name, repr(given), "out of " + ", ".join(map(str, KNOWN[name])))
        result[name] = tuple(known)
    return result


def supported(case: Case, options: Mapping[str, tuple[Any, ...]]) -> bool:
    """Say whether a case lies within `options`."""
    spec = case.spec
    sizes = {"max_T": case.T, "max_B": case.B, "max_I": spec.input_size, "max_H": spec.hidden_size}
    return (
        all(size <= options[name][0] for name, size in sizes.items())
        and spec.cell in options["cell"]
        and spec.num_layers in options["num_layers"]
        and spec.bidirectional in options["bidirectional"]
        and lengths_of(case) in options["lengths"]
        and case.dtype in options["dtype"]
        and spec.bias in options["bias"]
        and (spec.cell != "gru" or spec.reset_after in options["reset_after"])
        and bool(spec.output_size) in options["output_layer"]
        and spec.loss in options["loss"]
        and case.regime in options["regime"]
    )


def lengths_of(case: Case) -> str:
    """Return which of `LENGTHS` a case has."""
    if case.lengths is None:
        return "none"
    return "zero" if 0 in case.lengths else "positive"


@st.composite
def cases(draw: st.DrawFn, options: Mapping[str, tuple[Any, ...]] = EVERYTHING) -> Case:
    """Draw a case within `options` (see `supports`)."""

    def size(name: str, least: int = 1) -> int:
        most = options[f"max_{name}"][0]
        return draw(st.integers(min(least, most), most), label=name)

    def choice(name: str) -> Any:
        values = [value for value in OFTEN.get(name, options[name]) if value in options[name]]
        return draw(st.sampled_from(values), label=name)

    # A softmax over one number is 1 whatever the number is: every gradient is 0, and nothing can be seen.
    narrowest = 2 if options["loss"] == ("cross_entropy",) else 1
    T, B, I, H = size("T"), size("B"), size("I"), size("H", 1 if True in options["output_layer"] else narrowest)
    cell = choice("cell")
    num_layers, bidirectional = choice("num_layers"), choice("bidirectional")
    bias = choice("bias")
    reset_after = choice("reset_after") if cell == "gru" else True
    lengths = _lengths(draw, T, B, options)
    O = size("H", narrowest) if choice("output_layer") or H < narrowest <= options["max_H"][0] else 0
    losses = [loss for loss in options["loss"] if loss != "cross_entropy" or (O or H) > 1] or options["loss"]
    loss = draw(st.sampled_from(losses), label="loss")
    if lengths is not None:  # the two are drawn all the same, since what draws less is shrunk to
        O, loss = 0, "none"
    spec = Spec(cell, I, H, O, bias, reset_after, loss, num_layers, bidirectional)
    regime = choice("regime")
    seed = draw(st.integers(0, SEED_LIMIT - 1), label="seed")
    return Case(spec, T, B, regime, seed, dtype=choice("dtype"), lengths=lengths)


def _lengths(draw: st.DrawFn, T: int, B: int, options: Mapping[str, tuple[Any, ...]]) -> tuple[int, ...] | None:
    """Draw lengths; None if there are none, as with an output layer or a loss."""
    possible = False in options["output_layer"] and "none" in options["loss"]
    kinds = options["lengths"] if possible else tuple(kind for kind in options["lengths"] if kind == "none")
    if not kinds:
        reject()
    kind = draw(st.sampled_from(kinds), label="lengths")
    if kind == "none":
        return None
    lengths = [draw(st.integers(1 if kind == "positive" else 0, T)) for _ in range(B)]
    if kind == "zero":
        lengths[draw(st.integers(0, B - 1))] = 0
    return tuple(lengths)
