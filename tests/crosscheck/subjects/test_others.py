"""torch.compile, Flax, Keras and tinygrad agree with the referee where they are asked, and mistakes are found."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from typing import Any

import pytest

from crosscheck import Case, Status
from crosscheck.examine import examine
from crosscheck.implementation import make, run
from crosscheck.strategies import supported

pytestmark = [
    # what torch itself imports to compile is deprecated by torch
    pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning"),
    # and its compiler looks at the gradient of every tensor that it is given
    pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning"),
]

PACKAGES = {"torch_compile": "torch", "flax_rnn": "flax", "keras_rnn": "keras", "tinygrad_rnn": "tinygrad"}
LINES = {
    "torch_compile": ("lstm:T2B2I2H2:regime=ordinary:seed=1",),
    "flax_rnn": (
        "rnn_tanh:T2B2I2H2:axes=BT:regime=ordinary:dtype=float32:seed=1",
        "lstm:T3B2I2H2:bidirectional=true:merge=sum:lengths=1,3:regime=ordinary:seed=2",
        "gru:T3B1I2H2:layers=2:axes=T:bias=false:regime=ordinary:seed=3",
    ),
    "keras_rnn": (
        "rnn_relu:T2B2I2H2:axes=BT:regime=ordinary:dtype=float32:seed=1",
        "lstm:T3B2I2H2:bidirectional=true:merge=sum:lengths=1,0:regime=ordinary:dtype=float32:seed=2",
        "gru:T3B1I2H2:layers=2:axes=T:bias=false:regime=ordinary:dtype=float32:seed=3",
        "gru:T3B2I2H2:lengths=3,2:reset_after=false:regime=ordinary:dtype=float32:seed=4",
    ),
    "tinygrad_rnn": (
        "lstm:T2B2I2H2:regime=ordinary:seed=1",
        "lstm:T2B1I2H2:bidirectional=true:merge=sum:axes=T:bias=false:regime=ordinary:dtype=float32:seed=2",
    ),
}
MISTAKES = (
    ("torch_compile", "call=_compiled", "call=lambda m, p, a: _compiled(m, p, (a[0], a[1][::-1]))",
     "lstm:T1B1I1H1:regime=ordinary:seed=1", {"y", "h_n", "c_n"}),
    ("torch_compile", "partial(outputs, call=_compiled)",
     'lambda c, t: outputs(c, t | {"W_hh": t["W_hh"].T.contiguous()}, call=_compiled)',
     "rnn_tanh:T1B1I1H2:regime=ordinary:seed=1", {"y", "h_n", "dh_0"}),
    ("flax_rnn", '"lstm": ("i", "f", "g", "o")', '"lstm": ("i", "f", "o", "g")', "lstm:T1B1I1H1:regime=ordinary:seed=1",
     {"y", "h_n", "c_n", "dW_xh"}),
    ("flax_rnn", 'zip("ch", carry', 'zip("hc", carry', "lstm:T1B1I1H1:regime=ordinary:seed=1", {"h_n", "c_n"}),
    ("flax_rnn", 'of_h |= {"bias": b_x + b_h}', 'of_h |= {"bias": b_h}', "lstm:T1B1I1H1:regime=ordinary:seed=1",
     {"y", "db_xh"}),
    ("keras_rnn", '"gru": (1, 0, 2)', '"gru": (0, 1, 2)', "gru:T1B1I1H1:regime=ordinary:dtype=float32:seed=1",
     {"y", "dW_xh"}),
    ("keras_rnn", "half.flip(1) if reverse else half", "half",
     "rnn_tanh:T2B1I1H1:bidirectional=true:regime=ordinary:dtype=float32:seed=2", {"y"}),
    ("tinygrad_rnn", "cell(inputs[t], (h, c))", "cell(inputs[t], (c, h))", "lstm:T1B1I1H1:regime=ordinary:seed=1",
     {"y", "h_n", "c_n"}),
    ("tinygrad_rnn", "reversed(range(case.T)) if reverse", "range(case.T) if reverse",
     "lstm:T2B1I1H1:bidirectional=true:regime=ordinary:seed=1", {"y", "h_n", "c_n"}),
)  # fmt: skip


def skip_without(package: str) -> None:
    """Skip the test if a package is not installed; to import it is the subject's business."""
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")


@pytest.mark.parametrize(("name", "line"), [(name, line) for name, lines in LINES.items() for line in lines])
def test_every_tensor_is_returned_and_right(name: str, line: str) -> None:
    skip_without(PACKAGES[name])
    case, subject = Case.parse(line), make(name)
    assert supported(case, subject.options)
    assert run(subject, case).values.keys() == case.result_shapes.keys()
    (verdict,) = examine([subject], case)
    assert (verdict.status, verdict.not_checked) == (Status.PASS, ())


@pytest.mark.parametrize(("name", "right", "wrong", "line", "tensors"), MISTAKES)
def test_a_planted_mistake_is_found(
    name: str,
    right: str,
    wrong: str,
    line: str,
    tensors: set[str],
    planted: Callable[[str, str, str], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    skip_without(PACKAGES[name])
    if name == "torch_compile":  # the mistakes are in what it is given; its own operations compile sooner than C++
        monkeypatch.setenv("CXX", "no-such-compiler")
    copy = planted(name, right, wrong)
    (verdict,) = examine([make(copy)], Case.parse(line), deep=False)
    assert verdict.status is Status.FAIL
    assert {check.name for check in verdict.checks if check.status is Status.FAIL} >= tensors


def test_keras_rounds_float64_to_float32() -> None:
    skip_without("keras")
    case = Case.parse("rnn_tanh:T1B1I1H1:seed=1")
    (verdict,) = examine([make(make("keras_rnn").function)], case)
    wrong = {check.name for check in verdict.checks if check.status is Status.FAIL}
    assert wrong == {"dx", "dh_0", "dW_xh", "dW_hh"}


@pytest.mark.parametrize("name", ["flax_rnn", "keras_rnn"])
@pytest.mark.parametrize("cell", ["rnn_tanh", "lstm", "gru"])
def test_nan_in_the_padding_spoils_the_gradients(name: str, cell: str) -> None:
    skip_without(PACKAGES[name])
    case = Case.parse(f"{cell}:T2B1I1H1:regime=nan_padding:lengths=1:dtype=float32:seed=0")
    (verdict,) = examine([make(make(name).function)], case)
    wrong = {check.name: check.got for check in verdict.checks if check.status is Status.FAIL}
    assert {"dx", "dh_0", "dW_xh", "dW_hh"} <= wrong.keys() & {name for name, got in wrong.items() if math.isnan(got)}
    assert not {"y", "h_n"} & wrong.keys()
