"""Blind regimes: where a planted mistake passes, and that an ordinary run finds it.

The rows are those of the table of `docs/regimes.md`. The subject is opaque, as compiled code is: of code that can be
lifted to balls the formulas are proven too, and a wrong one shows in every regime where it is another function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from crosscheck import Case, check, subject
from crosscheck.implementation import Function
from crosscheck.mistakes.mistake import Mistake
from crosscheck.referee.patched import Patch, patched
from crosscheck.regimes import REGIMES, ZERO, Fill

EXAMPLES = 20
EXAMPLES_BY_DEFAULT = 60

RNN = {"cell": "rnn_tanh"}
GRU = {"cell": "gru"}
SUM_OF_STEPS = ("manual_rnn/unroll.py", "db = da.sum(axis=0)")
WEIGHTS_OF_STEPS = ("manual_rnn/unroll.py", "np.matmul(da[:, blocks].T, x, out=dW_xh[rows])")
RESET = ("manual_rnn/cells/gru.py", "np.multiply(da_n * q, dsigmoid(r), out=da_r)")
BIASES = ("manual_rnn/cells/cell.py", "return weights.b_xh + weights.b_hh")
OWN: dict[str, tuple[tuple[str, str], str, Mapping[str, Any]]] = {
    "divided by T": (SUM_OF_STEPS, "db = da.sum(axis=0) / T", RNN),
    "weights of the last step alone": (WEIGHTS_OF_STEPS, "np.matmul(da[-B:, blocks].T, x[-B:], out=dW_xh[rows])", RNN),
    "weights averaged over the batch": (WEIGHTS_OF_STEPS, f"{WEIGHTS_OF_STEPS[1]}; dW_xh[rows] /= B", RNN),
    "reset path dropped": (RESET, "da_r[...] = 0", GRU),
    "biases in another order": (BIASES, "return (weights.b_xh + weights.b_hh)[::-1]", {"cell": "lstm"}),
    "slope from the pre-activation": (
        ("manual_rnn/cells/elman.py", "df(h)  "),
        "1 - np.arctanh(h) ** 2  ",
        RNN,
    ),
}
"""Mistakes that only this table needs: what is replaced, by what, and the options."""


def params_only(name: str) -> bool:
    return name.startswith(("dW", "db", "dp"))


def without(*names: str) -> Callable[[str], bool]:
    return lambda name: name not in names


EVERYTHING = without()


@dataclass(frozen=True)
class Blind:
    """A row of the table.

    Attributes:
        row: the regime, as the table has it.
        mistakes: the names of those that pass, in `OWN` or in the catalogue.
        names: the features that all cases have.
        options: other options of the run.
        fill: what is changed of the regime "ordinary", which the numbers are drawn by.
        compared: the tensors that are compared.
        seen: whether some case is conclusive; else the referee says of all that it is blind.
    """

    row: str
    mistakes: tuple[str, ...]
    names: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    fill: Mapping[str, Any] = field(default_factory=dict)
    compared: Callable[[str], bool] = EVERYTHING
    seen: bool = True


MASKING = (
    "lengths.final-state-zero-after-the-end",
    "lengths.initial-states-not-sorted",
    "lengths.final-states-not-put-back",
    "lengths.initial-state-gradients-not-put-back",
    "lengths.output-after-the-end-is-the-state",
    "lengths.gradient-of-the-padding-kept",
)
CARRIES = ("rnn.carry-dropped", "lstm.dh-carry-dropped", "lstm.dc-carry-dropped", "gru.z-carry-dropped")
SMALL = {"weights": Fill(45, 2.0**-11), "biases": ZERO, "states": ZERO}

TABLE = (
    Blind(
        "T=1, parameters only",
        (
            *CARRIES,
            "rnn.weights-not-transposed",
            "time.weights-overwritten",
            "weights of the last step alone",
            "divided by T",
        ),
        names=("T=1",),
        compared=params_only,
    ),
    Blind(
        "T=2, zero state, loss on the last step, only dW_hh",
        (*CARRIES, "rnn.weights-not-transposed", "state.final-gradient-ignored", "lstm.cell-state-gradient-ignored"),
        names=("T=2",),
        fill={"states": ZERO, "dy": "last step", "outputs_only": True},
        compared=lambda name: name == "dW_hh",
    ),
    Blind(
        "T=1, zero state, only dW_hh",
        (
            "rnn.carry-without-weights",
            "relu.slope-of-tanh",
            "lstm.sigmoid-twice",
            "rnn.tanh-twice",
            "state.final-gradient-ignored",
        ),
        names=("T=1",),
        fill={"states": ZERO},
        compared=lambda name: name == "dW_hh",
    ),
    Blind(
        "weights about 1e-2, zero biases and states",
        ("slope from the pre-activation", "rnn.tanh-twice", "lstm.slope-from-the-cell-state", "clip.slope-ignored"),
        options={"dtype": "bfloat16"},
        fill=SMALL,
    ),
    Blind("weights about 1e-2, zero biases and states, T=1", ("reset path dropped",), names=("T=1",), fill=SMALL),
    Blind("zero biases", ("biases in another order", "bias.second-not-added"), fill={"biases": ZERO}),
    Blind(
        "B=1",
        (
            "bias.averaged-over-the-batch",
            "weights averaged over the batch",
            "lengths.initial-states-not-sorted",
            "lengths.final-states-not-put-back",
            "axes.steps-and-batch-mixed-backward",
        ),
        names=("B=1",),
    ),
    Blind("H=1", ("rnn.weights-not-transposed", "gru.reset-gate-of-the-output-unit"), names=("H=1",)),
    Blind("H=1, b_hn = 0", ("gru.reset-before-for-after",), names=("H=1",), fill={"biases": ZERO}),
    Blind(
        "all parameters equal",
        ("rnn.weights-not-transposed", "lstm.gates-f-i-g-o"),
        fill={"weights": REGIMES["equal_parameters"].weights, "biases": REGIMES["equal_parameters"].biases},
    ),
    Blind(
        "saturated",
        ("reset path dropped", "state.final-gradient-ignored"),
        options={"dtype": "bfloat16"},
        fill={"weights": Fill(45, 2.0**-6), "biases": Fill(127, 1.0, zeros=False)},
        seen=False,
    ),
    Blind(
        "no dL/dh_n, dL/dc_n",
        ("state.final-gradient-ignored", "state.final-gradient-overwritten", "lstm.cell-state-gradient-ignored"),
        fill={"outputs_only": True},
    ),
    Blind("equal lengths", (*MASKING, "direction.reversed-over-all-steps"), names=("lengths all T",)),
    Blind(
        "unequal lengths, h_n unused",
        ("lengths.final-state-zero-after-the-end", "lengths.final-states-not-put-back"),
        names=("longest below T",),
        fill={"outputs_only": True},
        compared=without("h_n", "c_n"),
    ),
    Blind(
        "unequal lengths, only h_n used",
        ("lengths.output-after-the-end-is-the-state",),
        names=("longest below T",),
        fill={"dy": "nowhere"},
        compared=without("y"),
    ),
    Blind(
        "only dx compared",
        ("time.weights-overwritten", "bias.averaged-over-the-batch", "bias.second-not-trained"),
        compared=lambda name: name == "dx",
    ),
    Blind(
        "only parameters compared",
        ("input.error-through-the-gradient-buffer", "state.initial-gradient-of-the-first-step"),
        compared=params_only,
    ),
)
BOTH = [(blind, mistake) for blind in TABLE for mistake in blind.mistakes]
each = pytest.mark.parametrize(("blind", "name"), BOTH, ids=[f"{blind.row}-{mistake}" for blind, mistake in BOTH])


def opaque(wrong: Function, compared: Callable[[str], bool]) -> Function:
    """Return a subject that computes in floating point alone, and returns what is compared."""

    def mine(case: Case) -> Mapping[str, Any]:
        if case.x.dtype.kind != "f":
            raise TypeError("compiled for floating point")
        return {name: array for name, array in wrong(case).items() if compared(name)}

    options = wrong.__crosscheck_options__  # type: ignore[attr-defined]
    mine.__crosscheck_options__ = options  # type: ignore[attr-defined]
    return mine


@pytest.fixture
def make(
    named: Mapping[str, Mistake], plant: Callable[[Mistake], Function]
) -> Callable[[str, Callable[[str], bool]], Function]:
    """`(the name of a mistake, what is compared) -> an opaque subject that makes it`."""

    def make(name: str, compared: Callable[[str], bool]) -> Function:
        if name in named:
            return opaque(plant(named[name]), compared)
        (file, right), wrong, options = OWN[name]
        return opaque(subject(**options)(patched([Patch(file, right, wrong)])), compared)

    return make


@each
def test_a_mistake_passes_in_a_blind_regime(
    blind: Blind, name: str, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(REGIMES, "ordinary", replace(REGIMES["ordinary"], **blind.fill))
    options: dict[str, Any] = {"dtype": "float64", **blind.options}
    report = check(
        make(name, blind.compared), max_examples=EXAMPLES, regime=("ordinary", *blind.names), shrink=False, **options
    )
    assert report.failures == ()
    assert report.cases == EXAMPLES
    assert (report.inconclusive < report.cases) == blind.seen


@pytest.mark.parametrize("name", dict.fromkeys(name for _, name in BOTH))
def test_an_ordinary_run_finds_it(name: str, make: Any) -> None:
    assert check(make(name, EVERYTHING), max_examples=EXAMPLES_BY_DEFAULT, shrink=False).failures


def test_the_guide_has_every_row() -> None:
    text = (Path(__file__).parents[2] / "docs" / "regimes.md").read_text(encoding="utf-8")
    assert [blind.row for blind in TABLE if f"| {blind.row} | " not in text] == []
