"""The walks of the docs: their code does what they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crosscheck import Case, Status, check
from crosscheck.conventions import Conventions
from crosscheck.examine import examine
from crosscheck.implementation import Subject, make

DOCS = Path(__file__).parents[2] / "docs"
SLOPE = ("(1 - s * s) + dc_next", "(1 - cs[t + 1] ** 2) + dc_next")
LOST = ("dc = dh * o * (1 - s * s) + dc_next", "dc = dh * o * (1 - s * s)")


def code(walk: str, right: str = "", wrong: str = "") -> str:
    """Return the first piece of code of a walk, perhaps with a line of it changed."""
    found = re.search(r"```python\n(.*?)```", (DOCS / walk).read_text(encoding="utf-8"), re.S)
    assert found is not None
    assert right in found[1]
    return found[1].replace(right, wrong) if right else found[1]


def subject(folder: Path, text: str, name: str, adapter: str) -> Subject:
    (folder / "of_walk.py").write_text(text)
    return make(f"{folder}/of_walk.py:{name}", adapter, Conventions())


@pytest.mark.parametrize(("name", "adapter"), [("MyLSTM", "torch-module"), ("FusedLSTM", "autograd-function")])
def test_the_torch_walk(tmp_path: Path, name: str, adapter: str) -> None:
    report = check(subject(tmp_path, code("walk-torch.md"), name, adapter), max_examples=8)
    assert (report.failures, report.cases) == ((), 16)
    (verdict,) = examine([subject(tmp_path, code("walk-torch.md", *SLOPE), name, adapter)], Case.parse("lstm:T1B1I1H1"))
    wrong = {tensor.name for tensor in verdict.checks if tensor.status is Status.FAIL}
    assert wrong == {"dx", "dh_0", "dc_0", "dW_xh", "dW_hh", "db_xh", "db_hh"}


def test_the_kernel_walk(tmp_path: Path) -> None:
    exact = subject(tmp_path, code("walk-kernel.md"), "exact", "autograd-function")
    assert exact.options["dtype"] == ("float32", "bfloat16")
    assert exact.notes == ("it works in float32, bfloat16 alone: TypeError: no kernel for torch.float64",)
    report = check(exact, max_examples=8)
    assert (report.failures, report.cases) == ((), 16)


@pytest.mark.parametrize(
    ("name", "change", "line", "status"),
    [
        ("exact", (), "lstm:T8B2I5H1:dtype=bfloat16:seed=0", Status.INCONCLUSIVE),
        ("fast", (), "lstm:T1B1I1H1:dtype=float32:seed=0", Status.FAIL),
        ("fast", (), "lstm:T1B1I1H1:dtype=bfloat16:seed=0", Status.PASS),
        ("exact", LOST, "lstm:T1B1I1H1:dtype=bfloat16:seed=0", Status.FAIL),
    ],
)
def test_what_the_kernel_walk_says_of_cases(
    tmp_path: Path, name: str, change: tuple[str, ...], line: str, status: Status
) -> None:
    of = subject(tmp_path, code("walk-kernel.md", *change), name, "autograd-function")
    (verdict,) = examine([of], Case.parse(line), deep=True)
    assert verdict.status is status
