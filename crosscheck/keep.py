"""A failure as a folder, so that it can be seen again: on another day, on another machine, by a script, by pytest.

    failure.json         what was found, in plain data; its first field is the version of this format
    arrays.safetensors   the arrays of the case, by name; got.<name>, what came back; want.<name>, what is right;
                         bound.<name>, how far from it is right too; rest.<name>, what float64 cut off from it
    reproduce.py         a script that fails while the subject is wrong
    test_failure.py      the same for pytest

A folder is written under another name and then renamed, so that there is never half of one.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import platform
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as unpacked
from safetensors.numpy import save as packed

from crosscheck import scripts
from crosscheck.case import Case
from crosscheck.errors import ArgumentError
from crosscheck.plain import JSON, plain_verdict, verdict_of, without_nan
from crosscheck.verdict import Verdict
from crosscheck.versions import versions

FORMAT = 1
ROOT = Path(".crosscheck/failures")
DATA, ARRAYS = "failure.json", "arrays.safetensors"
PARTS = ("got", "want", "bound", "rest")
SENTENCES = ("because", "where", "mistake", "agreed")
FACTS = ("recipe", "location", "diagnosis")
PACKAGES = ("numpy", "torch", "hypothesis")
Arrays = Mapping[str, Any]


@dataclass(frozen=True)
class Record:
    """All that is known about a failure.

    Attributes:
        subject: the text that it was loaded by.
        case: the case that shows it.
        verdict: what was found.
        got, want, bound, rest: by name, float64: what came back, what is right and the tolerance for each element, inf
            where a right program may hold infinity or NaN; and what float64 cut off from `want`, where that is known.
        recipe: how the subject is made of what the text names, if not by itself; plain data.
        because, where, mistake, agreed: why it is wrong, where, what is known of that mistake, and who else computes
            what is right; a sentence or a line each.
        location, diagnosis: the same as plain data.
    """

    subject: str
    case: Case
    verdict: Verdict
    got: Arrays
    want: Arrays
    bound: Arrays
    rest: Arrays = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    because: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    mistake: tuple[str, ...] = ()
    agreed: tuple[str, ...] = ()
    location: Mapping[str, Any] = field(default_factory=dict)
    diagnosis: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The name of its folder: the same for the same subject, made in the same way, on the same case."""
        text = "\0".join((self.subject, str(self.case), json.dumps(without_nan(self.recipe), sort_keys=True)))
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        place, _, attribute = self.subject.rpartition(":")
        names = dict.fromkeys([Path(place).stem if place.endswith(".py") else place, attribute])
        slug = re.sub(r"[^A-Za-z0-9_]+", "-", "-".join(filter(None, names))).strip("-")[-40:].lstrip("-")
        return f"{slug}-{self.case.spec.cell}-{digest}"


@dataclass(frozen=True)
class Kept:
    """A failure that was kept.

    Attributes:
        folder: where it is.
        record: what is known about it. The arrays of its case are those that were kept.
        versions: of python, numpy, torch, hypothesis and rnn-crosscheck, by name.
        platform: the machine, in words.
        date: when it was kept, UTC.
        started_in: the folder from which its subject was found.
    """

    folder: Path
    record: Record
    versions: Mapping[str, str]
    platform: str
    date: str
    started_in: Path


def keep(record: Record, root: Path = ROOT) -> Path:
    """Write a failure to a folder of its own, in place of an older one of the same failure; return the folder.

    Args:
        record: the failure.
        root: the folder of all failures.

    Raises:
        ArgumentError: it can't be written there, or what is said about it is no plain data.
    """
    folder = root / record.id
    data = _data(record, os.path.relpath(Path.cwd(), folder.resolve()))
    try:
        text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False)
    except TypeError as error:
        raise ArgumentError("record", error, "plain data in recipe, location and diagnosis") from error
    script = scripts.reproduce(record.subject, str(record.case), data["started_in"], bool(record.recipe))
    files = {
        DATA: f"{text}\n".encode(),
        ARRAYS: packed(_arrays(record)),
        "reproduce.py": script.encode(),
        "test_failure.py": scripts.test_file(record.subject, str(record.case), record.id).encode(),
    }
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".", dir=root) as scratch:
            new = Path(scratch) / "new"
            new.mkdir()
            for name, content in files.items():
                (new / name).write_bytes(content)
            _put(new, folder)
    except OSError as error:
        raise ArgumentError("root", f"{root}: {error}", "a folder that can be written") from error
    return folder


def load(path: Path) -> Kept:
    """Return a failure that was kept.

    Args:
        path: its folder, or the `failure.json` in it.

    Raises:
        ArgumentError: there is none, or it isn't whole, or of another format, or its case is none any more.
    """
    folder = path.parent if path.name == DATA else path
    file = folder / DATA
    data = _read(file)
    if data.get("format") != FORMAT:
        raise ArgumentError(str(file), f"format {data.get('format')!r}", f"format {FORMAT}, which this version reads")
    try:
        case = Case.parse(data["case"])
        arrays = _checked_arrays(folder / ARRAYS, case)
        case = replace(case, arrays={name: arrays[name] for name in case.arrays})
        said: dict[str, Any] = {part: _part(arrays, part) for part in PARTS}
        said |= {name: tuple(data[name]) for name in SENTENCES} | {name: dict(data[name]) for name in FACTS}
        verdict = verdict_of(data["verdict"], data["subject"], case)
        record = Record(data["subject"], case, verdict, **said)
        started_in = folder / data["started_in"]
        return Kept(folder, record, dict(data["versions"]), data["platform"], data["date"], started_in)
    except ArgumentError:
        raise
    except KeyError as error:
        raise ArgumentError(str(file), f"no field {error}", "all that `keep` wrote") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise ArgumentError(str(file), f"a field of another kind ({error})", "what `keep` wrote") from error


def all_kept(root: Path) -> Iterator[Path]:
    """Yield the folders of the failures in a folder, by name."""
    yield from (folder for folder in sorted(root.glob("[!.]*")) if folder.is_dir())


def find(text: str, root: Path = ROOT) -> tuple[Path, ...]:
    """Return the folders that a text names.

    Args:
        text: the ID of a failure, or how it begins; a `failure.json`; the folder of one failure, or of many.
        root: the folder in which IDs are looked for.

    Raises:
        ArgumentError: there is nothing of that name, or several begin so.
    """
    path = Path(text)
    if path.name == DATA and path.is_file():
        return (path.parent,)
    named = [folder for folder in all_kept(root) if folder.name.startswith(text)]
    exact = [folder for folder in named if folder.name == text]
    if exact or len(named) == 1:
        return tuple(exact or named)
    if path.is_dir():
        return (path,) if (path / DATA).exists() else tuple(all_kept(path))
    if named:
        raise ArgumentError("failure", repr(text), f"one of {', '.join(folder.name for folder in named)}")
    raise ArgumentError("failure", repr(text), f"an ID in {root}, a {DATA}, or a folder of failures")


def _put(new: Path, folder: Path) -> None:
    """Give a folder the name of another, which is moved out of the way."""
    for n in itertools.count():
        try:
            new.rename(folder)
        except OSError:
            if not folder.exists():
                raise
        else:
            return
        try:
            folder.rename(new.with_name(f"old{n}"))
        except FileNotFoundError:  # somebody else replaces the same one just now
            continue


def _data(record: Record, started_in: str) -> dict[str, JSON]:
    return {
        "format": FORMAT,
        "subject": record.subject,
        "case": str(record.case),
        "dtype": record.case.dtype,
        "started_in": Path(started_in).as_posix(),
        "verdict": plain_verdict(record.verdict),
        **{name: without_nan(getattr(record, name)) for name in (*SENTENCES, *FACTS)},
        "versions": versions(PACKAGES),
        "platform": platform.platform(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _arrays(record: Record) -> dict[str, Any]:
    """Return all arrays under the names they have in the file, little-endian."""
    parts = {f"{part}.{name}": array for part in PARTS for name, array in getattr(record, part).items()}
    named = {name: np.asarray(array) for name, array in {**record.case.arrays, **parts}.items()}
    return {name: np.array(array, array.dtype.newbyteorder("<"), order="C") for name, array in named.items()}


def _read(file: Path) -> dict[str, Any]:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ArgumentError("failure", f"no {DATA} in {file.parent}", "the folder of a failure") from error
    except (OSError, ValueError) as error:
        raise ArgumentError(str(file), f"no JSON ({error})", "a whole file") from error
    if not isinstance(data, dict):
        raise ArgumentError(str(file), type(data).__name__, "an object with the field format")
    return data


def _checked_arrays(file: Path, case: Case) -> dict[str, Any]:
    """Return the arrays of a file, if they are those of a case and of results for it.

    Raises:
        ArgumentError: they are not, or the file is not whole.
    """
    try:
        arrays: dict[str, Any] = unpacked(file.read_bytes())
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise ArgumentError(str(file), f"no arrays ({error})", "a whole safetensors file") from error
    wanted = {name: (array.shape, array.dtype) for name, array in case.arrays.items()}
    results = {name: (shape, np.dtype("float64")) for name, shape in case.result_shapes.items()}
    known = wanted | {f"{part}.{name}": kind for part in PARTS for name, kind in results.items()}
    needed = [*wanted, *(f"{part}.{name}" for part in ("want", "bound") for name in results)]
    missing = [name for name in needed if name not in arrays]
    if missing:
        raise ArgumentError(str(file), f"no {', '.join(missing)}", f"the arrays of {case}")
    for name, array in arrays.items():
        got = (array.shape, array.dtype)
        if got != known.get(name):
            raise ArgumentError(str(file), f"{name} {got[0]} {got[1]}", f"the arrays of {case}")
    return arrays


def _part(arrays: Arrays, part: str) -> dict[str, Any]:
    return {name.partition(".")[2]: array for name, array in arrays.items() if name.startswith(f"{part}.")}
