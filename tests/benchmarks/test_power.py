"""A short run of the power benchmark: no false alarm, and no mistake missed that is above the stated resolution."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

CASES = range(40)


@pytest.fixture(scope="module")
def power() -> ModuleType:
    spec = importlib.util.spec_from_file_location("power", Path(__file__).parents[2] / "benchmarks" / "power.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rows(power: ModuleType) -> list[dict[str, Any]]:
    return [power.one(seed) for seed in CASES]


def test_the_referee_raises_no_false_alarm(rows: list[dict[str, Any]]) -> None:
    assert [row["seed"] for row in rows if not row["checkers"]["rnn-crosscheck"][0]["passes"]] == []


def test_the_referee_misses_nothing_above_its_resolution(rows: list[dict[str, Any]]) -> None:
    planted = [(row["seed"], row["checkers"]["rnn-crosscheck"][1]) for row in rows]
    above = [seed for seed, answer in planted if answer["above"]]
    assert len(above) > len(rows) / 2  # so the next line says something
    assert [seed for seed, answer in planted if answer["above"] and answer["passes"]] == []


def test_the_others_do_miss_and_do_raise_false_alarms(rows: list[dict[str, Any]]) -> None:
    answers = [(row, row["checkers"]["np.allclose"]) for row in rows]
    assert any(not right["passes"] for _, (right, _) in answers)
    assert any(row["matters"] and wrong["passes"] for row, (_, wrong) in answers)


def test_every_mistake_is_planted(power: ModuleType, rows: list[dict[str, Any]]) -> None:
    assert {row["mistake"] for row in rows} == set(power.MISTAKES)
    seen = set()
    for seed in CASES:
        case, mistake = power.draw(seed)
        right, wrong = power.network(case), power.network(case, mistake, seed)
        different = {name for name in right if not np.array_equal(right[name], wrong[name])}
        assert not different & {"y", "h_n"}  # all are mistakes of the backward pass
        assert different or not rows[seed]["matters"]
        if different:
            seen.add(mistake)
    assert seen == set(power.MISTAKES)  # where it can be seen at all: in float32, 1 + 1e-12 is 1
