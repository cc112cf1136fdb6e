"""Failures run again: FIXED, FAILED, ERROR; by the command, by the script that stands alone, by pytest."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import crosscheck
from crosscheck import ArgumentError, Case, Status, cli, exits
from crosscheck.examine import examine
from crosscheck.failure import Failure
from crosscheck.implementation import make
from crosscheck.keep import keep, load
from crosscheck.record import record
from crosscheck.replay import Outcome, Replay, assert_fixed, replay, subject_of
from crosscheck.subjects.manual import manual

RIGHT = """\
import numpy as np


def mine(case):
    p, T = case.params, case.T
    h = [case.h_0[0]]
    for t in range(T):
        h.append(np.tanh(case.x[t] @ p["W_xh"].T + p["b_xh"] + h[t] @ p["W_hh"].T + p["b_hh"]))
    dx = np.empty_like(case.x)
    dW_xh, dW_hh, db = (np.zeros_like(p[name]) for name in ("W_xh", "W_hh", "b_xh"))
    dh_next = case.dh_n[0]
    for t in reversed(range(T)):
        dh = case.dy[t] + dh_next
        da = dh * (1 - h[t + 1] ** 2)
        dx[t] = da @ p["W_xh"]
        dW_xh += da.T @ case.x[t]
        dW_hh += da.T @ h[t]
        db += da.sum(axis=0)
        dh_next = da @ p["W_hh"]
    return {
        "y": np.array(h[1:]), "h_n": h[-1][None], "dx": dx, "dh_0": dh_next[None],
        "dW_xh": dW_xh, "dW_hh": dW_hh, "db_xh": db, "db_hh": db,
    }
"""
NO_CARRY = RIGHT.replace("dh = case.dy[t] + dh_next", "dh = case.dy[t] + dh_next * (t == T - 1)")
TWICE = RIGHT.replace("dh = case.dy[t] + dh_next", "dh = case.dy[t] + dh_next * (1 + (t < T - 1))")
DOUBLED = NO_CARRY.replace('"dx": dx', '"dx": 2 * dx, "h_n": h[0][None]')
RAISES = NO_CARRY.replace("dx = np", 'raise ValueError("out of luck")\n    dx = np')
LINE = "rnn_tanh:T2B1I1H1:seed=0"
ID = "mine-rnn_tanh-767a3d5f"
WRONG = "dx, dh_0, dW_xh, dW_hh, db_xh, db_hh wrong"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a wrong subject in it that was found out and kept."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("COLUMNS", "120")
    (tmp_path / "mine.py").write_text(NO_CARRY)
    keep_it()
    return tmp_path


def keep_it(target: str = "mine.py:mine", line: str = LINE) -> Path:
    subject = make(target)
    return keep(record(subject, Failure(examine((subject,), Case.parse(line))[0])))


def kept(place: Path) -> Path:
    return place / ".crosscheck/failures" / ID


def became(place: Path, text: str | None) -> tuple[str, str]:
    """Return what the failure became when the subject's file is changed, or taken away."""
    (place / "mine.py").unlink() if text is None else (place / "mine.py").write_text(text)
    found = replay(kept(place))
    assert found.id == ID
    return found.outcome.value, found.text


def test_a_life(place: Path) -> None:
    assert became(place, NO_CARRY) == ("FAILED", f"{WRONG}, as recorded")
    assert became(place, RIGHT) == ("FIXED", "")
    other = f"{WRONG}, by another number: dx[0, 0, 0] is -1.03303 and was -0.393224"
    assert became(place, TWICE) == ("FAILED", other)
    assert became(place, DOUBLED) == ("FAILED", f"h_n, {WRONG}; recorded: {WRONG}")
    assert became(place, RAISES) == ("FAILED", f"raised ValueError; recorded: {WRONG}")
    less = RIGHT.replace('"dW_hh": dW_hh, ', "")
    assert became(place, less) == ("FAILED", f"dW_hh not returned any more; recorded: {WRONG}")
    assert became(place, RIGHT.replace("def mine", "def others")) == (
        "ERROR",
        "target: got no attribute 'mine' in mine.py, wanted one that is there",
    )
    outcome, text = became(place, "import nothing_of_this_name\n")
    assert outcome == "ERROR"
    assert "No module named 'nothing_of_this_name'" in text
    assert became(place, None) == ("ERROR", "target: got no file mine.py, wanted a file that is there")


def test_rounding_is_no_other_number(place: Path) -> None:
    shifted = NO_CARRY.replace('"dx": dx', '"dx": np.nextafter(dx, 1)')
    assert became(place, shifted) == ("FAILED", f"{WRONG}, as recorded")


def test_nan_then_and_a_number_now(place: Path) -> None:
    (place / "mine.py").write_text(NO_CARRY.replace('"dx": dx', '"dx": dx * np.nan'))
    keep_it()
    assert became(place, NO_CARRY.replace('"dx": dx', '"dx": dx * np.nan'))[1] == f"{WRONG}, as recorded"
    assert became(place, NO_CARRY)[1] == f"{WRONG}, by another number: dx[0, 0, 0] is -0.393224 and was nan"
    keep_it()
    nan = became(place, NO_CARRY.replace('"dx": dx', '"dx": dx * np.nan'))[1]
    assert nan == f"{WRONG}, by another number: dx[0, 0, 0] is nan and was -0.393224"


def test_what_was_found_besides_numbers(place: Path) -> None:
    (place / "mine.py").write_text(RAISES)
    keep_it()
    assert became(place, RAISES) == ("FAILED", "raised ValueError, as recorded")
    assert became(place, RAISES.replace("out of luck", "at 0x7f3a")) == ("FAILED", "raised ValueError, as recorded")
    key = RAISES.replace("ValueError", "KeyError")
    assert became(place, key) == ("FAILED", "raised KeyError; recorded: raised ValueError")
    assert became(place, NO_CARRY) == ("FAILED", f"{WRONG}; recorded: raised ValueError")
    assert became(place, RIGHT) == ("FIXED", "")


def test_a_check_that_is_blind_is_no_pass(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from crosscheck import replay as module

    (place / "mine.py").write_text(RIGHT)

    def blind(*arguments: Any, **options: Any) -> Any:
        (verdict,) = examine(*arguments, **options)
        return (replace(verdict, checks=tuple(replace(c, status=Status.INCONCLUSIVE) for c in verdict.checks)),)

    monkeypatch.setattr(module, "examine", blind)
    outcome, text = became(place, RIGHT)
    assert (outcome, text.partition(":")[0]) == ("ERROR", "undecided")


@pytest.mark.parametrize("spoil", ["{", '{"format": 9}', '{"format": 1, "case": "lstm:T1"}', '{"format": 1}'])
def test_a_folder_that_cannot_be_read(place: Path, spoil: str) -> None:
    (kept(place) / "failure.json").write_text(spoil)
    found = replay(kept(place))
    assert (found.outcome, found.verdict) == (Outcome.ERROR, None)
    assert found.text.count("wanted") == 1


def test_the_arrays_that_were_kept_are_run(place: Path) -> None:
    subject = make("mine.py:mine")
    found = record(subject, Failure(examine((subject,), Case.parse(LINE))[0]))
    zero = replace(found.case, arrays={**found.case.arrays, "dy": 0 * found.case.dy, "dh_n": 0 * found.case.dh_n})
    folder = keep(replace(found, case=zero))
    assert replay(folder) == Replay(ID, Outcome.FIXED, "", replay(folder).verdict)  # without a gradient, no mistake


def test_it_is_found_from_where_it_was_kept(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert subject_of(load(kept(place))).name == f"{place.resolve() / 'mine.py'}:mine"
    assert replay(kept(place)).outcome is Outcome.FAILED
    (elsewhere / "mine.py").write_text(RIGHT)  # another one, of the same name
    assert replay(kept(place)).outcome is Outcome.FAILED
    (place / "mine.py").unlink()
    assert replay(kept(place)).outcome is Outcome.FIXED


def test_a_folder_that_moves_with_its_subject(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "project").mkdir()
    for name in ("mine.py", ".crosscheck"):
        shutil.move(place / name, place / "project" / name)
    assert replay(place / "project/.crosscheck/failures" / ID).outcome is Outcome.FAILED


def test_ours_and_what_is_made_in_a_way_unknown_here(place: Path) -> None:
    back = load(kept(place))
    ours = replace(back, record=replace(back.record, subject="manual"))
    assert subject_of(ours).function is manual
    made = replace(back, record=replace(back.record, recipe={"as": "something"}))
    with pytest.raises(ArgumentError, match=r"recipe: got \{'as': 'something'\}, wanted none"):
        subject_of(made)


def test_assert_fixed(place: Path) -> None:
    with pytest.raises(AssertionError) as error:
        assert_fixed(kept(place))
    first, *shown = str(error.value).splitlines()
    assert first == f"{ID}: {WRONG}, as recorded"
    assert f"FAIL  mine.py:mine   {WRONG.replace('wrong', 'are wrong')}" in shown
    (place / "mine.py").write_text(RIGHT)
    assert_fixed(kept(place))
    (place / "mine.py").unlink()
    with pytest.raises(AssertionError, match=r"no file mine\.py"):
        assert_fixed(kept(place))


def test_a_record_of_float32_and_a_short_format() -> None:
    for line in ("gru:T2B1I1H1:dtype=float32:seed=1", "gru:T2B1I1H1:dtype=bfloat16:seed=1"):
        subject = make(lambda case: dict(manual(case)) | {"y": manual(case)["y"] + case.array_dtype.type(1)})
        found = record(subject, Failure(examine((subject,), Case.parse(line))[0]))
        error = np.abs(found.got["y"] - found.want["y"] - found.rest.get("y", 0.0))
        assert np.all(error > found.bound["y"])
        error = np.abs(found.got["dx"] - found.want["dx"] - found.rest.get("dx", 0.0))
        assert np.all(error <= found.bound["dx"])


# The command.

Called = tuple[int, str, str]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Called]:
    """`(*arguments) -> exit code, standard output, standard error` of `crosscheck replay`, in this process."""

    def run(*arguments: str) -> Called:
        monkeypatch.setattr(sys, "argv", ["crosscheck", "replay", *arguments])
        with pytest.raises(SystemExit) as exit:
            cli.main()
        out, err = capsys.readouterr()
        assert isinstance(exit.value.code, int)
        return exit.value.code, out, err

    return run


def test_the_command_with_all_three_outcomes(place: Path, call: Callable[..., Called]) -> None:
    for name, text in (("a.py", RIGHT), ("b.py", NO_CARRY)):
        (place / name).write_text(NO_CARRY)
        keep_it(f"{name}:mine")
        (place / name).write_text(text)
    (place / "mine.py").unlink()
    code, out, err = call()
    assert (code, err) == (exits.MISMATCH, "")
    assert (
        out
        == f"""\
FIXED   a-mine-rnn_tanh-{out.split()[1][-8:]}
FAILED  {out.split()[3]}   {WRONG}, as recorded
ERROR   {ID}   target: got no file mine.py, wanted a file that is there

3 kept: 1 fixed, 1 failed, 1 error
"""
    )


def test_its_exit_codes(place: Path, call: Callable[..., Called]) -> None:
    assert call()[0] == call(ID)[0] == call("mine")[0] == call(str(kept(place) / "failure.json"))[0] == exits.MISMATCH
    (place / "mine.py").write_text(RIGHT)
    assert call(".crosscheck/failures") == (exits.PASSED, f"FIXED   {ID}\n\n1 kept: 1 fixed, 0 failed, 0 error\n", "")
    (place / "mine.py").unlink()
    assert call(str(kept(place)))[0] == exits.USAGE
    code, out, err = call("yours")
    assert (code, out) == (exits.USAGE, "")
    assert "failure: got 'yours', wanted an ID in .crosscheck" in err
    shutil.rmtree(place / ".crosscheck")
    assert call() == (exits.NOTHING, "nothing kept\n", "")


def test_it_shows_at_length(place: Path, call: Callable[..., Called]) -> None:
    _, out, _ = call("-v", "mine", ID)
    assert out.count(f"FAILED  {ID}") == 1  # however often it is named
    assert f"\nFAIL  mine.py:mine   {WRONG.replace('wrong', 'are wrong')}\n  case         {LINE}\n" in out


# The two scripts.


def run_in(place: Path, *command: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, [str(Path(crosscheck.__file__).parent.parent), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, *command],
        cwd=place,
        env=os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_script_that_stands_alone(place: Path) -> None:
    script = str(kept(place) / "reproduce.py")
    wrong = run_in(place.parent, script)
    assert (wrong.returncode, wrong.stderr) == (1, "")
    lines = wrong.stdout.splitlines()
    assert lines[-1] == f"wrong: mine.py:mine on {LINE}"
    assert any(line.startswith("dW_hh[0, 0]: got 0.58") for line in lines)
    assert {line.partition("[")[0] for line in lines[:-1]} == set(WRONG.removesuffix(" wrong").split(", "))
    (place / "mine.py").write_text(RIGHT)
    right = run_in(place.parent, script)
    assert (right.returncode, right.stderr, right.stdout) == (0, "", f"right: mine.py:mine on {LINE}\n")


SEEN = {
    "another shape": (RIGHT.replace('"dx": dx', '"dx": dx[0]'), "dx: (1, 1) float64, wanted (2, 1, 1) float64"),
    "another dtype": (RIGHT.replace('"dx": dx', '"dx": dx.astype("f4")'), "dx: (2, 1, 1) float32, wanted (2, 1, 1)"),
    "less": (RIGHT.replace('"dx": dx, ', ""), "dx: no longer returned"),
    "more": (RIGHT.replace('"dx": dx', '"dxx": dx, "dx": dx'), "dxx: there is no such output or gradient"),
    "NaN": (RIGHT.replace('"dx": dx', '"dx": dx * np.nan'), "dx[0, 0, 0]: got nan, want -0.7"),
    "written": (RIGHT.replace("    return", "    case.x[0] = 7\n    return"), "x: an input is written into"),
}


@pytest.mark.parametrize("name", SEEN)
def test_the_script_sees(name: str, place: Path) -> None:
    text, line = SEEN[name]
    (place / "mine.py").write_text(text)
    found = run_in(place, str(kept(place) / "reproduce.py"))
    assert found.returncode == 1
    assert line in found.stdout


def test_the_script_and_code_that_exits_or_is_gone(place: Path) -> None:
    (place / "mine.py").write_text("def mine(case):\n    raise SystemExit(0)\n")
    found = run_in(place, str(kept(place) / "reproduce.py"))
    assert (found.returncode, found.stderr) == (1, f"wrong: mine.py:mine exits on {LINE}: 0\n")
    (place / "mine.py").unlink()
    assert run_in(place, str(kept(place) / "reproduce.py")).returncode == 1


def test_the_script_of_a_module_and_of_ours(place: Path) -> None:
    (place / "package").mkdir()
    (place / "package/__init__.py").write_text("")
    (place / "package/cell.py").write_text("from mine import mine\n\n\nclass Cell:\n    run = staticmethod(mine)\n")
    (place / "mine.py").write_text(NO_CARRY)
    sys.path.insert(0, str(place))
    try:
        folder = keep_it("package.cell:Cell.run")
    finally:
        for name in ("mine", "package", "package.cell"):
            sys.modules.pop(name, None)
    assert run_in(place.parent, str(folder.resolve() / "reproduce.py")).returncode == 1
    (place / "mine.py").write_text(RIGHT)
    assert run_in(place.parent, str(folder.resolve() / "reproduce.py")).returncode == 0
    subject = make("manual")
    ours = keep(record(subject, Failure(examine((subject,), Case.parse(LINE))[0])))
    assert run_in(place, str(ours / "reproduce.py")).stdout == f"right: manual on {LINE}\n"


def test_the_file_for_pytest(place: Path) -> None:
    command = ("-m", "pytest", "-q", "-p", "no:cacheprovider", str(kept(place) / "test_failure.py"))
    wrong = run_in(place, *command)
    assert wrong.returncode == 1
    assert f"AssertionError: {ID}: {WRONG}, as recorded" in wrong.stdout
    (place / "mine.py").write_text(RIGHT)
    right = run_in(place, *command)
    assert right.returncode == 0
    assert right.stdout.startswith(".")


def test_what_the_scripts_say_of_themselves(place: Path) -> None:
    text = (kept(place) / "reproduce.py").read_text()
    assert "and crosscheck for nothing but the case that it is called with." in text
    assert (
        (kept(place) / "test_failure.py").read_text().startswith(f'"""Fails while mine.py:mine is wrong on {LINE}."""')
    )
    data = json.loads((kept(place) / "failure.json").read_text())
    assert data["started_in"] == "../../.."
