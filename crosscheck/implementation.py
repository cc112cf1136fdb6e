"""What an implementation under test is, how one is found, and how it is run on a case.

A subject is any callable `case -> mapping of name to array`. The names are those of `Case.result_shapes`: the outputs
y, h_n, c_n and loss, and `d` + the name of an input or parameter for its gradient. What it leaves out is not checked.

One that says how it is used in two steps, a forward pass and the backward pass that follows it, is a `TwoSteps`.
"""

from __future__ import annotations

import difflib
import importlib
import re
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

import numpy as np

from crosscheck import strategies
from crosscheck.adapters import AS_OURS, adapt, parsed, text_of
from crosscheck.case import Case
from crosscheck.conventions import Conventions
from crosscheck.errors import ArgumentError
from crosscheck.loading import attribute_of, copy_of, load_module, split_target
from crosscheck.memory import behind

if TYPE_CHECKING:
    from crosscheck.host import Host

Function = Callable[[Case], Mapping[str, Any]]
AnyFunction = TypeVar("AnyFunction", bound=Function)
OPTIONS_ATTRIBUTE = "__crosscheck_options__"
NOT_REPEATABLE = "not repeatable"  # the kind of finding
TIMED_OUT, EXITED, CRASHED, OUT_OF_MEMORY = ENDS = ("timed out", "exited", "crashed", "out of memory")
"""The kinds of findings after which a subject gets a new process."""
CALLERS = (__file__, str(Path(__file__).with_name("worker.py")))
"""The files that call subjects, whose frames are no part of what a subject raised."""
NOTES_ATTRIBUTE = "__crosscheck_notes__"
BUILT_IN = ("manual", "torch_rnn", "torch_builtin")
"""The subjects of the run without a target: `crosscheck.subjects.<name>:<name>`."""
OPTIONAL = tuple(
    path.stem
    for path in sorted(Path(__file__).with_name("subjects").glob("*.py"))
    if path.stem not in BUILT_IN and re.search(rf"^(def {path.stem}\(|{path.stem} = )", path.read_text("utf-8"), re.M)
)
"""Other people's implementations, one a file that defines what it is named after. What such a subject needs is
installed by the extra that its name begins with, of `jax_scan` by jax."""
OURS = BUILT_IN + OPTIONAL
"""All subjects that come with the package."""


@runtime_checkable
class TwoSteps(Protocol):
    """A subject in two steps, which can be used one by one; a class that inherits from it is a subject too."""

    def forward(self, case: Case) -> tuple[Mapping[str, Any], Any]:
        """Return the outputs by name, and the memory: whatever `backward` needs besides the case."""
        ...

    def backward(self, memory: Any, case: Case) -> Mapping[str, Any]:
        """Return the gradients by name, in arrays of their own; the memory and the case are only read."""
        ...

    def __call__(self, case: Case) -> dict[str, Any]:
        """Return the outputs and the gradients."""
        outputs, memory = self.forward(case)
        return {**outputs, **self.backward(memory, case)}


class _Pair(TwoSteps):
    """Two functions as a subject."""

    def __init__(self, name: str, forward: Callable[..., Any], backward: Callable[..., Any]) -> None:
        self.__name__, self.__module__ = name, forward.__module__
        self.__wrapped__ = backward  # for who looks where it is defined
        self._forward, self._backward = forward, backward

    def forward(self, case: Case) -> tuple[Mapping[str, Any], Any]:
        outputs, memory = self._forward(case)
        return outputs, memory

    def backward(self, memory: Any, case: Case) -> Mapping[str, Any]:
        gradients: Mapping[str, Any] = self._backward(memory, case)
        return gradients


def two_steps(
    name: str,
    forward: Callable[[Case], tuple[Mapping[str, Any], Any]],
    backward: Callable[[Any, Case], Mapping[str, Any]],
) -> TwoSteps:
    """Return two functions as one subject.

    Args:
        name: what it is called.
        forward: case -> outputs by name, memory.
        backward: memory, case -> gradients by name.
    """
    return _Pair(name, forward, backward)


@dataclass(frozen=True)
class Subject:
    """An implementation under test.

    Attributes:
        name: how it was asked for.
        function: what computes the results.
        options: what it supports; see `crosscheck.strategies.supports`.
        declared: the options that it states itself.
        loaded: whether `name` is the text that it was loaded by, of somebody's module; `make(name)` loads it again.
        adapter: what made a subject of what was loaded; None if that was one already.
        conventions: what the adapter was told.
        notes: what is not checked of it, in words.
        host: the process of its own that it runs in, and `function` runs it there; None: this process.
    """

    name: str
    function: Function
    options: Mapping[str, tuple[Any, ...]]
    declared: frozenset[str] = frozenset()
    loaded: bool = False
    adapter: str | None = None
    conventions: Conventions = field(default_factory=Conventions)
    notes: tuple[str, ...] = ()
    host: Host | None = None

    @cached_property
    def lifted(self) -> Function:
        """The function to run on balls: where it was loaded, from a second copy of its module, whose NumPy makes balls.

        Raises:
            Exception: whatever somebody's module raises when it is run a second time.
        """
        if not self.loaded:
            return self.function
        from crosscheck.referee.numbers.standin import lift_module

        place, attribute = split_target(parsed(self.name)[0])
        module = copy_of(load_module(place))
        lift_module(module)
        thing = attribute_of(module, place, attribute)
        function: Function = thing if self.adapter is None else adapt(self.adapter, thing, self.conventions)
        return function


@dataclass(frozen=True)
class Finding:
    """Something wrong with a subject besides its numbers, in words.

    Attributes:
        kind: "raised", "not repeatable", "not a mapping", "unknown name", "not numbers", "wrong shape", "wrong dtype",
            "wrote into input", "nothing returned", "wrong formula" or "odd one out"; in a process of its own also
            "timed out", "exited", "crashed", "out of memory" or "changed global state". Of a note, which is no fault:
            "printed", "random numbers", "global state" or "shared memory".
        name: the tensor concerned; empty if none.
        text: got and wanted.
        details: a traceback; empty if none.
    """

    kind: str
    name: str
    text: str
    details: str = ""

    @property
    def sort(self) -> str:
        """What it is about, without what differs from run to run: its kind, and of what was raised the type."""
        return f"{self.kind} {self.text.partition(':')[0]}" if self.kind == "raised" else self.kind

    @property
    def counted(self) -> bool:
        """Whether, as a note, it says the same of every case: what was printed is another text each time."""
        return self.kind != "printed"


@dataclass(frozen=True)
class Result:
    """What a subject returned for a case.

    Attributes:
        values: the well-formed arrays by name, float64.
        findings: what was wrong besides numbers.
        notes: what is worth a word and no fault.
        again: what a second call returned otherwise, by name.
    """

    values: Mapping[str, Any]
    findings: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()
    again: Mapping[str, Any] = field(default_factory=dict)

    @property
    def finite(self) -> bool:
        """Whether there is no NaN or infinity in it."""
        return all(bool(np.isfinite(array).all()) for array in self.values.values())


def subject(**options: Any) -> Callable[[AnyFunction], AnyFunction]:
    """Decorate a subject with what it supports, so that only such cases are drawn.

    Args:
        options: a value or several of any option in `crosscheck.strategies.EVERYTHING`, such as `cell` and `bias`, and
            max_T, max_B, max_I, max_H, the largest sizes. What is left out has its value in `PLAIN` there.

    Raises:
        ArgumentError: a name or a value is unknown.
    """
    strategies.supports(options)

    def mark(function: AnyFunction) -> AnyFunction:
        setattr(function, OPTIONS_ATTRIBUTE, {**getattr(function, OPTIONS_ATTRIBUTE, {}), **options})
        return function

    return mark


def noted(function: AnyFunction, notes: Iterable[str]) -> AnyFunction:
    """Mark a subject with what is not checked of it, in words, and return it."""
    setattr(function, NOTES_ATTRIBUTE, tuple(notes))
    return function


def make(
    target: Any,
    adapter: str | None = None,
    conventions: Conventions = AS_OURS,
    options: Mapping[str, Any] | None = None,
) -> Subject:
    """Return the subject for a target.

    Args:
        target: a subject; a callable; or a text: the name of a built-in subject, `package.module:attr`, or
            `path/to/file.py:attr`, and behind it perhaps an adapter and conventions; see `crosscheck.adapters`. With an
            adapter: whatever that takes.
        adapter: a name in `crosscheck.adapters.ADAPTERS`; None if the target is a subject already.
        conventions: how the target lays out what it takes and returns; for an adapter.
        options: what it supports besides what it says itself; see `crosscheck.strategies.supports`.

    Raises:
        ArgumentError: there is no such file, module or attribute, it can't be imported, it is not callable, or it is
            nothing for the adapter.
    """
    if isinstance(target, Subject):
        return target
    thing, name, text = target, getattr(target, "__name__", type(target).__name__), isinstance(target, str)
    if text:
        if adapter is None:
            target, adapter, conventions = parsed(target)
        thing, name = load(target), text_of(target, adapter, conventions)
    if adapter is None and isinstance(thing, type):
        raise ArgumentError(name, "a class", "a callable: case -> mapping, or --as; crosscheck init says which fits")
    if adapter is None and not callable(thing):
        raise ArgumentError(name, type(thing).__name__, "a callable: case -> mapping of name to array")
    function = thing if adapter is None else adapt(adapter, thing, conventions)
    stated = [getattr(of, OPTIONS_ATTRIBUTE, {}) for of in (function, thing)]
    declared = {**stated[0], **stated[1], **(options or {})}
    loaded = text and target not in OURS
    notes = getattr(function, NOTES_ATTRIBUTE, ())
    return Subject(
        name, function, strategies.supports(declared), frozenset(declared), loaded, adapter, conventions, notes
    )


def of_cell(subject: Subject, cell: str) -> Subject:
    """Return a subject with the word that it is a cell, as if it said so itself."""
    options = {**subject.options, **strategies.supports({"cell": cell}, subject.options)}
    return replace(subject, options=options, declared=subject.declared | {"cell"})


def load(target: str) -> Any:
    """Return the object that a text names; see `make`."""
    if target in OURS:
        return _ours(target)
    if ":" not in target:
        wanted = f"package.module:attr, path/to/file.py:attr, or one of {', '.join(OURS)}"
        raise ArgumentError("target", repr(target), wanted)
    place, attribute = split_target(target)
    return attribute_of(load_module(place), place, attribute)


def _ours(name: str) -> Any:
    """Return the subject of a name in `OURS`."""
    try:
        return getattr(importlib.import_module(f"crosscheck.subjects.{name}"), name)
    except ModuleNotFoundError as error:
        extra = name.partition("_")[0]
        raise ArgumentError(
            name, f"no module {error.name!r}", f"it installed: pip install 'rnn-crosscheck[{extra}]'"
        ) from error


def run(subject: Subject, case: Case, copy: Callable[[Any], Any] | None = None, twice: bool = False) -> Result:
    """Run a subject on a case; whatever it does wrong is a finding, never an exception.

    The subject gets arrays of its own, which it could write into; that is found out afterwards.

    Args:
        subject: the subject.
        case: the case.
        copy: what makes these arrays; None: they lie in memory as the case says.
        twice: whether to call it a second time, and keep what is then not the same.
    """
    if subject.host is not None:
        return subject.host.run(case, copy, twice)
    first = _once(subject, case, copy)
    return repeated(first, _once(subject, case, copy)) if twice and not first.findings else first


def _once(subject: Subject, case: Case, copy: Callable[[Any], Any] | None) -> Result:
    given = case.laid_out() if copy is None else case.lift(copy)
    arrays = dict(given.arrays)  # also if the subject takes some away
    before = {name: behind(array).tobytes() for name, array in arrays.items()}
    returned: Any
    try:
        returned = subject.function(given)
        returned = dict(returned) if isinstance(returned, Mapping) else returned
    except (Exception, SystemExit) as error:  # anything at all may be wrong with somebody's code
        return Result({}, (raised(error),))
    result = read(returned, case)
    return replace(result, findings=(*written(case, arrays, before), *result.findings))


def repeated(first: Result, second: Result) -> Result:
    """Return the result of a call, with what a second one on the same case gave otherwise."""
    text = "a second call on the same case did otherwise: "
    findings = [Finding(NOT_REPEATABLE, f.name, f"{text}{f.kind}: {f.text}", f.details) for f in second.findings]
    named = {finding.name for finding in findings}
    findings += [
        Finding(NOT_REPEATABLE, name, f"{text}it was not returned")
        for name in first.values
        if name not in second.values and name not in named and not second.findings
    ]
    again = {
        name: array
        for name, array in second.values.items()
        if name in first.values and not np.array_equal(array, first.values[name], equal_nan=True)
    }
    notes = tuple(dict.fromkeys((*first.notes, *second.notes)))
    return replace(first, findings=(*first.findings, *findings), notes=notes, again=again)


def raised(error: BaseException) -> Finding:
    """Return the finding of what a subject raised."""
    kind = OUT_OF_MEMORY if isinstance(error, MemoryError) else "raised"
    return Finding(kind, "", f"{type(error).__name__}: {error}", _traceback(error))


def written(case: Case, arrays: Mapping[str, Any], before: Mapping[str, bytes]) -> tuple[Finding, ...]:
    """Return a finding for each of the arrays that a subject was given for a case and has changed.

    Args:
        case: the case.
        arrays: what the subject was given.
        before: what was in the memory behind them.
    """
    findings = []
    for name, array in case.arrays.items():
        if array.tobytes() != arrays[name].tobytes():
            findings.append(Finding("wrote into input", name, "its input is no longer what it was given"))
        elif behind(arrays[name]).tobytes() != before[name]:
            findings.append(Finding("wrote into input", name, "what lies between its numbers in memory has changed"))
    return tuple(findings)


def read(returned: Any, case: Case) -> Result:
    """Return what a subject returned for a case as arrays, or what is wrong with it."""
    if not isinstance(returned, Mapping):  # whatever its annotation says
        text = f"got {type(returned).__name__}, wanted a mapping of name to array"
        return Result({}, (Finding("not a mapping", "", text),))
    if not returned:
        return Result({}, (Finding("nothing returned", "", "got an empty mapping, so nothing is checked"),))
    values: dict[str, Any] = {}
    findings: list[Finding] = []
    for name, value in returned.items():
        array, finding = _checked(name, value, case)
        if finding is None:
            values[name] = array
        else:
            findings.append(finding)
    return Result(values, tuple(findings))


def _checked(name: Any, value: Any, case: Case) -> tuple[Any, Finding | None]:
    """Return a float64 copy of what was returned under a name, or what is wrong with it."""
    shapes = case.result_shapes
    if name not in shapes:
        near = difflib.get_close_matches(str(name), shapes, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return None, Finding("unknown name", str(name), f"wanted one of {', '.join(shapes)}{hint}")
    try:
        array = np.asarray(value)
    except Exception as error:  # somebody's array type
        return None, Finding("not numbers", name, f"{type(error).__name__}: {error}")
    if array.dtype.kind not in "f":
        return None, Finding(
            "not numbers", name, f"got {type(value).__name__} of dtype {array.dtype}, wanted {case.array_dtype}"
        )
    if array.shape != shapes[name]:
        return None, Finding("wrong shape", name, f"got shape {array.shape}, wanted {shapes[name]}")
    if array.dtype != case.array_dtype and type(value) is not float:
        return None, Finding("wrong dtype", name, f"got {array.dtype}, wanted {case.array_dtype}")
    return array.astype(np.float64), None


def _traceback(error: BaseException) -> str:
    """Return the traceback of what a subject raised, without our own frames, the first."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename in CALLERS:
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))
