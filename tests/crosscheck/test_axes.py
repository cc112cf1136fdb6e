"""The orders of axes: a case in any of them is the time-major one, and its arrays go there and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from crosscheck import Case
from crosscheck.axes import AXES, BATCH, TIME, in_axes, time_major
from crosscheck.strategies import EVERYTHING, cases, supports
from crosscheck.subjects.manual import manual

LINE = "lstm:T3B{}I2H2:axes={}:layers=2:recurrent_dropout=0.3:regime=ordinary:seed=1"


@given(cases(supports({"dtype": "float64", "max_T": 3, "max_B": 3, "max_H": 3}, EVERYTHING)))
def test_a_case_is_the_time_major_one_in_other_axes(case: Case) -> None:
    first = Case.parse(str(replace(case, spec=replace(case.spec, axes="TB"), arrays={})))
    arrays = time_major(case).arrays
    assert time_major(case).spec == first.spec
    assert arrays.keys() == first.arrays.keys()
    assert all(np.array_equal(arrays[name], array, equal_nan=True) for name, array in first.arrays.items())
    back = in_axes(arrays, case.spec.axes)
    assert all(np.array_equal(back[name], array, equal_nan=True) for name, array in case.arrays.items())


@given(cases(supports({"dtype": "float64", "max_T": 3, "max_B": 3, "max_H": 3, "memory": "contiguous"}, EVERYTHING)))
def test_results_are_the_time_major_ones_in_other_axes(case: Case) -> None:
    results = in_axes(manual(time_major(case)), case.spec.axes)
    assert {name: array.shape for name, array in results.items()} == case.result_shapes


@pytest.mark.parametrize("axes", AXES)
def test_the_table_says_which_axis_is_which(axes: str) -> None:
    B = 1 if axes == "T" else 2
    case = Case.parse(LINE.format(B, axes))
    for name, array in case.arrays.items():
        time, batch = AXES[axes].get(name, (None, None))
        sizes = {TIME: 3, BATCH: B}
        assert time is None or array.shape[time] == sizes[TIME], name
        assert batch is None or array.shape[batch] == sizes[BATCH], name
    assert AXES[axes]["x"] == {"TB": (0, 1), "BT": (1, 0), "T": (0, None)}[axes]
    assert AXES[axes]["h_0"] == (None, None if axes == "T" else 1)
    assert AXES[axes]["recurrent"] == (1, 2)
