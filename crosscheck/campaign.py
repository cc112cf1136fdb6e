"""Many cases: drawn, checked, and, when one fails, shrunk to the smallest that still does.

A campaign goes group by group, a group being a cell in a dtype. Hypothesis draws the cases of a group from the
campaign's seed and shrinks a failure. A subject that failed for a cell is not asked about this cell again: one
mistake, one report. What happens is told as events, while it happens.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

import hypothesis
from hypothesis import Phase
from hypothesis.errors import Flaky, NoSuchExample, Unsatisfiable

from crosscheck import features, strategies
from crosscheck.case import Case
from crosscheck.errors import ArgumentError
from crosscheck.examine import WRONG_FORMULA, examine
from crosscheck.implementation import ENDS, NOT_REPEATABLE, Finding, Subject
from crosscheck.smaller import smallest_by_steps
from crosscheck.verdict import Status, Verdict, same_failure

if TYPE_CHECKING:
    from crosscheck.failure import Failure

MAX_EXAMPLES = 200
MANUAL, DEFINITION = "manual", "definition"
PATIENCE = 30.0  # seconds for which a case is made smaller where every try may end the subject's process
BATCH = 100  # cases drawn in one go; the time is looked at in between too
Ask = Callable[[Sequence[Subject], Case, bool | None], tuple[Verdict, ...]]
"""What gives the verdicts on a case: `crosscheck.examine.examine`, or that and a record of it."""
AVerdict = TypeVar("AVerdict", bound=Any)  # a record with findings: Verdict here, PropertyVerdict in `search`


@dataclass(frozen=True)
class Settings:
    """How a campaign is run.

    Attributes:
        max_examples: the most cases a group.
        max_time: seconds after which no further case is begun, shared among the groups; None for no limit.
        seed: what the cases are drawn from.
        shrink: whether a failing case is made smaller.
        options: option name -> values: what is drawn, within what the subjects support; see `strategies.supports`.
        regimes: what every case has to show, by name; see `crosscheck.features`.
    """

    max_examples: int = MAX_EXAMPLES
    max_time: float | None = None
    seed: int = 0
    shrink: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)
    regimes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tally:
    """The count of a group.

    Attributes:
        cell, dtype: the group.
        cases: how many cases were checked, `inconclusive` of them with no failure but a blind check, `failed` with one.
        proven: the cases whose formulas were proven on balls.
        ratio: the largest error of any subject in units of its bound, over the verdicts that are not FAIL.
        resolution: the worst resolution of the conclusive cases.
        seconds: how long it took, shrinking included.
    """

    cell: str
    dtype: str
    cases: int = 0
    proven: int = 0
    inconclusive: int = 0
    failed: int = 0
    ratio: float = 0.0
    resolution: float = 0.0
    seconds: float = 0.0

    def plus(self, verdicts: Sequence[Verdict]) -> Tally:
        """Return the tally with one more case."""
        statuses = {verdict.status for verdict in verdicts}
        sound = [verdict for verdict in verdicts if verdict.status is not Status.FAIL]
        clear = [verdict.resolution for verdict in sound if verdict.status is Status.PASS]
        return replace(
            self,
            cases=self.cases + 1,
            proven=self.proven + any(verdict.proven for verdict in verdicts),
            failed=self.failed + (Status.FAIL in statuses),
            inconclusive=self.inconclusive + (Status.INCONCLUSIVE in statuses and Status.FAIL not in statuses),
            ratio=max([self.ratio, *(verdict.ratio for verdict in sound)]),
            resolution=max([self.resolution, *clear]),
        )


@dataclass(frozen=True)
class Started:
    """A campaign begins: its subjects, how it is run, and the number of groups."""

    subjects: tuple[Subject, ...]
    settings: Settings
    groups: int


@dataclass(frozen=True)
class Checked:
    """A case was checked."""

    case: Case
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True)
class Failing:
    """A case failed; it is being shrunk."""

    verdict: Verdict


@dataclass(frozen=True)
class Failed:
    """The smallest failing case found, and after how many cases of its group the first one came; None if given."""

    verdict: Verdict
    after: int | None


@dataclass(frozen=True)
class Explained:
    """A failure with all that can be found out about it: what `crosscheck.failure.explaining` makes of `Failed`.

    Attributes:
        subject: what failed; None if it is a part of the referee.
        failure: the failure.
        kept: the name of the folder that it is kept in; "" if it isn't.
    """

    subject: Subject | None
    failure: Failure
    kept: str = ""


@dataclass(frozen=True)
class GroupDone:
    """A group is finished."""

    tally: Tally


@dataclass(frozen=True)
class Report:
    """What a campaign came to.

    Attributes:
        subjects: the names of the subjects.
        tallies: one a group.
        failures: the smallest failing case of each mistake.
        stopped: whether the time was up before all cases were checked.
        covered: how many of the cases checked show what; see `crosscheck.features`. What no subject supports isn't in
            it, what was not drawn is 0.
        notes: what was noted of a subject and is no fault, by its name and the note's text, and in how many cases.
    """

    subjects: tuple[str, ...]
    tallies: tuple[Tally, ...]
    failures: tuple[Verdict, ...]
    stopped: bool = False
    covered: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def cases(self) -> int:
        """The number of cases checked."""
        return sum(tally.cases for tally in self.tallies)

    @property
    def inconclusive(self) -> int:
        """The number of cases that neither failed nor could have shown a fault."""
        return sum(tally.inconclusive for tally in self.tallies)

    @property
    def status(self) -> Status:
        """FAIL if anything failed; INCONCLUSIVE if no case showed anything; else PASS."""
        if self.failures:
            return Status.FAIL
        return Status.INCONCLUSIVE if self.cases == self.inconclusive else Status.PASS


@dataclass(frozen=True)
class Ended:
    """A campaign is at its end."""

    report: Report


Event = Started | Checked | Failing | Failed | Explained | GroupDone | Ended
Listener = Callable[[Event], None]
Keep = Callable[[Subject, "Failure"], str]
"""What keeps a failure, and returns the name of its folder; "" where it can't."""


def silent(event: Event) -> None:
    """Ignore an event."""


def several(*listeners: Listener) -> Listener:
    """Return a listener that tells each of others, in turn."""

    def listen(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return listen


def explaining(subjects: Sequence[Subject], listen: Listener, keep: Keep | None = None) -> Listener:
    """Return a listener that explains each failure, once, and tells another: of `Explained` in place of `Failed`.

    Args:
        subjects: those that are checked.
        listen: told of all events; see `several`.
        keep: keeps a failure; None if nobody does.
    """
    by_name = {subject.name: subject for subject in subjects}

    def heard(event: Event) -> None:
        if isinstance(event, Failed):
            from crosscheck.failure import explained  # what a run that passes has no use for

            event = explained(by_name.get(event.verdict.subject), event.verdict, event.after, keep)
        listen(event)

    return heard


def campaign(
    subjects: tuple[Subject, ...], settings: Settings, listen: Listener = silent, ask: Ask = examine
) -> Report:
    """Run a campaign; see the top of this file, and `crosscheck.api.check` for what is raised.

    Args:
        subjects: the subjects.
        settings: how it is run.
        listen: called with each event as it happens.
        ask: gives the verdicts on a case.
    """
    names = [subject.name for subject in subjects]
    if len(set(names)) < len(names):
        raise ArgumentError("targets", ", ".join(names), "each of another name, since findings go by it")
    if settings.max_examples < 1:
        raise ArgumentError("max_examples", settings.max_examples, "at least 1")
    features.aim(settings.regimes)  # whether there is such a case at all
    able = aimed([within(subject, settings.options) for subject in subjects], settings.regimes)
    cells = _union(able, "cell")
    dtypes = _union(able, "dtype")
    listen(Started(able, settings, len(cells) * len(dtypes)))
    deadline = None if settings.max_time is None else time.monotonic() + settings.max_time
    failures: list[Verdict] = []
    covered = dict.fromkeys((name for name in features.FEATURES if _may_show(able, (*settings.regimes, name))), 0)
    notes: Counter[tuple[str, str]] = Counter()
    tallies = []
    groups_left = len(cells) * len(dtypes)
    for cell in cells:
        failed: set[str] = set()
        for dtype in dtypes:
            share = None if deadline is None else time.monotonic() + (deadline - time.monotonic()) / groups_left
            groups_left -= 1
            asked = [
                s for s in able if s.name not in failed and cell in s.options["cell"] and dtype in s.options["dtype"]
            ]
            if not asked:
                continue
            group = _Group(cell, dtype, settings, share, listen, covered, notes, ask)
            for verdict in group.run(asked):
                failed.add(verdict.subject)
                failures.append(verdict)
            tallies.append(group.tally)
            listen(GroupDone(group.tally))
    stopped = deadline is not None and time.monotonic() > deadline
    report = Report(tuple(names), tuple(tallies), tuple(failures), stopped, covered, notes)
    listen(Ended(report))
    return report


def given(asked: Sequence[tuple[Case, tuple[Subject, ...]]], listen: Listener = silent) -> Report:
    """Check subjects on given cases, by all the means there are.

    Args:
        asked: the cases, each with the subjects that are asked about it.
        listen: called with each event as it happens.
    """
    subjects = tuple({subject.name: subject for _, able in asked for subject in able}.values())
    tallies: dict[tuple[str, str], Tally] = {}
    failures: list[Verdict] = []
    notes: Counter[tuple[str, str]] = Counter()
    listen(Started(subjects, Settings(), len({(case.spec.cell, case.dtype) for case, _ in asked})))
    for case, able in asked:
        start, key = time.monotonic(), (case.spec.cell, case.dtype)
        verdicts = examine(able, case, deep=True)
        if not verdicts:
            continue
        listen(Checked(case, verdicts))
        for verdict in verdicts:
            if verdict.status is Status.FAIL:
                listen(Failed(verdict, None))
                failures.append(verdict)
        notes.update(_noted(verdicts))
        tally = tallies.get(key, Tally(*key)).plus(verdicts)
        tallies[key] = replace(tally, seconds=tally.seconds + time.monotonic() - start)
    for tally in tallies.values():
        listen(GroupDone(tally))
    report = Report(tuple(subject.name for subject in subjects), tuple(tallies.values()), tuple(failures), notes=notes)
    listen(Ended(report))
    return report


def smallest(
    strategy: Any,
    fails: Callable[[Case], bool | None],
    failing: list[AVerdict],
    max_examples: int,
    settings: Settings,
    random: Random,
    late: Callable[[], bool],
) -> AVerdict | None:
    """Draw cases, a batch at most, until one fails; return the verdict on its smallest form, or None when none does.

    Args:
        strategy: what the cases are drawn from.
        fails: says whether a case fails, and then adds the verdict to `failing`; None of a case for nobody.
        failing: verdicts on failing cases, the last being on the smallest so far.
        max_examples: the most cases.
        settings: whether a failing case is made smaller.
        random: what Hypothesis draws by.
        late: whether the time is up.
    """
    of_hypothesis = hypothesis.settings(
        max_examples=min(BATCH, max_examples),
        phases=(Phase.generate, Phase.shrink) if settings.shrink else (Phase.generate,),
        database=None,
        deadline=None,
        derandomize=False,  # whatever the profile around says: the seed decides
    )

    def drawn(case: Case) -> bool:
        if any(map(_ends_the_process, failing)):  # it would take too many processes to make it smaller like this
            return False
        outcome = fails(case)
        hypothesis.assume(outcome is not None)
        return bool(outcome)

    try:
        hypothesis.find(strategy, drawn, settings=of_hypothesis, random=random)
    except (NoSuchExample, Unsatisfiable):  # no case fails; there is no case
        return None
    except Flaky:
        if any(map(_ends_the_process, failing)):
            return _smallest_end(fails, failing, settings, late)
        if not failing:  # what was raised is no failure of a subject
            raise
        if not late():
            text = "it failed on this case, and then, asked again, it did not"
            return replace(failing[-1], findings=(*failing[-1].findings, Finding(NOT_REPEATABLE, "", text)))
    return failing[-1]


def _smallest_end(
    fails: Callable[[Case], bool | None], failing: list[AVerdict], settings: Settings, late: Callable[[], bool]
) -> AVerdict:
    """Return the verdict on the smallest case that ends the process, as far as a short time goes; see `smallest`."""
    found = next(failure for failure in failing if _ends_the_process(failure))
    end = time.monotonic() + PATIENCE
    names = features.aim(settings.regimes).names

    def ends(case: Case) -> bool:
        nonlocal found
        if late() or time.monotonic() > end or not features.has(case, names):
            return False
        if not fails(case) or not _ends_the_process(failing[-1]):
            return False
        found = failing[-1]
        return True

    if settings.shrink:
        smallest_by_steps(found.case, ends)
    return found


class _Group:
    """The cases of one cell in one dtype, while they are being checked."""

    def __init__(
        self,
        cell: str,
        dtype: str,
        settings: Settings,
        deadline: float | None,
        listen: Listener,
        covered: dict[str, int],
        notes: Counter[tuple[str, str]],
        ask: Ask,
    ) -> None:
        self.cell, self.dtype, self.settings, self.deadline, self.listen = cell, dtype, settings, deadline, listen
        self.covered, self.notes, self.ask = covered, notes, ask
        self.tally = Tally(cell, dtype)

    def run(self, asked: Sequence[Subject]) -> Iterator[Verdict]:
        """Check the cases; yield the smallest failure of each subject that fails."""
        start = time.monotonic()
        random = Random(f"{self.settings.seed}:{self.cell}:{self.dtype}")
        while asked and self.tally.cases < self.settings.max_examples and not self._late():
            before = self.tally.cases
            failure = self._search(asked, random)
            self.tally = replace(self.tally, seconds=time.monotonic() - start)
            if failure is None and self.tally.cases > before:
                continue
            if failure is None:  # no case of this group has all that it should show
                return
            wrong = _last_word(self.ask, asked, failure)
            for verdict in wrong:
                self.listen(Failed(verdict, self.tally.cases))
                yield verdict
            names = {verdict.subject for verdict in wrong}
            if names & {MANUAL, DEFINITION}:  # the referee's own parts are wrong, so every other verdict is void
                return
            asked = [subject for subject in asked if subject.name not in names]

    def _search(self, subjects: Sequence[Subject], random: Random) -> Verdict | None:
        """Draw a batch of cases until one fails; return its smallest form, or None when none does."""
        failing: list[Verdict] = []  # of one subject, the last being the smallest so far

        def fails(case: Case) -> bool | None:
            if self._late():
                return False
            asked = [s for s in subjects if strategies.supported(case, s.options)]
            if not asked:  # options of several subjects may meet in a case that none supports
                return None
            verdicts = self.ask(asked, case, True if failing and _shows_deep_alone(failing[0]) else None)
            wrong = [verdict for verdict in verdicts if verdict.status is Status.FAIL]
            if not failing:
                self.tally = self.tally.plus(verdicts)
                for name in features.shown(case):
                    self.covered[name] = self.covered.get(name, 0) + 1
                self.notes.update(_noted(verdicts))
                self.listen(Checked(case, verdicts))
                for verdict in wrong[:1]:
                    self.listen(Failing(verdict))
            same = [verdict for verdict in wrong if same_failure((failing or wrong)[0], verdict)]
            failing.extend(same)
            return bool(same)

        left = self.settings.max_examples - self.tally.cases
        return smallest(self._strategy(subjects), fails, failing, left, self.settings, random, self._late)

    def _strategy(self, subjects: Sequence[Subject]) -> Any:
        options = {name: _union(subjects, name) for name in strategies.PLAIN}
        aim = features.aim(self.settings.regimes)
        return strategies.cases(options | {"cell": (self.cell,), "dtype": (self.dtype,)}, aim)

    def _late(self) -> bool:
        return self.deadline is not None and time.monotonic() > self.deadline


def _noted(verdicts: Sequence[Verdict]) -> set[tuple[str, str]]:
    """Return what is noted of subjects and is no fault, and says the same of every case."""
    return {(verdict.subject, note.text) for verdict in verdicts for note in verdict.notes if note.counted}


def _kinds(failure: Any) -> set[str]:
    return {finding.kind for finding in failure.findings}


def _shows_deep_alone(failure: Verdict) -> bool:
    """Say whether a failure may show only by the expensive check: of the formulas alone, or of a second call."""
    return failure.subject == DEFINITION or bool(_kinds(failure) & {WRONG_FORMULA, NOT_REPEATABLE})


def _ends_the_process(failure: Any) -> bool:
    return bool(_kinds(failure) & set(ENDS))


def _last_word(ask: Ask, subjects: Sequence[Subject], failure: Verdict) -> list[Verdict]:
    """Return the failing verdicts on the smallest failing case, by all the means there are.

    They are on the subject that failed, or else, if the expensive check finds a part of the referee wrong, on that.
    """
    if _ends_the_process(failure) or NOT_REPEATABLE in _kinds(failure):  # there are no numbers, or others each time
        return [failure]
    able = [subject for subject in subjects if strategies.supported(failure.case, subject.options)]
    wrong = [verdict for verdict in ask(able, failure.case, True) if verdict.status is Status.FAIL]
    own = [verdict for verdict in wrong if verdict.subject in (MANUAL, DEFINITION)]
    same = [verdict for verdict in wrong if verdict.subject == failure.subject]
    return own or same or [failure]


def within(subject: Subject, options: Mapping[str, Any]) -> Subject:
    """Return the subject restricted to `options`, which also widen what it doesn't declare itself.

    Raises:
        ArgumentError: an option is unknown, or the subject supports nothing of what is asked for.
    """
    wanted = strategies.supports(options)
    result = dict(subject.options)
    for name in options:
        values = wanted[name]
        if name in subject.declared:
            values = _common(name, values, subject.options[name])
        if not values:
            raise ArgumentError(name, options[name], f"something that {subject.name} supports: {subject.options[name]}")
        result[name] = values
    return replace(subject, options=result)


def aimed(subjects: Sequence[Subject], names: Sequence[str]) -> tuple[Subject, ...]:
    """Return the subjects that support cases with all features of some names, restricted to those.

    Raises:
        ArgumentError: there is none.
    """
    narrowed = [(subject, features.narrowed(subject.options, names)) for subject in subjects]
    able = tuple(replace(subject, options=options) for subject, options in narrowed if options is not None)
    if not able:
        raise ArgumentError("regime", ", ".join(names), "names that go together, of what some subject supports")
    return able


def _may_show(subjects: Sequence[Subject], names: Sequence[str]) -> bool:
    return any(features.narrowed(subject.options, names) is not None for subject in subjects)


def _common(name: str, asked: tuple[Any, ...], declared: tuple[Any, ...]) -> tuple[Any, ...]:
    if name.startswith("max_"):
        return (min(asked + declared),)
    if name.startswith("min_"):
        return (max(asked + declared),)
    return tuple(value for value in declared if value in asked)


def _union(subjects: Sequence[Subject], name: str) -> tuple[Any, ...]:
    """Return the values of an option that some subject supports, simplest first."""
    if name.startswith("max_"):
        return (max(subject.options[name][0] for subject in subjects),)
    if name.startswith("min_"):
        return (min(subject.options[name][0] for subject in subjects),)
    return tuple(v for v in strategies.KNOWN[name] if any(v in subject.options[name] for subject in subjects))
