"""Adapters: how one is found, and how a target, its adapter and its conventions are one text."""

from __future__ import annotations

from pathlib import Path

import pytest

from crosscheck import ArgumentError
from crosscheck.adapters import ADAPTERS, CONVENTIONS, adapt, conventions_of, parsed, says, settings_of, text_of
from crosscheck.conventions import Conventions
from crosscheck.implementation import OURS, make

PLAIN = Conventions()


def test_a_file_that_defines_adapt_is_an_adapter_and_no_subject() -> None:
    assert {"torch-module", "autograd-function", "jax-function"} <= set(ADAPTERS)
    assert not set(ADAPTERS.values()) & set(OURS)
    assert all(says(adapter).endswith((".", ":")) for adapter in ADAPTERS)


def test_every_convention_is_told_of() -> None:
    assert [name.partition(".")[0] for name, _, _ in CONVENTIONS] == list(Conventions.__dataclass_fields__)


def test_conventions_are_said_in_texts() -> None:
    said = Conventions(gates="iofg", transposed=True, biases="one", batch_first=True, names={"W_xh": "wx", "W_hh": "u"})
    texts = ("gates=iofg", "transposed=true", "biases=one", "batch_first=true", "names.W_xh=wx", "names.W_hh=u")
    assert conventions_of(texts) == said
    assert tuple(settings_of(said)) == texts
    assert (conventions_of(()), tuple(settings_of(PLAIN))) == (PLAIN, ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gate=ifgo", "set: got 'gate=ifgo'; did you mean gates?, wanted NAME=VALUE, a NAME out of gates, transposed"),
        ("gates", "set: got 'gates', wanted NAME=VALUE"),
        ("names=wx", "set: got 'names=wx', wanted NAME=VALUE"),
        ("gates.W_xh=wx", "set: got 'gates.W_xh=wx', wanted NAME=VALUE"),
        ("transposed=yes", "set: got 'transposed=yes', wanted transposed=true or transposed=false"),
    ],
)
def test_what_is_no_convention(text: str, message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        conventions_of([text])
    assert str(error.value).startswith(message)


def test_a_target_with_an_adapter_is_a_text() -> None:
    said = Conventions(gates="iofg", names={"W_xh": "w x"})
    text = text_of("my code.py:Net", "torch-module", said)
    assert text == "'my code.py:Net' --as torch-module --set gates=iofg --set 'names.W_xh=w x'"
    assert parsed(text) == ("my code.py:Net", "torch-module", said)
    assert text_of("my code.py:f", None, PLAIN) == "my code.py:f"
    assert parsed("my code.py:f") == ("my code.py:f", None, PLAIN)


@pytest.mark.parametrize("text", ["a:b --as x --set", "a:b --as x gates=ifgo", "a:b c --as x", "a:b --as 'x"])
def test_what_is_no_such_text(text: str) -> None:
    with pytest.raises(ArgumentError, match="wanted TARGET --as ADAPTER"):
        parsed(text)


def test_an_unknown_adapter_is_named_with_the_nearest() -> None:
    with pytest.raises(ArgumentError, match="as: got 'torch_module'; did you mean torch-module"):
        adapt("torch_module", None, PLAIN)


def test_without_its_package_it_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for name in [name for name in sys.modules if name.startswith("crosscheck.subjects.jax")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(ArgumentError, match=r"no module 'jax', wanted it installed: pip install 'rnn-crosscheck\[jax"):
        adapt("jax-function", len, PLAIN)


MODULE = """\
import torch
import crosscheck


@crosscheck.subject(max_T=3)
class Net(torch.nn.GRU):
    pass
"""


def test_a_subject_with_an_adapter_is_made_again_from_its_name(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(MODULE)
    first = make(f"{tmp_path}/net.py:Net", "torch-module", Conventions(batch_first=True), {"max_B": 2})
    assert first.name == f"{tmp_path}/net.py:Net --as torch-module --set batch_first=true"
    assert (first.options["max_T"], first.options["max_B"], first.options["cell"]) == ((3,), (2,), ("gru",))
    again = make(first.name)
    assert (again.name, again.adapter, again.conventions) == (first.name, first.adapter, first.conventions)
    assert again.loaded
