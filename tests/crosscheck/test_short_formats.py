"""bfloat16 and float16: torch is right in them, mistakes are seen, and the report says how little can be seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crosscheck import ArgumentError, Case, Status, check, subject
from crosscheck.examine import examine
from crosscheck.implementation import Subject, make
from crosscheck.referee.numbers.format import FORMATS
from crosscheck.referee.truth import Known
from crosscheck.spec import GATES
from crosscheck.strategies import EVERYTHING, KNOWN, cases, supported, supports
from crosscheck.subjects.torch_rnn import torch_rnn
from crosscheck.verdict import BLIND, blind_above

SHORT = ("bfloat16", "float16")
short = pytest.mark.parametrize("dtype", SHORT)


@short
def test_the_format_is_torchs(dtype: str) -> None:
    format, info = FORMATS[dtype], torch.finfo(getattr(torch, dtype))
    assert (2 * format.u, format.smallest, format.largest) == (info.eps, info.tiny, info.max)
    assert format.u_inner == FORMATS["float32"].u
    # half of the smallest number above 0, where subnormal numbers are kept; else up to the smallest normal one
    assert format.eta == {"float16": 2.0**-25, "bfloat16": info.tiny}[dtype]


@short
@given(case=cases(EVERYTHING))
def test_every_number_of_a_case_is_exact_in_it(dtype: str, case: Case) -> None:
    for name, array in case.arrays.items():
        double = torch.from_numpy(np.array(array, dtype=np.float64))
        assert torch.equal(double.to(getattr(torch, dtype)).double(), double), name


@short
def test_a_case_holds_numpy_arrays(dtype: str) -> None:
    case = Case.parse(f"lstm:T2B1I2H2:dtype={dtype}:seed=1")
    assert Case.parse(str(case)).dtype == dtype
    assert {array.dtype for array in case.arrays.values()} == {case.array_dtype}
    assert case.array_dtype == {"bfloat16": np.float32, "float16": np.float16}[dtype]
    double = Case.parse("lstm:T2B1I2H2:seed=1")
    assert all(np.array_equal(array, double.arrays[name]) for name, array in case.arrays.items())


@short
@pytest.mark.parametrize("cell", GATES)
@given(data=st.data())
def test_torch_is_right(cell: str, dtype: str, data: st.DataObject) -> None:
    drawn = data.draw(cases(supports({"cell": cell, "dtype": dtype}, EVERYTHING)))
    able = [make("torch_rnn")]
    if supported(drawn, dict(make("torch_builtin").options) | {"dtype": KNOWN["dtype"]}):
        able.append(make("torch_builtin"))
    for verdict in examine(able, drawn):
        assert verdict.status is not Status.FAIL, verdict
        assert verdict.checks


@short
def test_the_short_formats_are_drawn_if_asked_for(dtype: str) -> None:
    report = check("torch_rnn", cell="lstm", dtype=dtype, max_examples=5)
    assert [(tally.dtype, tally.cases) for tally in report.tallies] == [(dtype, 5)]
    with pytest.raises(ArgumentError, match="something that manual supports"):
        check("manual", cell="lstm", dtype=dtype)


# A mistake in a torch network, as a kernel's author might make it.

Results = Mapping[str, Any]


def carry_dropped(case: Case) -> Results:
    """Return the gradients of W_hh and b_hh without what comes back from later steps."""
    lone = dict.fromkeys(("dW_hh", "db_hh"), 0.0)
    for t in range(case.T):
        arrays = dict(case.arrays)
        dy = np.zeros_like(case.dy)
        dy[t] = case.dy[t]
        if t:
            arrays |= {f"{state}_0": torch_rnn(_part(case, t))[f"{state}_n"] for state in case.spec.states}
        arrays |= {"x": case.x[t : t + 1], "dy": dy[t : t + 1]}
        if t < case.T - 1:
            arrays |= {f"d{state}_n": np.zeros_like(arrays[f"d{state}_n"]) for state in case.spec.states}
        step = torch_rnn(Case(case.spec, 1, case.B, dtype=case.dtype, arrays=arrays))
        lone = {name: lone[name] + step[name] for name in lone}
    return lone


def _part(case: Case, t: int) -> Case:
    return Case(case.spec, t, case.B, dtype=case.dtype, arrays={**case.arrays, "x": case.x[:t], "dy": case.dy[:t]})


MISTAKES: dict[str, Callable[[Case], Results]] = {
    "the carry is dropped": carry_dropped,
    "a gradient of zeros": lambda case: {"dW_xh": 0 * torch_rnn(case)["dW_xh"]},
    "a gradient of the wrong sign": lambda case: {"dx": -torch_rnn(case)["dx"]},
    "a mean over the batch": lambda case: {"db_xh": torch_rnn(case)["db_xh"] / np.float32(case.B)},
    "a state's gradient is left out": lambda case: {"dh_0": 0 * torch_rnn(case)["dh_0"]},
    "NaN": lambda case: {"y": torch_rnn(case)["y"] * np.float32(np.nan)},
}


@short
@pytest.mark.parametrize("cell", GATES)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_seen_where_the_resolution_says_so(mistake: str, cell: str, dtype: str) -> None:
    def wrong(case: Case) -> Results:
        held = MISTAKES[mistake](case)
        return {name: np.asarray(array, dtype=case.array_dtype) for name, array in held.items()}

    seen = 0
    for seed in range(8):  # a relu may be dead, a gate closed: not every case shows every mistake
        case = Case.parse(f"{cell}:T3B3I2H2:regime=ordinary:dtype={dtype}:seed={seed}")
        (verdict,) = examine([Subject("wrong", wrong, make("torch_rnn").options)], case)
        mistaken = wrong(case)
        for tensor in verdict.checks:
            right = torch_rnn(case)[tensor.name].astype(np.float64)
            off = np.max(np.abs(mistaken[tensor.name].astype(np.float64) - right))
            above = bool(right.any()) and not off <= tensor.resolution * np.max(np.abs(right))
            seen += above
            assert tensor.status is Status.FAIL or not above
        assert verdict.findings == ()
    assert seen >= 4


@short
@given(data=st.data())
def test_zeros_never_pass(dtype: str, data: st.DataObject) -> None:
    case = data.draw(cases(supports({"dtype": dtype}, EVERYTHING)))
    zeros = {name: np.zeros(shape, case.array_dtype) for name, shape in case.result_shapes.items()}
    (verdict,) = examine([make(lambda _: zeros)], case)
    want = Known(case).worst.want
    for tensor in verdict.checks:
        assert tensor.status is not Status.PASS or not want[tensor.name].any()


def test_the_blind_line_is_where_zeros_would_pass() -> None:
    assert [blind_above(FORMATS[dtype]) for dtype in SHORT] == [2.0, 2.0]
    assert blind_above(FORMATS["float32"]) == BLIND * FORMATS["float32"].u < 2.0


@short
def test_numbers_of_another_dtype_are_a_finding(dtype: str) -> None:
    @subject(cell="lstm", dtype=dtype)
    def double(case: Case) -> Results:
        return {"y": torch_rnn(case)["y"].astype(np.float64)}

    (failure,) = check(double, max_examples=3).failures
    wanted = {"bfloat16": "float32", "float16": "float16"}[dtype]
    assert [finding.text for finding in failure.findings] == [f"got float64, wanted {wanted}"]
