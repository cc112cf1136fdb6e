"""Verdicts as plain data, and back: what JSON holds, with the names of numbers that JSON has none for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

import numpy as np

from crosscheck.case import Case
from crosscheck.implementation import Finding
from crosscheck.referee.proof import Outcome
from crosscheck.verdict import Status, TensorCheck, Verdict

JSON = Any
"""None, a bool, a number, a text, or a list or dict of these."""
AS_IT_IS = (str, int, bool, type(None))
NAMES = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
NUMBERS = ("got", "want", "bound", "ratio", "resolution")


def without_nan(data: Any) -> JSON:
    """Return plain data as JSON holds it: NaN and infinity by their names, tuples as lists, no NumPy numbers.

    A dataclass is a mapping of its fields.
    """
    if type(data) in AS_IT_IS:
        return data
    if is_dataclass(data):
        data = vars(data)
    data = data.item() if isinstance(data, np.generic) else data
    if isinstance(data, float) and not math.isfinite(data):
        return "NaN" if math.isnan(data) else "Infinity" if data > 0 else "-Infinity"
    if isinstance(data, Mapping):
        return {str(name): without_nan(value) for name, value in data.items()}
    if isinstance(data, Sequence) and not isinstance(data, str):
        return [without_nan(value) for value in data]
    return data


def plain_verdict(verdict: Verdict) -> dict[str, JSON]:
    """Return a verdict, all but its subject and its case, as plain data."""
    return {
        "status": verdict.status.value,
        "tensors": [without_nan(asdict(check) | {"status": check.status.value}) for check in verdict.checks],
        "findings": [asdict(finding) for finding in verdict.findings],
        "not_checked": list(verdict.not_checked),
        "proof": None if verdict.outcome is None else verdict.outcome.value,
        "evidence": list(verdict.evidence),
        "notes": [asdict(note) for note in verdict.notes],
    }


def verdict_of(data: Mapping[str, JSON], subject: str, case: Case) -> Verdict:
    """Return the verdict that `plain_verdict` made plain.

    Raises:
        KeyError, TypeError, ValueError: it is something else.
    """
    return Verdict(
        subject,
        case,
        tuple(_check(tensor) for tensor in data["tensors"]),
        tuple(Finding(**finding) for finding in data["findings"]),
        tuple(data["not_checked"]),
        None if data["proof"] is None else Outcome(data["proof"]),
        tuple(data["evidence"]),
        tuple(Finding(**note) for note in data.get("notes", ())),
    )


def _check(data: Mapping[str, JSON]) -> TensorCheck:
    numbers = {name: _number(data[name]) for name in NUMBERS}
    rest: dict[str, Any] = {"status": Status(data["status"]), "index": tuple(map(int, data["index"]))}
    return TensorCheck(**{**data, **numbers, **rest})


def _number(data: JSON) -> float:
    return NAMES[data] if isinstance(data, str) else float(data)
