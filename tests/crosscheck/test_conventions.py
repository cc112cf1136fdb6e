"""Layouts of other people: there and back, on values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crosscheck.case import Case
from crosscheck.conventions import Conventions, ours, pieces, theirs
from crosscheck.errors import ArgumentError
from crosscheck.regimes import REGIMES
from crosscheck.subjects.manual import manual

ALL = [
    Conventions(),
    Conventions(transposed=True),
    Conventions(columns=True),
    Conventions(batch_first=True),
    Conventions(time_last=True),
    Conventions(columns=True, time_last=True, transposed=True),
    Conventions(separate=True),
    Conventions(separate=True, columns=True, transposed=True),
]


def there(line: str, conventions: Conventions) -> tuple[Case, dict[str, Any]]:
    case = Case.parse(line)
    return case, theirs(case.arrays, case.spec, conventions)


def gradients_there(case: Case, conventions: Conventions) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the right outputs and gradients in our layout, and in theirs: a gradient is laid out as its parameter."""
    right = manual(case)
    as_params = {name[1:]: array for name, array in right.items() if name.startswith("d")}
    laid = theirs(as_params, case.spec, conventions)
    outputs = {name: array for name, array in right.items() if not name.startswith("d")}
    return right, {f"d{name}": array for name, array in laid.items()} | theirs(outputs, case.spec, conventions)


@pytest.mark.parametrize("conventions", ALL)
@pytest.mark.parametrize(
    "line", ["rnn_tanh:T2B3I4H5", "lstm:T2B3I4H5", "gru:T3B2I1H2", "lstm:T2B3I4H5O2:layers=2:bidirectional=true"]
)
def test_there_and_back_is_the_identity(line: str, conventions: Conventions) -> None:
    right, laid = gradients_there(Case.parse(line), conventions)
    back = ours(laid, Case.parse(line).spec, conventions)
    assert back.keys() == right.keys()
    for name, array in right.items():
        assert np.array_equal(back[name], array), name


def test_gate_blocks_move_with_their_gradients() -> None:
    case, arrays = there("lstm:T1B1I1H2:seed=3", Conventions(gates="iogf"))
    i, f, g, o = case.params["W_xh"].reshape(4, 2, 1)
    assert np.array_equal(arrays["W_xh"], np.concatenate([i, o, g, f]))
    back = ours({"db_xh": np.arange(8.0)}, case.spec, Conventions(gates="iogf"))
    assert back["db_xh"].tolist() == [0, 1, 6, 7, 4, 5, 2, 3]


def test_z_as_the_share_of_the_new_state_has_its_sign_changed() -> None:
    conventions = Conventions(gates="zrn", z_new=True)
    case, arrays = there("gru:T1B1I1H1:seed=3", conventions)
    r, z, n = case.params["b_xh"]
    assert arrays["b_xh"].tolist() == [-z, r, n]
    assert ours({"db_hh": np.array([1.0, 2.0, 3.0])}, case.spec, conventions)["db_hh"].tolist() == [2, -1, 3]


def test_one_bias_is_the_sum_and_its_gradient_that_of_both() -> None:
    conventions = Conventions(biases="one", columns=True, names={"b": "b_h"})
    case, arrays = there("rnn_tanh:T1B1I1H2:seed=3", conventions)
    assert np.array_equal(arrays["b_h"], (case.params["b_xh"] + case.params["b_hh"])[:, None])
    back = ours({"db_h": np.array([[1.0], [2.0]])}, case.spec, conventions)
    assert back["db_xh"].tolist() == back["db_hh"].tolist() == [1, 2]


@pytest.mark.parametrize("joined", ["hx", "xh"])
def test_one_weight_of_a_gate_on_both(joined: str) -> None:
    conventions = Conventions(joined=joined, separate=True, biases="one", transposed=True)
    case, arrays = there("lstm:T1B1I3H2:seed=3", conventions)
    assert set(arrays) >= {"W_i", "W_f", "W_g", "W_o", "b_i", "b_f", "b_g", "b_o"}
    W_xg, W_hg = case.params["W_xh"][4:6].T, case.params["W_hh"][4:6].T
    assert np.array_equal(arrays["W_g"], np.concatenate([W_hg, W_xg] if joined == "hx" else [W_xg, W_hg]))
    back = ours({f"dW_{gate}": arrays[f"W_{gate}"] for gate in "ifgo"}, case.spec, conventions)
    assert np.array_equal(back["dW_xh"], case.params["W_xh"])
    assert np.array_equal(back["dW_hh"], case.params["W_hh"])


def test_names_of_gates_and_gradients() -> None:
    conventions = Conventions(separate=True, biases="one", names={"W_xi": "Wi", "dW_xf": "grads[Wf]"})
    spec = Case.parse("lstm:T1B1I1H1").spec
    assert pieces(spec, conventions) == (
        *(f"W_x{gate}" for gate in "ifgo"),
        *(f"W_h{gate}" for gate in "ifgo"),
        *(f"b_{gate}" for gate in "ifgo"),
    )
    assert [conventions.name(name) for name in ("dW_xi", "dW_xf", "dW_xo")] == ["dWi", "grads[Wf]", "dW_xo"]


def test_a_gradient_that_came_back_in_part_is_none() -> None:
    spec = Case.parse("lstm:T1B1I1H1").spec
    assert ours({"dW_xi": np.ones((1, 1))}, spec, Conventions(separate=True)) == {}


@pytest.mark.parametrize("shape", [(3, 2), (3, 1, 2), (3, 2, 1)])
def test_without_a_batch_axes_of_length_one_may_be_there(shape: tuple[int, ...]) -> None:
    conventions = Conventions(unbatched=True, columns=True)
    case, arrays = there("rnn_tanh:T3B1I1H2:seed=1", conventions)
    assert [arrays[name].shape for name in ("x", "h_0", "b_xh")] == [(3, 1), (1, 2, 1), (2, 1)]
    back = ours({"y": np.arange(6.0).reshape(shape)}, case.spec, conventions)
    assert np.array_equal(back["y"], np.arange(6.0).reshape(3, 1, 2))


@pytest.mark.parametrize("array", [np.ones((2, 3)), np.float64(1), np.ones((3, 1, 2, 2))])
def test_what_has_no_such_axes_is_left_as_it_is(array: Any) -> None:
    spec = Case.parse("rnn_tanh:T3B1I1H2:seed=1").spec
    for conventions in (Conventions(unbatched=True), Conventions(time_last=True)):
        assert np.shape(ours({"y": array}, spec, conventions)["y"]) == np.shape(array)


@pytest.mark.parametrize(
    ("given", "argument"),
    [
        ({"gates": "ifg"}, "gates"),
        ({"biases": "three"}, "biases"),
        ({"joined": "yes"}, "joined"),
        ({"reset": "never"}, "reset"),
        ({"reset": "after", "biases": "one"}, "reset"),
        ({"reset": "after", "joined": "hx"}, "reset"),
        ({"batch_first": True, "columns": True}, "batch_first"),
        ({"batch_first": True, "time_last": True}, "batch_first"),
    ],
)
def test_what_is_no_convention(given: dict[str, Any], argument: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        Conventions(**given)
    assert caught.value.argument == argument


@pytest.mark.parametrize(
    ("line", "given", "argument"),
    [
        ("gru:T1B1I1H1", {"gates": "ifog"}, "gates"),
        ("rnn_tanh:T1B1I1H1", {"gates": "ifog"}, "gates"),
        ("lstm:T1B1I1H1", {"biases": "none"}, "biases"),
        ("lstm:T1B1I1H1:bias=false", {"biases": "one"}, "biases"),
        ("gru:T1B1I1H1", {"biases": "one"}, "reset"),
        ("gru:T1B1I1H1:reset_after=false", {}, "reset"),
        ("lstm:T1B1I1H1:axes=BT", {"columns": True}, "axes"),
    ],
)
def test_what_a_network_cannot_have(line: str, given: dict[str, Any], argument: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        there(line, Conventions(**given))
    assert caught.value.argument == argument


def test_a_gradient_of_another_shape_is_named_as_they_name_it() -> None:
    spec = Case.parse("lstm:T1B1I3H2").spec
    with pytest.raises(ArgumentError, match=r"dWx: got shape \(8, 3\), wanted \(3, 8\)"):
        ours({"dWx": np.ones((8, 3))}, spec, Conventions(transposed=True, names={"W_xh": "Wx"}))


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ({}, {"bias": (True,), "reset_after": (True,)}),
        ({"gates": "zrn", "biases": "one"}, {"bias": (True,), "reset_after": (False,), "cell": ("gru",)}),
        ({"gates": "ifog"}, {"bias": (True,), "reset_after": (True,), "cell": ("lstm",)}),
        ({"biases": "none", "unbatched": True}, {"bias": (False,), "reset_after": (True,), "max_B": (1,)}),
        ({"z_new": True}, {"bias": (True,), "reset_after": (True,), "cell": ("gru",)}),
    ],
)
def test_what_such_a_layer_supports(given: dict[str, Any], options: dict[str, Any]) -> None:
    assert Conventions(**given).options() == options


def test_the_sum_of_two_biases_is_exact_in_every_format() -> None:
    for regime in REGIMES.values():
        assert 2 * regime.biases.most <= 2**8  # multiples of one step, in bfloat16's 8 bits


def test_weights_that_only_lie_otherwise_are_no_copies() -> None:
    case, arrays = there("lstm:T1B1I2H2:seed=3", Conventions(transposed=True, columns=True))
    for name in ("W_xh", "W_hh", "b_xh", "b_hh", "x"):
        assert np.shares_memory(arrays[name], case.arrays[name])
