"""crosscheck golden: what each command prints, and its exit code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from crosscheck.cli import cli
from crosscheck.errors import ArgumentError
from crosscheck.exits import MISMATCH, NOTHING, PASSED
from crosscheck.golden.files import load

MINE = """\
import numpy as np

from crosscheck import subject
from crosscheck.subjects.manual import manual


@subject(cell="rnn_tanh")
def mine(case):
    returned = {name: np.array(array) for name, array in manual(case).items()}
    return returned
"""
WRONG = MINE.replace("    return returned", '    returned["dx"] *= 2\n    return returned')
NEAR = MINE.replace(
    "    return returned", '    returned["dx"][0, 0, 0] = np.nextafter(returned["dx"][0, 0, 0], 0)\n    return returned'
)
ONE, TWO, THREE = "rnn_tanh:T2B1I1H1:seed=1", "rnn_tanh:T2B1I1H1:seed=2", "rnn_tanh:T2B1I1H1:dtype=float32:seed=3"
DATE = re.compile(r"\d{4}-\d\d-\d\dT[\d:+]+")
TARGET = ("mine.py:mine", "--in-process")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with `mine.py` in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "110")
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    return tmp_path


def golden(*arguments: str) -> tuple[int, str]:
    """Return the exit code and what was printed, a date as DATE."""
    done = CliRunner().invoke(cli, ["golden", *arguments], standalone_mode=False, catch_exceptions=False)
    return done.return_value, DATE.sub("DATE", done.output)


@pytest.fixture
def recorded(here: Path) -> Path:
    golden("record", "set", *TARGET, "--case", ONE, "--case", TWO)
    return here / "set"


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_record_check_list_lint(here: Path) -> None:
    passed = "PASS  2 vectors, 0 failures, 0 unused\n"
    recorded = golden("record", "set", *TARGET, "--case", ONE, "--case", TWO, "--comment", "ours")
    assert recorded == (PASSED, f"recorded 2 vectors in set\n{passed}")
    assert load(here / "set").comment == "ours"
    assert golden("check", "set", *TARGET) == (PASSED, passed)
    assert golden("check", "set") == (PASSED, "PASS  2 of 2 valid\n")
    assert golden("lint", "set") == (PASSED, "set: no faults\n")
    first, second = (vector for vector in load(here / "set").vectors)
    lines = "".join(f"  {vector.id}  valid  {vector.case}\n" for vector in (first, second))
    assert golden("list", "set") == (PASSED, f"{lines}2 vectors\n")
    assert golden("list", "set", "--cell", "gru") == (NOTHING, "0 vectors\n")


def test_drawn_vectors_are_of_what_the_target_supports(here: Path) -> None:
    code, text = golden("record", "set", *TARGET, "-n", "3", "--dtype", "float32", "--regime", "ordinary")
    vectors = load(here / "set").vectors
    assert (code, text.splitlines()[0]) == (PASSED, f"recorded {len(vectors)} vectors in set")
    assert {(v.case.spec.cell, v.case.dtype, v.case.regime) for v in vectors} == {("rnn_tanh", "float32", "ordinary")}
    assert {v.recording.subject for v in vectors} == {"mine.py:mine"}


def test_where_a_set_is_none_is_recorded(recorded: Path) -> None:
    before = files(recorded)
    with pytest.raises(ArgumentError, match="set, which is one already"):
        golden("record", "set", *TARGET, "--case", ONE)
    assert files(recorded) == before


def test_a_mistake_fails_is_shown_as_a_run_shows_it_and_kept(recorded: Path, here: Path) -> None:
    (here / "mine.py").write_text(WRONG, encoding="utf-8")
    code, text = golden("check", "set", *TARGET)
    assert code == MISMATCH
    assert "FAIL  mine.py:mine   dx is wrong\n" in text
    assert re.search(r"judged by +golden vector rnn_tanh-[0-9a-f]{10}, recorded DATE\n", text)
    assert "right        y, h_n, dh_0, dW_xh, dW_hh, db_xh, db_hh\n" in text
    assert text.endswith("FAIL  2 vectors, 2 failures, 0 unused\n")
    kept = re.search(r"crosscheck explain (\S+)", text)
    assert kept is not None
    assert (here / ".crosscheck" / "failures" / kept[1] / "failure.json").is_file()


def test_a_failure_is_not_kept_where_it_is_not_to_be(recorded: Path, here: Path) -> None:
    (here / "mine.py").write_text(WRONG, encoding="utf-8")
    assert golden("check", "set", *TARGET, "--no-keep")[0] == MISMATCH
    assert not (here / ".crosscheck").exists()


def test_a_missing_vector_is_written_and_fails_once(recorded: Path) -> None:
    missing = "1 vector missing in set: recorded; look at it, keep it, and check again\n"
    text = f"{missing}PASS  1 vector, 0 failures, 0 unused\n"
    assert golden("check", "set", *TARGET, "--case", THREE) == (MISMATCH, text)
    assert golden("check", "set", *TARGET, "--case", THREE) == (PASSED, "PASS  1 vector, 0 failures, 0 unused\n")
    assert golden("check", "set", *TARGET) == (PASSED, "PASS  3 vectors, 0 failures, 0 unused\n")


def test_a_missing_set_is_written_and_fails(here: Path) -> None:
    code, text = golden("check", "set", *TARGET, "-n", "2")
    count = len(load(here / "set").vectors)
    assert (code, text.splitlines()[0]) == (
        MISMATCH,
        f"{count} vectors missing in set: recorded; look at it, keep it, and check again",
    )
    assert golden("check", "set", *TARGET)[0] == PASSED


def test_vectors_that_are_not_for_the_target_are_counted(recorded: Path) -> None:
    golden("update", "set", "manual", "--in-process", "--new-only", "--case", "gru:T2B1I1H1:seed=1")
    text = "  unused       mine.py:mine does not support the cases of 1 vector\nPASS  2 vectors, 0 failures, 1 unused\n"
    assert golden("check", "set", *TARGET) == (PASSED, text)
    unused = golden("check", "set", *TARGET, "--cell", "gru")
    assert unused[0] == NOTHING
    assert unused[1].endswith("INCONCLUSIVE  0 vectors, 0 failures, 1 unused\n")


def test_diff_finds_a_move_to_the_neighbour_and_update_takes_it_up(recorded: Path, here: Path) -> None:
    assert golden("diff", "set", *TARGET) == (PASSED, "0 tensors moved in 0 of 2 vectors\n")
    (here / "mine.py").write_text(NEAR, encoding="utf-8")
    code, text = golden("diff", "set", *TARGET)
    head, *rows, since, last = text.splitlines()
    assert (code, last) == (PASSED, "2 tensors moved in 2 of 2 vectors")
    assert head.split("  ")[1].strip() == "tensor"
    assert all(re.match(r"  dx .*\[0, 0, 0\]  1 of 2  rnn_tanh-[0-9a-f]{10}$", row) for row in rows)
    assert re.match(r"  since        DATE   numpy .*   mine.py:mine$", since)
    assert golden("update", "set", *TARGET) == (PASSED, text)
    assert golden("diff", "set", *TARGET)[1] == "0 tensors moved in 0 of 2 vectors\n"


def test_diff_fails_where_it_moved_by_more_than_a_bound(recorded: Path, here: Path) -> None:
    (here / "mine.py").write_text(WRONG, encoding="utf-8")
    assert golden("diff", "set", *TARGET)[0] == MISMATCH


def test_diff_of_two_sets_names_what_only_one_has(recorded: Path) -> None:
    golden("record", "other", *TARGET, "--case", TWO, "--case", THREE)
    ids = {str(vector.case): vector.id for folder in ("set", "other") for vector in load(Path(folder)).vectors}
    text = f"  added        {ids[THREE]}\n  gone         {ids[ONE]}\n0 tensors moved in 0 of 1 vector\n"
    assert golden("diff", "set", "other") == (PASSED, text)


def test_new_only_leaves_all_others_byte_for_byte(recorded: Path, here: Path) -> None:
    before = files(recorded)
    (here / "mine.py").write_text(NEAR, encoding="utf-8")
    code, text = golden("update", "set", *TARGET, "--new-only", "--case", ONE, "--case", THREE)
    after = files(recorded)
    added = next(vector.id for vector in load(recorded).vectors if vector.case.dtype == "float32")
    assert (code, text) == (PASSED, f"  added        {added}\n0 tensors moved in 0 of 2 vectors\n")
    assert {name for name in before if before[name] != after.get(name)} == {"index.json"}
    assert len(after) == len(before) + 2


def test_numbers_of_a_target_are_not_lost_by_an_update_without_it(recorded: Path) -> None:
    with pytest.raises(ArgumentError, match=r"mine\.py:mine, whose numbers are in the set"):
        golden("update", "set")


def test_a_set_that_was_tampered_with_is_said_to_be(recorded: Path) -> None:
    index = recorded / "index.json"
    index.write_text(index.read_text(encoding="utf-8").replace('"version": 1', '"version": 2'), encoding="utf-8")
    code, text = golden("lint", "set")
    assert code == MISMATCH
    assert re.search(r"^set: [1-9]\d* faults?$", text, re.MULTILINE)


def test_a_case_is_for_a_target(recorded: Path) -> None:
    with pytest.raises(ArgumentError, match="case: got rnn_tanh:T2B1I1H1:seed=1, wanted a TARGET with it"):
        golden("check", "set", "--case", ONE)


@pytest.mark.parametrize("moment", [0, 1, 2, 3, 5, 8])
def test_an_update_that_is_killed_leaves_the_old_set_or_the_new_one(recorded: Path, moment: int) -> None:
    """It is killed when it has changed so many times what is in the folder; 0: at once."""
    old = {vector.id: vector.got["dx"] for vector in load(recorded).vectors}
    new = {id: np.copy(dx) for id, dx in old.items()}
    for dx in new.values():
        dx[0, 0, 0] = np.nextafter(dx[0, 0, 0], 0)
    Path("mine.py").write_text(NEAR, encoding="utf-8")
    command = [sys.executable, "-c", "from crosscheck.cli import main; main()", "golden", "update", "set", *TARGET]
    there, changes = set(os.listdir(recorded)), 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and changes < moment:
            now = set(os.listdir(recorded))
            there, changes = now, changes + (now != there)
        process.kill()
    left = {vector.id: vector.got["dx"].tobytes() for vector in load(recorded).vectors}
    assert left in ({id: dx.tobytes() for id, dx in each.items()} for each in (old, new))
    assert moment > 0 or left == {id: dx.tobytes() for id, dx in old.items()}
