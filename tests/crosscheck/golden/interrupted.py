"""Run by test_interrupted.py in a process of its own: saves that end at any of their steps, and what they leave.

    python interrupted.py (steps | kills | race) FOLDER [PLANTED]

In FOLDER there are two sets, `old` and `new`. What was left each time is printed, a word a line: old, new, or what is
wrong. PLANTED is the name of a function below that makes saving worse.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from crosscheck import ArgumentError
from crosscheck.golden import disk, files
from crosscheck.golden.files import load, save
from crosscheck.golden.format import INDEX, contents
from crosscheck.golden.vector import Golden

Sets = Mapping[str, Golden]
MOST_STEPS = 500
KILLS = 40
SAVES = 15


def in_place() -> None:
    """Write each file where it is to be."""
    disk._put = lambda folder, name, content: _written(folder / name, content)


def index_first() -> None:
    """Write the index before what it names."""
    right = disk.replace_all

    def replace_all(folder: Path, named: Mapping[str, bytes]) -> None:
        disk._put(folder, INDEX, named[INDEX])
        right(folder, named)

    vars(files)["replace_all"] = replace_all


def old_ones_first() -> None:
    """Remove the old data files before the new index is there."""
    right = disk._put

    def put(folder: Path, name: str, content: bytes) -> None:
        if name == INDEX:
            for path in folder.glob("*.safetensors"):
                os.unlink(path)
        right(folder, name, content)

    disk._put = put


def _written(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)


class Torn:
    """A file that is written in two halves.

    Args:
        file: the file.
        step: called between them.
    """

    def __init__(self, file: Any, step: Callable[[], None]) -> None:
        self.file, self.step = file, step

    def __enter__(self) -> Torn:
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def write(self, content: bytes) -> None:
        half = len(content) // 2
        for part in (content[:half], content[half:]):
            self.file.write(part)
            self.file.flush()
            self.step()


def end_at(last: int) -> None:
    """Have this process killed at one of the steps that a save takes, counted from 0."""
    taken = 0

    def step() -> None:
        nonlocal taken
        if taken == last:
            os.kill(os.getpid(), signal.SIGKILL)
        taken += 1

    def before_and_after(name: str) -> None:
        right = getattr(os, name)

        def called(*arguments: Any, **named: Any) -> Any:
            step()
            result = right(*arguments, **named)
            step()
            return result

        setattr(os, name, called)

    for name in ("fsync", "replace", "rename", "unlink", "mkdir"):
        before_and_after(name)
    right = Path.open

    def opened(path: Path, mode: str = "r", *arguments: Any, **named: Any) -> Any:
        file = right(path, mode, *arguments, **named)
        return Torn(file, step) if "w" in mode else file

    Path.open = opened  # type: ignore[assignment, method-assign]


def left(folder: Path, sets: Sets) -> str:
    """Return which set is in a folder, by every byte; or what is wrong."""
    try:
        found = contents(load(folder))
    except ArgumentError as error:
        return f"broken: {error}"
    return next((name for name, golden in sets.items() if contents(golden) == found), "broken: another set")


def tidy(folder: Path, golden: Golden) -> str:
    """Return what is left when a set is saved after all; nothing else is to be there."""
    save(golden, folder)
    there = {path.name for path in folder.iterdir()}
    return "" if there == {*contents(golden), "README.md"} else f" untidy: {sorted(there)}"


def child(does: Callable[[], None]) -> int:
    """Run something in a process of its own; return its number."""
    process = os.fork()
    if process == 0:
        does()
        os._exit(0)
    return process


def steps(root: Path, sets: Sets) -> Iterator[str]:
    """Yield what is left after each step, until a save comes to its end."""
    for last in range(MOST_STEPS):
        folder = root / f"step{last}"
        shutil.copytree(root / "old", folder)

        def killed(last: int = last, folder: Path = folder) -> None:
            end_at(last)
            save(sets["new"], folder)

        _, status = os.waitpid(child(killed), 0)
        found = left(folder, sets)
        yield found if found.startswith("broken") else found + tidy(folder, sets["new"])
        shutil.rmtree(folder)
        if status == 0:
            return


def kills(root: Path, sets: Sets) -> Iterator[str]:
    """Yield what is left after kills at any moment."""
    moment = random.Random(785)
    folder = root / "killed"
    shutil.copytree(root / "old", folder)

    made = {id(golden): contents(golden) for golden in sets.values()}

    def again_and_again() -> None:
        vars(files)["contents"] = lambda golden: made[id(golden)]  # so that it is writing that takes the time
        vars(files)["_check_whole"] = lambda *_: None
        while True:
            for name in ("new", "old"):
                save(sets[name], folder)
                os.write(saved, b".")

    for _ in range(KILLS):
        seen, saved = os.pipe()
        process = child(again_and_again)
        for _ in range(moment.randrange(4)):
            os.read(seen, 1)
        time.sleep(moment.uniform(0, 0.02))
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        for end in (seen, saved):
            os.close(end)
        yield left(folder, sets)
    yield "old" + tidy(folder, sets["old"])


def race(root: Path, sets: Sets) -> Iterator[str]:
    """Yield what is read while two others save."""
    folder = root / "race"
    shutil.copytree(root / "old", folder)

    def saves(name: str) -> None:
        for _ in range(SAVES):
            save(sets[name], folder)

    writers = [child(lambda: saves("old")), child(lambda: saves("new"))]
    while writers:
        yield left(folder, sets)
        for process in list(writers):
            done, status = os.waitpid(process, os.WNOHANG)
            if done:
                writers.remove(process)
                yield "old" if status == 0 else f"broken: a save ended with {status}"
    yield left(folder, sets)
    yield "new" + tidy(folder, sets["new"])


if __name__ == "__main__":
    how, root = {"steps": steps, "kills": kills, "race": race}[sys.argv[1]], Path(sys.argv[2])
    both = {name: load(root / name) for name in ("old", "new")}
    for planted in sys.argv[3:]:
        {"in_place": in_place, "index_first": index_first, "old_ones_first": old_ones_first}[planted]()
    for line in how(root, both):
        print(line, flush=True)
        if line.startswith("broken"):
            break
