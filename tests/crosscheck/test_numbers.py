"""The four number types side by side: the hand-written network, unchanged, runs on each, for every cell and loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosscheck import Case
from crosscheck.referee.numbers.ball import Balls, UndecidedError, balls, overlap, precision, split
from crosscheck.referee.numbers.bounded import Bounded, bounded
from crosscheck.referee.numbers.dual import Duals, duals
from crosscheck.referee.numbers.format import FORMATS, Format
from crosscheck.referee.numbers.noisy import Noisy, noisy
from crosscheck.referee.reference import reference
from crosscheck.spec import GATES, LOSSES
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


SMOOTH = {"cell": ("rnn_tanh", "lstm", "gru"), "truncate": False, "clip": False}
"""Without a clip, whose limit is a plain number, and so is what comes of it: no ball to be differentiated."""


@given(
    cases(supports({**SMOOTH, "max_T": 3, "max_B": 2, "max_I": 3, "max_H": 3}, EVERYTHING)),
    st.integers(0, 2**32 - 1),
)
def test_forward_mode_through_the_network_is_its_own_backward_pass(case: Case, seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    directions = {name: rng.integers(-3, 4, array.shape) for name, array in case.arrays.items()}
    with precision(256):
        gradients = manual(case.lift(balls))
        inputs = case.input_names
        moved = {
            name: duals(balls(array), balls(directions[name] if name in inputs else 0 * directions[name]))
            for name, array in case.arrays.items()
        }
        results = manual(replace(case, arrays=moved))
        along: Any
        if case.spec.loss == "none":
            outputs = [name for name in ("y", "h_n", "c_n") if name in results]
            along = sum(np.sum(results[name] * balls(case.arrays[f"d{name}"])) for name in outputs)
        else:
            along = np.asarray(results["loss"], dtype=object)[()]
        wanted: Any = sum(np.sum(gradients[f"d{name}"] * balls(directions[name])) for name in inputs)
        assert overlap(along.d, wanted)
        # 256 bits, and no more than 2^40 of accumulated error, in units of the last place of numbers of a few thousand
        assert float((along.d - wanted).value.abs_upper()) <= 2.0 ** (12 + 40 - 256)


# What only moves elements does to every part what NumPy does to an array; what is a view there, is one here.

Function = Callable[..., Any]
VIEWS: dict[str, Function] = {
    "T": lambda a: a.T,
    "transpose": lambda a: np.transpose(a, (1, 2, 0)),
    "transpose, the method": lambda a: a.transpose(2, 0, 1),
    "transpose of a list": lambda a: a.transpose([1, 0, 2]),
    "transpose, reversed": lambda a: a.transpose(),
    "swapaxes": lambda a: np.swapaxes(a, 0, 2),
    "swapaxes, the method": lambda a: a.swapaxes(0, 1),
    "moveaxis": lambda a: np.moveaxis(a, 0, -1),
    "squeeze": lambda a: np.squeeze(a[:1], axis=0),
    "squeeze, the method": lambda a: a[:, :1].squeeze(),
    "expand_dims": lambda a: np.expand_dims(a, (0, 2)),
    "flip": lambda a: np.flip(a, axis=1),
    "fliplr": lambda a: np.fliplr(a),
    "diagonal": lambda a: a.T[0].T[:2, :2],
    "atleast_2d": lambda a: np.atleast_2d(a[0, 0]),
    "atleast_1d": lambda a: np.atleast_1d(a),
    "reshape": lambda a: a.reshape(-1, 4),
    "reshape to sizes": lambda a: a.reshape(3, 2, 4),
    "reshape of a part": lambda a: a[1].reshape((4, 3)),
    "np.reshape": lambda a: np.reshape(a, (6, 4)),
    "ravel": lambda a: np.ravel(a),
    "ravel, the method": lambda a: a.ravel(),
    "split": lambda a: np.split(a, 2, axis=-1)[1],
    "split at": lambda a: np.split(a, [1, 2], axis=1)[1],
    "array_split": lambda a: np.array_split(a, 2, axis=1)[0],
    "hsplit": lambda a: np.hsplit(a, 3)[2],
    "index": lambda a: a[0],
    "column": lambda a: a[:, 0],
    "negative index": lambda a: a[-1, ..., -2:],
    "steps": lambda a: a[::-1, ::2],
    "newaxis": lambda a: a[:, None, 1],
    "Ellipsis": lambda a: a[..., 0],
    "iteration": lambda a: list(a)[1],
    "unpacking": lambda a: (lambda _, second: second)(*a),
}
COPIES: dict[str, Function] = {
    "copy": lambda a: np.copy(a),
    "copy, the method": lambda a: a.copy(),
    "flatten": lambda a: a.flatten(),
    "astype": lambda a: a.astype(np.float64),
    "astype, of a name": lambda a: a.astype("float64"),
    "reshape of a transpose": lambda a: a.T.reshape(-1),
    "ravel of a transpose": lambda a: np.ravel(a.swapaxes(0, 2)),
    "roll": lambda a: np.roll(a, 1, axis=1),
    "repeat": lambda a: np.repeat(a, 2, axis=0),
    "repeat, the method": lambda a: a.repeat(2),
    "tile": lambda a: np.tile(a, (2, 1, 1)),
    "take": lambda a: np.take(a, [2, 0], axis=1),
    "concatenate": lambda a: np.concatenate([a, a[:1]], axis=0),
    "concatenate flat": lambda a: np.concatenate((a, a), axis=None),
    "stack": lambda a: np.stack([a[0], a[1], a[0]], axis=1),
    "vstack": lambda a: np.vstack((a[0], a[1])),
    "hstack": lambda a: np.hstack([a[0], a[1]]),
    "column_stack": lambda a: np.column_stack([a[0, 0], a[1, 0]]),
    "integers": lambda a: a[[1, 0, 1], 1:],
    "two arrays of integers": lambda a: a[np.array([0, 1]), :, np.array([3, 2])],
    "the last axis by integers": lambda a: a[..., [0, 3]],
    "booleans": lambda a: a[np.array([True, False])],
    "booleans of elements": lambda a: a[np.arange(24).reshape(2, 3, 4) % 5 == 0],
    "concatenate with floats": lambda a: np.concatenate([a, np.ones((1, 3, 4))]),
    "stack with floats": lambda a: np.stack([np.zeros((3, 4)), a[0]]),
}


def rounded(kind: str) -> Any:
    """Return an array whose elements, errors and samples are all different."""
    rng = np.random.Generator(np.random.PCG64(3))
    numbers = np.arange(1.0, 25.0).reshape(2, 3, 4)
    lift = (lambda a: bounded(a, DOUBLE)) if kind == "bounded" else (lambda a: noisy(a, DOUBLE, rng))
    return lift(numbers) / 7 * lift(np.arange(24.0).reshape(2, 3, 4) + 2)


@pytest.mark.parametrize("kind", ["bounded", "noisy"])
@pytest.mark.parametrize("name", [*VIEWS, *COPIES])
def test_what_moves_elements_moves_them_in_every_part(kind: str, name: str) -> None:
    of, a = (VIEWS | COPIES)[name], rounded(kind)
    moved = of(a)
    assert type(moved) is type(a)
    for k, (mine, part) in enumerate(zip(moved.parts, a.parts, strict=True)):
        if "floats" in name and kind == "bounded" and k > 0:  # of parts besides the value, see the next test
            continue
        wanted = of(part)
        assert moved.shape == wanted.shape
        assert np.array_equal(mine, wanted)
        assert np.may_share_memory(mine, part) is (name in VIEWS)
    plain = np.array(a.parts[0], order="C")
    assert np.may_share_memory(of(plain), plain) is (name in VIEWS)  # as NumPy has it


def test_floats_among_lifted_numbers_are_exact() -> None:
    a = rounded("bounded")
    joined: Any = np.concatenate([a, np.ones((1, 3, 4))])
    assert np.array_equal(joined.E[:2], a.E)
    assert not np.any(joined.E[2])


@pytest.mark.parametrize("kind", ["bounded", "noisy"])
@pytest.mark.parametrize("name", VIEWS)
def test_writing_into_a_view_writes_into_the_array(kind: str, name: str) -> None:
    of, a = VIEWS[name], rounded(kind)
    parts = [part.copy() for part in a.parts]
    new = a.lift(np.array(0.5))
    of(a)[...] = new
    for mine, part, value in zip(a.parts, parts, new.parts * (1 if kind == "bounded" else len(parts)), strict=True):
        of(part)[...] = value
        assert np.array_equal(mine, part)
    b = rounded(kind)
    copied = b.copy()
    view = of(b)
    view *= 0
    assert np.array_equal(of(b).values, 0 * of(b).values)
    assert np.sum(b.parts[0] != copied.parts[0]) == view.size


@pytest.mark.parametrize("kind", ["bounded", "noisy"])
def test_a_broadcast_view_is_read_only(kind: str) -> None:
    row = rounded(kind)[0, :1]
    wide: Any = np.broadcast_to(row, (3, 4))
    for mine, part in zip(wide.parts, row.parts, strict=True):
        assert np.array_equal(mine, np.broadcast_to(part, (3, 4)))
    with pytest.raises(ValueError, match="read-only"):
        wide[0] = 1


@pytest.mark.parametrize("kind", ["bounded", "noisy"])
def test_buffers(kind: str) -> None:
    a = rounded(kind)
    buffers: Any = (
        (np.ones_like(a), np.ones((2, 3, 4))),
        (np.zeros_like(a, shape=(2, 2)), np.zeros((2, 2))),
        (np.full_like(a, 0.5, dtype=np.float32), np.full((2, 3, 4), 0.5)),
        (np.full_like(a, -1.0, shape=3), np.full(3, -1.0)),
        (np.empty_like(a, dtype=float, order="C"), np.zeros((2, 3, 4))),
    )
    for buffer, wanted in buffers:
        assert type(buffer) is type(a)
        assert len(buffer.parts) == len(a.parts)
        assert np.array_equal(buffer.parts[0], wanted)
        assert np.array_equal(buffer.parts[-1] if kind == "noisy" else buffer.v - buffer.E, wanted)
    of_a: Any = np.full_like(a, a[0, 0, 0])
    assert all(np.all(mine == part[0, 0, 0]) for mine, part in zip(of_a.parts, a.parts, strict=True))
    mask = np.zeros_like(a, dtype=bool)
    assert type(mask) is np.ndarray
    assert mask.dtype == bool
    assert (np.shape(a), np.ndim(a), np.size(a), np.size(a, 1)) == ((2, 3, 4), 3, 24, 3)
    a.fill(2)
    np.copyto(a[0], np.arange(4.0))
    assert np.array_equal(a.parts[0][0], np.broadcast_to(np.arange(4.0), (3, 4)))
    assert np.all(a.parts[0][1] == 2)


@pytest.mark.parametrize("kind", ["bounded", "noisy"])
def test_a_copy_by_the_method_is_in_order_of_the_rows(kind: str) -> None:
    # as NumPy's: matrix products of another layout in memory are summed in another order
    for part in rounded(kind)[0].T.copy().parts if kind == "bounded" else [rounded(kind)[0].T.copy().samples]:
        assert part.flags.c_contiguous


@pytest.mark.parametrize("kind", ["bounded", "noisy"])
def test_a_single_element_is_no_view(kind: str) -> None:
    a = rounded(kind)[0, 0]
    kept = a.copy()
    total, element = np.sum(a), a[1]
    total += 1.0
    element += 1.0
    assert np.array_equal(a.parts[0], kept.parts[0])
    assert np.all(np.abs(total.values - (np.sum(kept.parts[0]) + 1)) < 1e-12)  # 5 roundings of numbers below 100
    assert np.all(np.abs(element.values - (kept.parts[0][1] + 1)) < 1e-12)


@pytest.mark.parametrize("kind", ["bounded", "noisy"])
def test_it_never_becomes_an_array_of_floats(kind: str) -> None:
    a = rounded(kind)
    buffer = np.zeros((2, 3, 4))
    for write in (lambda: np.asarray(a), lambda: buffer.__setitem__(0, a[0]), lambda: np.add(a, 1, out=buffer)):
        with pytest.raises(TypeError, match="does not become an array of plain numbers"):
            write()
    assert not buffer.any()


@pytest.mark.parametrize("kind", ["bounded", "noisy"])
def test_a_condition_chooses_where_it_is_decided(kind: str) -> None:
    a = rounded(kind)
    values = a.parts[0].copy()
    above = a > 20
    for mine, part in zip(a[above].parts, a.parts, strict=True):
        assert np.array_equal(mine, part[values > 20])
    a[above] = np.arange(np.sum(values > 20) * 1.0)
    a[~above & (a > 5)] *= 0
    a[1, a[1] <= 3] = 9.0
    wanted = values.copy()
    wanted[values > 20] = np.arange(np.sum(values > 20) * 1.0)
    wanted[(wanted > 5) & (values <= 20)] = 0
    wanted[1, wanted[1] <= 3] = 9.0
    assert np.array_equal(a.parts[0], wanted)
    assert bool(a[0, 0, 0] == 0) is bool(wanted[0, 0, 0] == 0)


@pytest.mark.parametrize("kind", ["bounded", "noisy"])
def test_an_undecided_condition_takes_no_branch(kind: str) -> None:
    third = rounded(kind)[0, 0] * 0 + 1
    third /= 3
    undecided = third * 3 - 1
    undecided[1:] = 5.0
    for branch in (lambda: bool(undecided[0] > 0), lambda: third[undecided > 0], lambda: 1 if undecided[0] >= 0 else 0):
        with pytest.raises(UndecidedError, match="rounding decides 1 of"):
            branch()
    third[undecided > 0] = 0.25
    assert np.all(third.values[1:] == 0.25)
    if kind == "bounded":  # 1/3 or 1/4
        assert third.E[0] >= 1 / 3 - 1 / 4
    else:
        assert set(np.round(third.samples[0], 3)) == {0.25, 0.333}


@pytest.mark.parametrize("kind", lifts())
@pytest.mark.parametrize("name", ["arctan", "floor", "hypot"])
def test_an_operation_that_it_does_not_know_is_named(kind: str, name: str) -> None:
    _, lift = lifts()[kind]
    ufunc = getattr(np, name)
    known_as = {"bounded": "Bounded", "noisy": "Noisy", "dual": "Dual", "ball": "Ball"}[kind]
    with pytest.raises(TypeError, match=rf"^{known_as} knows nothing of numpy\.{name}\b"):
        ufunc(*(lift(np.ones(2)),) * ufunc.nin)
