"""A failure as a folder: what is in it, that it comes back the same, and that a bad one is refused with one error."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from crosscheck import ArgumentError, Case, Status
from crosscheck.examine import examine
from crosscheck.failure import Failure
from crosscheck.implementation import Finding, make
from crosscheck.keep import Record, all_kept, find, keep, load
from crosscheck.plain import plain_verdict, verdict_of, without_nan
from crosscheck.record import record
from crosscheck.referee.proof import Outcome
from crosscheck.subjects.manual import manual
from crosscheck.verdict import TensorCheck, Verdict

LINE = "lstm:T2B2I1H2:dtype=float32:lengths=2,1:seed=3"
SAID = {
    "because": ("the gradient is not carried",),
    "where": ("right: y", "from step 1 on"),
    "mistake": ("yours: dh = dy", "right: dh = dy + dh_next"),
    "agreed": ("definition",),
}


def doubled(case: Case) -> dict[str, Any]:
    results = manual(case)
    return dict(results) | {"dW_hh": results["dW_hh"] * 2}


@pytest.fixture
def failure() -> Record:
    subject = make(doubled)
    case = Case.parse(LINE)
    found = record(subject, Failure(examine((subject,), case)[0]))
    return replace(found, subject="lib/my_rnn.py:MyRNN", location={"step": 1, "worst": math.inf}, **SAID)  # type: ignore[arg-type]


def test_it_comes_back_the_same(failure: Record, tmp_path: Path) -> None:
    kept = load(keep(failure, tmp_path))
    back = kept.record
    assert back.case == failure.case
    assert all(np.array_equal(array, failure.case.arrays[name]) for name, array in back.case.arrays.items())
    assert back.case.arrays["x"].dtype == np.float32
    assert back.verdict == replace(failure.verdict, subject=failure.subject)
    assert back.verdict.status is Status.FAIL
    for part in ("got", "want", "bound", "rest"):
        kept_part, given = getattr(back, part), getattr(failure, part)
        assert kept_part.keys() == given.keys()
        assert all(np.array_equal(kept_part[name], given[name]) for name in given)
    assert {name: getattr(back, name) for name in SAID} == SAID
    assert back.location == {"step": 1, "worst": "Infinity"}
    assert kept.versions["numpy"] == np.__version__
    assert set(kept.versions) == {"python", "numpy", "torch", "hypothesis", "rnn-crosscheck"}
    assert kept.started_in.resolve() == Path.cwd()


def test_what_is_right_is_right(failure: Record) -> None:
    exact = manual(failure.case)
    for name, want in failure.want.items():
        assert np.all(np.abs(exact[name] - want) <= failure.bound[name])
    off = np.abs(failure.got["dW_hh"] - failure.want["dW_hh"]) > failure.bound["dW_hh"]
    assert np.count_nonzero(off) == next(check.wrong for check in failure.verdict.checks if check.name == "dW_hh")


def test_what_is_in_the_folder(failure: Record, tmp_path: Path) -> None:
    folder = keep(failure, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    files = ["arrays.safetensors", "failure.json", "reproduce.py", "test_failure.py"]
    assert sorted(path.name for path in folder.iterdir()) == files
    data = json.loads((folder / "failure.json").read_text())
    assert next(iter(data)) == "format"
    assert (data["format"], data["subject"], data["case"]) == (1, "lib/my_rnn.py:MyRNN", LINE)
    assert [tensor["name"] for tensor in data["verdict"]["tensors"] if tensor["status"] == "FAIL"] == ["dW_hh"]
    arrays = load_file(folder / "arrays.safetensors")
    assert np.array_equal(arrays["got.dW_hh"], failure.got["dW_hh"])
    assert all(array.dtype.byteorder in "<=" for array in arrays.values())


def test_the_id_is_stable_and_tells_failures_apart(failure: Record) -> None:
    assert failure.id == "my_rnn-MyRNN-lstm-f3cc50b2"
    case = Case.parse(LINE.replace("seed=3", "seed=4"))
    others = [replace(failure, **change).id for change in ({"case": case}, {"recipe": {"as": "x"}}, {"subject": "a:b"})]
    assert len({failure.id, *others}) == 4
    assert replace(failure, verdict=replace(failure.verdict, findings=()), because=()).id == failure.id


@pytest.mark.parametrize(
    ("subject", "slug"),
    [
        ("mine.py:mine", "mine"),
        ("a/b/my rnn.py:Net.run", "my-rnn-Net-run"),
        ("package.module:attr", "package-module-attr"),
        ("jax_scan", "jax_scan"),
        ("../über.py:f", "ber-f"),
    ],
)
def test_the_id_can_be_the_name_of_a_folder(failure: Record, subject: str, slug: str) -> None:
    assert replace(failure, subject=subject).id.rpartition("-lstm-")[0] == slug


def test_the_same_failure_is_replaced(failure: Record, tmp_path: Path) -> None:
    first = keep(failure, tmp_path)
    (first / "stray").write_text("")
    second = keep(replace(failure, because=("another reason",)), tmp_path)
    assert second == first
    assert load(second).record.because == ("another reason",)
    assert [path.name for path in tmp_path.iterdir()] == [second.name]
    assert not (second / "stray").exists()


def test_a_write_that_fails_leaves_the_old_one(
    failure: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(failure, tmp_path)

    def full(*_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ArgumentError, match=r"root: got .*no space left, wanted a folder that can be written"):
        keep(replace(failure, because=("another reason",)), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [failure.id]
    assert load(tmp_path / failure.id).record.because == SAID["because"]


def test_what_is_said_has_to_be_plain(failure: Record, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="plain data"):
        keep(replace(failure, location={"where": object()}), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_json_has_no_number_for(failure: Record) -> None:
    check = TensorCheck("y", Status.FAIL, (), math.nan, -math.inf, 0.0, math.inf, math.inf, 1, 1)
    finding = Finding("raised", "", "ValueError: no", "traceback")
    verdict = Verdict("s", failure.case, (check,), (finding,), ("dx",), Outcome.OPEN, ("balls",))
    data = json.loads(json.dumps(plain_verdict(verdict), allow_nan=False))
    assert (data["tensors"][0]["got"], data["tensors"][0]["want"]) == ("NaN", "-Infinity")
    back = verdict_of(data, "s", failure.case)
    assert replace(back, checks=()) == replace(verdict, checks=())
    assert repr(back.checks) == repr(verdict.checks)  # NaN is not itself
    assert without_nan({"a": (1, math.inf), 2: "NaN"}) == {"a": [1, "Infinity"], "2": "NaN"}
    numbers = without_nan([np.int64(3), np.float64(np.nan), np.bool_(True)])
    assert [type(number) for number in numbers] == [int, str, bool]


def test_arrays_that_a_later_version_would_fill_otherwise_stay(failure: Record, tmp_path: Path) -> None:
    case = replace(failure.case, arrays={**failure.case.arrays, "x": failure.case.x + np.float32(1)})
    back = load(keep(replace(failure, case=case), tmp_path)).record.case
    assert np.array_equal(back.x, failure.case.x + np.float32(1))


def edited(**changes: Any) -> Callable[[Path], None]:
    """Return what changes fields of failure.json; None takes one away."""

    def edit(folder: Path) -> None:
        data = json.loads((folder / "failure.json").read_text()) | changes
        (folder / "failure.json").write_text(json.dumps({k: v for k, v in data.items() if v is not None}))

    return edit


def rewritten(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Path], None]:
    """Return what changes arrays."""

    def rewrite(folder: Path) -> None:
        arrays = change(load_file(folder / "arrays.safetensors"))
        save_file({name: np.array(array, order="C") for name, array in arrays.items()}, folder / "arrays.safetensors")

    return rewrite


def cut(name: str, part: float) -> Callable[[Path], None]:
    """Return what cuts a file off."""

    def truncate(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: int(len(content) * part)])

    return truncate


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def listed(folder: Path) -> None:
    (folder / "failure.json").write_text("[]")


def fewer(name: str) -> Callable[[Path], None]:
    """Return what leaves an array out."""
    return rewritten(lambda arrays: {each: array for each, array in arrays.items() if each != name})


BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "no folder": (shutil.rmtree, r"failure: got no failure\.json in .*, wanted the folder of a failure"),
    "no failure.json": (without("failure.json"), r"failure: got no failure\.json in"),
    "half a failure.json": (cut("failure.json", 0.5), r"failure\.json: got no JSON \(.*wanted a whole file"),
    "an empty failure.json": (cut("failure.json", 0), r"failure\.json: got no JSON"),
    "a list": (listed, r"got list, wanted an object"),
    "another format": (edited(format=2), r"got format 2, wanted format 1, which this version reads"),
    "no format": (edited(format=None), r"got format None, wanted format 1"),
    "no subject": (edited(subject=None), r"got no field 'subject', wanted all that"),
    "no verdict": (edited(verdict=None), r"got no field 'verdict'"),
    "an empty verdict": (edited(verdict={}), r"got no field 'tensors'"),
    "a verdict of another kind": (edited(verdict=[1]), r"got a field of another kind"),
    "a tensor of another kind": (edited(verdict={"tensors": [{}]}), r"got no field 'got'"),
    "sentences of another kind": (edited(because=3), r"got a field of another kind"),
    "no case any more": (edited(case="lstm:T2B2I1H2:colour=red:seed=3"), r"case: got 'colour=red', wanted"),
    "a case of another kind": (edited(case=7), r"got a field of another kind"),
    "no arrays": (without("arrays.safetensors"), r"arrays\.safetensors: got no arrays \(.*No such file"),
    "half the arrays": (cut("arrays.safetensors", 0.5), r"arrays\.safetensors: got no arrays \("),
    "no bytes of arrays": (cut("arrays.safetensors", 0), r"arrays\.safetensors: got no arrays \("),
    "an array less": (fewer("x"), r"got no x, wanted the arrays of lstm"),
    "a bound less": (fewer("bound.y"), r"got no bound\.y, wanted the arrays of lstm"),
    "an array more": (rewritten(lambda a: a | {"z": a["x"]}), r"got z \(2, 2, 1\) float32, wanted the arrays of"),
    "another shape": (rewritten(lambda a: a | {"x": a["x"][:1]}), r"got x \(1, 2, 1\) float32, wanted the arrays of"),
    "another dtype": (rewritten(lambda a: a | {"x": a["x"].astype(np.float64)}), r"got x \(2, 2, 1\) float64, wanted"),
    "the arrays of another case": (edited(case="rnn_tanh:T1B1I1H1:seed=0"), r"wanted the arrays of rnn_tanh:T1B1"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_folder_is_refused(name: str, failure: Record, tmp_path: Path) -> None:
    folder = keep(failure, tmp_path)
    spoil, message = BAD[name]
    spoil(folder)
    with pytest.raises(ArgumentError, match=message):
        load(folder)


def test_finding_them(failure: Record, tmp_path: Path) -> None:
    first = keep(failure, tmp_path)
    second = keep(replace(failure, subject="other.py:run"), tmp_path)
    (tmp_path / ".half").mkdir()
    assert list(all_kept(tmp_path)) == [first, second]
    assert find(first.name, tmp_path) == (first,)
    assert find("other", tmp_path) == (second,)
    assert find(str(second / "failure.json")) == (second,)
    assert find(str(second)) == (second,)
    assert find(str(tmp_path)) == (first, second)
    with pytest.raises(ArgumentError, match=f"got 'nothing', wanted an ID in {tmp_path}, a failure.json, or a folder"):
        find("nothing", tmp_path)
    third = keep(replace(failure, subject="my_rnn.py:other"), tmp_path)
    with pytest.raises(ArgumentError, match=f"got 'my_rnn', wanted one of {first.name}, {third.name}"):
        find("my_rnn", tmp_path)
    assert list(all_kept(tmp_path / "nowhere")) == []
