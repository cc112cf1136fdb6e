"""A cell that nobody here knows: its own backward pass against its own forward pass, with no reference at all.

The two functions come from one NumPy file:

    SHAPES = {"x": "T B I", "h_0": "B H", "W": "H I", "U": "H H"}

    def forward(x, h_0, W, U): ...         returns y, or (y, cache); y is an array or a tuple of arrays
    def backward(dy, cache): ...           or backward(dy, x, h_0, W, U); returns the gradients, in order or by name

Every letter in `SHAPES` is a size, drawn at random. For each input one random direction v is drawn, Gaussian, since
signs alone would miss half of all pairs of equal faults. The forward pass on complex balls, with an imaginary step h
along v, gives <gradient, v> = Im <dy, y> / h to hundreds of digits; the backward pass on real balls gives it again
(Martins, Sturdza & Alonso, ACM TOMS 29, 2003). With h = 2^-400 what the step truncates, h^2 f''' / 6, is below 2^-500
of the sum's terms unless a third derivative is 2^300 times the first. Balls that are further apart than that are
different.

Code that can't be lifted to balls is checked in float64 by <Jv, dy> = <v, J^T dy>, the left side by central
differences, extrapolated once; how far these scatter over different steps is how much the check could have seen, and
it says so.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import hypothesis
import numpy as np
from flint import acb, arb
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from crosscheck.errors import ArgumentError
from crosscheck.loading import attribute_of, copy_of, load_module, split_target
from crosscheck.referee.numbers.ball import Ball, balls, precision
from crosscheck.referee.numbers.standin import lift_module
from crosscheck.regimes import Fill
from crosscheck.verdict import Status

STEP_BITS = 400
AGREE_BITS = 500
FIRST_BITS, MOST_BITS = 1024, 8192
LARGEST = 4  # of a size
INPUTS = Fill(45, 2.0**-6)
COTANGENTS = Fill(63, 2.0**-6, zeros=False)
STEPS = tuple(2.0**-9 * (1 + k / 16) for k in range(8))  # of the central differences
SCATTER = 8.0
"""How many of their deviations count as noise. What extrapolation leaves goes with the step's fourth power, whose mean
over `STEPS` is 2.2 of its own deviations; the others are left for rounding, whose largest error was seen at 3.4
deviations (`referee.truth`)."""
U = 2.0**-53


@dataclass(frozen=True)
class Pair:
    """A forward and a backward function.

    Attributes:
        name: how they were asked for.
        forward, backward: the functions.
        shapes: the shape of each input, by name, in letters.
        lifted_forward, lifted_backward: the same two from a second copy of their module, whose NumPy makes balls.
    """

    name: str
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    shapes: Mapping[str, tuple[str, ...]]
    lifted_forward: Callable[..., Any]
    lifted_backward: Callable[..., Any]


@dataclass(frozen=True)
class SelfCheck:
    """One input's gradient.

    Attributes:
        name: the gradient.
        status: FAIL if it is not that of the forward pass.
        got, want: <gradient, v> by the backward and by the forward pass.
        resolution: the smallest difference that would have been seen, relative to the sum's terms.
    """

    name: str
    status: Status
    got: float
    want: float
    resolution: float


@dataclass(frozen=True)
class SelfVerdict:
    """What is known about a pair at one point.

    Attributes:
        sizes, seed: the point.
        checks: one an input.
        method: how it was checked.
        problem: what is wrong besides numbers; empty if nothing.
    """

    sizes: Mapping[str, int]
    seed: int
    checks: tuple[SelfCheck, ...]
    method: str
    problem: str = ""

    @property
    def status(self) -> Status:
        """FAIL if anything is wrong, INCONCLUSIVE if something could not be decided."""
        statuses = {check.status for check in self.checks}
        if self.problem or Status.FAIL in statuses:
            return Status.FAIL
        return Status.INCONCLUSIVE if Status.INCONCLUSIVE in statuses or not statuses else Status.PASS

    def __str__(self) -> str:
        return "".join(f"{letter}{size}" for letter, size in self.sizes.items()) + f":seed={self.seed}"


def make_pair(target: str, shapes: Mapping[str, str] | None = None) -> Pair:
    """Return the pair that a text names.

    Args:
        target: `path/to/file.py:forward,backward` or `package.module:forward,backward`.
        shapes: the shape of each input, such as {"x": "T B I"}; the module's `SHAPES` if None.

    Raises:
        ArgumentError: there is no such thing, or the shapes are not those of forward's arguments.
    """
    place, attributes = split_target(target)
    names = attributes.split(",")
    if len(names) != 2:
        raise ArgumentError("target", repr(target), "path/to/file.py:forward,backward")
    module = load_module(place)
    forward, backward = (attribute_of(module, place, name) for name in names)
    for name, function in zip(names, (forward, backward), strict=True):
        if not callable(function):
            raise ArgumentError(name, type(function).__name__, "a function")
    given = shapes or getattr(module, "SHAPES", None)
    arguments = tuple(inspect.signature(forward).parameters)
    if not isinstance(given, Mapping) or tuple(given) != arguments:
        wanted = f"one for each of {', '.join(arguments)}, by SHAPES = {{...}} in the file or --shape"
        raise ArgumentError("shapes", ", ".join(map(str, given)) if isinstance(given, Mapping) else given, wanted)
    letters = {name: tuple(str(shape).replace(",", " ").split()) for name, shape in given.items()}
    copy = copy_of(module)
    lift_module(copy)
    lifted_forward, lifted_backward = (attribute_of(copy, place, name) for name in names)
    return Pair(target, forward, backward, letters, lifted_forward, lifted_backward)


def selfcheck(pair: Pair, sizes: Mapping[str, int], seed: int) -> SelfVerdict:
    """Check a pair at one point.

    Args:
        pair: the functions.
        sizes: each letter's size.
        seed: what the inputs and cotangents are drawn from.
    """
    inputs = {name: INPUTS.draw(seed, name, _shape(letters, sizes)) for name, letters in pair.shapes.items()}
    try:
        return _by_balls(pair, inputs, sizes, seed)
    except Exception as error:  # anything at all may be wrong with somebody's code
        reason = f"{type(error).__name__}: {error}"
    try:
        checks = _by_differences(pair, inputs, seed)
    except Exception as error:  # then it is the code, not the lifting
        return SelfVerdict(sizes, seed, (), "float64", f"raised {type(error).__name__}: {error}")
    return SelfVerdict(sizes, seed, checks, f"differences in float64; not liftable to balls ({reason})")


def parse_point(pair: Pair, line: str) -> tuple[dict[str, int], int]:
    """Return the sizes and the seed of a line such as `B1H2I3T3:seed=1`.

    Raises:
        ArgumentError: it is not such a line, or its letters are not those of the shapes.
    """
    sizes = {letter: int(size) for letter, size in re.findall(r"([A-Za-z_]+)([0-9]+)", line.partition(":")[0])}
    if not re.fullmatch(r"([A-Za-z_]+[1-9][0-9]{0,3})*:seed=[0-9]{1,10}", line) or set(sizes) != set(_letters(pair)):
        raise ArgumentError("case", repr(line), "".join(f"{letter}2" for letter in _letters(pair)) + ":seed=7")
    return sizes, int(line.rpartition("=")[2])


def search(pair: Pair, max_examples: int, seed: int) -> tuple[SelfVerdict | None, list[SelfVerdict]]:
    """Check a pair at many points; return the smallest failure, if any, and the verdicts on all points before it."""
    seen: list[SelfVerdict] = []
    failing: list[SelfVerdict] = []
    letters = _letters(pair)

    def fails(point: tuple[list[int], int]) -> bool:
        sizes, drawn = point
        verdict = selfcheck(pair, dict(zip(letters, sizes, strict=True)), drawn)
        if not failing:
            seen.append(verdict)
        if verdict.status is Status.FAIL:
            failing.append(verdict)
        return verdict.status is Status.FAIL

    points = st.tuples(st.tuples(*(st.integers(1, LARGEST) for _ in letters)).map(list), st.integers(0, 2**32 - 1))
    settings = hypothesis.settings(
        max_examples=max_examples,
        phases=(Phase.generate, Phase.shrink),
        database=None,
        deadline=None,
        derandomize=False,  # whatever the profile around says: the seed decides
    )
    try:
        hypothesis.find(points, fails, settings=settings, random=Random(f"{seed}:self"))
    except NoSuchExample:
        return None, seen
    return failing[-1], seen


def _by_balls(pair: Pair, inputs: Mapping[str, Any], sizes: Mapping[str, int], seed: int) -> SelfVerdict:
    bits = FIRST_BITS
    while True:
        with precision(bits):
            checks = _compare(pair.lifted_forward, pair.lifted_backward, inputs, seed)
        last = 2 * bits > MOST_BITS
        if last or all(check.status is not Status.INCONCLUSIVE for check in checks):
            return SelfVerdict(sizes, seed, tuple(map(_no_number, checks)) if last else checks, f"balls of {bits} bits")
        bits *= 2


def _compare(
    forward: Callable[..., Any], backward: Callable[..., Any], inputs: Mapping[str, Any], seed: int
) -> tuple[SelfCheck, ...]:
    real = {name: balls(array) for name, array in inputs.items()}
    y, gradients = _run(forward, backward, real, seed)
    step = arb(2) ** -STEP_BITS
    checks = []
    for name, array in inputs.items():
        v = _direction(seed, name, array)
        stepped = balls(array)
        for index in np.ndindex(v.shape):
            stepped[index] = Ball(acb(arb(array[index]), step * arb(v[index])))
        moved, _ = _outputs(forward, backward, real | {name: stepped})
        weighted = [d * u for dy, out in zip(_cotangents(y, seed), moved, strict=True) for d, u in _pairs(dy, out)]
        want = sum((term.value.imag for term in weighted), start=arb(0)) / step
        terms = [g.value * arb(w) for g, w in _pairs(gradients[f"d{name}"], v)]
        got = sum(terms, start=arb(0))
        scale = sum((abs(term) for term in terms), start=arb(0)).upper()
        checks.append(_decide(f"d{name}", got, want, scale))
    return tuple(checks)


def _decide(name: str, got: arb, want: arb, scale: arb) -> SelfCheck:
    """Compare two balls; closer than 2^-500 of the sum's terms is equal."""
    scale = max(scale, abs(want).upper())
    close = scale * arb(2) ** -AGREE_BITS
    difference = abs(got - want)
    status = Status.INCONCLUSIVE  # so it stays while the ball of the difference straddles the limit
    if difference > close:
        status = Status.FAIL
    elif difference.is_finite() and difference <= close:
        status = Status.PASS
    resolution = float((difference.upper() + close) / scale) if scale > 0 else 0.0
    return SelfCheck(name, status, float(got.mid()), float(want.mid()), resolution)


def _no_number(check: SelfCheck) -> SelfCheck:
    """Return an undecided check as a failure if its gradient is NaN or infinite, and the forward pass is neither."""
    if check.status is Status.INCONCLUSIVE and np.isfinite(check.want) and not np.isfinite(check.got):
        return replace(check, status=Status.FAIL)
    return check


def _by_differences(pair: Pair, inputs: Mapping[str, Any], seed: int) -> tuple[SelfCheck, ...]:
    y, gradients = _run(pair.forward, pair.backward, inputs, seed)
    dy = _cotangents(y, seed)

    def along(name: str, v: Any, step: float) -> float:
        moved = [
            _outputs(pair.forward, pair.backward, {**inputs, name: inputs[name] + sign * step * v})[0]
            for sign in (1, -1)
        ]
        return sum(float(np.sum(d * (up - down))) for d, up, down in zip(dy, *moved, strict=True)) / (2 * step)

    checks = []
    for name, array in inputs.items():
        v = _direction(seed, name, array)
        estimates = [(4 * along(name, v, step / 2) - along(name, v, step)) / 3 for step in STEPS]
        want = float(np.mean(estimates))
        got = float(np.sum(gradients[f"d{name}"] * v))
        scale = float(np.sum(np.abs(gradients[f"d{name}"] * v))) or abs(want)
        rounding = array.size * U * scale  # of the sum that `got` is: each product once, and their additions
        noise = SCATTER * float(np.std(estimates)) + rounding
        status = Status.PASS if abs(got - want) <= noise else Status.FAIL
        checks.append(SelfCheck(f"d{name}", status, got, want, noise / scale if scale else 0.0))
    return tuple(checks)


def _run(
    forward: Callable[..., Any], backward: Callable[..., Any], inputs: Mapping[str, Any], seed: int
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the outputs, and the gradients by name."""
    y, rest = _outputs(forward, backward, inputs)
    cotangents = _cotangents(y, seed)
    lifted = tuple(balls(dy) if np.asarray(out).dtype == object else dy for dy, out in zip(cotangents, y, strict=True))
    returned = backward(lifted[0] if len(lifted) == 1 else lifted, *rest)
    if isinstance(returned, Mapping):
        gradients = dict(returned)
    else:
        listed = returned if isinstance(returned, tuple | list) else (returned,)
        gradients = {f"d{name}": gradient for name, gradient in zip(inputs, listed, strict=True)}
    for name, array in inputs.items():
        if f"d{name}" not in gradients:
            raise ValueError(f"backward returned no d{name}")
        if np.shape(gradients[f"d{name}"]) != np.shape(array):
            got, wanted = np.shape(gradients[f"d{name}"]), np.shape(array)
            raise ValueError(f"d{name}: got shape {got}, wanted {wanted}")
    return y, gradients


def _outputs(
    forward: Callable[..., Any], backward: Callable[..., Any], inputs: Mapping[str, Any]
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return the outputs, and what backward wants besides their cotangents: the cache, or the inputs again."""
    returned = forward(*(array.copy() for array in inputs.values()))
    rest: tuple[Any, ...] = tuple(inputs.values())
    _, *wanted = inspect.signature(backward).parameters
    if len(wanted) == 1 and wanted != list(inputs):
        returned, cache = returned
        rest = (cache,)
    return returned if isinstance(returned, tuple) else (returned,), rest


def _cotangents(y: Sequence[Any], seed: int) -> tuple[Any, ...]:
    return tuple(COTANGENTS.draw(seed, f"dy{k}", np.shape(out)) for k, out in enumerate(y))


def _direction(seed: int, name: str, array: Any) -> Any:
    rng = np.random.Generator(np.random.PCG64([seed, *name.encode()]))
    return rng.standard_normal(np.shape(array))


def _pairs(a: Any, b: Any) -> list[tuple[Any, Any]]:
    """Return the elements of two arrays of one shape, together; those of the first as balls if either has any."""
    a, b = np.asarray(a), np.asarray(b)
    if object in (a.dtype, b.dtype):
        a = balls(a)
    return list(zip(a.ravel(), b.ravel(), strict=True))


def _letters(pair: Pair) -> list[str]:
    return sorted({letter for shape in pair.shapes.values() for letter in shape if not letter.isdigit()})


def _shape(letters: tuple[str, ...], sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(int(letter) if letter.isdigit() else sizes[letter] for letter in letters)
