"""How long one forward and backward pass takes: manual_rnn against torch.nn, and torch_rnn beside them.

    python benchmarks/speed.py                         every cell, dtype and size, on all cores
    python benchmarks/speed.py --threads 1 --cell lstm --dtype float32 --max-size 32
    python benchmarks/speed.py --no-torch-rnn --json speed.json

All sides do the same work on the same numbers with the same number of threads: the outputs, and the gradients of the
input, of the initial states and of every parameter for one random dy. Each row is first checked to agree (`check`), so
that no wrong code is timed. Then the sides take turns: in a round each waits until the threads of the side before have
gone to sleep, runs once unmeasured, so that it finds its own threads awake and its own memory in the cache, and then
for some milliseconds measured; a row shows the medians over the rounds. A ratio below 1 says that manual_rnn is faster.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from rich.console import Console
from rich.table import Table

import manual_rnn
from torch_rnn import Recurrent

CELLS = {"rnn_tanh": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
DTYPES = {"float32": torch.float32, "float64": torch.float64}
SIZES = (
    (4, 1, 1, 5),
    (20, 4, 8, 16),
    (50, 8, 32, 32),
    (100, 16, 32, 64),
    (100, 32, 128, 128),
    (100, 32, 256, 256),
    (50, 64, 512, 512),
)
PARAMS = {"W_xh": "weight_ih_l0", "W_hh": "weight_hh_l0", "b_xh": "bias_ih_l0", "b_hh": "bias_hh_l0"}
BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
MEASURED = 0.005  # seconds a round and side, at least; one run where that takes longer
SETTLED = 0.05  # seconds after which the other side's threads sleep: OpenBLAS's spin for 2^26 cycles after each product
ROUNDS = 3  # at least, whatever the budget

Arrays = dict[str, Any]
Side = Callable[[], Arrays]


@dataclass(frozen=True)
class Row:
    """One line of the table; times in seconds, medians."""

    cell: str
    dtype: str
    T: int
    B: int
    I: int
    H: int
    threads: int
    rounds: int
    manual: float
    torch_nn: float
    torch_rnn: float | None
    ratio: float


@dataclass(frozen=True)
class Problem:
    """The numbers of one row: `inputs` (x, h_0 and c_0), `params` by name, and `dy`."""

    cell: str
    inputs: Arrays
    params: Arrays
    dy: np.ndarray

    def map(self, f: Callable[[np.ndarray], np.ndarray]) -> Problem:
        """Return the problem with `f` applied to every array."""
        inputs = {name: f(array) for name, array in self.inputs.items()}
        params = {name: f(array) for name, array in self.params.items()}
        return Problem(self.cell, inputs, params, f(self.dy))


def draw(cell: str, dtype: str, T: int, B: int, I: int, H: int) -> Problem:
    """Return a random problem; weights are uniform in +-1/sqrt(H), torch's default."""
    rng = np.random.default_rng([T, B, I, H])
    GH = manual_rnn.CELLS[cell].num_gates * H
    inputs = {"x": (T, B, I)} | {f"{state}_0": (1, B, H) for state in manual_rnn.CELLS[cell].states}
    params = {"W_xh": (GH, I), "W_hh": (GH, H), "b_xh": (GH,), "b_hh": (GH,)}
    return Problem(
        cell,
        {name: rng.standard_normal(shape).astype(dtype) for name, shape in inputs.items()},
        {name: rng.uniform(-(H**-0.5), H**-0.5, shape).astype(dtype) for name, shape in params.items()},
        rng.standard_normal((T, B, H)).astype(dtype),
    )


def manual_side(problem: Problem) -> Side:
    """Return manual_rnn's forward and backward pass."""

    def run() -> Arrays:
        tape = manual_rnn.forward(problem.cell, problem.params, **problem.inputs)
        return {"y": tape.y} | manual_rnn.backward(tape, dy=problem.dy)

    return run


def torch_side(problem: Problem, module: torch.nn.Module, params: dict[str, torch.nn.Parameter], nested: bool) -> Side:
    """Return the forward and backward pass of a torch module.

    Args:
        problem: its numbers, which are copied into `params`.
        module: called with x and the initial states.
        params: the module's parameters by their names here.
        nested: whether the module takes and returns an LSTM's two states as one tuple, as torch.nn does.
    """
    for name, parameter in params.items():
        parameter.data.copy_(torch.from_numpy(problem.params[name]))
    inputs = {name: torch.from_numpy(array).requires_grad_() for name, array in problem.inputs.items()}
    x, *states = inputs.values()
    arguments = (x, tuple(states)) if nested and len(states) > 1 else (x, *states)
    dy = torch.from_numpy(problem.dy)
    names = ["d" + name for name in (*inputs, *params)]

    def run() -> Arrays:
        y = module(*arguments)[0]
        gradients = torch.autograd.grad(y, [*inputs.values(), *params.values()], dy)
        return {"y": y.detach().numpy()} | dict(zip(names, (g.numpy() for g in gradients), strict=True))

    return run


def torch_nn_side(problem: Problem) -> Side:
    """Return the forward and backward pass of torch.nn.RNN, GRU or LSTM."""
    I, H = problem.params["W_xh"].shape[1], problem.params["W_hh"].shape[1]
    module = CELLS[problem.cell](I, H, dtype=DTYPES[problem.dy.dtype.name])
    return torch_side(problem, module, {name: getattr(module, PARAMS[name]) for name in problem.params}, nested=True)


def torch_rnn_side(problem: Problem) -> Side:
    """Return the forward and backward pass of torch_rnn."""
    I, H = problem.params["W_xh"].shape[1], problem.params["W_hh"].shape[1]
    module = Recurrent(problem.cell, I, H, dtype=DTYPES[problem.dy.dtype.name])
    return torch_side(problem, module, {name: getattr(module, name) for name in problem.params}, nested=False)


def check(problem: Problem, sides: dict[str, Side]) -> None:
    """Check that all sides agree as closely as rounding lets two right implementations agree.

    The longest sum in a row has n = I + H + 2 + T*B terms. Summing n terms is as wrong as changing each term by n u
    relative at worst and by about sqrt(n) u as a rule, with u the unit roundoff. So `s`, how far the result moves when
    every number of the problem is changed by up to sqrt(n) u relative (root mean square of the largest change, over 8
    draws in the same precision), is how far rounding moves it, amplified by this very network. Two results may differ
    by 8 s, as in `crosscheck.referee.truth`, plus n u of the largest element for sums whose changes all but cancel.

    Raises:
        click.ClickException: they differ by more.
    """
    T, B, I = problem.inputs["x"].shape
    H = problem.dy.shape[2]
    n = I + H + 2 + T * B
    u = float(np.finfo(problem.dy.dtype).eps) / 2
    rng = np.random.default_rng(n)

    def changed(array: np.ndarray) -> np.ndarray:
        factors: np.ndarray = 1 + n**0.5 * u * rng.uniform(-1, 1, array.shape)
        moved: np.ndarray = (array * factors).astype(array.dtype)
        return moved

    results = {name: side() for name, side in sides.items()}
    moved = [manual_side(problem.map(changed))() for _ in range(8)]
    for name, want in results["manual"].items():
        s = np.sqrt(np.mean([np.max(np.abs(result[name] - want)) ** 2 for result in moved]))
        bound = 8 * s + n * u * np.max(np.abs(want))
        for side, result in results.items():
            error = np.max(np.abs(result[name] - want))
            if not error <= bound:
                raise click.ClickException(f"{side} and manual differ in {name} by {error:.2g}, wanted {bound:.2g}")


def measure(sides: dict[str, Side], repeats: int, budget: float) -> tuple[dict[str, float], int]:
    """Return the median seconds of each side, and the number of rounds.

    torch_rnn leaves the rounds once it has had its minimum of them and a third of the budget.
    """
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    start = time.perf_counter()
    for done in range(repeats):
        elapsed = time.perf_counter() - start
        if done >= ROUNDS and elapsed > budget:
            break
        for name, side in sides.items():
            if name == "torch_rnn" and done >= ROUNDS and elapsed > budget / 3:
                continue
            seconds[name].append(once(side))
    return {name: statistics.median(times) for name, times in seconds.items()}, len(seconds["manual"])


def once(side: Side) -> float:
    """Return the seconds that one run takes, after one that is not measured; no garbage collection, as in `timeit`."""
    time.sleep(SETTLED)
    side()
    gc.disable()
    runs, start = 0, time.perf_counter()
    while True:
        side()
        runs += 1
        elapsed = time.perf_counter() - start
        if elapsed >= MEASURED:
            break
    gc.enable()
    return elapsed / runs


def rows(cells: list[str], dtypes: list[str], max_size: int, options: Options) -> Iterator[Row]:
    """Check and measure, row by row."""
    for cell in cells:
        for dtype in dtypes:
            for T, B, I, H in SIZES:
                if max_size < H:
                    continue
                problem = draw(cell, dtype, T, B, I, H)
                sides = {"manual": manual_side(problem), "torch_nn": torch_nn_side(problem)}
                if options.torch_rnn:
                    sides["torch_rnn"] = torch_rnn_side(problem)
                check(problem, sides)
                medians, rounds = measure(sides, options.repeats, options.budget)
                manual, torch_nn = medians["manual"], medians["torch_nn"]
                torch_rnn = medians.get("torch_rnn")
                ratio = manual / torch_nn
                yield Row(cell, dtype, T, B, I, H, options.threads, rounds, manual, torch_nn, torch_rnn, ratio)


@dataclass(frozen=True)
class Options:
    """What the command line says about every row."""

    threads: int
    repeats: int
    budget: float
    torch_rnn: bool


def limit_threads(threads: int) -> None:
    """Give torch and NumPy's BLAS that many threads; the BLAS reads its number once, so Python starts anew."""
    wanted = dict.fromkeys(BLAS_THREADS, str(threads))
    if any(os.environ.get(name) != number for name, number in wanted.items()):
        sys.stdout.flush()
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | wanted)
    torch.set_num_threads(threads)


def table(done: list[Row]) -> Table:
    """Return the rows as a table, in milliseconds."""
    result = Table("cell", "dtype", title=f"forward and backward, {done[0].threads} threads, medians")
    for name in ("T", "B", "I", "H", "manual ms", "torch.nn ms", "torch_rnn ms", "manual / torch.nn", "rounds"):
        result.add_column(name, justify="right")
    for row in done:
        torch_rnn = "" if row.torch_rnn is None else f"{row.torch_rnn * 1e3:.3f}"
        result.add_row(
            row.cell,
            row.dtype,
            *(str(size) for size in (row.T, row.B, row.I, row.H)),
            f"{row.manual * 1e3:.3f}",
            f"{row.torch_nn * 1e3:.3f}",
            torch_rnn,
            f"[{'green' if row.ratio < 1 else 'red'}]{row.ratio:.2f}[/]",
            str(row.rounds),
        )
    return result


@click.command(help=__doc__.splitlines()[0] if __doc__ else None)
@click.option(
    "--threads", type=click.IntRange(1), default=os.cpu_count() or 1, show_default=True, help="For all sides."
)
@click.option("--repeats", type=click.IntRange(1), default=31, show_default=True, help="Rounds a row, at most.")
@click.option("--budget", type=float, default=2.0, show_default=True, help="Seconds a row; 3 rounds are always done.")
@click.option("--cell", "cells", type=click.Choice(list(CELLS)), multiple=True, help="Again for more; default: all.")
@click.option("--dtype", "dtypes", type=click.Choice(list(DTYPES)), multiple=True, help="Again for more; default: all.")
@click.option("--max-size", type=click.IntRange(1), default=512, show_default=True, help="Leave out larger H.")
@click.option("--torch-rnn/--no-torch-rnn", default=True, show_default=True, help="Time torch_rnn too.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the rows there as well.")
def main(
    threads: int,
    repeats: int,
    budget: float,
    cells: tuple[str, ...],
    dtypes: tuple[str, ...],
    max_size: int,
    torch_rnn: bool,
    file: Path | None,
) -> None:
    """Measure, and print the table."""
    limit_threads(threads)
    options = Options(threads, repeats, budget, torch_rnn)
    console = Console(stderr=True)
    done = []
    with console.status("checking and measuring") as status:
        for row in rows(list(cells or CELLS), list(dtypes or DTYPES), max_size, options):
            done.append(row)
            status.update(f"{row.cell} {row.dtype} T{row.T} B{row.B} I{row.I} H{row.H}: {row.ratio:.2f}")
    if not done:
        raise click.UsageError("no size is left")
    Console(width=None if sys.stdout.isatty() else 120).print(table(done))
    if file is not None:
        file.write_text(json.dumps([asdict(row) for row in done], indent=1) + "\n")


if __name__ == "__main__":
    main()
