"""A save that is killed, wherever it is, leaves the old set whole or the new one; see interrupted.py."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pytest

from crosscheck.golden.files import save
from crosscheck.golden.vector import Golden

SCRIPT = Path(__file__).with_name("interrupted.py")

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")


@pytest.fixture
def root(golden: Golden, tmp_path: Path) -> Path:
    """A folder of two sets: in the new one a group is gone, a group is another, and a group is as before."""
    kept = [vector for vector in golden.vectors if vector.case.spec.cell != "gru"]
    changed = [replace(v, comment="again") if v.case.dtype == "float32" else v for v in kept]
    for name, each in (("old", golden), ("new", Golden(tuple(changed), "anew"))):
        save(each, tmp_path / name)
        (tmp_path / name / "README.md").write_text("not ours", encoding="utf-8")
    return tmp_path


def run(how: str, root: Path, *planted: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, SCRIPT, how, root, *planted], capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_save_that_is_killed_at_each_of_its_steps_leaves_the_old_set_or_the_new_one(root: Path) -> None:
    found = run("steps", root)
    assert [name for name, _ in groupby(found)] == ["old", "new"]
    assert found.count("old") >= 12  # two halves of two files and of the index, each to the disk, each renamed
    assert found.count("new") >= 8  # six files to be removed


@pytest.mark.parametrize("planted", ["in_place", "index_first", "old_ones_first"])
def test_a_save_that_is_not_atomic_is_found_out(root: Path, planted: str) -> None:
    assert any(line.startswith("broken: ") for line in run("steps", root, planted))


def test_a_save_that_is_killed_at_any_moment_leaves_the_old_set_or_the_new_one(root: Path) -> None:
    found = run("kills", root)
    assert len(found) == 41
    assert set(found) == {"old", "new"}


def test_two_saves_at_once_and_who_reads_meanwhile_do_not_meet(root: Path) -> None:
    found = run("race", root)
    assert set(found) <= {"old", "new"}
    assert len(found) >= 5
