"""Second use: what a network returns must not depend on what was done with it before.

Buffers that are kept, reused, written into or not cleared go unseen as long as every case is run once, on its own. So
here a case is run again, after larger and smaller ones; and of a subject in two steps
(`crosscheck.implementation.TwoSteps`) the steps are taken in other orders:

    inputs only read      inputs, cotangents, and the outputs that the forward pass returned, are the same afterwards
    same again            a case, a larger one, the case, a smaller one, the case
    results kept          what was returned for a case stays what it was when others are run
    backward twice        two backward passes of one forward pass
    gradients fresh       the same, and what the first returned is overwritten in between
    reverse order         forward passes of four cases, and then their backward passes, last case first

Whatever is computed is judged as of any first use: by the worst-case bound around the hand-written network's values.
What is computed again must be the same to the bit, or, where a program adds in another order each time, within 2 E.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from crosscheck.case import SEED_LIMIT, Case
from crosscheck.implementation import Finding, Function, Result, Subject, TwoSteps, make, raised, read
from crosscheck.referee.numbers.format import FORMATS
from crosscheck.referee.truth import Known
from crosscheck.search import Checks, NotApplicableError, Property, PropertyVerdict, UnsoundError
from crosscheck.verdict import Status, TensorCheck, blind_above, compare, judge

Arrays = Mapping[str, Any]


class Problem:
    """A case that a subject is used on, perhaps more than once.

    Attributes:
        case: the case.
        known: what is known of it.
    """

    def __init__(self, case: Case) -> None:
        self.case, self.known = case, Known(case)

    def right(self, when: str, values: Arrays) -> Iterator[TensorCheck]:
        """Judge results; yield what is wrong, `when` being the use that they are of."""
        result = Result(values)
        overflows = {} if result.finite else self.known.overflows
        checks = judge("", self.case, result, self.known.worst, overflows).checks
        yield from (replace(c, name=f"{c.name} {when}") for c in checks if c.status is Status.FAIL)

    def same(self, when: str, got: Arrays, want: Arrays) -> Iterator[TensorCheck]:
        """Compare results with those of an earlier use."""
        missing = want.keys() - got.keys()
        if missing:
            raise UnsoundError((Finding("not returned again", ", ".join(sorted(missing)), when),))
        E, blind = self.known.worst.worst, blind_above(FORMATS[self.case.dtype])
        for name in want:
            equal = np.array_equal(got[name], want[name], equal_nan=True)
            bound = np.zeros_like(want[name]) if equal else 2 * E[name]
            yield compare(f"{name} {when}", got[name], want[name], bound, blind, may=np.isinf(bound))

    def again(self, when: str, got: Arrays, want: Arrays) -> Iterator[TensorCheck]:
        """Compare results with those of an earlier use, and judge them where they are the same."""
        checks = tuple(self.same(when, got, want))
        yield from checks
        differ = {check.name for check in checks if check.status is Status.FAIL}
        yield from (check for check in self.right(when, got) if check.name not in differ)

    def unchanged(self, when: str, now: Arrays, then: Arrays) -> Iterator[TensorCheck]:
        """Compare arrays with what was in them before."""
        for name in then:
            got, want = _nan_for_a_number(now[name], then[name])
            yield compare(f"{name} {when}", got, want, np.zeros(np.shape(want)), blind=0.0)


class Use:
    """One use of a subject on a case.

    Attributes:
        problem: the case.
        given: the same in arrays of the subject's own; `arrays` are these, even if it takes some away.
        outputs, memory, gradients: what the last forward and the last backward pass returned, as they returned it;
            `outputs` have both where the subject is not in two steps.
    """

    def __init__(self, subject: Subject, problem: Problem) -> None:
        self.function, self.problem = subject.function, problem
        self.given = problem.case.laid_out()
        self.arrays = dict(self.given.arrays)
        self.outputs: Any = {}
        self.memory: Any = None
        self.gradients: Any = {}

    def both(self) -> Arrays:
        """Run both passes at once; return the results."""
        self.outputs = _guarded(self.function, self.given)
        return self.read(self.outputs)

    def forward(self) -> Arrays:
        """Run the forward pass; return the outputs."""
        if not isinstance(self.function, TwoSteps):
            raise NotApplicableError
        pair = _guarded(lambda function, given: tuple(function.forward(given)), self.function, self.given)
        if len(pair) != 2:
            text = f"got {len(pair)} from the forward pass, wanted two: outputs by name, and a memory"
            raise UnsoundError((Finding("not a pair", "", text),))
        self.outputs, self.memory = pair
        return self.read(self.outputs)

    def backward(self) -> Arrays:
        """Run the backward pass that belongs to the forward pass; return the gradients."""
        steps: Any = self.function
        self.gradients = _guarded(steps.backward, self.memory, self.given)
        return self.read(self.gradients)

    def read(self, returned: Any) -> Arrays:
        """Return a copy of what the subject returned, float64."""
        result = read(returned, self.problem.case)
        if result.findings:
            raise UnsoundError(result.findings)
        return result.values


def _nan_for_a_number(now: Any, then: Any) -> tuple[Any, Any]:
    """Return both with 0 where both are NaN, and infinity, which no number equals, for any other NaN of `then`."""
    kept = np.isnan(now) & np.isnan(then)
    return np.where(kept, 0.0, now), np.where(kept, 0.0, np.where(np.isnan(then), np.inf, then))


def _guarded(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except (Exception, SystemExit) as error:  # anything at all may be wrong with somebody's code
        raise UnsoundError((raised(error),)) from None


class Session:
    """A subject and the cases that it is used on.

    Attributes:
        subject: the subject.
        case: the case in question.
        twin: one of the same sizes, with other numbers.
        larger, smaller: one with a step more and one with a step less, or, where there is a batch, with a sequence more
            and less, or both; as far as the subject says that it goes.
    """

    def __init__(self, subject: Subject, case: Case) -> None:
        self.subject = subject
        dT, dB = (1, 0) if case.spec.axes == "T" else ((1, 1), (1, 0), (0, 1))[case.seed % 3]
        self.case, self.twin, self.larger, self.smaller = (
            Problem(other) for other in (case, *(self._other(case, k * dT, k * dB) for k in (0, 1, -1)))
        )

    def _other(self, case: Case, dT: int, dB: int) -> Case:
        options, declared = self.subject.options, self.subject.declared
        T, B = (
            max(1, min(size + more, options[name][0]) if name in declared else size + more)
            for name, size, more in (("max_T", case.T, dT), ("max_B", case.B, dB))
        )
        lengths = case.lengths and tuple(
            length and max(1, length + T - case.T) for length in (*case.lengths, *case.lengths)[:B]
        )
        return replace(case, T=T, B=B, lengths=lengths, seed=(case.seed + 1) % SEED_LIMIT, arrays={})

    def use(self, problem: Problem) -> Use:
        """Return a use of a case that has not begun."""
        return Use(self.subject, problem)


def _inputs_only_read(session: Session) -> Iterator[TensorCheck]:
    use, case = session.use(session.case), session.case
    if isinstance(use.function, TwoSteps):
        outputs = use.forward()
        use.backward()
        yield from case.unchanged("after the backward pass", use.read(use.outputs), outputs)
    else:
        use.both()
    yield from case.unchanged("as given", use.arrays, case.case.arrays)


def _same_again(session: Session) -> Iterator[TensorCheck]:
    case = session.case
    first = session.use(case).both()
    yield from case.right("at first", first)
    for other, size in ((session.larger, "larger"), (session.smaller, "smaller")):
        yield from other.right(f"of a {size} case", session.use(other).both())
        again = session.use(case).both()
        yield from case.again(f"after a {size} case", again, first)


def _results_kept(session: Session) -> Iterator[TensorCheck]:
    use = session.use(session.case)
    results = use.both()
    for other, what in ((session.twin, "another"), (session.larger, "a larger"), (session.smaller, "a smaller")):
        session.use(other).both()
        yield from session.case.unchanged(f"after {what} case", use.read(use.outputs), results)


def _backward_twice(session: Session) -> Iterator[TensorCheck]:
    use, case = session.use(session.case), session.case
    yield from case.right("", use.forward())
    first, second = use.backward(), use.backward()
    yield from case.right("the first time", first)
    yield from case.again("the second time", second, first)


def _gradients_fresh(session: Session) -> Iterator[TensorCheck]:
    left_alone, overwritten = session.use(session.case), session.use(session.case)
    for use in (left_alone, overwritten):
        use.forward()
        use.backward()
    for array in map(np.asarray, overwritten.gradients.values()):
        if array.flags.writeable:
            array[...] = np.nan
    yield from session.case.same("the second time", overwritten.backward(), left_alone.backward())


def _reverse_order(session: Session) -> Iterator[TensorCheck]:
    alone = session.use(session.case)
    alone.forward()
    gradients = alone.backward()
    uses = [session.use(problem) for problem in (session.case, session.twin, session.larger, session.smaller)]
    for use in uses:
        yield from use.problem.right("", use.forward())
    for use in uses[:0:-1]:
        yield from use.problem.right("after other forward passes", use.backward())
    latest = uses[0].backward()
    yield from session.case.again("after other forward passes", latest, gradients)


CHECKS = Checks(
    "second-use",
    Session,
    {
        "inputs only read": Property("inputs, cotangents and outputs are the same afterwards", _inputs_only_read),
        "same again": Property("a case gives the same after a larger and a smaller one", _same_again),
        "results kept": Property("what was returned stays what it was when other cases are run", _results_kept),
        "backward twice": Property("two backward passes of one forward pass give the same", _backward_twice),
        "gradients fresh": Property("what a backward pass returned is the caller's to overwrite", _gradients_fresh),
        "reverse order": Property("four forward passes, then the backward passes, last case first", _reverse_order),
    },
)
USES = tuple(CHECKS.properties)
"""The names of the checks."""


def check_uses(
    subject: str | Function | Subject, case: Case, names: Iterable[str] | None = None
) -> tuple[PropertyVerdict, ...]:
    """Return whether a subject can be used again, by each check on a case; the last three apply to `TwoSteps`.

    Args:
        subject: the subject, as of `crosscheck.implementation.make`.
        case: the case.
        names: the checks; all if None.

    Raises:
        ArgumentError: the subject can't be loaded.
    """
    return CHECKS.verdicts(make(subject), case, names)
