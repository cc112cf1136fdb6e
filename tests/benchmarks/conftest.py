"""The benchmarks find each other in their own folder, as in `python benchmarks/diagnosis.py`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
