"""The project in `examples/lstm`: green when it is whole, red when a line of its backward pass is broken, every way."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2] / "examples" / "lstm"
CROSSCHECK = str(Path(sys.executable).with_name("crosscheck"))
WAYS = {
    "plugin": (sys.executable, "-m", "pytest", "-p", "no:cacheprovider"),
    "golden": (CROSSCHECK, "golden", "check", "golden", "my_lstm.py:subject"),
    "run": (CROSSCHECK, "run", "my_lstm.py:subject", "--cell", "lstm", "-n", "20"),
}


@dataclass(frozen=True)
class Break:
    """A line of the backward pass, what it becomes, and what has to be said of that.

    Attributes:
        line, broken: the line, which is there once, and its other form.
        wrong: the names of the tensors that are wrong, as they are shown.
        says: what is found out about the mistake.
    """

    line: str
    broken: str
    wrong: str
    says: tuple[str, ...]


BREAKS = {
    "the carry of c": Break(
        "grad_c = grad_c + grad_h * o * (1 - squashed**2)",
        "grad_c = grad_h * o * (1 - squashed**2)",
        "dx, dh_0, dc_0, dW_xh, dW_hh, db_xh, db_hh are wrong",
        ("mistake lstm.dc-of-later-steps-never-added", "should be dc = dh * o * (1 - np.tanh(c) ** 2) + dc_next"),
    ),
    "a gate's slope": Break(
        "grad_f = grad_c * c_before * f * (1 - f)",
        "grad_f = grad_c * c_before * f",
        "dx, dh_0, dW_xh, dW_hh, db_xh, db_hh are wrong",
        ("gate f alone", "mistake lstm.sigmoid-for-its-derivative", "should be da_f = dc * c_prev * f * (1 - f)"),
    ),
    "a gate's bias": Break(
        "grad_bias += grad_z.sum(axis=0)",
        "grad_bias[U:] += grad_z[:, U:].sum(axis=0)",
        "db_xh, db_hh are wrong",
        ("wrong within a step already is what is made of it: db_xh, db_hh; gate f alone",),
    ),
    "a matrix the wrong way round": Break(
        "grad_K += xh.T @ grad_z",
        "grad_K += (grad_z.T @ xh).reshape(K.shape)",
        "dW_xh, dW_hh are wrong",
        ("wrong within a step already is what is made of it: dW_xh, dW_hh",),
    ),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, as somebody has it who has checked it out."""
    ignored = shutil.ignore_patterns("__pycache__", ".pytest_cache", ".hypothesis", ".crosscheck")
    return Path(shutil.copytree(PROJECT, tmp_path / "lstm", ignore=ignored))


def ran(command: tuple[str, ...], folder: Path) -> tuple[int, str]:
    """Return the exit code of a command in a folder, and what it printed, on one line."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=folder, env=outside, capture_output=True, text=True, check=False, timeout=300)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def breaks(project: Path, which: Break) -> None:
    module = project / "my_lstm.py"
    text = module.read_text(encoding="utf-8")
    assert text.count(which.line) == 1
    module.write_text(text.replace(which.line, which.broken), encoding="utf-8")


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("plugin", "2 passed"),
        ("golden", "26 vectors, 0 failures, 0 unused"),
        ("run", "PASS 40 cases, 0 failures, 0 inconclusive"),
    ],
)
def test_the_whole_project_is_green(project: Path, way: str, said: str) -> None:
    code, text = ran(WAYS[way], project)
    assert (code, said in text) == (0, True), text


@pytest.mark.parametrize("name", BREAKS)
@pytest.mark.parametrize("way", WAYS)
def test_the_broken_project_is_red(project: Path, way: str, name: str) -> None:
    breaks(project, BREAKS[name])
    code, text = ran(WAYS[way], project)
    assert code == 1, text
    assert BREAKS[name].wrong in text
    assert [said for said in BREAKS[name].says if said not in text] == []
