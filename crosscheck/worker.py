"""The process that a subject runs in: it loads the subject, and answers what `crosscheck.host` asks of it.

Requests and answers go over the two pipes that are its standard input and output when it starts. They are moved out of
the way at once, so that nothing a subject prints or reads gets between them. What it prints goes to a file of the
host's. A call that takes too long ends the process; where it was then is the last thing that this file tells.
"""

from __future__ import annotations

import faulthandler
import importlib
import os
import sys
import traceback
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from crosscheck import state
from crosscheck.case import Case
from crosscheck.conventions import Conventions
from crosscheck.errors import ArgumentError
from crosscheck.formula import Formula, formula
from crosscheck.implementation import Finding, Result, Subject, make, repeated, run
from crosscheck.memory import behind
from crosscheck.search import Checks, PropertyVerdict

MIB = 2**20


@dataclass(frozen=True)
class Loaded:
    """What a worker says of the subject that it has loaded: its name, options and so on; see `Subject`."""

    name: str
    options: Mapping[str, tuple[Any, ...]]
    declared: frozenset[str]
    adapter: str | None
    conventions: Conventions
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Error:
    """An error in a worker, but not one that the subject raised: a traceback."""

    text: str


class Watch:
    """What ends this process when something takes too long, from outside of Python, and tells where it was."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.file = os.dup(2)  # also when a subject closes its own
        faulthandler.enable(self.file)

    def begin(self) -> None:
        """Begin to count the seconds."""
        faulthandler.dump_traceback_later(self.seconds, exit=True, file=self.file)

    def end(self) -> None:
        """Count no more."""
        faulthandler.cancel_dump_traceback_later()


class Worker:
    """A subject, loaded, and what is known from earlier calls of it.

    Args:
        target: the text that names it.
        memory: how many MiB it may take beyond what it has when it is loaded; None: what there is.
        watch: what counts the seconds of each call.

    Raises:
        ArgumentError: it can't be loaded.
    """

    def __init__(self, target: str, memory: int | None, watch: Watch) -> None:
        self.subject: Subject = make(target)
        self.watch = watch
        self.kept: dict[str, tuple[Any, Any]] = {}  # what it returned last, and a copy of that
        if memory is not None:
            limit_memory(memory * MIB)

    def loaded(self) -> Loaded:
        """Return what the subject supports."""
        of = self.subject
        return Loaded(of.name, of.options, of.declared, of.adapter, of.conventions, of.notes)

    def run(self, case: Case, copy: Callable[[Any], Any] | None, twice: bool) -> Result:
        """Run the subject; see `crosscheck.implementation.run`. The second call begins with other random numbers."""
        number = _number(case)
        first = self._once(case, copy, number)
        return repeated(first, self._once(case, copy, number ^ 1)) if twice and not first.findings else first

    def formula(self, case: Case, names: frozenset[str]) -> Formula | None:
        """See `crosscheck.formula.formula`."""
        with undone(_number(case)):
            return formula(self.subject, case, names)

    def verdicts(self, module: str, case: Case, names: tuple[str, ...]) -> tuple[PropertyVerdict, ...]:
        """See `crosscheck.search.Checks.verdicts`; the checks are those of a module."""
        checks: Checks[Any] = importlib.import_module(module).CHECKS
        with undone(_number(case)):
            return checks.verdicts(self.subject, case, names)

    def _once(self, case: Case, copy: Callable[[Any], Any] | None, number: int) -> Result:
        """Run the subject once, its random numbers beginning at a state that goes by a number."""
        seen: list[Finding] = []

        def watched(given: Case) -> Any:
            buffers = [behind(array) for array in given.arrays.values()]
            with undone(number) as changes:
                self.watch.begin()
                returned = _called(self.subject.function, given)
            seen.extend(changes)
            seen.extend(self._shared(returned, buffers) if isinstance(returned, Mapping) else ())
            return returned

        result = run(replace(self.subject, function=watched), case, copy)
        found = tuple(finding for finding in seen if finding.kind == state.CHANGED)
        notes = tuple(finding for finding in seen if finding.kind != state.CHANGED)
        return replace(result, findings=(*result.findings, *found), notes=notes)

    def _shared(self, returned: Mapping[str, Any], buffers: list[Any]) -> Iterator[Finding]:
        """Yield a note where results lie in an input's memory, or where those of the last call are overwritten."""
        over = [name for name, (array, copy) in self.kept.items() if array.tobytes() != copy]
        if over:
            yield Finding("shared memory", "", "what it returned is overwritten at the next call; see --second-use")
        arrays = {name: array for name, value in returned.items() if (array := _array(value)) is not None}
        if any(np.may_share_memory(array, buffer) for array in arrays.values() for buffer in buffers):
            yield Finding("shared memory", "", "what it returns lies in the memory of its inputs")
        self.kept = {name: (array, array.tobytes()) for name, array in arrays.items()}


def _number(case: Case) -> int:
    """Return what the random numbers of a case begin at."""
    return zlib.crc32(str(case).encode())


def _called(function: Callable[[Case], Any], given: Case) -> Any:
    """Call a subject; what isn't even an `Exception` is nothing special in a process of its own."""
    try:
        returned = function(given)
        return dict(returned) if isinstance(returned, Mapping) else returned
    except (Exception, SystemExit):
        raise
    except BaseException as error:  # KeyboardInterrupt: nobody's keyboard is here
        raise RuntimeError(f"{type(error).__name__}: {error}") from error


def _array(value: Any) -> Any:
    """Return what was returned under a name as an array, in its own memory; None if it is none."""
    if isinstance(value, np.ndarray):
        return value if value.dtype != object else None
    with suppress(Exception):  # somebody's array type
        array = np.asarray(value)
        return array if array.dtype != object else None
    return None


@contextmanager
def undone(number: int) -> Iterator[list[Finding]]:
    """Put the state of the process back at the end, whatever happens, and give what had changed.

    Args:
        number: what its random numbers begin at.
    """
    before = state.snapshot(number)
    changes: list[Finding] = []
    try:
        with warnings.catch_warnings():
            filters = list(warnings.filters)
            try:
                yield changes
            finally:
                if list(warnings.filters) != filters:
                    changes.append(Finding(state.NOTED, "", "the warnings filters: not what they were before"))
    finally:
        changes.extend(state.changes(before))


def limit_memory(more: int) -> None:
    """Let this process have so many bytes more than it has, where the system can say so.

    What counts is memory that can be written to: drivers reserve addresses beyond all memory, which cost nothing.
    """
    if sys.platform != "linux":
        return
    import resource

    with open("/proc/self/status", encoding="ascii") as status:
        data = next((int(line.split()[1]) * 1024 for line in status if line.startswith("VmData:")), 0)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = data + more if hard == resource.RLIM_INFINITY else min(data + more, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _channel() -> tuple[Connection, Connection]:
    """Return the pipes to the host, out of the subject's way, and leave it an empty input and the host's file."""
    reader, writer = Connection(os.dup(0), writable=False), Connection(os.dup(1), readable=False)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    os.dup2(2, 1)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(write_through=True, errors="backslashreplace")  # type: ignore[union-attr]
    return reader, writer


def main() -> None:
    """Answer requests until the host hangs up."""
    reader, writer = _channel()
    watch = Watch()
    target, sys.path[:], memory = reader.recv()
    worker: Worker | None = None
    while True:
        try:
            watch.seconds, method, *arguments = reader.recv()
        except EOFError:
            return
        watch.begin()
        answer: Any
        try:
            worker = worker or Worker(target, memory, watch)
            answer = getattr(worker, method)(*arguments)
        except ArgumentError as error:
            answer = error
        except Exception as error:
            answer = Error(_text(error))
        watch.end()
        _flush()
        writer.send(answer)


def _text(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # a subject may have closed it
            stream.flush()
