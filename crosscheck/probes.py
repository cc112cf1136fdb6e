"""Cases that tell more than the smallest failing one: the same network, grown, on which mistakes can be told apart.

A case of T=1, B=1 and H=1 is easy to read, and says little: a transposed matrix looks right there, and a carry dropped
is no other than one scaled. So the failing case is followed by others of the same options in which steps, sequences,
units and inputs differ in number, and in ordinary numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

from crosscheck import strategies
from crosscheck.case import Case
from crosscheck.implementation import Subject

SIZES = ((4, 3, 2, 3), (5, 2, 3, 4), (3, 4, 4, 2))
"""T, B, I, H of the grown cases, hardly two alike in a case; there are two of each, in other numbers."""


def probes(subject: Subject, case: Case) -> tuple[Case, ...]:
    """Return the case and, as far as the subject supports them, grown ones.

    Args:
        subject: the subject.
        case: a failing case.
    """
    return (case, *dict.fromkeys(_grown(subject, case)))


def _grown(subject: Subject, case: Case) -> Iterator[Case]:
    for seed, (sizes, regime) in enumerate(product(SIZES, (case.regime, "ordinary")), start=1):
        grown = with_sizes(case, sizes, subject.options, regime, seed)
        if grown != case and strategies.supported(grown, admits(subject, grown)):
            yield grown


def with_sizes(
    case: Case, sizes: tuple[int, int, int, int], options: Mapping[str, tuple[int, ...]], regime: str, seed: int
) -> Case:
    """Return a case like another, of other sizes as far as the options go.

    Args:
        case: the case.
        sizes: T, B, I and H.
        options: what the subject supports.
        regime: what it is filled with.
        seed: and in which numbers.
    """
    T, B, I, H = (
        min(max(size, *options.get(f"min_{letter}", (1,))), *options[f"max_{letter}"])
        for letter, size in zip("TBIH", sizes, strict=True)
    )
    spec = replace(
        case.spec,
        input_size=I,
        hidden_size=H,
        proj_size=min(case.spec.proj_size and 2, H - 1),
        output_size=case.spec.output_size and I + 1,
    )
    B = 1 if spec.axes == "T" else B
    lengths = case.lengths and _lengths(T, B, zero=0 in case.lengths)
    return replace(case, spec=spec, T=T, B=B, regime=regime, seed=seed, lengths=lengths, arrays={})


def _lengths(T: int, B: int, *, zero: bool) -> tuple[int, ...]:
    """Return lengths, unsorted, the longest T, and one 0 where there is to be one."""
    lengths = [max(1, T - 1 - 2 * k) for k in range(B)]
    lengths[min(1, B - 1)] = T
    if zero:
        lengths[-1] = 0
    return tuple(lengths)


def admits(subject: Subject, case: Case) -> Mapping[str, tuple[Any, ...]]:
    """Return what a subject supports, and, of what it says nothing of, what a case has: it was given that already."""
    unsaid = {name: (value(case),) for name, value in strategies.OF_CASE.items() if name not in subject.declared}
    return {**subject.options, **unsaid}
