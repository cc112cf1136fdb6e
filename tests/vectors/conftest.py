"""The scripts of the public set find each other in their own folder, as in `python vectors/make.py`."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path += [str(ROOT / "vectors"), str(Path(__file__).parent)]
