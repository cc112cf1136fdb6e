"""Who agrees with what is right: all three where they can, and none that disagrees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given

from crosscheck import Case
from crosscheck.referee import witnesses as module
from crosscheck.referee.reference import reference
from crosscheck.referee.truth import Known
from crosscheck.referee.witnesses import complex_step, witnesses
from crosscheck.strategies import EVERYTHING, cases, supports
from crosscheck.verdict import Status, TensorCheck

SMALL = supports(
    {"max_T": 3, "max_B": 2, "max_I": 2, "max_H": 3, "wide": False, "truncate": False, "dtype": "float64"}, EVERYTHING
)
LINE = "gru:T2B2I2H2:regime=ordinary:seed=4"


def wrong(*names: str) -> list[TensorCheck]:
    return [TensorCheck(name, Status.FAIL, (0, 0), 0.0, 1.0, 0.0, 1.0, 0.0, 1, 1) for name in names]


def test_a_truncated_gradient_is_no_derivative() -> None:
    found = witnesses(Known(Case.parse(LINE + ":truncate=1,1")), wrong("dW_hh"))
    assert found == ("definition in ball arithmetic (128 bit)", "torch autograd")


@given(case=cases(SMALL))
def test_the_complex_step_gives_the_derivative(case: Case) -> None:
    known = Known(case)
    for name in case.input_names:
        index = tuple(size - 1 for size in case.arrays[name].shape)
        error = abs(complex_step(known, name, index) - known.worst.want[f"d{name}"][index])
        assert error <= known.worst.bound[f"d{name}"][index], name


def test_all_three_agree() -> None:
    assert witnesses(Known(Case.parse(LINE)), wrong("dW_hh", "dW_xh")) == (
        "definition in ball arithmetic (128 bit)",
        "torch autograd",
        "complex step",
    )


def test_who_disagrees_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Known(Case.parse(LINE))
    elsewhere = reference(known.case, lambda case: {name: a * 2 for name, a in _manual(case).items()})
    known.__dict__["truth"] = elsewhere
    assert witnesses(known, wrong("dW_hh")) == ("definition in ball arithmetic (128 bit)",)


def _manual(case: Case) -> Any:
    from crosscheck.subjects.manual import manual

    return manual(case)


def test_of_outputs_there_is_no_derivative() -> None:
    y = TensorCheck("y", Status.FAIL, (0, 0, 0), 0.0, 1.0, 0.0, 1.0, 0.0, 1, 1)
    assert witnesses(Known(Case.parse(LINE)), [y]) == ("definition in ball arithmetic (128 bit)", "torch autograd")


def test_torch_is_not_asked_in_formats_that_it_rounds_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "make", None)
    found = witnesses(Known(Case.parse(LINE + ":dtype=bfloat16")), wrong("dW_hh"))
    assert "torch autograd" not in found
    assert np.size(found) > 0
