"""A subject's own formulas: its own code on balls, where that can be; and a word on why where it can't."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crosscheck import Case, Status, check
from crosscheck.examine import examine
from crosscheck.formula import formula
from crosscheck.implementation import make, run
from crosscheck.referee.proof import Outcome
from crosscheck.verdict import Verdict

CASE = Case.parse("rnn_tanh:T3B2I2H3:regime=ordinary:dtype=float32:seed=3")
OFF = "    dW_hh[0, -1] *= 1 + 1e-12\n    return"

ELMAN = """
import numpy as np


def mine(case):
    W_xh, W_hh = case.params["W_xh"], case.params["W_hh"]
    b = case.params["b_xh"] + case.params["b_hh"]
    T, B, H = case.T, case.B, len(W_hh)
    h = np.zeros((T + 1, B, H), dtype=case.dtype)
    h[0] = case.h_0[0]
    for t in range(T):
        h[t + 1] = np.tanh(case.x[t] @ W_xh.T + h[t] @ W_hh.T + b)
    dW_xh, dW_hh, db = np.zeros_like(W_xh), np.zeros_like(W_hh), np.zeros_like(b)
    dx = np.zeros(case.x.shape, dtype=case.dtype)
    dh = np.array(case.dh_n[0])
    for t in reversed(range(T)):
        dh = dh + case.dy[t]
        da = (1 - h[t + 1] ** 2) * dh
        dW_xh += da.T @ case.x[t]
        dW_hh += da.T @ h[t]
        db += da.sum(axis=0)
        dx[t] = da @ W_xh
        dh = da @ W_hh
    return {"y": h[1:], "dx": dx, "dh_0": dh[None], "dW_xh": dW_xh, "dW_hh": dW_hh, "db_xh": db, "db_hh": db}
"""

Deep = Callable[[str], Verdict]


@pytest.fixture
def deep(tmp_path: Path) -> Deep:
    """Return the deep verdict on the function `mine` of a file with this text."""

    def examined(text: str) -> Verdict:
        path = tmp_path / "mine.py"
        path.write_text(text)
        (verdict,) = examine([make(f"{path}:mine")], CASE, deep=True)
        return verdict

    return examined


def test_code_with_buffers_of_floats_is_lifted_and_proven_right(deep: Deep) -> None:
    verdict = deep(ELMAN)
    assert (verdict.status, verdict.findings) == (Status.PASS, ())
    assert verdict.evidence[-1] == "its own code proven right on balls of 128 bits"


def test_a_fault_far_below_rounding_is_proven_wrong(deep: Deep) -> None:
    verdict = deep(ELMAN.replace("    return", OFF))
    assert all(tensor.status is Status.PASS for tensor in verdict.checks)  # no float32 number shows it
    assert verdict.status is Status.FAIL
    assert [(finding.kind, finding.name) for finding in verdict.findings] == [("wrong formula", "dW_hh")]


def test_a_campaign_finds_it_too(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(ELMAN.replace("    return", OFF))
    (failure,) = check(f"{path}:mine", cell="rnn_tanh", dtype="float32").failures
    assert str(failure.case).startswith("rnn_tanh:T1B1I1H1:dtype=float32:")
    assert [(finding.kind, finding.name) for finding in failure.findings] == [("wrong formula", "dW_hh")]


@pytest.mark.parametrize(
    ("line", "lifted_by", "reason"),
    [
        ("import numpy as np", "import numpy as np\nimport torch", "TypeError"),  # torch.tensor of balls
        ("h[0] = case.h_0[0]", "h[0] = case.h_0[0]\n    h[0, 0, 0] = float(h[0, 0, 0])", "TypeError"),
        ("h[0] = case.h_0[0]", "h[0] = case.h_0[0]\n    raise_if_lifted(h)", "NameError"),
    ],
)
def test_what_cannot_be_lifted_is_told_and_judged_by_its_numbers(
    line: str, lifted_by: str, reason: str, deep: Deep
) -> None:
    text = ELMAN.replace(line, lifted_by)
    if "torch" in lifted_by:
        text = text.replace("b = case", "torch.tensor(case.x)\n    b = case", 1)
    if "raise" in lifted_by:
        text = text.replace("raise_if_lifted(h)", "h.dtype == object and no_such_name")
    verdict = deep(text)
    assert verdict.status is Status.PASS
    assert verdict.evidence[-1].startswith(f"its own code can't be lifted to balls ({reason}: ")


def test_plain_numbers_are_not_taken_for_balls() -> None:
    results = run(make("manual"), CASE).values
    single = {name: array.astype(np.float32) for name, array in results.items()}
    found = formula(make(lambda _: single), CASE, frozenset(single))
    assert found is not None
    assert (found.proof, found.reason[:15]) == (None, "NotLiftedError:")


def test_a_callable_is_lifted_as_it_is() -> None:
    namespace: dict[str, Any] = {}
    exec(ELMAN, namespace)
    found = formula(make(namespace["mine"]), CASE, frozenset({"dx"}))
    assert found is not None
    assert found.proof is None  # its buffers hold floats

    def free(case: Case) -> Mapping[str, Any]:
        h = np.tanh(case.x[0] @ case.params["W_xh"].T + case.h_0[0] @ case.params["W_hh"].T + case.params["b_xh"])
        return {"h_n": h[None]}

    bare = Case.parse("rnn_tanh:T1B2I2H3:regime=ordinary:seed=3")
    found = formula(make(free), bare, frozenset({"h_n"}))
    assert found is not None
    assert found.proof is not None
    assert (found.proof.outcome, found.proof.wrong) == (Outcome.WRONG, ("h_n",))  # it forgets b_hh


@pytest.mark.parametrize("name", ["manual", "torch_rnn", "torch_builtin"])
def test_of_the_packages_own_subjects_nothing_more_is_proven(name: str) -> None:
    assert formula(make(name), CASE, frozenset({"y"})) is None


def test_what_fails_by_its_numbers_is_not_proven_again_while_it_is_shrunk(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(ELMAN.replace("dh = dh + case.dy[t]", "dh = case.dy[t]"))
    (quick,) = examine([make(f"{path}:mine")], CASE)
    (full,) = examine([make(f"{path}:mine")], CASE, deep=True)
    assert quick.status is full.status is Status.FAIL
    assert len(quick.evidence) == 2
    assert full.evidence[-1] == "its own code proven wrong on balls of 128 bits"
    assert full.findings == ()  # its numbers say it already
