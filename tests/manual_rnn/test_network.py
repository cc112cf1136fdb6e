"""Every gradient of every cell against complex-step differentiation of the package's own forward pass.

Of the formulas it is proven: in balls (in exact dyadic numbers for relu) the two have to be equal. What float64 makes
of the formulas may be off by rounding, `relative_error`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import arb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from manual_rnn import CELLS, ArgumentError, Forward, backward, forward, unroll
from manual_rnn.cells.cell import Tape, Weights

Arrays = dict[str, Any]
Lift = Callable[[Any], Any]
ComplexStep = Callable[[Callable[[Arrays], Any], Arrays], Arrays]
SMOOTH = [cell for cell in CELLS if cell != "rnn_relu"]
PARAMS = ("W_xh", "W_hh", "b_xh", "b_hh")


@dataclass(frozen=True)
class Problem:
    """A layer, its inputs (parameters, x, h_0, c_0) and the cotangents dy, dh_n, dc_n of its outputs."""

    cell: str
    inputs: Arrays
    cotangents: Arrays

    def run(self, inputs: Arrays) -> Forward:
        params = {name: array for name, array in inputs.items() if name in PARAMS}
        others = {name: array for name, array in inputs.items() if name not in PARAMS}
        return forward(self.cell, params, **others)

    def phi(self, inputs: Arrays) -> Any:
        """Return <y, dy> + <h_n, dh_n> + <c_n, dc_n>, whose gradient `backward` returns."""
        run = self.run(inputs)
        return sum(np.sum(getattr(run, name[1:]) * d) for name, d in self.cotangents.items())

    def gradients(self) -> Arrays:
        return backward(self.run(self.inputs), **self.cotangents)

    def map(self, f: Lift) -> Problem:
        """Return the problem with `f` applied to every array."""
        inputs, cotangents = ({n: f(array) for n, array in arrays.items()} for arrays in (self.inputs, self.cotangents))
        return Problem(self.cell, inputs, cotangents)


def draw(cell: str, T: int, B: int, I: int, H: int, bias: bool = True, seed: int = 0) -> Problem:
    """Return a random problem: parameters within 1/4, all else within 1, as the bound below supposes.

    Its numbers are odd multiples of 2^-10: none is 0, and with relu nothing rounds in three steps. The finest products
    there, of a cotangent, weights and a state, have four such factors, so they are multiples of 2^-40, and the sums of
    their magnitudes stay below 2^7.
    """
    rng = np.random.default_rng(seed)
    GH = CELLS[cell].num_gates * H
    states = CELLS[cell].states
    params = {"W_xh": (GH, I), "W_hh": (GH, H)} | ({"b_xh": (GH,), "b_hh": (GH,)} if bias else {})
    others = {"x": (T, B, I)} | {f"{state}_0": (1, B, H) for state in states}
    cotangents = {"dy": (T, B, H)} | {f"d{state}_n": (1, B, H) for state in states}

    def dyadic(most: int, shape: tuple[int, ...]) -> np.ndarray:
        numbers: np.ndarray = (2 * rng.integers(-most // 2, most // 2, shape) + 1) / 1024
        return numbers

    return Problem(
        cell,
        {name: dyadic(256, shape) for name, shape in params.items()}
        | {name: dyadic(1024, shape) for name, shape in others.items()},
        {name: dyadic(1024, shape) for name, shape in cotangents.items()},
    )


def relative_error(problem: Problem) -> float:
    """Return how far a gradient may be from the true one because of rounding, relative to the sum of absolute terms.

    A gradient is a sum over paths through the steps, each a product of a cotangent, weights, an input or state, and
    local factors. To first order a term is off by the roundings on its path, times u, and by the errors of its factors:

    - roundings a step, R: I + H + 2 in a pre-activation, G*H + 2 in dh_prev, T*B in the sum over steps, and at most 40
      in activations (6 u each, NumPy's are below 4) and elementwise operations, forward and backward;
    - each forward rounding is of a number of at most 4: a pre-activation's absolute terms add up to 3/4 + 3/4 of W x
      and W h, 1/2 of biases (with relu, where h grows up to 3.3, to 3.7 in all), and |c| < 3.5 in four steps, since
      sigmoid and tanh of at most 2 are below 0.89 and 0.97;
    - an error of a state grows by at most 1 + 3 v a step, v being the largest row sum of |W_hh|, 3/4 at most: the
      derivatives of sigmoid and tanh are at most 1/4 and 1, |c| < 3.5, |q| <= v + 1/4. So after T steps no
      state or activation is off by more than 4 R u T (1 + 3 v)^(T - 1);
    - a local factor is a product of three activations or states at most, so it moves by at most 3 times that; and a
      path has at most two of them a step (h to c, c to a gate), 2 T in all.

    The T R roundings on a path itself are little beside this; R counts them where the forward pass does not need them.
    """
    W_hh = problem.inputs["W_hh"]
    T, B, I = problem.inputs["x"].shape
    GH, H = W_hh.shape
    v = float(np.abs(W_hh).sum(axis=1).max())
    R = (I + H + 2) + (GH + 2) + T * B + 40
    return float(2 * T * 3 * 4 * R * T * (1 + 3 * v) ** (T - 1) * 2.0**-53)


def absolute_terms(problem: Problem) -> Arrays:
    """Return, for every gradient, the sum of the absolute values of all its terms.

    It is the backward pass itself with every number replaced by its absolute value. A factor or state below 1 counts as
    1, since 1 - h^2 and h_prev - n may be arbitrarily smaller than what they are the difference of.
    """
    run = problem.run(problem.inputs)
    (one,) = run.stack.passes

    def absolute(array: np.ndarray) -> np.ndarray:
        result: np.ndarray = np.maximum(np.abs(array), 1)
        return result

    def local(tape: Tape, da: np.ndarray) -> tuple[np.ndarray, ...]:
        assert len(tape.x) == len(one.tape.x), "more than one span of steps"
        factors = run.stack.cell.local(one.tape, da)
        da[...] = absolute(da)
        return tuple(factor if np.shares_memory(factor, da) else absolute(factor) for factor in factors)

    weights = Weights(*(np.abs(array) for array in one.weights[:-1]))
    of = one.tape
    states, proposed, saved = (tuple(map(absolute, arrays)) for arrays in (of.states, of.proposed, of.saved))
    tape = Tape(np.abs(of.x), of.gates, states, absolute(of.h_in), proposed, saved)
    stack = run.stack._replace(
        cell=replace(run.stack.cell, local=local), passes=[one._replace(weights=weights, tape=tape)]
    )
    return backward(run._replace(stack=stack), **{k: abs(v) for k, v in problem.cotangents.items()})


SIZE = st.integers(1, 3)
drawn = given(T=SIZE, B=SIZE, I=SIZE, H=SIZE, bias=st.booleans(), seed=st.integers(0, 2**32 - 1))
several_examples = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # they set the precision alone


@pytest.mark.parametrize("cell", SMOOTH)
@several_examples
@drawn
def test_every_gradient_is_that_of_the_forward_pass(
    cell: str,
    T: int,
    B: int,
    I: int,
    H: int,
    bias: bool,
    seed: int,
    balls: Lift,
    proven_step: ComplexStep,
    assert_same: Callable[..., None],
) -> None:
    problem = draw(cell, T, B, I, H, bias, seed)
    lifted = problem.map(balls)
    proven, computed = lifted.gradients(), problem.gradients()
    assert set(proven) == set(computed) == {f"d{name}" for name in problem.inputs}
    terms = absolute_terms(problem)
    for name, want in proven_step(lifted.phi, problem.inputs).items():
        assert_same(proven[f"d{name}"], want, name)
        bound = relative_error(problem) * terms[f"d{name}"]
        error = np.vectorize(float, [float])(balls(computed[f"d{name}"]) - want)
        assert np.all(np.abs(error) <= bound), name
        assert np.max(np.abs(computed[f"d{name}"])) > np.max(bound), "float64 could have left everything out"


@drawn
def test_every_gradient_with_relu_is_exact(
    T: int, B: int, I: int, H: int, bias: bool, seed: int, complex_step: ComplexStep
) -> None:
    problem = draw("rnn_relu", T, B, I, H, bias, seed)
    got = problem.gradients()
    assert set(got) == {f"d{name}" for name in problem.inputs}
    for name, want in complex_step(problem.phi, problem.inputs).items():
        np.testing.assert_array_equal(got[f"d{name}"], want, name)


@pytest.mark.parametrize(
    ("cell", "given_one"), [(cell, name) for cell in CELLS for name in draw(cell, 1, 1, 1, 1).cotangents]
)
def test_what_is_left_out_is_zero(cell: str, given_one: str) -> None:
    problem = draw(cell, T=3, B=2, I=2, H=3)
    run = problem.run(problem.inputs)
    alone = backward(run, **{given_one: problem.cotangents[given_one]})
    spelt_out = backward(
        run, **{name: array if name == given_one else 0 * array for name, array in problem.cotangents.items()}
    )
    for name, array in spelt_out.items():
        np.testing.assert_array_equal(alone[name], array, name)
    assert np.any(spelt_out["dx"] != 0)


@pytest.mark.parametrize("cell", CELLS)
def test_left_out_states_and_biases_are_zero(cell: str) -> None:
    problem = draw(cell, T=3, B=2, I=2, H=3, bias=False)
    zero = {f"{state}_0": np.zeros((1, 2, 3)) for state in CELLS[cell].states}
    biases = {name: np.zeros(len(problem.inputs["W_hh"])) for name in ("b_xh", "b_hh")}
    spelt_out = problem.run(problem.inputs | zero | biases)
    short = problem.run({name: array for name, array in problem.inputs.items() if not name.endswith("_0")})
    np.testing.assert_array_equal(short.y, spelt_out.y)
    assert set(backward(spelt_out)) - set(backward(short)) == {"db_xh", "db_hh"}


@pytest.mark.parametrize("cell", CELLS)
def test_final_states_are_the_last_ones(cell: str) -> None:
    run = (problem := draw(cell, T=3, B=2, I=2, H=3)).run(problem.inputs)
    np.testing.assert_array_equal(run.h_n, run.y[-1:])
    assert (run.c_n is None) == (cell != "lstm")


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("cell", CELLS)
def test_backward_twice_is_the_same_and_writes_to_nothing(cell: str, dtype: str) -> None:
    drawn = draw(cell, T=5, B=2, I=3, H=4)
    problem = Problem(
        cell,
        {name: array.astype(dtype) for name, array in drawn.inputs.items()},
        {name: array.astype(dtype) for name, array in drawn.cotangents.items()},
    )
    run = problem.run(problem.inputs)
    (one,) = run.stack.passes
    w, t = one.weights, one.tape
    read_only = [
        *problem.inputs.values(),
        *problem.cotangents.values(),
        *(w.W_xh, w.W_hh, w.b_xh, w.b_hh, w.W_hh_T, t.x, t.gates, *t.states, *t.saved),
    ]
    before = [array.tobytes() for array in read_only]
    first = backward(run, **problem.cotangents)
    kept = {name: array.copy() for name, array in first.items()}
    second = backward(run, **problem.cotangents)
    for name, array in kept.items():
        assert array.dtype == dtype
        assert array.tobytes() == first[name].tobytes() == second[name].tobytes(), name
        assert not any(np.shares_memory(first[name], other) for other in (*read_only, *second.values())), name
    assert [array.tobytes() for array in read_only] == before


@pytest.mark.parametrize("cell", CELLS)
def test_forward_leaves_its_arguments_alone(cell: str) -> None:
    problem = draw(cell, T=5, B=2, I=3, H=4)
    before = {name: array.tobytes() for name, array in problem.inputs.items()}
    problem.run(problem.inputs)
    assert {name: array.tobytes() for name, array in problem.inputs.items()} == before


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cell", CELLS)
def test_spans_of_steps_change_no_bit(cell: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = draw(cell, T=37, B=3, I=2, H=5)
    run = drawn.run({name: array.astype(dtype) for name, array in drawn.inputs.items()})
    cotangents = {name: array.astype(dtype) for name, array in drawn.cotangents.items()}
    whole = backward(run, **cotangents)
    for cached in (1, 3 * 3 * CELLS[cell].num_da * 5, 10 * 3 * CELLS[cell].num_da * 5 + 1):
        monkeypatch.setattr(unroll, "CACHED", cached)
        for name, array in backward(run, **cotangents).items():
            assert array.tobytes() == whole[name].tobytes(), (cached, name)


@pytest.mark.parametrize("cell", CELLS)
def test_any_layout_in_memory_will_do(cell: str) -> None:
    problem = draw(cell, T=4, B=3, I=2, H=3)
    strange = Problem(
        cell,
        {name: np.asfortranarray(array) for name, array in problem.inputs.items()},
        {name: np.repeat(array, 2, axis=-1)[..., ::2] for name, array in problem.cotangents.items()},
    )
    got, terms = strange.gradients(), absolute_terms(problem)
    for name, want in problem.gradients().items():  # a BLAS may sum in another order
        assert np.all(np.abs(got[name] - want) <= 2 * relative_error(problem) * terms[name]), name


@pytest.mark.parametrize("cell", SMOOTH)
def test_complex_backward_gives_symmetric_second_derivatives(
    cell: str, balls: Lift, stepped: Callable[[Any, Any], Any], slope: Lift, assert_same: Callable[..., None]
) -> None:
    """The complex step of the *gradient* along v is the Hessian times v; <w, Hess v> = <v, Hess w>."""
    problem, v, w = (draw(cell, T=3, B=2, I=2, H=3, seed=seed) for seed in range(3))

    def hessian(one: Arrays, other: Arrays) -> Any:
        """Return <one, Hess other>."""
        point = {name: stepped(array, other[name]) for name, array in problem.inputs.items()}
        gradients = backward(problem.run(point), **problem.map(balls).cotangents)
        pairs = [(gradients[f"d{name}"], one[name]) for name in one]
        return sum(slope(g) * arb(k) for a, b in pairs for g, k in zip(a.flat, b.flat, strict=True))

    wHv = hessian(w.inputs, v.inputs)
    assert_same(wHv, hessian(v.inputs, w.inputs))
    assert not wHv.overlaps(hessian(w.inputs, w.inputs)), "any two would be the same"


@dataclass(frozen=True)
class Dual:
    """value + slope e, with e^2 = 0, in exact fractions."""

    value: Fraction
    slope: Fraction

    def __add__(self, other: Dual) -> Dual:
        return Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other: Dual) -> Dual:
        return Dual(self.value * other.value, self.value * other.slope + self.slope * other.value)


def test_fractions_are_exact() -> None:
    """The relu network in exact fractions: equal, not close, to dual numbers through scalar loops."""
    rng = np.random.default_rng(3)
    T, B, I, H = 3, 2, 2, 3
    shapes = {"W_xh": (H, I), "W_hh": (H, H), "b_xh": (H,), "b_hh": (H,), "x": (T, B, I), "h_0": (1, B, H)}

    def fractions(shape: tuple[int, ...]) -> np.ndarray:
        array = np.empty(shape, dtype=object)
        for index in np.ndindex(shape):
            array[index] = Fraction(int(rng.integers(-9, 10)), int(rng.integers(1, 7)))
        return array

    inputs = {name: fractions(shape) for name, shape in shapes.items()}
    dy, dh_n = fractions((T, B, H)), fractions((1, B, H))

    def phi_slope(at: str, index: tuple[int, ...]) -> tuple[Fraction, list[list[list[Fraction]]]]:
        d = {
            name: {k: Dual(array.item(k), Fraction(name == at and k == index)) for k in np.ndindex(array.shape)}
            for name, array in inputs.items()
        }
        slope = Fraction(0)
        y = [[[Fraction(0)] * H for _ in range(B)] for _ in range(T)]
        for b in range(B):
            h = [d["h_0"][0, b, j] for j in range(H)]
            for t in range(T):
                new = []
                for j in range(H):
                    a = d["b_xh"][(j,)] + d["b_hh"][(j,)]
                    for i in range(I):
                        a += d["W_xh"][j, i] * d["x"][t, b, i]
                    for k in range(H):
                        a += d["W_hh"][j, k] * h[k]
                    assert a.value != 0, "on the kink"
                    new.append(a if a.value > 0 else Dual(Fraction(0), Fraction(0)))
                h = new
                for j in range(H):
                    y[t][b][j] = h[j].value
                    slope += dy[t, b, j] * h[j].slope + (dh_n[0, b, j] * h[j].slope if t == T - 1 else 0)
        return slope, y

    run = forward("rnn_relu", {name: inputs[name] for name in PARAMS}, inputs["x"], inputs["h_0"])
    gradients = backward(run, dy, dh_n)
    assert run.y.tolist() == phi_slope("x", (0, 0, 0))[1]
    for name, array in inputs.items():
        want = [phi_slope(name, index)[0] for index in np.ndindex(array.shape)]
        assert gradients[f"d{name}"].ravel().tolist() == want, name
        assert any(want), name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_saturated_lstm(dtype: str) -> None:
    """All 16 combinations of gates at +-1000, one a unit; pytest turns any warning into a failure."""
    signs = np.array([[1 if unit >> gate & 1 else -1 for unit in range(16)] for gate in range(4)])
    i, f, o = ((signs[gate] > 0).astype(dtype) for gate in (0, 1, 3))
    g = signs[2].astype(dtype)
    params = {"W_xh": 1000 * signs.reshape(64, 1).astype(dtype), "W_hh": np.zeros((64, 16), dtype)}
    run = forward("lstm", params, np.ones((3, 1, 1), dtype), c_0=np.full((1, 1, 16), 0.5, dtype))
    c = np.full(16, 0.5)
    for t in range(3):
        c = f * c + i * g
        # tanh of the float c, to 6 u of its value at most
        assert np.all(np.abs(run.y[t, 0] - o * np.tanh(c)) <= 6 * np.finfo(dtype).eps / 2), t
    np.testing.assert_array_equal(run.c_n, c[None, None])
    gradients = backward(run, dy=np.ones((3, 1, 16), dtype), dc_n=np.ones((1, 1, 16), dtype))
    for name in ("dx", "dW_xh"):  # every gate is flat there, so nothing gets through
        np.testing.assert_array_equal(gradients[name], 0, name)
    open_to_the_end = f == 1
    assert np.all(gradients["dc_0"][0, 0, open_to_the_end] >= 1)
    np.testing.assert_array_equal(gradients["dc_0"][0, 0, ~open_to_the_end], 0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cell", ["gru", "gru_reset_before"])
def test_saturated_gru(cell: str, dtype: str) -> None:
    signs = np.array([[1 if unit >> gate & 1 else -1 for unit in range(8)] for gate in range(3)])
    params = {"W_xh": 1000 * signs.reshape(24, 1).astype(dtype), "W_hh": np.zeros((24, 8), dtype)}
    h_0 = np.full((1, 1, 8), 0.5, dtype)
    run = forward(cell, params, np.ones((3, 1, 1), dtype), h_0)
    want = np.where(signs[1] > 0, 0.5, signs[2])  # z = 1 keeps h, z = 0 takes n
    np.testing.assert_array_equal(run.y[:, 0], np.stack([want] * 3))
    gradients = backward(run, dy=np.ones((3, 1, 8), dtype))
    np.testing.assert_array_equal(gradients["dh_0"][0, 0], np.where(signs[1] > 0, 3, 0))
    for name in ("dx", "dW_xh"):
        np.testing.assert_array_equal(gradients[name], 0, name)


# --- bad arguments ---------------------------------------------------------------------------------------------------

T, B, I, H = 4, 3, 2, 5
GOOD = draw("lstm", T, B, I, H)
ELMAN = draw("rnn_tanh", T, B, I, H)


def with_value(array: np.ndarray, value: float) -> np.ndarray:
    result = array.copy()
    result.flat[-1] = value
    return result


@pytest.mark.parametrize(
    ("changed", "argument", "got", "wanted"),
    [
        ({"x": np.ones((T, I))}, "x", "shape (4, 2)", "shape (T, B, 2)"),
        ({"x": np.ones((T, B, I, 1))}, "x", "shape (4, 3, 2, 1)", "shape (T, B, 2)"),
        ({"x": np.ones((T, B, I + 1))}, "x", "shape (4, 3, 3)", "shape (T, B, 2)"),
        ({"x": np.ones((0, B, I))}, "x", "shape (0, 3, 2)", "at least 1"),
        ({"x": np.ones((T, 0, I))}, "x", "shape (4, 0, 2)", "at least 1"),
        ({"x": np.ones((T, B, I), int)}, "x", "dtype int64", "floating-point"),
        ({"x": np.ones((T, B, I), bool)}, "x", "dtype bool", "floating-point"),
        ({"x": np.ones((T, B, I), np.float32)}, "x", "dtype float32", "dtype float64"),
        ({"x": np.ones((T, B, I)).tolist()}, "x", "list", "an array of shape (T, B, 2)"),
        ({"x": None}, "x", "NoneType", "an array"),
        ({"x": with_value(GOOD.inputs["x"], math.nan)}, "x", "non-finite", "finite"),
        ({"x": with_value(GOOD.inputs["x"], math.inf)}, "x", "non-finite", "finite"),
        ({"W_hh": np.ones((4 * H, H, 1))}, "W_hh", "shape (20, 5, 1)", "shape (G*H, H)"),
        ({"W_hh": np.ones((3 * H, H))}, "W_hh", "shape (15, 5)", "shape (4*H, H)"),
        ({"W_hh": np.ones((0, 0))}, "W_hh", "shape (0, 0)", "at least 1"),
        ({"W_hh": np.ones((4 * H, H)).tolist()}, "W_hh", "list", "an array of shape (G*H, H)"),
        ({"W_hh": np.ones((4 * H, H), int)}, "W_hh", "dtype int64", "floating-point"),
        ({"W_hh": with_value(GOOD.inputs["W_hh"], -math.inf)}, "W_hh", "non-finite", "finite"),
        ({"W_xh": np.ones((4 * H,))}, "W_xh", "shape (20,)", "shape (20, I)"),
        ({"W_xh": np.ones((3 * H, I))}, "W_xh", "shape (15, 2)", "shape (20, I)"),
        ({"W_xh": np.ones((4 * H, 0))}, "W_xh", "shape (20, 0)", "at least 1"),
        ({"W_xh": np.ones((4 * H, I), np.float32)}, "W_xh", "dtype float32", "dtype float64"),
        ({"b_xh": np.ones((4 * H, 1))}, "b_xh", "shape (20, 1)", "shape (20,)"),
        ({"b_hh": np.ones((1,))}, "b_hh", "shape (1,)", "shape (20,)"),
        ({"b_hh": with_value(GOOD.inputs["b_hh"], math.nan)}, "b_hh", "non-finite", "finite"),
        ({"b_hh": np.ones(4 * H, complex)}, "b_hh", "dtype complex128", "dtype float64"),
        ({"h_0": np.ones((1, 1, H))}, "h_0", "shape (1, 1, 5)", "shape (1, 3, 5)"),
        ({"h_0": np.ones((B, H))}, "h_0", "shape (3, 5)", "shape (1, 3, 5)"),
        ({"h_0": np.ones((2, B, H))}, "h_0", "shape (2, 3, 5)", "shape (1, 3, 5)"),
        ({"h_0": np.ones((1, B, 1))}, "h_0", "shape (1, 3, 1)", "shape (1, 3, 5)"),
        ({"h_0": 0.0}, "h_0", "float", "an array of shape (1, 3, 5)"),
        ({"c_0": np.ones((1, B + 1, H))}, "c_0", "shape (1, 4, 5)", "shape (1, 3, 5)"),
        ({"c_0": np.ones((1, B, H), np.float16)}, "c_0", "dtype float16", "dtype float64"),
        ({"c_0": np.full((1, B, H), math.nan)}, "c_0", "non-finite", "finite"),
    ],
)
def test_forward_refuses(changed: Arrays, argument: str, got: str, wanted: str) -> None:
    with pytest.raises(ArgumentError) as error:
        GOOD.run(GOOD.inputs | changed)
    check_error(error.value, argument, got, wanted)


@pytest.mark.parametrize(
    ("changed", "argument", "got", "wanted"),
    [
        ({"dy": np.ones((T, B, 1))}, "dy", "shape (4, 3, 1)", "shape (4, 3, 5)"),
        ({"dy": np.ones((T + 1, B, H))}, "dy", "shape (5, 3, 5)", "shape (4, 3, 5)"),
        ({"dy": np.ones((B, H))}, "dy", "shape (3, 5)", "shape (4, 3, 5)"),
        ({"dy": 1.0}, "dy", "float", "an array of shape (4, 3, 5)"),
        ({"dy": np.ones((T, B, H), np.float32)}, "dy", "dtype float32", "dtype float64"),
        ({"dy": np.ones((T, B, H), int)}, "dy", "dtype int64", "floating-point"),
        ({"dy": np.full((T, B, H), math.inf)}, "dy", "non-finite", "finite"),
        ({"dh_n": np.ones((1, 1, H))}, "dh_n", "shape (1, 1, 5)", "shape (1, 3, 5)"),
        ({"dh_n": [[0.0]]}, "dh_n", "list", "an array of shape (1, 3, 5)"),
        ({"dc_n": np.ones((B, H))}, "dc_n", "shape (3, 5)", "shape (1, 3, 5)"),
        ({"dc_n": np.full((1, B, H), math.nan)}, "dc_n", "non-finite", "finite"),
    ],
)
def test_backward_refuses(changed: Arrays, argument: str, got: str, wanted: str) -> None:
    run = GOOD.run(GOOD.inputs)
    with pytest.raises(ArgumentError) as error:
        backward(run, **(GOOD.cotangents | changed))
    check_error(error.value, argument, got, wanted)


def test_names_are_checked() -> None:
    params = {name: ELMAN.inputs[name] for name in PARAMS}
    x, c_0 = ELMAN.inputs["x"], np.zeros((1, B, H))
    with pytest.raises(ArgumentError) as error:
        forward("rnn", params, x)
    check_error(error.value, "cell", "'rnn'", "rnn_tanh, rnn_relu, lstm, gru, gru_reset_before")
    with pytest.raises(ArgumentError) as error:
        forward("rnn_tanh", params | {"W_hy": x, "W": x}, x)
    check_error(error.value, "params", "W, W_hy", "W_xh, W_hh, b_xh, b_hh")
    for name, wanted in {"W_xh": "W_xh", "W_hh": "W_hh", "b_xh": "both of b_xh", "b_hh": "both of b_xh"}.items():
        with pytest.raises(ArgumentError) as error:
            forward("rnn_tanh", {key: array for key, array in params.items() if key != name}, x)
        check_error(error.value, "params", f"no {name}", wanted)
    with pytest.raises(ArgumentError) as error:
        forward("rnn_tanh", params, x, c_0=c_0)
    check_error(error.value, "c_0", "an array", "None: the cell has no such state")
    with pytest.raises(ArgumentError) as error:
        backward(forward("rnn_tanh", params, x), dc_n=c_0)
    check_error(error.value, "dc_n", "an array", "None")


def check_error(error: ArgumentError, argument: str, got: str, wanted: str) -> None:
    assert error.argument == argument
    assert got in error.got
    assert wanted in error.wanted
    assert str(error) == f"{argument}: got {error.got}, wanted {error.wanted}"
