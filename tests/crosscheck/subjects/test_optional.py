"""The subjects that need an extra: found as files, imported late, and missed in words."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from crosscheck import ArgumentError
from crosscheck.implementation import BUILT_IN, OPTIONAL, OURS, load

ROOT = Path(__file__).parents[3]
HIDE = "import sys; sys.modules[{!r}] = None; from crosscheck.cli import main; sys.argv[1:] = {!r}; main()"


def run_without(package: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as if a package were not installed."""
    code = HIDE.format(package, list(arguments))
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


def test_every_file_that_defines_its_own_name_is_a_subject() -> None:
    assert {"jax_scan", "onnxruntime_rnn", "onnxruntime_clip"} <= set(OPTIONAL)
    assert not set(BUILT_IN) & set(OPTIONAL)
    assert "torch_case" not in OURS


@pytest.mark.parametrize("name", OPTIONAL)
def test_each_has_the_extra_that_its_name_begins_with(name: str) -> None:
    extras = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("[project.optional-dependencies]")[2]
    assert f"\n{name.partition('_')[0]} = [" in extras or name.startswith("torch_")


@pytest.mark.parametrize(
    ("name", "package"), [("jax_scan", "jax"), ("onnxruntime_rnn", "onnx"), ("onnxruntime_clip", "onnxruntime")]
)
def test_without_its_package_it_names_the_extra(name: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [
        module for module in sys.modules if module.startswith(("crosscheck.subjects.jax", "crosscheck.subjects.onnx"))
    ]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ArgumentError) as raised:
        load(name)
    assert raised.value.argument == name
    assert raised.value.wanted == f"it installed: pip install 'rnn-crosscheck[{name.partition('_')[0]}]'"


def test_the_command_line_ends_with_2() -> None:
    done = run_without("jax", "run", "jax_scan")
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'rnn-crosscheck[jax]'" in done.stderr


def test_the_run_without_a_target_imports_none_of_them() -> None:
    case = "rnn_tanh:T1B1I1H1:seed=0"
    assert run_without("jax", "run", "--case", case).returncode == 0
    assert run_without("onnxruntime", "run", "--case", case).returncode == 0
