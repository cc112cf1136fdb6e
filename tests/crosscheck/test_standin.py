"""The stand-in for NumPy: somebody's module makes arrays of balls, and everything else is NumPy's own."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from crosscheck.referee.numbers.ball import Ball, Balls, balls
from crosscheck.referee.numbers.bounded import Bounded, bounded
from crosscheck.referee.numbers.format import FORMATS
from crosscheck.referee.numbers.noisy import Noisy, noisy
from crosscheck.referee.numbers.standin import MAKERS, StandIn, lift_module

CALLS: dict[str, tuple[Any, ...]] = {
    "zeros": ((2, 3),),
    "ones": ((2, 3),),
    "empty": ((2, 3),),
    "full": ((2, 3), 0.5),
    "eye": (3,),
    "identity": (3,),
    "array": ([0.5, 1.5],),
    "asarray": ([0.5, 1.5],),
    "asanyarray": ([0.5, 1.5],),
    "ascontiguousarray": (np.array([[0.5], [1.5]]),),
    "zeros_like": (np.array([0.5, 1.5]),),
    "ones_like": (np.array([0.5, 1.5]),),
    "empty_like": (np.array([0.5, 1.5]),),
    "full_like": (np.array([0.5, 1.5]), 0.25),
    "arange": (0.0, 2.0, 0.5),
    "linspace": (0.0, 1.0, 5),
}


SINGLE = FORMATS["float32"]


def lifts() -> dict[str, tuple[type, Callable[[Any], Any]]]:
    rng = np.random.Generator(np.random.PCG64(1))
    return {
        "balls": (Balls, balls),
        "bounded": (Bounded, lambda array: bounded(array, SINGLE)),
        "noisy": (Noisy, lambda array: noisy(array, SINGLE, rng, 3)),
    }


def values(array: Any) -> list[Any]:
    """Return the values of a lifted array, in each of its samples."""
    if isinstance(array, Noisy):
        return list(array.parts)
    return [array.v if isinstance(array, Bounded) else floats(array)]


@pytest.mark.parametrize("kind", lifts())
@pytest.mark.parametrize("name", CALLS)
def test_a_new_array_of_floats_is_one_of_the_type(name: str, kind: str) -> None:
    of, lift = lifts()[kind]
    made = getattr(StandIn(lift), name)(*CALLS[name])
    assert isinstance(made, of)
    wanted = getattr(np, name.replace("empty", "zeros"))(*CALLS[name])
    for got in values(made):
        assert np.array_equal(got, wanted)


@pytest.mark.parametrize("kind", lifts())
def test_arrays_of_lifted_numbers_are_made_and_filled(kind: str) -> None:
    of, lift = lifts()[kind]
    np_, rows = StandIn(lift), [lift(np.array([1.0, 2.0])), lift(np.array([3.0, 4.0]))]
    buffer = np_.zeros((2, 2), dtype=np.float32)
    buffer[0], buffer[1, 0], buffer[1, 1:] = rows[0], rows[1][0], 4
    cast = np_.array([rows[0].astype(np.float64), rows[1].astype("float32")], dtype=np.float64)
    cases: dict[str, tuple[Any, Any]] = {
        "a list": (np_.array(rows), [[1, 2], [3, 4]]),
        "with a dtype": (cast, [[1, 2], [3, 4]]),
        "with floats": (np_.array([rows[0], np.array([7.0, 8.0]), [5, 6]]), [[1, 2], [7, 8], [5, 6]]),
        "nested": (np_.asarray([[rows[0]], (rows[1],)], float), [[[1, 2]], [[3, 4]]]),
        "of elements": (np_.array([rows[0][1], 5.0, rows[1][0]]), [2, 5, 3]),
        "stack": (np_.stack([rows[0], np.array([7.0, 8.0])]), [[1, 2], [7, 8]]),
        "concatenate": (np_.concatenate([np_.ones(1), rows[1]]), [1, 3, 4]),
        "a buffer": (buffer, [[1, 2], [3, 4]]),
        "like": (np_.ones_like(rows[0], dtype=np.float32) + np_.zeros_like(rows[0]), [1, 1]),
        "full": (np_.full_like(rows[0], 0.5), [0.5, 0.5]),
        "like floats": (np_.zeros_like(np.ones(3)) + 2.0, [2, 2, 2]),
        "eye": (np_.eye(2) @ buffer, [[1, 2], [3, 4]]),
        "a scalar of NumPy": (np_.float64(0.5) * rows[0] / np_.float32(2), [0.25, 0.5]),
    }
    for name, (made, wanted) in cases.items():
        assert isinstance(made, of), name
        for got in values(made):
            # exact, but that each of at most two operations may be moved by 8 deviations of its rounding of 2^-24
            assert np.allclose(got, wanted, rtol=2.0**-20 if kind == "noisy" else 0, atol=0), name


@pytest.mark.parametrize("kind", lifts())
def test_an_array_is_converted_to_itself_and_copied_by_array(kind: str) -> None:
    _, lift = lifts()[kind]
    np_, a = StandIn(lift), lift(np.array([1.0, 2.0]))
    for same in (np_.asarray(a), np_.asarray(a, dtype=np.float64), np_.asanyarray(a), np_.array(a, copy=False)):
        assert same is a
    copied = np_.array(a, dtype=np.float32)
    copied[0] = 5.0
    assert [float(value) for value in values(a)[0]] == [1, 2]


def floats(array: Any) -> Any:
    return np.reshape([float(ball.value) for ball in array.flat], array.shape)


@pytest.mark.parametrize("name", CALLS)
def test_a_new_array_of_floats_is_one_of_balls(name: str) -> None:
    arguments = CALLS[name]
    made = getattr(StandIn(), name)(*arguments)
    assert isinstance(made, Balls)
    assert all(isinstance(number, Ball) for number in made.flat)
    wanted = getattr(np, name)(*arguments)
    assert made.shape == wanted.shape
    if not name.startswith("empty"):
        assert np.array_equal(floats(made), wanted)


def test_every_maker_is_tried() -> None:
    assert set(CALLS) == set(MAKERS)


@pytest.mark.parametrize("dtype", [float, np.float32, np.float64, "float64", "f4", np.dtype("float32")])
def test_a_floating_point_dtype_is_left_out(dtype: Any) -> None:
    np_ = StandIn()
    for made in (
        np_.zeros((2, 2), dtype=dtype),
        np_.zeros((2, 2), dtype),
        np_.array([[1, 2]], dtype=dtype),
        np_.zeros_like(balls([1.0]), dtype=dtype),
        np_.asarray(balls([1.0]), dtype),
    ):
        assert isinstance(made, Balls)
        assert all(isinstance(number, Ball) for number in made.flat)


@pytest.mark.parametrize("dtype", [int, bool, np.intp])
def test_integers_and_booleans_stay_themselves(dtype: Any) -> None:
    made = StandIn().zeros(3, dtype=dtype)
    assert type(made) is np.ndarray
    assert made.dtype == np.dtype(dtype)
    assert type(StandIn().arange(3)) is np.ndarray
    assert StandIn().array([2, 1]).dtype == np.dtype(int)


def test_a_buffer_like_balls_is_of_zeros_and_takes_balls() -> None:
    np_, a = StandIn(), balls([[1.0, 2.0]])
    for buffer in (np_.zeros_like(a), np_.empty_like(a), np_.empty_like(a, shape=(3, 2))):
        assert isinstance(buffer, Balls)
        assert not floats(buffer).any()
        buffer[0] = a[0] / 3
        assert isinstance(buffer[0, 0], Ball)


def test_everything_else_is_numpys_own() -> None:
    np_ = StandIn()
    assert np_.tanh is np.tanh
    assert np_.einsum is np.einsum
    assert np_.float64 is np.float64
    assert np_.newaxis is None
    assert np_.linalg is np.linalg
    with pytest.raises(AttributeError, match="no_such_function"):
        _ = np_.no_such_function


def test_a_module_is_lifted_under_whatever_names_it_has_numpy() -> None:
    module, other = ModuleType("somebodys"), ModuleType("other")
    source = """
import numpy
import numpy as np
from numpy import zeros, ones_like as like, tanh

def f():
    return np.zeros(2), numpy.ones(2), zeros(2), like(np.zeros(2)), [tanh(np.full(1, 0.5))][0]
"""
    exec(source, vars(module))
    exec(source, vars(other))
    lift_module(module)
    lifted, plain = vars(module)["f"](), vars(other)["f"]()
    assert all(isinstance(array, Balls) for array in lifted)
    assert all(type(array) is np.ndarray for array in plain)
    for mine, theirs in zip(lifted[:4], plain[:4], strict=True):
        assert np.array_equal(floats(mine), theirs)
    assert vars(module)["tanh"] is np.tanh
    assert np.zeros is vars(other)["zeros"]
