"""The subjects that come with the package: each returns all that a case asks for, and they agree."""

from __future__ import annotations

import pytest

from crosscheck import Case, Status, check
from crosscheck.examine import examine
from crosscheck.implementation import BUILT_IN, TwoSteps, make, run
from crosscheck.matrix import LIBRARIES
from crosscheck.strategies import EVERYTHING, supported

LINES = (
    "rnn_tanh:T3B2I4H2:seed=1",
    "rnn_relu:T3B2I4H2O3:bias=false:dtype=float32:seed=2",
    "lstm:T2B2I1H3:loss=half_squared_error:seed=3",
    "lstm:T1B1I1H2:bias=false:loss=cross_entropy:seed=4",
    "gru:T3B2I1H2O2:loss=mse:dtype=float32:seed=5",
    "gru:T3B2I1H2:reset_after=false:seed=6",
    "lstm:T4B3I2H2:layers=2:bidirectional=true:seed=7",
    "gru:T4B3I2H2:layers=3:lengths=2,4,1:regime=ordinary:seed=8",
    "rnn_tanh:T4B3I2H2:bidirectional=true:lengths=3,0,2:regime=ordinary:seed=9",
    "rnn_relu:T3B2I2H2O2:layers=2:bidirectional=true:loss=mse:dtype=float32:seed=10",
)


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("name", BUILT_IN)
def test_every_tensor_is_returned_and_right(name: str, line: str) -> None:
    case, subject = Case.parse(line), make(name)
    if supported(case, subject.options):
        assert run(subject, case).values.keys() == case.result_shapes.keys()
        (verdict,) = examine([subject], case)
        assert (verdict.status, verdict.not_checked) == (Status.PASS, ())


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("name", BUILT_IN)
def test_the_two_steps_are_the_whole_and_the_second_can_be_repeated(name: str, line: str) -> None:
    case, subject = Case.parse(line), make(name)
    if supported(case, subject.options):
        assert isinstance(subject.function, TwoSteps)
        outputs, memory = subject.function.forward(case)
        assert set(outputs) == set(case.output_names)
        whole = subject.function(case)
        for _ in range(2):
            results = {**outputs, **subject.function.backward(memory, case)}
            assert {n: a.tobytes() for n, a in results.items()} == {n: a.tobytes() for n, a in whole.items()}


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_option_is_supported(name: str) -> None:
    wanted = EVERYTHING
    if name == "torch_builtin":
        behind = ("output_layer", "loss", "mean", "memory")
        wanted = dict(LIBRARIES["torch.nn"]) | {option: EVERYTHING[option] for option in behind}
        wanted |= {"train": (False,)}  # in training it draws masks of its own
    assert make(name).options == wanted
    assert ("dtype" in make(name).declared) is (name == "manual")  # of the others the short formats may be asked


def test_they_agree_over_every_option() -> None:
    report = check(*BUILT_IN, max_examples=25, seed=11)
    assert report.failures == ()
    assert [tally.cases for tally in report.tallies] == [25] * 8
    # A bound that is twice the worst case of rounding is never reached.
    assert max(tally.ratio for tally in report.tallies) < 1


def test_they_pass_alone_on_what_another_does_not_support() -> None:
    report = check("torch_builtin", "manual", cell="gru", reset_after=True, max_examples=5)
    assert (report.failures, report.cases) == ((), 10)
