"""Files that were truncated, altered or forged: an ArgumentError that says which and what, and never anything else.

A forged set has every length and digest made right again, so that what reads the files is reached. Where an alteration
does no harm, a set has to come back that is as good as any; without forging, the same set.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crosscheck import ArgumentError, Case
from crosscheck.golden import parse, parse_vector, strict
from crosscheck.golden.files import load
from crosscheck.golden.format import DIGEST, INDEX, contents, digest
from crosscheck.golden.vector import Golden, Kind

Files = dict[str, bytes]
ROUNDS = 45
HOSTILE: tuple[Any, ...] = (
    None,
    True,
    False,
    -1,
    0,
    1,
    1.5,
    -0.0,
    2**31,
    10**17,
    1e308,
    "",
    "x",
    "../x",
    "/etc/passwd",
    "a\0b",
    "\x1b[2J",
    "\u202e",
    "valid",
    "F64",
    "lstm:T65536B65536I65536H65536:layers=65536:zoneout=0.5:seed=1",
    "lstm:T3B2I1H2:layers=65536:seed=1",
    f"lstm:T{'9' * 100}B1I1H1:seed=1",
    "x" * 20_000,
    [],
    [0, 8],
    [8, 0],
    ["y", "y"],
    [-1, -1],
    [2**40, 0],
    [[[[]]]],
    {},
    {"a": 1},
    {"y": -1.0},
)
OTHERS: tuple[Any, ...] = (None, True, -1, 1.5, "x", [], {})
"""One of each type."""


def written(data: Any) -> bytes:
    return json.dumps(data).encode()


def forged(made: Files, index: Any = None) -> Files:
    """Return files with each name, length and digest of the index as they have to be."""
    index = index or json.loads(made[INDEX])
    files: Files = {}
    for entry in index["files"]:
        for part, ending in (("records", "json"), ("arrays", "safetensors")):
            content = made[entry[part]["name"]]
            sha256 = hashlib.sha256(content).hexdigest()
            name = f"{entry['cell']}-{entry['dtype']}-{sha256[:12]}.{ending}"
            entry[part] = {"name": name, "bytes": len(content), "sha256": sha256}
            files[name] = content
    return files | {INDEX: written(index | {DIGEST: digest(index)})}


def sealed(index: Any) -> bytes:
    """Return an index with its digest right, if there is to be one that could be."""
    right = isinstance(index.get(DIGEST), str)
    return written(index | {DIGEST: digest(index)} if right else index)


def pick(dice: random.Random, made: Files, ending: str = "") -> str:
    return dice.choice(sorted(name for name in made if name.endswith(ending) and (ending == "" or name != INDEX)))


def places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place in plain data, as what holds it and the key there."""
    for key in [*data] if isinstance(data, dict) else range(len(data)):
        yield data, key
        if isinstance(data[key], dict | list):
            yield from places(data[key])


def altered(dice: random.Random, data: Any) -> Any:
    """Return plain data with something replaced, removed, added, renamed, or put where something else was."""
    holder, key = dice.choice([*places(data)])
    other_holder, other_key = dice.choice([*places(data)])
    match dice.randrange(6):
        case 0 | 1:
            holder[key] = dice.choice(HOSTILE)
        case 2:
            del holder[key]
        case 3 if isinstance(holder, dict):
            holder[dice.choice(("", "x", "../x", "a/b/c", "got", "of"))] = dice.choice(HOSTILE)
        case 4 if isinstance(holder, dict):
            holder[f"{key}x"] = holder.pop(key)
        case 5:
            holder[key], other_holder[other_key] = json.loads(json.dumps((other_holder[other_key], holder[key])))
        case _:
            holder.insert(dice.randrange(len(holder) + 1), dice.choice(HOSTILE)) if isinstance(holder, list) else None
    return data


def header_of(content: bytes) -> tuple[Any, bytes]:
    start = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:start]), content[start:]


def with_header(text: bytes, numbers: bytes) -> bytes:
    return len(text).to_bytes(8, "little") + text + numbers


def truncated(dice: random.Random, content: bytes) -> bytes:
    after = [place for place, byte in enumerate(content) if byte in b'{}[]:,"\n']
    return content[
        : dice.choice((0, 1, 7, 8, 9, len(content) - 1, dice.randrange(len(content)), *after[:40], *after[-40:]))
    ]


def flipped(dice: random.Random, content: bytes) -> bytes:
    place = dice.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << dice.randrange(8)]) + content[place + 1 :]


def spliced(dice: random.Random, content: bytes) -> bytes:
    begin, end, start, stop = (dice.randrange(len(content)) for _ in range(4))
    between = dice.choice((b"", content[start:stop], dice.randbytes(9), b"[" * 50_000, content[begin:end] * 2))
    return content[:begin] + between + content[max(begin, end) :]


def twice(dice: random.Random, text: bytes) -> bytes:
    """Return JSON with one of its fields there twice."""
    objects = [place for place in range(len(text)) if text[place : place + 2] == b'{"']
    place = dice.choice(objects)
    name, _ = json.JSONDecoder().raw_decode(text[place + 1 :].decode())
    return text[: place + 1] + written(name) + b": 1, " + text[place + 1 :]


BYTES = (truncated, flipped, spliced)


def any_bytes(dice: random.Random, made: Files) -> Files:
    name = pick(dice, made)
    return made | {name: dice.choice(BYTES)(dice, made[name])}


def any_bytes_forged(dice: random.Random, made: Files) -> Files:
    name = pick(dice, made, dice.choice((".json", ".safetensors")))
    return forged(made | {name: dice.choice(BYTES)(dice, made[name])})


def index(dice: random.Random, made: Files) -> Files:
    data = altered(dice, json.loads(made[INDEX]))
    return made | {INDEX: written(data | {DIGEST: digest(data)})}


def records(dice: random.Random, made: Files) -> Files:
    name = pick(dice, made, ".json")
    return forged(made | {name: written(altered(dice, json.loads(made[name])))})


def records_twice(dice: random.Random, made: Files) -> Files:
    name = pick(dice, made, ".json")
    return forged(made | {name: twice(dice, made[name])})


def index_twice(dice: random.Random, made: Files) -> Files:
    return made | {INDEX: twice(dice, written(json.loads(made[INDEX])))}


def header(dice: random.Random, made: Files) -> Files:
    name = pick(dice, made, ".safetensors")
    data, numbers = header_of(made[name])
    return forged(made | {name: with_header(written(altered(dice, data)), numbers)})


def header_bytes(dice: random.Random, made: Files) -> Files:
    name = pick(dice, made, ".safetensors")
    data, numbers = header_of(made[name])
    text = dice.choice((*BYTES, twice))(dice, written(data))
    return forged(made | {name: with_header(text, numbers)})


def header_length(dice: random.Random, made: Files) -> Files:
    name = pick(dice, made, ".safetensors")
    length = dice.choice((0, 1, 2**63, 2**64 - 1, len(made[name]) - 8, len(made[name]) - 7, dice.getrandbits(12)))
    return forged(made | {name: length.to_bytes(8, "little") + made[name][8:]})


def entries(dice: random.Random, made: Files) -> Files:
    """Offsets swapped, shapes made larger, arrays renamed: a header of the right form that is wrong."""
    name = pick(dice, made, ".safetensors")
    data, numbers = header_of(made[name])
    first, second = dice.sample(sorted(data), 2)
    match dice.randrange(5):
        case 0:
            data[first]["data_offsets"], data[second]["data_offsets"] = (
                data[second]["data_offsets"],
                data[first]["data_offsets"],
            )
        case 1:
            data[first]["data_offsets"].reverse()
        case 2:
            data[first]["shape"] = dice.choice(([2**62, 4], [0], [1] * 20, [-1], [*data[first]["shape"], 1], [3, 2, 1]))
        case 3:
            data[first]["dtype"] = dice.choice(("F16", "F32", "F64", "BF16", "I64", ""))
        case 4:
            data[first], data[second] = data[second], data[first]
    return forged(made | {name: with_header(written(data), numbers)})


def numbers(dice: random.Random, made: Files) -> Files:
    name = pick(dice, made, ".safetensors")
    data, content = header_of(made[name])
    entry = data[dice.choice(sorted(data))]
    begin, _ = entry["data_offsets"]
    number = np.array(dice.choice((np.nan, np.inf, -np.inf, 0.0)), dtype=strict.DTYPES[entry["dtype"]]).tobytes()
    return forged(made | {name: with_header(written(data), content[:begin] + number + content[begin + len(number) :])})


def missing(dice: random.Random, made: Files) -> Files:
    name = pick(dice, made)
    return {other: content for other, content in made.items() if other != name}


def exchanged(dice: random.Random, made: Files) -> Files:
    """Two files in each other's place, and two groups in each other's place in the index."""
    first, second = dice.sample(sorted(set(made) - {INDEX}), 2)
    files = made | {first: made[second], second: made[first]}
    data = json.loads(made[INDEX])
    one, other = dice.sample(data["files"], 2)
    part = dice.choice(("records", "arrays", "cell", "dtype", "count"))
    one[part], other[part] = other[part], one[part]
    return dice.choice((files, forged(files), forged(made, data) if part in ("records", "arrays", "count") else files))


ALTERATIONS = (
    any_bytes,
    any_bytes_forged,
    index,
    records,
    records_twice,
    index_twice,
    header,
    header_bytes,
    header_length,
    entries,
    numbers,
    missing,
    exchanged,
)
NOT_FORGED = (any_bytes, missing)


def read(files: Files, folder: Path) -> Golden | str:
    """Return the set that files in a folder are, or the message of why they are none.

    Raises:
        AssertionError: it is another error, or its message is not one that helps.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    try:
        return load(folder)
    except ArgumentError as error:
        message = str(error)
    except BaseException as error:
        raise AssertionError(f"{type(error).__name__}: {error}") from error
    named = [f"{folder}/{name}" for name in files]
    assert message.startswith((*named, f"{folder}/", "golden set: got no index.json in ")), message
    assert ": got " in message
    assert ", wanted " in message
    assert message.isprintable(), message
    assert len(message) < 1500, message
    return message


def check_sound(golden: Golden) -> None:
    """Check what any set has to be, by other means than those that read it."""
    ids = [vector.id for vector in golden.vectors]
    assert ids == sorted(set(ids))
    for vector in golden.vectors:
        case = vector.case
        right = Case.parse(str(case))
        assert case == right
        kinds = {name: (array.shape, array.dtype) for name, array in case.arrays.items()}
        assert kinds == {name: (array.shape, array.dtype) for name, array in right.arrays.items()}, "other arrays"
        results = {name: (shape, right.array_dtype) for name, shape in right.result_shapes.items()}
        assert {name: (array.shape, array.dtype) for name, array in vector.want.items()} == results, "other results"
        assert all(np.isfinite(array).all() for array in vector.want.values()), "not finite"
        assert vector.bounds.keys() == results.keys()
        assert all(0 <= bound < np.inf for bound in vector.bounds.values()), "no bounds"
        assert {name: (array.shape, array.dtype) for name, array in vector.got.items()}.items() <= results.items()
        assert (vector.wrong is None) == (vector.kind is Kind.VALID)
        assert vector.got or vector.kind is Kind.VALID


def check(files: Files, folder: Path, unaltered: Files | None) -> bool:
    """Return whether files are refused, or check that the set that they are is a good one, or the one unaltered."""
    found = read(files, folder)
    if isinstance(found, str):
        return True
    check_sound(found)
    again = contents(found)
    assert unaltered is None or again == unaltered, "another set, and nobody was told"
    assert isinstance(read(again, folder), Golden)
    return False


def refused(
    alteration: Callable[[random.Random, Files], Files], made: Files, folder: Path, rounds: int = ROUNDS
) -> int:
    """Return how many of the sets that an alteration makes are refused."""
    count = 0
    for seed in range(rounds):
        files = alteration(random.Random(f"{alteration.__name__} {seed}"), dict(made))
        try:
            count += check(files, folder, made if alteration in NOT_FORGED else None)
        except AssertionError as error:
            raise AssertionError(f"{alteration.__name__} {seed}: {error}") from error
    return count


@pytest.fixture(scope="session")
def made(golden: Golden) -> Files:
    return contents(golden)


@pytest.mark.parametrize("alteration", ALTERATIONS, ids=lambda alteration: alteration.__name__)
def test_an_altered_set_is_refused_or_is_a_good_one(
    alteration: Callable[[random.Random, Files], Files], made: Files, tmp_path: Path
) -> None:
    count = refused(alteration, made, tmp_path / "set")
    assert count > 0


def fields(data: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every place in plain data."""
    for key in [*data] if isinstance(data, dict) else range(len(data)):
        yield (*place, key)
        if isinstance(data[key], dict | list):
            yield from fields(data[key], (*place, key))


def put(data: Any, place: tuple[Any, ...], value: Any) -> Any:
    """Return plain data with a value at a place."""
    copy = json.loads(json.dumps(data))
    holder = copy
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    return copy


def alike(a: Any, b: Any) -> bool:
    return type(a) is type(b) or {type(a), type(b)} == {int, float}


def test_a_field_of_another_type_is_refused(golden: Golden, tmp_path: Path) -> None:
    """Each field of the index, of a valid, an acceptable and a recorded vector, and of an array: each other type."""
    made = contents(Golden(tuple(vector for vector in golden.vectors if vector.case.dtype == "float32")))
    arrays, file = sorted(set(made) - {INDEX}, key=lambda name: name.endswith(".json"))
    head, numbers = header_of(made[arrays])
    count = 0
    forms: tuple[tuple[Any, Any, Callable[[Any], Files]], ...] = (
        (json.loads(made[file]), None, lambda data: forged(made | {file: written(data)})),
        (json.loads(made[INDEX]), None, lambda data: made | {INDEX: sealed(data)}),
        (head, dict([*head.items()][:2]), lambda data: forged(made | {arrays: with_header(written(data), numbers)})),
    )
    for data, within, files in forms:
        for place in fields(within or data):
            value: Any = data
            for key in place:
                value = value[key]
            for other in OTHERS:
                if not (alike(value, other) or (place[-1] == "lengths" and other is None)):
                    assert isinstance(read(files(put(data, place, other)), tmp_path / "set"), str), (place, other)
                    count += 1
    assert count > 500


@pytest.mark.parametrize(
    "name",
    [
        "",
        "..",
        "../{name}",
        "./{name}",
        "sub/{name}",
        "/etc/passwd",
        "{name}\0",
        "{name} ",
        "\\\\host\\{name}",
        "index.json",
        "README.md",
        "lstm-float64-0123456789ab.json",
    ],
)
def test_a_name_that_is_none_of_ours_is_refused_before_anything_is_read(made: Files, tmp_path: Path, name: str) -> None:
    data = json.loads(made[INDEX])
    file = data["files"][1]["records"]
    right = file["name"]
    file["name"] = name.replace("{name}", right)
    (tmp_path / right).write_bytes(made[right])
    found = read(made | {INDEX: written(data | {DIGEST: digest(data)})}, tmp_path / "set")
    assert isinstance(found, str)
    start = f"{tmp_path}/set/index.json: files: records: name: got {strict.shown(file['name'])}, wanted "
    printable = f"{start}'{right}'"
    assert found in (printable, f"{start}a line of text")


def changed(made: Files, name: str, change: Callable[[Any], Any]) -> Files:
    """Return files with one of them changed as plain data; `name` is how its name begins."""
    if name == INDEX:
        data = json.loads(made[INDEX])
        change(data)
        return made | {INDEX: written(data | {DIGEST: digest(data)})}
    file = next(other for other in made if other.startswith(name) and other.endswith(".json"))
    data = json.loads(made[file])
    change(data)
    return forged(made | {file: written(data)})


LSTM, RELU = "lstm-float64", "rnn_relu-float32"
CHANGES: dict[str, tuple[str, Callable[[Any], Any], str]] = {
    "newer": (INDEX, lambda data: data.update(version=2), "index.json: version: got 2, wanted 1"),
    "other": (
        INDEX,
        lambda data: data.update(schema="x"),
        "index.json: schema: got 'x', wanted 'rnn-crosscheck-golden'",
    ),
    "more": (
        INDEX,
        lambda data: data.update(more=1),
        "index.json: got the unknown 'more', wanted schema, version, comm",
    ),
    "less": (INDEX, lambda data: data.pop("comment"), "index.json: got no comment, wanted schema, version, comment"),
    "unused": (
        INDEX,
        lambda data: data["recordings"].append(data["recordings"][0] | {"subject": "x"}),
        "index.json: recordings: got 2, which no vector is of, wanted those of the vectors",
    ),
    "same": (
        INDEX,
        lambda data: data["recordings"].append(data["recordings"][0]),
        "index.json: recordings: got the same twice, wanted each once",
    ),
    "cell": (
        INDEX,
        lambda data: data["files"][0].update(cell="x"),
        "index.json: files: cell: got 'x', wanted one of rnn_",
    ),
    "again": (
        INDEX,
        lambda data: data["files"].append(data["files"][0]),
        "index.json: files: got gru and bfloat16 twice, wanted each once",
    ),
    "bytes": (
        INDEX,
        lambda data: data["files"][0]["records"].update(bytes=1),
        ".json: got 737 bytes, wanted 1, as index.json says",
    ),
    "gigabytes": (
        INDEX,
        lambda data: data["files"][0]["records"].update(bytes=2**40),
        f"index.json: files: records: bytes: got {2**40}, wanted at most {2**25}",
    ),
    "count": (
        INDEX,
        lambda data: data["files"][0].update(count=2),
        ".json: vectors: got 1, wanted 2, as index.json says",
    ),
    "recording before the first": (
        RELU,
        lambda data: data["vectors"][0].update(recording=-1),
        "': recording: got -1, wanted the place of one of 2 recordings, from 0",
    ),
    "of a planted one": (
        LSTM,
        lambda data: data["vectors"][2].update(of=data["vectors"][2]["id"]),
        "wanted a valid vector of the same file",
    ),
    "records newer": (LSTM, lambda data: data.update(version=2), ".json: version: got 2, wanted 1"),
    "order": (LSTM, lambda data: data["vectors"].reverse(), "wanted in order, each once"),
    "T": (LSTM, lambda data: data["vectors"][0].update(T=2), "': T: got 2, wanted 3"),
    "lengths": (LSTM, lambda data: data["vectors"][0].update(lengths=[1]), "': lengths: got [1], wanted None"),
    "spec": (LSTM, lambda data: data["vectors"][0]["spec"].update(bias=False), "': spec: got {"),
    "dtype": (
        LSTM,
        lambda data: data["vectors"][0].update(dtype="float32"),
        "': dtype: got 'float32', wanted 'float64'",
    ),
    "case": (RELU, lambda data: data["vectors"][0].update(case="gru:T1B1I1H1:seed=1"), "wanted a case of rnn_relu in"),
    "option": (
        RELU,
        lambda data: data["vectors"][0].update(case="gru:T1B1I1H1:x=1"),
        "': case: case: got 'x=1', wanted",
    ),
    "same case": (
        LSTM,
        lambda data: data["vectors"][0].update(case=data["vectors"][0]["case"] + ":bias=true"),
        "': case: got 'lstm:T3B1I1H1:forget_bias=1:zoneout=0.25:truncate=1,2:seed=6:bias=true', wanted 'lstm",
    ),
    "id": (
        LSTM,
        lambda data: data["vectors"][0].update(id="lstm-0"),
        ".safetensors: 'lstm-0': got no arrays, wanted those",
    ),
    "recording": (
        RELU,
        lambda data: data["vectors"][0].update(recording=2),
        "': recording: got 2, wanted the place of one",
    ),
    "of": (
        RELU,
        lambda data: data["vectors"][2].update(of="x"),
        "': of: got 'x', wanted a valid vector of the same file",
    ),
    "bound": (RELU, lambda data: data["vectors"][1]["bounds"].update(y=2), "': bounds: got {'"),
}


@pytest.mark.parametrize(("name", "change", "message"), CHANGES.values(), ids=CHANGES)
def test_a_change_is_named(made: Files, tmp_path: Path, name: str, change: Callable[[Any], Any], message: str) -> None:
    found = read(changed(made, name, change), tmp_path / "set")
    assert isinstance(found, str)
    assert message in found, found


@pytest.mark.parametrize("field", ["comment", "date", "sha256"])
def test_an_index_whose_digest_is_another_is_refused(made: Files, tmp_path: Path, field: str) -> None:
    data = json.loads(made[INDEX])
    if field == "comment":
        data["comment"] = "another"
    elif field == "date":
        data["recordings"][0]["date"] = "2026-11-26T08:00:01+00:00"
    else:
        data["files"][0]["arrays"]["sha256"] = "0" * 64
    found = read(made | {INDEX: written(data)}, tmp_path / "set")
    assert found == f"{tmp_path}/set/index.json: digest: got '{data[DIGEST]}', wanted '{digest(data)}'"


def linked(folder: Path, name: str, target: Path | str) -> None:
    (folder / name).unlink()
    (folder / name).symlink_to(target)


@pytest.mark.parametrize("ending", [".json", ".safetensors", INDEX])
def test_a_link_to_outside_the_folder_is_refused_and_one_within_it_is_not(folder: Path, ending: str) -> None:
    name = next(path.name for path in sorted(folder.iterdir()) if path.name.endswith(ending))
    content = (folder / name).read_bytes()
    outside = folder.parent / "outside"
    for target, right in ((folder / "within", True), (outside, False), (f"../{outside.name}", False), ("loop", False)):
        for path in (folder / "within", outside):
            path.write_bytes(content)
        (folder / "loop").unlink(missing_ok=True)
        (folder / "loop").symlink_to("loop")
        linked(folder, name, target)
        if right:
            assert len(load(folder).vectors) == 7
            continue
        with pytest.raises(ArgumentError) as error:
            load(folder)
        assert str(error.value) in (
            f"{folder / name}: got a link to outside the folder, wanted a file in it",
            f"{folder / name}: got Too many levels of symbolic links, wanted a file that can be read",
            f"golden set: got no {INDEX} in {folder}, wanted the folder of a golden set",
        )


def test_a_folder_that_is_reached_by_a_link_is_read(folder: Path) -> None:
    (folder.parent / "link").symlink_to(folder)
    assert len(load(folder.parent / "link").vectors) == 7


@pytest.mark.parametrize("ending", [".json", ".safetensors", INDEX])
def test_what_is_no_ordinary_file_is_refused_without_waiting(folder: Path, ending: str) -> None:
    name = next(path.name for path in sorted(folder.iterdir()) if path.name.endswith(ending))
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(ArgumentError, match=f"{name}: got something else, wanted an ordinary file"):
        load(folder)
    (folder / name).unlink()
    (folder / name).mkdir()
    with pytest.raises(ArgumentError, match=f"{name}: got Is a directory, wanted a file that can be read"):
        load(folder)


def test_a_file_that_is_too_large_is_not_read(folder: Path) -> None:
    with (folder / INDEX).open("ab") as file:
        file.truncate(2**40)  # of holes
    with pytest.raises(ArgumentError, match=rf"index\.json: got {2**40} bytes, wanted at most {2**20}"):
        load(folder)


LARGE = ("T65536B65536I65536H65536:layers=2:zoneout=0.5:seed=1", "T3B2I1H2:layers=65536:regime=nan_padding:seed=1")


@pytest.mark.parametrize("line", LARGE)
def test_nothing_large_is_made_of_a_short_line(made: Files, tmp_path: Path, line: str) -> None:
    name = next(name for name in made if name.startswith("lstm") and name.endswith(".json"))
    data = json.loads(made[name])
    for record in data["vectors"]:
        record["case"] = f"lstm:{line}"
    files = forged(made | {name: written(data)})
    tracemalloc.start()
    try:
        assert isinstance(read(files, tmp_path / "set"), str)
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("module", "name", "answer", "alteration"),
    [
        (parse_vector, "_check_parts", None, entries),
        (parse_vector, "check_fields", None, records),
        (parse, "check_fields", None, index),
        (strict, "_sizes", True, header),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_reader_that_takes_something_for_granted_is_found_out(
    module: Any, name: str, answer: Any, alteration: Any, made: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, name, lambda *_, **__: answer)
    with pytest.raises(AssertionError, match=alteration.__name__):
        refused(alteration, made, tmp_path / "set")


def test_a_digest_that_is_not_compared_is_found_out(
    made: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parse, "_content", lambda file, read, *_: read(file["name"], file["bytes"]))
    with pytest.raises(AssertionError, match="another set, and nobody was told"):
        refused(any_bytes, made, tmp_path / "set", rounds=500)
