"""What a case may show, by name: every line of what a generator of cases must reach, and who is blind without it.

A feature is a predicate on a case. Most can be aimed at too: the options, the sizes or the shape that a case with it
has. The fills of `crosscheck.regimes` are features as well, each by its own name.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from crosscheck.case import Case
from crosscheck.errors import ArgumentError
from crosscheck.memory import MEMORY, SHOWS, may_alias
from crosscheck.regimes import REGIMES
from crosscheck.spec import MEANS, RATES

WIDE = 65
"""A hidden size just past the 64 numbers that kernels like to take at once."""
FREE = "free"
SHAPES = (FREE, "equal", "wide")
"""How the sizes of a case are drawn: each by itself; one for all; or H = `WIDE` and the others small."""
MOST = 2**16


@dataclass(frozen=True)
class Feature:
    """Something that a case may show.

    Attributes:
        shows: what mistake is visible here that hides elsewhere.
        of: whether a case has it.
        options: option name -> the values that cases with it have; see `crosscheck.strategies`.
        sizes: "T", "B", "I", "H" or "O" -> the smallest and the largest that cases with it have.
        shape: one of `SHAPES`.
        any_of: options of which cases with it have one at least; empty if none is needed.
    """

    shows: str
    of: Callable[[Case], bool]
    options: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    shape: str = FREE
    any_of: tuple[str, ...] = ()


def sizes(case: Case) -> dict[str, int]:
    """Return the sizes of a case by their letters; O is 0 without an output layer."""
    spec = case.spec
    return {"T": case.T, "B": case.B, "I": spec.input_size, "H": spec.hidden_size, "O": spec.output_size}


def _size(letter: str, least: int, most: int, shows: str) -> Feature:
    options = {"output_layer": (True,)} if letter == "O" else {}
    return Feature(shows, lambda case: least <= sizes(case)[letter] <= most, options, {letter: (least, most)})


def _option(shows: str, of: Callable[[Case], bool], **options: Any) -> Feature:
    return Feature(shows, of, {n: v if isinstance(v, tuple) else (v,) for n, v in options.items()})


def _spec(shows: str, name: str, value: Any = True, option: str = "", **options: Any) -> Feature:
    """Return the feature of a spec that has a value, which is drawn by the option of that name or another."""
    return _option(shows, lambda case: getattr(case.spec, name) == value, **{option or name: value}, **options)


def _on(shows: str, name: str, option: str = "", **options: Any) -> Feature:
    """Return the feature of a spec where something isn't zero."""
    return _option(shows, lambda case: bool(getattr(case.spec, name)), **{option or name: True}, **options)


SIZES: dict[str, Feature] = {
    "T=1": _size("T", 1, 1, "a loop that never runs, an index that is first and last"),
    "T=2": _size("T", 2, 2, "the first carry: dh_next, W_hh^T, += over steps"),
    "T>=3": _size("T", 3, MOST, "a middle step, which is neither first nor last"),
    "T>H": Feature("axes for steps and units mixed up", lambda case: sizes(case)["T"] > sizes(case)["H"]),
    "T<H": Feature("axes for steps and units mixed up", lambda case: sizes(case)["T"] < sizes(case)["H"]),
    "B=1": _size("B", 1, 1, "a batch axis that is squeezed away"),
    "B=2": _size("B", 2, 2, "a mean over the batch for a sum; masking"),
    "B>=3": _size("B", 3, MOST, "an order of sequences and its inverse, which are the same for two"),
    "H=1": _size("H", 1, 1, "a units axis that is squeezed away"),
    "H=2": _size("H", 2, 2, "a missing transpose of W_hh"),
    "H>=3": _size("H", 3, MOST, "gate blocks cut at the wrong place"),
    "I=1": _size("I", 1, 1, "an input axis that is squeezed away"),
    "I=H": Feature(
        "W_xh for W_hh, x for h: the shapes fit", lambda case: case.spec.input_size == case.spec.hidden_size
    ),
    "I!=H": Feature("H where I belongs", lambda case: case.spec.input_size != case.spec.hidden_size),
    "O=1": _size("O", 1, 1, "an output axis that is squeezed away"),
    "O=2": _size("O", 2, 2, "a mean over outputs for a sum"),
    "O>=3": _size("O", 3, MOST, "a missing transpose of W_hy"),
    "sizes distinct": Feature(
        "axes mixed up: some shape does not fit",
        lambda case: len({case.T, case.B, case.spec.input_size, case.spec.hidden_size}) == 4,
    ),
    "sizes equal": Feature(
        "axes mixed up: all shapes fit, and the numbers are wrong",
        lambda case: case.T == case.B == case.spec.input_size == case.spec.hidden_size,
        shape="equal",
    ),
    "wide": Feature(
        f"what lies past a kernel's tile of 64: H is {WIDE}", lambda case: case.spec.hidden_size == WIDE, shape="wide"
    ),
    "L=1": _spec("one layer", "num_layers", 1),
    "L=2": _spec("the order of layers and of their states", "num_layers", 2),
    "L>=3": _option("a middle layer, which has a path of its own", lambda c: c.spec.num_layers >= 3, num_layers=3),
    "one direction": _spec("one direction", "bidirectional", False),
    "two directions": _spec("the reverse direction: its order, its states, its weights", "bidirectional"),
    "two directions, L>=2": _option(
        "what an upper layer reads of two directions",
        lambda case: case.spec.bidirectional and case.spec.num_layers > 1,
        bidirectional=True,
        num_layers=(2, 3),
    ),
}


def _arrays(case: Case, start: str) -> list[Any]:
    return [array for name, array in case.layer_params.items() if name.startswith(start)]


def _fill(*names: str) -> Callable[[Case], bool]:
    return lambda case: case.regime in names


VALUES: dict[str, Feature] = {
    "ordinary weights": _option(
        "most mistakes: weights to 0.7, W_hh not symmetric",
        lambda case: REGIMES[case.regime].weights == REGIMES["ordinary"].weights,
        regime=tuple(name for name, fill in REGIMES.items() if fill.weights == REGIMES["ordinary"].weights),
    ),
    "zero states": _option(
        "a gradient of the initial state that is skipped",
        lambda case: not any(case.arrays[f"{name}_0"].any() for name in case.spec.states),
    ),
    "random states": _option(
        "states of layers and directions mixed up",
        lambda case: all(_differ(case.arrays[f"{name}_0"]) for name in case.spec.states),
        states=("both", "initial"),
    ),
    "no biases": _spec("a bias that is read though there is none", "bias", False),
    "zero biases": _option(
        "a path that only biases keep alive or hide",
        lambda case: case.spec.bias and not any(bias.any() for bias in _arrays(case, "b")),
        bias=True,
        regime=("zero_bias", "small"),
    ),
    "random biases": _option(
        "one bias for the other, or a gate's for another's",
        lambda case: case.spec.bias and _differ(np.array(_arrays(case, "b"))),
        bias=True,
    ),
    "zeros in x": Feature("a step or a row that is taken for padding", lambda case: bool((case.x == 0).any())),
    "repeated rows": Feature(
        "what is kept by the value of an input, or added once where it occurs twice", lambda case: _repeats(case)
    ),
}


def _differ(parts: Any) -> bool:
    """Say whether all parts of an array hold different numbers, and not zeros alone."""
    return bool(parts.any()) and len({part.tobytes() for part in parts}) == len(parts)


def _repeats(case: Case) -> bool:
    rows = case.x.reshape(-1, case.spec.input_size)
    return len({row.tobytes() for row in rows}) < len(rows)


def _given(name: str) -> Callable[[Case], bool]:
    return lambda case: name in case.arrays and bool(np.nan_to_num(case.arrays[name]).any())


COTANGENTS: dict[str, Feature] = {
    "dy everywhere": _option(
        "most mistakes", lambda case: case.dy is not None and REGIMES[case.regime].dy == "everywhere", loss="none"
    ),
    "dy zero, dh_n given": _option(
        "a final state's cotangent that is lost where y has none",
        lambda case: case.dy is not None and not _given("dy")(case) and _given("dh_n")(case),
        loss="none",
        regime="final_only",
        states=("both", "final"),
    ),
    "dh_n zero": _option(
        "a final state's cotangent that is expected where there is none",
        lambda case: case.dy is not None and not _given("dh_n")(case),
        loss="none",
        regime="outputs_only",
    ),
    "dy and dh_n given": _option(
        "one that overwrites the other at the last step",
        lambda case: _given("dy")(case) and _given("dh_n")(case),
        loss="none",
        states=("both", "final"),
    ),
}


def _loss(name: str, shows: str) -> Feature:
    return _spec(shows, "loss", name)


def _mean(over: str) -> Feature:
    what = "no mean, the sum" if over == "none" else f"the mean over {over}"
    return _option(
        f"a wrong factor: the loss is {what}",
        lambda case: case.spec.loss != "none" and (case.spec.mean_over or "none") == over,
        loss=("half_squared_error", "mse", "cross_entropy"),
        mean=over,
    )


REDUCTIONS: dict[str, Feature] = {
    "half_squared_error": _loss("half_squared_error", "the factor of two"),
    "mse": _loss("mse", "the factor of two, and that of the mean"),
    "cross_entropy": _loss("cross_entropy", "softmax minus target, summed or not"),
    **{f"mean {over}": _mean(over) for over in MEANS[1:]},
    "mean over valid steps": _option(
        "a mean over T B where some steps are padding",
        lambda case: (
            case.spec.loss != "none"
            and "TB" in case.spec.mean_over
            and case.lengths is not None
            and min(case.lengths) < case.T
        ),
        loss=("half_squared_error", "mse", "cross_entropy"),
        mean=("TB", "TBO", "default"),
        lengths=("positive", "zero"),
    ),
}


def _of_lengths(shows: str, of: Callable[[tuple[int, ...], int], bool], *kinds: str, **options: Any) -> Feature:
    return _option(
        shows,
        lambda case: case.lengths is not None and of(case.lengths, case.T),
        lengths=kinds or ("positive", "zero"),
        **options,
    )


def _is_sorted(lengths: tuple[int, ...]) -> bool:
    return list(lengths) == sorted(lengths, reverse=True)


def _no_involution(lengths: tuple[int, ...]) -> bool:
    """Say whether sorting twice by the same order is not the way back."""
    order = np.argsort(-np.array(lengths), kind="stable")
    return bool((order[order] != np.arange(len(lengths))).any())


LENGTHS: dict[str, Feature] = {
    "lengths all T": _of_lengths("lengths that are given and change nothing", lambda n, T: min(n) == T, "positive"),
    "lengths unsorted": _of_lengths("sequences that are sorted and not put back", lambda n, _: not _is_sorted(n)),
    "lengths with ties": _of_lengths("a sort that breaks ties in two ways", lambda n, _: len(set(n)) < len(n)),
    "lengths with 1": _of_lengths("the first step is the last", lambda n, _: 1 in n),
    "lengths with T": _of_lengths("a sequence without padding among others", lambda n, T: max(n) == T > min(n)),
    "longest below T": _of_lengths("steps that no sequence takes", lambda n, T: max(n) < T),
    "lengths with 0": _of_lengths("a sequence of no step, whose states pass through", lambda n, _: 0 in n, "zero"),
    "lengths, reverse, states": _option(
        "where the reverse direction begins, and with what",
        lambda case: (
            case.lengths is not None and case.spec.bidirectional and min(case.lengths) < case.T and bool(case.h_0.any())
        ),
        lengths=("positive", "zero"),
        bidirectional=True,
        states=("both", "initial"),
    ),
    "lengths, sort no involution": _of_lengths("an order for its inverse", lambda n, _: _no_involution(n)),
    "NaN in the padding": _option(
        "padding that is multiplied by zero where it must not be read",
        lambda case: bool(np.isnan(case.x).any()),
        lengths=("positive", "zero"),
        regime="nan_padding",
    ),
}


def _in_memory(memory: str) -> Feature:
    return _option(
        SHOWS[memory],
        lambda case: case.memory == memory and (memory != "aliased" or may_alias(case.arrays)),
        memory=memory,
        **({"loss": "none"} if memory == "aliased" else {}),
    )


LAYOUTS: dict[str, Feature] = {f"memory {memory}": _in_memory(memory) for memory in MEMORY}


def _rate(rate: float) -> Feature:
    return Feature("p for 1 - p", lambda case: rate in case.spec.rates, any_of=RATES)


def _masked(shows: str, train: bool) -> Feature:
    of = {"train": (train,)}
    return Feature(shows, lambda case: any(case.spec.rates) and case.spec.train is train, of, any_of=RATES)


def _truncated(shows: str, of: Callable[[int, int], bool]) -> Feature:
    return _option(
        shows,
        lambda case: case.spec.truncate is not None and case.T > 1 and of(case.spec.truncate[1], case.T),
        truncate=True,
        bidirectional=False,
    )


MODES: dict[str, Feature] = {
    "dropout": _on("the mask's gradient, and the factor 1 / (1 - p)", "dropout", num_layers=(2, 3)),
    "recurrent_dropout": _on("h_prev for the masked h_prev", "recurrent_dropout"),
    "zoneout": _on("a state that is kept, and its gradient with it", "zoneout"),
    "rate 0.3": _rate(0.3),
    "rate 0.7": _rate(0.7),
    "train": _masked("masks at all", train=True),
    "eval": _masked("masks where there are none", train=False),
    "truncate k2=1": _truncated("a carry that is cut everywhere", lambda k2, _: k2 == 1),
    "truncate k2=2": _truncated("a window that is one step off", lambda k2, _: k2 == 2),
    "truncate k2=T-1": _truncated("the first step in or out of the window", lambda k2, T: k2 == T - 1),
    "truncate k2=T": _truncated("the initial state in or out of the window", lambda k2, T: k2 == T),
    "truncate k2>T": _truncated("a window that begins before the first step", lambda k2, T: k2 > T),
    "reset_after": _option(
        "the reset gate's convention: torch's",
        lambda case: case.spec.cell == "gru" and case.spec.reset_after,
        cell="gru",
        reset_after=True,
    ),
    "reset_before": _spec("the reset gate's convention: the paper's", "reset_after", False, cell="gru"),
    "peephole": _on("p_o sees the new c", "peephole", cell="lstm"),
    "coupled": _on("f = 1 - i, in the gradient too", "coupled", cell="lstm"),
    "forget_bias": _on("a constant that is counted twice, or not", "forget_bias", cell="lstm", coupled=False),
    "projection": _on("P for H", "proj_size", "projection", cell="lstm"),
    "attention": _on("the score's gradient, summed over all that reads it", "attention", cell="gru"),
    "clip": _on("a gradient that passes a clipped pre-activation", "clip"),
    "merge sum": _spec("the directions' outputs added", "merge", "sum", bidirectional=True),
    "axes BT": _spec("batch-first on the way in alone", "axes", "BT"),
    "axes T": _spec("no batch axis, in the states neither", "axes", "T"),
}
FILLS: dict[str, Feature] = {
    name: _option(
        fill.shows, _fill(name), regime=name, **({"states": ("both", "final")} if fill.dy == "nowhere" else {})
    )
    for name, fill in REGIMES.items()
}

GROUPS: dict[str, Mapping[str, Feature]] = {
    "sizes": SIZES,
    "numbers": FILLS,
    "values": VALUES,
    "cotangents": COTANGENTS,
    "reductions": REDUCTIONS,
    "lengths": LENGTHS,
    "memory": LAYOUTS,
    "modes": MODES,
}
FEATURES: dict[str, Feature] = {name: feature for group in GROUPS.values() for name, feature in group.items()}
"""Every feature by name."""


def feature(name: str) -> Feature:
    """Return a feature by name.

    Raises:
        ArgumentError: there is none of that name; the message has the nearest.
    """
    if name not in FEATURES:
        near = difflib.get_close_matches(name, FEATURES, n=1, cutoff=0)
        raise ArgumentError("regime", repr(name), f"a name of `crosscheck run --list-regimes`; nearest is {near[0]!r}")
    return FEATURES[name]


def split(names: Iterable[str]) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Return the fills among names as an option, which a case has one of, and the other names, which it has all of.

    Raises:
        ArgumentError: see `feature`.
    """
    known = [name for name in names if feature(name)]
    fills = tuple(name for name in known if name in REGIMES)
    return ({"regime": fills} if fills else {}), tuple(name for name in known if name not in REGIMES)


@dataclass(frozen=True)
class Aim:
    """What is drawn so that cases have the features of some names.

    Attributes:
        names: the features.
        sizes: "T", "B", "I", "H" or "O" -> the smallest and the largest.
        shape: one of `SHAPES`, or None for any.
    """

    names: tuple[str, ...] = ()
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    shape: str | None = None


def aim(names: Iterable[str]) -> Aim:
    """Return the aim at some features.

    Raises:
        ArgumentError: see `feature`; or no case can have them all.
    """
    features = {name: feature(name) for name in names}
    bounds: dict[str, tuple[int, int]] = {}
    for one in features.values():
        for letter, (least, most) in one.sizes.items():
            lowest, highest = bounds.get(letter, (least, most))
            bounds[letter] = max(least, lowest), min(most, highest)
    shapes = {one.shape for one in features.values()} - {FREE}
    if len(shapes) > 1 or any(least > most for least, most in bounds.values()):
        raise ArgumentError("regime", ", ".join(features), "names that one case can have together")
    return Aim(tuple(features), bounds, shapes.pop() if shapes else None)


def narrowed(options: Mapping[str, tuple[Any, ...]], names: Iterable[str]) -> dict[str, tuple[Any, ...]] | None:
    """Return what is left of options where cases have the features of some names; None if nothing.

    Args:
        options: see `crosscheck.strategies.supports`.
        names: the features.
    """
    result = dict(options)
    for name in names:
        for option, values in FEATURES[name].options.items():
            result[option] = tuple(value for value in result[option] if value in values)
        for letter, (least, most) in FEATURES[name].sizes.items():
            if least > options[f"max_{'H' if letter == 'O' else letter}"][0]:
                return None
            if most < options.get(f"min_{letter}", (1,))[0]:
                return None
        if FEATURES[name].any_of and not any(True in options[option] for option in FEATURES[name].any_of):
            return None
    return result if all(result.values()) else None


def shown(case: Case) -> tuple[str, ...]:
    """Return the names of all features that a case has."""
    return tuple(name for name, feature in FEATURES.items() if feature.of(case))


def has(case: Case, names: Iterable[str]) -> bool:
    """Say whether a case has all features of some names."""
    return all(FEATURES[name].of(case) for name in names)
