"""The import rule of ARCHITECTURE.md, enforced on every file."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("manual_rnn", "torch_rnn", "crosscheck")
FILES = sorted(path.relative_to(ROOT).as_posix() for package in OURS for path in (ROOT / package).rglob("*.py"))


def imports(source: str, *, at_import: bool = False) -> Iterator[str]:
    """Yield the full name of every module that a source imports.

    Args:
        source: the text of a module.
        at_import: leave out what only a function, or a type checker, imports.
    """
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        match node:
            case ast.Import(names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module, names, level):
                yield from (f"{'.' * level}{module or ''}.{alias.name}" for alias in names)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda() if at_import:
                continue
            case ast.If(ast.Name("TYPE_CHECKING")) if at_import:
                waiting.extend(node.orelse)
                continue
        waiting.extend(ast.iter_child_nodes(node))


def within(name: str, modules: tuple[str, ...]) -> bool:
    return any(name == module or name.startswith(module + ".") for module in modules)


def violations(file: str, source: str) -> list[str]:
    """Return what a file imports against the rule; `file` is its path from the root."""
    found = []
    for name in imports(source):
        top = name.partition(".")[0]
        if name.startswith("."):
            found.append(f"{name}: imports are absolute")
        elif file.startswith("manual_rnn/"):
            if top not in ("manual_rnn", "numpy") and top not in sys.stdlib_module_names:
                found.append(f"{name}: manual_rnn imports NumPy and itself")
        elif file.startswith("torch_rnn/"):
            allowed = ("torch_rnn", "torch") + (("manual_rnn",) if file == "torch_rnn/builtin.py" else ())
            if top not in allowed and top not in sys.stdlib_module_names:
                found.append(f"{name}: torch_rnn imports torch and itself")
        elif top in ("manual_rnn", "torch_rnn") and not file.startswith(
            ("crosscheck/subjects/", "crosscheck/referee/")
        ):
            found.append(f"{name}: crosscheck reaches it only from crosscheck/subjects/ and crosscheck/referee/")
    if file == "crosscheck/cli.py" or file.startswith("crosscheck/commands/"):
        light = (
            "__future__",
            "click",
            "crosscheck.__version__",
            "crosscheck.commands",
            "crosscheck.errors",
            "crosscheck.exits",
        )
        found += [
            f"{name}: the command line imports what is heavy in the command that needs it"
            for name in imports(source, at_import=True)
            if not within(name, light) and name.partition(".")[0] not in sys.stdlib_module_names
        ]
    return found


@pytest.mark.parametrize("file", FILES)
def test_the_import_rule(file: str) -> None:
    assert violations(file, (ROOT / file).read_text(encoding="utf-8")) == []


def test_every_package_is_looked_at() -> None:
    assert {file.partition("/")[0] for file in FILES} == set(OURS)
    assert {"manual_rnn/unroll.py", "torch_rnn/builtin.py", "crosscheck/cli.py"} <= set(FILES)


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("manual_rnn/x.py", "import torch"),
        ("manual_rnn/x.py", "import numpy, scipy.special"),
        ("manual_rnn/x.py", "def f():\n    from crosscheck import case"),
        ("manual_rnn/cells/x.py", "from . import cell"),
        ("torch_rnn/x.py", "import numpy as np"),
        ("torch_rnn/x.py", "from manual_rnn import network"),
        ("torch_rnn/x.py", "if True:\n    import crosscheck.case as c"),
        ("crosscheck/x.py", "from manual_rnn.network import forward"),
        ("crosscheck/report/x.py", "class A:\n    import torch_rnn"),
        ("crosscheck/cli.py", "from rich.console import Console"),
        ("crosscheck/cli.py", "try:\n    import numpy\nexcept ImportError:\n    pass"),
        ("crosscheck/cli.py", "from crosscheck.campaign import check"),
        ("crosscheck/commands/x.py", "import numpy"),
        ("crosscheck/cli.py", "if TYPE_CHECKING:\n    pass\nelse:\n    import hypothesis"),
    ],
)
def test_a_violation_is_found(file: str, source: str) -> None:
    assert len(violations(file, source)) == 1


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("manual_rnn/x.py", "import math\nimport numpy as np\nfrom manual_rnn.cells import gru"),
        ("torch_rnn/x.py", "from torch import nn\nfrom torch_rnn import losses"),
        ("torch_rnn/builtin.py", "from manual_rnn import network"),
        ("crosscheck/subjects/x.py", "import manual_rnn, torch_rnn.losses, torch"),
        ("crosscheck/referee/numbers/x.py", "from manual_rnn import network"),
        ("crosscheck/cli.py", "import os\nimport click\nfrom crosscheck.errors import ArgumentError"),
        ("crosscheck/cli.py", "def run():\n    from rich.console import Console"),
        ("crosscheck/cli.py", "if TYPE_CHECKING:\n    from crosscheck.case import Case"),
    ],
)
def test_what_is_allowed_is_allowed(file: str, source: str) -> None:
    assert violations(file, source) == []
