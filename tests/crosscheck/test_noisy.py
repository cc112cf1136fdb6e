"""Sampled rounding: the noise of each operation has the size that numbers/noisy.py states.

z = (sample - result) / (u size) is drawn from a standard normal distribution, so over n independent elements the sum of
z^2 is chi-square with n degrees of freedom: mean n, deviation sqrt(2 n); and the sum of z has deviation sqrt(n). Six
deviations either way: at n = 64,000, where both are nearly normal, a right generator leaves them once in 5e8 tries, and
a size that is wrong by 3.4% is seen. The seeds are fixed, so each test has one outcome. What rounds besides, float64 in
the operation and float32 in the noise, changes z by 2^-23 of its scale at most, far less than a deviation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from crosscheck.referee.numbers.format import FORMATS, Format
from crosscheck.referee.numbers.noisy import SAMPLES, Noisy, deviation, noisy

SINGLE = FORMATS["float32"]
NOISELESS = Format(precision=2000, smallest=0.0)  # its unit roundoff, 2^-2000, is 0 in float64
DEVIATIONS = 6.0
SHAPE = (80, 50)  # times 16 samples: 64,000


def values(shape: tuple[int, ...] = SHAPE, seed: int = 1, least: float = 0.0) -> Any:
    """Return random numbers of float32, of either sign unless a least one is wanted."""
    drawn = np.random.Generator(np.random.PCG64(seed)).standard_normal(shape)
    return (np.abs(drawn) + least if least else drawn).astype(np.float32).astype(np.float64)


def exact(value: Any, format: Format = SINGLE, samples: int = SAMPLES) -> Any:
    return noisy(value, format, np.random.Generator(np.random.PCG64(2)), samples)


def assert_standard_normal(z: Any) -> None:
    n = z.size
    assert abs(np.sum(z)) <= DEVIATIONS * np.sqrt(n)
    assert abs(np.sum(z * z) - n) <= DEVIATIONS * np.sqrt(2 * n)
    samples = z.reshape(SAMPLES, -1)
    # neighbours, of one sample and of one element, are independent: a product of two has mean 0 and variance 1
    for product in (samples[1:] * samples[:-1], samples[:, 1:] * samples[:, :-1]):
        assert abs(np.sum(product)) <= DEVIATIONS * np.sqrt(product.size)


Operation = Callable[..., Any]
NOISY: dict[str, tuple[Operation, tuple[Any, ...], Operation]] = {
    # the operation, its operands, and the size of its rounding in u
    "add": (np.add, (values(), values(seed=3)), lambda a, b: np.abs(a) + np.abs(b)),
    "subtract": (np.subtract, (values(), values(seed=3)), lambda a, b: np.abs(a) + np.abs(b)),
    "multiply": (np.multiply, (values(), values(seed=3)), lambda a, b: np.abs(a * b)),
    "divide": (np.divide, (values(), values(seed=3, least=0.5)), lambda a, b: np.abs(a / b)),
    "reciprocal": (np.reciprocal, (values(least=0.5),), lambda a: 1 / a),
    "tanh": (np.tanh, (values(),), lambda a: 2 * np.abs(np.tanh(a))),
    "exp": (np.exp, (values(),), lambda a: 2 * np.exp(a)),
    "log": (np.log, (values(least=2.0),), lambda a: 2 * np.log(a)),
    "matmul": (
        np.matmul,
        (values((80, 30)), values((30, 50), seed=3)),
        lambda a, b: np.sqrt(30) * (np.abs(a) @ np.abs(b)),
    ),
    "sum": (
        lambda a: np.sum(a, axis=0),
        (values((7, *SHAPE)),),
        lambda a: np.sqrt(7) * np.abs(a).sum(axis=0),
    ),
    "sum over two axes": (
        lambda a: np.sum(a, axis=(0, 1), keepdims=True),
        (values((2, 3, *SHAPE)),),
        lambda a: np.sqrt(6) * np.abs(a).sum(axis=(0, 1), keepdims=True),
    ),
    "sqrt": (np.sqrt, (values(least=0.5),), np.sqrt),
    "square": (np.square, (values(),), lambda a: a * a),
    "** 2": (lambda a: a**2, (values(),), lambda a: a * a),
    "** 0.5": (lambda a: a**0.5, (values(least=0.5),), np.sqrt),
    "** 3": (lambda a: a**3, (values(),), lambda a: 2 * np.abs(a**3)),
    "power -1": (lambda a: np.power(a, -1), (values(least=0.5),), lambda a: 2 / a),
    "expm1": (np.expm1, (values(),), lambda a: 2 * np.abs(np.expm1(a))),
    "log1p": (np.log1p, (values(least=0.5),), lambda a: 2 * np.log1p(a)),
    "sinh": (np.sinh, (values(),), lambda a: 2 * np.abs(np.sinh(a))),
    "cosh": (np.cosh, (values(),), lambda a: 2 * np.cosh(a)),
    "einsum": (
        lambda a, b: np.einsum("ij,jk->ki", a, b),
        (values((80, 30)), values((30, 50), seed=3)),
        lambda a, b: (np.sqrt(30) * (np.abs(a) @ np.abs(b))).T,
    ),
    "einsum of three": (
        lambda a, b, c: np.einsum("ij,kj,ik->ik", a, b, c),
        (values((80, 6)), values((50, 6), seed=3), values(seed=4)),
        lambda a, b, c: np.sqrt(6 + 3 - 2) * (np.abs(a) @ np.abs(b).T) * np.abs(c),
    ),
    "einsum with Ellipsis": (
        lambda a, b: np.einsum("...i,i->...", a, b),
        (values((*SHAPE, 5)), values((5,), seed=3)),
        lambda a, b: np.sqrt(5) * (np.abs(a) @ np.abs(b)),
    ),
    "outer": (np.outer, (values((80,)), values((50,), seed=3)), lambda a, b: np.abs(np.outer(a, b))),
    "tensordot": (
        lambda a, b: np.tensordot(a, b, axes=([1], [1])),
        (values((80, 4)), values((50, 4), seed=3)),
        lambda a, b: 2 * np.abs(a) @ np.abs(b).T,
    ),
    "inner": (np.inner, (values((80, 4)), values((50, 4), seed=3)), lambda a, b: 2 * np.abs(a) @ np.abs(b).T),
    "dot": (np.dot, (values((80, 9)), values((9, 50), seed=3)), lambda a, b: 3 * np.abs(a) @ np.abs(b)),
    "sum, by add": (np.add.reduce, (values((4, *SHAPE)),), lambda a: 2 * np.abs(a).sum(axis=0)),
    "sum, cumulated": (
        lambda a: np.cumsum(a, axis=0),
        (values((4, 20, 50)),),
        lambda a: np.sqrt([[[1]], [[2]], [[3]], [[4]]]) * np.cumsum(np.abs(a), axis=0),
    ),
    "sum over nothing, a mean of pairs": (
        # the sum's rounding, halved, and that of the quotient, independent of it: they add in squares
        lambda a: np.mean(a, axis=0),
        (values((2, *SHAPE)),),
        lambda a: np.hypot(np.sqrt(2) * np.abs(a).sum(axis=0) / 2, np.abs(a.mean(axis=0))),
    ),
    "sum, the method": (
        lambda a: a.sum(axis=0),
        (values((5, *SHAPE)),),
        lambda a: np.sqrt(5) * np.abs(a).sum(axis=0),
    ),
}
EXACT: dict[str, tuple[Operation, tuple[Any, ...]]] = {
    "negative": (np.negative, (values(),)),
    "maximum": (np.maximum, (values(), values(seed=3))),
    "greater": (lambda a, b: (a > b) * np.ones(()), (values(), values(seed=3))),
    "max": (lambda a: np.max(a, axis=-1, keepdims=True), (values(),)),
    "min": (lambda a: a.min(axis=0), (values(),)),
    "minimum": (np.minimum, (values(), values(seed=3))),
    "fmax": (np.fmax, (values(), values(seed=3))),
    "clip": (lambda a: np.clip(a, -0.5, 0.25), (values(),)),
    "absolute": (np.abs, (values(),)),
    "sign": (np.sign, (values(),)),
    "positive": (np.positive, (values(),)),
    "where": (lambda a, b: np.where(a > b, a, -b), (values(), values(seed=3))),
    "where not": (lambda a: np.where(~(a > 0) & (a != 1), a, 0.5), (values(),)),
    "a power of 1": (lambda a: a**1, (values(),)),
    "concatenate": (lambda a, b: np.concatenate([a, b], axis=1), (values(), values(seed=3))),
    "reshape": (lambda a: a.reshape(-1, 8), (values(),)),
    "T": (lambda a: a.T, (values(),)),
    "index": (lambda a: a[2:, ::3], (values(),)),
}


@pytest.mark.parametrize("name", NOISY)
def test_the_noise_has_its_size(name: str) -> None:
    of, operands, size = NOISY[name]
    result = of(*(exact(operand) for operand in operands))
    center, scale = of(*operands), SINGLE.u * size(*operands)
    assert isinstance(result, Noisy)
    assert result.shape == center.shape
    assert len(result.parts) == SAMPLES
    assert_standard_normal(np.array([(part - center) / scale for part in result.parts]))


def test_a_noise_of_another_size_is_seen() -> None:
    a = exact(values())
    z = np.array([(part - 2 * values()) / (SINGLE.u * 2 * np.abs(values())) for part in (a * 2).parts])
    for wrong in (1.034 * z, z / 1.034, z + 0.03, np.broadcast_to(z[:1], z.shape)):
        with pytest.raises(AssertionError):
            assert_standard_normal(wrong)


@pytest.mark.parametrize("name", [name for name in EXACT if name != "greater"])
def test_what_does_not_round_has_no_noise(name: str) -> None:
    of, operands = EXACT[name]
    result = of(*(exact(operand) for operand in operands))
    for part in result.parts:
        assert np.array_equal(part, of(*operands))


@pytest.mark.parametrize("name", [*NOISY, *EXACT])
def test_without_noise_the_values_are_numpys_bit_for_bit(name: str) -> None:
    of, operands = (NOISY | EXACT)[name][:2]
    if any(
        word in name for word in ("sum", "matmul", "dot", "inner")
    ):  # few bits, so that no order of summation rounds
        operands = tuple(np.round(operand * 64) / 64 + 0.0 for operand in operands)
    assert NOISELESS.u == 0
    result = of(*(exact(operand, NOISELESS) for operand in operands))
    for part in result.parts:
        assert part.tobytes() == np.ascontiguousarray(of(*operands) + 0.0).tobytes()  # + 0.0: a -0 becomes 0


def test_samples_go_their_own_ways() -> None:
    # each sample is a computation of its own: rounding that is made once stays what it was
    a = exact(values()) * 3
    for part, doubled in zip(a.parts, (a + a).parts, strict=True):
        # noise of u (|a| + |a|); of 64,000 normal numbers one is beyond 7 deviations once in 6 million tries
        assert np.all(np.abs(doubled - 2 * part) <= 7 * SINGLE.u * np.abs(2 * part))
    z = np.array([part - values() * 3 for part in a.parts])
    assert len({part.tobytes() for part in z}) == SAMPLES


def test_comparisons_are_made_in_each_sample() -> None:
    third = exact(np.full(SHAPE, 1.0)) / 3
    above = third > 1 / 3
    share = np.mean(above.parts)
    # each of n is above with probability 1/2, so their share has deviation 1 / (2 sqrt(n))
    assert abs(share - 0.5) <= DEVIATIONS / (2 * np.sqrt(third.size * SAMPLES))


def test_deviation_is_the_root_mean_square() -> None:
    number = Noisy(np.array([[1.0, 3.0], [2.0, 2.0]]), SINGLE, np.random.default_rng(0))
    assert deviation(number, np.array([0.0, 2.0])).tolist() == [np.sqrt(5.0), 0.0]


def test_a_deviation_that_overflows_is_infinite_and_silent() -> None:
    number = Noisy(np.array([[1e200], [np.inf]]), SINGLE, np.random.default_rng(0))
    result = deviation(number, np.array([0.0, np.inf]))
    assert result[0] == np.inf
    assert np.isnan(result[1])


def test_a_view_shares_memory_and_a_copy_does_not() -> None:
    a = exact(np.zeros((2, 3)), samples=2)
    kept = a.copy()
    a[1, 1:] = 5.0
    for row in a[:1]:
        row[0] = exact(7.0, samples=2)
    a.T[2, 0] = 1.0
    a.reshape(-1)[1] = 2.0
    for part, old in zip(a.parts, kept.parts, strict=True):
        assert part.tolist() == [[7, 2, 1], [0, 5, 5]]
        assert not old.any()
    a.parts[0][...] = 9
    assert a.parts[1].tolist() == [[7, 2, 1], [0, 5, 5]]


def test_in_place_operations_and_out() -> None:
    a, b = exact(np.array([1.0, 2.0]), NOISELESS, 2), exact(np.array([3.0, 5.0]), NOISELESS, 2)
    view = a[:]
    a *= 2
    a += b
    a -= 1
    out = np.empty_like(a, shape=(2, 2))
    assert np.multiply(a, b, out=out[0]).shape == (2,)
    np.matmul(np.eye(2), b, out=out[1])
    for sample in range(2):
        assert view.parts[sample].tolist() == [4, 8]
        assert out.parts[sample].tolist() == [[12, 40], [3, 5]]


def test_a_buffer_is_of_the_same_type() -> None:
    a = exact(np.ones((2, 3)))
    for buffer, shape in ((np.empty_like(a), (2, 3)), (np.empty_like(a, shape=(4,)), (4,)), (np.zeros_like(a), (2, 3))):
        assert isinstance(buffer, Noisy)
        assert (buffer.shape, buffer.ndim, buffer.size) == (shape, len(shape), int(np.prod(shape)))
        assert buffer.dtype == np.float64
        assert len(buffer) == shape[0]
        assert (buffer.format, buffer.rng) == (a.format, a.rng)
        assert not any(part.any() for part in buffer.parts)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("sin", lambda a: np.sin(a)),
        ("arctan", lambda a: np.arctan(a)),
        ("prod", lambda a: np.prod(a)),
        ("sum", lambda a: np.sum(a, initial=1.0)),
        ("einsum", lambda a: np.einsum(a, [0], a, [0])),
        ("multiply", lambda a: np.multiply.reduce(a)),
        ("invert", lambda a: ~(a * 2)),
        ("exp", lambda a: np.exp(a, where=np.array([True, False]))),
    ],
)
def test_an_unknown_operation_is_named(name: str, call: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=rf"Noisy knows nothing of numpy\.{name}\b"):
        call(exact(np.ones(2)))
