"""The Hypothesis profiles: `pytest --hypothesis-profile=dev`, or HYPOTHESIS_PROFILE=dev in the environment.

ci        the default: the same examples each time
dev       other examples each time; what failed is tried again first
thorough  many more of them
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("ci", max_examples=40, deadline=None, derandomize=True)
settings.register_profile("dev", max_examples=40, deadline=None)
settings.register_profile("thorough", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
