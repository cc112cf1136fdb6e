"""Adapters: what makes a subject of what people have, a file each in `crosscheck/subjects`.

Such a file defines `adapt(thing, conventions) -> Function` and gives the adapter its name: `torch_module.py` is
"torch-module". On the command line an adapter is asked for with `--as`, conventions are given with `--set`, and a
target with both is one text again, by which it is found anywhere:

    my_code.py:MyLSTM --as torch-module --set gates=ifgo --set names.W_xh=wx
"""

from __future__ import annotations

import ast
import difflib
import importlib
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crosscheck.conventions import Conventions
from crosscheck.errors import ArgumentError
from crosscheck.spec import written

if TYPE_CHECKING:
    from crosscheck.implementation import Function

ADAPTERS = {
    path.stem.replace("_", "-"): path.stem
    for path in sorted(Path(__file__).with_name("subjects").glob("*.py"))
    if re.search(r"^def adapt\(", path.read_text("utf-8"), re.M)
}
"""The name of every adapter -> the module in `crosscheck.subjects`."""
AS_OURS = Conventions()
"""The conventions of who has none of his own."""
AS, SET = "--as", "--set"
CONVENTIONS = (
    (
        "gates",
        "LETTERS",
        "the order of the gate blocks; ifgo of an LSTM, rzn of a GRU if nothing is said",
    ),
    ("transposed", "true", "weights are (in, out)"),
    ("biases", "one|none", "one bias for b_xh and b_hh, or none"),
    ("columns", "true", "vectors are columns: x (T, I, B), states (L*D, H, B)"),
    ("batch_first", "true", "x (B, T, I)"),
    ("time_last", "true", "x (B, I, T)"),
    ("unbatched", "true", "x (T, I), states (L*D, H)"),
    ("separate", "true", "each gate has weights and biases of its own"),
    ("joined", "hx|xh", "one weight W on [h_prev, x_t] or on [x_t, h_prev]"),
    ("z_new", "true", "the GRU's z is the share of the new state"),
    ("reset", "after|before", "where the GRU's reset gate comes, seen from the recurrent product"),
    ("loss", "LOSS", "what code with a loss built in descends along: half_squared_error, mse or cross_entropy"),
    ("mean", "AXES", "what that loss is the mean over, such as TBO"),
    ("names.OURS", "THEIRS", "what a parameter is called, such as names.W_xh=wx"),
)
"""What `--set` takes, the values, and what they say."""


def adapt(adapter: str, thing: Any, conventions: Conventions) -> Function:
    """Return what an adapter makes of something.

    Args:
        adapter: a name in `ADAPTERS`.
        thing: what people have.
        conventions: how it lays out what it takes and returns.

    Raises:
        ArgumentError: there is no such adapter, it can't be imported, or the thing is not for it.
    """
    if adapter not in ADAPTERS:
        near = difflib.get_close_matches(adapter, ADAPTERS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ArgumentError("as", f"{adapter!r}{hint}", "one of " + ", ".join(ADAPTERS))
    try:
        module = importlib.import_module(f"crosscheck.subjects.{ADAPTERS[adapter]}")
    except ModuleNotFoundError as error:
        extra = adapter.partition("-")[0]
        raise ArgumentError(
            "as", f"{adapter}, but no module {error.name!r}", f"it installed: pip install 'rnn-crosscheck[{extra}]'"
        ) from error
    function: Function = module.adapt(thing, conventions)
    return function


def says(adapter: str) -> str:
    """Return what an adapter is for: the first line of its file, which is not imported."""
    path = Path(__file__).with_name("subjects") / f"{ADAPTERS[adapter]}.py"
    return (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition("\n")[0]


def conventions_of(settings: Iterable[str]) -> Conventions:
    """Return the conventions that texts such as "gates=ifgo", "batch_first=true" and "names.W_xh=wx" say.

    Raises:
        ArgumentError: a text says nothing known.
    """
    known = {field.name: field for field in fields(Conventions)}
    given: dict[str, Any] = {}
    names: dict[str, str] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        field, _, ours = name.partition(".")
        if not equals or field not in known or bool(ours) is not (field == "names"):
            near = difflib.get_close_matches(field, known, n=1)
            hint = f"; did you mean {near[0]}?" if near and near[0] != field else ""
            wanted = "NAME=VALUE, a NAME out of " + ", ".join(known).replace("names", "names.W_xh and so on")
            raise ArgumentError("set", repr(setting) + hint, wanted)
        if ours:
            names[ours] = value
        elif type(known[name].default) is bool:
            if value not in ("true", "false"):
                raise ArgumentError("set", repr(setting), f"{name}=true or {name}=false")
            given[name] = value == "true"
        else:
            given[name] = value
    return Conventions(**given, names=names)


def settings_of(conventions: Conventions) -> Iterator[str]:
    """Yield the texts that say conventions: what `conventions_of` reads."""
    for field in fields(Conventions):
        value = getattr(conventions, field.name)
        if field.name == "names":
            yield from (f"names.{ours}={theirs}" for ours, theirs in value.items())
        elif field.default is MISSING or value != field.default:
            yield f"{field.name}={written(value)}"


def text_of(target: str, adapter: str | None, conventions: Conventions) -> str:
    """Return a target, its adapter and its conventions as one text; the target itself if there is no adapter."""
    if adapter is None:
        return target
    said = (word for setting in settings_of(conventions) for word in (SET, setting))
    return shlex.join([target, AS, adapter, *said])


def words(subject: str) -> str:
    """Return a subject's name as words of a command; one with an adapter is such words already."""
    return subject if f" {AS} " in subject else shlex.quote(subject)


def parsed(text: str) -> tuple[str, str | None, Conventions]:
    """Return the target, the adapter and the conventions of a text; see `text_of`.

    Raises:
        ArgumentError: it is no such text.
    """
    if f" {AS} " not in text:
        return text, None, AS_OURS
    wanted = f"TARGET {AS} ADAPTER, and {SET} NAME=VALUE any number of times"
    try:
        target, _, adapter, *rest = shlex.split(text)
    except ValueError as error:
        raise ArgumentError("target", repr(text), wanted) from error
    if len(rest) % 2 or set(rest[::2]) - {SET} or shlex.split(text)[1] != AS:
        raise ArgumentError("target", repr(text), wanted)
    return target, adapter, conventions_of(rest[1::2])
