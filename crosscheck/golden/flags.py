"""What a golden vector shows, by name, so that a reader can pick or leave out: the features of its case.

Sizes say themselves, and how arrays lie in memory is nothing that a file holds.
"""

from __future__ import annotations

from crosscheck.case import Case
from crosscheck.features import GROUPS

FLAGS = {
    name: feature.shows
    for group, features in GROUPS.items()
    if group not in ("sizes", "memory")
    for name, feature in features.items()
}
"""Each flag, and what mistake it makes visible."""


def flags(case: Case) -> tuple[str, ...]:
    """Return the flags of a case."""
    return tuple(name for features in GROUPS.values() for name in features if name in FLAGS and features[name].of(case))
