"""One of the three implementations made wrong on purpose: the other two name it, and nobody else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch

from crosscheck import Case, Spec, Status
from crosscheck.examine import examine
from crosscheck.implementation import make
from crosscheck.referee import definition
from crosscheck.referee.numbers.dual import Dual
from crosscheck.subjects import manual as manual_module
from crosscheck.subjects import torch_case

RIGHT = manual_module.manual
LINES = {
    "rnn_tanh": "rnn_tanh:T3B2I2H3:regime=ordinary:seed=3",
    "rnn_relu": "rnn_relu:T3B2I2H3:regime=ordinary:seed=3",
    "lstm": "lstm:T3B2I2H3:regime=ordinary:seed=3",
    "gru": "gru:T3B2I2H3:regime=ordinary:seed=3",
    "float32": "lstm:T3B2I2H3:regime=ordinary:dtype=float32:seed=3",
    "output layer": "lstm:T3B2I2H3O2:loss=mse:regime=ordinary:seed=3",
    "cross entropy": "gru:T3B2I2H3O3:reset_after=false:loss=cross_entropy:regime=ordinary:dtype=float32:seed=3",
}
every_case = pytest.mark.parametrize("case", [Case.parse(line) for line in LINES.values()], ids=LINES)


def failing(case: Case) -> set[str]:
    return {v.subject for v in examine([make("manual"), make("torch_rnn")], case) if v.status is Status.FAIL}


@every_case
def test_nobody_is_named_where_all_agree(case: Case) -> None:
    assert failing(case) == set()


# A wrong definition.

Planted = Callable[[pytest.MonkeyPatch], None]


def gates_swapped(patch: pytest.MonkeyPatch) -> None:
    step = definition._step

    def wrong(spec: Spec, end: str, a: Mapping[str, Any], *rest: Any) -> Any:
        H = a["W_hh"].shape[1]
        order = list(range(len(a["W_hh"])))
        order[:H], order[H : 2 * H] = order[H : 2 * H], order[:H]
        swapped = {name: a[name][order] for name in ("W_xh", "W_hh", "b_xh", "b_hh") if name in a}
        return step(spec, end, dict(a) | swapped, *rest)

    patch.setattr(definition, "_step", wrong)


def slope_wrong(patch: pytest.MonkeyPatch) -> None:
    def wrong(z: Any) -> Any:
        if isinstance(z, Dual):
            h = np.tanh(z.v)
            return Dual(h, (1 - h) * z.d)
        return np.tanh(z)

    patch.setattr(definition, "_tanh", wrong)


def biased(patch: pytest.MonkeyPatch) -> None:
    affine = definition._affine
    patch.setattr(definition, "_affine", lambda W, x, b: [u + 2.0**-30 for u in affine(W, x, b)])


@pytest.mark.parametrize(
    ("plant", "line"),
    [
        (gates_swapped, "lstm"),
        (gates_swapped, "gru"),
        (gates_swapped, "float32"),
        (slope_wrong, "rnn_tanh"),
        (slope_wrong, "output layer"),
        (biased, "rnn_tanh"),
        (biased, "gru"),
        (biased, "cross entropy"),
    ],
)
def test_a_wrong_definition(plant: Planted, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    case = Case.parse(LINES[line])
    deep = examine([make("manual"), make("torch_rnn")], case, deep=True)
    assert {verdict.subject for verdict in deep if verdict.status is Status.FAIL} == {"definition"}
    assert "proven different" in deep[-1].findings[0].text


# A wrong manual_rnn, wherever it is used: by the referee, in the proof, and as the subject.


def plant_manual(patch: pytest.MonkeyPatch, wrong: Callable[[Case], Mapping[str, Any]]) -> None:
    for place in ("crosscheck.referee.reference", "crosscheck.referee.truth", "crosscheck.subjects.manual"):
        patch.setattr(f"{place}.manual", wrong)


def changed(name: str, change: Callable[[Any], Any]) -> Callable[[Case], Mapping[str, Any]]:
    def wrong(case: Case) -> Mapping[str, Any]:
        results = dict(RIGHT(case))
        return results | {name: change(results[name])}

    return wrong


def first_missing(array: Any) -> Any:
    result = array.copy()
    result[:1] = 0
    return result


CHANGES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "a gradient doubled": ("dW_hh", lambda g: g * 2),
    "a gradient off by 2^-10": ("dW_xh", lambda g: g * (1 + 2.0**-10)),
    "a gradient's sign": ("dx", lambda g: -g),
    "a gradient of zeros": ("dW_hh", lambda g: g * 0),
    "a part of a gradient missing": ("dx", first_missing),
    "an output off": ("h_n", lambda h: h * 2),
}


@every_case
@pytest.mark.parametrize("change", CHANGES)
def test_a_wrong_manual_rnn(change: str, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    plant_manual(monkeypatch, changed(*CHANGES[change]))
    assert failing(case) == {"manual"}
    (named,) = (v for v in examine([make("manual"), make("torch_rnn")], case) if v.status is Status.FAIL)
    assert CHANGES[change][0] in {finding.name for finding in named.findings}


def test_who_is_wrong_is_named_without_being_a_subject(monkeypatch: pytest.MonkeyPatch) -> None:
    plant_manual(monkeypatch, changed(*CHANGES["a gradient doubled"]))
    _, named = examine([make("torch_rnn")], Case.parse(LINES["lstm"]))
    assert (named.subject, named.status, [finding.name for finding in named.findings]) == (
        "manual",
        Status.FAIL,
        ["dW_hh"],
    )


@pytest.mark.parametrize("line", ["rnn_tanh", "lstm", "gru", "float32", "cross entropy"])
def test_a_manual_rnn_with_a_wrong_forward_pass(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(case: Case) -> Mapping[str, Any]:
        arrays = dict(case.arrays)
        arrays["h_0"] = arrays["h_0"] * 0
        return RIGHT(Case(case.spec, case.T, case.B, case.regime, case.seed, case.dtype, arrays))

    plant_manual(monkeypatch, wrong)
    assert failing(Case.parse(LINES[line])) == {"manual"}


# A wrong torch_rnn.


@every_case
@pytest.mark.parametrize("wrong", ["the states' sign", "a gradient cut off", "one step skipped"])
def test_a_wrong_torch_rnn(wrong: str, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    module = __import__("crosscheck.subjects.torch_rnn", fromlist=["torch_rnn"])
    right = module._outputs

    def outputs(case: Case, tensors: dict[str, torch.Tensor]) -> torch_case.Outputs:
        tensors = dict(tensors)
        if wrong == "the states' sign":
            tensors["h_0"] = -tensors["h_0"]
        elif wrong == "a gradient cut off":
            tensors["W_hh"] = tensors["W_hh"].detach() + 0 * tensors["W_hh"]
        else:
            tensors["x"] = torch.cat([tensors["x"][:1], tensors["x"][:-1]])
        computed: torch_case.Outputs = right(case, tensors)
        return computed

    monkeypatch.setattr(module, "_outputs", outputs)
    assert failing(case) == {"torch_rnn"}
