"""The bytes of a set's files -> the set, and all that is wrong with them; nothing they say is taken for granted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from crosscheck.case import DTYPES
from crosscheck.errors import ArgumentError
from crosscheck.golden.fields import Faults, check_equal, check_fields, check_text
from crosscheck.golden.format import DIGEST, INDEX, SCHEMA, VERSION, canonical, data_name, digest
from crosscheck.golden.parse_vector import Group, planted_vector, valid_vector
from crosscheck.golden.strict import ARRAYS_LIMIT, JSON_LIMIT, arrays_of, json_of, shown
from crosscheck.golden.vector import Golden, Recording, Vector
from crosscheck.plain import JSON
from crosscheck.spec import GATES

INDEX_LIMIT = 2**20
LIMITS = {"records": JSON_LIMIT, "arrays": ARRAYS_LIMIT}
Read = Callable[[str, int], bytes]
"""The name of a data file and how many bytes it has to have -> its content. An ArgumentError if there is none such."""


@dataclass(frozen=True)
class Parsed:
    """What the files of a set say.

    Attributes:
        golden: the vectors with which nothing is wrong.
        faults: all that is wrong.
        named: the names of the files that the index names; None if it could not be read.
    """

    golden: Golden
    faults: tuple[ArgumentError, ...]
    named: frozenset[str] | None


def parsed_set(index: bytes, read: Read, folder: str) -> Parsed:
    """Return what the files of a set say.

    Args:
        index: the content of its index.
        read: gives that of every other file.
        folder: what messages call the folder.
    """
    faults, vectors, comment, named = Faults(), list[Vector](), "", None
    place = f"{folder}/{INDEX}"
    with faults.go_on():
        data = index_of(index, place)
        comment = data["comment"]
        recordings = [_recording(entry, f"{place}: recordings") for entry in data["recordings"]]
        if len({canonical(entry) for entry in data["recordings"]}) != len(recordings):
            raise ArgumentError(f"{place}: recordings", "the same twice", "each once")
        entries = list[dict[str, JSON]]()
        for entry in data["files"]:
            with faults.go_on():
                entries.append(_checked_entry(entry, f"{place}: files", entries))
        named = frozenset(entry[part]["name"] for entry in entries for part in LIMITS)
        for entry in entries:
            vectors += _vectors(entry, read, folder, recordings, faults)
        with faults.go_on():
            _check_used(recordings, vectors, place, whole=not faults)
    return Parsed(Golden(tuple(sorted(vectors, key=lambda vector: vector.id)), comment), tuple(faults), named)


def index_of(content: bytes, place: str) -> dict[str, JSON]:
    """Return what an index says, each of its fields being of the right type, and its digest right.

    Raises:
        ArgumentError: it is no index, or not of this version.
    """
    data = json_of(content, place, INDEX_LIMIT)
    check_version(data, place)
    kinds = {"schema": str, "version": int, "comment": str, "recordings": list, "files": list, DIGEST: str}
    check_fields(data, place, kinds)
    check_equal(data, place, {DIGEST: digest(data)})
    return dict(data)


def check_version(data: JSON, place: str) -> None:
    """Check that data is of this schema and version.

    Raises:
        ArgumentError: it is not.
    """
    if not isinstance(data, dict):
        raise ArgumentError(place, shown(data), f"an object with the schema {SCHEMA}")
    check_equal(data, place, {"schema": SCHEMA, "version": VERSION})


def _recording(data: JSON, place: str) -> Recording:
    check_fields(data, place, {"date": str, "versions": dict, "subject": str})
    for name, version in data["versions"].items():
        check_text(name, f"{place}: versions")
        check_text(version, f"{place}: versions: {name}")
    date = check_text(
        data["date"], f"{place}: date", r"[0-9-]{10}T[0-9:]{8}\+00:00", "such as 2026-11-26T08:00:00+00:00"
    )
    try:
        datetime.fromisoformat(date)
    except ValueError as error:
        raise ArgumentError(f"{place}: date", shown(date), "a date that there is") from error
    return Recording(date, data["versions"], data["subject"])


def _checked_entry(data: JSON, place: str, others: list[dict[str, JSON]]) -> dict[str, JSON]:
    """Return what an index says about the two files of a group, if it can be so, and is not said twice."""
    check_fields(data, place, {"records": dict, "arrays": dict, "cell": str, "dtype": str, "count": int})
    for name, known in (("cell", GATES), ("dtype", DTYPES)):
        if data[name] not in known:
            raise ArgumentError(f"{place}: {name}", shown(data[name]), f"one of {', '.join(known)}")
    if any((other["cell"], other["dtype"]) == (data["cell"], data["dtype"]) for other in others):
        raise ArgumentError(place, f"{data['cell']} and {data['dtype']} twice", "each once")
    for part, limit in LIMITS.items():
        file, where = data[part], f"{place}: {part}"
        check_fields(file, where, {"name": str, "bytes": int, "sha256": str})
        check_text(file["sha256"], f"{where}: sha256", "[0-9a-f]{64}", "64 hexadecimal digits")
        check_equal(file, where, {"name": data_name(data["cell"], data["dtype"], file["sha256"], part)})
        if not 0 <= file["bytes"] <= limit:
            raise ArgumentError(f"{where}: bytes", file["bytes"], f"at most {limit}")
    return dict(data)


def _vectors(
    entry: Mapping[str, JSON], read: Read, folder: str, recordings: list[Recording], faults: Faults
) -> list[Vector]:
    """Return the vectors of a group with which nothing is wrong."""
    vectors: dict[str, Vector] = {}
    with faults.go_on():
        content = {part: _content(entry[part], read, folder, faults) for part in LIMITS}
        places = {part: f"{folder}/{entry[part]['name']}" for part in LIMITS}
        records = _records(content["records"], places["records"], entry["count"])
        arrays = _by_vector(arrays_of(content["arrays"], places["arrays"]), places["arrays"])
        group = Group(entry["cell"], entry["dtype"], arrays, tuple(recordings), places["records"], places["arrays"])
        for record in sorted(records, key=lambda record: "of" in record):
            with faults.go_on():
                make = planted_vector if "of" in record else valid_vector
                vectors[record["id"]] = make(record, group, vectors)
        for id in arrays.keys() - {record["id"] for record in records}:
            faults.append(ArgumentError(places["arrays"], f"arrays of {shown(id)}", "those of a vector in the records"))
    return [*vectors.values()]


def _content(file: Mapping[str, JSON], read: Read, folder: str, faults: Faults) -> bytes:
    content = read(file["name"], file["bytes"])
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != file["sha256"]:
        faults.append(
            ArgumentError(f"{folder}/{file['name']}", f"the SHA-256 {sha256}", f"{file['sha256']}, as {INDEX} says")
        )
    return content


def _records(content: bytes, place: str, count: int) -> list[dict[str, JSON]]:
    """Return the records of a file: objects that have an ID, in the order of these, each once."""
    data = json_of(content, place)
    check_version(data, place)
    check_fields(data, place, {"schema": str, "version": int, "vectors": list})
    for record in data["vectors"]:
        if not isinstance(record, dict) or not isinstance(record.get("id"), str):
            raise ArgumentError(f"{place}: vectors", shown(record), "objects with an id")
    ids = [record["id"] for record in data["vectors"]]
    for before, id in pairwise(ids):
        if before >= id:
            raise ArgumentError(f"{place}: vectors", f"{shown(id)} after {shown(before)}", "in order, each once")
    if not ids or len(ids) != count:
        raise ArgumentError(f"{place}: vectors", len(ids), f"{count}, as {INDEX} says, and at least one")
    return list(data["vectors"])


def _by_vector(arrays: Mapping[str, Any], place: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Return arrays by the vector, the part and the name that their names say."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for key, array in arrays.items():
        id, part, name = (*key.split("/"), "", "")[:3]
        if key != f"{id}/{part}/{name}" or part not in ("in", "want", "got"):
            raise ArgumentError(place, f"an array {shown(key)}", "<id>/in/<name>, <id>/want/<name> or <id>/got/<name>")
        found.setdefault(id, {}).setdefault(part, {})[name] = array
    return found


def _check_used(recordings: list[Recording], vectors: list[Vector], place: str, whole: bool) -> None:
    used = {id(vector.recording) for vector in vectors}
    unused = [number for number, recording in enumerate(recordings) if id(recording) not in used]
    if whole and unused:
        raise ArgumentError(f"{place}: recordings", f"{unused[0]}, which no vector is of", "those of the vectors")
