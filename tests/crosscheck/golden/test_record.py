"""A vector is the proven truth, rounded, as fractions show; what can't be one, or comes out otherwise, is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from crosscheck import ArgumentError, Case
from crosscheck.campaign import Checked, Event, Settings, campaign
from crosscheck.golden import record as module
from crosscheck.golden.record import CannotRecordError, drawn, planted, record, recorded, rounded_to
from crosscheck.golden.vector import Kind, Recording, Wrong
from crosscheck.implementation import make
from crosscheck.mistakes.catalogue import CATALOGUE
from crosscheck.referee.numbers.format import FORMATS
from crosscheck.referee.patched import patched
from crosscheck.referee.proof import Outcome
from crosscheck.referee.truth import Known
from crosscheck.subjects.manual import manual

NOW = Recording("2026-11-26T08:00:00+00:00", {"numpy": "2.3.5"})
WRONG = Wrong("rnn.carry-dropped", "F1", "the gradient is not carried", "dh = dy + dh_next", "dh = dy")


def exact_h(case: Case) -> list[Fraction]:
    """The states of a relu network of one unit, in fractions: every number in it is a fraction."""
    p = {name: Fraction(float(np.ravel(array)[0])) for name, array in case.params.items()}
    h = [Fraction(float(case.h_0.ravel()[0]))]
    for x_t in case.x.ravel():
        a = p["W_xh"] * Fraction(float(x_t)) + p["b_xh"] + p["W_hh"] * h[-1] + p["b_hh"]
        h.append(max(a, Fraction(0)))
    return h[1:]


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
@pytest.mark.parametrize("seed", range(4))
def test_what_is_expected_is_the_nearest_number_and_the_bound_holds_what_that_costs(dtype: str, seed: int) -> None:
    case = Case.parse(f"rnn_relu:T2B1I1H1:dtype={dtype}:seed={seed}")
    try:
        vector = record(case, NOW)
    except CannotRecordError:
        pytest.skip("all units are off: nothing to see")
    confirmed = Known(case).confirmed
    for k, h in enumerate(exact_h(case)):
        want = vector.want["y"].ravel()[k]
        step = np.ldexp(1.0, int(np.frexp(abs(float(want)))[1]) - FORMATS[dtype].precision)
        distance = abs(Fraction(float(want)) - h)
        assert distance <= Fraction(float(step)) / 2 or h == 0
        assert Fraction(vector.bounds["y"]) >= distance + Fraction(float(confirmed.bound["y"].ravel()[k]))


@pytest.mark.parametrize(
    ("exact", "dtype", "nearest"),
    [
        (1 + 2.0**-8, "bfloat16", 1.0),
        (1 + 3 * 2.0**-8, "bfloat16", 1 + 2.0**-6),
        (-(1 + 2.0**-7 + 2.0**-20), "bfloat16", -(1 + 2.0**-7)),
        (0.0, "bfloat16", 0.0),
        (1 + 2.0**-11, "float16", 1.0),
        (1 + 2.0**-24 + 2.0**-40, "float32", 1 + 2.0**-23),
    ],
)
def test_rounding_is_to_the_nearest_and_of_two_to_the_even(exact: float, dtype: str, nearest: float) -> None:
    assert float(rounded_to(dtype, np.array([exact]))[0]) == nearest


def test_the_bound_is_never_less_than_what_it_is_made_of() -> None:
    case = Case.parse("lstm:T2B1I1H1:dtype=float32:seed=0")
    hi, lo, bound = np.array([1 + 2.0**-30, 0.5]), np.array([2.0**-60, 0.0]), np.array([2.0**-24, 2.0**-23])
    rounded = module._rounded(case, hi, lo, bound)
    assert rounded.want.dtype == np.float32
    assert rounded.want.tolist() == [1.0, 0.5]
    assert rounded.bound == 2.0**-23
    one = module._rounded(case, hi[:1], lo[:1], bound[:1])
    exact = Fraction(2.0**-30) + Fraction(2.0**-60) + Fraction(2.0**-24)
    assert Fraction(0) <= Fraction(one.bound) - exact <= 4 * Fraction(float(np.spacing(one.bound)))


def test_what_was_returned_is_beside_it_bit_for_bit() -> None:
    case = Case.parse("gru:T2B2I1H2:dtype=float32:seed=3")
    vector = record(case, NOW, make("manual"))
    returned = manual(case)
    assert set(vector.got) == set(vector.want)
    assert all(vector.got[name].tobytes() == np.asarray(returned[name]).tobytes() for name in vector.got)
    assert record(case, NOW).got == {}


def test_a_subject_that_moves_is_refused_and_the_tensor_named() -> None:
    calls = [0]

    def restless(case: Case) -> Mapping[str, Any]:
        calls[0] += 1
        return {**manual(case), "dW_hh": manual(case)["dW_hh"] * (1 + calls[0] * 2.0**-40)}

    with pytest.raises(ArgumentError, match="other numbers for dW_hh, as returned the second time"):
        record(Case.parse("rnn_tanh:T2B1I1H1:seed=0"), NOW, make(restless))


def test_a_referee_that_moves_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    class Restless(Known):
        def __init__(self, case: Case) -> None:
            super().__init__(case)
            made.append(self)
            self.confirmed.want["dx"][:] += len(made) * 2.0**-30

    monkeypatch.setattr(module, "Known", Restless)
    with pytest.raises(ArgumentError, match="other numbers for dx the second time"):
        record(Case.parse("rnn_tanh:T2B1I1H1:seed=0"), NOW)
    assert len(made) == 2


def test_the_second_time_all_is_made_from_the_line() -> None:
    case = Case.parse("rnn_tanh:T2B1I1H1:seed=0")
    vector = record(case, NOW)
    assert vector.case == case
    assert vector.case is not case


@pytest.mark.parametrize("outcome", [one for one in Outcome if one is not Outcome.PROVEN])
def test_what_is_not_proven_is_refused(outcome: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    class Unproven(Known):
        def __init__(self, case: Case) -> None:
            super().__init__(case)
            self.proof = replace(super().proof, outcome=outcome)

    monkeypatch.setattr(module, "Known", Unproven)
    with pytest.raises(CannotRecordError, match="formulas that are proven"):
        record(Case.parse("rnn_tanh:T2B1I1H1:seed=0"), NOW)


def test_what_is_not_finite_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Large(Known):
        def __init__(self, case: Case) -> None:
            super().__init__(case)
            self.confirmed.want["dx"][:] = np.inf

    monkeypatch.setattr(module, "Known", Large)
    with pytest.raises(CannotRecordError, match="dx too large for float64"):
        record(Case.parse("rnn_tanh:T2B1I1H1:seed=0"), NOW)


def test_what_would_be_blind_is_refused_and_left_out_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    class Blind(Known):
        def __init__(self, case: Case) -> None:
            super().__init__(case)
            if case.seed == 0:
                self.confirmed.bound["dx"][:] = 1e6

    monkeypatch.setattr(module, "Known", Blind)
    cases = [Case.parse(f"rnn_tanh:T2B1I1H1:seed={seed}") for seed in (0, 1)]
    with pytest.raises(CannotRecordError, match="a check that sees nothing in dx"):
        record(cases[0], NOW)
    assert [vector.case for vector in recorded(cases, NOW)] == cases[1:]


def test_what_is_drawn_is_what_a_run_checks() -> None:
    settings = Settings(max_examples=4, seed=7, options={"cell": "gru", "dtype": ("float64", "float32")})
    seen: list[Case] = []

    def listen(event: Event) -> None:
        if isinstance(event, Checked):
            seen.append(event.case)

    campaign((make("manual"),), settings, listen)
    assert drawn(make("manual"), settings) == tuple(dict.fromkeys(seen))


def test_planted_numbers_are_kept_where_they_are_out_of_bounds() -> None:
    vector = record(Case.parse("rnn_tanh:T2B1I1H2:seed=1"), NOW)
    wrong = patched(CATALOGUE["rnn.carry-dropped"].patches)(vector.case)
    made = planted(vector, Kind.INVALID, WRONG, wrong, "a word")
    assert (made.kind, made.wrong, made.comment, made.id) == (
        Kind.INVALID,
        WRONG,
        "a word",
        f"{vector.id}-{WRONG.name}",
    )
    assert set(made.got) == {"dx", "dh_0", "dW_xh", "dW_hh", "db_xh", "db_hh"}
    assert all(made.got[name].tobytes() == np.asarray(wrong[name]).tobytes() for name in made.got)


def test_nothing_wrong_can_not_be_planted() -> None:
    vector = record(Case.parse("rnn_tanh:T2B1I1H2:seed=1"), NOW)
    with pytest.raises(CannotRecordError, match="within all bounds"):
        planted(vector, Kind.INVALID, WRONG, manual(vector.case))
