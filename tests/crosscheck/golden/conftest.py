"""A small set of every kind of vector, made without a proof; the bounds are those of the worst case of rounding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crosscheck import Case
from crosscheck.golden.files import save
from crosscheck.golden.vector import Golden, Kind, Recording, Vector, Wrong
from crosscheck.referee.reference import reference

FIRST = Recording("2026-11-26T08:00:00+00:00", {"python": "3.11.7", "numpy": "2.3.5"})
OURS = Recording("2026-11-27T09:30:00+00:00", {"python": "3.12.1", "numpy": "2.3.5"}, "lib/my_rnn.py:MyRNN")
DROPPED = Wrong("rnn.carry-dropped", "F1", "the gradient is not carried", "dh = dy + dh_next", "dh = dy")
SLOPE = Wrong("relu-slope-one", "convention", "the slope of relu at 0 is 1", "0", "1")
MakeVector = Callable[..., Vector]


def vector_of(line: str, recording: Recording = FIRST, **said: Any) -> Vector:
    case = Case.parse(line)
    right = reference(case)
    want = {name: np.asarray(array).astype(case.array_dtype) for name, array in right.want.items()}
    bounds = {name: float(np.max(right.bound[name] + abs(want[name] - right.want[name]))) for name in want}
    return Vector(case, want, bounds, recording, **said)


def planted_of(vector: Vector, kind: Kind, wrong: Wrong, *names: str) -> Vector:
    got = {name: vector.want[name] + vector.want[name].dtype.type(1) for name in names}
    return replace(vector, kind=kind, wrong=wrong, got=got)


@pytest.fixture(scope="session")
def vector() -> MakeVector:
    """`(line, recording, flags=..., ...) -> a valid vector`."""
    return vector_of


@pytest.fixture(scope="session")
def planted() -> MakeVector:
    """`(vector, kind, wrong, *names) -> the same with 1 added to these tensors`."""
    return planted_of


@pytest.fixture(scope="session")
def golden() -> Golden:
    """A set of seven vectors in three groups, of two recordings."""
    lstm = vector_of("lstm:T3B2I1H2:layers=2:lengths=3,1:regime=nan_padding:seed=1", comment="padding holds NaN")
    relu = vector_of("rnn_relu:T2B1I2H2O1:loss=mse:dtype=float32:seed=3", flags=("loss", "relu"))
    ours = vector_of("rnn_relu:T2B1I1H1:dtype=float32:seed=4", OURS)
    ours = replace(ours, got={"dx": ours.want["dx"], "y": np.full_like(ours.want["y"], np.nan)})
    vectors = (
        lstm,
        planted_of(lstm, Kind.INVALID, DROPPED, "dW_hh", "dx"),
        relu,
        planted_of(relu, Kind.ACCEPTABLE, SLOPE, "loss"),
        ours,
        vector_of("gru:T2B2I1H2:bidirectional=true:dtype=bfloat16:seed=5"),
        vector_of("lstm:T3B1I1H1:forget_bias=1:truncate=1,2:zoneout=0.25:seed=6"),
    )
    return Golden(vectors, "for tests")


@pytest.fixture
def folder(golden: Golden, tmp_path: Path) -> Path:
    """The folder of that set."""
    save(golden, tmp_path / "set")
    return tmp_path / "set"
