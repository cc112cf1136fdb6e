"""The files of a set on the disk: read if they are what they have to be, and written whole or not at all."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from crosscheck.errors import ArgumentError
from crosscheck.golden.format import DATA_FILE, INDEX

LEFT = re.compile(rf"\.({re.escape(INDEX)}|{DATA_FILE.pattern})\.[0-9]+\.new")
"""The names under which files are written."""


def content(folder: Path, name: str, most: int, size: int | None = None) -> bytes:
    """Return the content of a file, if it is an ordinary one in a folder.

    Args:
        folder: the folder.
        name: the name of the file in it.
        most: the most bytes it may have; no more are read.
        size: how many it has to have; any number if None.

    Raises:
        ArgumentError: there is none, or it is something else, or a link to outside the folder, or of another size.
    """
    path = folder / name
    try:
        if os.path.dirname(os.path.realpath(path)) != os.path.realpath(folder):
            raise ArgumentError(str(path), "a link to outside the folder", "a file in it")
        with open(path, "rb", opener=_at_once) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ArgumentError(str(path), "something else", "an ordinary file")
            if size is not None and status.st_size != size:
                raise ArgumentError(str(path), f"{status.st_size} bytes", f"{size}, as {INDEX} says")
            if status.st_size > most:
                raise ArgumentError(str(path), f"{status.st_size} bytes", f"at most {most}")
            return file.read(status.st_size)
    except OSError as error:
        raise ArgumentError(str(path), error.strerror or error, "a file that can be read") from error


def replace_all(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files of a set into its folder; what is killed on the way leaves the old set whole, or the new one.

    Data files of another content have another name. So the new ones are written beside the old ones; then the index
    takes the place of the old one in one step; then what no index names any more is removed.

    Args:
        folder: the folder, which exists, held by nobody else.
        files: all files by name, the index last.

    Raises:
        OSError: it can't be written.
    """
    data = {name: content for name, content in files.items() if name != INDEX}
    for name, content in data.items():
        _put(folder, name, content)
    _sync(folder)  # the names that the index is to name have to be there before it
    _put(folder, INDEX, files[INDEX])
    _sync(folder)
    for name in left(folder, files):
        (folder / name).unlink(missing_ok=True)


def left(folder: Path, named: Mapping[str, object] | frozenset[str]) -> list[str]:
    """Return, of what a save may have left in a folder, the names of all that is not named."""
    ours = (path.name for path in folder.iterdir() if DATA_FILE.fullmatch(path.name) or LEFT.fullmatch(path.name))
    return sorted(name for name in ours if name not in named)


@contextmanager
def held(folder: Path, alone: bool) -> Iterator[None]:
    """Hold a folder, alone or with others that only read, once nobody else holds it otherwise.

    Raises:
        OSError: there is no such folder.
    """
    try:
        import fcntl
    except ImportError:  # where there are no such locks
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # nor on this file system
            fcntl.flock(handle, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


def _at_once(path: str, flags: int) -> int:
    """Open a file without waiting for somebody who writes to it, which a pipe would do."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _put(folder: Path, name: str, content: bytes) -> None:
    """Write a file under another name, and then give it its own in one step; leave it if it is right already."""
    path = folder / name
    if (
        path.is_file()
        and not path.is_symlink()
        and path.stat().st_size == len(content)
        and path.read_bytes() == content
    ):
        return
    scratch = folder / f".{name}.{os.getpid()}.new"
    try:
        with scratch.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def _sync(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where that can be asked for."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
