"""The four number types side by side: the hand-written network, unchanged, runs on each, for every cell and loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosscheck import Case
from crosscheck.case import GATES, LOSSES
from crosscheck.referee.numbers.ball import Balls, balls, overlap, precision, split
from crosscheck.referee.numbers.bounded import Bounded, bounded
from crosscheck.referee.numbers.dual import Duals, duals
from crosscheck.referee.numbers.format import FORMATS, Format
from crosscheck.referee.numbers.noisy import Noisy, noisy
from crosscheck.referee.reference import reference
from crosscheck.strategies import EVERYTHING, cases, supports
from crosscheck.subjects.manual import manual

DOUBLE = FORMATS["float64"]
CELLS = [*((cell, True) for cell in GATES), ("gru", False)]


def lifts() -> dict[str, tuple[type, Callable[[Any], Any]]]:
    rng, noiseless = np.random.Generator(np.random.PCG64(1)), Format(precision=2000, smallest=0.0)  # u = 2^-2000 is 0
    return {
        "bounded": (Bounded, lambda array: bounded(array, DOUBLE)),
        "noisy": (Noisy, lambda array: noisy(array, noiseless, rng)),
        "dual": (Duals, duals),
        "ball": (Balls, balls),
    }


def centers(kind: str, result: Any) -> Any:
    """Return the values of a result as float64."""
    if kind == "bounded":
        return result.v
    if kind == "dual":
        return np.reshape([number.v for number in np.ravel(result)], np.shape(result))
    return split(result)[0]


@pytest.mark.parametrize("kind", lifts())
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("cell", "reset_after"), CELLS)
def test_every_cell_and_loss_runs_on_it(cell: str, reset_after: bool, loss: str, kind: str) -> None:
    of, lift = lifts()[kind]
    options = f":loss={loss}" + ("" if reset_after else ":reset_after=false")
    for size in ("T3B2I2H3", "T2B2I3H2O3"):
        for regime in ("simple", "ordinary"):
            case = Case.parse(f"{cell}:{size}{options}:regime={regime}:seed=5")
            truth, results = reference(case), manual(case.lift(lift))
            assert results.keys() == case.result_shapes.keys()
            for name, shape in case.result_shapes.items():
                result = results[name]
                assert getattr(result, "shape", ()) == shape
                assert isinstance(result, of) or (shape == () and kind in ("dual", "ball"))
                computed = result.parts if kind == "noisy" else [centers(kind, result)]
                for values in computed:  # a program, or exact: within the tolerance of another program
                    assert np.all(np.abs(values - truth.want[name]) <= truth.bound[name]), name


@pytest.mark.parametrize(("cell", "reset_after"), CELLS)
def test_noise_moves_every_result(cell: str, reset_after: bool) -> None:
    rng = np.random.Generator(np.random.PCG64(1))
    case = Case.parse(f"{cell}:T3B2I2H3:regime=ordinary:seed=5" + ("" if reset_after else ":reset_after=false"))
    for name, result in manual(case.lift(lambda array: noisy(array, DOUBLE, rng))).items():
        assert not np.array_equal(result.parts[0], result.parts[1]), name


@given(
    cases(supports({"cell": ("rnn_tanh", "lstm", "gru"), "max_T": 3, "max_B": 2, "max_I": 3, "max_H": 3}, EVERYTHING)),
    st.integers(0, 2**32 - 1),
)
def test_forward_mode_through_the_network_is_its_own_backward_pass(case: Case, seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    directions = {name: rng.integers(-3, 4, array.shape) for name, array in case.arrays.items()}
    with precision(256):
        gradients = manual(case.lift(balls))
        given = ["target"] + [f"d{name}" for name in ("y", "h_n", "c_n")]
        moved = {
            name: duals(balls(array), balls(0 * directions[name] if name in given else directions[name]))
            for name, array in case.arrays.items()
        }
        results = manual(Case(case.spec, case.T, case.B, case.regime, case.seed, case.dtype, moved))
        along: Any
        if case.spec.loss == "none":
            outputs = [name for name in ("y", "h_n", "c_n") if name in results]
            along = sum(np.sum(results[name] * balls(case.arrays[f"d{name}"])) for name in outputs)
        else:
            along = np.asarray(results["loss"], dtype=object)[()]
        wanted: Any = sum(
            np.sum(gradients[f"d{name}"] * balls(directions[name])) for name in case.arrays if name not in given
        )
        assert overlap(along.d, wanted)
        # 256 bits, and no more than 2^40 of accumulated error, in units of the last place of numbers of a few thousand
        assert float((along.d - wanted).value.abs_upper()) <= 2.0 ** (12 + 40 - 256)


@pytest.mark.parametrize("kind", lifts())
@pytest.mark.parametrize("name", ["arctan", "floor", "hypot"])
def test_an_operation_that_it_does_not_know_is_named(kind: str, name: str) -> None:
    _, lift = lifts()[kind]
    ufunc = getattr(np, name)
    known_as = {"bounded": "Bounded", "noisy": "Noisy", "dual": "Dual", "ball": "Ball"}[kind]
    with pytest.raises(TypeError, match=rf"^{known_as} knows nothing of numpy\.{name}\b"):
        ufunc(*(lift(np.ones(2)),) * ufunc.nin)
