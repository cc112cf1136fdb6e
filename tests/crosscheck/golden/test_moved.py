"""What moved: a number to its neighbour is one ulp, and nothing that moved is missed, NaN and what is gone included."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from crosscheck import Case
from crosscheck.golden.moved import EXPECTED, RETURNED, moved, moved_since
from crosscheck.golden.vector import Golden, Vector
from crosscheck.implementation import make
from crosscheck.subjects.manual import manual

MakeVector = Callable[..., Vector]
LINE = "rnn_tanh:T3B2I2H2:seed=1"


def with_y(vector: Vector, change: Callable[[Any], None]) -> Vector:
    y = np.array(vector.want["y"])
    change(y)
    return replace(vector, want={**vector.want, "y": y})


def largest(array: Any) -> tuple[int, ...]:
    return tuple(int(k) for k in np.unravel_index(np.argmax(np.abs(array)), array.shape))


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_a_move_of_one_ulp_is_found_and_is_one(dtype: str, vector: MakeVector) -> None:
    old = vector(f"{LINE}:dtype={dtype}")
    at = largest(old.want["y"])
    digits = {"float64": 53, "float32": 24, "float16": 11, "bfloat16": 8}[dtype]
    ulp = math.ldexp(1.0, math.frexp(abs(float(old.want["y"][at])))[1] - digits)

    def step(y: Any) -> None:
        y[at] -= math.copysign(ulp, y[at])

    found = moved(Golden((old,)), Golden((with_y(old, step),)))
    (move,) = found.moves
    assert (move.tensor, move.what, move.index, move.moved, move.size) == ("y", EXPECTED, at, 1, 12)
    assert move.ulps == 1.0
    assert move.bounds == ulp / old.bounds["y"]
    assert (move.id, move.case, move.since) == (old.id, str(old.case), old.recording)
    assert move.now - move.before == -math.copysign(ulp, move.before)


def test_an_ulp_is_that_of_the_tensors_largest_number(vector: MakeVector) -> None:
    old = vector(LINE)

    def values(y: Any) -> None:
        y[:] = 0.0
        y[0, 0, 0], y[0, 0, 1] = 1.0, 2.0**-20

    def step(y: Any) -> None:
        y[0, 0, 1] += 2.0**-53

    before = with_y(old, values)
    (move,) = moved(Golden((before,)), Golden((with_y(before, step),))).moves
    assert (move.index, move.ulps) == ((0, 0, 1), 0.5)


def test_nothing_moved_where_nothing_did(golden: Golden) -> None:
    found = moved(golden, golden)
    assert (found.moves, found.compared, found.added, found.gone) == ((), len(golden.vectors), (), ())


def test_what_only_one_set_has_is_named(vector: MakeVector) -> None:
    one, two, three = (vector(f"rnn_tanh:T2B1I1H1:seed={seed}") for seed in (1, 2, 3))
    found = moved(Golden((one, two)), Golden((two, three)))
    assert (found.compared, found.added, found.gone) == (1, (three.id,), (one.id,))


@pytest.mark.parametrize(("before", "now"), [(0.5, math.nan), (math.nan, 0.5), (0.5, math.inf), (math.inf, -math.inf)])
def test_to_and_from_nan_and_infinity_is_infinitely_far(before: float, now: float, vector: MakeVector) -> None:
    def put(number: float) -> Callable[[Any], None]:
        def change(y: Any) -> None:
            y[2, 1, 0] = number

        return change

    valid = vector(LINE)
    old, new = (replace(valid, got={"y": with_y(valid, put(number)).want["y"]}) for number in (before, now))
    (move,) = moved(Golden((old,)), Golden((new,))).moves
    assert (move.what, move.index, move.bounds, move.ulps) == (RETURNED, (2, 1, 0), math.inf, math.inf)
    assert np.array_equal([move.before, move.now], [before, now], equal_nan=True)


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_what_was_not_finite_and_still_is_not_has_not_moved(number: float, vector: MakeVector) -> None:
    valid = vector(LINE)
    odd = replace(valid, got={"y": np.full_like(valid.want["y"], number)})
    assert moved(Golden((odd,)), Golden((odd,))).moves == ()


def test_what_was_all_zero_moves_by_infinitely_many(vector: MakeVector) -> None:
    valid = vector(LINE)
    old = replace(valid, want={**valid.want, "y": np.zeros_like(valid.want["y"])}, bounds={**valid.bounds, "y": 0.0})
    (move,) = moved(Golden((old,)), Golden((valid,))).moves
    assert (move.bounds, move.ulps, move.moved) == (math.inf, math.inf, 12)


def test_a_subject_is_held_against_what_it_returned(vector: MakeVector) -> None:
    case = Case.parse(LINE)
    old = replace(vector(LINE), got={name: np.asarray(array) for name, array in manual(case).items()})
    at = largest(old.got["dx"])

    def moving(case: Case) -> Mapping[str, Any]:
        returned = {name: np.array(array) for name, array in manual(case).items()}
        returned["dx"][at] = np.nextafter(returned["dx"][at], 0.0)
        return returned

    still = moved_since(Golden((old,)), make(manual, options={"cell": "rnn_tanh"}))
    assert (still.moves, still.compared) == ((), 1)
    (move,) = moved_since(Golden((old,)), make(moving, options={"cell": "rnn_tanh"})).moves
    assert (move.tensor, move.what, move.index, move.ulps) == ("dx", RETURNED, at, 1.0)


def test_what_is_no_longer_returned_has_moved(vector: MakeVector) -> None:
    case = Case.parse(LINE)
    old = replace(vector(LINE), got={name: np.asarray(array) for name, array in manual(case).items()})

    def less(case: Case) -> Mapping[str, Any]:
        return {name: array for name, array in manual(case).items() if name != "dh_0"}

    (move,) = moved_since(Golden((old,)), make(less, options={"cell": "rnn_tanh"})).moves
    assert (move.tensor, move.bounds) == ("dh_0", math.inf)
    assert math.isnan(move.now)


def test_where_nothing_was_returned_it_is_held_against_what_is_expected(vector: MakeVector) -> None:
    old = vector(LINE)
    at = largest(old.want["y"])

    def moving(case: Case) -> Mapping[str, Any]:
        y = np.array(old.want["y"])
        y[at] = np.nextafter(y[at], 0.0)
        return {"y": y}

    (move,) = moved_since(Golden((old,)), make(moving, options={"cell": "rnn_tanh"})).moves
    assert (move.what, move.tensor, move.ulps) == (EXPECTED, "y", 1.0)


def test_vectors_of_other_cells_and_planted_ones_are_left_out(golden: Golden) -> None:
    found = moved_since(golden, make(manual, options={"cell": "gru", "dtype": "bfloat16", "bidirectional": True}))
    assert found.compared == 1
