"""A set of vectors as the bytes of its files: a pure function, so that equal sets have equal files.

    index.json                            what the set is, and name, length and SHA-256 of every other file
    <cell>-<dtype>-<digest>.json          the records of the vectors of that cell and dtype, one a line
    <cell>-<dtype>-<digest>.safetensors   their arrays, <id>/in/<name>, <id>/want/<name> and <id>/got/<name>

The digest in a name is the beginning of the SHA-256 of the content, so a file of a given name never changes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from crosscheck.case import DTYPES, Case
from crosscheck.golden.strict import arrays_written
from crosscheck.golden.vector import Golden, Kind, Recording, Vector
from crosscheck.line import parsed
from crosscheck.plain import JSON
from crosscheck.spec import GATES, Spec

SCHEMA, VERSION = "rnn-crosscheck-golden", 1
INDEX = "index.json"
ENDINGS = {"records": ".json", "arrays": ".safetensors"}
DATA_FILE = re.compile(rf"({'|'.join(GATES)})-({'|'.join(DTYPES)})-[0-9a-f]{{12}}\.(json|safetensors)")
DIGEST = "digest"
Arrays = Mapping[str, Any]


def contents(golden: Golden) -> dict[str, bytes]:
    """Return the files of a set by name, the index last.

    Args:
        golden: the set; the order of its vectors does not matter.
    """
    recordings = sorted({canonical(plain_recording(vector.recording)) for vector in golden.vectors})
    groups: dict[tuple[str, str], list[Vector]] = {}
    for vector in sorted(golden.vectors, key=lambda vector: vector.id):
        groups.setdefault((vector.case.spec.cell, vector.case.dtype), []).append(vector)
    files, entries = {}, []
    for (cell, dtype), vectors in sorted(groups.items()):
        entry: dict[str, JSON] = {}
        for part, content in (("records", _records(vectors, recordings)), ("arrays", _arrays(vectors))):
            sha256 = hashlib.sha256(content).hexdigest()
            name = data_name(cell, dtype, sha256, part)
            files[name] = content
            entry[part] = {"name": name, "bytes": len(content), "sha256": sha256}
        entries.append(entry | {"cell": cell, "dtype": dtype, "count": len(vectors)})
    index = {"schema": SCHEMA, "version": VERSION, "comment": golden.comment}
    index |= {"recordings": [json.loads(text) for text in recordings], "files": entries}
    text = json.dumps(index | {DIGEST: digest(index)}, indent=1)
    return files | {INDEX: f"{text}\n".encode()}


def data_name(cell: str, dtype: str, sha256: str, part: str) -> str:
    """Return the name of a data file; `part` is a key of `ENDINGS`."""
    return f"{cell}-{dtype}-{sha256[:12]}{ENDINGS[part]}"


def canonical(data: JSON) -> str:
    """Return plain data as the one text of ASCII that an equal other one has too."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


def digest(index: Mapping[str, JSON]) -> str:
    """Return the digest of an index, of all that is in it but for the digest itself."""
    rest = {name: value for name, value in index.items() if name != DIGEST}
    return hashlib.sha256(canonical(rest).encode()).hexdigest()


def plain_recording(recording: Recording) -> dict[str, JSON]:
    """Return a recording as plain data."""
    return {"date": recording.date, "versions": dict(recording.versions), "subject": recording.subject}


def plain_case(case: Case) -> dict[str, JSON]:
    """Return what a record says of its case, its arrays aside."""
    of_spec, _ = parsed(str(case))
    fields = Spec.__dataclass_fields__
    spec = {name: value for name, value in of_spec.items() if value != fields[name].default}
    spec = {name: list(value) if isinstance(value, tuple) else value for name, value in spec.items()}
    lengths = None if case.lengths is None else list(case.lengths)
    said = {"case": str(case), "spec": spec, "T": case.T, "B": case.B, "lengths": lengths}
    return said | {"dtype": case.dtype}


def plain_vector(vector: Vector, recording: int) -> dict[str, JSON]:
    """Return the record of a vector.

    Args:
        vector: the vector.
        recording: the place of its recording in the list of the index.
    """
    record: dict[str, JSON] = {"id": vector.id, "result": vector.kind.value, **plain_case(vector.case)}
    record |= {"flags": list(vector.flags), "comment": vector.comment, "recording": recording}
    record["bounds"] = {name: float(bound) for name, bound in in_order(vector.case, vector.bounds).items()}
    if vector.wrong is not None:
        wrong = vector.wrong
        record["of"] = valid_id(vector)
        record["wrong"] = {"name": wrong.name, "family": wrong.family, "says": wrong.says}
        record["wrong"] |= {"right": wrong.right, "wrong": wrong.wrong}
    if vector.got:
        record["got"] = list(in_order(vector.case, vector.got))
    return record


def valid_id(vector: Vector) -> str:
    """Return the ID of the valid vector of the same case."""
    return vector.id if vector.wrong is None else vector.id.removesuffix(f"-{vector.wrong.name}")


def in_order(case: Case, named: Arrays) -> dict[str, Any]:
    """Return what is by name in the order in which a case names its results; names that it hasn't, last."""
    order = [*case.result_shapes]
    return {name: named[name] for name in sorted(named, key=lambda n: order.index(n) if n in order else len(order))}


def vector_arrays(vector: Vector) -> dict[str, Any]:
    """Return the arrays that stand in the file for a vector, under the names that they have there."""
    parts: dict[str, Arrays] = {"got": vector.got}
    if vector.kind is Kind.VALID:
        parts |= {"in": vector.case.arrays, "want": vector.want}
    return {f"{vector.id}/{part}/{name}": array for part, named in parts.items() for name, array in named.items()}


def _records(vectors: list[Vector], recordings: list[str]) -> bytes:
    places = [recordings.index(canonical(plain_recording(vector.recording))) for vector in vectors]
    lines = (json.dumps(plain_vector(vector, place)) for vector, place in zip(vectors, places, strict=True))
    head = json.dumps({"schema": SCHEMA, "version": VERSION, "vectors": []}).removesuffix("]}")
    return (head + "\n" + ",\n".join(lines) + "\n]}\n").encode()


def _arrays(vectors: list[Vector]) -> bytes:
    named: dict[str, Any] = {}
    for vector in vectors:
        named |= vector_arrays(vector)
    return arrays_written(named)
