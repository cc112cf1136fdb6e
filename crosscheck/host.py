"""A subject in a process of its own, so that whatever it does ends, at worst, that process.

`hosted(target)` returns such a subject; `crosscheck.implementation.run` goes to its `host`. A process that ended, or
had to be ended, is a finding, and the next case gets a new one. See `crosscheck.worker` for the other side.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from crosscheck.case import Case
from crosscheck.errors import ArgumentError
from crosscheck.implementation import CRASHED, EXITED, OURS, OUT_OF_MEMORY, TIMED_OUT, Finding, Result, Subject, make
from crosscheck.worker import Error

if TYPE_CHECKING:
    from crosscheck.formula import Formula
    from crosscheck.search import Checks, PropertyVerdict

LOADING = 120.0  # seconds for a target to load: imports, and what it compiles then
LIFTING = 60.0  # seconds for a proof of a subject's own formulas
FIRST = 3  # times as long for the first call in a process: it may compile
GRACE = 5.0  # seconds in which a process that is to end itself has done so
SLICE = 0.5  # seconds between looks at whether a process is there, and at how much it printed
MOST_PRINTED = 2**24  # bytes; what a subject prints beyond these, in one case, is thrown away
LAST_LINES = 10  # of what it printed are shown
MOST_SHOWN = 200  # characters of a line
ROOT = Path(__file__).parent.parent
START = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from crosscheck.worker import main; main()"


@dataclass(frozen=True)
class Limits:
    """What a subject may take.

    Attributes:
        timeout: seconds for each call.
        memory: MiB beyond what it has when it is loaded; None: what there is. Linux alone can tell.
    """

    timeout: float = 10.0
    memory: int | None = 4096


class EndedError(Exception):
    """A subject's process is no more.

    Attributes:
        finding: how it ended.
        notes: what it had printed.
    """

    def __init__(self, finding: Finding, notes: tuple[Finding, ...] = ()) -> None:
        super().__init__(f"{finding.kind}: {finding.text}")
        self.finding, self.notes = finding, notes


class Process:
    """One process with a subject in it.

    Args:
        target: the text that names the subject.
        memory: see `Limits`.
    """

    def __init__(self, target: str, memory: int | None) -> None:
        self.output = tempfile.TemporaryFile()  # noqa: SIM115  the process writes there for as long as it lives
        self.popen = subprocess.Popen(
            [sys.executable, "-P", "-c", START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.output,
            start_new_session=True,  # an interrupt is for us, and whatever it starts ends with it
        )
        assert self.popen.stdin is not None
        assert self.popen.stdout is not None
        self.requests = Connection(os.dup(self.popen.stdin.fileno()), readable=False)
        self.answers = Connection(os.dup(self.popen.stdout.fileno()), writable=False)
        self.popen.stdin.close()
        self.popen.stdout.close()
        self.calls = 0
        self.end = weakref.finalize(self, _end, self.popen, self.requests, self.answers, self.output)
        with contextlib.suppress(OSError):  # it may have ended already; the first request says so
            self.requests.send((target, sys.path, memory))

    def ask(self, seconds: float, method: str, *arguments: Any) -> tuple[Any, str]:
        """Ask for something; return the answer, and what was printed.

        Args:
            seconds: how long it may take.
            method: a method of `crosscheck.worker.Worker`.
            arguments: its arguments.

        Raises:
            EndedError: the process has ended, or was ended since it took too long.
        """
        begin = time.monotonic()
        try:
            self.requests.send((seconds, method, *arguments))
            answer = self._answer(begin + 2 * seconds + GRACE)  # of two calls, if it is asked for two
        except (EOFError, OSError):
            raise self._ended(seconds, begin) from None
        printed = self._printed()
        if isinstance(answer, Error):
            finding = Finding(CRASHED, "", "an error in its process, outside of its own calls:", answer.text)
            raise EndedError(finding, noted(printed))
        return answer, printed

    def _answer(self, last: float) -> Any:
        while not self.answers.poll(SLICE):
            if time.monotonic() > last or self.popen.poll() is not None:
                raise EOFError
            if os.fstat(self.output.fileno()).st_size > MOST_PRINTED:
                self._printed()
        return self.answers.recv()

    def _printed(self) -> str:
        """Return what was printed since the last time."""
        size = os.fstat(self.output.fileno()).st_size
        if size == 0:
            return ""
        text = os.pread(self.output.fileno(), min(size, MOST_PRINTED), 0).decode(errors="backslashreplace")
        self.output.seek(0)  # the two processes share the position
        self.output.truncate()
        return text

    def _ended(self, seconds: float, begin: float) -> EndedError:
        """Return how the process ended; end it if it hasn't."""
        code = self._code()
        late = time.monotonic() - begin >= seconds
        printed = self._printed()
        self.end()
        before, dump = _split(printed)
        where = _frames(dump)
        if late and code in (None, 1):
            finding = Finding(TIMED_OUT, "", f"no answer within {seconds:.3g} s; it was here:", where)
            finding = finding if where else Finding(TIMED_OUT, "", f"no answer within {seconds:.3g} s")
        elif code is not None and code < 0:
            finding = Finding(CRASHED, "", f"its process was ended by {_name(-code)}", where)
        else:
            finding = Finding(EXITED, "", f"it ended its process, with exit code {code}")
        return EndedError(finding, noted(before))

    def _code(self) -> int | None:
        """Return the exit code; None of a process that goes on."""
        try:
            return self.popen.wait(GRACE if not self.answers.closed else 0)
        except subprocess.TimeoutExpired:
            return None


def _end(popen: subprocess.Popen[bytes], requests: Connection, answers: Connection, output: IO[bytes]) -> None:
    """End a process and all that it started."""
    for end in (requests, answers):
        end.close()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(popen.pid, signal.SIGKILL)
    popen.wait()
    output.close()


class Host:
    """Where a subject runs: a process, and, when that has ended, another.

    Args:
        target: the text that names the subject.
        limits: what it may take.
    """

    def __init__(self, target: str, limits: Limits) -> None:
        self.target, self.limits = target, limits
        self.warm: float | None = None  # seconds more for the first call; None: no first call was answered yet
        self.unliftable = ""
        self.process: Process | None = Process(target, limits.memory)
        self.loaded = False

    def load(self) -> Any:
        """Return what the worker says of the subject, a `crosscheck.worker.Loaded`.

        Raises:
            ArgumentError: it can't be loaded.
        """
        try:
            return self._ask(LOADING, "loaded")
        except EndedError as error:
            text = f"{error.finding.kind} while it was loaded: {error.finding.text.removesuffix('; it was here:')}"
            raise ArgumentError(self.target, text, "a target that loads") from None

    def run(self, case: Case, copy: Callable[[Any], Any] | None = None, twice: bool = False) -> Result:
        """Run the subject on a case; see `crosscheck.implementation.run`."""
        try:
            process = self._ready()
            seconds, begin = self._seconds(process), time.monotonic()
            answer, printed = process.ask(seconds, "run", case, copy, twice)
        except EndedError as error:
            self._over()
            return Result({}, (error.finding,), notes=error.notes)
        result: Result = answer
        if process.calls == 0:
            self.warm = 2 * (time.monotonic() - begin)
        process.calls += 1
        if any(finding.kind == OUT_OF_MEMORY for finding in result.findings):
            process.end()  # what it has taken it may still hold
            self.process = None
        return replace(result, notes=(*result.notes, *noted(printed)))

    def formula(self, case: Case, names: frozenset[str]) -> Formula | None:
        """See `crosscheck.formula.formula`; code that ended its process on balls is not lifted again."""
        from crosscheck.formula import Formula

        if self.unliftable:
            return Formula(None, self.unliftable)
        try:
            answer = self._ask(LIFTING, "formula", case, names)
        except EndedError as error:
            self.unliftable = f"{error.finding.kind}: {error.finding.text.removesuffix('; it was here:')}"
            return Formula(None, self.unliftable)
        found: Formula | None = answer
        return found

    def verdicts(self, checks: Checks[Any], case: Case, names: tuple[str, ...]) -> tuple[PropertyVerdict, ...]:
        """See `crosscheck.search.Checks.verdicts`; the time of a call is that of a property here."""
        try:
            seconds = self._seconds(self._ready()) + (len(names) - 1) * self.limits.timeout
            answer = self._ask(seconds, "verdicts", checks.begin.__module__, case, names)
        except EndedError as error:
            if len(names) > 1:  # which of them was it?
                return tuple(verdict for name in names for verdict in self.verdicts(checks, case, (name,)))
            return (checks.failed(self.target, case, names[0], error.finding),)
        verdicts: tuple[PropertyVerdict, ...] = answer
        return verdicts

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.end()
            self.process = None

    def _ask(self, seconds: float, method: str, *arguments: Any) -> Any:
        try:
            answer, _ = (self._ready() if self.loaded else self._process()).ask(seconds, method, *arguments)
        except EndedError:
            self._over()
            raise
        if isinstance(answer, ArgumentError):
            raise answer
        self.loaded = True
        return answer

    def _process(self) -> Process:
        if self.process is None:
            self.process = Process(self.target, self.limits.memory)
        return self.process

    def _ready(self) -> Process:
        """Return a process in which the subject is loaded."""
        if self.process is not None:
            return self.process
        process = self._process()
        answer, _ = process.ask(LOADING, "loaded")
        if isinstance(answer, ArgumentError):
            raise EndedError(Finding(EXITED, "", f"its process ended, and then it could not be loaded again: {answer}"))
        return process

    def _seconds(self, process: Process) -> float:
        """Return how long a call may take: longer if it is the first in its process, as much as that once took."""
        timeout = self.limits.timeout
        if process.calls:
            return timeout
        return FIRST * timeout if self.warm is None else timeout + self.warm

    def _over(self) -> None:
        self.close()
        if self.warm is None:
            self.warm = 0.0


def hosted(*targets: str, limits: Limits | None = None) -> tuple[Subject, ...]:
    """Return subjects that run in a process of their own each; those that come with the package run in this one.

    Args:
        targets: texts as of `crosscheck.implementation.make`.
        limits: what each may take; None: the default ones.

    Raises:
        ArgumentError: one can't be loaded.
    """
    hosts = {target: Host(target, limits or Limits()) for target in targets if target not in OURS}
    return tuple(_subject(hosts[target]) if target in hosts else make(target) for target in targets)


def _subject(host: Host) -> Subject:
    loaded = host.load()

    def there(case: Case) -> Mapping[str, Any]:
        result = host.run(case)
        if result.findings:
            raise RuntimeError("; ".join(f"{finding.kind}: {finding.text}" for finding in result.findings))
        return {name: array.astype(case.array_dtype) for name, array in result.values.items()}

    return Subject(
        loaded.name,
        there,
        loaded.options,
        loaded.declared,
        loaded=True,
        adapter=loaded.adapter,
        conventions=loaded.conventions,
        notes=loaded.notes,
        host=host,
    )


def noted(printed: str) -> tuple[Finding, ...]:
    """Return a note of what a subject printed, its last lines; nothing if it printed nothing."""
    lines = [_plain(line) for line in printed.splitlines() if line.strip()]
    if not lines:
        return ()
    text = "1 line" if len(lines) == 1 else f"{len(lines)} lines"
    text += f", the last {LAST_LINES} of them:" if len(lines) > LAST_LINES else ":"
    return (Finding("printed", "", text, "\n".join(lines[-LAST_LINES:])),)


def _plain(line: str) -> str:
    """Return a line as it can be shown: no escape sequence of a terminal, and not without end."""
    shown = "".join(c if c.isprintable() or c == "\t" else f"\\x{ord(c):02x}" for c in line[:MOST_SHOWN])
    return shown + ("..." if len(line) > MOST_SHOWN else "")


def _split(printed: str) -> tuple[str, str]:
    """Return what a subject printed, and what Python's fault handler did after it."""
    found = re.search(r"^(Fatal Python error|Timeout \()", printed, re.M)
    return (printed[: found.start()], printed[found.start() :]) if found else (printed, "")


def _frames(dump: str) -> str:
    """Return the frames in a fault handler's dump that are not ours, the last call last, as a traceback has them."""
    frames: Sequence[str] = ()
    for stack in re.split(r"^(?:Current thread|Thread) .*$", dump, flags=re.M):
        lines = [line for line in stack.splitlines() if line.startswith("  File ")]
        ours = next((k for k, line in enumerate(lines) if f'"{ROOT / "crosscheck" / "worker.py"}"' in line), None)
        if ours is not None:
            frames = lines[:ours]
    return "\n".join(reversed(frames))


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
