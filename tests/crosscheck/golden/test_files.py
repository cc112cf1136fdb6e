"""A set as a folder: it comes back bit for bit, its text is the same each time, and what can't be so is not saved."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from crosscheck import ArgumentError
from crosscheck.golden import files, parse
from crosscheck.golden.files import load, save
from crosscheck.golden.vector import Golden, Kind, Vector, Wrong

MakeVector = Callable[..., Vector]


def bits(arrays: Any) -> dict[str, Any]:
    return {name: (array.dtype, array.shape, array.tobytes()) for name, array in arrays.items()}


def everything(vector: Vector) -> tuple[Any, ...]:
    """All that a vector holds, in a form that can be compared."""
    case = vector.case
    said = (vector.recording, vector.kind, vector.wrong, vector.flags, vector.comment, dict(vector.bounds))
    return (case, *said, bits(case.arrays), bits(vector.want), bits(vector.got))


def in_folder(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_set_comes_back_bit_for_bit(golden: Golden, folder: Path) -> None:
    back = load(folder)
    assert back.comment == "for tests"
    by_id = {vector.id: vector for vector in golden.vectors}
    assert [vector.id for vector in back.vectors] == sorted(by_id)
    for vector in back.vectors:
        assert everything(vector) == everything(by_id[vector.id])


def test_what_is_read_is_read_only(folder: Path) -> None:
    for vector in load(folder).vectors:
        for arrays in (vector.case.arrays, vector.want, vector.got):
            assert not any(array.flags.writeable for array in arrays.values())


def test_a_set_that_is_saved_again_has_the_same_bytes(golden: Golden, folder: Path, tmp_path: Path) -> None:
    before = in_folder(folder)
    save(load(folder), folder)
    assert in_folder(folder) == before
    save(Golden(tuple(reversed(golden.vectors)), golden.comment), tmp_path / "other")
    assert in_folder(tmp_path / "other") == before


def test_a_file_that_is_as_it_has_to_be_is_left_alone(golden: Golden, folder: Path) -> None:
    before = {path: path.stat().st_ino for path in folder.iterdir()}
    save(golden, folder)
    assert {path: path.stat().st_ino for path in folder.iterdir()} == before


def test_what_the_files_look_like(folder: Path) -> None:
    index = json.loads((folder / "index.json").read_text("ascii"))
    assert (index["schema"], index["version"], index["comment"]) == ("rnn-crosscheck-golden", 1, "for tests")
    assert [recording["subject"] for recording in index["recordings"]] == ["", "lib/my_rnn.py:MyRNN"]
    rest = {name: value for name, value in index.items() if name != "digest"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    assert index["digest"] == hashlib.sha256(text.encode()).hexdigest()
    assert [(entry["cell"], entry["dtype"], entry["count"]) for entry in index["files"]] == [
        ("gru", "bfloat16", 1),
        ("lstm", "float64", 3),
        ("rnn_relu", "float32", 3),
    ]
    for entry in index["files"]:
        for part, ending in (("records", "json"), ("arrays", "safetensors")):
            content = (folder / entry[part]["name"]).read_bytes()
            sha256 = hashlib.sha256(content).hexdigest()
            assert entry[part]["name"] == f"{entry['cell']}-{entry['dtype']}-{sha256[:12]}.{ending}"
            assert (entry[part]["bytes"], entry[part]["sha256"]) == (len(content), sha256)
    named = {entry[part]["name"] for entry in index["files"] for part in ("records", "arrays")}
    assert {path.name for path in folder.iterdir()} == named | {"index.json"}


def test_what_a_record_and_its_arrays_look_like(folder: Path, golden: Golden) -> None:
    lstm, wrong = golden.vectors[0], golden.vectors[1]
    (file,) = folder.glob("lstm-*.json")
    data = json.loads(file.read_text("ascii"))
    lines = file.read_text("ascii").splitlines()
    assert [json.loads(line.rstrip(",")) for line in lines[1:-1]] == data["vectors"]
    records = {record["id"]: record for record in data["vectors"]}
    assert records[lstm.id] == {
        "id": lstm.id,
        "result": "valid",
        "case": "lstm:T3B2I1H2:layers=2:regime=nan_padding:lengths=3,1:seed=1",
        "spec": {"cell": "lstm", "input_size": 1, "hidden_size": 2, "num_layers": 2},
        "T": 3,
        "B": 2,
        "lengths": [3, 1],
        "dtype": "float64",
        "flags": [],
        "comment": "padding holds NaN",
        "recording": 0,
        "bounds": lstm.bounds,
    }
    assert records[wrong.id] == records[lstm.id] | {
        "id": f"{lstm.id}-rnn.carry-dropped",
        "result": "invalid",
        "of": lstm.id,
        "wrong": {
            "name": "rnn.carry-dropped",
            "family": "F1",
            "says": "the gradient is not carried",
            "right": "dh = dy + dh_next",
            "wrong": "dh = dy",
        },
        "got": ["dx", "dW_hh"],
    }
    (file,) = folder.glob("lstm-*.safetensors")
    arrays = load_file(file)
    assert {name for name in arrays if name.startswith(wrong.id)} == {
        f"{wrong.id}/got/{name}" for name in ("dx", "dW_hh")
    }
    found = {name.removeprefix(f"{lstm.id}/") for name in arrays if name.startswith(f"{lstm.id}/")}
    assert found == {f"in/{name}" for name in lstm.case.arrays} | {f"want/{name}" for name in lstm.want}


def test_a_set_of_nothing(tmp_path: Path) -> None:
    save(Golden(comment="as yet"), tmp_path)
    assert load(tmp_path) == Golden((), "as yet")
    assert [path.name for path in tmp_path.iterdir()] == ["index.json"]


def test_what_is_no_longer_named_goes_and_what_is_not_ours_stays(golden: Golden, folder: Path) -> None:
    stale = next(folder.glob("gru-*.json")).name
    others = [
        "README.md",
        "read.py",
        "package.json",
        "x.safetensors",
        ".index.json.swp",
        "gru-float8-0123456789ab.json",
    ]
    leavings = ["lstm-float64-0123456789ab.json", f".{stale}.123.new", ".index.json.1.new"]
    for name in (*others, *leavings):
        (folder / name).write_text("anything", encoding="utf-8")
    save(Golden(golden.vectors[:3]), folder)
    assert {path.name for path in folder.iterdir()} >= set(others)
    assert not {path.name for path in folder.iterdir()} & {*leavings, stale}
    assert len(load(folder).vectors) == 3


@pytest.mark.parametrize("text", ["{}", "[1]", "no JSON", '{"schema": "rnn-crosscheck-golden", "version": 2}'])
def test_an_index_that_is_not_ours_is_not_replaced(golden: Golden, tmp_path: Path, text: str) -> None:
    (tmp_path / "index.json").write_text(text, encoding="utf-8")
    with pytest.raises(ArgumentError, match=re.escape(f"{tmp_path}/index.json")):
        save(golden, tmp_path)
    assert in_folder(tmp_path) == {"index.json": text.encode()}


def test_a_save_that_fails_leaves_the_old_set(golden: Golden, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = in_folder(folder)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ArgumentError, match="No space left on device, wanted a folder that can be written"):
        save(Golden(golden.vectors, "another"), folder)
    assert in_folder(folder) == before


def test_a_save_waits_for_nobody_else(golden: Golden, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")
    tried = []

    def replaced(folder: Path, files: Any) -> None:
        handle = os.open(folder, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        os.close(handle)
        tried.append(folder)

    monkeypatch.setattr(files, "replace_all", replaced)
    save(golden, folder)
    assert tried == [folder]


def test_what_the_index_names_is_on_the_disk_before_it(
    golden: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill does not show this; a loss of power would."""
    done: list[str] = []
    replace_file, sync = os.replace, os.fsync

    def replaced(source: Path, target: Path) -> None:
        done.append(f"name {target.suffix if target.name != 'index.json' else 'index'}")
        replace_file(source, target)

    def synced(handle: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "content")
        sync(handle)

    monkeypatch.setattr(os, "replace", replaced)
    monkeypatch.setattr(os, "fsync", synced)
    save(Golden(golden.vectors[2:3]), tmp_path)
    data = ["content", "name .json", "content", "name .safetensors"]
    assert done == [*data, "folder", "content", "name index", "folder"]


def test_a_link_in_the_place_of_a_file_gives_way_to_a_file(golden: Golden, folder: Path) -> None:
    path = next(folder.glob("lstm-*.json"))
    content = path.read_bytes()
    path.rename(folder.parent / "outside")
    path.symlink_to(folder.parent / "outside")
    save(golden, folder)
    assert not path.is_symlink()
    assert path.read_bytes() == (folder.parent / "outside").read_bytes() == content
    assert len(load(folder).vectors) == 7


def test_without_locks_a_set_is_saved_and_read(golden: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    save(golden, tmp_path)
    assert len(load(tmp_path).vectors) == 7


@pytest.mark.parametrize("name", ["", "nowhere", "file", "file/deeper", "nul\0", "n" * 300])
def test_a_folder_that_is_none(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ArgumentError, match=r"no index\.json|name too long"):
        load(tmp_path / name)


@pytest.mark.parametrize("name", ["file", "file/deeper", "nul\0", "n" * 300])
def test_a_folder_that_cannot_be_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ArgumentError, match="wanted a folder that can be written"):
        save(Golden(), tmp_path / name)


def bad(golden: Golden) -> dict[str, tuple[tuple[Vector, ...], str]]:
    lstm, wrong, relu, convention, _, gru, last = golden.vectors
    want = dict(relu.want)
    recording = relu.recording
    return {
        "no valid one": ((wrong,), f"'{wrong.id}': of: got '{lstm.id}', wanted a valid vector of the same file"),
        "twice": ((gru, gru), f"got '{gru.id}' after '{gru.id}', wanted in order, each once"),
        "got none": ((lstm, replace(wrong, got={})), "got no got, wanted"),
        "got of another name": ((replace(relu, got={"dz": want["y"]}),), "got: got the unknown 'dz'"),
        "got of another shape": ((replace(relu, got={"y": want["loss"]}),), "got/y: got () float32, wanted (2, 1, 1)"),
        "want of another dtype": (
            (replace(relu, want=want | {"y": np.float64(want["y"])}),),
            "want/y: got (2, 1, 1) float64",
        ),
        "want NaN": ((replace(relu, want=want | {"loss": np.float32(np.nan)}),), "want/loss: got infinity or NaN"),
        "want infinite": ((replace(relu, want=want | {"loss": np.float32(np.inf)}),), "want/loss: got infinity or NaN"),
        "want less": ((replace(relu, want={"y": want["y"]}),), "want/h_n: got no array"),
        "want more": ((replace(relu, want=want | {"dz": want["y"]}),), "want/dz: got an array that no record names"),
        "bound less": ((replace(relu, bounds={"y": 1.0}),), "bounds: got no h_n"),
        "bound below 0": (
            (replace(relu, bounds={**relu.bounds, "y": -1.0}),),
            "bounds: y: got -1.0, wanted a finite number",
        ),
        "bound NaN": ((replace(relu, bounds={**relu.bounds, "y": np.nan}),), "got no JSON (the constant NaN)"),
        "bound infinite": (
            (replace(relu, bounds={**relu.bounds, "y": np.inf}),),
            "got no JSON (the constant Infinity)",
        ),
        "valid and wrong": (
            (relu, replace(convention, kind=Kind.VALID)),
            "result: got 'valid', wanted invalid or accept",
        ),
        "invalid of nothing": ((replace(relu, kind=Kind.INVALID),), "result: got 'invalid', wanted 'valid'"),
        "path in a name": (
            (relu, replace(convention, wrong=Wrong("../x", "", "", "", ""))),
            "got an array 'rnn_relu-e39e50a5ca-../x/got/loss', wanted",
        ),
        "no name": ((relu, replace(convention, wrong=Wrong("A B", "", "", "", ""))), "wrong: name: got 'A B'"),
        "two lines": ((replace(relu, comment="a\nb"),), "comment: got 'a\\nb', wanted a line of text"),
        "escapes": ((replace(relu, flags=("\x1b[31m",)),), "flags: got '\\x1b[31m', wanted a line of text"),
        "flag twice": ((replace(relu, flags=("a", "a")),), "flags: got ['a', 'a'], wanted each text once"),
        "no date": ((replace(relu, recording=replace(recording, date="today")),), "date: got 'today', wanted such as"),
        "no such date": (
            (replace(relu, recording=replace(recording, date="2026-02-30T00:00:00+00:00")),),
            "date: got '2026-02-30T00:00:00+00:00', wanted a date that there is",
        ),
        "another problem": (
            (lstm, replace(wrong, case=last.case)),
            f"of: got '{last.id}', wanted a valid vector of the same file",
        ),
        "other numbers": (
            (lstm, replace(wrong, want={**lstm.want, "y": lstm.want["y"] + 1})),
            f"{wrong.id}: got a problem of its own, wanted that of {lstm.id}",
        ),
        "other bounds": ((lstm, replace(wrong, bounds={**lstm.bounds, "y": 1.0})), "bounds: got {'y': 1.0"),
        "no numbers": (
            (
                replace(
                    relu, case=replace(relu.case, arrays={**relu.case.arrays, "x": np.full((2, 1, 2), np.inf, "f4")})
                ),
            ),
            "in/x: got infinity or NaN",
        ),
    }


def test_a_set_that_could_not_be_read_again_is_not_saved(golden: Golden, folder: Path) -> None:
    before = in_folder(folder)
    for name, (vectors, message) in bad(golden).items():
        with pytest.raises(ArgumentError) as error:
            save(Golden(vectors), folder)
        assert message in str(error.value), name
        assert in_folder(folder) == before


def test_a_comment_of_two_lines_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"index\.json: comment: got 'a\\nb', wanted a line of text"):
        save(Golden((), "a\nb"), tmp_path / "set")
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("part", ["records", "arrays"])
def test_a_set_that_is_too_large_is_not_saved(
    golden: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.setitem(parse.LIMITS, part, 1000)
    with pytest.raises(ArgumentError, match=f"{part}: bytes: got [0-9]+, wanted at most 1000"):
        save(golden, tmp_path / "set")
    assert not (tmp_path / "set").exists()
