"""Subjects: how one is found, what it may state, and what can be wrong with what it returns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import crosscheck
from crosscheck import ArgumentError, Case, Subject
from crosscheck.implementation import BUILT_IN, Finding, TwoSteps, load, make, run, two_steps
from crosscheck.strategies import PLAIN
from crosscheck.subjects.manual import manual

CASE = Case.parse("rnn_tanh:T2B1I1H2:seed=1")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_a_file_and_an_attribute(folder: Path) -> None:
    path = write(folder / "one.py", "class A:\n    @staticmethod\n    def f(case): return {'of': case}\n")
    subject = make(f"{path}:A.f")
    assert subject.name == f"{path}:A.f"
    assert subject.function(CASE) == {"of": CASE}
    assert (subject.options, subject.declared) == (PLAIN, frozenset())


def test_a_file_may_import_its_neighbours_and_define_dataclasses(folder: Path) -> None:
    write(folder / "neighbour_of_two.py", "value = 5\n")
    path = write(
        folder / "two.py",
        "from __future__ import annotations\nfrom dataclasses import dataclass\nimport neighbour_of_two\n"
        "@dataclass\nclass A:\n    x: int\ndef f(case): return A(neighbour_of_two.value).x\n",
    )
    assert load(f"{path}:f")(CASE) == 5


def test_a_file_hides_no_module_of_its_name(folder: Path) -> None:
    import json

    path = write(folder / "json.py", "def f(case): return {}\n")
    load(f"{path}:f")
    import json as again

    assert again is json


def test_a_module_and_an_attribute(folder: Path) -> None:
    (folder / "package_of_three").mkdir()
    write(folder / "package_of_three" / "__init__.py", "")
    write(folder / "package_of_three" / "inner.py", "def f(case): return {'y': 1}\n")
    assert make("package_of_three.inner:f").function(CASE) == {"y": 1}


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_subjects_have_names(name: str) -> None:
    subject = make(name)
    assert subject.name == name
    assert "cell" in subject.declared


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("mine", "target: got 'mine', wanted package.module:attr, path/to/file.py:attr, or one of manual, torch_rnn, "),
        (":f", "target: got ':f', wanted package.module:attr"),
        ("{folder}/mine.py", "target: got '{folder}/mine.py', wanted package.module:attr"),
        ("{folder}/oooooooo.py:f", "target: got no file {folder}/oooooooo.py, wanted a file that is there"),
        ("{folder}/mime.py:f", "target: got no file {folder}/mime.py; did you mean mine.py?, wanted a file that is"),
        ("{folder}/mine.py:forwards", "no attribute 'forwards' in {folder}/mine.py; did you mean forward?, wanted one"),
        ("{folder}/mine.py:zzz", "got no attribute 'zzz' in {folder}/mine.py, wanted one that is there"),
        ("{folder}/mine.py:number", "{folder}/mine.py:number: got int, wanted a callable: case -> mapping of name to"),
        ("{folder}/syntax.py:f", "got SyntaxError: invalid syntax (syntax.py, line 2), wanted a file that runs"),
        ("{folder}/zero.py:f", "got ZeroDivisionError: division by zero (line 3 of {folder}/zero.py), wanted a file"),
        ("{folder}/leaves.py:f", "got SystemExit: 0 (line 2 of {folder}/leaves.py), wanted a file that runs"),
        ("no_such_module:f", "target: got no module 'no_such_module', wanted an importable module"),
        ("no_such_module.inner:f", "target: got no module 'no_such_module.inner', wanted an importable module"),
        ("zero:f", "zero: got ZeroDivisionError: division by zero (line 3 of {folder}/zero.py), wanted a module that"),
        ("needs:f", "needs: got an error while importing it: No module named 'no_such_module', wanted a module that"),
    ],
)
def test_a_target_that_cannot_be_loaded(folder: Path, target: str, message: str) -> None:
    write(folder / "mine.py", "number = 1\ndef forward(case): return {}\n")
    write(folder / "syntax.py", "x = 1\ndef f(:\n")
    write(folder / "zero.py", "x = 1\n\n1 / 0\n")
    write(folder / "leaves.py", "import sys\nsys.exit(0)\n")
    write(folder / "needs.py", "import no_such_module\n")
    with pytest.raises(ArgumentError) as error:
        make(target.format(folder=folder))
    assert message.format(folder=folder) in str(error.value)


def test_a_callable_is_a_subject() -> None:
    class Net:
        def __call__(self, case: Case) -> Mapping[str, Any]:
            return manual(case)

    assert make(manual).name == "manual"
    assert make(Net()).name == "Net"
    subject = make(manual)
    assert make(subject) is subject


def test_the_decorator_states_what_is_supported() -> None:
    @crosscheck.subject(cell="lstm", bias=(True, False), max_T=3)
    def mine(case: Case) -> Mapping[str, Any]:
        return {}

    subject = make(mine)
    assert subject.options == PLAIN | {"cell": ("lstm",), "bias": (True, False), "max_T": (3,)}
    assert subject.declared == {"cell", "bias", "max_T"}
    assert mine(CASE) == {}


@pytest.mark.parametrize("options", [{"cells": "lstm"}, {"cell": "rnn"}, {"max_T": 0}, {"loss": ()}])
def test_the_decorator_refuses_unknown_options(options: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError):
        crosscheck.subject(**options)


def result_of(function: Any, case: Case = CASE) -> Any:
    return run(make(function), case)


def findings(function: Any, case: Case = CASE) -> list[tuple[str, str, str]]:
    return [(finding.kind, finding.name, finding.text) for finding in result_of(function, case).findings]


def changed(**changes: Any) -> Any:
    return lambda case: {**manual(case), **changes}


def test_what_is_right_is_passed_on_in_float64() -> None:
    case = Case.parse("gru:T2B1I1H2O1:loss=mse:dtype=float32:seed=1")
    result, computed = result_of(manual, case), manual(case)
    assert result.findings == ()
    assert result.values.keys() == computed.keys() == case.result_shapes.keys()
    for name, value in result.values.items():
        assert value.dtype == np.float64
        assert np.array_equal(value, computed[name])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_loss_may_be_a_python_float(dtype: str) -> None:
    case = Case.parse(f"rnn_tanh:T1B1I1H1:loss=mse:dtype={dtype}")
    result = result_of(changed(loss=0.25), case)
    assert result.findings == ()
    assert result.values["loss"] == 0.25


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"dWhh": 0.0}, ("unknown name", "dWhh", "did you mean dW_hh?")),
        ({"zzz": 0.0}, ("unknown name", "zzz", "wanted one of y, h_n, dx, dh_0, dW_xh, dW_hh, db_xh, db_hh")),
        ({7: 0.0}, ("unknown name", "7", "wanted one of y")),
        ({"y": np.zeros((1, 2, 2))}, ("wrong shape", "y", "got shape (1, 2, 2), wanted (2, 1, 2)")),
        ({"y": 0.5}, ("wrong shape", "y", "got shape (), wanted (2, 1, 2)")),
        ({"y": np.zeros((2, 1, 2), np.float32)}, ("wrong dtype", "y", "got float32, wanted float64")),
        ({"y": np.zeros((2, 1, 2), np.longdouble)}, ("wrong dtype", "y", f"got {np.dtype(np.longdouble)}, wanted")),
        ({"y": np.zeros((2, 1, 2), int)}, ("not numbers", "y", "got ndarray of dtype int64, wanted float64")),
        ({"y": np.zeros((2, 1, 2), complex)}, ("not numbers", "y", "got ndarray of dtype complex128, wanted float64")),
        ({"y": None}, ("not numbers", "y", "got NoneType of dtype object, wanted float64")),
        ({"y": "text"}, ("not numbers", "y", "got str of dtype <U4, wanted float64")),
        ({"y": [[1.0], [1.0, 2.0]]}, ("not numbers", "y", "ValueError: setting an array element with a sequence.")),
    ],
)
def test_a_malformed_value(changes: dict[str, Any], finding: tuple[str, str, str]) -> None:
    def mine(case: Case) -> Mapping[str, Any]:
        return {**manual(case), **changes}

    ((kind, name, text),) = findings(mine)
    assert (kind, name) == finding[:2]
    assert finding[2] in text
    assert result_of(mine).values.keys() == manual(CASE).keys() - changes.keys()


def test_a_tensor_that_needs_detach_is_a_finding() -> None:
    import torch

    leaf = torch.zeros(2, 1, 2, dtype=torch.float64, requires_grad=True)
    ((kind, name, text),) = findings(changed(y=leaf))
    assert (kind, name) == ("not numbers", "y")
    assert "detach()" in text
    assert findings(changed(y=leaf.detach())) == []


@pytest.mark.parametrize("returned", [None, 3, [("y", 1)], (np.zeros(1),)])
def test_not_a_mapping(returned: Any) -> None:
    assert findings(lambda _: returned) == [
        ("not a mapping", "", f"got {type(returned).__name__}, wanted a mapping of name to array")
    ]


def test_nothing_returned() -> None:
    assert findings(lambda _: {}) == [("nothing returned", "", "got an empty mapping, so nothing is checked")]


@pytest.mark.parametrize("error", [ValueError("a reason"), SystemExit(0), MemoryError()])
def test_what_it_raises_is_a_finding_with_its_own_frames(error: BaseException) -> None:
    def inner() -> None:
        raise error

    def mine(case: Case) -> Mapping[str, Any]:
        inner()
        return {}

    (finding,) = result_of(mine).findings
    kind = "out of memory" if isinstance(error, MemoryError) else "raised"
    assert finding == Finding(kind, "", f"{type(error).__name__}: {error}", finding.details)
    lines = finding.details.splitlines()
    assert [line.split(", in ")[1] for line in lines if line.startswith("  File")] == ["mine", "inner"]
    assert str(Path(crosscheck.__file__).parent) not in finding.details


def test_a_wrong_signature_shows_no_frame_of_ours() -> None:
    def mine() -> Mapping[str, Any]:
        return {}

    (finding,) = result_of(mine).findings
    assert finding.text.endswith("mine() takes 0 positional arguments but 1 was given")
    assert "File" not in finding.details


def test_the_cause_of_an_error_is_shown() -> None:
    def mine(case: Case) -> Mapping[str, Any]:
        try:
            return {"y": case.arrays["the cause"]}
        except KeyError as error:
            raise ValueError("the effect") from error

    (finding,) = result_of(mine).findings
    assert "KeyError: 'the cause'" in finding.details
    assert "ValueError: the effect" in finding.details


def test_an_interrupt_is_no_finding() -> None:
    def mine(case: Case) -> Mapping[str, Any]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        result_of(mine)


def test_a_subject_that_writes_into_its_input_harms_itself_alone() -> None:
    case = Case.parse("lstm:T2B1I1H2:seed=1")
    before = {name: array.tobytes() for name, array in case.arrays.items()}

    def mine(given: Case) -> Mapping[str, Any]:
        results = manual(given)
        given.x[0] += 1
        given.c_0[...] = -given.c_0
        given.params["W_hh"][0, 0] = np.nan
        return results

    result = result_of(mine, case)
    assert [(finding.kind, finding.name) for finding in result.findings] == [
        ("wrote into input", "W_hh"),
        ("wrote into input", "x"),
        ("wrote into input", "c_0"),
    ]
    assert result.values.keys() == case.result_shapes.keys()
    assert {name: array.tobytes() for name, array in case.arrays.items()} == before


def test_a_subject_may_take_arrays_out_of_its_case() -> None:
    def mine(given: Case) -> Mapping[str, Any]:
        results = manual(given)
        given.arrays.clear()  # type: ignore[attr-defined]
        return results

    assert findings(mine) == []
    assert CASE.x.shape == (2, 1, 1)


def test_results_are_copied() -> None:
    kept: dict[str, Any] = {}

    def mine(given: Case) -> Mapping[str, Any]:
        kept.update(manual(given))
        return kept

    result = result_of(mine)
    y = result.values["y"].copy()
    kept["y"][...] = 0
    assert np.array_equal(result.values["y"], y)


def test_a_subject_is_data() -> None:
    assert make(manual) == Subject("manual", manual, make(manual).options, make(manual).declared)


def halves(case: Case) -> tuple[dict[str, Any], Any]:
    return {"y": case.x / 2}, "left"


def gradients(memory: Any, case: Case) -> dict[str, Any]:
    return {"dx": case.dy / 2, "said": memory}


def test_two_functions_are_a_subject_in_two_steps() -> None:
    pair = two_steps("halving", halves, gradients)
    outputs, memory = pair.forward(CASE)
    assert (outputs["y"] == CASE.x / 2).all()
    assert pair.backward(memory, CASE)["said"] == "left"
    assert list(pair(CASE)) == ["y", "dx", "said"]
    assert make(crosscheck.subject(cell="rnn_tanh")(pair)) == Subject(
        "halving", pair, PLAIN | {"cell": ("rnn_tanh",)}, frozenset({"cell"})
    )


def test_a_class_in_two_steps_is_a_subject_by_inheritance() -> None:
    class Halving(TwoSteps):
        def forward(self, case: Case) -> tuple[dict[str, Any], Any]:
            return halves(case)

        def backward(self, memory: Any, case: Case) -> dict[str, Any]:
            return gradients(memory, case)

    assert isinstance(Halving(), TwoSteps)
    assert not isinstance(halves, TwoSteps)
    assert list(make(Halving()).function(CASE)) == ["y", "dx", "said"]


def test_a_class_wants_an_adapter() -> None:
    class Layer:
        def forward(self, x: Any) -> Any:
            return x

    wanted = r"^Layer: got a class, wanted a callable: case -> mapping, or --as; crosscheck init says which fits$"
    with pytest.raises(ArgumentError, match=wanted):
        make(Layer)
