"""A mistake in the reference itself: the other implementations, which share no code with it, disagree.

The referee runs the hand-written network, so with a mistake in it what is wanted at first is wrong. The definition
proves the two different, torch sides with the definition, and the network is named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pytest

from crosscheck import Verdict, check

if TYPE_CHECKING:
    from tests.meta.mutants import Mutant, Subject

EXAMPLES = 60

Wrong = Callable[[Verdict], set[str]]


@pytest.mark.parametrize(
    "name",
    [
        "rnn-carry-dropped",
        "steps-in-forward-order",
        "weights-overwritten-at-every-step",
        "bias-averaged-over-the-batch",
        "final-state-gradient-ignored",
        "weights-not-transposed",
        "slope-of-another-activation",
        "lstm-dc-carry-dropped",
        "lstm-gates-in-onnx-order",
        "cell-state-gradient-ignored",
        "gru-reset-gate-twice",
        "gru-z-for-one-minus-z",
        "gru-reset-before-unreset-operand",
        "mse-gradient-of-half-the-sum",
        "cross-entropy-mean-over-the-classes",
    ],
)
def test_a_mistake_in_the_reference_shows(
    name: str,
    named: Mapping[str, Mutant],
    copied: Callable[[Mutant], Subject],
    monkeypatch: pytest.MonkeyPatch,
    wrong: Wrong,
) -> None:
    mutant = named[name]
    mistaken = copied(mutant)
    monkeypatch.setattr("crosscheck.referee.reference.manual", mistaken)
    monkeypatch.setattr("crosscheck.referee.truth.manual", mistaken)
    monkeypatch.setattr("crosscheck.subjects.manual.manual", mistaken)
    others = ["torch_rnn", "torch_builtin"] if mutant.options.get("reset_after", True) else ["torch_rnn"]
    report = check("manual", *others, max_examples=EXAMPLES, dtype="float64", **mutant.options)
    assert [failure.subject for failure in report.failures] == ["manual"]  # and nobody else is accused
    for failure in report.failures:
        assert wrong(failure) >= set(mutant.tensors)
        assert mutant.is_smallest(failure.case), f"{failure.case} is not of the size {mutant.size}"
