"""A set of vectors as a folder: read if nothing is wrong with it, and written whole or not at all.

What the files hold, `crosscheck.golden.format` says. Other files in the folder are left alone.
"""

from __future__ import annotations

from pathlib import Path

from crosscheck.errors import ArgumentError
from crosscheck.golden.disk import content, held, replace_all
from crosscheck.golden.format import INDEX, Arrays, contents, valid_id
from crosscheck.golden.parse import INDEX_LIMIT, LIMITS, Parsed, check_version, parsed_set
from crosscheck.golden.strict import json_of
from crosscheck.golden.vector import Golden


def exists(folder: Path) -> bool:
    """Say whether a folder has the index of a set in it."""
    return (folder / INDEX).exists()


def load(folder: Path) -> Golden:
    """Return the set of vectors in a folder.

    Args:
        folder: the folder.

    Raises:
        ArgumentError: there is none, or anything is wrong with any of its files; the message says which, and what.
    """
    found = read(folder)
    if found.faults:
        raise found.faults[0]
    return found.golden


def read(folder: Path) -> Parsed:
    """Return the vectors in a folder with which nothing is wrong, and all that is wrong with the others.

    Args:
        folder: the folder.

    Raises:
        ArgumentError: there is no index in it.
    """
    most = max(LIMITS.values())
    try:
        if not exists(folder):
            raise ArgumentError("golden set", f"no {INDEX} in {folder}", "the folder of a golden set")
        with held(folder, alone=False):
            index = content(folder, INDEX, INDEX_LIMIT)
            return parsed_set(index, lambda name, size: content(folder, name, most, size), str(folder))
    except OSError as error:
        raise ArgumentError(str(folder), error, "a folder that can be read") from error


def save(golden: Golden, folder: Path) -> None:
    """Write a set into a folder, in place of the one that is there; equal sets give equal files.

    Args:
        golden: the set.
        folder: the folder; it is made if there is none.

    Raises:
        ArgumentError: it can't be written there, or the set could not be read again, or another `index.json` is there.
    """
    files = contents(golden)
    _check_whole(golden, files, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with held(folder, alone=True):
            if exists(folder):
                place = str(folder / INDEX)
                check_version(json_of(content(folder, INDEX, INDEX_LIMIT), place), place)
            replace_all(folder, files)
    except ArgumentError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise ArgumentError(str(folder), error, "a folder that can be written") from error


def _check_whole(golden: Golden, files: dict[str, bytes], folder: Path) -> None:
    """Check that a set comes back from its files as it is.

    Raises:
        ArgumentError: it does not: it has what a set cannot have.
    """
    back = parsed_set(files[INDEX], lambda name, _: files[name], str(folder))
    if back.faults:
        raise back.faults[0]
    for vector, kept in zip(sorted(golden.vectors, key=lambda vector: vector.id), back.golden.vectors, strict=True):
        if not (_same(vector.case.arrays, kept.case.arrays) and _same(vector.want, kept.want)):
            raise ArgumentError(
                vector.id, "a problem of its own", f"that of {valid_id(vector)}, with what is right for it"
            )


def _same(a: Arrays, b: Arrays) -> bool:
    """Return whether arrays by name are the same, bit for bit."""
    return a.keys() == b.keys() and all(a[name].tobytes() == b[name].tobytes() for name in a)
