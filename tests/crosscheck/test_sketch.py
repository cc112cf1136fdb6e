"""`crosscheck init`: what code is taken for by its looks, and files that run as they stand."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import pytest

from crosscheck import ArgumentError, Case, Status, cli
from crosscheck.examine import examine
from crosscheck.implementation import make
from crosscheck.loading import load_module
from crosscheck.sketch import guess, sketch

CODE = """\
import numpy as np
import torch


class MyLSTM(torch.nn.LSTM):
    pass


class Named(torch.nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.wx = torch.nn.Parameter(torch.randn(hidden_size, input_size))

    def forward(self, x):
        return x


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return 2 * x

    @staticmethod
    def backward(ctx, dy):
        return 2 * dy


class Student:
    def forward(self, x): ...

    def backward(self, x, y, lr): ...


class Keeper:
    def forward(self, x): ...

    def backward(self, dy): ...


def elman(case):
    x, h, ys = case.x, case.h_0[0], []
    p = case.params
    for x_t in x:
        h = np.tanh(x_t @ p["W_xh"].T + p["b_xh"] + h @ p["W_hh"].T + p["b_hh"])
        ys.append(h)
    return {"y": np.stack(ys), "h_n": h[None]}


def of_jax(params, x, h_0): ...


def factory(input_size, hidden_size): ...


def forward(x, h_0, W_xh, W_hh, b_xh, b_hh):
    hs = [h_0]
    for x_t in x:
        hs.append(np.tanh(x_t @ W_xh.T + b_xh + hs[-1] @ W_hh.T + b_hh))
    return np.stack(hs[1:]), hs[-1], (x, W_xh, W_hh, hs)


def backward(dy, dh_n, cache):
    x, W_xh, W_hh, hs = cache
    dx, dh_next = np.empty_like(x), dh_n
    dW_xh, dW_hh, db = np.zeros_like(W_xh), np.zeros_like(W_hh), np.zeros_like(W_hh[0])
    for t in reversed(range(len(x))):
        da = (dy[t] + dh_next) * (1 - hs[t + 1] ** 2)
        dx[t], dh_next = da @ W_xh, da @ W_hh
        dW_xh, dW_hh, db = dW_xh + da.T @ x[t], dW_hh + da.T @ hs[t], db + da.sum(axis=0)
    return dx, dh_next, dW_xh, dW_hh, db, db
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "code_of_theirs.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "adapter"),
    [
        ("MyLSTM", "torch-module"),
        ("Doubled", "autograd-function"),
        ("Student", "learner"),
        ("Keeper", "attributes"),
        ("elman", None),
        ("of_jax", "jax-function"),
        ("factory", "torch-module"),
    ],
)
def test_what_code_is_taken_for(folder: Path, name: str, adapter: str | None) -> None:
    assert guess(getattr(load_module("code_of_theirs.py"), name)) == adapter


def test_a_pair_of_functions_and_an_instance(folder: Path) -> None:
    module = load_module("code_of_theirs.py")
    assert guess((module.forward, module.backward)) == "numpy-pair"
    assert guess(module.MyLSTM(2, 3)) == "torch-module"


@pytest.mark.parametrize(
    ("target", "name", "line"),
    [
        ("code_of_theirs.py:MyLSTM", "my_lstm", "lstm:T2B1I2H3:seed=1"),
        ("torch.nn:GRU", "gru", "gru:T2B1I2H3:seed=1"),
        ("code_of_theirs.py:elman", "elman", "rnn_tanh:T2B1I2H3:seed=1"),
        ("code_of_theirs.py:forward,backward", "forward", "rnn_tanh:T2B1I2H3:seed=1"),
    ],
)
def test_a_file_runs_as_it_stands(folder: Path, target: str, name: str, line: str) -> None:
    made = sketch(target)
    assert (made.name, made.file, made.runs) == (name, f"crosscheck_{name}.py", True)
    (folder / made.file).write_text(made.text)
    subject = make(f"{folder / made.file}:{name}")
    assert subject.options["cell"] == (line.partition(":")[0],)
    (verdict,) = examine([subject], Case.parse(line))
    assert verdict.status is Status.PASS


def test_code_in_another_folder_is_loaded_by_its_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    made = sketch("../code_of_theirs.py:MyLSTM")
    assert 'MyLSTM = load("../code_of_theirs.py:MyLSTM")' in made.text
    Path(made.file).write_text(made.text)
    assert make(f"{made.file}:{made.name}").options["cell"] == ("lstm",)


def test_what_does_not_fit_yet_is_said_in_the_file(folder: Path) -> None:
    made = sketch("code_of_theirs.py:Named")
    assert not made.runs
    assert "# This does not run yet: names: got no parameter that is W_xh, W_hh among wx, wanted" in made.text
    ast.parse(made.text)


def test_a_cell_may_be_said_and_an_unknown_adapter_is_refused(folder: Path) -> None:
    assert 'cell="rnn_relu"' in sketch("code_of_theirs.py:elman", cell="rnn_relu").text
    with pytest.raises(ArgumentError, match="as: got 'torch', wanted one of"):
        sketch("code_of_theirs.py:elman", "torch")


def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[Any, str, str]:
    monkeypatch.setattr("sys.argv", ["crosscheck", "init", *arguments])
    with pytest.raises(SystemExit) as exit:
        cli.main()
    return exit.value.code, *capsys.readouterr()


def test_the_command_writes_a_file_once(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = "code_of_theirs.py:MyLSTM"
    text = sketch(target).text
    assert call(capsys, monkeypatch, target, "--stdout") == (0, text, "")
    assert not (folder / "crosscheck_my_lstm.py").exists()
    said = "wrote crosscheck_my_lstm.py, as torch-module\nnext  crosscheck run crosscheck_my_lstm.py:my_lstm\n"
    assert call(capsys, monkeypatch, target) == (0, said, "")
    assert (folder / "crosscheck_my_lstm.py").read_text() == text
    code, out, err = call(capsys, monkeypatch, target)
    assert (code, out) == (2, "")
    assert "crosscheck_my_lstm.py, which is there already, wanted that file out of the way, or --stdout" in err
    code, out, _ = call(capsys, monkeypatch, "code_of_theirs.py:Named")
    assert "next  what its comment says, and then crosscheck run crosscheck_named.py:named" in out
