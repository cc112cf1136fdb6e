"""A record and its arrays -> the vector, if each thing that they say goes with every other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from crosscheck.case import HELD_IN, Case
from crosscheck.errors import ArgumentError
from crosscheck.fill import shapes
from crosscheck.golden.fields import Kinds, check_equal, check_fields, check_names, check_text, check_texts
from crosscheck.golden.format import in_order, plain_case, valid_id
from crosscheck.golden.strict import shown
from crosscheck.golden.vector import Kind, Recording, Vector, Wrong
from crosscheck.line import parsed
from crosscheck.plain import JSON
from crosscheck.spec import Spec, whole

RECORD: dict[str, Kinds] = {
    "id": str,
    "result": str,
    "case": str,
    "spec": dict,
    "T": int,
    "B": int,
    "lengths": (list, type(None)),
    "dtype": str,
    "flags": list,
    "comment": str,
    "recording": int,
    "bounds": dict,
}
PLANTED: dict[str, Kinds] = {"of": str, "wrong": dict, "got": list}
WRONG: dict[str, Kinds] = dict.fromkeys(("name", "family", "says", "right", "wrong"), str)
NAME = "[a-z0-9_]+([.-][a-z0-9_]+)*"
Vectors = Mapping[str, Vector]
Parts = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Group:
    """What the records of a cell and dtype have in common.

    Attributes:
        cell, dtype: these.
        arrays: of each vector by its ID, of each of its parts "in", "want" and "got", by name.
        recordings: those of the index.
        records, file: what messages call the file of the records, and that of the arrays.
    """

    cell: str
    dtype: str
    arrays: Mapping[str, Parts]
    recordings: tuple[Recording, ...]
    records: str
    file: str


def valid_vector(record: Mapping[str, JSON], group: Group, vectors: Vectors) -> Vector:  # noqa: ARG001
    """Return the valid vector of a record.

    Raises:
        ArgumentError: something is wrong with it.
    """
    place = f"{group.records}: {shown(record['id'])}"
    check_fields(record, place, RECORD, {"got": list})
    check_equal(record, place, {"result": Kind.VALID.value})
    parts = group.arrays.get(record["id"])
    if parts is None:
        raise ArgumentError(f"{group.file}: {shown(record['id'])}", "no arrays", "those of each vector in the records")
    case = _case(record["case"], group, f"{place}: case", parts)
    wanted = {"in": shapes(case), "want": case.result_shapes, "got": _got(record.get("got", []), case, place)}
    _check_parts(record["id"], parts, wanted, group)
    for part in ("in", "want"):
        for name, array in parts[part].items():
            right = np.isfinite(array) if part == "want" else ~np.isinf(array)
            if not right.all():
                raise ArgumentError(f"{group.file}: {record['id']}/{part}/{name}", "infinity or NaN", "finite numbers")
    vector = Vector(
        replace(case, arrays={name: parts["in"][name] for name in wanted["in"]}),
        in_order(case, parts["want"]),
        _bounds(record["bounds"], case, f"{place}: bounds"),
        _recording(record["recording"], group, f"{place}: recording"),
        got=in_order(case, parts.get("got", {})),
        flags=check_texts(record["flags"], f"{place}: flags"),
        comment=record["comment"],
    )
    check_equal(record, place, {"id": vector.id, **plain_case(case)})
    return vector


def planted_vector(record: Mapping[str, JSON], group: Group, vectors: Vectors) -> Vector:
    """Return the vector of a record with a mistake, or another convention, planted.

    Args:
        record: the record.
        group: what it has in common with others.
        vectors: the valid ones of the group by ID.

    Raises:
        ArgumentError: something is wrong with it.
    """
    place = f"{group.records}: {shown(record['id'])}"
    check_fields(record, place, {**RECORD, **PLANTED})
    if record["result"] not in (Kind.INVALID.value, Kind.ACCEPTABLE.value):
        raise ArgumentError(f"{place}: result", shown(record["result"]), "invalid or acceptable, having `of`")
    of = vectors.get(record["of"])
    if of is None:
        raise ArgumentError(f"{place}: of", shown(record["of"]), "a valid vector of the same file, without faults")
    check_fields(record["wrong"], f"{place}: wrong", WRONG)
    check_text(record["wrong"]["name"], f"{place}: wrong: name", NAME, "a name such as rnn.carry-dropped")
    parts = group.arrays.get(record["id"], {})
    got = _got(record["got"], of.case, place)
    if not got:
        raise ArgumentError(f"{place}: got", "none", "at least one tensor")
    _check_parts(record["id"], parts, {"got": got}, group)
    vector = Vector(
        of.case,
        of.want,
        of.bounds,
        _recording(record["recording"], group, f"{place}: recording"),
        Kind(record["result"]),
        in_order(of.case, parts["got"]),
        Wrong(**record["wrong"]),
        check_texts(record["flags"], f"{place}: flags"),
        record["comment"],
    )
    check_equal(record, place, {"of": valid_id(vector), "id": vector.id, **plain_case(of.case), "bounds": of.bounds})
    return vector


def _case(line: str, group: Group, place: str, parts: Parts) -> Case:
    """Return the case of a line, its arrays being none yet: how large they are is still only said."""
    try:
        of_spec, of_case = parsed(line)
        spec = Spec(**of_spec)
        whole("layers", spec.num_layers, 1, most=_count(parts))  # else many names would be made of a short line
        case = Case(spec, **of_case, arrays={"": None})
    except ArgumentError as error:
        raise ArgumentError(f"{place}: {error.argument}", error.got[:200], error.wanted) from error
    if (spec.cell, case.dtype) != (group.cell, group.dtype):
        raise ArgumentError(place, shown(line), f"a case of {group.cell} in {group.dtype}, as the file's name says")
    return case


def _count(parts: Parts) -> int:
    return sum(len(named) for named in parts.values())


def _got(data: JSON, case: Case, place: str) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the tensors that are named."""
    names = check_texts(data, f"{place}: got")
    check_names(names, f"{place}: got", (), case.result_shapes)
    return {name: case.result_shapes[name] for name in names}


def _check_parts(id: str, parts: Parts, wanted: Mapping[str, Mapping[str, tuple[int, ...]]], group: Group) -> None:
    """Check that the arrays of a vector are those that there have to be, each of its shape and dtype."""
    for part in ("in", "want", "got"):
        arrays, of_shape = parts.get(part, {}), wanted.get(part, {})
        place = f"{group.file}: {id}/{part}"
        for name in arrays.keys() - of_shape.keys():
            raise ArgumentError(
                f"{place}/{shown(name)[1:-1]}", "an array that no record names", ", ".join(of_shape) or "none"
            )
        for name, shape in of_shape.items():
            if name not in arrays:
                raise ArgumentError(f"{place}/{name}", "no array", f"one of the shape {shape}")
            if (arrays[name].shape, arrays[name].dtype) != (shape, _dtype(group)):
                got = f"{arrays[name].shape} {arrays[name].dtype}"
                raise ArgumentError(f"{place}/{name}", got, f"{shape} {_dtype(group)}, as the case says")


def _dtype(group: Group) -> Any:
    return np.dtype(HELD_IN.get(group.dtype, group.dtype))


def _bounds(data: Mapping[str, JSON], case: Case, place: str) -> dict[str, float]:
    check_names(data, place, case.result_shapes, case.result_shapes)
    for name, bound in data.items():
        if type(bound) not in (int, float) or not bound >= 0:
            raise ArgumentError(f"{place}: {name}", shown(bound), "a finite number, at least 0")
    return {name: float(data[name]) for name in case.result_shapes}


def _recording(number: int, group: Group, place: str) -> Recording:
    if not 0 <= number < len(group.recordings):
        raise ArgumentError(place, number, f"the place of one of {len(group.recordings)} recordings, from 0")
    return group.recordings[number]
