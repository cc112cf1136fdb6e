"""A case step by step: by hand, and added up to the hand-written network's outputs and gradients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from crosscheck import Case
from crosscheck.referee.reference import reference
from crosscheck.referee.trace import Step, Trace, trace
from crosscheck.spec import suffix
from crosscheck.strategies import EVERYTHING, cases, supports


def da(step: Step, share: str) -> Any:
    """Return the gradient of what W_xh x + b_xh ("x") or W_hh h_in + b_hh ("h") gives, all gates."""
    d = step.backward
    if "da" in d:
        return d["da"]
    if "da_n" not in d:
        return np.concatenate([d[f"da_{gate}"] for gate in "ifgo" if f"da_{gate}" in d])
    return np.concatenate([d["da_r"], d["da_z"], d["dq"] if share == "h" and "dq" in d else d["da_n"]])


def added_up(case: Case, traced: Trace) -> dict[str, Any]:
    """Return the gradients of all parameters of the recurrent layers, from the steps alone."""
    total = {f"d{name}": np.zeros(np.shape(array)) for name, array in case.layer_params.items()}
    for step in traced.steps:
        end, f, d = suffix(step.layer, step.reverse), step.forward, step.backward
        h_in = f.get("h_in", f["h_prev"])
        total[f"dW_xh{end}"] += np.outer(da(step, "x"), f["x"])
        dW_hh = np.outer(da(step, "h"), h_in)
        if "s" in f and "a_n" in f:  # the reset gate comes before the product
            dW_hh[-len(f["s"]) :] = np.outer(d["da_n"], f["s"])
        total[f"dW_hh{end}"] += dW_hh
        if case.spec.bias:
            total[f"db_xh{end}"] += da(step, "x")
            total[f"db_hh{end}"] += da(step, "h")
        if case.spec.peephole:
            seen = {"i": f["c_prev"], "f": f["c_prev"], "o": f.get("c_new", f["c"])}
            for gate in "io" if case.spec.coupled else "ifo":
                total[f"dp_{gate}{end}"] += d[f"da_{gate}"] * seen[gate]
        if case.spec.proj_size:
            total[f"dW_hr{end}"] += np.outer(d.get("dh_new", d["dh"]), f["m"])
    return total


def assert_within(case: Case, got: Any, name: str) -> None:
    known = reference(case)
    assert np.all(np.abs(got - known.want[name]) <= known.bound[name]), name


@given(cases(supports({"max_T": 3, "max_B": 2, "max_I": 2, "max_H": 2, "wide": False, "dtype": "float64"}, EVERYTHING)))
def test_the_steps_add_up_to_the_hand_written_network(case: Case) -> None:
    traced = trace(case)
    assert set(traced.results) == set(case.result_shapes)
    for name, got in traced.results.items():
        assert got.shape == case.result_shapes[name]
        assert_within(case, got, name)
    for name, got in added_up(case, traced).items():
        assert_within(case, got, name)


@given(cases(supports({"max_T": 3, "max_B": 2, "max_I": 2, "max_H": 2, "wide": False}, EVERYTHING)))
def test_a_step_hands_on_what_the_next_one_gets(case: Case) -> None:
    steps = {(step.layer, step.reverse, step.b, step.t): step for step in trace(case).steps}
    for (layer, reverse, b, t), step in steps.items():
        after = steps.get((layer, reverse, b, t - 1 if reverse else t + 1))
        for name in case.spec.states:
            if after is not None:
                assert np.array_equal(after.forward[f"{name}_prev"], step.forward[name])
                if case.spec.truncate is None:
                    assert np.array_equal(after.backward[f"d{name}_prev"], step.backward[f"d{name}_next"])
        if case.spec.truncate is None:
            assert np.array_equal(step.backward["dh"], step.backward["dy"] + step.backward["dh_next"])
    lengths = case.lengths or (case.T,) * case.B
    assert len(steps) == sum(lengths) * len(case.spec.runs)


def test_two_steps_of_the_tanh_cell_by_hand() -> None:
    case = Case.parse("rnn_tanh:T2B1I1H1:regime=ordinary:seed=5")
    a = {name: float(array.ravel()[0]) for name, array in case.arrays.items()}
    x, dy = case.x.ravel(), case.dy.ravel()
    h_1 = math.tanh((a["W_xh"] * x[0] + a["b_xh"]) + (a["W_hh"] * a["h_0"] + a["b_hh"]))
    h_2 = math.tanh((a["W_xh"] * x[1] + a["b_xh"]) + (a["W_hh"] * h_1 + a["b_hh"]))
    da_2 = (dy[1] + a["dh_n"]) * (1 - h_2 * h_2)
    da_1 = (dy[0] + da_2 * a["W_hh"]) * (1 - h_1 * h_1)
    first, second = trace(case).steps
    # h is an output, and the gradient of h_0 is da_1 W_hh, so these have the bounds of y and of dh_0.
    bound = reference(case).bound
    assert abs(first.forward["h"].item() - h_1) <= bound["y"][0].item()
    assert abs(second.forward["h"].item() - h_2) <= bound["y"][1].item()
    assert abs(first.backward["dh_prev"].item() - da_1 * a["W_hh"]) <= bound["dh_0"].item()
    assert second.backward["dh_next"].item() == a["dh_n"]
    assert first.backward["dh_next"].item() == second.backward["dh_prev"].item()
    assert (first.backward["dy"].item(), second.backward["dy"].item()) == (dy[0], dy[1])
    assert list(first.forward) == ["x", "h_prev", "a", "h"]


NAMES = {
    "rnn_relu:T1B1I1H1": "x h_prev a h",
    "lstm:T1B1I1H1": "x h_prev c_prev a_i a_f a_g a_o i f g c o s h",
    "lstm:T1B1I1H2:proj_size=1:coupled=true": "x h_prev c_prev a_i a_g a_o i g c o s m h",
    "gru:T1B1I1H1": "x h_prev a_r a_z r z q a_n n h",
    "gru:T1B1I1H1:reset_after=false:attention=true": "x h_prev a_r a_z r z s a_n n u h",
    "rnn_tanh:T1B1I1H1:recurrent_dropout=0.3": "x h_prev h_in a h",
    "lstm:T1B1I1H1:zoneout=0.3": "x h_prev c_prev a_i a_f a_g a_o i f g c_new o s h_new h c",
}


@pytest.mark.parametrize("line", NAMES)
def test_the_names_are_those_of_the_equations(line: str) -> None:
    (step,) = trace(Case.parse(line)).steps
    assert list(step.forward) == NAMES[line].split()
    assert set(step.backward) - {"dy", "dh_next", "dc_next"} == {f"d{name}" for name in step.forward}


def test_the_order_is_layers_then_directions_then_steps_as_they_run() -> None:
    traced = trace(Case.parse("rnn_tanh:T2B2I1H1:layers=2:bidirectional=true:lengths=2,1"))
    order = [(step.layer, step.reverse, step.b, step.t) for step in traced.steps]
    one = [(False, 0, 0), (False, 0, 1), (False, 1, 0), (True, 0, 1), (True, 0, 0), (True, 1, 0)]
    assert order == [(layer, *each) for layer in range(2) for each in one]


def test_a_truncated_gradient_is_not_handed_on() -> None:
    case = Case.parse("rnn_tanh:T2B1I1H1:truncate=1,1:regime=ordinary:seed=5")
    first, second = trace(case).steps
    assert second.backward["dh_prev"].item() == first.backward["dh_next"].item() == 0
    assert first.backward["dh"].item() == case.dy[0].item()


def test_the_gradient_of_y_with_a_loss() -> None:
    case = Case.parse("rnn_tanh:T2B1I1H1O2:loss=half_squared_error:regime=ordinary:seed=5")
    traced = trace(case)
    assert np.array_equal(traced.dy, traced.results["y"] - case.target)
