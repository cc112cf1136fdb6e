"""The equations of a network, read from the top of the files of `manual_rnn` that compute it.

They stand nowhere else, so what is explained is what is computed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import ModuleType

from crosscheck.spec import Spec
from crosscheck.subjects.manual import cell_of
from manual_rnn import losses, readout, stack, truncation, unroll
from manual_rnn.cells import clip, projection, recurrent_dropout, zoneout

Lines = Mapping[str, str]
"""What stands to the right of = , by the name to the left of it."""
EQUATION = r"(\w+) (\+?=) (.+)"
GAP = r"\s{3,}"
"""What is between an equation and a remark, or another equation on the same line."""
ADDED = "+= "


@dataclass(frozen=True)
class Equations:
    """The equations of a network.

    Attributes:
        texts: as they stand in the files, with titles and references; the cell's first.
        forward: those of one step, under the names of `crosscheck.referee.trace`.
        backward: likewise, and the sums over all steps.
    """

    texts: tuple[str, ...]
    forward: Lines
    backward: Lines


def equations(spec: Spec) -> Equations:
    """Return the equations of a network."""
    cell = sys.modules[cell_of(replace(spec, proj_size=0)).forward_step.__module__]
    forward, backward = _lines(cell)
    if spec.proj_size:  # what the cell calls h is m
        of_h, of_dh = _lines(projection)
        forward, backward = _renamed(forward, "h", "m") | of_h, of_dh | _renamed(backward, "h", "m")
    if _drops(spec):
        of_h_in, of_dh_in = _lines(recurrent_dropout)
        forward, backward = _dropping(forward) | of_h_in, _dropping(backward) | of_dh_in
    if spec.zoneout:  # what the cell calls h and c are h_new and c_new
        for name in spec.states:
            of_state, of_dstate = (_of_state(lines, name) for lines in _lines(zoneout))
            forward = _renamed(forward, name, f"{name}_new") | of_state
            backward = _added(of_dstate, _renamed(backward, name, f"{name}_new"))
    carried = {f"d{name}": f"d{name}_next" for name in spec.states if name != "h"}
    of_output = _lines(readout)[1] if spec.output_size else {}
    sums = _lines(unroll)[0] | {name: of_output[name] for name in ("dW_hy", "db_y") if name in of_output}
    return Equations(_texts(spec, cell), forward, {"dh": "dy + dh_next"} | _added(carried, backward) | sums)


def _texts(spec: Spec, cell: ModuleType) -> tuple[str, ...]:
    """Return the texts of all files that have a part in a network."""
    parts = {
        clip: spec.clip,
        projection: spec.proj_size,
        recurrent_dropout: _drops(spec),
        zoneout: spec.zoneout,
        stack: len(spec.runs) > 1,
        truncation: spec.truncate,
        readout: spec.output_size,
    }
    texts = [str(module.__doc__) for module in (cell, *(module for module, has in parts.items() if has))]
    if spec.loss != "none":
        title, *rest = str(losses.__doc__).splitlines()
        texts.append("\n".join([title, "", *(line for line in rest if line.strip().startswith(f"{spec.loss} "))]))
    return tuple(text.strip() for text in texts)


def _drops(spec: Spec) -> bool:
    return bool(spec.recurrent_dropout and spec.train)


def _lines(module: ModuleType) -> tuple[dict[str, str], dict[str, str]]:
    """Return the equations at the top of a file, forward and backward; of several for one name the first."""
    forward: dict[str, str] = {}
    backward: dict[str, str] = {}
    side = forward
    for line in str(module.__doc__).splitlines():
        if line.startswith("Backward"):
            side = backward
        close = re.sub(r"\s+(\+?=)\s+", r" \1 ", line.strip())
        for part in re.split(GAP, close) if line.startswith("    ") else ():
            equation = re.fullmatch(EQUATION, part)
            if equation:
                name, sign, text = equation.groups()
                side.setdefault(name, ADDED + text if sign == "+=" else text)
    return forward, backward


def _renamed(lines: Lines, old: str, new: str) -> dict[str, str]:
    """Return equations in which a quantity, and its gradient, has another name."""
    pattern = rf"\b(d?){old}\b"
    return {re.sub(pattern, rf"\1{new}", name): re.sub(pattern, rf"\1{new}", text) for name, text in lines.items()}


def _dropping(lines: Lines) -> dict[str, str]:
    """Return equations in which the recurrent products see h_in."""
    return {name: re.sub(r"\b(W_\w+|r|ds) h_prev\b", r"\1 h_in", text) for name, text in lines.items()}


def _of_state(lines: Lines, name: str) -> dict[str, str]:
    """Return zoneout's equations for the state of that name."""

    def said(text: str) -> str:
        return re.sub(r"\b(d?)new\b", rf"\1{name}_new", re.sub(r"\b(d?)state(_prev)?\b", rf"\1{name}\2", text))

    return {said(left): said(right) for left, right in lines.items()}


def _added(first: Lines, more: Lines) -> dict[str, str]:
    """Return two sets of equations as one, the second's in its order; what is added to is what the first says."""
    both = {name: text for name, text in first.items() if name not in more}
    for name, text in more.items():
        both[name] = first.get(name, text)
        if text.startswith(ADDED) and name in first:
            both[name] = f"{first[name]} + {text.removeprefix(ADDED)}"
    return both
