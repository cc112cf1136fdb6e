"""All that is wrong with a set is said, a line each; nothing is said of a set that is right."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crosscheck.golden.files import save
from crosscheck.golden.flags import flags
from crosscheck.golden.format import DIGEST, INDEX, digest
from crosscheck.golden.lint import lint
from crosscheck.golden.vector import Golden, Kind, Vector, Wrong
from crosscheck.mistakes.catalogue import CATALOGUE

MakeVector = Callable[..., Vector]
LINE = "lstm:T3B2I2H3:regime=ordinary:lengths=3,1:seed=5"


@pytest.fixture
def right(vector: MakeVector) -> Vector:
    made = vector(LINE)
    return replace(made, flags=flags(made.case))


def linted(folder: Path, *vectors: Vector) -> tuple[str, ...]:
    save(Golden(vectors), folder)
    return lint(folder)


def test_nothing_is_wrong_with_a_set_that_is_right(right: Vector, planted: MakeVector, tmp_path: Path) -> None:
    wrong = Wrong(next(iter(CATALOGUE)), "", "", "", "")
    invalid = planted(right, Kind.INVALID, wrong, "dW_hh", "y")
    acceptable = planted(right, Kind.ACCEPTABLE, Wrong("a-convention", "", "", "", ""), "dW_hh")
    (tmp_path / "README.md").write_text("of theirs", encoding="utf-8")
    assert right.flags
    assert linted(tmp_path, right, invalid, acceptable) == ()


def test_a_file_beside_a_set_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("", encoding="utf-8")
    assert linted(tmp_path) == (f"{tmp_path}/x.json: index.json does not name it",)


def test_a_folder_that_is_no_set(tmp_path: Path) -> None:
    assert lint(tmp_path) == (f"golden set: got no index.json in {tmp_path}, wanted the folder of a golden set",)


def test_an_index_that_is_broken_is_all_that_can_be_said(right: Vector, tmp_path: Path) -> None:
    save(Golden((right,)), tmp_path)
    (tmp_path / INDEX).write_text("{", encoding="utf-8")
    (said,) = lint(tmp_path)
    assert said.startswith(f"{tmp_path}/index.json: got no JSON (")


def test_every_fault_is_named_and_not_only_the_first(golden: Golden, tmp_path: Path) -> None:
    save(golden, tmp_path)
    data = json.loads((tmp_path / INDEX).read_text("ascii"))
    gru, lstm, relu = data["files"]
    gru["count"] = 7
    (tmp_path / INDEX).write_text(json.dumps(data | {DIGEST: digest(data)}), encoding="ascii")
    arrays = tmp_path / lstm["arrays"]["name"]
    arrays.write_bytes(arrays.read_bytes()[:-1] + b"?")
    records = tmp_path / relu["records"]["name"]
    text = records.read_text("ascii")
    records.write_text(text.replace('"T": 2', '"T": 3'), encoding="ascii")
    (tmp_path / "gru-float64-0123456789ab.json").write_text("", encoding="ascii")
    (tmp_path / f".{INDEX}.17.new").write_text("", encoding="ascii")
    said = [line.removeprefix(f"{tmp_path}/") for line in lint(tmp_path)]
    relu_id, ours_id = (golden.vectors[place].id for place in (2, 4))
    wanted = (
        f"{gru['records']['name']}: vectors: got 1, wanted 7, as index.json says",
        f"{arrays.name}: got the SHA-256 ",
        f"{records.name}: got the SHA-256 ",
        *(f"{records.name}: '{id}': T: got 3, wanted 2" for id in sorted((relu_id, ours_id))),
        f"{records.name}: '{relu_id}-relu-slope-one': of: got '{relu_id}', wanted a valid vector of the same file",
        f".{INDEX}.17.new: index.json does not name it",
        "gru-float64-0123456789ab.json: index.json does not name it",
        f"{tmp_path}: {golden.vectors[0].id}: want/y is not 0 in the padding",  # the last number of the file
    )
    for line, start in zip(said, wanted, strict=True):
        assert line.startswith(start), line


def altered(vector: Vector, name: str, change: Callable[[Any], Any]) -> Vector:
    case = vector.case
    return replace(vector, case=replace(case, arrays={**case.arrays, name: change(case.arrays[name])}))


def test_numbers_that_are_not_those_of_the_case_line(right: Vector, tmp_path: Path) -> None:
    said = linted(tmp_path, altered(altered(right, "x", lambda x: x + 1), "dy", np.negative))
    assert said == tuple(
        f"{tmp_path}: {right.id}: in/{name}: the numbers are not those of the case line {right.case}"
        for name in ("x", "dy")
    )


def test_padding_that_is_not_zero(right: Vector, tmp_path: Path) -> None:
    dx = right.want["dx"].copy()
    dx[2, 1, 0] = 1e-300
    assert linted(tmp_path, replace(right, want={**right.want, "dx": dx})) == (
        f"{tmp_path}: {right.id}: want/dx is not 0 in the padding",
    )


def test_a_bound_that_is_so_wide_that_a_check_is_blind(right: Vector, tmp_path: Path) -> None:
    said = linted(tmp_path, replace(right, bounds={**right.bounds, "dW_hh": 0.25}))
    assert said == (f"{tmp_path}: {right.id}: want/dW_hh: its bound 0.25 is so wide that a check is blind",)


def test_an_invalid_vector_that_is_right(right: Vector, planted: MakeVector, tmp_path: Path) -> None:
    wrong = planted(right, Kind.INVALID, Wrong(next(iter(CATALOGUE)), "", "", "", ""), "dW_hh", "dx")
    within = replace(
        wrong, got={**wrong.got, "dx": right.want["dx"] + right.bounds["dx"] / 4 * (right.want["dx"] != 0)}
    )
    assert linted(tmp_path, right, within) == (
        f"{tmp_path}: {wrong.id}: got/dx is within its bound, so that nobody need find it",
    )


def test_a_mistake_that_nobody_knows(right: Vector, planted: MakeVector, tmp_path: Path) -> None:
    wrong = planted(right, Kind.INVALID, Wrong("lstm.unheard-of", "", "", "", ""), "dW_hh")
    assert linted(tmp_path, right, wrong) == (
        f"{tmp_path}: {wrong.id}: the catalogue has no mistake 'lstm.unheard-of'",
    )


def test_flags_that_nobody_knows(right: Vector, tmp_path: Path) -> None:
    assert linted(tmp_path, replace(right, flags=("green", *right.flags, "blue"))) == (
        f"{tmp_path}: {right.id}: the flags 'green', 'blue' are none of crosscheck.golden.flags",
    )


def test_numbers_of_a_subject_that_is_not_named(right: Vector, tmp_path: Path) -> None:
    assert linted(tmp_path, replace(right, got={"y": right.want["y"]})) == (
        f"{tmp_path}: {right.id}: there are numbers of a subject, and its recording names none",
    )
