"""Where a subject is defined: by its text, importing nothing, or by what it is."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crosscheck import Case, subject, two_steps
from crosscheck.implementation import Subject, make
from crosscheck.loading import file_of, line_of
from crosscheck.report.defined import defined
from crosscheck.subjects.manual import manual

HERE = str(Path(__file__).resolve())
ENDS = "raise SystemExit(1)  # so that whoever imports this sees it\n"
FILE = f"""\
{ENDS}
import numpy as np
from elsewhere import theirs as ours

if True:
    @decorated(
        cell="gru",
    )
    def mine(case):
        inner = 1
else:
    def other(case): ...

class Cell:
    factor: float = 2

    def forward(self, case): ...

class Child(Cell):
    @property
    def backward(self): ...

made, again = make(), make()
typed: object = make()
try:
    late = 1
except ValueError:
    late = 2

def mine_too(case): ...
def mine_too(case): ...
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cells.py").write_text(FILE)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mine", "def mine(case):"),
        ("other", "def other(case): ..."),
        ("Cell", "class Cell:"),
        ("Cell.forward", "def forward(self, case): ..."),
        ("Cell.factor", "factor: float = 2"),
        ("Child.backward", "def backward(self): ..."),
        ("Child.forward", "class Child(Cell):"),  # inherited
        ("made", "made, again = make(), make()"),
        ("again", "made, again = make(), make()"),
        ("typed", "typed: object = make()"),
        ("late", "late = 2"),  # the last that there is
        ("ours", "from elsewhere import theirs as ours"),
        ("np", "import numpy as np"),
        ("mine_too", "def mine_too(case): ..."),
        ("mine,other", "def mine(case):"),
        ("mine.inner", "inner = 1"),
    ],
)
def test_the_line_of_a_name(folder: Path, name: str, text: str) -> None:
    line = line_of(folder / "cells.py", name)
    assert FILE.splitlines()[line - 1].strip() == text
    if name == "mine_too":
        assert line == len(FILE.splitlines())


def test_no_line_where_there_is_none(folder: Path) -> None:
    assert line_of(folder / "cells.py", "nothing") == 0
    assert line_of(folder / "nothing.py", "mine") == 0
    (folder / "broken.py").write_text("def mine(:\n")
    assert line_of(folder / "broken.py", "mine") == 0
    (folder / "broken.py").write_bytes(b"def mine(): ...\0")
    assert line_of(folder / "broken.py", "mine") == 0


def test_the_file_of_a_module_without_importing_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(folder))
    plain, spaces = folder / "plain_package" / "inner", folder / "a_space" / "in_a_space"
    for place in (plain, spaces):
        place.mkdir(parents=True)
        (place / "cells.py").write_text(FILE)
    for package in (plain, plain.parent):
        (package / "__init__.py").write_text(ENDS)
    assert file_of("plain_package.inner.cells") == plain / "cells.py"
    assert file_of("plain_package.inner") == plain / "__init__.py"
    assert file_of("a_space.in_a_space.cells") == spaces / "cells.py"
    assert file_of("a_space.in_a_space.nothing") is None
    assert file_of("a_space.in_a_space") is None
    assert file_of("no_such_module") is None


def loaded(name: str) -> Subject:
    return replace(make(manual), name=name, loaded=True)


def test_a_loaded_subject_is_where_its_text_says(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = FILE.splitlines().index("    def mine(case):") + 1
    assert defined(loaded("cells.py:mine")) == ("cells.py", line)
    assert defined(loaded(f"{folder}/cells.py:mine")) == ("cells.py", line)
    assert defined(loaded("cells.py:mine --as numpy_pair --set batch_first=true")) == ("cells.py", line)
    assert defined(loaded("cells.py:nothing")) == ("cells.py", 0)
    assert defined(loaded("nothing.py:mine")) == ("", 0)
    monkeypatch.syspath_prepend(str(folder))
    assert defined(loaded("cells:mine")) == ("cells.py", line)
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    assert defined(loaded("../cells.py:mine")) == (str((folder / "cells.py").resolve()), line)


def line_here(text: str) -> int:
    (line,) = [k for k, line in enumerate(Path(HERE).read_text().splitlines(), 1) if line.strip() == text]
    return line


@subject(cell="gru")
def decorated(case: Case) -> Mapping[str, Any]:
    return manual(case)


def wrapping(function: Callable[[Case], Mapping[str, Any]]) -> Callable[[Case], Mapping[str, Any]]:
    @functools.wraps(function)
    def wrapper(case: Case) -> Mapping[str, Any]:
        return function(case)

    return wrapper


class Callback:
    def __call__(self, case: Case) -> Mapping[str, Any]:
        return manual(case)


def forward_of_two(case: Case) -> tuple[Mapping[str, Any], Any]:
    return manual(case), None


def backward_of_two(memory: Any, case: Case) -> Mapping[str, Any]:
    return manual(case)


def with_option(case: Case, option: int) -> Mapping[str, Any]:
    return manual(case)


unnamed = lambda case: manual(case)  # noqa: E731


def test_a_callable_is_where_it_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)

    def within(case: Case) -> Mapping[str, Any]:
        return manual(case)

    for thing, text in (
        (decorated, "def decorated(case: Case) -> Mapping[str, Any]:"),
        (wrapping(decorated), "def decorated(case: Case) -> Mapping[str, Any]:"),
        (within, "def within(case: Case) -> Mapping[str, Any]:"),
        (Callback(), "class Callback:"),
        (
            two_steps("two", forward_of_two, backward_of_two),
            "def backward_of_two(memory: Any, case: Case) -> Mapping[str, Any]:",
        ),
        (functools.partial(with_option, option=1), "def with_option(case: Case, option: int) -> Mapping[str, Any]:"),
        (unnamed, "unnamed = lambda case: manual(case)  # noqa: E731"),
    ):
        assert defined(make(thing)) == (HERE, line_here(text)), text


def test_what_is_nowhere_written_is_nowhere() -> None:
    assert defined(make(max)) == ("", 0)
    space: dict[str, Any] = {}
    exec("def made(case): ...", space)
    assert defined(make(space["made"])) == ("", 0)

    def round_about(case: Case) -> Mapping[str, Any]:
        return {}

    round_about.__wrapped__ = round_about  # type: ignore[attr-defined]
    assert defined(make(round_about)) == ("", 0)
    assert defined(replace(make(decorated), adapter="numpy_pair")) == ("", 0)
