"""Balls: each operation encloses what mpmath computes with more digits, and no comparison is guessed.

mpmath's functions are good to a few units in the last place; its numbers count as known to 2^-900 of the larger of
themselves and 1, of the 1000 bits it works with here. Balls have 128. So a ball that has not a number in common with
mpmath's does not enclose the exact value; and one off by more than a few of its own radii has none.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import flint
import mpmath  # type: ignore[import-untyped]
import numpy as np
import pytest
from flint import acb, arb
from hypothesis import given
from hypothesis import strategies as st

from crosscheck import Case
from crosscheck.referee.numbers.ball import Ball, Balls, UndecidedError, balls, overlap, precision, split
from crosscheck.referee.reference import reference
from crosscheck.strategies import EVERYTHING, cases, supports
from crosscheck.subjects.manual import manual

BITS, MORE_BITS, KNOWN_BITS = 128, 1000, 900

numbers = st.floats(-30.0, 30.0).filter(lambda x: x == 0 or abs(x) > 2.0**-40)
positive = st.floats(2.0**-40, 30.0)
three = st.lists(numbers, min_size=3, max_size=3)
dyadic = st.integers(-63, 63).map(lambda k: k / 64)


def arrays(shape: tuple[int, ...], elements: st.SearchStrategy[float] = dyadic) -> st.SearchStrategy[Any]:
    size = int(np.prod(shape))
    return st.lists(elements, min_size=size, max_size=size).map(lambda values: np.reshape(values, shape))


@pytest.fixture(autouse=True)
def _precise() -> Iterator[None]:
    with precision(BITS), mpmath.workprec(MORE_BITS):
        yield


def known(number: Any) -> Any:
    """Return mpmath's number as a ball of python-flint that encloses the exact one."""
    with precision(MORE_BITS):
        if isinstance(number, mpmath.mpc):
            return acb(known(number.real), known(number.imag))
        return arb(number, arb(max(abs(number), 1)) * arb(2) ** -KNOWN_BITS)


def assert_encloses(ball: Any, number: Any) -> None:
    """Assert that a ball encloses a number of mpmath, and is tight: to 100 of its 128 bits, for such few roundings."""
    assert isinstance(ball, Ball)
    assert ball.value.overlaps(known(number)), f"{ball} does not enclose {number}"
    for part in (ball.value.real, ball.value.imag) if isinstance(ball.value, acb) else (ball.value,):
        assert part.rad() <= max(abs(part.mid()), arb(1)) * arb(2) ** -100


UNARY: dict[str, tuple[Any, Callable[[Any], Any], st.SearchStrategy[float]]] = {
    "negative": (np.negative, operator.neg, numbers),
    "positive": (np.positive, operator.pos, numbers),
    "absolute": (np.absolute, abs, numbers),
    "square": (np.square, lambda x: x * x, numbers),
    "tanh": (np.tanh, mpmath.tanh, numbers),
    "exp": (np.exp, mpmath.exp, st.floats(-30.0, 3.0)),
    "expm1": (np.expm1, mpmath.expm1, st.floats(-30.0, 3.0)),
    "log": (np.log, mpmath.log, positive),
    "log1p": (np.log1p, mpmath.log1p, positive),
    "sqrt": (np.sqrt, mpmath.sqrt, positive),
    "sin": (np.sin, mpmath.sin, numbers),
    "cos": (np.cos, mpmath.cos, numbers),
    "sinh": (np.sinh, mpmath.sinh, st.floats(-3.0, 3.0)),
    "cosh": (np.cosh, mpmath.cosh, st.floats(-3.0, 3.0)),
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
}


@pytest.mark.parametrize("name", UNARY)
@given(data=st.data())
def test_a_function_encloses_its_value(name: str, data: st.DataObject) -> None:
    function, exact, elements = UNARY[name]
    values = data.draw(arrays((2,), elements))
    result = function(balls(values))
    assert isinstance(result, Balls)
    for ball, value in zip(result, values, strict=True):
        assert_encloses(ball, exact(mpmath.mpf(value)))


@pytest.mark.parametrize("name", ["tanh", "exp", "log", "sqrt", "sin", "cos", "sinh", "cosh", "square", "negative"])
@given(real=st.floats(0.5, 3.0), imag=st.floats(-1.0, 1.0))
def test_a_function_of_a_complex_ball_encloses_its_value(name: str, real: float, imag: float) -> None:
    function, exact, _ = UNARY[name]
    assert_encloses(function(Ball(acb(real, imag))), exact(mpmath.mpc(real, imag)))


@pytest.mark.parametrize("name", BINARY)
@given(a=numbers, b=numbers.filter(lambda x: abs(x) > 1))
def test_arithmetic_encloses_its_value(name: str, a: float, b: float) -> None:
    of = BINARY[name]
    exact = of(mpmath.mpf(a), mpmath.mpf(b))
    third = of(mpmath.mpf(a) / 3, mpmath.mpf(b))  # of a ball with a radius
    for left, right in ((Ball(a), Ball(b)), (Ball(a), b), (a, Ball(b)), (np.float64(a), Ball(b))):
        assert_encloses(of(left, right), exact)
    assert_encloses(of(Ball(a) / 3, b), third)
    for lifted in (of(balls([a]), b), of(a, balls([b])), of(balls([a]), np.array([b]))):
        assert isinstance(lifted, Balls)
        assert_encloses(lifted[0], exact)


@given(st.floats(-8.0, 8.0), st.integers(0, 4))
def test_a_power_encloses_its_value(a: float, n: int) -> None:
    assert_encloses((balls([a]) ** n)[0], mpmath.mpf(a) ** n)
    assert_encloses((abs(Ball(a)) + 1) ** 0.5, mpmath.sqrt(mpmath.mpf(abs(a)) + 1))


@pytest.mark.parametrize("negative", [False, True])
def test_a_complex_step_goes_through_abs(negative: bool) -> None:
    sign = -1 if negative else 1
    stepped = abs(Ball(acb(sign * 2.0, 2.0**-60)))
    assert (stepped.real.value, stepped.imag.value) == (arb(2), sign * arb(2.0**-60))
    assert overlap(stepped.conjugate().imag, stepped.imag)


@given(dyadic, st.integers(0, 40), dyadic, st.integers(0, 40))
def test_a_comparison_is_right_or_undecided(a: float, a_radius: int, b: float, b_radius: int) -> None:
    left, right = Ball(arb(a, a_radius / 64)), Ball(arb(b, b_radius / 64))  # few bits: differences are exact
    comparisons = (operator.lt, operator.le, operator.eq, operator.ne, operator.ge, operator.gt)
    exact = a_radius == b_radius == 0
    if abs(a - b) > (a_radius + b_radius) / 64 or exact:
        for compare in comparisons:
            assert compare(left, right) is compare(a, b)
        assert np.array_equal(balls([left]) > balls([right]), [a > b])
        assert overlap(left, right) == (a == b)
    else:
        for compare in comparisons:
            with pytest.raises(UndecidedError, match="is not decided"):
                compare(left, right)
        assert overlap(left, right)


def test_a_ball_is_true_unless_zero() -> None:
    assert bool(Ball(2.0))
    assert not bool(Ball(0))
    with pytest.raises(UndecidedError):
        bool(Ball(arb(0, 1)))


def test_a_straddling_ball_takes_no_branch() -> None:
    a = balls([1.0, 0.0]) / 3
    a[1] = Ball(arb(0, 2.0**-100))
    for branch in (
        lambda: np.argmax(a - a[::-1] - 1 / balls([3.0, -3.0])),
        lambda: np.where(a > 0, a, 0),
        lambda: abs(a),
        lambda: np.sign(a),
    ):
        with pytest.raises(UndecidedError):
            branch()


# The array: whatever NumPy leaves in it is a ball.


@pytest.mark.parametrize("function", [np.maximum, np.minimum, np.fmax, np.fmin])
def test_a_selected_plain_number_becomes_a_ball(function: Any) -> None:
    a = balls([-1.0, 0.5])
    for selected in (function(a, 0), function(0.0, a), function(a, np.array([0.0, 0.0])), function(a, 0, out=a)):
        assert isinstance(selected, Balls)
        assert all(isinstance(number, Ball) for number in selected)
        assert_encloses(np.exp(selected)[0], mpmath.exp(function(-1, 0)))
        assert_encloses(np.exp(selected)[1], mpmath.exp(function(mpmath.mpf(0.5), 0)))


def test_where_exp_and_clip() -> None:
    a = balls([-2.0, 0.0, 1.5])
    chosen = np.where(a > 0, a, 0)
    clipped = np.clip(a, -1, 1)
    for result, exact in ((chosen, (0, 0, 1.5)), (clipped, (-1, 0, 1))):
        assert isinstance(result, Balls)
        for ball, value in zip(np.exp(result), exact, strict=True):
            assert_encloses(ball, mpmath.exp(value))


@given(arrays((2, 3)), arrays((3, 2)), arrays((2, 2)))
def test_sums_and_products_of_dyadic_numbers_are_exact(x: Any, y: Any, z: Any) -> None:
    a, b, c = balls(x), balls(y), balls(z)
    for lifted, exact in (
        (a @ b + c, x @ y + z),
        (np.dot(a, b), x @ y),
        (np.matmul(a, y), x @ y),
        (x @ b, x @ y),
        (np.einsum("ij,jk->ik", a, b), x @ y),
        (np.einsum("ij,jk", a, y, optimize=False), x @ y),
        (a.T, x.T),
        (np.sum(a, axis=0), x.sum(axis=0)),
        (a.sum(axis=1, keepdims=True), x.sum(axis=1, keepdims=True)),
        (np.concatenate([a, y.T]), np.concatenate([x, y.T])),
        (np.stack([a, balls(y.T)]), np.stack([x, y.T])),
        (np.outer(a[0], b[:, 0]), np.outer(x[0], y[:, 0])),
        (a.reshape(3, 2), x.reshape(3, 2)),
        (np.max(a, axis=0), x.max(axis=0)),
        (np.mean(c, axis=0), z.mean(axis=0)),
        (np.split(a, 2)[1], x[1:]),
        (a.copy(), x),
    ):
        assert isinstance(lifted, Balls)
        assert lifted.shape == exact.shape
        for ball, value in zip(lifted.ravel(), exact.ravel(), strict=True):
            assert (ball.value.mid(), ball.value.rad()) == (arb(value), arb(0))
    for total in (np.sum(a), a.sum()):
        assert isinstance(total, Ball)
        assert total.value == arb(x.sum())


SHAPES = [
    ((2, 3), (3, 4)),
    ((3,), (3, 2)),
    ((2, 3), (3,)),
    ((3,), (3,)),
    ((4, 2, 3), (3, 2)),
    ((2, 3), (4, 3, 2)),
    ((2, 1, 2, 3), (4, 3, 1)),
    ((3,), (2, 3, 2)),
    ((2, 0), (0, 2)),
]


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@given(seed=st.integers(0, 2**32 - 1), complexes=st.sampled_from([(), (0,), (1,), (0, 1)]), plain=st.booleans())
def test_a_matrix_product_is_sums_of_products(shapes: Any, seed: int, complexes: tuple[int, ...], plain: bool) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    operands = [rng.standard_normal(shape) for shape in shapes]
    lifted: list[Any] = [balls(operand) / 3 for operand in operands]
    if plain and 1 not in complexes:
        lifted[1] = operands[1]
    for k in complexes:
        for index in np.ndindex(lifted[k].shape):
            lifted[k][index] = Ball(acb(lifted[k][index].value, arb(rng.standard_normal()) * arb(2) ** -400))
    products = [lifted[0] @ lifted[1], np.matmul(lifted[0], lifted[1])]
    if max(operand.ndim for operand in operands) <= 2:
        products += [np.dot(lifted[0], lifted[1]), lifted[0].dot(lifted[1])]
    wanted = np.matmul(*(np.asarray(balls(operand)) for operand in lifted))  # NumPy's own, of plain object arrays
    sizes = np.asarray(np.abs(operands[0]) @ np.abs(operands[1]))
    for product in products:
        assert np.shape(product) == np.shape(wanted)
        for mine, theirs, size in zip(np.ravel(product), np.ravel(wanted), np.ravel(sizes), strict=True):
            theirs = theirs if isinstance(theirs, Ball) else Ball(theirs)  # an empty sum is a plain 0
            assert overlap(mine, theirs)
            # 3 products, 2 additions, and the terms' own radii, in 128 bits of the sum of the terms' sizes
            assert mine.real.value.rad() <= arb(size) * arb(2) ** -120
            # of an imaginary part likewise: it is of 2^-400 times numbers below 8
            if isinstance(mine.value, acb):
                assert mine.imag.value.rad() <= arb(2) ** (-400 - 110)


def test_a_matrix_product_goes_into_out() -> None:
    a, b, out = balls(np.eye(2)) / 2, np.array([[1.0, 2.0], [3.0, 4.0]]), balls(np.zeros((2, 2)))
    assert np.matmul(a, b, out=out) is out
    assert [[float(ball.value) for ball in row] for row in out] == [[0.5, 1], [1.5, 2]]
    np.matmul(out, b, out=out)  # of itself
    assert [[float(ball.value) for ball in row] for row in out] == [[3.5, 5], [7.5, 11]]
    with pytest.raises(ValueError, match=r"matmul of shapes \(2, 2\) and \(3, 2\)"):
        _ = a @ np.ones((3, 2))


def test_a_cast_to_floats_leaves_balls() -> None:
    a = balls([1.0, -2.0]) / 3
    for cast in (a.astype(np.float32), a.astype(float, copy=False), a.astype("f8")):
        assert isinstance(cast, Balls)
        assert all(overlap(one, other) for one, other in zip(cast, a, strict=True))
    assert a.astype(float, copy=False) is a
    assert a.astype(float) is not a
    assert (a > 0).astype(np.float64).tolist() == [1.0, 0.0]
    a.fill(0)
    assert all(isinstance(number, Ball) for number in a.flat)


def test_assignment_makes_balls() -> None:
    a = np.empty_like(balls([[1.0, 2.0], [3.0, 4.0]]), shape=(2, 3))
    assert isinstance(a, Balls)
    a[...] = 0
    a[0] = np.array([1.0, 2.0, 3.0])
    a[1, 0] = 7
    a[1, 1] = Ball(5.0)
    a[1, 2:] = np.array([True])
    a.T[0, 0] = 9  # of a view, which writes through
    assert all(isinstance(number, Ball) for number in a.flat)
    assert [[float(ball.value) for ball in row] for row in a] == [[9, 2, 3], [7, 5, 1]]


def test_in_place_operations_and_out_write_into_the_array() -> None:
    a, b = balls([1.0, 2.0]), balls([3.0, 5.0])
    view = a[:]
    a *= 2
    a += np.array([1.0, 1.0])
    a -= b
    a /= 2
    assert [float(ball.value) for ball in view] == [0, 0]
    out = np.empty_like(a)
    assert np.multiply(b, b, out=out) is out
    np.matmul(balls([[1.0, 1.0]]), b[:, None], out=out[None, :1])
    assert [float(ball.value) for ball in out] == [8, 25]


@pytest.mark.parametrize("name", ["arctan", "floor", "isnan", "hypot"])
def test_an_unknown_operation_is_named(name: str) -> None:
    a = balls([1.0])
    with pytest.raises(TypeError, match=rf"Ball knows nothing of numpy\.{name}\b"):
        getattr(np, name)(*(a,) * getattr(np, name).nin)


def test_a_ball_never_becomes_a_float_by_itself() -> None:
    buffer = np.zeros(1)
    with pytest.raises((TypeError, ValueError)):
        buffer[...] = balls([1.0])
    with pytest.raises(TypeError):
        float(Ball(1.0))  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [1j, "1", None, np.array([1.0])])
def test_what_is_no_real_number_makes_no_ball(number: Any) -> None:
    with pytest.raises(TypeError, match=f"no ball is known for {type(number).__name__}"):
        Ball(number)


@given(arrays((2, 2), st.floats(-1e300, 1e300)))
def test_a_float_is_itself(x: Any) -> None:
    hi, lo, radius = split(balls(x))
    assert np.array_equal(hi, x)
    assert not lo.any()
    assert not radius.any()


@given(three, st.sampled_from([64, 128, 300]))
def test_split_encloses_the_ball(x: list[float], bits: int) -> None:
    with precision(bits):
        computed = np.tanh(balls(x) / 3)
        hi, lo, radius = split(computed)
    for ball, first, second, r in zip(computed, hi, lo, radius, strict=True):
        with precision(MORE_BITS):  # exact, at this precision
            assert abs(ball.value - arb(first) - arb(second)) <= arb(r)
            assert first == float(ball.value.mid())
            # lo is the float64 nearest to the rest, which is below half a unit of hi
            assert abs(second) <= 2.0**-53 * abs(first)
            assert arb(r) <= 2 * ball.value.rad() + abs(ball.value.mid()) * (arb(2) ** -105 + arb(2) ** (2 - bits))


def test_split_of_what_no_float_holds() -> None:
    hi, _, radius = split(balls([2.0]) ** 5000)
    assert (hi[0], radius[0]) == (np.inf, np.inf)
    tiny_hi, tiny_lo, tiny_radius = split(1 / balls([2.0]) ** 5000)
    assert (tiny_hi[0], tiny_lo[0]) == (0, 0)
    assert 0 < tiny_radius[0] <= np.finfo(np.float64).smallest_subnormal


def test_precision_is_restored() -> None:
    before = flint.ctx.prec
    with precision(333):
        assert flint.ctx.prec == 333
        with pytest.raises(RuntimeError), precision(77):
            raise RuntimeError
        assert flint.ctx.prec == 333
    assert flint.ctx.prec == before


# The hand-written network on bare object arrays of python-flint's numbers. What branches (relu, and the largest logit
# in cross-entropy) is left to `Ball`, since a bare `arb` guesses where it straddles.

SMOOTH = supports(
    {
        "clip": False,
        "cell": ("rnn_tanh", "lstm", "gru"),
        "loss": ("none", "half_squared_error", "mse"),
        "dtype": "float64",
        "max_T": 4,
        "max_B": 2,
        "max_I": 3,
        "max_H": 3,
    },
    EVERYTHING,
)


def objects(kind: Any) -> Callable[[Any], Any]:
    def lift(array: Any) -> Any:
        lifted = np.empty(array.shape, dtype=object)
        for index in np.ndindex(array.shape):
            lifted[index] = kind(float(array[index]))
        return lifted

    return lift


@pytest.mark.parametrize("kind", [arb, acb])
@given(case=cases(SMOOTH))
def test_the_network_runs_on_bare_python_flint_numbers(kind: Any, case: Case) -> None:
    lifted, computed, truth = manual(case.lift(objects(kind))), manual(case), reference(case)
    assert lifted.keys() == computed.keys() == case.result_shapes.keys()
    for name, values in computed.items():
        for index in np.ndindex(values.shape):
            number = lifted[name][index] if values.shape else lifted[name]
            real = number.real if isinstance(number, acb) else arb(number)
            assert not isinstance(number, acb) or number.imag == 0
            # what is enclosed is the exact result, so the float is within its tolerance of it
            assert abs(real - arb(float(values[index]))) <= arb(truth.bound[name][index]), name
            assert real.rad() <= arb(2) ** -64


@given(case=cases(supports({"dtype": "float64", "max_T": 4, "max_H": 3}, EVERYTHING)))
def test_the_network_runs_on_balls(case: Case) -> None:
    lifted, computed, truth = manual(case.lift(balls)), manual(case), reference(case)
    for name, values in computed.items():
        hi, lo, radius = split(lifted[name])
        assert np.all(np.abs((values - hi) - lo) <= truth.bound[name] + radius), name
        # 128 bits; beyond a factor of 2^64 in size and accumulated error the balls would be of no use
        assert np.all(radius <= 2.0**-64)
