from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from manual_rnn import ArgumentError
from manual_rnn.arrays import blocks, check_array, steps_below


@pytest.mark.parametrize(
    "array",
    [
        np.ones((2, 3), np.float16),
        np.ones((2, 3), np.float32),
        np.ones((2, 3), np.complex128),
        np.full((2, 3), Fraction(1, 3), object),
        np.full((2, 3), 1.7e308),  # finite, though its sum is not
        np.full((2, 3), 5e-324),
        np.ones((3, 2)).T,
    ],
)
def test_good_arrays_pass(array: np.ndarray) -> None:
    check_array("x", array, ("T", 3))
    check_array("x", array, (2, 3), like=array)


@pytest.mark.parametrize(
    ("array", "got", "wanted"),
    [
        ([[1.0]], "list", "an array of shape (T, 3)"),
        (None, "NoneType", "an array of shape (T, 3)"),
        (np.ones(3), "shape (3,)", "shape (T, 3)"),
        (np.ones((2, 1)), "shape (2, 1)", "shape (T, 3)"),
        (np.ones((2, 3, 1)), "shape (2, 3, 1)", "shape (T, 3)"),
        (np.float64(1), "shape ()", "shape (T, 3)"),
        (np.ones((0, 3)), "shape (0, 3)", "shape (T, 3) with every size at least 1"),
        (np.ones((2, 3), np.int8), "dtype int8", "floating-point numbers"),
        (np.full((2, 3), "a"), "dtype <U1", "floating-point numbers"),
        (np.full((2, 3), np.nan), "non-finite values", "finite numbers"),
        (np.full((2, 3), complex(0, np.inf)), "non-finite values", "finite numbers"),
    ],
)
def test_bad_arrays_raise(array: object, got: str, wanted: str) -> None:
    with pytest.raises(ArgumentError) as error:
        check_array("x", array, ("T", 3))
    assert (error.value.argument, error.value.got, error.value.wanted) == ("x", got, wanted)


def test_one_axis_is_written_as_a_tuple() -> None:
    with pytest.raises(ArgumentError, match=r"^b: got shape \(2,\), wanted shape \(3,\)$"):
        check_array("b", np.ones(2), (3,))


def test_dtypes_are_not_mixed() -> None:
    with pytest.raises(ArgumentError, match="got dtype float32, wanted dtype float64, that of the other arrays"):
        check_array("x", np.ones(2, np.float32), (2,), like=np.ones(1))


def test_blocks_and_steps_are_views() -> None:
    array = np.arange(24.0).reshape(2, 2, 6)
    first, second, third = blocks(array, 3)
    np.testing.assert_array_equal(second, [[[2, 3], [8, 9]], [[14, 15], [20, 21]]])
    np.testing.assert_array_equal(steps_below(array)[2], [12, 13, 14, 15, 16, 17])
    assert all(np.shares_memory(array, view) for view in (first, second, third, steps_below(array)))
