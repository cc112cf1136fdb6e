"""NumPy code as people have it: right code passes on drawn cases, and a mistake is found through each adapter."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crosscheck import Case, Status, check
from crosscheck.conventions import Conventions
from crosscheck.errors import ArgumentError
from crosscheck.examine import examine
from crosscheck.implementation import Subject, make
from crosscheck.subjects import learner

THEIRS = runpy.run_path(str(Path(__file__).with_name("theirs.py")))
PAIR, LEARNER, ATTRIBUTES = (THEIRS[name] for name in ("PAIR", "LEARNER", "ATTRIBUTES"))
PAIR_HAS = Conventions(gates="ifog", transposed=True, biases="one")
LEARNER_HAS = Conventions(
    biases="one", columns=True, names={"W_xh": "U", "W_hh": "W", "W_hy": "V", "b": "bh", "b_y": "by"}
)
ATTRIBUTES_HAS = Conventions(separate=True, columns=True, biases="one", z_new=True)
Load = Callable[..., Subject]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """`(text, attribute, adapter, conventions, right, wrong) -> the subject`, with one piece of the text replaced."""

    def made(
        text: str,
        attribute: str,
        adapter: str,
        conventions: Conventions,
        right: str = "",
        wrong: str = "",
        **options: Any,
    ) -> Subject:
        if right and text.count(right) != 1:
            raise LookupError(f"{right!r} is {text.count(right)} times in it, wanted once")
        file = tmp_path / "theirs.py"
        file.write_text(text.replace(right, wrong) if right else text, encoding="utf-8")
        return make(f"{file}:{attribute}", adapter, conventions, options)

    return made


OF = {
    "pair": (PAIR, "forward,backward", "numpy-pair", PAIR_HAS),
    "learner": (LEARNER, "Net", "learner", LEARNER_HAS),
    "attributes": (ATTRIBUTES, "GRU", "attributes", ATTRIBUTES_HAS),
}
CELL = {"pair": "lstm", "learner": "rnn_tanh", "attributes": "gru"}
LINES = {
    "pair": "lstm:T3B2I2H3:regime=ordinary:seed=1",
    "learner": "rnn_tanh:T3B1I2H3O2:loss=half_squared_error:regime=ordinary:states=none:seed=1",
    "attributes": "gru:T3B2I2H3:reset_after=false:regime=ordinary:seed=1",
}
LEFT_OUT: dict[str, set[str]] = {"pair": set(), "learner": {"h_n", "loss", "dx", "dh_0"}, "attributes": set()}


@pytest.mark.parametrize("of", OF)
def test_right_code_is_right_in_every_tensor_and_on_balls(of: str, load: Load) -> None:
    (verdict,) = examine([load(*OF[of])], Case.parse(LINES[of]), deep=True)
    assert (verdict.status, set(verdict.not_checked)) == (Status.PASS, LEFT_OUT[of])
    assert verdict.evidence[-1] == "its own code proven right on balls of 128 bits"


@pytest.mark.parametrize("of", OF)
def test_right_code_passes_on_drawn_cases(of: str, load: Load) -> None:
    report = check(load(*OF[of]), cell=CELL[of], max_examples=25, seed=3)
    assert (report.cases, report.failures) == (25, ())


@pytest.mark.parametrize(
    ("of", "right", "wrong", "tensors"),
    [
        ("pair", "dh, dc = da @ Wh.T, dc * f", "dh, dc = da @ Wh.T, dc", {"dx", "dh_0", "dc_0", "dW_xh", "dW_hh"}),
        ("pair", "dWh += h.T @ da", "dWh += (i * h).T @ da", {"dW_hh"}),
        ("pair", "db += da.sum(axis=0)", "db += da.mean(axis=0)", {"db_xh", "db_hh"}),
        ("pair", "c_next = f * c + i * g", "c_next = f * c + i + g", {"y", "h_n", "c_n"}),
        ("learner", "carry = self.W.T @ da", "carry = self.W @ da", {"dW_xh", "dW_hh", "db_xh", "db_hh"}),
        ("learner", "dby += dy", "dby += dy / len(x)", {"db_y"}),
        ("learner", "weight -= lr", "weight += lr", {"dW_xh", "dW_hh", "dW_hy", "db_xh", "db_hh", "db_y"}),
        ("attributes", "dz = dh * (n - h)", "dz = dh * n", {"dW_xh", "dW_hh", "dx", "dh_0"}),
        ("attributes", "+= da @ x_t.T", "= da @ x_t.T", {"dW_xh"}),
    ],
)
def test_a_mistake_is_found(of: str, right: str, wrong: str, tensors: set[str], load: Load) -> None:
    (verdict,) = examine([load(*OF[of], right, wrong)], Case.parse(LINES[of]))
    assert verdict.status is Status.FAIL
    assert tensors <= {check.name for check in verdict.checks if check.status is Status.FAIL}
    if not any(name.startswith(("y", "h", "c")) for name in tensors):
        assert {check.name for check in verdict.checks if check.status is Status.PASS} >= {"y"}


@pytest.mark.parametrize(
    ("of", "options"),
    [
        ("pair", {"dtype": ("float64",), "states": ("both",), "bias": (True,), "cell": ("lstm",), "max_B": (4,)}),
        ("learner", {"states": ("none",), "output_layer": (True,), "loss": ("half_squared_error",), "max_B": (1,)}),
        ("attributes", {"states": ("both",), "reset_after": (False,), "cell": ("gru",), "output_layer": (False,)}),
    ],
)
def test_what_it_lacks_is_not_drawn(of: str, options: dict[str, Any], load: Load) -> None:
    found = load(*OF[of]).options
    assert {name: found[name] for name in options} == options


def test_what_is_not_checked_is_said(load: Load) -> None:
    notes = load(*OF["pair"], "def backward(dhs, dh, dc, cache):", "def backward(dhs, cache, dh=0, dc=0):").notes
    assert not any("final states" in note for note in notes)
    without = PAIR.replace("def backward(dhs, dh, dc, cache):", "def backward(dhs, cache):\n    dh = dc = 0")
    subject = load(without, *OF["pair"][1:])
    assert subject.options["states"] == ("initial",)
    assert "its backward pass takes no cotangent of the final states: these have none in any case" in subject.notes


def test_functions_without_initial_states(load: Load) -> None:
    text = PAIR.replace(
        "def forward(x, h0, c0, Wx, Wh, b):",
        "def forward(x, Wx, Wh, b):\n    h0 = c0 = np.zeros((x.shape[1], len(Wh)))",
    )
    text = text.replace("np.stack(dx[::-1]), dh, dc, dWx", "np.stack(dx[::-1]), dWx")
    subject = load(text, *OF["pair"][1:], cell="lstm")
    assert subject.options["states"] == ("final",)
    (verdict,) = examine([subject], Case.parse("lstm:T3B2I2H3:regime=ordinary:states=final:seed=1"))
    assert (verdict.status, set(verdict.not_checked)) == (Status.PASS, {"dh_0", "dc_0"})


NG = """
import numpy as np

def rnn_forward(x, a0, parameters):
    Wax, Waa, ba = parameters["Wax"], parameters["Waa"], parameters["ba"]
    a = np.zeros((len(ba), x.shape[1], x.shape[2]), dtype=x.dtype)
    a_prev = a0
    for t in range(x.shape[2]):
        a_prev = np.tanh(Wax @ x[:, :, t] + Waa @ a_prev + ba)
        a[:, :, t] = a_prev
    return a, (x, a0, a, parameters)

def rnn_backward(da, caches):
    x, a0, a, parameters = caches
    Wax, Waa = parameters["Wax"], parameters["Waa"]
    gradients = {"dx": np.zeros(x.shape), "dWax": 0, "dWaa": 0, "dba": 0}
    carry = np.zeros_like(a0)
    for t in reversed(range(x.shape[2])):
        d = (1 - a[:, :, t] ** 2) * (da[:, :, t] + carry)
        gradients["dx"][:, :, t] = Wax.T @ d
        gradients["dWax"] += d @ x[:, :, t].T
        gradients["dWaa"] += d @ (a[:, :, t - 1] if t else a0).T
        gradients["dba"] += d.sum(axis=1, keepdims=True)
        carry = Waa.T @ d
    gradients["da0"] = carry
    return gradients
"""


def test_parameters_and_gradients_in_dictionaries_and_time_last(load: Load) -> None:
    conventions = Conventions(columns=True, time_last=True, biases="one")
    subject = load(NG, "rnn_forward,rnn_backward", "numpy-pair", conventions)
    (verdict,) = examine([subject], Case.parse("rnn_tanh:T3B2I2H4:regime=ordinary:states=initial:seed=1"))
    assert (verdict.status, verdict.not_checked) == (Status.PASS, ("h_n",))
    wrong = load(NG, "rnn_forward,rnn_backward", "numpy-pair", conventions, '"dWaa"] += d', '"dWaa"] = d')
    (verdict,) = examine([wrong], Case.parse("rnn_tanh:T3B2I2H4:regime=ordinary:states=initial:seed=1"))
    assert [check.name for check in verdict.checks if check.status is Status.FAIL] == ["dW_hh"]


def test_an_order_that_is_said(load: Load) -> None:
    names = {"forward": "c_n h_n y", "backward": "dW_hh dW_xh db dc_0 dh_0 dx"}
    text = PAIR.replace("return np.stack(hs), (h, c), (", "return c, h, np.stack(hs), (")
    text = text.replace(
        "return np.stack(dx[::-1]), dh, dc, dWx, dWh, db", "return dWh, dWx, db, dc, dh, np.stack(dx[::-1])"
    )
    subject = load(text, "forward,backward", "numpy-pair", Conventions("ifog", True, "one", names=names))
    (verdict,) = examine([subject], Case.parse(LINES["pair"]))
    assert (verdict.status, verdict.not_checked) == (Status.PASS, ())


LIST = (
    ATTRIBUTES.replace("self.grads = {}", "self.found, self.h = [], None")
    .replace(
        "def forward(self, x, h0):\n        p, self.tape, hs, h = self.params, [], [], h0",
        "def forward(self, x):\n        p, self.tape, hs, h = self.params, [], [], self.h",
    )
    .replace("return hs, h", "self.h = h\n        return hs")
    .replace(
        "return dx[::-1], dh", "self.found, self.dh = [self.grads], dh\n        del self.grads\n        return dx[::-1]"
    )
)


def test_places_that_are_said(load: Load) -> None:
    gates = {
        f"d{kind}{gate}": f"found[0][{kind[0] if kind != 'W_h' else 'U'}{their}]"
        for gate, their in zip("rzn", "rzh", strict=True)
        for kind in ("W_x", "W_h", "b_")
    }
    names = gates | {"h_0": "h", "h_n": "h", "dh_0": "dh"}
    conventions = Conventions(separate=True, columns=True, biases="one", z_new=True, names=names)
    (verdict,) = examine([load(LIST, "GRU", "attributes", conventions)], Case.parse(LINES["attributes"]))
    assert (verdict.status, verdict.not_checked) == (Status.PASS, ())


def test_a_gradient_is_read_off_exactly() -> None:
    rng = np.random.default_rng(0)
    W = rng.normal(size=1000)
    g = rng.normal(size=1000) * 2.0 ** rng.integers(-800, 100, size=1000)
    g[::7] = 0
    assert np.array_equal(learner.read("W", W, W - learner.RATE * g), g)


def test_a_gradient_too_small_to_be_read_is_said() -> None:
    W = np.array([1.0, 3.0])
    with pytest.raises(ArgumentError, match=r"dW: got .*, wanted a gradient large enough to be read off"):
        learner.read("W", W, W - learner.RATE * np.array([1.0, 2.0**-890]))


@pytest.mark.parametrize(
    ("of", "conventions", "message"),
    [
        ("pair", Conventions(), "no argument for b_xh, b_hh, wanted one; say which by --set names.b_xh=..."),
        (
            "learner",
            Conventions(biases="one"),
            "no attribute for W_xh, W_hh, wanted one; say which by --set",
        ),
        (
            "learner",
            LEARNER_HAS.__class__(biases="one", names=LEARNER_HAS.names),
            r"bh: got shape \(3, 1\) in Net, wanted \(3,\)",
        ),
        ("attributes", Conventions(separate=True, columns=True), "no attribute for"),
    ],
)
def test_what_does_not_fit_is_said_before_anything_is_drawn(
    of: str, conventions: Conventions, message: str, load: Load
) -> None:
    with pytest.raises(ArgumentError, match=message):
        load(*OF[of][:3], conventions)


@pytest.mark.parametrize("adapter", ["numpy-pair", "learner", "attributes"])
def test_what_is_nothing_for_an_adapter(adapter: str) -> None:
    with pytest.raises(ArgumentError, match="target: got int"):
        make(7, adapter)
