"""The state that a whole process shares: what of it a call has changed, and how it is put back.

Parts whose change falls on other people's numbers or files are a finding; the others are worth a note. Torch is looked
at where it is imported, and never imported for it.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from crosscheck.implementation import Finding

CHANGED, NOTED, RANDOM = "changed global state", "global state", "random numbers"
SIGNALS = [name for name in ("SIGINT", "SIGTERM", "SIGABRT", "SIGFPE", "SIGALRM", "SIGCHLD") if hasattr(signal, name)]
"""Those whose handlers people set."""
SHORT = 40  # characters of a value that is told


@dataclass(frozen=True)
class Part:
    """A part of the state.

    Attributes:
        read: returns it, comparable; None where there is none.
        write: puts it back.
        kind: the kind of a finding, `CHANGED`, or of a note.
    """

    read: Callable[[], Any]
    write: Callable[[Any], None]
    kind: str = NOTED


def _torch(read: Callable[[Any], Any], absent: Any = None) -> Callable[[], Any]:
    """Return what reads something of torch, and gives what it is at first where torch isn't imported."""

    def of_torch() -> Any:
        torch = sys.modules.get("torch")
        return absent if torch is None or not hasattr(torch, "nn") else read(torch)

    return of_torch


def _to_torch(write: Callable[[Any, Any], None]) -> Callable[[Any], None]:
    return lambda value: write(sys.modules["torch"], value) if "torch" in sys.modules else None


def _handlers() -> dict[str, Any]:
    return {name: signal.getsignal(getattr(signal, name)) for name in SIGNALS}


def _handle(handlers: dict[str, Any]) -> None:
    for name, handler in handlers.items():
        number = getattr(signal, name)
        if handler is not None and signal.getsignal(number) is not handler:
            signal.signal(number, handler)


def _set_environment(environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)


def _set_streams(streams: tuple[Any, ...]) -> None:
    sys.stdin, sys.stdout, sys.stderr = streams


def _nothing(_value: Any) -> None:
    """Put nothing back: each case begins with random numbers of its own, and a thread can't be stopped."""


PARTS: Mapping[str, Part] = {
    "np.geterr()": Part(np.geterr, lambda old: np.seterr(**old) and None, CHANGED),
    "the working directory": Part(os.getcwd, os.chdir, CHANGED),
    "torch's default dtype": Part(
        _torch(lambda torch: str(torch.get_default_dtype()).removeprefix("torch."), "float32"),
        _to_torch(lambda torch, name: torch.set_default_dtype(getattr(torch, name))),
        CHANGED,
    ),
    "torch's grad mode": Part(
        _torch(lambda torch: torch.is_grad_enabled(), True),
        _to_torch(lambda torch, on: torch.set_grad_enabled(on)),
        CHANGED,
    ),
    "torch's number of threads": Part(
        _torch(lambda torch: torch.get_num_threads()), _to_torch(lambda torch, count: torch.set_num_threads(count))
    ),
    "torch's deterministic algorithms": Part(
        _torch(lambda torch: torch.are_deterministic_algorithms_enabled(), False),
        _to_torch(lambda torch, on: torch.use_deterministic_algorithms(on)),
    ),
    "the environment": Part(lambda: dict(os.environ), _set_environment),
    "the signal handlers": Part(_handlers, _handle),
    "the standard streams": Part(lambda: (sys.stdin, sys.stdout, sys.stderr), _set_streams),
    "the recursion limit": Part(sys.getrecursionlimit, sys.setrecursionlimit),
    "the number of running threads": Part(threading.active_count, _nothing),
    "Python's": Part(random.random, _nothing, RANDOM),
    "NumPy's": Part(np.random.random_sample, _nothing, RANDOM),
    "torch's": Part(_torch(lambda torch: torch.rand((), dtype=torch.float64, device="cpu").item()), _nothing, RANDOM),
}
"""All that is looked at, by name. Of random numbers, it is the next one."""


def snapshot(number: int) -> dict[str, Any]:
    """Return the state, part by part, the random numbers beginning anew.

    Args:
        number: what they begin at, 0 to 2^32 - 1.
    """
    _seed(number)
    state = {name: part.read() for name, part in PARTS.items()}
    _seed(number)  # the next ones were looked at
    return state


def _seed(number: int) -> None:
    random.seed(number)
    np.random.seed(number)
    _torch(lambda torch: torch.manual_seed(number))()


def changes(before: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Return what is no longer as it was, findings and notes, and put it back.

    Args:
        before: the state as it was.
    """
    found = []
    for name, part in PARTS.items():
        now = part.read()
        if before[name] is None or now == before[name]:
            continue
        part.write(before[name])
        if part.kind == RANDOM:
            found.append(Finding(RANDOM, "", f"it draws from {name} global generator, or seeds it"))
        else:
            found.append(Finding(part.kind, "", f"{name}: {_difference(before[name], now)}"))
    return tuple(found)


def _difference(before: Any, now: Any) -> str:
    """Return in words what changed: of dictionaries, the keys that did."""
    if isinstance(before, dict) and isinstance(now, dict):
        keys = [str(key) for key in before.keys() | now.keys() if before.get(key) != now.get(key)]
        return f"{', '.join(sorted(keys))} changed"
    old, new = str(before), str(now)
    return f"{old} before it, {new} after it" if max(len(old), len(new)) <= SHORT else "not what it was before"
