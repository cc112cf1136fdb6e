"""Finding somebody's code: what is there is found, and what isn't is an ArgumentError that helps."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from crosscheck import ArgumentError
from crosscheck.loading import attribute_of, copy_of, load_module, split_target


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put `sys.path` and `sys.modules` back afterwards."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))


def file(folder: Path, text: str, name: str = "cell.py") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        ("package.module:attr", ("package.module", "attr")),
        ("path/to/file.py:forward,backward", ("path/to/file.py", "forward,backward")),
        (r"C:\code\file.py:attr", (r"C:\code\file.py", "attr")),
        ("file.py:a.b.c", ("file.py", "a.b.c")),
    ],
)
def test_a_target_is_a_place_and_an_attribute(target: str, parts: tuple[str, str]) -> None:
    assert split_target(target) == parts


@pytest.mark.parametrize("target", ["", "module", "module:", ":attr", "file.py"])
def test_half_a_target_is_none(target: str) -> None:
    with pytest.raises(ArgumentError, match=r"path/to/file\.py:attr") as raised:
        split_target(target)
    assert raised.value.got == repr(target)


def test_a_file_is_run_anew_and_hides_no_module(tmp_path: Path) -> None:
    place = file(tmp_path, "counter = []\n", name="os.py")
    first, second = load_module(place), load_module(place)
    vars(first)["counter"].append(1)
    assert vars(second)["counter"] == []
    assert sys.modules["os"] is os


def test_a_file_finds_its_neighbours(tmp_path: Path) -> None:
    file(tmp_path, "value = 7\n", name="neighbour_of_cell.py")
    assert vars(load_module(file(tmp_path, "from neighbour_of_cell import value\n")))["value"] == 7


def test_a_module_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file(tmp_path, "value = 7\n", name="module_of_cells.py")
    monkeypatch.syspath_prepend(tmp_path)
    assert vars(load_module("module_of_cells"))["value"] == 7


def test_a_copy_shares_nothing(tmp_path: Path) -> None:
    module = load_module(file(tmp_path, "state = []\ndef f():\n    return state\n"))
    copy = copy_of(module)
    assert copy is not module
    copy.f().append(1)
    assert module.f() == []


def test_an_attribute_may_be_dotted(tmp_path: Path) -> None:
    place = file(tmp_path, "class A:\n    class B:\n        c = 3\n")
    assert attribute_of(load_module(place), place, "A.B.c") == 3


def test_a_missing_attribute_names_the_nearest(tmp_path: Path) -> None:
    place = file(tmp_path, "def forward(x):\n    return x\n")
    with pytest.raises(ArgumentError, match=r"no attribute 'foward'.*did you mean forward\?"):
        attribute_of(load_module(place), place, "foward")


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    file(tmp_path, "", name="lstm_cell.py")
    with pytest.raises(ArgumentError, match=r"no file .*lstm_cel\.py; did you mean lstm_cell\.py\?"):
        load_module(str(tmp_path / "lstm_cel.py"))


@pytest.mark.parametrize("name", ["no_such_module_at_all", "crosscheck.no_such_module"])
def test_a_missing_module(name: str) -> None:
    with pytest.raises(ArgumentError, match=f"no module '{name}'"):
        load_module(name)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\nraise RuntimeError('no')\n", r"RuntimeError: no \(line 2"),
        ("x = = 1\n", "SyntaxError"),
        ("import no_such_module_at_all\n", "ModuleNotFoundError"),
        ("import sys\nsys.exit(3)\n", "SystemExit: 3"),
    ],
)
def test_code_that_does_not_run(text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sys.modules.pop("crosscheck_target_cell", None)  # of another test
    with pytest.raises(ArgumentError, match=said):
        load_module(file(tmp_path, text))
    assert "crosscheck_target_cell" not in sys.modules
    file(tmp_path, text, name="module_that_does_not_run.py")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ArgumentError, match="an error while importing it|" + said):
        load_module("module_that_does_not_run")
