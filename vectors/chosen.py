"""Which cases the public set has: a table of groups, each a plain enumeration, the same on every machine.

Sizes differ from each other, so that mixed-up axes show, and are small. A seed is the place in the table, but for cases
that have to be of a rare kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, count, cycle, product
from typing import Any

from crosscheck.case import Case
from crosscheck.regimes import REGIMES
from crosscheck.spec import GATES, LOSSES, MEANS, Spec

Options = dict[str, Any]
DTYPES = ("float64", "float32")

SIZES = ((4, 3, 1, 2), (3, 4, 2, 1), (5, 3, 4, 2), (2, 4, 1, 3), (4, 3, 5, 2), (6, 4, 1, 3))
"""(T, B, I, H), no two of them the same number."""

EDGES = ((1, 1, 1, 1), (1, 3, 2, 4), (4, 1, 2, 3), (4, 3, 2, 1), (2, 2, 2, 2), (3, 3, 3, 3), (9, 2, 1, 3), (2, 5, 7, 1))
"""Others, where something is 1, or all are the same."""

LENGTHS: dict[str, tuple[int, ...] | None] = {
    "none": None,
    "unsorted": (2, 0, 1, 3),
    "ties": (1, 2, 1, 2),
    "zero": (1, 9, 0, 9),
    "all T": (0, 0, 0, 0),
}
"""By how much each sequence of a batch is shorter than T; one that is shorter than nothing is empty."""

STACKS: tuple[tuple[Options, str], ...] = (
    ({}, "none"),
    ({}, "zero"),
    ({"num_layers": 2}, "unsorted"),
    ({"num_layers": 2, "bidirectional": True}, "none"),
    ({"bidirectional": True, "merge": "sum"}, "ties"),
    ({"num_layers": 3}, "none"),
)
"""What an option is combined with: layers and directions, and lengths."""

ANY_CELL: dict[str, tuple[Options, ...]] = {
    "bias": ({"bias": False},),
    "clip": ({"clip": 45 / 64}, {"clip": 83 / 64}),
    "dropout": ({"dropout": 0.3}, {"dropout": 0.7}, {"dropout": 0.3, "train": False}),
    "recurrent_dropout": (
        {"recurrent_dropout": 0.3},
        {"recurrent_dropout": 0.7},
        {"recurrent_dropout": 0.3, "train": False},
    ),
    "zoneout": ({"zoneout": 0.3}, {"zoneout": 0.7}, {"zoneout": 0.3, "train": False}),
    "truncate": ({"truncate": (1, 1)}, {"truncate": (2, 2)}, {"truncate": (1, 3)}, {"truncate": (2, 3)}),
    "axes": ({"axes": "BT"}, {"axes": "T"}),
    "output": ({"output_size": 3}, {"output_size": 1}),
}
OF_CELL: dict[str, dict[str, tuple[Options, ...]]] = {
    "rnn_tanh": {},
    "rnn_relu": {},
    "lstm": {
        "peephole": ({"peephole": True},),
        "forget": ({"coupled": True}, {"forget_bias": 1.0}, {"forget_bias": 0.5}),
        "projection": ({"proj_size": 1}, {"proj_size": 2}),
    },
    "gru": {
        "reset_after": ({"reset_after": False},),
        "attention": ({"attention": True},),
    },
}

ZERO_FINALS = {"dh_n": 5363, "dc_n": 15928}
"""The first seed of which such a cotangent (1, 1, 2) is 0, so that the other is there alone."""

AT_EDGE = {"rnn_tanh": (0, 2, 3), "lstm": (4, 6, 7), "gru": (0, 1, 2)}
"""Seeds of cases that are at the edge of a clip somewhere, and known to be inside or outside everywhere else."""

KINK = "a kink: relu at 0, or the edge of a clip"

Chosen = tuple[Case, str]
"""A case, and what it is there for, in words."""


def chosen() -> Iterator[Chosen]:
    """Yield every case of the set, each once, and what it is there for."""
    seeds = count(1)
    seen: set[str] = set()
    for says, cases in (
        ("layers, directions and lengths", _stacks(seeds)),
        ("one option", _options(seeds)),
        ("two options at once", _pairs(seeds)),
        ("a loss and its mean", _losses(seeds)),
        ("some of the cotangents", _cotangents(seeds)),
        ("how the numbers are drawn", _regimes(seeds)),
        ("sizes at the edge", _sizes(seeds)),
        ("states that nobody touches", _states(seeds)),
        (KINK, _kinks(seeds)),
    ):
        for case in cases:
            assert str(case) not in seen, case
            seen.add(str(case))
            yield case, says


def _stacks(seeds: Iterator[int]) -> Iterator[Case]:
    directions: tuple[Options, ...] = ({}, {"bidirectional": True}, {"bidirectional": True, "merge": "sum"})
    kinds = cycle((("none", "unsorted", "zero"), ("none", "ties", "zero"), ("all T", "unsorted", "zero")))
    for cell, L, both, dtype in product(GATES, (1, 2, 3), directions, DTYPES):
        for kind in next(kinds):
            yield _case(cell, next(seeds), {"num_layers": L, **both}, kind, dtype)


def _options(seeds: Iterator[int]) -> Iterator[Case]:
    dtypes = cycle(DTYPES)
    for cell in GATES:
        for values in (ANY_CELL | OF_CELL[cell]).values():
            for option, (stack, kind) in product(values, STACKS):
                yield from _possible(cell, seeds, stack | option, kind, next(dtypes))


def _pairs(seeds: Iterator[int]) -> Iterator[Case]:
    dtypes, stacks = cycle(DTYPES), cycle(STACKS)
    for cell in GATES:
        for one, other in combinations((ANY_CELL | OF_CELL[cell]).values(), 2):
            seed = next(seeds)
            stack, kind = next(stacks)
            option = one[seed % len(one)] | other[seed // 2 % len(other)]
            yield from _possible(cell, iter([seed]), stack | option, kind, next(dtypes))


def _losses(seeds: Iterator[int]) -> Iterator[Case]:
    kinds, dtypes, outputs = cycle(("none", "unsorted", "zero")), cycle(DTYPES), cycle((3, 0, 2))
    for cell, loss, mean in product(GATES, LOSSES[1:], MEANS):
        options = {"loss": loss, "mean": mean, "output_size": next(outputs)}
        yield _case(cell, next(seeds), options, next(kinds), next(dtypes), SIZES[2])


def _cotangents(seeds: Iterator[int]) -> Iterator[Case]:
    """Yield cases with dy alone, the final states alone, both, and of an LSTM each final state alone and with dy."""
    stacks: tuple[Options, ...] = ({}, {"num_layers": 2, "bidirectional": True})
    for cell, regime, stack, dtype in product(GATES, ("outputs_only", "final_only", "last_step"), stacks, DTYPES):
        yield _case(cell, next(seeds), stack, "unsorted", dtype, regime=regime)
    for regime, seed, dtype in product(("final_only", "ordinary"), ZERO_FINALS.values(), DTYPES):
        yield _case("lstm", seed, {}, "none", dtype, (4, 1, 3, 2), regime=regime)


def _regimes(seeds: Iterator[int]) -> Iterator[Case]:
    stacks = cycle(STACKS)
    for cell, regime, dtype in product(GATES, REGIMES, DTYPES):
        stack, kind = next(stacks)
        yield _case(cell, next(seeds), stack, "zero" if regime == "nan_padding" else kind, dtype, regime=regime)


def _sizes(seeds: Iterator[int]) -> Iterator[Case]:
    dtypes = cycle(DTYPES)
    for cell, sizes in product(GATES, EDGES):
        yield _case(cell, next(seeds), {}, "none", next(dtypes), sizes)
    yield _case("rnn_tanh", next(seeds), {}, "none", "float32", (2, 1, 3, 65))


def _states(seeds: Iterator[int]) -> Iterator[Case]:
    for (cell, states), dtype in zip(product(GATES, ("initial", "final", "none")), cycle(DTYPES)):
        yield _case(cell, next(seeds), {"num_layers": 2}, "unsorted", dtype, states=states)


def _kinks(seeds: Iterator[int]) -> Iterator[Case]:
    """Yield cases in which a pre-activation is exactly 0, or exactly at the edge of a clip.

    After a tanh or a sigmoid nobody knows on which side of an edge rounding falls; so the other cells are seen at their
    first step, and of an LSTM those cases are taken in which c is at no edge.
    """
    for (stack, kind), clip, dtype in product(STACKS, (0.0, 0.5, 1.0), DTYPES):
        yield _case("rnn_relu", next(seeds), stack | {"clip": clip}, kind, dtype, regime="simple")
    for cell, at_edge in AT_EDGE.items():
        for seed, dtype in product(at_edge, DTYPES):
            yield _case(cell, seed, {"clip": 1.0}, "none", dtype, (1, 3, 2, 4), regime="simple")


def _possible(cell: str, seeds: Iterator[int], options: Options, kind: str, dtype: str) -> Iterator[Case]:
    """Yield the case of some options, if there is one: without what doesn't go with the options."""
    if "dropout" in options and options.get("num_layers", 1) == 1:
        return
    if "truncate" in options and options.get("bidirectional"):
        return
    yield _case(cell, next(seeds), options, kind, dtype)


def _case(
    cell: str,
    seed: int,
    options: Options,
    kind: str,
    dtype: str,
    sizes: tuple[int, int, int, int] | None = None,
    regime: str = "ordinary",
    states: str = "both",
) -> Case:
    """Return a case.

    Args:
        cell: its cell.
        seed: of its numbers, and of its sizes where they aren't given.
        options: of the spec, without the sizes.
        kind: a name in `LENGTHS`.
        dtype: of its arrays.
        sizes: T, B, I and H.
        regime: see `crosscheck.regimes`.
        states: see `Case`.
    """
    T, B, I, H = sizes or SIZES[seed % len(SIZES)]
    H = max(H, options.get("proj_size", 0) + 1)
    B = 1 if options.get("axes") == "T" else B
    shorter = None if options.get("axes") == "T" else LENGTHS[kind]
    least = 0 if kind == "zero" else 1
    lengths = None if shorter is None else tuple(max(least, T - by) for by in shorter[:B])
    return Case(Spec(cell, I, H, **options), T, B, regime, seed, dtype, lengths=lengths, states=states)
