"""Torch modules as subjects: however they take and return their states, right ones pass and mistakes are found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from crosscheck import ArgumentError, Case, Status, Subject, check
from crosscheck.conventions import Conventions
from crosscheck.examine import examine
from crosscheck.implementation import make, run
from crosscheck.loading import load_module
from crosscheck.subjects.torch_module import adapt

MODULES: Any = load_module(str(Path(__file__).with_name("torch_modules.py")))
HEAD = Conventions(names={"W_hy": "fc.weight", "b_y": "fc.bias"})
LSTM = Conventions(gates="iofg", transposed=True, biases="one", names={"W_xh": "wx", "W_hh": "wh"})


def subject(thing: Any, conventions: Conventions = Conventions()) -> Subject:  # noqa: B008
    return make(thing, "torch-module", conventions)


def passes(of: Subject, **options: Any) -> None:
    report = check(of, max_examples=12, dtype="float64", seed=1, **options)
    assert report.failures == ()
    assert report.cases == 12 * len(report.tallies) > report.inconclusive


@pytest.mark.parametrize(
    ("name", "options", "notes"),
    [
        ("TakesAll", {"states": ("both",)}, []),
        ("Flat", {"states": ("both",)}, []),
        ("NoStates", {"states": ("none",)}, ["takes no initial states", "does not return all final states"]),
        ("NoInitial", {"states": ("final",)}, ["takes no initial states"]),
        ("NoFinal", {"states": ("initial",)}, ["does not return all final states"]),
        ("FinalOnly", {"states": ("both",), "regime": ("final_only",)}, ["returns no y"]),
        ("BatchFirst", {"states": ("both",)}, []),
    ],
)
def test_states_are_taken_and_returned_in_any_way(name: str, options: dict[str, Any], notes: list[str]) -> None:
    of = subject(getattr(MODULES, name))
    assert {option: of.options[option] for option in options} == options
    assert len(of.notes) == len(notes)
    assert all(part in note for part, note in zip(notes, of.notes, strict=True))
    assert "cell" not in of.declared  # which of the two plain cells it is, nobody sees
    passes(of, cell="rnn_tanh")


def test_what_is_not_taken_or_returned_is_not_checked() -> None:
    (verdict,) = examine([subject(MODULES.NoStates)], Case.parse("rnn_tanh:T2B1I1H2:states=none:seed=1"))
    assert (verdict.status, verdict.not_checked) == (Status.PASS, ("h_n", "dh_0"))


@pytest.mark.parametrize(
    ("thing", "conventions", "options"),
    [
        (nn.RNN, Conventions(), {"cell": ("rnn_tanh", "rnn_relu"), "num_layers": (1, 2, 3), "bias": (True, False)}),
        (nn.LSTM, Conventions(batch_first=True), {"cell": ("lstm",), "projection": (False, True)}),
        (nn.GRU, Conventions(), {"cell": ("gru",), "bidirectional": (False, True)}),
        (lambda I, H: nn.GRU(I, H, bias=False), Conventions(), {"cell": ("gru",), "bias": (False,)}),
        (nn.LSTM(3, 2, bidirectional=True), Conventions(), {"min_I": (3,), "max_H": (2,), "bidirectional": (True,)}),
        (nn.GRU(2, 3, num_layers=2, batch_first=True), Conventions(), {"num_layers": (2,), "cell": ("gru",)}),
        (MODULES.Lstm, LSTM, {"cell": ("lstm",), "num_layers": (1,)}),
        (MODULES.Lstm(2, 3), LSTM, {"cell": ("lstm",), "min_H": (3,)}),
        (MODULES.WithHead, HEAD, {"output_layer": (True,), "num_layers": (1, 2, 3)}),
        (MODULES.OneLayer, Conventions(), {"num_layers": (1, 2)}),
    ],
)
@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")
def test_modules_and_factories_are_checked_over_what_they_support(
    thing: Any, conventions: Conventions, options: dict[str, Any]
) -> None:
    of = subject(thing, conventions)
    assert {option: of.options[option] for option in options} == options
    passes(of)


def test_an_instance_says_that_its_sizes_are_fixed_and_is_left_as_it_was() -> None:
    module = nn.GRU(3, 2)
    before = [parameter.clone() for parameter in module.parameters()]
    of = subject(module)
    assert "I=3 and H=2 in every case" in of.notes[0]
    passes(of)
    assert all(torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True))


def test_what_a_class_refuses_to_make_is_said() -> None:
    assert subject(MODULES.OneLayer).notes == ("num_layers=3 is not drawn: NotImplementedError: two layers at most",)


def test_building_modules_leaves_the_random_numbers_alone() -> None:
    torch.manual_seed(5)
    wanted = torch.rand(1).item()
    torch.manual_seed(5)
    run(subject(nn.GRU), Case.parse("gru:T1B1I1H1"))
    assert torch.rand(1).item() == wanted


def test_bfloat16_and_float16_can_be_asked_for() -> None:
    report = check(subject(MODULES.TakesAll), cell="rnn_tanh", dtype=("bfloat16", "float16"), max_examples=8)
    assert (report.failures, report.cases) == ((), 16)


def test_code_that_works_in_float32_alone_is_checked_in_it() -> None:
    of = subject(MODULES.Single)
    assert of.options["dtype"] == ("float32",)
    assert of.notes[0].startswith("it works in float32 alone: RuntimeError: expected")
    report = check(of, cell="rnn_tanh", max_examples=8)
    assert (report.failures, report.cases) == ((), 8)


@pytest.mark.parametrize(
    ("name", "line", "wrong"),
    [
        ("Detached", "rnn_tanh:T2B1I1H1:seed=1", {"dh_0", "dx", "dW_xh", "db_xh", "db_hh", "dW_hh"}),
        ("Data", "rnn_tanh:T1B1I1H1:seed=1", {"dW_hh"}),
    ],
)
def test_a_planted_mistake_is_found(name: str, line: str, wrong: set[str]) -> None:
    (verdict,) = examine([subject(getattr(MODULES, name))], Case.parse(line))
    assert {c.name for c in verdict.checks if c.status is Status.FAIL} == wrong
    assert verdict.findings == ()


def test_a_gradient_of_none_counts_as_zeros() -> None:
    result = run(subject(MODULES.Data), Case.parse("rnn_tanh:T1B1I1H1:seed=1"))
    assert result.values["dW_hh"].tolist() == [[0.0]]


@pytest.mark.parametrize(
    "conventions",
    [
        Conventions(gates="ifog", transposed=True, biases="one", names=LSTM.names),
        Conventions(gates="gofi", transposed=True, biases="one", names=LSTM.names),
    ],
)
def test_a_wrong_order_of_gates_is_found(conventions: Conventions) -> None:
    (verdict,) = examine([subject(MODULES.Lstm, conventions)], Case.parse("lstm:T1B1I1H2:regime=ordinary:seed=1"))
    assert {"y", "h_n", "c_n"} <= {c.name for c in verdict.checks if c.status is Status.FAIL}


def test_what_a_module_raises_is_a_finding_of_the_case() -> None:
    of = subject(MODULES.Raises)
    assert "how to call it was not found out" in of.notes[0]
    (finding,) = run(of, Case.parse("rnn_tanh:T1B1I1H1")).findings
    assert (finding.kind, finding.text) == ("raised", "RuntimeError: out of luck")


def lstm(**names: str) -> Conventions:
    return Conventions(transposed=True, biases="one", names=names)


@pytest.mark.parametrize(
    ("thing", "conventions", "message"),
    [
        (7, Conventions(), "int: got int, wanted a torch.nn.Module, its class, or a factory"),
        (lambda: None, Conventions(), "<lambda>: got it takes nothing, wanted a factory of input_size and hidden_size"),
        (lambda I, H: [I, H], Conventions(), "<lambda>: got a list from it, wanted a factory of torch.nn.Module"),
        (MODULES.Needs, Conventions(), "Needs: got it also needs vocabulary, wanted a factory of input_size and"),
        (MODULES.Breaks, Conventions(), "Breaks: got ValueError: no such thing, wanted a module for I=2, H=4"),
        (
            MODULES.Lstm,
            Conventions(),
            "no parameter that is W_xh, W_hh, b_xh, b_hh among wx, wh, bias, wanted",
        ),
        (
            MODULES.Lstm,
            lstm(W_xh="wx", W_hh="w"),
            "no parameter that is W_hh among wx, wh, bias, wanted the name",
        ),
        (MODULES.WithHead, Conventions(), "no parameter that is W_hy, b_y among rnn.weight_ih_l0, rnn.weight_hh_l0"),
        (
            MODULES.WithHead(2, 3, 4),
            Conventions(),
            "fc.weight, fc.bias, which none of ours is, wanted",
        ),
        (MODULES.Lstm, Conventions(biases="one", names=LSTM.names), "wx: got shape (2, 16), wanted ("),
        (MODULES.Lstm(2, 3), Conventions(separate=True), "Lstm: got an instance whose weights are joined or separate"),
    ],
)
def test_what_cannot_be_adapted_is_refused_in_words(thing: Any, conventions: Conventions, message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        adapt(thing, conventions)
    assert message in str(error.value)


CODE = Path(__file__).with_name("torch_modules.py")


def test_from_the_command_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    out = main(monkeypatch, capsys, f"{CODE}:NoStates", "--cell", "rnn_tanh", "--dtype", "float64", "-n", "5")
    assert out[0] == 0
    assert "\n  note         it takes no initial states: they are 0 in every case" in out[1]
    out = main(monkeypatch, capsys, f"{CODE}:Lstm", "--set", "transposed=true", "--set", "biases=one",
               "--set", "names.W_xh=wx", "--set", "names.W_hh=wh", "-n", "5")  # fmt: skip
    assert out[0] == 1
    (again,) = [line for line in out[1].splitlines() if line.startswith("  again")]
    assert f"{CODE}:Lstm --as torch-module --set transposed=true --set biases=one --set names.W_xh=wx" in again


def main(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], target: str, *arguments: str
) -> tuple[Any, str, str]:
    from crosscheck import cli

    monkeypatch.setattr("sys.argv", ["crosscheck", "run", target, "--as", "torch-module", *arguments])
    with pytest.raises(SystemExit) as exit:
        cli.main()
    return exit.value.code, *capsys.readouterr()


def test_the_line_that_shows_it_again_does(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import shlex

    arguments = ("--cell", "rnn_tanh", "--dtype", "float64", "-n", "20")
    code, out, _ = main(monkeypatch, capsys, f"{CODE}:Detached", *arguments)
    (again,) = [line for line in out.splitlines() if line.startswith("  again")]
    words = shlex.split(again.removeprefix("  again"))
    assert words[:2] == ["crosscheck", "run"]
    monkeypatch.setattr("sys.argv", words)
    from crosscheck import cli

    with pytest.raises(SystemExit) as exit:
        cli.main()
    assert (code, exit.value.code) == (1, 1)


def test_a_kept_failure_is_shown_again_by_its_script_and_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import subprocess
    import sys

    from crosscheck.keep import load
    from crosscheck.replay import Outcome, replay

    (tmp_path / "of_theirs.py").write_text(CODE.read_text())
    words = [sys.executable, "-c", "from crosscheck.cli import main; main()", "run", "of_theirs.py:Detached"]
    options = ["--as", "torch-module", "--cell", "rnn_tanh", "--dtype", "float64", "-n", "20"]
    assert subprocess.run([*words, *options], cwd=tmp_path, capture_output=True, check=False).returncode == 1
    (folder,) = (tmp_path / ".crosscheck" / "failures").iterdir()
    assert load(folder).record.subject == "of_theirs.py:Detached --as torch-module"
    script = subprocess.run([sys.executable, folder / "reproduce.py"], capture_output=True, text=True, check=False)
    assert (script.returncode, script.stderr) == (1, "")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert replay(folder).outcome is Outcome.FAILED
