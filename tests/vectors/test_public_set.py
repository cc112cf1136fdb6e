"""The public set: what is in it, and what it says of itself; read in two ways."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter, defaultdict
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from crosscheck.case import Case
from crosscheck.golden.files import load
from crosscheck.golden.flags import FLAGS
from crosscheck.golden.lint import lint
from crosscheck.golden.vector import Golden, Kind, Vector
from crosscheck.mistakes.catalogue import CATALOGUE
from crosscheck.spec import GATES
from crosscheck.strategies import EVERYTHING, OF_CASE

if TYPE_CHECKING:
    from vectors import make, read
    from vectors.chosen import AT_EDGE, KINK, ZERO_FINALS, Chosen, chosen
else:
    import make
    import read
    from chosen import AT_EDGE, KINK, ZERO_FINALS, Chosen, chosen

SET = Path(read.__file__).parent
README = (SET / "README.md").read_text(encoding="utf-8")
NO_NUMBERS = {
    "axes.leading-axis-squeezed",  # another shape
    "readout.bias-with-an-axis-too-many",
    "memory.final-gradient-added-to-in-place",  # the right numbers, and the caller's own are spoilt
    "memory.initial-state-overwritten",
}
"""The known mistakes that do not show in what is returned, or not as numbers of the right shape."""
NOT_EVERYWHERE = {"lengths.ignored"}
"""Known mistakes that are planted in some cells only: this one is known in simple numbers alone."""


@pytest.fixture(scope="module")
def golden() -> Golden:
    return load(SET)


@pytest.fixture(scope="module")
def plain() -> dict[str, dict[str, Any]]:
    return read.read(SET)


@pytest.fixture(scope="module")
def table() -> tuple[Chosen, ...]:
    return tuple(chosen())


def of_kind(golden: Golden, kind: Kind) -> list[Vector]:
    return [vector for vector in golden.vectors if vector.kind is kind]


def test_it_is_as_large_as_it_says(golden: Golden) -> None:
    counts = Counter(vector.kind for vector in golden.vectors)
    assert counts[Kind.VALID] >= 1000
    assert counts[Kind.INVALID] >= 200
    assert counts[Kind.ACCEPTABLE] > 0
    assert sum(path.stat().st_size for path in SET.iterdir() if path.is_file()) <= 10_000_000


def test_the_readme_has_its_numbers_right(golden: Golden) -> None:
    invalid = of_kind(golden, Kind.INVALID)
    families = Counter(vector.wrong.family for vector in invalid if vector.wrong)
    assert all(f"| {family} | {count} | " in README for family, count in families.items())
    conventions = Counter(vector.wrong.name for vector in of_kind(golden, Kind.ACCEPTABLE) if vector.wrong)
    assert all(f"| {name} | {count} | " in README for name, count in conventions.items())
    for kind, count in Counter(vector.kind for vector in golden.vectors).items():
        assert f"| `{kind.value}` | {count:,}: " in README
    alone = sum(len(vector.got) == 1 for vector in invalid)
    gradients = sum(all(name.startswith("d") for name in vector.got) for vector in invalid)
    assert f"{alone} of the vectors a single tensor is wrong, and in {gradients} all outputs" in " ".join(
        README.split()
    )


def test_nothing_is_wrong_with_it() -> None:
    assert lint(SET) == ()


def test_it_has_the_cases_that_are_chosen(golden: Golden, table: tuple[Chosen, ...]) -> None:
    comments = {str(vector.case): vector.comment for vector in of_kind(golden, Kind.VALID)}
    assert comments == {str(case): says for case, says in table}
    arrays = {str(vector.case): vector.case.arrays for vector in of_kind(golden, Kind.VALID)}
    for case, _ in table:
        for name, array in case.arrays.items():
            np.testing.assert_array_equal(arrays[str(case)][name], array)


@pytest.mark.parametrize("name", [*CATALOGUE][::50])
def test_mistakes_are_planted_where_make_says(golden: Golden, table: tuple[Chosen, ...], name: str) -> None:
    by_case = {str(vector.case): vector for vector in of_kind(golden, Kind.VALID)}
    mistake = CATALOGUE[name]
    made = {
        vector.id
        for cell in mistake.cells
        for vector in make.invalid([by_case[str(case)] for case, _ in table if case.spec.cell == cell], mistake)
    }
    assert made == {vector.id for vector in of_kind(golden, Kind.INVALID) if vector.wrong and vector.wrong.name == name}


def test_every_mistake_that_shows_in_numbers_is_planted(golden: Golden) -> None:
    planted = {vector.wrong.name: vector.wrong for vector in of_kind(golden, Kind.INVALID) if vector.wrong}
    assert planted.keys() == CATALOGUE.keys() - NO_NUMBERS
    for name, wrong in planted.items():
        of = CATALOGUE[name]
        assert (wrong.family, wrong.says) == (of.family, of.says)
        assert (wrong.right, wrong.wrong) == (of.right, of.wrong)


def test_a_mistake_is_planted_in_every_cell_in_which_it_may_be_made(golden: Golden) -> None:
    cells = defaultdict(set)
    for vector in of_kind(golden, Kind.INVALID):
        assert vector.wrong is not None
        cells[vector.wrong.name].add(vector.case.spec.cell)
    assert {name for name, found in cells.items() if found != set(CATALOGUE[name].cells)} == NOT_EVERYWHERE


def test_what_is_acceptable_are_gradients_at_a_kink(golden: Golden, table: tuple[Chosen, ...]) -> None:
    vectors = of_kind(golden, Kind.ACCEPTABLE)
    names = {(vector.case.spec.cell, vector.wrong.name) for vector in vectors if vector.wrong}
    of_clip = {"clip.zero-at-the-edge", "clip.half-at-the-edge"}
    of_relu = {"relu.one-at-zero", "relu.half-at-zero"}
    assert names == {*product(GATES, of_clip), *product(["rnn_relu"], of_relu)}
    assert {name for vector in vectors for name in vector.got if not name.startswith("d")} == set()
    of_them = {str(vector.case) for vector in vectors}
    kinks = [str(case) for case, says in table if says == KINK]
    assert len(of_them & {*kinks}) > len(kinks) / 2  # and elsewhere a number falls on an edge by chance


def test_the_seeds_make_what_they_are_there_for() -> None:
    for name, seed in ZERO_FINALS.items():
        case = Case.parse(f"lstm:T4B1I3H2:regime=final_only:seed={seed}")
        assert {n: bool(case.arrays[n].any()) for n in ("dh_n", "dc_n")} == {n: n != name for n in ("dh_n", "dc_n")}
    assert AT_EDGE.keys() | {"rnn_relu"} == set(GATES)


def test_every_value_of_every_option_occurs(golden: Golden) -> None:
    cases = [vector.case for vector in of_kind(golden, Kind.VALID)]
    left_out = {"memory", "wide", "states"}
    for name, values in EVERYTHING.items():
        if name in OF_CASE and name not in left_out:
            assert {OF_CASE[name](case) for case in cases} - {None} == set(values), name
    assert {case.states for case in cases} == {"both", "initial", "final", "none"}


def test_every_flag_occurs_and_is_explained(golden: Golden) -> None:
    assert {flag for vector in golden.vectors for flag in vector.flags} == set(FLAGS)
    rows = [line for line in README.splitlines() if line.startswith("| `")]
    explained = {row.split("`")[1]: row.split(" | ")[-1].removesuffix(" |") for row in rows}
    assert {flag: explained[flag] for flag in FLAGS} == FLAGS


def test_each_cotangent_is_there_alone_and_with_others(golden: Golden) -> None:
    seen = defaultdict(set)
    for vector in of_kind(golden, Kind.VALID):
        arrays = vector.case.arrays
        given = [name for name in ("dy", "dh_n", "dc_n") if name in arrays and np.nan_to_num(arrays[name]).any()]
        seen[vector.case.spec.cell].add("+".join(given))
    for cell in GATES:
        assert seen[cell] >= {"dy", "dh_n" if cell != "lstm" else "dh_n+dc_n", "dy+dh_n"}
    assert seen["lstm"] >= {"dh_n", "dc_n", "dy+dh_n", "dy+dc_n", "dy+dh_n+dc_n"}


def test_the_plain_reader_reads_what_the_package_reads(golden: Golden, plain: dict[str, dict[str, Any]]) -> None:
    assert plain.keys() == {vector.id for vector in golden.vectors}
    for vector in golden.vectors:
        read_as = plain[vector.id]
        assert read_as["result"] == vector.kind.value
        assert read_as["case"] == str(vector.case)
        assert read_as["bounds"] == vector.bounds
        for part, arrays in (("in", vector.case.arrays), ("want", vector.want), ("got", vector.got)):
            assert read_as[part].keys() == arrays.keys()
            for name, array in arrays.items():
                assert read_as[part][name].dtype == array.dtype
                assert read_as[part][name].shape == array.shape
                assert read_as[part][name].tobytes() == array.tobytes()


def test_the_plain_reader_judges_as_the_results_say(plain: dict[str, dict[str, Any]]) -> None:
    for id, vector in plain.items():
        right = {name: read.outside(vector, name, array) for name, array in vector["want"].items()}
        assert not any(where.any() for where in right.values()), id
        assert all(read.outside(vector, name, array).any() for name, array in vector["got"].items()), id
        assert bool(vector["got"]) == (vector["result"] != "valid"), id


def test_the_plain_reader_refuses_nan_and_anything_in_the_padding(plain: dict[str, dict[str, Any]]) -> None:
    vector = next(v for v in plain.values() if v["lengths"] and min(v["lengths"]) < v["T"])
    y = vector["want"]["y"].copy()
    padding = y.swapaxes(0, 1) if vector["spec"].get("axes") == "BT" else y
    b = int(np.argmin(vector["lengths"]))
    padding[-1, b, 0] = np.finfo(y.dtype).tiny
    assert read.outside(vector, "y", y).sum() == 1
    assert read.outside(vector, "y", np.full_like(y, np.nan)).all()


def test_the_plain_reader_is_short_and_needs_numpy_alone() -> None:
    text = Path(read.__file__).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    assert {line for line in text.splitlines() if line.startswith(("import", "from"))} == {
        "import json",
        "import sys",
        "from pathlib import Path",
        "from typing import Any",
        "import numpy as np",
    }


def test_the_plain_reader_counts() -> None:
    done = subprocess.run([sys.executable, read.__file__], capture_output=True, text=True, check=True)
    counts = Counter((vector.case.spec.cell, vector.kind.value) for vector in load(SET).vectors)
    lines = [line.split() for line in done.stdout.splitlines()]
    assert {
        (line[0], result): int(n) for line in lines for n, result in zip(line[1::2], line[2::2], strict=True)
    } == counts
