"""Mistakes planted in a subject that comes with the package."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crosscheck import subjects
from crosscheck.implementation import load


@pytest.fixture
def planted(tmp_path: Path) -> Callable[[str, str, str], Any]:
    """`(name, right, wrong) -> a copy of that subject with one piece of its text replaced`."""

    def copy(name: str, right: str, wrong: str) -> Any:
        text = (Path(subjects.__file__).parent / f"{name}.py").read_text(encoding="utf-8")
        if text.count(right) != 1:
            raise LookupError(f"{right!r} is {text.count(right)} times in {name}, wanted once")
        file = tmp_path / f"{name}_planted.py"
        file.write_text(text.replace(right, wrong), encoding="utf-8")
        return load(f"{file}:{name}")

    return copy
