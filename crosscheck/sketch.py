"""A subject file to start from: what somebody's code seems to be, and the lines that make a subject of it."""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crosscheck.adapters import ADAPTERS, AS, CONVENTIONS
from crosscheck.errors import ArgumentError
from crosscheck.implementation import Subject, load, make
from crosscheck.loading import split_target

RATES = ("lr", "rate", "learning_rate", "eta", "alpha", "step_size")
"""What a learning rate is called, of a class that updates itself."""
CELLS = (("lstm", "lstm"), ("gru", "gru"), ("relu", "rnn_relu"))
"""What a name that a part of another gives away -> the cell; else rnn_tanh."""
EXAMPLES = {"gates": "iofg", "loss": "mse", "mean": "TBO"}
OF_LEARNER = ("loss", "mean")
WIDTH = 100


@dataclass(frozen=True)
class Sketch:
    """A subject file.

    Attributes:
        name: what the subject is called in it.
        text: the file.
        runs: whether the guess fits, so that the file runs as it stands.
        adapter: which adapter it has; None if the code is written for a case already.
    """

    name: str
    text: str
    runs: bool
    adapter: str | None

    @property
    def file(self) -> str:
        """The file's name."""
        return f"crosscheck_{self.name}.py"


def sketch(target: str, adapter: str | None = None, cell: str | None = None) -> Sketch:
    """Return a subject file for somebody's code.

    Args:
        target: `package.module:attr` or `path/to/file.py:attr`; of a pair of functions `...:forward,backward`.
        adapter: what makes a subject of it; None: what fits by the looks.
        cell: which cell it is; None: what its adapter found out, or its name says.

    Raises:
        ArgumentError: the target can't be loaded, or there is no such adapter.
    """
    place, attribute = split_target(target)
    thing = load(target)
    adapter = adapter or guess(thing)
    if adapter is not None and adapter not in ADAPTERS:
        raise ArgumentError("as", repr(adapter), "one of " + ", ".join(ADAPTERS))
    subject, trouble = _tried(thing, adapter)
    name = _snake(attribute.split(",")[0].rpartition(".")[2])
    cell = cell or _cell(subject, attribute)
    stated = _known_cell(subject) is not None
    notes = subject.notes if subject is not None else ()
    lines = [
        *_top(target, name, adapter, None if stated else cell),
        *_imports(place, attribute, adapter),
        *_body(attribute, name, adapter, cell, stated, notes, trouble),
    ]
    return Sketch(name, "\n".join(lines) + "\n", not trouble, adapter)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def guess(thing: Any) -> str | None:
    """Return the adapter that fits something by its looks; None if it looks like a subject."""
    torch = sys.modules.get("torch")  # what is of torch has imported it
    if isinstance(thing, tuple):
        return "numpy-pair"
    if torch is not None and isinstance(thing, type) and issubclass(thing, torch.autograd.Function):
        return "autograd-function"
    if torch is not None and (
        isinstance(thing, torch.nn.Module) or (isinstance(thing, type) and issubclass(thing, torch.nn.Module))
    ):
        return "torch-module"
    if isinstance(thing, type) and hasattr(thing, "backward"):
        learns = any(argument in RATES for argument in _arguments(thing.backward))
        return "learner" if learns else "attributes"
    arguments = _arguments(thing)
    if len(arguments) > 1 and arguments[1] in ("x", "xs", "inputs"):
        return "jax-function"
    return "torch-module" if len(arguments) > 1 else None


def _arguments(function: Any) -> tuple[str, ...]:
    try:
        return tuple(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # of what is written in C
        return ()


def _tried(thing: Any, adapter: str | None) -> tuple[Subject | None, str]:
    """Return the subject that an adapter makes, or None and why it makes none, in words."""
    try:
        return make(thing, adapter), ""
    except ArgumentError as error:
        return None, str(error)


def _known_cell(subject: Subject | None) -> str | None:
    """Return the one cell that a subject says it is; None if it says none, or several."""
    if subject is None or "cell" not in subject.declared or len(subject.options["cell"]) > 1:
        return None
    return str(subject.options["cell"][0])


def _cell(subject: Subject | None, attribute: str) -> str:
    return _known_cell(subject) or next((cell for part, cell in CELLS if part in attribute.lower()), "rnn_tanh")


def _top(target: str, name: str, adapter: str | None, cell: str | None) -> Iterator[str]:
    with_adapter = f" {AS} {adapter}" if adapter else ""
    yield f'"""{target} as a subject of crosscheck.'
    yield ""
    yield f"    crosscheck run crosscheck_{name}.py:{name}"
    if with_adapter:
        yield ""
        yield "The same without a file, conventions being given as --set NAME=VALUE:"
        yield ""
        yield f"    crosscheck run {target}{with_adapter}{f' --cell {cell}' if cell else ''}"
    yield '"""'
    yield ""


def _imports(place: str, attribute: str, adapter: str | None) -> Iterator[str]:
    names = attribute.split(",")
    path = Path(place)
    module = path.stem if place.endswith(".py") else place
    plain = all(name.isidentifier() for name in (*names, *module.split(".")))
    here = not place.endswith(".py") or path.resolve().parent == Path.cwd()
    if plain and here:
        yield f"from {module} import {', '.join(sorted(names))}"
        yield ""
    yield "from crosscheck import subject"
    if adapter:
        yield "from crosscheck.conventions import Conventions"
    if not (plain and here):
        yield "from crosscheck.implementation import load"
    if adapter:
        yield f"from crosscheck.subjects import {ADAPTERS[adapter]}"
    if not (plain and here):
        yield ""
        yield f'{_thing(attribute, names)} = load("{place}:{attribute}")'
    yield ""


def _thing(attribute: str, names: Sequence[str]) -> str:
    """Return what the code is called in the file."""
    return ", ".join(name.rpartition(".")[2] for name in names) if names else attribute


def _body(
    attribute: str, name: str, adapter: str | None, cell: str, stated: bool, notes: Sequence[str], trouble: str
) -> Iterator[str]:
    thing = _thing(attribute, attribute.split(","))
    if trouble:
        yield from _comment(f"This does not run yet: {trouble}.")
    if adapter:
        yield "conventions = Conventions("
        known = dict(_conventions(adapter))
        width = max(map(len, known))
        for line, says in known.items():
            yield f"    # {line:<{width}}  {says}"
        yield ")"
        yield ""
    if adapter:
        yield "# What is known of it:"
        yield f"# - cell: {cell}" if stated else f"# - cell: {cell} by its name; state another one if it is that"
        for note in notes:
            yield from _comment(f"- {note}")
    yield f"{name} = subject("
    yield f'    {"# " if stated else ""}cell="{cell}",'
    yield '    # dtype="float32",  # if it is for that alone'
    yield "    # max_T=8, max_B=4, max_I=6, max_H=6,  # the largest sizes that are drawn"
    made = f"{ADAPTERS[adapter]}.adapt({f'({thing})' if ',' in thing else thing}, conventions)" if adapter else thing
    yield f")({made})"


def _conventions(adapter: str) -> Iterator[tuple[str, str]]:
    """Yield each convention as an argument, and what it says."""
    for name, values, says in CONVENTIONS:
        if name.startswith("names"):
            yield 'names={"W_xh": "wx"},', "what a parameter is called"
        elif name not in OF_LEARNER or adapter == "learner":
            example = EXAMPLES.get(name, values.partition("|")[0])
            yield (f"{name}=True," if values == "true" else f'{name}="{example}",'), says


def _comment(text: str) -> Iterator[str]:
    yield from textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="#   ", break_on_hyphens=False)
