"""The referee for recurrent-network gradients: checks an implementation, and says what it could have seen."""

from crosscheck.api import assert_agrees, check
from crosscheck.campaign import Report
from crosscheck.case import Case
from crosscheck.errors import ArgumentError
from crosscheck.spec import Spec
from crosscheck.subject import Subject, TwoSteps, subject, two_steps
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
