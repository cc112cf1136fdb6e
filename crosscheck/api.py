"""The library's face: check implementations from code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from crosscheck.campaign import (
    MAX_EXAMPLES,
    Event,
    Explained,
    Listener,
    Report,
    Settings,
    campaign,
    explaining,
    silent,
)
from crosscheck.errors import ArgumentError
from crosscheck.features import split
from crosscheck.implementation import Function, Subject, make

if TYPE_CHECKING:
    from crosscheck.failure import Failure


def check(
    *targets: str | Function | Subject,
    max_examples: int = MAX_EXAMPLES,
    max_time: float | None = None,
    seed: int = 0,
    shrink: bool = True,
    listen: Listener = silent,
    regime: str | Iterable[str] = (),
    **options: Any,
) -> Report:
    """Check subjects on cases drawn at random.

    Args:
        targets: the subjects: callables, texts (see `crosscheck.implementation.make`), or `Subject`s.
        max_examples: the most cases for each cell and dtype.
        max_time: seconds after which no further case is begun.
        seed: what the cases are drawn from.
        shrink: whether a failing case is made smaller.
        listen: called with each event as it happens.
        regime: what every case has to show, a name or several; see `crosscheck.features.FEATURES`, or
            `crosscheck run --list-regimes`. Of several fills of numbers, such as "simple" and "ordinary", it has one.
        options: the value or values to draw of any option in `crosscheck.strategies.EVERYTHING`, such as `cell`, and
            max_T, max_B, max_I, max_H. They also say what a subject supports that doesn't say so itself.

    Raises:
        ArgumentError: a target can't be loaded, an option is unknown, or no case is within what a subject supports.
    """
    if not targets:
        raise ArgumentError("targets", "none", "at least one")
    fills, regimes = split((regime,) if isinstance(regime, str) else regime)
    settings = Settings(max_examples, max_time, seed, shrink, options | fills, regimes)
    return campaign(tuple(make(target) for target in targets), settings, listen)


def assert_agrees(*targets: str | Function | Subject, listen: Listener = silent, **arguments: Any) -> None:
    """Check subjects and raise if one is wrong; arguments as `check`, but `listen` is told of failures explained.

    Raises:
        AssertionError: a subject is wrong, and the message shows the smallest case found; or no case showed anything.
        ArgumentError: see `check`.
    """
    subjects = tuple(map(make, targets))
    failures: list[Failure] = []

    def heard(event: Event) -> None:
        if isinstance(event, Explained):
            failures.append(event.failure)
        listen(event)

    report = check(*subjects, listen=explaining(subjects, heard), **arguments)
    if report.failures:
        from crosscheck.report.failure import failure_text  # what a run that passes has no use for

        raise AssertionError("\n".join(map(failure_text, failures)))
    if report.cases == report.inconclusive:
        raise AssertionError(f"nothing was checked: {report.cases} cases, {report.inconclusive} inconclusive")
