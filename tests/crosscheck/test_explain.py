"""`crosscheck explain`: a failure, or any case, at length."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from crosscheck import Case, cli, exits
from crosscheck.examine import examine
from crosscheck.failure import Failure
from crosscheck.implementation import make
from crosscheck.keep import keep
from crosscheck.record import record
from crosscheck.report.walk import EVERYTHING, Limits, Yours, walk
from crosscheck.strategies import EVERYTHING as ANY
from crosscheck.strategies import cases, supports
from crosscheck.subjects.manual import manual

DOCS = (Path(__file__).parents[2] / "docs/failures.md").read_text(encoding="utf-8")
MINE = """\
import numpy as np
from crosscheck.subjects.manual import manual


def mine(case):
    results = dict(manual(case))
    results["{name}"] = results["{name}"] * 2
    return results
"""

Called = tuple[int, str, str]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., Called]:
    """`(*arguments) -> exit code, standard output, standard error` of `crosscheck explain`, in this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def run(*arguments: str) -> Called:
        command = () if arguments and arguments[0] == "replay" else ("explain",)
        monkeypatch.setattr(sys, "argv", ["crosscheck", *command, *arguments])
        with pytest.raises(SystemExit) as exit:
            cli.main()
        out, err = capsys.readouterr()
        assert isinstance(exit.value.code, int)
        return exit.value.code, out, err

    return run


def keep_it(text: str, line: str, **said: tuple[str, ...]) -> Path:
    Path("mine.py").write_text(text)
    subject = make("mine.py:mine")
    return keep(replace(record(subject, Failure(examine((subject,), Case.parse(line))[0])), **said))  # type: ignore[arg-type]


def block(start: str) -> str:
    """Return the block of the document that begins with a line."""
    found: list[str] = re.findall(r"```\w*\n(.*?)```", DOCS, re.S)
    return next(text for text in found if text.startswith(start))


def masked(text: str) -> str:
    """Return a text without what is another on each machine, and what the experiments and the catalogue say."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\S+ on \S+", "DATE on PLATFORM", text)
    text = re.sub(r"\n(Where it is wrong|Why|Who computes what is right)\n(?:  .*\n)+", r"\n\1\n", text)
    return re.sub(r"python \d.*", "VERSIONS", text)


def test_the_whole_output_is_that_of_the_document(call: Callable[..., Called]) -> None:
    Path("mine.py").write_text(block("import numpy"))
    exec(block("from crosscheck import Case"), {})
    printed, out, _ = call("replay")
    assert printed == exits.MISMATCH
    code, out, err = call("mine")
    assert (code, err) == (exits.PASSED, "")
    assert masked(out).strip() == masked(block("$ crosscheck explain mine\n").partition("\n")[2]).strip()


def test_the_code_and_the_replays_of_the_document(call: Callable[..., Called]) -> None:
    text = block("import numpy")
    Path("mine.py").write_text(text)
    exec(block("from crosscheck import Case"), {})
    right = text.replace("range(case.T):", "reversed(range(case.T)):")
    said = re.findall(r"\$ crosscheck replay(.*)\n(.*)\n", DOCS)
    texts = (text, right.replace("dh[t] += da", "dh[t] -= da"), right, None)
    for (name, line), now in zip(said, texts, strict=True):
        Path("mine.py").unlink() if now is None else Path("mine.py").write_text(now)
        _, out, _ = call("replay", *name.split())
        assert line in out.splitlines()


def test_what_is_said_of_the_mistake(call: Callable[..., Called]) -> None:
    said = {"because": ("it is doubled",), "where": ("right   y",), "mistake": ("yours  2 dx",), "agreed": ("torch",)}
    folder = keep_it(MINE.format(name="dx"), "lstm:T1B1I1H1:seed=1", **said)
    _, out, _ = call(folder.name)
    assert (
        "\nWhere it is wrong\n  right   y\n\nWhy\n  it is doubled\n  yours  2 dx\n\nWho computes what is right\n" in out
    )


def rows(out: str, title: str) -> list[list[str]]:
    """Return the rows of a section, in words."""
    section = out.partition(f"\n  {title}")[2].partition("\n\n")[0]
    return [line.split() for line in section.splitlines()[1:]]


def test_what_is_wrong_is_marked_where_it_is(call: Callable[..., Called]) -> None:
    text = MINE.format(name="dx").replace('results["dx"] * 2', 'results["dx"] + np.array([0, 1])[:, None, None]')
    keep_it(text, "lstm:T2B1I1H1:seed=1")
    _, out, _ = call("mine")
    (second,) = [row for row in rows(out, "Backward, step 2 of 2") if row[0] == "dx"]
    (first,) = [row for row in rows(out, "Backward, step 1 of 2") if row[0] == "dx"]
    assert second[-2:] == ["<-", "wrong"]
    assert round(float(second[-3]) - float(second[-4]), 3) == 1
    assert first[-1] == first[-2]
    assert out.count("<- wrong") == 1


def test_a_difference_beyond_the_digits_shown_shows(call: Callable[..., Called]) -> None:
    keep_it(MINE.format(name="dc_0").replace("* 2", "* (1 + 2**-30)"), "lstm:T1B1I1H1:seed=1")
    _, out, _ = call("mine")
    (row,) = [row for row in rows(out, "The gradients") if row[0] == "dc_0"]
    assert row[-2:] == ["<-", "wrong"]
    assert row[-3] != row[-4]
    assert len(row[-3]) > 9


def test_a_case_alone(call: Callable[..., Called]) -> None:
    code, out, err = call("--case", "lstm:T2B1I1H2:seed=3")
    assert (code, err) == (exits.PASSED, "")
    assert "yours" not in out
    assert out.startswith(
        "The equations\n\n  The LSTM cell. Gate order i, f, g, o, as in torch.\n\n      a = W_xh x + b_xh"
    )
    forward, backward = rows(out, "Forward, step 1 of 2"), rows(out, "Backward, step 1 of 2")
    assert " ".join(row[0] for row in forward) == "x h_prev c_prev a a_i a_f a_g a_o i f g c o s h"
    names = " ".join(row[0] for row in backward)
    assert names == "dy dh_next dc_next dh da_o dc da_i da_f da_g dc_prev dh_prev dx"
    assert forward[-1][1:4] == ["=", "o", "s"]
    h = manual(Case.parse("lstm:T2B1I1H2:seed=3"))["y"][0, 0]
    assert forward[-1][4:] == [f"{number:.6g}" for number in h]
    order = re.findall(r"^  (Forward, step \d|Backward, step \d|The \w+)", out, re.M)
    assert order[-6:-1] == [
        "The parameters",
        "Forward, step 1",
        "Forward, step 2",
        "Backward, step 2",
        "Backward, step 1",
    ]


def test_what_is_left_out_is_said(call: Callable[..., Called]) -> None:
    line = "rnn_tanh:T5B3I1H9:lengths=0,5,5:seed=3"
    _, out, _ = call("--case", line)
    assert out.count("  ... 2 more steps: --all shows all\n") == 2
    assert out.count("  ... 1 more sequence: --all shows all\n") == 1
    assert rows(out, "Forward, step 1 of 5   t = 0, b = 1")[-1][-3:] == ["...", "1", "more"]
    assert "step 4 of 5" not in out
    assert "b = 2" not in out
    _, whole, _ = call("--all", "--case", line)
    assert "more" not in whole
    assert whole.count("Forward, step") == whole.count("Backward, step") == 10


def test_layers_and_directions_have_names(call: Callable[..., Called]) -> None:
    _, out, _ = call("--case", "gru:T4B1I1H1O2:layers=2:bidirectional=true:loss=mse:seed=3")
    assert "  Forward, layer 0, step 1 of 4   t = 0, b = 0\n" in out
    assert "  Forward, layer 1, reverse, step 1 of 4   t = 3, b = 0\n" in out
    assert out.count("  ... 1 more step, layer 1, reverse: --all shows all\n") == 2
    case = Case.parse("gru:T4B1I1H1O2:layers=2:bidirectional=true:loss=mse:seed=3")
    right = manual(case)
    output = {row[0]: row[1:] for row in rows(out, "Output")}
    assert output["y[2]"] == [f"{number:.6g}" for number in right["y"][2, 0]]
    assert output["loss"] == [f"{float(right['loss']):.6g}"]
    assert {row[0] for row in rows(out, "The gradients")} == {name for name in case.result_shapes if name[0] == "d"} - {
        "dx"
    }


def test_the_arguments(call: Callable[..., Called]) -> None:
    assert call()[0] == exits.USAGE
    keep_it(MINE.format(name="dx"), "lstm:T1B1I1H1:seed=1")
    keep_it(MINE.format(name="dx"), "lstm:T1B1I1H1:seed=2")
    assert call("mine", "--case", "lstm:T1B1I1H1")[0] == exits.USAGE
    assert call("--case", "lstm")[0] == exits.USAGE
    code, out, err = call(".crosscheck/failures")
    assert (code, out) == (exits.USAGE, "")
    assert re.search(r"ID: got 2 failures in \.crosscheck/failures, wanted one of mine-lstm-\w+, mine-lstm-\w+\n", err)
    assert call("nobody")[0] == exits.USAGE


SMALL = supports({"max_T": 2, "max_B": 2, "max_I": 2, "max_H": 2, "wide": False}, ANY)


@given(cases(SMALL))
def test_every_case_can_be_walked_through(case: Case) -> None:
    right = {name: np.asarray(array, np.float64) for name, array in manual(case).items()}
    bound = {name: np.zeros(array.shape) for name, array in right.items()}
    for limits in (EVERYTHING, Limits(1, 1, 1)):
        walk(case, Yours(right, right, bound, {}), limits)
