"""A case as a short line of text, and back: the reproducer of every finding.

    rnn_tanh:T2B1I1H1:seed=7
    gru:T3B2I4H5O2:reset_after=false:loss=mse:regime=ordinary:dtype=float32:seed=12
    lstm:T4B3I2H2:layers=2:bidirectional=true:lengths=2,4,0:seed=3

Options at their default are left out, but for the seed.
"""

from __future__ import annotations

import re
from typing import Any

from crosscheck.errors import ArgumentError
from crosscheck.spec import one_of, written

OPTIONS: dict[str, tuple[str, Any, type]] = {
    "layers": ("num_layers", 1, int),
    "bidirectional": ("bidirectional", False, bool),
    "merge": ("merge", "concat", str),
    "axes": ("axes", "TB", str),
    "bias": ("bias", True, bool),
    "reset_after": ("reset_after", True, bool),
    "peephole": ("peephole", False, bool),
    "coupled": ("coupled", False, bool),
    "forget_bias": ("forget_bias", 0.0, float),
    "proj_size": ("proj_size", 0, int),
    "attention": ("attention", False, bool),
    "clip": ("clip", 0.0, float),
    "dropout": ("dropout", 0.0, float),
    "recurrent_dropout": ("recurrent_dropout", 0.0, float),
    "zoneout": ("zoneout", 0.0, float),
    "train": ("train", True, bool),
    "truncate": ("truncate", None, tuple),
    "loss": ("loss", "none", str),
    "mean": ("mean", "default", str),
    "regime": ("regime", "simple", str),
    "dtype": ("dtype", "float64", str),
    "lengths": ("lengths", None, tuple),
    "memory": ("memory", "contiguous", str),
    "states": ("states", "both", str),
    "seed": ("seed", 0, int),
}
"""The options of a line: the field of Spec or Case, the default, and what it is."""
OF_CASE = ("regime", "dtype", "lengths", "memory", "states", "seed")
"""Those of them that belong to the case; all others to the spec."""


def line(case: Any) -> str:
    """Return the line of a case."""
    spec = case.spec
    size = f"T{case.T}B{case.B}I{spec.input_size}H{spec.hidden_size}" + (
        f"O{spec.output_size}" if spec.output_size else ""
    )
    parts = [spec.cell, size]
    for name, (field, default, _) in OPTIONS.items():
        value = getattr(case if name in OF_CASE else spec, field)
        if value != default or name == "seed":
            parts.append(f"{name}={written(value)}")
    return ":".join(parts)


def parsed(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a line says: the fields of the spec, and those of the case.

    Raises:
        ArgumentError: it is no such line; the message says which part is wrong.
    """
    cell, _, rest = text.strip().partition(":")
    size, *options = rest.split(":")
    sizes = re.fullmatch(r"T([0-9]{1,10})B([0-9]{1,10})I([0-9]{1,10})H([0-9]{1,10})(?:O([0-9]{1,10}))?", size)
    if not sizes:
        raise ArgumentError("case", repr(text), "a line such as rnn_tanh:T2B1I1H1:seed=7")
    T, B, I, H, O = (int(group or 0) for group in sizes.groups())
    of_spec: dict[str, Any] = {"cell": cell, "input_size": I, "hidden_size": H, "output_size": O}
    of_case: dict[str, Any] = {"T": T, "B": B}
    given: set[str] = set()
    for option in options:
        name, _, value = option.partition("=")
        if name in given or name not in OPTIONS:
            raise ArgumentError("case", repr(option), "each at most once: " + ", ".join(OPTIONS))
        given.add(name)
        field, _, kind = OPTIONS[name]
        (of_case if name in OF_CASE else of_spec)[field] = _value(name, kind, value)
    return of_spec, of_case


def _value(name: str, kind: type, text: str) -> Any:
    """Return the value of an option from its text."""
    if kind is str:
        return text
    if kind is bool:
        one_of(name, text, ("true", "false"))
        return text == "true"
    pattern, wanted = {
        int: (r"[0-9]{1,10}", "a whole number"),
        float: (r"[0-9]{1,10}(\.[0-9]{1,20})?", "a number such as 0.5"),
        tuple: (r"[0-9]{1,10}(,[0-9]{1,10})*", "whole numbers such as 2,4,0"),
    }[kind]
    if not re.fullmatch(pattern, text):
        raise ArgumentError(name, repr(text), wanted)
    return tuple(map(int, text.split(","))) if kind is tuple else kind(text)
