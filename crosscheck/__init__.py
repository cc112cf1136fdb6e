"""The referee for recurrent-network gradients: checks an implementation, and says what it could have seen.

The names are loaded when one of them is first asked for, so that the pytest plugin costs a run nothing that has no use
for it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crosscheck.api import assert_agrees, check
    from crosscheck.campaign import Report
    from crosscheck.case import Case
    from crosscheck.errors import ArgumentError
    from crosscheck.implementation import Subject, TwoSteps, subject, two_steps
    from crosscheck.spec import Spec
    from crosscheck.verdict import Status, Verdict

__version__ = "0.1.0"
__all__ = [
    "ArgumentError",
    "Case",
    "Report",
    "Spec",
    "Status",
    "Subject",
    "TwoSteps",
    "Verdict",
    "assert_agrees",
    "check",
    "subject",
    "two_steps",
]
_HOMES = {
    "crosscheck.errors": ("ArgumentError",),
    "crosscheck.case": ("Case",),
    "crosscheck.campaign": ("Report",),
    "crosscheck.spec": ("Spec",),
    "crosscheck.verdict": ("Status", "Verdict"),
    "crosscheck.implementation": ("Subject", "TwoSteps", "subject", "two_steps"),
    "crosscheck.api": ("assert_agrees", "check"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
