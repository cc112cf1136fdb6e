"""Mistakes planted in copies of the package: each must be found by the checks of `test_stack.py`.

F7 to F12 are families of mistakes that people made in public: initial and final states, lengths, directions, layers,
memory, dropout masks.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PACKAGE = HERE.parents[1] / "manual_rnn"
COPY = "manual_rnn_with_a_mistake"


@dataclass(frozen=True)
class Mutant:
    """A text in a file of the package, there exactly once, and what a mistaken belief makes of it."""

    name: str
    file: str
    right: str
    wrong: str


MUTANTS = [
    # F7, F10: initial and final states, slices of layers
    Mutant("initial states of layers swapped", "stack.py", "state[k, order.rows]", "state[-1 - k, order.rows]"),
    Mutant(
        "gradients of final states of layers swapped",
        "stack.py",
        "dstate_n[k, order.rows]",
        "dstate_n[-1 - k, order.rows]",
    ),
    Mutant("gradient of the final cell state lost", "unroll.py", "n:] = dstate[last, n:]", "n:] = 0"),
    Mutant("gradient of the final state lost", "unroll.py", "dh[first:last, n:] += dh[last, n:]", "pass"),
    # F8: lengths, sorting
    Mutant("final state zero after the end", "unroll.py", "n:] = state[first, n:]", "n:] = 0"),
    Mutant("initial states not sorted", "stack.py", "state[k, order.rows]", "state[k]"),
    Mutant("final states not put back", "stack.py", "state_n[k, order.rows] = state", "state_n[k] = state"),
    Mutant(
        "gradients of final states not sorted",
        "stack.py",
        "dstate_n[k, order.rows]",
        "dstate_n[k]",
    ),
    Mutant("gradients of initial states not put back", "stack.py", "dstate_0[k, order.rows]", "dstate_0[k]"),
    Mutant("the order for its inverse", "lengths.py", "rows=order", "rows=place"),
    Mutant("outputs put back by the order", "lengths.py", "back=(step, place)", "back=(step, order)"),
    Mutant("shortest first", "lengths.py", "np.argsort(-length", "np.argsort(length"),
    Mutant("one step too few", "lengths.py", "lengths > first", "lengths > first + 1"),
    Mutant("output after the end is the state", "unroll.py", "        y[first:last, n:] = 0", "        pass"),
    Mutant("gradient in the padding not zero", "unroll.py", "da[first:last, n:] = 0", "da[first:last, n:] = 1"),
    Mutant("padding is read", "lengths.py", "result[self.valid] = array[self.valid]", "result[...] = array"),
    # F9: directions
    Mutant(
        "output not re-reversed", "stack.py", "unroll.outputs(tape, batch.schedule)[order.back]", "tape.states[0][1:]"
    ),
    Mutant(
        "reversed over all of T",
        "lengths.py",
        "np.where(steps < length, length - 1 - steps, steps)",
        "np.broadcast_to(T - 1 - steps, (T, B))",
    ),
    Mutant("gradient of the output not reversed", "stack.py", "dh[order.there]", "dh"),
    Mutant("gradient of the input not re-reversed", "stack.py", "g.dx[order.back]", "g.dx"),
    Mutant("input not reversed", "stack.py", "x[order.there], in_order", "x, in_order"),
    Mutant("one direction's gradient overwrites", "stack.py", "reduce(np.add, shares)", "shares[-1]"),
    Mutant(
        "forward weights for both",
        "stack.py",
        "unroll.forward(cell, weights[k]",
        "unroll.forward(cell, weights[k - k % directions]",
    ),
    Mutant("reverse comes first", "stack.py", "Merge(joined, blocks)", "Merge(lambda h: joined(h[::-1]), blocks)"),
    # F11: memory
    Mutant(
        "gradient of the output added to in place", "unroll.py", "dh[-1] += dy[-1]", "dy[-1] += dh[-1]; dh[-1] = dy[-1]"
    ),
    # F12: masks
    Mutant("no mask backward", "stack.py", "dy = dx if mask is None else dx * mask", "dy = dx"),
    Mutant("mask of another layer backward", "stack.py", "mask = masks[layer]", "mask = masks[-layer]"),
    Mutant("mask of the first step for all", "stack.py", "else y * mask", "else y * mask[:1]"),
    Mutant(
        "weights from the undropped input",
        "stack.py",
        "passes.append(Pass(weights[k], order, tape))",
        "passes.append(Pass(weights[k], order, tape._replace(x=y[order.there])))",
    ),
]


@pytest.fixture(scope="module")
def checks() -> Any:
    """`test_stack.py` as a module."""
    spec = importlib.util.spec_from_file_location("checks_of_stacks", HERE / "test_stack.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Mutant | None], Any]]:
    """`(mutant) -> a copy of the package with it`, imported under another name."""

    def plant(mutant: Mutant | None) -> Any:
        for path in PACKAGE.rglob("*.py"):
            text = path.read_text().replace("from manual_rnn", f"from {COPY}")
            name = path.relative_to(PACKAGE).as_posix()
            if mutant is not None and name == mutant.file:
                assert text.count(mutant.right) == 1, f"{mutant.name} no longer applies"
                text = text.replace(mutant.right, mutant.wrong)
            target = tmp_path / COPY / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        return importlib.import_module(COPY)

    yield plant
    for name in [name for name in sys.modules if name.partition(".")[0] == COPY]:
        del sys.modules[name]


@pytest.fixture
def check(checks: Any, balls: Any, assert_same: Any) -> Callable[[Any], None]:
    """`(package) -> None`: AssertionError if one of the checks finds something."""

    def run(network: Any) -> None:
        for lengths in (None, [2, 1, 4], [0, 3, 3]):  # the second is sorted by a permutation that is not its inverse
            for L, D in ((1, 1), (1, 2), (2, 1), (3, 2)):
                checks.check_exactly(checks.draw("rnn_relu", L, D, lengths=lengths, seed=1), network)
        checks.check_padding(checks.draw("rnn_relu", T=5, lengths=[2, 4, 0]), 3.0, network)
        checks.check_in_balls(checks.draw("lstm", T=3, lengths=[2, 1, 3]).map(balls), assert_same, network)
        problem = checks.draw("rnn_relu", lengths=None)
        before = problem.cotangents["dy"].tobytes()
        problem.results(network)
        assert problem.cotangents["dy"].tobytes() == before

    return run


def test_the_clean_copy_passes(planted: Callable[[Mutant | None], Any], check: Callable[[Any], None]) -> None:
    network = planted(None)
    assert network.__name__ == COPY
    assert network.forward.__module__.startswith(COPY)
    check(network)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mistake_is_found(
    mutant: Mutant, planted: Callable[[Mutant | None], Any], check: Callable[[Any], None]
) -> None:
    network = planted(mutant)
    with pytest.raises(AssertionError):
        check(network)
