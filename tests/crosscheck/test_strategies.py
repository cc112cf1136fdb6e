"""What is drawn, what it shrinks to, and what a subject may say that it supports."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crosscheck import ArgumentError, Case
from crosscheck.features import WIDE
from crosscheck.regimes import REGIMES
from crosscheck.strategies import EVERYTHING, OF_CASE, PLAIN, cases, supported, supports


@pytest.mark.parametrize(
    ("condition", "simplest"),
    [
        (lambda _: True, "rnn_tanh:T1B1I1H1:seed=0"),
        (lambda case: case.T >= 2 and case.spec.hidden_size >= 2, "rnn_tanh:T2B1I1H2:seed=0"),
        (lambda case: case.spec.cell == "gru" and case.dtype == "float32", "gru:T1B1I1H1:dtype=float32:seed=0"),
        (lambda case: not case.spec.reset_after, "gru:T1B1I1H1:reset_after=false:seed=0"),
        (lambda case: case.spec.output_size > 0, "rnn_tanh:T1B1I1H1O1:seed=0"),
        (lambda case: case.seed >= 7, "rnn_tanh:T1B1I1H1:seed=7"),
        (lambda case: case.spec.num_layers == 2, "rnn_tanh:T1B1I1H1:layers=2:seed=0"),
        (lambda case: case.spec.bidirectional, "rnn_tanh:T1B1I1H1:bidirectional=true:seed=0"),
        (lambda case: case.lengths is not None, "rnn_tanh:T1B1I1H1:lengths=1:seed=0"),
        (lambda case: case.B == 3 and 0 in (case.lengths or ()), "rnn_tanh:T1B3I1H1:lengths=0,0,0:seed=0"),
        (lambda case: case.spec.peephole, "lstm:T1B1I1H1:peephole=true:seed=0"),
        (lambda case: case.spec.proj_size > 0, "lstm:T1B1I1H2:proj_size=1:seed=0"),
        (lambda case: case.spec.attention and case.T == 2, "gru:T2B1I1H1:attention=true:seed=0"),
        (lambda case: case.spec.clip > 0, "rnn_tanh:T1B1I1H1:clip=0.703125:seed=0"),
        (lambda case: case.spec.dropout > 0, "rnn_tanh:T1B1I1H1:layers=2:dropout=0.3:seed=0"),
        (
            lambda case: case.spec.zoneout > 0 and not case.spec.train,
            "rnn_tanh:T1B1I1H1:zoneout=0.3:train=false:seed=0",
        ),
        (lambda case: case.spec.truncate == (1, 2), "rnn_tanh:T1B1I1H1:truncate=1,2:seed=0"),
        (lambda case: case.spec.axes == "T", "rnn_tanh:T1B1I1H1:axes=T:seed=0"),
        (lambda case: case.spec.mean == "T", "rnn_tanh:T1B1I1H1:loss=half_squared_error:mean=T:seed=0"),
        (lambda case: case.spec.output_size > 0 and case.lengths is not None, "rnn_tanh:T1B1I1H1O1:lengths=1:seed=0"),
        (lambda case: case.memory == "negative", "rnn_tanh:T1B1I1H1:memory=negative:seed=0"),
        (lambda case: case.memory == "aliased" and case.T == 2, "rnn_tanh:T2B1I1H1:memory=aliased:seed=0"),
        (lambda case: case.spec.hidden_size == WIDE, "rnn_tanh:T1B1I1H65:seed=0"),
        (lambda case: case.regime == "large_inputs", "rnn_tanh:T1B1I1H1:regime=large_inputs:seed=0"),
    ],
)
def test_a_case_shrinks_to_the_simplest(condition: Callable[[Case], bool], simplest: str) -> None:
    quiet = settings(max_examples=2000, database=None)
    assert str(hypothesis.find(cases(), condition, settings=quiet, random=Random(0))) == simplest


def test_every_value_of_every_option_is_reached() -> None:
    seen: dict[str, set[Any]] = {name: set() for name in EVERYTHING if not name.startswith("min_")}

    @settings(max_examples=800, database=None, suppress_health_check=list(HealthCheck))
    @hypothesis.seed(0)
    @given(cases())
    def draw(case: Case) -> None:
        sizes = {"max_T": case.T, "max_B": case.B, "max_I": case.spec.input_size, "max_H": case.spec.hidden_size}
        for name, value in (sizes | {name: value(case) for name, value in OF_CASE.items()}).items():
            if value is not None:
                seen[name].add(value)

    draw()
    every = {name: set(values) for name, values in EVERYTHING.items() if not name.startswith(("max_", "min_"))}
    assert seen == every | {
        "states": {"both"},
        "max_T": set(range(1, 9)),
        "max_B": set(range(1, 5)),
        "max_I": set(range(1, 7)),
        "max_H": {*range(1, 7), WIDE},
    }


@given(st.data())
def test_what_is_drawn_is_supported(data: st.DataObject) -> None:
    given_options = {
        name: data.draw(st.lists(st.sampled_from(values), min_size=1, unique=True), label=name)
        for name, values in EVERYTHING.items()
        if not name.startswith(("max_", "min_"))
    } | {name: data.draw(st.integers(1, 9), label=name) for name in ("max_T", "max_B", "max_I", "max_H")}
    options = supports(given_options)
    assert supported(data.draw(cases(options)), options)


def test_a_layer_may_have_sizes_of_its_own_and_keep_its_states_to_itself() -> None:
    @settings(max_examples=100, database=None, suppress_health_check=list(HealthCheck))
    @hypothesis.seed(0)
    @given(cases(supports({"min_I": 3, "max_I": 3, "min_H": 2, "max_H": 4, "states": "none"})))
    def draw(case: Case) -> None:
        assert case.spec.input_size == 3
        assert case.spec.hidden_size in (2, 3, 4)
        assert not any(case.arrays[f"{name}_0"].any() for name in case.spec.states)
        assert not any(case.arrays[f"d{name}_n"].any() for name in case.spec.states)
        assert case.dy.any() or case.regime == "sparse"

    draw()


@pytest.mark.parametrize(("states", "zero"), [("initial", "dh_n"), ("final", "h_0")])
def test_states_that_nobody_has_a_hand_in_are_zero(states: str, zero: str) -> None:
    whole = Case.parse("lstm:T2B2I1H2:seed=3")
    part = Case.parse(f"lstm:T2B2I1H2:states={states}:seed=3")
    assert str(part) == f"lstm:T2B2I1H2:states={states}:seed=3"
    for name, array in whole.arrays.items():
        gone = name in (zero, zero.replace("h", "c"))
        assert np.array_equal(part.arrays[name], np.zeros_like(array) if gone else array)


def test_a_softmax_over_one_number_is_never_drawn() -> None:
    @settings(max_examples=200, database=None)
    @hypothesis.seed(0)
    @given(cases(supports({"loss": ("mse", "cross_entropy"), "max_H": 2})))
    def draw(case: Case) -> None:
        assert case.spec.loss == "mse" or case.spec.y_size >= 2

    draw()


@pytest.mark.parametrize(
    ("line", "options", "answer"),
    [
        ("gru:T8B4I6H6", {}, True),
        ("gru:T9B1I1H1", {}, False),
        ("gru:T1B5I1H1", {}, False),
        ("gru:T1B1I7H1", {}, False),
        ("gru:T1B1I1H7", {}, False),
        ("gru:T1B1I1H65", {}, True),
        ("gru:T1B1I1H65", {"wide": False}, False),
        ("gru:T1B1I1H65", {"max_H": 5}, False),
        ("gru:T1B1I1H2:memory=strided", {}, True),
        ("gru:T1B1I1H2:memory=negative", {}, False),
        ("gru:T1B1I1H2:memory=strided", {"memory": "contiguous"}, False),
        ("gru:T9B1I1H1", {"max_T": 9}, True),
        ("gru:T1B1I2H1", {"min_I": 2}, True),
        ("gru:T1B1I2H1", {"min_H": 2}, False),
        ("gru:T1B1I1H1:states=none", {}, True),
        ("gru:T1B1I1H1:states=none", {"states": ("final", "none")}, True),
        ("gru:T1B1I1H1", {"states": ("final", "none")}, False),
        ("gru:T1B1I1H1", {"cell": "lstm"}, False),
        ("gru:T1B1I1H1:dtype=float32", {"dtype": "float64"}, False),
        ("gru:T1B1I1H1:bias=false", {}, False),
        ("gru:T1B1I1H1:bias=false", {"bias": False}, True),
        ("gru:T1B1I1H1:reset_after=false", {}, False),
        ("gru:T1B1I1H1:reset_after=false", {"reset_after": (True, False)}, True),
        ("lstm:T1B1I1H1", {"reset_after": False}, True),  # there is no reset gate
        ("lstm:T1B1I1H1:layers=2", {}, False),
        ("lstm:T1B1I1H1:layers=2", {"num_layers": (1, 2)}, True),
        ("lstm:T1B1I1H1:bidirectional=true", {}, False),
        ("lstm:T1B1I1H1:bidirectional=true", {"bidirectional": True}, True),
        ("lstm:T2B1I1H1:lengths=1", {}, False),
        ("lstm:T2B1I1H1:lengths=1", {"lengths": "positive"}, True),
        ("lstm:T2B2I1H1:lengths=1,0", {"lengths": ("none", "positive")}, False),
        ("lstm:T2B2I1H1:lengths=1,0", {"lengths": "zero"}, True),
        ("lstm:T1B1I1H1O2", {}, False),
        ("lstm:T1B1I1H1O2", {"output_layer": True}, True),
        ("lstm:T1B1I1H1:loss=mse", {}, False),
        ("lstm:T1B1I1H1:loss=mse", {"loss": "mse"}, True),
        ("lstm:T1B1I1H1:regime=small", {"regime": "simple"}, False),
        ("lstm:T1B1I1H1:peephole=true", {}, False),
        ("lstm:T1B1I1H1", {"peephole": True}, False),
        ("gru:T1B1I1H1", {"peephole": True}, True),  # an LSTM's alone
        ("lstm:T1B1I1H1:coupled=true", {"coupled": True, "forget_bias": True}, True),  # no forget gate, no bias to it
        ("lstm:T1B1I1H1", {"projection": True}, True),  # nothing narrower than 1
        ("lstm:T1B1I1H2", {"projection": True}, False),
        ("lstm:T1B1I1H1:zoneout=0.7", {"zoneout": True}, True),
        ("lstm:T1B1I1H1:zoneout=0.7:train=false", {"zoneout": True}, False),
        ("lstm:T1B1I1H1:zoneout=0.7:train=false", {"zoneout": True, "train": False}, True),
        ("lstm:T1B1I1H1", {"train": False, "dropout": (False, True)}, True),  # nothing to drop
        ("lstm:T1B1I1H1:layers=2", {"num_layers": 2, "dropout": True}, False),
        ("lstm:T1B1I1H1:truncate=1,1", {"truncate": True}, True),
        ("lstm:T1B1I1H1:axes=BT", {"axes": ("TB", "T")}, False),
        ("lstm:T1B1I1H1:axes=T", {"axes": "T", "lengths": "positive"}, True),  # no batch, no lengths
        ("lstm:T1B1I1H1:bidirectional=true:merge=sum", {"bidirectional": True}, False),
        ("lstm:T1B1I1H1", {"merge": "sum"}, True),
        ("lstm:T1B1I1H1:loss=mse:mean=T", {"loss": "mse"}, False),
    ],
)
def test_supported(line: str, options: dict[str, Any], answer: bool) -> None:
    assert supported(Case.parse(line), supports(options)) is answer


def test_supports_replaces_what_is_given() -> None:
    assert supports({}) == PLAIN
    result = supports({"cell": "gru", "loss": ["mse", "none"], "bias": (True, False), "max_T": 3})
    assert result == PLAIN | {"cell": ("gru",), "loss": ("none", "mse"), "bias": (True, False), "max_T": (3,)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cells": "gru"}, f"option: got 'cells', wanted one of {', '.join(PLAIN)}"),
        ({"cell": "rnn"}, "cell: got 'rnn', wanted out of rnn_tanh, rnn_relu, lstm, gru"),
        ({"cell": ("gru", "rnn")}, "cell: got ('gru', 'rnn'), wanted out of rnn_tanh, rnn_relu, lstm, gru"),
        ({"cell": ()}, "cell: got (), wanted out of rnn_tanh, rnn_relu, lstm, gru"),
        ({"bias": "yes"}, "bias: got 'yes', wanted out of True, False"),
        ({"regime": "odd"}, f"regime: got 'odd', wanted out of {', '.join(REGIMES)}"),
        ({"max_T": 0}, "max_T: got 0, wanted a positive whole number"),
        ({"max_T": 2.0}, "max_T: got 2.0, wanted a positive whole number"),
        ({"max_T": (2, 3)}, "max_T: got (2, 3), wanted a positive whole number"),
    ],
)
def test_an_unknown_option_or_value(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        supports(options)
    assert str(error.value) == message


def test_cross_entropy_alone_needs_two_outputs() -> None:
    drawn = hypothesis.find(cases(supports({"loss": "cross_entropy"})), lambda _: True, random=Random(0))
    assert str(drawn) == "rnn_tanh:T1B1I1H2:loss=cross_entropy:seed=0"
