"""What wrong numbers look like: each pattern planted is named, and no other; numbers that look like nothing are not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from crosscheck import Case, Subject
from crosscheck.evidence import gather
from crosscheck.signatures import Signature, signatures
from crosscheck.strategies import EVERYTHING
from crosscheck.subjects.manual import manual

Results = Mapping[str, Any]
RNN = "rnn_tanh:T2B2I2H2:regime=ordinary:seed=3"
LSTM = "lstm:T2B2I2H2:regime=ordinary:seed=3"
GRU = "gru:T3B2I2H2:regime=ordinary:dtype=float32:seed=5"
READ = "rnn_tanh:T2B2I2H2O2:loss=mse:regime=ordinary:seed=3"


def changed(change: Callable[[Case, dict[str, Any]], Results]) -> Subject:
    """Return the hand-written network with its results changed."""

    def function(case: Case) -> Results:
        results = {name: np.array(array) for name, array in manual(case).items()}
        return {**results, **change(case, results)}

    return Subject("changed", function, EVERYTHING)


def of(change: Callable[[Case, dict[str, Any]], Results], line: str = RNN) -> tuple[Signature, ...]:
    return signatures(gather(changed(change), Case.parse(line)))


def blocks(array: Any, order: tuple[int, ...]) -> Any:
    parts = np.split(array, len(order))
    return np.concatenate([parts[k] for k in order])


def one_row(case: Case, r: dict[str, Any]) -> Results:
    """Return dW_xh in which one row alone is doubled."""
    r["dW_xh"][0] *= 2
    return {"dW_xh": r["dW_xh"]}


@pytest.mark.parametrize(
    ("change", "line", "wanted"),
    [
        (lambda _case, r: {"dW_hh": -r["dW_hh"]}, RNN, [(("dW_hh",), "-1 times what it should be")]),
        (
            lambda case, r: {"db_xh": r["db_xh"] / case.B, "db_hh": r["db_hh"] / case.B},
            RNN,
            [(("db_xh", "db_hh"), "1/B times what it should be")],
        ),
        (lambda case, r: {"dx": case.T * r["dx"]}, GRU, [(("dx",), "T times what it should be")]),
        (
            lambda case, r: {"dW_hy": r["dW_hy"] * case.spec.output_size},
            READ,
            [(("dW_hy",), "O times what it should be")],
        ),
        (lambda _case, r: {"dW_xh": r["dW_xh"] * 1.01}, RNN, [(("dW_xh",), "1.01 times what it should be")]),
        (lambda _case, r: {"dW_hh": 0 * r["dW_hh"]}, RNN, [(("dW_hh",), "all zero")]),
        (lambda _case, r: {"dW_hh": np.nan * r["dW_hh"]}, RNN, [(("dW_hh",), "not a number")]),
        (lambda _case, r: {"dW_hh": r["dW_hh"].T}, RNN, [(("dW_hh",), "transposed")]),
        (lambda _case, r: {"dx": r["dx"][::-1]}, RNN, [(("dx",), "in reverse order of time")]),
        (
            lambda _case, r: {"dW_xh": blocks(r["dW_xh"], (0, 1, 3, 2))},
            LSTM,
            [(("dW_xh",), "in gate order ifog, where ifgo belongs")],
        ),
        (
            lambda _case, r: {"h_n": r["c_n"], "c_n": r["h_n"]},
            LSTM,
            [(("h_n",), "what c_n should be"), (("c_n",), "what h_n should be")],
        ),
        (one_row, RNN, []),
    ],
)
def test_a_pattern_is_named(
    change: Callable[[Case, dict[str, Any]], Results], line: str, wanted: list[tuple[tuple[str, ...], str]]
) -> None:
    assert [(s.tensors, s.says) for s in of(change, line)] == wanted


def test_what_was_right_for_the_case_before() -> None:
    kept: list[Any] = []

    def stale(case: Case, r: dict[str, Any]) -> Results:
        kept.append(r["dW_hh"])
        return {"dW_hh": kept[-2]} if len(kept) > 1 and kept[-2].shape == kept[-1].shape else {}

    assert of(stale) == (Signature(("dW_hh",), "what it should have been for the case before"),)


def test_a_single_number_is_not_called_a_multiple() -> None:
    def only_where_all_is_one(case: Case, r: dict[str, Any]) -> Results:
        return {"dW_hh": r["dW_hh"] * 1.37} if case.spec.hidden_size == 1 else {}

    assert of(only_where_all_is_one, "rnn_tanh:T2B1I1H1:regime=ordinary:seed=3") == ()
