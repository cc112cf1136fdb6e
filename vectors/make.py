"""Make the public set of golden vectors anew, beside this file or in another folder.

    python vectors/make.py [FOLDER]

`chosen.py` has the cases. Into some of them each known mistake is planted that shows in numbers: in every cell in which
it may be made, and in both number formats if that is one cell alone. The same vectors come out each time, but for the
date and the versions of the recording.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import chain, islice, repeat
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crosscheck.case import Case
from crosscheck.golden.files import save
from crosscheck.golden.record import planted, record, recording
from crosscheck.golden.vector import Arrays, Golden, Kind, Recording, Vector, Wrong
from crosscheck.implementation import Result, Subject, make, run
from crosscheck.mistakes import catalogue
from crosscheck.mistakes.catalogue import CATALOGUE
from crosscheck.mistakes.mistake import Mistake
from crosscheck.referee.patched import Patch, patched
from crosscheck.spec import GATES
from crosscheck.strategies import EVERYTHING, supported, supports
from crosscheck.verdict import judge

if TYPE_CHECKING:
    from vectors.chosen import DTYPES, chosen
else:
    from chosen import DTYPES, chosen

COMMENT = (
    "Gradients of recurrent networks, right by proof, and wrong ones to test checkers with. README.md beside this file "
    "says how to read it."
)
CLEAR = 1000.0
"""How many times its bound an error has to be for a mistake to show: beyond what any other order of sums explains."""
LOOKED_AT = 5
"""In how many vectors a mistake is planted, of which the one is kept in which its effect is smallest."""
RELU, CLIP = "manual_rnn/activations.py", "manual_rnn/cells/clip.py"
MARKED = Patch(RELU, "np.maximum(a, 0, out=a)", "a[...] = np.where(a == 0, -0.0, np.maximum(a, 0))")
"""relu that returns -0 at 0 itself, so that its slope, which is taken from what it returns, may be another there."""

CONVENTIONS: tuple[tuple[Wrong, Mapping[str, Any], tuple[Patch, ...]], ...] = (
    (
        Wrong(
            "relu.one-at-zero",
            "convention",
            "the slope of relu at 0 itself is 1, as of a case split on a >= 0",
            "f'(0) = 0",
            "f'(0) = 1",
        ),
        {"cell": "rnn_relu"},
        (MARKED, Patch(RELU, "slope[...] = h > 0", "slope[...] = (h > 0) + 1.0 * np.signbit(h)")),
    ),
    (
        Wrong(
            "relu.half-at-zero",
            "convention",
            "the slope of relu at 0 itself is 1/2, as of a maximum that shares its gradient between equal numbers",
            "f'(0) = 0",
            "f'(0) = 1/2",
        ),
        {"cell": "rnn_relu"},
        (MARKED, Patch(RELU, "slope[...] = h > 0", "slope[...] = (h > 0) + 0.5 * np.signbit(h)")),
    ),
    (
        Wrong(
            "clip.zero-at-the-edge",
            "convention",
            "the slope of the clip at its edge is 0, as of a case split on |a| < clip",
            "k'(+-clip) = 1",
            "k'(+-clip) = 0",
        ),
        {"clip": True},
        (Patch(CLIP, "(a <= limit) & (a >= -limit)", "np.abs(a) < limit"),),
    ),
    (
        Wrong(
            "clip.half-at-the-edge",
            "convention",
            "the slope of the clip at its edge is 1/2, as of a minimum that shares its gradient between equal numbers",
            "k'(+-clip) = 1",
            "k'(+-clip) = 1/2",
        ),
        {"clip": True},
        (Patch(CLIP, "(a <= limit) & (a >= -limit)", "0.5 * (np.abs(a) <= limit) + 0.5 * (np.abs(a) < limit)"),),
    ),
)
"""Where a function has no derivative others have chosen another number, and are right too: what it is, in which cases
it may show, and what makes it of the hand-written network."""


def valid(case: Case, says: str, now: Recording) -> Vector:
    """Return the valid vector of a case, and what it is there for."""
    return replace(record(case, now), comment=says)


def invalid(vectors: Sequence[Vector], mistake: Mistake) -> Iterator[Vector]:
    """Yield vectors with a known mistake planted, one or, of a mistake of one cell alone, one a number format.

    Args:
        vectors: valid ones of a cell, in the order of `chosen`.
        mistake: one that may be made in that cell. Where it doesn't show, there is none.
    """
    options = supports(mistake.options, EVERYTHING)
    fitting = [vector for vector in vectors if supported(vector.case, options)]
    place = zlib.crc32(mistake.name.encode())  # so that mistakes are not all planted in the same few vectors
    cell = vectors[0].case.spec.cell
    dtypes = DTYPES[::-1] if (place + mistake.cells.index(cell)) % 2 else DTYPES
    shown = chain.from_iterable(_least(mistake, _from(place, fitting, dtype)) for dtype in dtypes)
    yield from islice(shown, len(DTYPES) if len(mistake.cells) == 1 else 1)


def _from(place: int, vectors: Sequence[Vector], dtype: str) -> list[Vector]:
    """Return the vectors of a dtype, from some place on, and then those before it."""
    of_dtype = [vector for vector in vectors if vector.case.dtype == dtype]
    begin = place % max(len(of_dtype), 1)
    return of_dtype[begin:] + of_dtype[:begin]


def _least(mistake: Mistake, vectors: Iterable[Vector]) -> Iterator[Vector]:
    """Yield a vector with a mistake: of the first few in which it shows, the one in which it shows least; or none."""
    wrong = Wrong(mistake.name, mistake.family, mistake.says, mistake.right, mistake.wrong)
    network = make(catalogue.planted(mistake))
    returned = ((vector, _returned(network, vector)) for vector in vectors)
    shown = islice(((v, got) for v, got in returned if got and _largest(v, got) >= CLEAR), LOOKED_AT)
    for vector, got in sorted(shown, key=lambda pair: _relative(*pair))[:1]:
        yield planted(vector, Kind.INVALID, wrong, got, vector.comment)


def _returned(network: Subject, vector: Vector) -> dict[str, Any]:
    """Return what a network returns for a vector, in its dtype; nothing unless that is all of it, and numbers."""
    case = vector.case
    with np.errstate(all="ignore"):  # of a mistake: 0 / 0, say
        values = run(network, case).values
    whole = set(values) == set(case.result_shapes) and all(np.isfinite(array).all() for array in values.values())
    return {name: np.asarray(array, dtype=case.array_dtype) for name, array in values.items()} if whole else {}


def _largest(vector: Vector, got: Arrays) -> float:
    """Return the largest error in units of its bound."""
    values = {name: array.astype(np.float64) for name, array in got.items()}
    return judge("", vector.case, Result(values), vector.reference).ratio


def _relative(vector: Vector, got: Arrays) -> float:
    """Return the largest error of any tensor, relative to the largest number that belongs there."""
    with np.errstate(all="ignore"):
        errors = [np.max(np.abs(got[n] - want)) / np.max(np.abs(want)) for n, want in vector.want.items()]
    return float(np.nanmax(errors))


def acceptable(vectors: Iterable[Vector]) -> Iterator[Vector]:
    """Yield the vectors of what is right by other conventions, one for each vector and convention that differ."""
    networks = [(wrong, options, make(patched(patches))) for wrong, options, patches in CONVENTIONS]
    for vector in vectors:
        for wrong, options, network in networks:
            if supported(vector.case, supports(options, EVERYTHING)):
                got = _returned(network, vector)
                if _largest(vector, got) > 1:
                    yield planted(vector, Kind.ACCEPTABLE, wrong, got, vector.comment)


def golden() -> Golden:
    """Return the set, its vectors by ID."""
    now = recording()
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        cases, says = zip(*chosen(), strict=True)
        recorded = list(pool.map(valid, cases, says, repeat(now), chunksize=8))
        of_cells = [[vector for vector in recorded if vector.case.spec.cell == cell] for cell in GATES]
        vectors = [*recorded, *chain.from_iterable(pool.map(_not_valid, of_cells))]
    return Golden(tuple(sorted(vectors, key=lambda vector: vector.id)), COMMENT)


def _not_valid(vectors: Sequence[Vector]) -> list[Vector]:
    """Return the invalid vectors and the acceptable ones that are made from the valid ones of a cell."""
    mistakes = [mistake for mistake in CATALOGUE.values() if vectors[0].case.spec.cell in mistake.cells]
    return [*chain.from_iterable(invalid(vectors, mistake) for mistake in mistakes), *acceptable(vectors)]


if __name__ == "__main__":
    save(golden(), Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent)
