"""Hypothesis strategies that draw cases, and what a subject may say that it supports.

Hypothesis draws what is worth shrinking: T, B, I and H first and small, then the options, a regime, and a seed. The
arrays follow from the seed. Every choice is listed simplest first, so a failure shrinks to the simplest case, in
simple numbers. All is drawn for every case, also what then doesn't apply, since what draws less is shrunk to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import reject
from hypothesis import strategies as st

from crosscheck.case import DTYPES, SEED_LIMIT, STATES, Case
from crosscheck.errors import ArgumentError
from crosscheck.features import FREE, WIDE, Aim, has
from crosscheck.memory import MEMORY
from crosscheck.regimes import REGIMES
from crosscheck.spec import AXES, GATES, LOSSES, MEANS, MERGES, Spec

LENGTHS = ("none", "positive", "zero")
"""Whether sequences have lengths of their own: none, from 1 step on, or 0 among them."""
FORGET_BIASES = (1.0, 0.5)
CLIPS = (45 / 64, 83 / 64)
"""No sum of small integers and halves lies on one of these edges, where a slope is a matter of convention."""
RATES = (0.3, 0.7)
"""Not 0.5, where to drop and to keep are the same."""

PLAIN: dict[str, tuple[Any, ...]] = {
    "cell": tuple(GATES),
    "dtype": DTYPES[:2],
    "num_layers": (1,),
    "bidirectional": (False,),
    "merge": MERGES[:1],
    "axes": AXES[:1],
    "lengths": LENGTHS[:1],
    "bias": (True,),
    "reset_after": (True,),
    "peephole": (False,),
    "coupled": (False,),
    "forget_bias": (False,),
    "projection": (False,),
    "attention": (False,),
    "clip": (False,),
    "dropout": (False,),
    "recurrent_dropout": (False,),
    "zoneout": (False,),
    "train": (True,),
    "truncate": (False,),
    "output_layer": (False,),
    "loss": ("none",),
    "mean": MEANS[:1],
    "regime": tuple(REGIMES),
    "memory": tuple(layout for layout in MEMORY if layout != "negative"),
    "states": STATES,
    "wide": (False, True),
    "min_I": (1,),
    "min_H": (1,),
    "max_T": (8,),
    "max_B": (4,),
    "max_I": (6,),
    "max_H": (6,),
}
"""What is drawn of a subject that doesn't say what it supports: a plain layer. Each option with its values, simplest
first; `max_T`, `min_I` and so on hold one value, the largest or the smallest size. `wide` is a hidden size past that,
drawn now and then if `max_H` is not smaller than it is here. An option that doesn't apply, such as `peephole` to a GRU,
or `merge` to one direction, is ignored."""

ANYWHERE = Aim()
BOTH = (False, True)
EVERYTHING: dict[str, tuple[Any, ...]] = PLAIN | {
    "num_layers": (1, 2, 3),
    "bidirectional": BOTH,
    "merge": MERGES,
    "axes": AXES,
    "lengths": LENGTHS,
    "bias": (True, False),
    "reset_after": (True, False),
    "peephole": BOTH,
    "coupled": BOTH,
    "forget_bias": BOTH,
    "projection": BOTH,
    "attention": BOTH,
    "clip": BOTH,
    "dropout": BOTH,
    "recurrent_dropout": BOTH,
    "zoneout": BOTH,
    "train": (True, False),
    "truncate": BOTH,
    "output_layer": BOTH,
    "loss": LOSSES,
    "mean": MEANS,
    "memory": MEMORY,
}
"""Every option of a spec, in the formats that every subject knows."""

OFTEN: dict[str, tuple[Any, ...]] = {
    "num_layers": (1, 1, 1, 2, 3),
    "bidirectional": (False, False, True),
    "axes": ("TB", "TB", "BT", "T"),
    "regime": ("simple", *["ordinary"] * 3, *REGIMES),
    "memory": (*["contiguous"] * len(MEMORY), *MEMORY),
    "loss": ("none", "none", *LOSSES),
    "mean": ("default", "default", *MEANS),
    "states": ("both",),  # which shows all that the others do
} | dict.fromkeys(
    ("coupled", "forget_bias", "clip", "recurrent_dropout", "zoneout", "truncate"), (False, False, False, True)
)
"""How often the values of an option are drawn, where not all alike; all alike too if a subject has none of these. Most
cases have few options, since what is rare in networks, or takes longer to check, is to hide nothing else."""

OFTEN_SHAPES = (*[FREE] * 55, *["equal"] * 3, *["wide"] * 2)

KNOWN: dict[str, tuple[Any, ...]] = EVERYTHING | {"dtype": DTYPES}
"""Every value that may be asked for: the short formats too, which nobody gets unasked."""


def _of_cell(cell: str, value: Callable[[Case], Any]) -> Callable[[Case], Any]:
    return lambda case: value(case) if case.spec.cell == cell else None


OF_CASE: dict[str, Callable[[Case], Any]] = {
    "cell": lambda case: case.spec.cell,
    "dtype": lambda case: case.dtype,
    "num_layers": lambda case: case.spec.num_layers,
    "bidirectional": lambda case: case.spec.bidirectional,
    "merge": lambda case: case.spec.merge if case.spec.bidirectional else None,
    "axes": lambda case: case.spec.axes,
    "lengths": lambda case: lengths_of(case),
    "bias": lambda case: case.spec.bias,
    "reset_after": _of_cell("gru", lambda case: case.spec.reset_after),
    "peephole": _of_cell("lstm", lambda case: case.spec.peephole),
    "coupled": _of_cell("lstm", lambda case: case.spec.coupled),
    "forget_bias": _of_cell("lstm", lambda case: None if case.spec.coupled else case.spec.forget_bias != 0),
    "projection": _of_cell("lstm", lambda case: case.spec.proj_size > 0 if case.spec.hidden_size > 1 else None),
    "attention": _of_cell("gru", lambda case: case.spec.attention),
    "clip": lambda case: case.spec.clip != 0,
    "dropout": lambda case: case.spec.dropout != 0 if case.spec.num_layers > 1 else None,
    "recurrent_dropout": lambda case: case.spec.recurrent_dropout != 0,
    "zoneout": lambda case: case.spec.zoneout != 0,
    "train": lambda case: case.spec.train if any(case.spec.rates) else None,
    "truncate": lambda case: None if case.spec.bidirectional else case.spec.truncate is not None,
    "output_layer": lambda case: case.spec.output_size > 0,
    "loss": lambda case: case.spec.loss,
    "mean": lambda case: case.spec.mean if case.spec.loss != "none" else None,
    "regime": lambda case: case.regime,
    "memory": lambda case: case.memory,
    "states": lambda case: case.states,
    "wide": lambda case: case.spec.hidden_size == WIDE,
}
"""The value that a case has of each option but the sizes; None where the option doesn't apply to it."""


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
        if name.startswith(("max_", "min_")):
            if len(values) != 1 or type(values[0]) is not int or values[0] < 1:
                raise ArgumentError(name, repr(given), "a positive whole number")
            known = list(values)
        if not values or len(known) != len(values):
            raise ArgumentError(name, repr(given), "out of " + ", ".join(map(str, KNOWN[name])))
        result[name] = tuple(known)
    return result


def supported(case: Case, options: Mapping[str, tuple[Any, ...]]) -> bool:
    """Say whether a case lies within `options`."""
    sizes = {"max_T": case.T, "max_B": case.B, "max_I": case.spec.input_size, "max_H": case.spec.hidden_size}
    if case.spec.hidden_size == WIDE and _may_be_wide(options):
        del sizes["max_H"]
    if case.spec.input_size < options["min_I"][0] or case.spec.hidden_size < options["min_H"][0]:
        return False
    return all(size <= options[name][0] for name, size in sizes.items()) and all(
        value(case) is None or value(case) in options[name] for name, value in OF_CASE.items()
    )


def _may_be_wide(options: Mapping[str, tuple[Any, ...]]) -> bool:
    return True in options["wide"] and options["max_H"] >= PLAIN["max_H"]


def lengths_of(case: Case) -> str | None:
    """Return which of `LENGTHS` a case has; None where there is no batch."""
    if case.lengths is None:
        return None if case.spec.axes == "T" else "none"
    return "zero" if 0 in case.lengths else "positive"


@st.composite
def cases(draw: st.DrawFn, options: Mapping[str, tuple[Any, ...]] = EVERYTHING, aim: Aim = ANYWHERE) -> Case:
    """Draw a case.

    Args:
        draw: Hypothesis's.
        options: what is drawn; see `supports`.
        aim: what the cases have to show; see `crosscheck.features.aim`.
    """

    def size(name: str, least: int = 1) -> int:
        most = options["max_H" if name == "O" else f"max_{name}"][0]
        lowest, highest = aim.sizes.get(name, (1, most))
        least = max(least, *options.get(f"min_{name}", (1,)))
        return draw(st.integers(min(max(least, lowest), most), min(most, max(highest, least))), label=name)

    def often(name: str) -> list[Any]:
        return [value for value in OFTEN.get(name, ()) if value in options[name]] or list(options[name])

    def choice(name: str, applies: bool = True, otherwise: Any = False) -> Any:
        drawn = draw(st.sampled_from(often(name)), label=name)
        return drawn if applies else otherwise

    def number(name: str, values: tuple[float, ...], applies: bool = True) -> float:
        wanted = choice(name, applies)
        drawn = draw(st.sampled_from(values), label=name)
        return drawn if wanted else 0.0

    # A softmax over one number is 1 whatever the number is: every gradient is 0, and nothing can be seen.
    narrowest = 2 if options["loss"] == ("cross_entropy",) else 1
    T, B, I, H = size("T"), size("B"), size("I"), size("H", 1 if True in options["output_layer"] else narrowest)
    cell = choice("cell")
    num_layers, bidirectional = choice("num_layers"), choice("bidirectional")
    axes = choice("axes")
    shape = draw(st.sampled_from(OFTEN_SHAPES if aim.shape is None else (aim.shape,)), label="shape")
    if shape == "wide" and _may_be_wide(options):
        T, B, I, H, num_layers, bidirectional = min(T, 2), min(B, 2), min(I, 2), WIDE, 1, False
    B = 1 if axes == "T" else B
    if shape == "equal":
        T = B = I = H = min(T, B if axes == "T" else options["max_B"][0], options["max_I"][0], options["max_H"][0])
    lengths = _lengths(draw, choice("lengths", axes != "T", "none"), T, B)
    lstm, gru = cell == "lstm", cell == "gru"
    coupled = choice("coupled", lstm)
    projected = choice("projection", lstm and H > 1)
    P = draw(st.integers(1, max(H - 1, 1)), label="P")
    truncated = choice("truncate", not bidirectional)
    k1 = draw(st.integers(1, T), label="k1")
    k2 = draw(st.integers(k1, T + 1), label="k2")
    of_cell = {
        "bias": choice("bias"),
        "reset_after": choice("reset_after", gru, True),
        "peephole": choice("peephole", lstm),
        "coupled": coupled,
        "forget_bias": number("forget_bias", FORGET_BIASES, lstm and not coupled),
        "proj_size": P if projected else 0,
        "attention": choice("attention", gru),
        "clip": number("clip", CLIPS),
        "merge": choice("merge", bidirectional, "concat"),
        "dropout": number("dropout", RATES, num_layers > 1),
        "recurrent_dropout": number("recurrent_dropout", RATES),
        "zoneout": number("zoneout", RATES),
        "train": choice("train"),
        "truncate": (k1, k2) if truncated else None,
    }
    width = (P if projected else H) * (2 if bidirectional and of_cell["merge"] == "concat" else 1)
    O = size("O", narrowest) if choice("output_layer") or width < narrowest <= options["max_H"][0] else 0
    losses = [loss for loss in often("loss") if loss != "cross_entropy" or (O or width) > 1] or options["loss"]
    loss = draw(st.sampled_from(losses), label="loss")
    mean = choice("mean", loss != "none", "default")
    memory = choice("memory")
    if memory == "aliased" and loss == "none" and options["min_I"][0] <= (O or width) <= options["max_I"][0]:
        I = O or width  # so that x and dy have the same shape
    spec = Spec(
        cell,
        I,
        H,
        O,
        loss=loss,
        num_layers=num_layers,
        bidirectional=bidirectional,
        axes=axes,
        mean=mean,
        **of_cell,
    )
    regime = choice("regime")
    seed = draw(st.integers(0, SEED_LIMIT - 1), label="seed")
    case = Case(
        spec, T, B, regime, seed, dtype=choice("dtype"), lengths=lengths, memory=memory, states=choice("states")
    )
    # such as an output layer that a softmax needed, or no cotangent at all
    if not supported(case, options) or not has(case, aim.names) or _shows_nothing(case):
        reject()
    return case


def _shows_nothing(case: Case) -> bool:
    return case.dy is not None and REGIMES[case.regime].dy == "nowhere" and case.states in ("initial", "none")


def _lengths(draw: st.DrawFn, kind: str, T: int, B: int) -> tuple[int, ...] | None:
    """Draw lengths of a kind, None for none."""
    lengths = [draw(st.integers(0 if kind == "zero" else 1, T)) for _ in range(B)]
    first = draw(st.integers(0, B - 1))
    if kind == "none":
        return None
    if kind == "zero":
        lengths[first] = 0
    return tuple(lengths)
