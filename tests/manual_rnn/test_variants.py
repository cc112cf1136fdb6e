"""Variants of the cells, masks, merged directions, orders of axes and truncation: gradients of the forward pass itself.

The forward pass in complex balls, stepped along a direction that moves every input, gives the derivative along it to
hundreds of digits, with no formula of a derivative in it; the backward pass in balls gives it again. A clip has no
complex step: with relu and clip all is piecewise linear, and a difference in fractions is the slope.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import manual_rnn
from manual_rnn import CELLS, ArgumentError, masks, param_names

Arrays = dict[str, Any]
Lift = Callable[[Any], Any]
several = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass(frozen=True)
class Problem:
    """A network with all that it is given.

    Attributes:
        name, options: of the cell; see `manual_rnn.cell`.
        inputs: parameters, x, h_0, c_0, attention: what has a gradient.
        given: masks, recurrent, zoneout, and lengths, merge, axes.
        cotangents: dy, dh_n, dc_n.
        truncate: (k1, k2), or None.
    """

    name: str
    options: Arrays
    inputs: Arrays
    given: Arrays
    cotangents: Arrays
    truncate: tuple[int, int] | None = None
    states: tuple[str, ...] = field(default=("h",))

    def forward(self, network: Any = manual_rnn, **changed: Any) -> Any:
        named = ("x", "h_0", "c_0", "attention")
        inputs = self.inputs | {name: changed[name] for name in changed if name in self.inputs}
        others = {name: inputs[name] for name in named if name in inputs}
        params = {name: array for name, array in inputs.items() if name not in named}
        given = self.given | {name: changed[name] for name in changed if name in self.given}
        return network.forward(network.cell(self.name, **self.options), params, **others, **given)

    def gradients(self, network: Any = manual_rnn) -> Arrays:
        result: Arrays = network.backward(self.forward(network), **self.cotangents, truncate=self.truncate)
        return result

    def phi(self, network: Any = manual_rnn) -> Any:
        """Return the objective: the outputs weighted with their cotangents."""
        if self.truncate is not None:
            return self._truncated(network)
        run = self.forward(network)
        return sum(np.sum(getattr(run, name[1:]) * d) for name, d in self.cotangents.items())

    def _truncated(self, network: Any) -> Any:
        """Return the objective, window by window from states whose derivatives are cut off, as with `detach`."""
        T, (k1, k2) = len(self.inputs["x"]), self.truncate or (1, 1)
        total = 0
        for first in range(0, T, k1):
            end = min(first + k1, T)
            begin = max(0, first + k1 - k2)
            states = {}
            if begin > 0:
                run = self._window(network, 0, begin, {})
                states = {f"{name}_0": _real(getattr(run, f"{name}_n")) for name in self.states}
            run = self._window(network, begin, end, states)
            total = total + np.sum(run.y[first - begin :] * self.cotangents["dy"][first:end])
        finals = (np.sum(getattr(run, f"{name}_n") * self.cotangents[f"d{name}_n"]) for name in self.states)
        return total + sum(finals)

    def _window(self, network: Any, begin: int, end: int, states: Arrays) -> Any:
        changed = states | {name: self.inputs[name][begin:end] for name in ("x", "attention") if name in self.inputs}
        changed["masks"] = [mask[begin:end] for mask in self.given["masks"]]
        changed["zoneout"] = [d[:, begin:end] for d in self.given["zoneout"]]
        if self.given["recurrent"] is not None:
            changed["recurrent"] = self.given["recurrent"][:, begin:end]
        if self.given["lengths"] is not None:
            changed["lengths"] = np.clip(np.array(self.given["lengths"]) - begin, 0, end - begin)
        return self.forward(network, **changed)

    def map(self, f: Lift) -> Problem:
        """Return the problem with `f` applied to every array."""
        inputs, cotangents = ({n: f(a) for n, a in arrays.items()} for arrays in (self.inputs, self.cotangents))
        given = dict(self.given)
        given["masks"] = [f(mask) for mask in given["masks"]]
        given["zoneout"] = [f(d) for d in given["zoneout"]]
        given["recurrent"] = None if given["recurrent"] is None else f(given["recurrent"])
        return Problem(self.name, self.options, inputs, given, cotangents, self.truncate, self.states)


def _real(states: Any) -> Any:
    """Return complex balls without what makes them differ from real ones."""
    return np.array([number.real for number in states.ravel()], object).reshape(states.shape)


def draw(
    name: str,
    options: Arrays,
    *,
    L: int = 2,
    D: int = 1,
    T: int = 3,
    B: int = 2,
    H: int = 2,
    P: int = 1,
    merge: str = "concat",
    axes: str = "TB",
    lengths: Any = None,
    masked: str = "",
    truncate: tuple[int, int] | None = None,
    seed: int = 0,
) -> Problem:
    """Return a random problem in quarters; `masked` has a letter for each kind of mask: d, r, z."""
    rng = np.random.default_rng(seed)
    cell, I = manual_rnn.cell(name, **options), 2
    P = P if options.get("projection") else H
    GH, width = cell.num_gates * H, P * (D if merge == "concat" else 1)

    def quarters(*shape: int) -> Any:
        return rng.integers(-4, 5, shape) / 4

    shapes = {"W_hh": (GH, P), "b_xh": (GH,), "b_hh": (GH,), "W_hr": (P, H)} | dict.fromkeys(
        ("p_i", "p_f", "p_o"), (H,)
    )
    inputs = {}
    for param in param_names(L, D == 2, True, tuple(cell.own)):
        shape = (GH, width if "_l" in param else I) if param.startswith("W_xh") else shapes[param[:4].rstrip("_")]
        inputs[param] = quarters(*shape)
    widths = {state: P if state == "h" else H for state in cell.states}
    over_time, batch = {"TB": (T, B), "BT": (B, T), "T": (T,)}[axes], () if axes == "T" else (B,)
    inputs["x"] = quarters(*over_time, I)
    if options.get("attention"):
        inputs["attention"] = quarters(*over_time)
    inputs |= {f"{state}_0": quarters(L * D, *batch, widths[state]) for state in cell.states}
    cotangents = {"dy": quarters(*over_time, width)}
    cotangents |= {f"d{state}_n": quarters(L * D, *batch, widths[state]) for state in cell.states}
    given = {
        "masks": [quarters(T, B, width) for _ in range(L - 1)] if "d" in masked else [],
        "recurrent": quarters(L * D, T, B, P) if "r" in masked else None,
        "zoneout": [quarters(L * D, T, B, widths[state]) for state in cell.states] if "z" in masked else [],
        "lengths": lengths,
        "merge": merge,
        "axes": axes,
    }
    return Problem(name, options, inputs, given, cotangents, truncate, cell.states)


OPTIONS: dict[str, list[Arrays]] = {
    "rnn_tanh": [{}],
    "lstm": [
        {},
        {"peephole": True},
        {"coupled": True},
        {"coupled": True, "peephole": True},
        {"forget_bias": 1.0},
        {"projection": True},
        {"projection": True, "peephole": True, "forget_bias": 0.5},
        {"projection": True, "coupled": True, "peephole": True},
    ],
    "gru": [{}, {"attention": True}],
    "gru_reset_before": [{}, {"attention": True}],
}


@st.composite
def problems(draw_from: Any, name: str) -> Problem:
    def one_of(*values: Any) -> Any:
        return draw_from(st.sampled_from(values))

    options: Arrays = one_of(*OPTIONS[name])
    masked = "".join(letter for letter in "drz" if one_of(False, True))
    T, B, axes, seed = one_of(3, 2, 1), one_of(2, 1, 3), one_of("TB", "BT", "T"), draw_from(st.integers(0, 2**32 - 1))
    k1 = draw_from(st.integers(1, T))
    k2 = draw_from(st.integers(k1, T + 1))
    truncate = one_of(None, (k1, k2))
    B, axes = (1, axes) if axes == "T" else (B, axes if truncate is None else "TB")
    axes = axes if truncate is None else "TB"
    return draw(
        name,
        options,
        L=one_of(1, 2),
        D=1 if truncate else one_of(1, 2),
        T=T,
        B=B,
        P=one_of(1, 2),
        merge=one_of("concat", "sum"),
        axes=axes,
        lengths=None if axes == "T" else one_of(None, np.random.default_rng(seed).integers(0, T + 1, B).tolist()),
        masked=masked,
        truncate=truncate,
        seed=seed,
    )


@pytest.mark.parametrize("name", OPTIONS)
@several
@given(data=st.data())
def test_gradients_are_those_of_the_forward_pass(
    name: str, data: st.DataObject, balls: Lift, stepped: Any, slope: Lift, assert_same: Callable[..., None]
) -> None:
    check(data.draw(problems(name)), balls, stepped, slope, assert_same)


def check(
    problem: Problem,
    balls: Lift,
    stepped: Any,
    slope: Lift,
    assert_same: Callable[..., None],
    network: Any = manual_rnn,
) -> None:
    """Check the backward pass against the forward pass, along a direction that moves every input."""
    lifted = problem.map(balls)
    rng = np.random.default_rng(3)
    along = {name: rng.integers(-8, 9, array.shape) / 8 for name, array in problem.inputs.items()}
    moved = {name: stepped(array, along[name]) for name, array in problem.inputs.items()}
    wanted = slope(Problem(**{**vars(lifted), "inputs": moved}).phi(network))
    gradients = lifted.gradients(network)
    assert set(gradients) == {f"d{name}" for name in problem.inputs}
    for name, array in problem.inputs.items():
        assert gradients[f"d{name}"].shape == array.shape, name
    got = sum(np.sum(gradients[f"d{name}"] * balls(v)) for name, v in along.items())
    assert_same([got], [wanted])


def fractions(array: Any) -> Any:
    return np.array([Fraction(float(number)) for number in array.ravel()] + [None], object)[:-1].reshape(array.shape)


@several
@given(seed=st.integers(0, 2**32 - 1), L=st.integers(1, 2), zoned=st.booleans())
def test_the_slope_of_a_clip_is_that_of_the_forward_pass(seed: int, L: int, zoned: bool) -> None:
    """The limit has a denominator that no pre-activation has, so none lies on an edge but that of relu."""
    problem = draw("rnn_relu", {"clip": Fraction(3, 7)}, L=L, masked="z" if zoned else "", seed=seed).map(fractions)
    gradients, nudge = problem.gradients(), Fraction(1, 10**30)
    for name, array in problem.inputs.items():
        index = tuple(np.random.default_rng(seed).integers(0, array.shape))
        ends = []
        for sign in (1, -1):
            moved = array.copy()
            moved[index] += sign * nudge
            ends.append(Problem(**{**vars(problem), "inputs": problem.inputs | {name: moved}}).phi())
        slopes = {(ends[0] - problem.phi()) / nudge, (problem.phi() - ends[1]) / nudge}
        if len(slopes) == 1:  # else a kink of relu is here
            assert gradients[f"d{name}"][index] in slopes, name


def test_the_clip_is_reached() -> None:
    outputs = draw("rnn_relu", {"clip": Fraction(3, 7)}, L=1).map(fractions).forward().y.ravel().tolist()
    assert Fraction(3, 7) in outputs
    assert max(outputs) == Fraction(3, 7)


@pytest.mark.parametrize("cell", CELLS)
def test_a_clip_beyond_all_numbers_changes_none(cell: str) -> None:
    wide, none = (
        draw(cell, options, seed=4).map(fractions if cell == "rnn_relu" else np.array)
        for options in ({"clip": 1e3}, {})
    )
    plain, clipped = none.gradients(), wide.gradients()
    assert np.array_equal(none.forward().y, wide.forward().y)
    assert all(np.array_equal(clipped[name], gradient) for name, gradient in plain.items())


@pytest.mark.parametrize("cell", ["lstm", "gru", "gru_reset_before", "rnn_tanh"])
def test_what_is_clipped_everywhere_is_constant(cell: str) -> None:
    problem = draw(cell, {"clip": 2.0**-8}, L=1, seed=4)
    biases = {name: np.full_like(array, 8.0) for name, array in problem.inputs.items() if name.startswith("b")}
    problem = Problem(**{**vars(problem), "inputs": problem.inputs | biases})
    gradients = problem.gradients()
    for name in ("dW_xh", "dW_hh", "db_xh", "db_hh", "dx"):
        assert not gradients[name].any()
    if cell != "rnn_tanh":  # h_prev and c_prev still enter by themselves
        assert any(gradients[f"d{state}_0"].any() for state in problem.states)


@pytest.mark.parametrize("cell", ["rnn_tanh", "lstm", "gru", "gru_reset_before"])
@pytest.mark.parametrize("k", [(3, 3), (3, 9), (1, 3), (2, 4)])
def test_what_may_go_back_all_the_way_is_not_truncated(
    cell: str, k: tuple[int, int], balls: Lift, assert_same: Callable[..., None]
) -> None:
    full = draw(cell, {}, lengths=[3, 1], masked="drz", seed=2).map(balls)
    cut = Problem(**{**vars(full), "truncate": k}).gradients()
    for name, gradient in full.gradients().items():
        assert_same(cut[name].ravel(), gradient.ravel(), name)


def test_chunks_that_hand_their_gradient_on_are_the_whole(balls: Lift, assert_same: Callable[..., None]) -> None:
    whole = draw("lstm", {"peephole": True}, T=4, lengths=[4, 3], masked="drz", seed=5).map(balls)
    first = whole._window(manual_rnn, 0, 1, {})
    states = {f"{state}_0": getattr(first, f"{state}_n") for state in whole.states}
    second = whole._window(manual_rnn, 1, 4, states)
    late = manual_rnn.backward(second, whole.cotangents["dy"][1:], whole.cotangents["dh_n"], whole.cotangents["dc_n"])
    early = manual_rnn.backward(first, whole.cotangents["dy"][:1], late["dh_0"], late["dc_0"])
    for name, gradient in whole.gradients().items():
        if name == "dx":
            parts = np.concatenate([early[name], late[name]])
        else:
            parts = early[name] if name in ("dh_0", "dc_0") else early[name] + late[name]
        assert_same(parts.ravel(), gradient.ravel(), name)


def test_backward_twice_is_the_same_twice_and_reads_only() -> None:
    problem = draw("lstm", {"projection": True, "peephole": True}, D=2, lengths=[2, 3], masked="drz", seed=6)
    before = {name: array.tobytes() for name, array in (problem.inputs | problem.cotangents).items()}
    run = problem.forward()
    y = run.y.tobytes()
    one, two = (manual_rnn.backward(run, **problem.cotangents) for _ in range(2))
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert run.y.tobytes() == y
    assert before == {name: array.tobytes() for name, array in (problem.inputs | problem.cotangents).items()}


def test_nothing_in_the_padding_is_read() -> None:
    problem = draw("gru", {"attention": True}, T=4, lengths=[2, 4], masked="drz", seed=7)
    wanted, y = problem.gradients(), problem.forward().y
    given = problem.given | {"masks": [_spoiled(mask, 0) for mask in problem.given["masks"]]}
    given["recurrent"] = _spoiled(given["recurrent"], 1)
    given["zoneout"] = [_spoiled(d, 1) for d in given["zoneout"]]
    inputs = problem.inputs | {name: _spoiled(problem.inputs[name], 0) for name in ("x", "attention")}
    cotangents = problem.cotangents | {"dy": _spoiled(problem.cotangents["dy"], 0)}
    spoiled = Problem(**{**vars(problem), "inputs": inputs, "given": given, "cotangents": cotangents})
    assert np.array_equal(spoiled.forward().y, y)
    assert all(np.array_equal(gradient, wanted[name]) for name, gradient in spoiled.gradients().items())
    assert not wanted["dx"][2:, 0].any()
    assert not wanted["dattention"][2:, 0].any()


def _spoiled(array: Any, time: int) -> Any:
    """Return an array with NaN in the padding of its first sequence, which has two steps."""
    array = array.copy()
    array[(slice(None),) * time + (slice(2, None), 0)] = np.nan
    return array


@pytest.mark.parametrize(
    ("name", "options", "argument"),
    [
        ("rnn", {}, "cell"),
        ("gru", {"peephole": True}, "peephole"),
        ("gru", {"coupled": True}, "coupled"),
        ("rnn_tanh", {"projection": True}, "projection"),
        ("gru", {"forget_bias": 1}, "forget_bias"),
        ("lstm", {"coupled": True, "forget_bias": 1}, "forget_bias"),
        ("lstm", {"attention": True}, "attention"),
        ("lstm", {"clip": 0}, "clip"),
        ("lstm", {"clip": float("nan")}, "clip"),
    ],
)
def test_a_cell_refuses(name: str, options: Arrays, argument: str) -> None:
    with pytest.raises(ArgumentError) as error:
        manual_rnn.cell(name, **options)
    assert error.value.argument == argument


@pytest.mark.parametrize(
    ("changed", "argument"),
    [
        ({"merge": "mean"}, "merge"),
        ({"axes": "TBI"}, "axes"),
        ({"axes": "T"}, "x"),
        ({"recurrent": np.ones((1, 3, 2, 2))}, "recurrent"),
        ({"zoneout": [np.ones((2, 3, 2, 2))]}, "zoneout"),
        ({"zoneout": 1.0}, "zoneout"),
        ({"zoneout": [np.ones((2, 3, 2, 2)), np.full((2, 3, 2, 2), np.nan)]}, "zoneout[1]"),
        ({"masks": [np.ones((3, 2, 1))]}, "masks[0]"),
    ],
)
def test_forward_refuses(changed: Arrays, argument: str) -> None:
    problem = draw("lstm", {})
    with pytest.raises(ArgumentError) as error:
        problem.forward(**changed)
    assert error.value.argument == argument


def test_attention_is_for_a_cell_that_takes_it() -> None:
    problem = draw("gru", {"attention": True})
    plain = Problem(**{**vars(problem), "options": {}})
    with pytest.raises(ArgumentError, match=r"^attention: got an array, wanted None: the cell takes none$"):
        plain.forward()
    without = {name: array for name, array in problem.inputs.items() if name != "attention"}
    none = Problem(**{**vars(problem), "inputs": without})
    assert np.array_equal(none.forward().y, Problem(**{**vars(plain), "inputs": without}).forward().y)
    assert "dattention" not in none.gradients()


@pytest.mark.parametrize("truncate", [(2, 1), (0, 1), 3, (1, 2, 3), (1.0, 2)])
def test_backward_refuses_a_truncation(truncate: Any) -> None:
    problem = draw("gru", {})
    with pytest.raises(ArgumentError, match=r"^truncate: got .*, wanted None, or two integers"):
        manual_rnn.backward(problem.forward(), truncate=truncate)


def test_two_directions_are_not_truncated() -> None:
    with pytest.raises(ArgumentError, match=r"^truncate: got \(1, 1\), wanted None: there are two directions$"):
        manual_rnn.backward(draw("gru", {}, D=2).forward(), truncate=(1, 1))


def test_masks_are_drawn_at_their_rate() -> None:
    shape, like = (3, 40, 5, 16), np.zeros(0, np.float32)
    mask = masks.dropout_mask(0.3, shape, np.random.default_rng(1), like)
    assert mask.dtype == np.float32
    assert set(np.unique(mask)) == {np.float32(0), np.float32(1 / 0.7)}
    zone = masks.zoneout_mask(0.7, shape, np.random.default_rng(2), like)
    assert set(np.unique(zone)) == {0, 1}
    for dropped, rate in ((mask == 0, 0.3), (zone == 1, 0.7)):
        deviation = np.sqrt(rate * (1 - rate) / dropped.size)
        assert abs(np.mean(dropped) - rate) < 5 * deviation
    assert not np.array_equal(mask[:, 0], mask[:, 1])
    assert np.array_equal(mask, masks.dropout_mask(0.3, shape, np.random.default_rng(1), like))
    variational = masks.dropout_mask(0.3, shape, np.random.default_rng(1), like, over_time=False)
    assert all(np.array_equal(variational[:, t], variational[:, 0]) for t in range(40))
    assert not np.array_equal(variational[0], variational[1])
    evaluated = masks.zoneout_mask(0.7, shape, np.random.default_rng(2), like, training=False)
    assert set(np.unique(evaluated)) == {np.float32(0.7)}


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_a_rate_is_a_probability(rate: float) -> None:
    with pytest.raises(ArgumentError, match=r"^rate: got"):
        masks.dropout_mask(rate, (1, 1, 1), np.random.default_rng(0), np.zeros(0))
    if rate != 1:
        with pytest.raises(ArgumentError, match=r"^rate: got"):
            masks.zoneout_mask(rate, (1, 1, 1), np.random.default_rng(0), np.zeros(0))
