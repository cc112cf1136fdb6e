"""Layers, directions, lengths and masks, against the equations as scalar loops over one sequence at a time.

The loops (`definition`) know nothing of batches, sorting or time-major arrays, and differentiate themselves: a `Number`
remembers what it was made of. With relu all is exact in fractions, and must be equal; with the smooth cells it is done
in balls of 1000 bits, which must overlap.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import acb, arb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import manual_rnn
from manual_rnn import CELLS, ArgumentError, param_names

Arrays = dict[str, Any]
Lift = Callable[[Any], Any]
SMOOTH = [cell for cell in CELLS if cell != "rnn_relu"]


# --- the definition --------------------------------------------------------------------------------------------------


class Number:
    """A number that remembers its operands, and its derivative by each."""

    count = itertools.count()

    def __init__(self, value: Any, *parents: tuple[Number, Any]) -> None:
        self.value, self.parents, self.grad, self.order = value, parents, 0 * value, next(self.count)

    def __add__(self, other: Number) -> Number:
        return Number(self.value + other.value, (self, 1), (other, 1))

    def __sub__(self, other: Number) -> Number:
        return Number(self.value - other.value, (self, 1), (other, -1))

    def __mul__(self, other: Number) -> Number:
        return Number(self.value * other.value, (self, other.value), (other, self.value))


def relu(a: Number) -> Number:
    return Number(a.value, (a, 1)) if a.value > 0 else Number(0 * a.value)


def tanh(a: Number) -> Number:
    t = a.value.tanh()
    return Number(t, (a, 1 - t * t))


def sigmoid(a: Number) -> Number:
    s = 1 / (1 + (-a.value).exp())
    return Number(s, (a, s * (1 - s)))


def differentiate(seeds: list[tuple[Number, Any]]) -> None:
    """Set the gradients of sum(number * seed) in all numbers that these were made of."""
    reached: dict[int, Number] = {}
    waiting = [number for number, _ in seeds]
    while waiting:
        number = waiting.pop()
        if number.order not in reached:
            reached[number.order] = number
            waiting.extend(parent for parent, _ in number.parents)
    for number, seed in seeds:
        number.grad = number.grad + seed
    for order in sorted(reached, reverse=True):
        for parent, derivative in reached[order].parents:
            parent.grad = parent.grad + reached[order].grad * derivative


def step(cell: str, p: dict[str, Any], x: list[Number], h: list[Number], c: list[Number]) -> tuple[Any, Any]:
    """Return the next states; `p` holds W_xh, W_hh, b_xh, b_hh, the biases perhaps as None."""
    H = len(h)

    def share(W: Any, b: Any, vector: list[Number], row: int) -> Number:
        terms = [W[row][k] * v for k, v in enumerate(vector)] + ([] if b is None else [b[row]])
        total: Number = sum(terms[1:], start=terms[0])
        return total

    def of_x(gate: int, j: int) -> Number:
        return share(p["W_xh"], p["b_xh"], x, gate * H + j)

    def of_h(gate: int, j: int, vector: list[Number]) -> Number:
        return share(p["W_hh"], p["b_hh"], vector, gate * H + j)

    units = range(H)
    if cell in ("rnn_tanh", "rnn_relu"):
        f = tanh if cell == "rnn_tanh" else relu
        return [f(of_x(0, j) + of_h(0, j, h)) for j in units], c
    if cell == "lstm":
        i, f_, g, o = ([of_x(k, j) + of_h(k, j, h) for j in units] for k in range(4))
        c = [sigmoid(f_[j]) * c[j] + sigmoid(i[j]) * tanh(g[j]) for j in units]
        return [sigmoid(o[j]) * tanh(c[j]) for j in units], c
    r, z = ([sigmoid(of_x(k, j) + of_h(k, j, h)) for j in units] for k in range(2))
    if cell == "gru":
        n = [tanh(of_x(2, j) + r[j] * of_h(2, j, h)) for j in units]
    else:
        n = [tanh(of_x(2, j) + of_h(2, j, [r[k] * h[k] for k in units])) for j in units]
    return [n[j] + z[j] * (h[j] - n[j]) for j in units], c


def definition(problem: Problem) -> Arrays:
    """Return every output and every gradient of a problem, as lists in arrays of objects."""
    numbers = {name: np.vectorize(Number, [object])(array) for name, array in problem.inputs.items()}
    L, D = problem.L, problem.D
    T, B, _ = numbers["x"].shape
    H = problem.inputs["W_hh"].shape[1]
    zero = 0 * problem.inputs["x"].flat[0]
    outputs = {"y": np.full((T, B, D * H), Number(zero), object)}
    outputs |= {f"{s}_n": np.empty((L * D, B, H), object) for s in CELLS[problem.cell].states}
    for b, length in enumerate([T] * B if problem.lengths is None else problem.lengths):
        sequence = [list(numbers["x"][t, b]) for t in range(length)]
        for layer in range(L):
            found = []
            for d in range(D):
                suffix = (f"_l{layer}" if layer else "") + ("_reverse" if d else "")
                p = {n: numbers.get(n + suffix) for n in ("W_xh", "W_hh", "b_xh", "b_hh")}
                h = list(numbers["h_0"][layer * D + d, b])
                c = list(numbers["c_0"][layer * D + d, b]) if "c_0" in numbers else []
                at: dict[int, list[Number]] = {}
                for t in reversed(range(length)) if d else range(length):
                    h, c = step(problem.cell, p, sequence[t], h, c)
                    at[t] = h
                found.append(at)
                for name, state in zip(CELLS[problem.cell].states, (h, c), strict=False):
                    outputs[f"{name}_n"][layer * D + d, b] = state
            sequence = [[number for at in found for number in at[t]] for t in range(length)]
            if problem.masks and layer < L - 1:
                mask = problem.masks[layer]
                sequence = [[v * Number(mask[t, b, k]) for k, v in enumerate(vs)] for t, vs in enumerate(sequence)]
        for t in range(length):
            outputs["y"][t, b] = sequence[t]
    differentiate(
        [(n, s) for name, d in problem.cotangents.items() for n, s in zip(outputs[name[1:]].flat, d.flat, strict=True)]
    )
    results = {name: [number.value for number in array.flat] for name, array in outputs.items()}
    return results | {f"d{name}": [number.grad for number in array.flat] for name, array in numbers.items()}


# --- problems --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """A network's inputs by name (parameters, x, h_0, c_0), and the cotangents of its outputs."""

    cell: str
    L: int
    D: int
    inputs: Arrays
    cotangents: Arrays
    lengths: Any
    masks: tuple[Any, ...]

    def forward(self, network: Any = manual_rnn) -> Any:
        others = {name: array for name, array in self.inputs.items() if name in ("x", "h_0", "c_0")}
        params = {name: array for name, array in self.inputs.items() if name not in others}
        return network.forward(self.cell, params, **others, lengths=self.lengths, masks=self.masks)

    def results(self, network: Any = manual_rnn) -> Arrays:
        """Return every output and every gradient."""
        run = self.forward(network)
        outputs: Arrays = {name[1:]: getattr(run, name[1:]) for name in self.cotangents}
        outputs |= network.backward(run, **self.cotangents)
        return outputs

    def phi(self) -> Any:
        run = self.forward()
        return sum(np.sum(getattr(run, name[1:]) * d) for name, d in self.cotangents.items())

    def map(self, f: Lift) -> Problem:
        """Return the problem with `f` applied to every array."""
        inputs, cotangents = ({n: f(a) for n, a in arrays.items()} for arrays in (self.inputs, self.cotangents))
        return replace(self, inputs=inputs, cotangents=cotangents, masks=tuple(f(mask) for mask in self.masks))

    def of_sequences(self, chosen: Any) -> Problem:
        """Return the problem of some sequences of the batch, in that order."""
        per_sequence = ("x", "h_0", "c_0")
        return replace(
            self,
            inputs={n: a[:, chosen] if n in per_sequence else a for n, a in self.inputs.items()},
            cotangents={n: a[:, chosen] for n, a in self.cotangents.items()},
            lengths=None if self.lengths is None else [self.lengths[b] for b in chosen],
            masks=tuple(mask[:, chosen] for mask in self.masks),
        )


def draw(
    cell: str,
    L: int = 2,
    D: int = 2,
    T: int = 4,
    B: int = 3,
    I: int = 2,
    H: int = 2,
    bias: bool = True,
    lengths: Any = None,
    masked: bool = True,
    seed: int = 0,
) -> Problem:
    """Return a random problem in quarters: with relu, no product or sum of a few steps and layers of them rounds.

    Masks are of a dropout with p = 1/5, so 0 or 5/4.
    """
    rng = np.random.default_rng(seed)
    GH = CELLS[cell].num_gates * H

    def quarters(most: int, *shape: int) -> np.ndarray:
        numbers: np.ndarray = rng.integers(-most, most + 1, shape) / 4
        return numbers

    columns = {name: H if "hh" in name else D * H if "_l" in name else I for name in param_names(L, D == 2, bias)}
    params = {name: quarters(3, GH, *([K] if name[0] == "W" else [])) for name, K in columns.items()}
    states = CELLS[cell].states
    return Problem(
        cell,
        L,
        D,
        params | {"x": quarters(8, T, B, I)} | {f"{s}_0": quarters(4, L * D, B, H) for s in states},
        {"dy": quarters(8, T, B, D * H)} | {f"d{s}_n": quarters(8, L * D, B, H) for s in states},
        lengths,
        tuple(1.25 * rng.integers(0, 2, (T, B, D * H)) for _ in range(L - 1)) if masked else (),
    )


@st.composite
def problems(draw_from: Any, cell: str, L: int, D: int, T: int = 4) -> Problem:
    """Draw a problem; most have several sequences of unequal lengths, which come from the seed like all numbers."""

    def one_of(*values: Any) -> Any:
        return draw_from(st.sampled_from(values))

    steps, B, seed = one_of(T, T - 1, 2, 1), one_of(3, 4, 2, 1), draw_from(st.integers(0, 2**32 - 1))
    lengths = np.random.default_rng(seed).integers(0, steps + 1, B).tolist()
    return draw(
        cell,
        L=L,
        D=D,
        T=steps,
        B=B,
        I=one_of(1, 2, 3),
        H=one_of(2, 1),
        bias=one_of(True, False),
        lengths=one_of(lengths, lengths, None),
        masked=one_of(True, False),
        seed=seed,
    )


def fractions(array: Any) -> Any:
    return np.array([Fraction(float(number)) for number in array.ravel()] + [None], object)[:-1].reshape(array.shape)


def check_exactly(problem: Problem, network: Any = manual_rnn) -> None:
    """Check that the results of a problem with relu are those of the definition, in fractions and in float64."""
    lifted = problem.map(fractions)
    want, exact, computed = definition(lifted), lifted.results(network), problem.results(network)
    assert set(want) == set(exact) == set(computed)
    for name, numbers in want.items():
        assert exact[name].ravel().tolist() == numbers, name
        assert computed[name].ravel().tolist() == numbers, name
        assert exact[name].shape == computed[name].shape


stacks = pytest.mark.parametrize(("L", "D"), [(1, 1), (1, 2), (2, 1), (2, 2), (3, 2)])
several_examples = settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
OF_SHAPE = {"none": None, "unequal": [2, 4, 1], "ties": [3, 1, 3], "with 0": [0, 4, 2], "shorter": [1, 3, 2]}
shapes_of_lengths = pytest.mark.parametrize("lengths", OF_SHAPE.values(), ids=OF_SHAPE)


# --- values and gradients --------------------------------------------------------------------------------------------


@stacks
@given(data=st.data())
def test_relu_is_the_definition_exactly(L: int, D: int, data: st.DataObject) -> None:
    check_exactly(data.draw(problems("rnn_relu", L, D)))


@pytest.mark.parametrize("D", [1, 2])
@pytest.mark.parametrize("L", [1, 2, 3])
@shapes_of_lengths
def test_every_shape_of_lengths(lengths: Any, L: int, D: int) -> None:
    check_exactly(draw("rnn_relu", L, D, lengths=lengths))


@pytest.mark.parametrize("cell", SMOOTH)
@stacks
@several_examples
@given(data=st.data())
def test_smooth_cells_are_the_definition(
    cell: str, L: int, D: int, data: st.DataObject, balls: Lift, assert_same: Callable[..., None]
) -> None:
    check_in_balls(data.draw(problems(cell, L, D, T=3)).map(balls), assert_same)


def check_in_balls(lifted: Problem, assert_same: Callable[..., None], network: Any = manual_rnn) -> None:
    """Check that the results of a problem in balls are those of the definition."""
    got, want = lifted.results(network), definition(lifted)
    assert set(got) == set(want)
    for name, numbers in want.items():
        assert_same(got[name].ravel(), numbers, name)


@pytest.mark.parametrize("cell", SMOOTH)
@stacks
@several_examples
@given(data=st.data())
def test_gradients_are_those_of_the_forward_pass(
    cell: str,
    L: int,
    D: int,
    data: st.DataObject,
    balls: Lift,
    stepped: Any,
    slope: Lift,
    assert_same: Callable[..., None],
) -> None:
    """The complex step along a direction that moves every input: no formula of a derivative is in it."""
    problem = data.draw(problems(cell, L, D, T=3))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    along = {name: rng.integers(-8, 9, array.shape) / 8 for name, array in problem.inputs.items()}
    lifted = problem.map(balls)
    moved = replace(lifted, inputs={name: stepped(array, along[name]) for name, array in problem.inputs.items()})
    g = lifted.results()
    want = sum(arb(float(v)) * dv for n, d in along.items() for v, dv in zip(d.flat, g[f"d{n}"].flat, strict=True))
    assert_same(slope(moved.phi()), want)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_complex_backward_gives_symmetric_second_derivatives(
    cell: str, stepped: Any, balls: Lift, slope: Lift, assert_same: Callable[..., None]
) -> None:
    problem, v, w = (draw(cell, T=3, lengths=[1, 3, 2], seed=seed) for seed in range(3))
    lifted = problem.map(balls)

    def hessian(one: Arrays, other: Arrays) -> Any:
        """Return <one, Hess other>."""
        point = replace(lifted, inputs={n: stepped(array, other[n]) for n, array in problem.inputs.items()})
        pairs = [(g, one[n]) for n, g in ((n, point.results()[f"d{n}"]) for n in ("x", "h_0", "W_hh", "W_xh_l1"))]
        return sum(slope(acb(g)) * arb(float(k)) for a, b in pairs for g, k in zip(a.flat, b.flat, strict=True))

    only = {"x", "h_0", "W_hh", "W_xh_l1"}
    v_, w_ = ({n: a if n in only else 0 * a for n, a in p.inputs.items()} for p in (v, w))
    wHv = hessian(w_, v_)
    assert_same(wHv, hessian(v_, w_))
    assert not wHv.overlaps(hessian(w_, w_)), "any two would be the same"


@shapes_of_lengths
def test_complex_numbers_with_relu_are_exact(lengths: Any) -> None:
    problem = draw("rnn_relu", 3, 2, lengths=lengths)
    want, got = problem.results(), problem.map(lambda array: array.astype(complex)).results()
    for name, array in want.items():
        np.testing.assert_array_equal(got[name], array, name)
        assert got[name].dtype == complex


# --- lengths ---------------------------------------------------------------------------------------------------------


def assert_equal(one: Arrays, other: Arrays) -> None:
    """Check that results are the same to the bit."""
    assert set(one) == set(other)
    for name, array in one.items():
        assert array.dtype == other[name].dtype
        assert array.tobytes() == other[name].tobytes(), name


def with_padding(problem: Problem, filling: Any) -> Problem:
    """Return the problem with other numbers in the padding of x, dy and the masks."""

    def filled(array: Any) -> Any:
        result = array.copy()
        for b, length in enumerate(problem.lengths):
            result[length:, b] = filling
        return result

    return replace(
        problem,
        inputs=problem.inputs | {"x": filled(problem.inputs["x"])},
        cotangents=problem.cotangents | {"dy": filled(problem.cotangents["dy"])},
        masks=tuple(filled(mask) for mask in problem.masks),
    )


@pytest.mark.parametrize("filling", [np.nan, np.inf, -1.7e308, 3.0])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cell", CELLS)
def test_padding_is_not_read(cell: str, dtype: str, filling: float) -> None:
    check_padding(draw(cell, lengths=[2, 4, 0], T=5).map(lambda array: array.astype(dtype)), filling)


def check_padding(problem: Problem, filling: float, network: Any = manual_rnn) -> None:
    """Check that no bit depends on the padding, and that the results are 0 there."""
    with np.errstate(over="ignore"):  # where a filling is too large for float32
        other = with_padding(problem, filling)
    results = other.results(network)
    assert_equal(results, problem.results(network))
    for b, length in enumerate(problem.lengths):
        for name in ("y", "dx"):
            np.testing.assert_array_equal(results[name][length:, b], 0, name)
            assert np.any(results[name][:length, b] != 0) == (length > 0)


def test_padding_of_objects_may_be_anything() -> None:
    problem = draw("rnn_relu", lengths=[2, 4, 0], T=5).map(fractions)
    want, got = problem.results(), with_padding(problem, None).results()
    assert all(got[name].tolist() == array.tolist() for name, array in want.items())


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("cell", CELLS)
def test_all_of_full_length_is_no_lengths(cell: str, dtype: str) -> None:
    problem = draw(cell, L=3).map(lambda array: array.astype(dtype))
    assert_equal(replace(problem, lengths=(4, 4, 4)).results(), problem.results())


@stacks
@given(data=st.data())
def test_a_batch_may_come_in_any_order(L: int, D: int, data: st.DataObject) -> None:
    problem = data.draw(problems("rnn_relu", L, D))
    B = problem.inputs["x"].shape[1]
    order = data.draw(st.permutations(range(B)))
    want, got = problem.results(), problem.of_sequences(list(order)).results()
    for name, array in want.items():
        per_sequence = name in ("y", "h_n", "dx", "dh_0")
        np.testing.assert_array_equal(got[name], array[:, list(order)] if per_sequence else array, name)


@stacks
@given(data=st.data())
def test_a_batch_is_its_sequences(L: int, D: int, data: st.DataObject) -> None:
    """One by one and cut to their lengths, without any `lengths`; the gradients of parameters add up."""
    problem = data.draw(problems("rnn_relu", L, D))
    T, B, _ = problem.inputs["x"].shape
    whole = problem.results()
    lengths = [T] * B if problem.lengths is None else problem.lengths
    sums = {name: 0 * array for name, array in whole.items() if name[:2] in ("dW", "db")}
    for b, length in enumerate(lengths):
        if length == 0:
            np.testing.assert_array_equal(whole["h_n"][:, b], problem.inputs["h_0"][:, b])
            np.testing.assert_array_equal(whole["dh_0"][:, b], problem.cotangents["dh_n"][:, b])
            np.testing.assert_array_equal(whole["y"][:, b], 0)
            continue
        one = replace(problem.of_sequences([b]), lengths=None)
        one = replace(
            one,
            inputs=one.inputs | {"x": one.inputs["x"][:length]},
            cotangents=one.cotangents | {"dy": one.cotangents["dy"][:length]},
            masks=tuple(mask[:length] for mask in one.masks),
        )
        for name, array in one.results().items():
            if name in sums:
                sums[name] += array
            elif name in ("y", "dx"):
                np.testing.assert_array_equal(whole[name][:length, b], array[:, 0], name)
            else:
                np.testing.assert_array_equal(whole[name][:, b], array[:, 0], name)
    for name, array in sums.items():
        np.testing.assert_array_equal(whole[name], array, name)


@pytest.mark.parametrize("lengths", [[0, 0, 0], np.array([2, 0, 4], np.uint8), (1, 1, 1)])
def test_lengths_of_any_kind(lengths: Any) -> None:
    check_exactly(draw("rnn_relu", lengths=lengths))


# --- layers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lengths", [None, [2, 4, 0]])
@pytest.mark.parametrize("D", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_a_stack_is_its_layers_one_after_the_other(cell: str, D: int, lengths: Any) -> None:
    """To the bit: the same operations on the same numbers."""
    problem = draw(cell, L=3, D=D, lengths=lengths)
    whole = problem.results()
    states = CELLS[cell].states
    layers, x = [], problem.inputs["x"]
    for layer in range(3):
        names = param_names(3, D == 2, bias=True)[layer * 4 * D : (layer + 1) * 4 * D]
        params = {name.replace(f"_l{layer}", ""): problem.inputs[name] for name in names}
        own = slice(layer * D, (layer + 1) * D)
        initial = {f"{s}_0": problem.inputs[f"{s}_0"][own] for s in states}
        run = manual_rnn.forward(cell, params, x, **initial, lengths=lengths)
        for s in states:
            np.testing.assert_array_equal(getattr(run, f"{s}_n"), whole[f"{s}_n"][own])
        layers.append((run, dict(zip(params, names, strict=True)), own))
        x = run.y * problem.masks[layer] if layer < 2 else run.y
    np.testing.assert_array_equal(x, whole["y"])
    dy = problem.cotangents["dy"]
    for layer, (run, names_of, own) in reversed(list(enumerate(layers))):
        g = manual_rnn.backward(run, dy, **{f"d{s}_n": problem.cotangents[f"d{s}_n"][own] for s in states})
        for short, name in names_of.items():
            np.testing.assert_array_equal(g[f"d{short}"], whole[f"d{name}"], name)
        for s in states:
            np.testing.assert_array_equal(g[f"d{s}_0"], whole[f"d{s}_0"][own])
        dy = g["dx"] * problem.masks[layer - 1] if layer else g["dx"]
    np.testing.assert_array_equal(dy, whole["dx"])


@pytest.mark.parametrize("cell", CELLS)
def test_backward_only_reads(cell: str) -> None:
    """Twice on one forward pass, and on two forward passes in reverse order; no argument changes."""
    one, other = draw(cell, L=3, lengths=[2, 4, 1]), draw(cell, lengths=[1, 0, 4], seed=1)
    arguments = [a for p in (one, other) for a in (*p.inputs.values(), *p.cotangents.values(), *p.masks)]
    before = [array.tobytes() for array in arguments]
    runs = [problem.forward() for problem in (one, other)]
    last = manual_rnn.backward(runs[1], **other.cotangents)
    first = manual_rnn.backward(runs[0], **one.cotangents)
    again = manual_rnn.backward(runs[0], **one.cotangents)
    assert_equal(first, again)
    for problem, gradients in ((one, first), (other, last)):
        alone = problem.results()
        assert_equal(gradients, {name: alone[name] for name in gradients})
    assert [array.tobytes() for array in arguments] == before
    assert not any(np.shares_memory(a, b) for a in first.values() for b in [*again.values(), *arguments])


@pytest.mark.parametrize("cell", CELLS)
def test_what_is_left_out_is_zero(cell: str) -> None:
    problem = draw(cell, bias=False, lengths=[2, 4, 1])
    zero = {f"{s}_0": np.zeros((4, 3, 2)) for s in CELLS[cell].states}
    biases = {name: np.zeros(CELLS[cell].num_gates * 2) for name in param_names(2, True, True) if name[0] == "b"}
    short = replace(problem, inputs={n: a for n, a in problem.inputs.items() if not n.endswith("_0")}).forward()
    spelt_out = replace(problem, inputs=problem.inputs | zero | biases).forward()
    np.testing.assert_array_equal(short.y, spelt_out.y)
    assert set(manual_rnn.backward(spelt_out)) - set(manual_rnn.backward(short)) == {f"d{name}" for name in biases}
    for name in problem.cotangents:
        nothing = {n: d if n == name else 0 * d for n, d in problem.cotangents.items()}
        assert_equal(
            {n: a + 0 for n, a in manual_rnn.backward(short, **{name: problem.cotangents[name]}).items()},
            {n: a + 0 for n, a in manual_rnn.backward(short, **nothing).items()},  # + 0: a zero's sign says nothing
        )


# --- names and arguments ---------------------------------------------------------------------------------------------


def test_param_names() -> None:
    assert param_names(1, bidirectional=False, bias=True) == ("W_xh", "W_hh", "b_xh", "b_hh")
    assert param_names(2, bidirectional=True, bias=False) == (
        *("W_xh", "W_hh", "W_xh_reverse", "W_hh_reverse"),
        *("W_xh_l1", "W_hh_l1", "W_xh_l1_reverse", "W_hh_l1_reverse"),
    )
    assert param_names(11, bidirectional=False, bias=True)[-1] == "b_hh_l10"
    for bad in (0, -1, 2.0, "1"):
        with pytest.raises(ArgumentError) as error:
            param_names(bad, bidirectional=False, bias=True)  # type: ignore[arg-type]
        assert (error.value.argument, error.value.got) == ("num_layers", repr(bad))


def test_names_may_come_in_any_order() -> None:
    problem = draw("lstm")
    backwards = replace(problem, inputs=dict(reversed(problem.inputs.items())))
    assert_equal(backwards.results(), problem.results())


@pytest.mark.parametrize(
    ("without", "more", "got"),
    [
        (("W_hh_l1",), (), "no W_hh_l1"),
        (("W_xh_reverse",), (), "no W_xh_reverse"),
        (("b_hh_l1_reverse",), (), "no b_hh_l1_reverse"),
        (("b_xh", "b_hh"), (), "no b_xh"),
        (("W_xh_l1_reverse", "W_hh_l1_reverse", "b_xh_l1_reverse", "b_hh_l1_reverse"), (), "no W_xh_l1_reverse"),
        ((), ("W_xh_l3",), "no W_xh_l2"),
        ((), ("W_xh_l99999999999",), "no W_xh_l2"),
        ((), ("W_xh_l0",), "W_xh_l0"),
        ((), ("W_xh_l01",), "W_xh_l01"),
        ((), ("W_xh_reverse_l1",), "W_xh_reverse_l1"),
        ((), ("b_h", "W_hy"), "W_hy, b_h"),
    ],
)
def test_names_that_do_not_fit(without: tuple[str, ...], more: tuple[str, ...], got: str) -> None:
    problem = draw("rnn_tanh")
    inputs = {n: a for n, a in problem.inputs.items() if n not in without} | dict.fromkeys(more, np.ones((2, 4)))
    with pytest.raises(ArgumentError) as error:
        replace(problem, inputs=inputs).forward()
    assert (error.value.argument, error.value.got) == ("params", got)


@pytest.mark.parametrize(
    ("change", "argument", "got", "wanted"),
    [
        ({"lengths": [1, 2]}, "lengths", "shape (2,)", "3 whole numbers from 0 to 4"),
        ({"lengths": 2}, "lengths", "shape ()", "3 whole numbers"),
        ({"lengths": [1, 2, 5]}, "lengths", "[1, 2, 5]", "from 0 to 4"),
        ({"lengths": [1, -1, 2]}, "lengths", "[1, -1, 2]", "from 0 to 4"),
        ({"lengths": [1.0, 2.0, 3.0]}, "lengths", "dtype float64", "whole numbers"),
        ({"lengths": [True, True, False]}, "lengths", "dtype bool", "whole numbers"),
        ({"lengths": [[1], [2, 3], []]}, "lengths", "[[1], [2, 3], []]", "whole numbers"),
        ({"masks": (np.ones((4, 3, 4)),) * 2}, "masks", "2 arrays", "1 arrays, one between each two layers, or ()"),
        ({"masks": None}, "masks", "NoneType", "1 arrays, one between"),
        ({"masks": (np.ones((4, 3, 2)),)}, "masks[0]", "shape (4, 3, 2)", "shape (4, 3, 4)"),
        ({"masks": (np.ones((4, 3, 4), bool),)}, "masks[0]", "dtype bool", "floating-point"),
        ({"masks": (np.full((4, 3, 4), np.nan),)}, "masks[0]", "non-finite", "finite"),
        ({"h_0": np.ones((2, 3, 2))}, "h_0", "shape (2, 3, 2)", "shape (4, 3, 2)"),
        ({"x": np.full((4, 3, 2), np.nan)}, "x", "non-finite", "finite"),
        ({"x": np.full((4, 3, 2), np.nan), "lengths": [0, 1, 0]}, "x", "non-finite", "finite"),
        ({"W_xh_l1": np.ones((2, 2))}, "W_xh_l1", "shape (2, 2)", "shape (2, 4)"),
        ({"W_xh_reverse": np.ones((2, 4))}, "W_xh_reverse", "shape (2, 4)", "shape (2, 2)"),
        ({"b_hh_l1_reverse": np.ones(3)}, "b_hh_l1_reverse", "shape (3,)", "shape (2,)"),
        ({"W_hh_l1": np.ones((2, 2), np.float32)}, "W_hh_l1", "dtype float32", "dtype float64"),
    ],
)
def test_forward_refuses(change: Arrays, argument: str, got: str, wanted: str) -> None:
    problem = draw("rnn_tanh")
    options = {name: change[name] for name in ("lengths", "masks") if name in change}
    inputs = problem.inputs | {name: array for name, array in change.items() if name not in options}
    with pytest.raises(ArgumentError) as error:
        replace(problem, inputs=inputs, **options).forward()
    assert error.value.argument == argument
    assert got in error.value.got
    assert wanted in error.value.wanted


def test_backward_refuses() -> None:
    run = draw("rnn_tanh", lengths=[1, 4, 2]).forward()
    bad = np.ones((4, 3, 4))
    bad[3, 1] = np.nan  # a step of the second sequence
    wrong: list[tuple[Arrays, str]] = [
        ({"dy": bad}, "non-finite values"),
        ({"dh_n": np.ones((1, 3, 2))}, "shape (1, 3, 2)"),
    ]
    for cotangent, got in wrong:
        with pytest.raises(ArgumentError) as error:
            manual_rnn.backward(run, **cotangent)
        assert (error.value.argument, error.value.got) == (next(iter(cotangent)), got)
