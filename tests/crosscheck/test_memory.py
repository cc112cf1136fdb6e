"""Layouts in memory: the same numbers, lying where each layout promises; and who writes between them is found out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosscheck import ArgumentError, Case
from crosscheck.implementation import make, run
from crosscheck.memory import COPIES, MEMORY, SHOWS, behind, laid_out
from crosscheck.strategies import PLAIN, cases
from crosscheck.subjects.manual import manual
from crosscheck.subjects.torch_case import tensor_of

LINE = "lstm:T3B2I4H4:layers=2:regime=ordinary:memory={}:seed=3"


def bytes_behind(array: Any) -> tuple[int, int]:
    """Return the addresses between which all numbers of an array lie."""
    low, high = np.lib.array_utils.byte_bounds(array)
    return low, high


@given(cases(), st.sampled_from(MEMORY))
def test_a_layout_changes_no_number(case: Case, memory: str) -> None:
    case = replace(case, memory=memory, arrays={})
    arrays = case.laid_out().arrays
    assert arrays.keys() == case.arrays.keys()
    for name, array in case.arrays.items():
        assert (arrays[name].shape, arrays[name].dtype) == (array.shape, array.dtype)
        assert arrays[name].tobytes() == array.tobytes()
        assert not np.shares_memory(arrays[name], array)
        assert arrays[name].flags.writeable == (memory != "readonly")


@given(st.data())
def test_the_hand_written_network_returns_the_same_from_every_layout(data: st.DataObject) -> None:
    case = data.draw(cases())
    want = manual(replace(case, memory="contiguous").laid_out())
    got = run(make(manual), case)
    assert got.findings == ()
    assert got.values.keys() == want.keys()


def given_arrays(memory: str) -> Mapping[str, Any]:
    return Case.parse(LINE.format(memory)).laid_out().arrays


STRIDES: dict[str, Callable[[Any], bool]] = {
    "contiguous": lambda a: a.flags.c_contiguous and a.base is None,
    "transposed": lambda a: a.ndim == 1 or a.swapaxes(0, 1).flags.c_contiguous,
    "fortran": lambda a: a.flags.f_contiguous,
    "strided": lambda a: a.strides[-1] == 2 * a.itemsize and behind(a).size == 2**a.ndim * a.size,
    "offset": lambda a: a.flags.c_contiguous and bytes_behind(a)[0] == bytes_behind(behind(a))[0] + a.itemsize,
    "negative": lambda a: max(a.strides) == -a.itemsize,
    "readonly": lambda a: a.flags.c_contiguous and not a.flags.writeable,
}


@pytest.mark.parametrize("memory", STRIDES)
def test_where_the_numbers_lie(memory: str) -> None:
    assert all(STRIDES[memory](array) for array in given_arrays(memory).values())


def test_what_repeats_over_time_is_there_once() -> None:
    arrays = given_arrays("broadcast")
    for name in ("x", "dy"):
        assert (arrays[name] == arrays[name][0]).all()
        assert arrays[name].strides[0] == 0
        assert behind(arrays[name]).size == arrays[name][0].size
        arrays[name][0, 0, 0] = 7
        assert (arrays[name][:, 0, 0] == 7).all()
    assert 0 not in arrays["W_xh"].strides


@pytest.mark.parametrize("axes", ["BT", "T"])
def test_time_is_where_the_axes_say(axes: str) -> None:
    case = Case.parse(f"gru:T3B{1 if axes == 'T' else 2}I2H2:regime=ordinary:axes={axes}:memory=broadcast:seed=3")
    time = axes.index("T")
    x = case.laid_out().x
    assert x.strides[time] == 0
    assert np.array_equal(x, np.repeat(x.take([0], axis=time), 3, axis=time))


def test_x_and_dy_are_one_array_where_they_can_be() -> None:
    arrays = given_arrays("aliased")
    arrays["dy"][0, 0, 0] = 7
    assert arrays["x"][0, 0, 0] == 7
    for line in ("gru:T3B2I3H2:memory=aliased", "gru:T3B2I2H2:loss=mse:memory=aliased"):
        case, plain = Case.parse(line).laid_out(), Case.parse(line.replace(":memory=aliased", ""))
        others = [array for name, array in case.arrays.items() if name != "x"]
        assert not any(np.shares_memory(case.x, array) for array in others)
        assert all(np.array_equal(case.arrays[name], array) for name, array in plain.arrays.items())


def test_between_the_numbers_is_nan() -> None:
    for memory in ("strided", "offset"):
        for array in given_arrays(memory).values():
            whole = behind(array)
            assert np.count_nonzero(np.isnan(whole)) == whole.size - array.size > 0


@pytest.mark.parametrize("memory", ["strided", "offset"])
def test_who_writes_between_the_numbers_is_found_out(memory: str) -> None:
    def mine(case: Case) -> Mapping[str, Any]:
        results = manual(case)
        behind(case.x).flat[1 if memory == "strided" else 0] = 0
        return results

    (finding,) = run(make(mine), Case.parse(LINE.format(memory))).findings
    assert (finding.kind, finding.name) == ("wrote into input", "x")
    assert finding.text == "what lies between its numbers in memory has changed"


def test_who_writes_into_one_array_of_two_in_one_memory_is_found_out() -> None:
    def mine(case: Case) -> Mapping[str, Any]:
        results = manual(case)
        case.dy[...] *= 2
        return results

    findings = run(make(mine), Case.parse(LINE.format("aliased"))).findings
    assert [finding.name for finding in findings] == ["x", "dy"]


def test_writing_into_what_is_read_only_is_a_finding() -> None:
    def mine(case: Case) -> Mapping[str, Any]:
        case.x[...] = 0
        return manual(case)

    (finding,) = run(make(mine), Case.parse(LINE.format("readonly"))).findings
    assert finding.text == "ValueError: assignment destination is read-only"


def test_reading_a_buffer_for_its_view_shows() -> None:
    """A mistake that contiguous arrays hide: the pointer of C code, which steps by one number."""

    def mine(case: Case) -> Mapping[str, Any]:
        x = behind(case.x).ravel(order="K")[: case.x.size].reshape(case.x.shape)
        return manual(replace(case, arrays={**case.arrays, "x": x}))

    wanted = manual(Case.parse(LINE.format("contiguous")))
    for memory in MEMORY:
        y = run(make(mine), Case.parse(LINE.format(memory))).values.get("y", np.nan)  # it refuses NaN
        hidden = memory in ("contiguous", "readonly")
        if memory not in ("broadcast", "aliased"):  # these have numbers of their own
            assert np.array_equal(y, wanted["y"]) == hidden


def test_torch_sees_the_layout_where_it_has_such_a_one() -> None:
    for memory in MEMORY:
        x = given_arrays(memory)["x"]
        tensor = tensor_of(x)
        assert np.array_equal(tensor.numpy(), x)
        own = memory in ("readonly", "negative")
        assert np.shares_memory(tensor.numpy(), x) != own
        strides = [step * x.itemsize for step in tensor.stride()]
        assert strides == list(np.ascontiguousarray(x).strides if own else x.strides)


def test_every_layout_says_what_it_shows() -> None:
    assert SHOWS.keys() == COPIES.keys()
    assert all(SHOWS.values())


def test_nobody_gets_negative_strides_unasked() -> None:
    assert set(MEMORY) - set(PLAIN["memory"]) == {"negative"}


def test_an_unknown_layout() -> None:
    with pytest.raises(ArgumentError, match="memory: got 'sparse', wanted one of contiguous, transposed, fortran"):
        Case.parse("gru:T1B1I1H1:memory=sparse")


def test_nothing_has_no_layout() -> None:
    assert laid_out({}, "strided") == {}
