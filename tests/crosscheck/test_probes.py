"""The cases that a failing one is followed by: of the same options, larger, and only what the subject supports."""

from __future__ import annotations

import pytest
from hypothesis import given

from crosscheck import Case
from crosscheck.implementation import Subject, subject
from crosscheck.implementation import make as make_subject
from crosscheck.probes import probes
from crosscheck.strategies import EVERYTHING, OF_CASE, cases, supported, supports


def able(**options: object) -> Subject:
    @subject(**options)
    def function(case: Case) -> dict[str, object]:
        return {}

    return make_subject(function)


ANYTHING = Subject("anything", lambda _case: {}, EVERYTHING, frozenset(EVERYTHING))


def test_a_small_case_is_followed_by_grown_ones() -> None:
    assert [str(case) for case in probes(ANYTHING, Case.parse("lstm:T1B1I1H1:seed=3"))] == [
        "lstm:T1B1I1H1:seed=3",
        "lstm:T4B3I2H3:seed=1",
        "lstm:T4B3I2H3:regime=ordinary:seed=2",
        "lstm:T5B2I3H4:seed=3",
        "lstm:T5B2I3H4:regime=ordinary:seed=4",
        "lstm:T3B4I4H2:seed=5",
        "lstm:T3B4I4H2:regime=ordinary:seed=6",
    ]


@pytest.mark.parametrize(
    ("line", "grown"),
    [
        ("gru:T2B2I1H1:lengths=2,1:seed=3", "gru:T4B3I2H3:lengths=3,4,1:seed=1"),
        ("gru:T2B2I1H1:lengths=0,1:seed=3", "gru:T4B3I2H3:lengths=3,4,0:seed=1"),
        ("gru:T2B1I1H1:axes=T:seed=3", "gru:T4B1I2H3:axes=T:seed=1"),
        ("lstm:T2B1I1H2:proj_size=1:seed=3", "lstm:T4B3I2H3:proj_size=2:seed=1"),
        ("gru:T1B1I1H1O1:loss=mse:seed=3", "gru:T4B3I2H3O3:loss=mse:seed=1"),
    ],
)
def test_options_stay(line: str, grown: str) -> None:
    assert str(probes(ANYTHING, Case.parse(line))[1]) == grown


def test_a_network_of_one_size_is_followed_by_cases_of_that_size() -> None:
    fixed = able(cell="gru", min_I=6, max_I=6, min_H=5, max_H=5)
    grown = probes(fixed, Case.parse("gru:T1B1I6H5:seed=3"))[1:]
    assert [str(case) for case in grown[:3]] == [
        "gru:T4B3I6H5:seed=1",
        "gru:T4B3I6H5:regime=ordinary:seed=2",
        "gru:T5B2I6H5:seed=3",
    ]


def test_sizes_stay_within_what_is_supported() -> None:
    small = able(cell="rnn_tanh", max_T=3, max_B=1, max_H=2)
    assert {
        (case.T, case.B, case.spec.hidden_size) for case in probes(small, Case.parse("rnn_tanh:T1B1I1H1:seed=3"))
    } == {
        (1, 1, 1),
        (3, 1, 2),
    }


@given(case=cases())
def test_every_probe_is_supported_and_of_the_same_options(case: Case) -> None:
    for probe in probes(ANYTHING, case):
        assert supported(probe, supports({"dtype": ("float64", "float32")}, EVERYTHING))
        for name, value in OF_CASE.items():
            if name not in ("regime", "wide", "projection"):
                assert value(probe) == value(case), name
