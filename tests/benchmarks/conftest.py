"""The benchmarks' own modules, loaded as `python benchmarks/X.py` finds them: from their folder."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from benchmarks import diagnosis, planted, unknown
else:
    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
    planted, unknown = import_module("planted"), import_module("unknown")


@pytest.fixture(scope="session")
def plantings() -> planted:
    """The module of the plantings."""
    return planted
