"""Proofs on balls: the hand-written formulas are proven right, and every planted fault is proven wrong, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import flint
import numpy as np
import pytest
from flint import arb
from hypothesis import assume, given
from hypothesis import strategies as st

from crosscheck import Case, Spec
from crosscheck.referee import proof
from crosscheck.referee.numbers.ball import Ball, precision
from crosscheck.referee.numbers.format import FORMATS
from crosscheck.referee.proof import FIRST_BITS, Network, Outcome, prove
from crosscheck.referee.reference import reference
from crosscheck.strategies import EVERYTHING, cases, supports
from crosscheck.subjects.manual import manual

SMALL = supports({"max_T": 4, "max_B": 2, "max_I": 3, "max_H": 3}, EVERYTHING)
Change = Callable[[Any], Any]


def wrong_in(name: str, change: Change) -> Network:
    """Return the hand-written network with one tensor changed."""

    def network(case: Case) -> Mapping[str, Any]:
        results = dict(manual(case))
        return results | {name: change(results[name])}

    return network


def one_element(index: tuple[int, ...], factor: Any) -> Change:
    def change(array: Any) -> Any:
        changed = array.copy() if np.shape(array) else np.array(array, dtype=object)
        changed[index] = changed[index] * factor
        return changed

    return change


@given(case=cases())
def test_the_hand_written_formulas_are_proven_right(case: Case) -> None:
    before = flint.ctx.prec
    proven = prove(manual, case)
    assert (proven.outcome, proven.wrong) == (Outcome.PROVEN, ())
    assert flint.ctx.prec == before
    truth = reference(case)
    assert proven.values.keys() == case.result_shapes.keys()
    for name, shape in case.result_shapes.items():
        hi, lo, radius = proven.values[name]
        assert hi.shape == lo.shape == radius.shape == shape
        # both stand for the exact result: one with a radius, one with a tolerance
        assert np.all(np.abs(truth.want[name] - hi - lo) <= truth.bound[name] + radius), name


FAULTS: dict[str, Callable[[tuple[int, ...]], Change]] = {
    "an element off by 2^-40": lambda index: one_element(index, 1 + 2.0**-40),
    "an element off by 1e-12": lambda index: one_element(index, 1 + 1e-12),
    "an element off by 2^-49": lambda index: one_element(index, 1 + 2.0**-49),
    "an element missing": lambda index: one_element(index, 0),
    "an element's sign": lambda index: one_element(index, -1),
    "all scaled by 1 + 1e-6": lambda _: lambda array: array * (1 + 1e-6),
    "all doubled": lambda _: lambda array: array * 2,
    "every sign": lambda _: lambda array: -array,
}


@pytest.mark.parametrize("fault", FAULTS)
@given(case=cases(SMALL), data=st.data())
def test_a_fault_is_proven_and_named(fault: str, case: Case, data: st.DataObject) -> None:
    values = prove(manual, case).values
    gradients = [name for name, (hi, _, _) in values.items() if name[0] == "d" and hi.any()]
    assume(gradients)
    name = data.draw(st.sampled_from(gradients))
    hi, _, _ = values[name]
    index = tuple(int(i) for i in data.draw(st.sampled_from(np.argwhere(hi).tolist())))
    found = prove(wrong_in(name, FAULTS[fault](index)), case)
    assert (found.outcome, found.wrong) == (Outcome.WRONG, (name,))


@pytest.mark.parametrize("name", ["y", "h_n", "c_n", "loss"])
def test_an_output_is_named(name: str) -> None:
    case = Case.parse("lstm:T2B2I2H3:regime=ordinary:loss=mse:seed=4")
    index = () if name == "loss" else (0, 1, 2)
    found = prove(wrong_in(name, one_element(index, 1 + 2.0**-40)), case)
    assert (found.outcome, found.wrong) == (Outcome.WRONG, (name,))


def test_several_tensors_are_all_named() -> None:
    case = Case.parse("gru:T2B2I2H3:regime=ordinary:seed=4")

    def network(case: Case) -> Mapping[str, Any]:
        results = dict(manual(case))
        return results | {"y": results["y"] * 2, "dx": -results["dx"], "db_hh": results["db_hh"] + 1e-9}

    found = prove(network, case)
    assert found.outcome is Outcome.WRONG
    assert set(found.wrong) == {"y", "dx", "db_hh"}


def test_two_equal_faults_of_opposite_sign_do_not_cancel() -> None:
    # along a direction of signs alone, every second such pair would
    pair = wrong_in("dx", lambda array: array + np.array([[[2.0**-40, -(2.0**-40)]], [[0, 0]]]))
    for seed in range(10):
        found = prove(pair, Case.parse(f"rnn_tanh:T2B1I2H2:regime=ordinary:seed={seed}"))
        assert (found.outcome, found.wrong) == (Outcome.WRONG, ("dx",))


def test_what_a_network_leaves_out_is_not_proven_wrong() -> None:
    case = Case.parse("lstm:T2B1I2H2:regime=ordinary:seed=4")

    def network(case: Case) -> Mapping[str, Any]:
        return {name: array for name, array in manual(case).items() if name not in ("dx", "c_n")}

    proven = prove(network, case)
    assert proven.outcome is Outcome.PROVEN
    assert proven.values.keys() == case.result_shapes.keys() - {"dx", "c_n"}


# Precision is doubled until it is enough.


def relu_near_its_kink(exponent: int) -> Case:
    """Return a case whose one pre-activation is 1 + 2^exponent - 1."""
    arrays = {
        "W_xh": np.array([[1.0, 1.0]]),
        "W_hh": np.array([[1.0]]),
        "x": np.array([[[1.0, 2.0**exponent]]]),
        "h_0": np.array([[[-1.0]]]),
        "dy": np.ones((1, 1, 1)),
        "dh_n": np.ones((1, 1, 1)),
    }
    return Case(Spec("rnn_relu", 2, 1, bias=False), T=1, B=1, arrays=arrays)


@pytest.mark.parametrize(("exponent", "bits"), [(-20, 128), (-200, 256), (-600, 1024)])
def test_precision_is_doubled_until_the_branch_is_decided(exponent: int, bits: int) -> None:
    proven = prove(manual, relu_near_its_kink(exponent))
    assert (proven.outcome, proven.bits) == (Outcome.PROVEN, bits)
    hi, lo, radius = proven.values["y"]
    assert (hi.item(), lo.item(), radius.item()) == (2.0**exponent, 0.0, 0.0)  # so many bits hold 1 + 2^exponent
    assert proven.values["dh_0"][0].item() == 2.0


def test_a_gradient_too_small_for_the_precision_is_looked_at_again() -> None:
    # sech^2(100) is 4 e^-200 = 2^-286.5, the difference of 1 and a square that 128 bits round to 1
    arrays = {
        "W_xh": np.array([[1.0], [100.0]]),
        "W_hh": np.zeros((2, 2)),
        "x": np.array([[[1.0]]]),
        "h_0": np.zeros((1, 1, 2)),
        "dy": np.ones((1, 1, 2)),
        "dh_n": np.ones((1, 1, 2)),
    }
    case = Case(Spec("rnn_tanh", 1, 2, bias=False), T=1, B=1, arrays=arrays)
    proven = prove(manual, case)
    assert (proven.outcome, proven.bits) == (Outcome.PROVEN, 512)
    # NumPy's exp to 2 ulp, 4 u; hi is rounded, 1 u; and sech^2(100) is 4 e^-200 (1 - 2 e^-200 ...)
    assert proven.values["dW_xh"][0][1, 0] == pytest.approx(8 * np.exp(-200.0), rel=5 * FORMATS["float64"].u, abs=0)
    found = prove(wrong_in("dW_xh", one_element((1, 0), 1 + 1e-12)), case)
    assert (found.outcome, found.wrong) == (Outcome.WRONG, ("dW_xh",))


def test_equal_logits_are_no_tie_to_be_decided() -> None:
    # two classes with the same weights: which is the largest logit is undecided at every precision
    case = Case.parse("rnn_tanh:T1B1I1H1O3:loss=cross_entropy:regime=ordinary:seed=3")
    arrays = dict(case.arrays) | {"W_hy": np.array([[0.5], [0.5], [-0.25]]), "b_y": np.array([0.25, 0.25, 0.0])}
    proven = prove(manual, Case(case.spec, 1, 1, arrays=arrays))
    assert (proven.outcome, proven.bits) == (Outcome.PROVEN, FIRST_BITS)


@pytest.mark.parametrize("most", [128, 255, 256])
def test_at_the_cap_the_question_stays_open(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "MOST_BITS", most)
    case = relu_near_its_kink(-400)
    undecided = prove(manual, case)
    assert (undecided.outcome, undecided.wrong) == (Outcome.OPEN, ())
    assert undecided.bits == (128 if most < 256 else 256)
    assert undecided.values == {}


def test_what_is_known_too_little_of_is_never_proven_right(monkeypatch: pytest.MonkeyPatch) -> None:
    # dx is known to 30 bits at every precision: a fault of 2^-50 could not be seen, so nothing is said
    monkeypatch.setattr(proof, "MOST_BITS", 512)
    blurred = wrong_in("dx", lambda array: array * Ball(arb(1, 2.0**-30)))
    found = prove(blurred, Case.parse("lstm:T2B1I2H2:regime=ordinary:seed=4"))
    assert (found.outcome, found.bits) == (Outcome.OPEN, 512)
    assert found.values["dx"][2].max() > 0


@pytest.mark.parametrize("name", ["y", "dx"])
def test_a_nan_is_never_proven_right(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "MOST_BITS", 256)
    found = prove(
        wrong_in(name, one_element((0, 0, 1), float("nan"))), Case.parse("lstm:T2B1I2H2:regime=ordinary:seed=4")
    )
    assert found.outcome is not Outcome.PROVEN


@given(st.integers(53, 300))
def test_the_callers_precision_is_kept(bits: int) -> None:
    with precision(bits):
        prove(manual, Case.parse("rnn_tanh:T1B1I1H1:seed=1"))
        assert flint.ctx.prec == bits
