"""A cell that nobody here knows, checked against itself: clean ones pass to a hundred digits, planted mistakes fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosscheck import ArgumentError, Status
from crosscheck.selfcheck import AGREE_BITS, Pair, SelfVerdict, make_pair, search, selfcheck

# A check passes when two balls are closer than 2^-AGREE_BITS of the sum's terms, and states what it could have missed:
# that and how far apart they are, so twice as much at most. 150 digits.
SEEN = 2.0 ** (1 - AGREE_BITS)
SMALL = 1e-5  # a fault planted below in code that can't be lifted, which differences have to see at every point

# A minimal gated unit, in the way that people write: buffers of floats, a case split in the sigmoid, einsum.
MGU = """
import numpy as np

SHAPES = {"x": "T B I", "h_0": "B H", "W_f": "H I", "U_f": "H H", "W_h": "H I", "U_h": "H H"}


def sigmoid(a):
    e = np.exp(-np.abs(a))
    return np.where(a >= 0, 1 / (1 + e), e / (1 + e))


def forward(x, h_0, W_f, U_f, W_h, U_h):
    T, B, H = x.shape[0], x.shape[1], h_0.shape[1]
    h, f, n = np.zeros((T + 1, B, H)), np.zeros((T, B, H), dtype=np.float64), np.empty((T, B, H))
    h[0] = h_0
    for t in range(T):
        f[t] = sigmoid(np.einsum("bi,hi->bh", x[t], W_f) + h[t] @ U_f.T)
        n[t] = np.tanh(np.dot(x[t], W_h.T) + (f[t] * h[t]) @ U_h.T)
        h[t + 1] = (1 - f[t]) * h[t] + f[t] * n[t]
    return h[1:], (x, h, f, n, W_f, U_f, W_h, U_h)


def backward(dy, cache):
    x, h, f, n, W_f, U_f, W_h, U_h = cache
    dx = np.zeros_like(x)
    dW_f, dU_f, dW_h, dU_h = np.zeros(W_f.shape), np.zeros(U_f.shape), np.zeros(W_h.shape), np.zeros(U_h.shape)
    dh = np.zeros(dy[0].shape)
    for t in reversed(range(len(dy))):
        dh = dh + dy[t]
        da_n = dh * f[t] * (1 - n[t] ** 2)
        ds = da_n @ U_h
        da_f = (dh * (n[t] - h[t]) + ds * h[t]) * f[t] * (1 - f[t])
        dx[t] = da_n @ W_h + da_f @ W_f
        dW_h += np.einsum("bh,bi->hi", da_n, x[t])
        dU_h += da_n.T @ (f[t] * h[t])
        dW_f += da_f.T @ x[t]
        dU_f += da_f.T @ h[t]
        dh = dh * (1 - f[t]) + ds * f[t] + da_f @ U_f
    return dx, dh, dW_f, dU_f, dW_h, dU_h
"""

# The same with another interface: backward gets the inputs again, and returns its gradients by name.
BY_NAME = MGU.replace(
    "def backward(dy, cache):\n    x, h, f, n, W_f, U_f, W_h, U_h = cache",
    "def backward(dy, x, h_0, W_f, U_f, W_h, U_h):\n    _, (x, h, f, n, *_) = run(x, h_0, W_f, U_f, W_h, U_h)",
)
BY_NAME = BY_NAME.replace("def forward(", "def run(").replace(
    "def backward(", "def forward(*arrays):\n    return run(*arrays)[0]\n\n\ndef backward("
)
BY_NAME = BY_NAME.replace("def forward(*arrays):", "def forward(x, h_0, W_f, U_f, W_h, U_h):").replace(
    "return run(*arrays)[0]", "return run(x, h_0, W_f, U_f, W_h, U_h)[0]"
)
BY_NAME = BY_NAME.replace(
    "return dx, dh, dW_f, dU_f, dW_h, dU_h",
    'return {"dU_h": dU_h, "dU_f": dU_f, "dW_h": dW_h, "dW_f": dW_f, "dh_0": dh, "dx": dx}',
)

# Two outputs: all states, and the last one with a gradient of its own.
TWO_OUTPUTS = (
    MGU.replace("return h[1:], (x", "return (h[1:], h[-1] * h[-1]), (x")
    .replace("def backward(dy, cache):", "def backward(dys, cache):\n    dy, dlast = dys")
    .replace("dh = np.zeros(dy[0].shape)", "dh = 2 * h[-1] * dlast")
)

# What python-flint's numbers can't go through.
UNLIFTABLE = """
import math

import numpy as np

SHAPES = {"x": "T", "h_0": "", "w": "", "u": ""}


def forward(x, h_0, w, u):
    h = [float(h_0)]
    for x_t in x:
        a = float(w * x_t + u * h[-1])
        h.append(1 - 2 / (1 + math.exp(2 * a)))
    return np.array(h[1:]), (x, h, w, u)


def backward(dy, cache):
    x, h, w, u = cache
    dx, dw, du, dh = np.zeros(len(x)), 0.0, 0.0, 0.0
    for t in reversed(range(len(x))):
        da = (dh + dy[t]) * (1 - h[t + 1] ** 2)
        dx[t] = da * w
        dw += da * x[t]
        du += da * h[t]
        dh = da * u
    return dx, dh, dw, du
"""

Make = Callable[[str], Pair]


@pytest.fixture
def pair(tmp_path: Path) -> Make:
    """`(source) -> its forward and backward`."""

    def make(source: str) -> Pair:
        path = tmp_path / "cell.py"
        path.write_text(source, encoding="utf-8")
        return make_pair(f"{path}:forward,backward")

    return make


def wrong(verdict: SelfVerdict) -> set[str]:
    return {check.name for check in verdict.checks if check.status is Status.FAIL}


def replaced(source: str, old: str, new: str) -> str:
    assert source.count(old) == 1, old
    return source.replace(old, new)


@pytest.mark.parametrize("source", [MGU, BY_NAME, TWO_OUTPUTS], ids=["cache", "by name", "two outputs"])
def test_a_clean_cell_passes_to_a_hundred_digits(source: str, pair: Make) -> None:
    failing, seen = search(pair(source), max_examples=15, seed=0)
    assert failing is None
    assert len(seen) == 15
    for verdict in seen:
        assert verdict.status is Status.PASS
        assert verdict.method.startswith("balls of ")
        assert [check.name for check in verdict.checks] == ["dx", "dh_0", "dW_f", "dU_f", "dW_h", "dU_h"]
        assert max(check.resolution for check in verdict.checks) <= SEEN


MISTAKES: dict[str, tuple[str, str, set[str]]] = {
    # with T, B, I, H >= 2 each is visible in these gradients and no other
    "a bias-like sum over one step": ("dW_f += da_f.T @ x[t]", "dW_f = da_f.T @ x[t]", {"dW_f"}),
    "the wrong state": ("dU_h += da_n.T @ (f[t] * h[t])", "dU_h += da_n.T @ h[t]", {"dU_h"}),
    "h off by one": ("dU_f += da_f.T @ h[t]", "dU_f += da_f.T @ h[t + 1]", {"dU_f"}),
    "a path to x missing": ("da_n @ W_h + da_f @ W_f", "da_n @ W_h", {"dx"}),
    "the mean for the sum": (
        'dW_h += np.einsum("bh,bi->hi", da_n, x[t])',
        'dW_h += np.einsum("bh,bi->hi", da_n, x[t]) / len(x[t])',
        {"dW_h"},
    ),
    "the carry dropped": ("ds * f[t] + da_f @ U_f", "0 * ds", {"dx", "dh_0", "dW_f", "dU_f", "dW_h", "dU_h"}),
    "a last line off by 1e-12": ("return dx, dh, dW_f", "return dx * (1 + 1e-12), dh, dW_f", {"dx"}),
    "the state's gradient of a later step": ("return dx, dh, dW_f", "return dx, dh * 0, dW_f", {"dh_0"}),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_fails_by_name(mistake: str, pair: Make) -> None:
    old, new, names = MISTAKES[mistake]
    verdict = selfcheck(pair(replaced(MGU, old, new)), {"T": 3, "B": 2, "I": 2, "H": 3}, seed=1)
    assert verdict.status is Status.FAIL
    assert verdict.problem == ""
    assert wrong(verdict) == names
    for check in verdict.checks:
        assert check.resolution <= SEEN or check.status is Status.FAIL


ONE_ELEMENT = replaced(MGU, "    return dx, dh, dW_f", "    dU_f[0, -1] *= 1 + 1e-12\n    return dx, dh, dW_f")


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))
def test_one_element_off_by_1e_12_fails(
    tmp_path_factory: pytest.TempPathFactory, seed: int, T: int, B: int, H: int
) -> None:
    path = tmp_path_factory.mktemp("cell") / "cell.py"
    path.write_text(ONE_ELEMENT, encoding="utf-8")
    verdict = selfcheck(make_pair(f"{path}:forward,backward"), {"T": T, "B": B, "I": 2, "H": H}, seed)
    assert wrong(verdict) == {"dU_f"}


def test_a_failure_is_the_smallest(pair: Make) -> None:
    failing, seen = search(pair(replaced(MGU, *MISTAKES["h off by one"][:2])), max_examples=20, seed=3)
    assert failing is not None
    assert wrong(failing) == {"dU_f"}
    assert (set(failing.sizes.values()), failing.seed) == ({1}, 0)
    assert str(failing) == "B1H1I1T1:seed=0"
    assert all(verdict.status is Status.PASS for verdict in seen[:-1])
    assert seen[-1].status is Status.FAIL


def test_a_mistake_in_the_carry_needs_two_steps(pair: Make) -> None:
    verdict, _ = search(pair(replaced(MGU, "dx[t] = da_n", "dx[t] = (t == 0) * dx[t] + da_n")), 10, 0)
    assert verdict is None  # as planted it does nothing: dx[t] is 0
    stale = replaced(MGU, "        dh = dh + dy[t]", "        dh = dh * (t != 0) + dy[t]")
    failing, _ = search(pair(stale), max_examples=20, seed=0)
    assert failing is not None
    assert failing.sizes["T"] == 2


# Code that can't be lifted.


def test_unliftable_code_is_checked_by_differences(pair: Make) -> None:
    failing, seen = search(pair(UNLIFTABLE), max_examples=30, seed=0)
    assert failing is None
    assert len(seen) == 30
    for verdict in seen:
        assert verdict.method.startswith("differences in float64; not liftable to balls (TypeError:")
        assert verdict.status is Status.PASS
        assert 0 < max(check.resolution for check in verdict.checks) < SMALL


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("dh = da * u", "dh = 0.0", {"dx", "dh_0", "dw", "du"}),
        ("du += da * h[t]", "du = da * h[t]", {"du"}),
        ("dx[t] = da * w", f"dx[t] = da * w * (1 + {SMALL})", {"dx"}),
    ],
)
def test_a_mistake_in_unliftable_code_fails(old: str, new: str, names: set[str], pair: Make) -> None:
    verdict = selfcheck(pair(replaced(UNLIFTABLE, old, new)), {"T": 4}, seed=2)
    assert wrong(verdict) == names
    failing, _ = search(pair(replaced(UNLIFTABLE, old, new)), max_examples=20, seed=0)
    assert failing is not None


def test_one_input_given_again_is_no_cache(pair: Make) -> None:
    source = """
import numpy as np

SHAPES = {"x": "N"}


def forward(x):
    return np.tanh(x)


def backward(dy, x):
    return dy * (1 - np.tanh(x) ** 2)
"""
    verdict = selfcheck(pair(source), {"N": 3}, seed=0)
    assert (verdict.status, verdict.problem) == (Status.PASS, "")


# Whatever else is wrong is an ArgumentError or a verdict, never a traceback.

PROBLEMS: dict[str, tuple[str, str, str]] = {
    "a shape too long": ("W_f.shape), np", "W_f.shape + (1,)), np", "dW_f"),
    "too few gradients": ("dW_h, dU_h\n", "dW_h\n", "shorter"),
    "no cache": ("h[1:], (x, h, f, n, W_f, U_f, W_h, U_h)", "h[1:]", ""),
    "an index beyond the end": ("(f[t] * h[t])\n", "(f[t] * h[t + 9])\n", "IndexError"),
    "a key that is not there": ("dh = np.zeros(dy[0].shape)", "dh = {}['dh']", "KeyError: 'dh'"),
    "an error of its own": ("dh = np.zeros(dy[0].shape)", "raise RuntimeError('no')", "RuntimeError: no"),
    "a division by zero": ("dh = np.zeros(dy[0].shape)", "dh = 1 // 0", "ZeroDivisionError"),
    "nothing returned": ("return dx, dh, dW_f, dU_f, dW_h, dU_h", "pass", ""),
    "text returned": ("return dx, dh, dW_f, dU_f, dW_h, dU_h", "return 'dx', 'dh', 'a', 'b', 'c', 'd'", "dx"),
    "a name missing": ("return dx, dh, dW_f, dU_f, dW_h, dU_h", "return {'dx': dx}", "backward returned no dh_0"),
    "a forward pass that raises": ("f[t] = sigmoid(", "f[t] = sigmoid(None + ", "TypeError"),
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_is_wrong_besides_numbers_is_said(problem: str, pair: Make) -> None:
    old, new, said = PROBLEMS[problem]
    failing, _ = search(pair(replaced(MGU, old, new)), max_examples=5, seed=0)
    assert failing is not None
    assert failing.status is Status.FAIL
    assert failing.problem.startswith("raised ")
    assert said in failing.problem
    assert failing.checks == ()


def test_shapes_that_do_not_fit_the_code_are_a_verdict(pair: Make) -> None:
    failing, _ = search(pair(replaced(MGU, '"W_f": "H I"', '"W_f": "I H"')), max_examples=20, seed=0)
    assert failing is not None
    assert failing.problem.startswith("raised ValueError")


@pytest.mark.parametrize("value", ["np.nan", "np.inf"])
def test_a_gradient_that_is_no_number_is_not_passed(value: str, pair: Make) -> None:
    failing, _ = search(
        pair(replaced(MGU, "    return dx, dh, dW_f", f"    dx[0, 0, 0] = {value}\n    return dx, dh, dW_f")), 3, 0
    )
    assert failing is not None
    assert wrong(failing) == {"dx"}


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ("", "None"),
        ("SHAPES = {'x': 'T B I'}", "x"),
        ("SHAPES = {'h_0': 'B H', 'x': 'T B I', 'W_f': 'H I', 'U_f': 'H H', 'W_h': 'H I', 'U_h': 'H H'}", "h_0, x"),
        ("SHAPES = ('x', 'h_0', 'W_f', 'U_f', 'W_h', 'U_h')", "shapes"),
    ],
)
def test_wrong_shapes_are_an_argument_error(shapes: str, said: str, pair: Make) -> None:
    line = next(line for line in MGU.splitlines() if line.startswith("SHAPES"))
    with pytest.raises(ArgumentError, match=said):
        pair(replaced(MGU, line, shapes))


def test_shapes_can_be_given(tmp_path: Path) -> None:
    line = next(line for line in MGU.splitlines() if line.startswith("SHAPES"))
    path = tmp_path / "cell.py"
    path.write_text(replaced(MGU, line, ""), encoding="utf-8")
    shapes = {"x": "T, B, 2", "h_0": "B H", "W_f": "H 2", "U_f": "H H", "W_h": "H 2", "U_h": "H H"}
    verdict = selfcheck(make_pair(f"{path}:forward,backward", shapes), {"T": 2, "B": 1, "H": 2}, seed=4)
    assert verdict.status is Status.PASS


@pytest.mark.parametrize("attributes", ["forward", "forward,backward,more", "forwards,backward", ""])
def test_a_target_that_names_no_pair_is_an_argument_error(attributes: str, tmp_path: Path) -> None:
    path = tmp_path / "cell.py"
    path.write_text(MGU, encoding="utf-8")
    with pytest.raises(ArgumentError):
        make_pair(f"{path}:{attributes}")


def test_what_is_no_function_is_an_argument_error(pair: Make) -> None:
    with pytest.raises(ArgumentError):
        pair(MGU + "\nforward = 3\n")


def test_lifting_leaves_the_original_alone(pair: Make) -> None:
    import numpy as np

    made = pair(MGU)
    selfcheck(made, {"T": 2, "B": 1, "I": 1, "H": 1}, seed=0)
    assert made.forward.__globals__["np"] is np
    assert made.lifted_forward.__globals__["np"] is not np
