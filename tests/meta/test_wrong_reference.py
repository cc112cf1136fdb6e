"""A mistake in the reference itself: the other implementations, which share no code with it, disagree.

The referee runs the hand-written network, so with a mistake in it what is wanted at first is wrong. The definition
proves the two different, torch sides with the definition, and the network is named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from crosscheck import Case, Verdict, check
from crosscheck.implementation import Function
from crosscheck.mistakes.mistake import Mistake

EXAMPLES = 60

Wrong = Callable[[Verdict], set[str]]


@pytest.mark.parametrize(
    "name",
    [
        "rnn.carry-dropped",
        "time.steps-in-forward-order",
        "time.weights-overwritten",
        "bias.averaged-over-the-batch",
        "state.final-gradient-ignored",
        "rnn.weights-not-transposed",
        "relu.slope-of-tanh",
        "lstm.dc-carry-dropped",
        "lstm.gates-in-onnx-order",
        "lstm.cell-state-gradient-ignored",
        "gru.reset-gate-twice",
        "gru.z-for-one-minus-z",
        "gru.reset-before-unreset-operand",
        "loss.mse-gradient-of-half-the-sum",
        "loss.cross-entropy-mean-over-the-classes",
    ],
)
def test_a_mistake_in_the_reference_shows(
    name: str,
    named: Mapping[str, Mistake],
    plant: Callable[[Mistake], Function],
    is_smallest: Callable[[Mistake, Case], bool],
    monkeypatch: pytest.MonkeyPatch,
    wrong: Wrong,
) -> None:
    mistake = named[name]
    mistaken = plant(mistake)
    options = {**mistake.options, "cell": Case.parse(mistake.case).spec.cell}
    monkeypatch.setattr("crosscheck.referee.reference.manual", mistaken)
    monkeypatch.setattr("crosscheck.referee.truth.manual", mistaken)
    monkeypatch.setattr("crosscheck.subjects.manual.manual", mistaken)
    others = ["torch_rnn", "torch_builtin"] if options.get("reset_after", True) else ["torch_rnn"]
    report = check("manual", *others, max_examples=EXAMPLES, dtype="float64", **options)
    assert [failure.subject for failure in report.failures] == ["manual"]  # and nobody else is accused
    for failure in report.failures:
        assert wrong(failure) >= set(mistake.tensors)
        assert is_smallest(mistake, failure.case), f"{failure.case} is not of the size of {mistake.case}"
