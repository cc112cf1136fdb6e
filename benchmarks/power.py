"""How much each checker sees: rnn-crosscheck, torch's gradcheck and assert_close, np.allclose, on the same mistakes.

    python benchmarks/power.py                       200 cases
    python benchmarks/power.py --cases 100000 --gradcheck-every 50 --json power.json

A case is a tanh layer with weights of size 0.01 to 10, inputs of 0.001 to 1000, up to 50 steps, in float32 or float64:
benign, saturated and chaotic ones among them. Each is given to the checkers twice: computed by a plain NumPy network
that is right, where every complaint is a false alarm, and by the same network with one planted mistake. A mistake that
moves no gradient by more than rounding does can't be seen by anybody; so the misses of rnn-crosscheck are those above
the resolution that it stated, and the share below it has a column of its own. The others state no resolution: a miss
is a mistake that moved some gradient by more than a hundred roundings, and went unseen. gradcheck takes float64 only;
it is by far the slowest, so in a long run it can be given one case in so many. The time is that for the right network.
"""

from __future__ import annotations

import json
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from crosscheck.case import Case
from crosscheck.examine import examine
from crosscheck.implementation import make
from crosscheck.referee.truth import Known
from crosscheck.regimes import Fill
from crosscheck.spec import Spec
from crosscheck.verdict import Status

Arrays = dict[str, Any]
MISTAKES = (
    "carry dropped at every step",
    "carry dropped at one step",
    "h one step off in dW_hh",
    "1 - h^2 missing at one step",
    "bias gradient lacks one step",
    "scaled by 1 + 1e-6",
    "one element off by 1e-6",
    "one element off by 1e-9",
    "one element off by 1e-10",
    "one element off by 1e-12",
)
CHECKERS = ("rnn-crosscheck", "gradcheck", "gradcheck fast", "assert_close", "np.allclose")
ROUNDINGS = 100  # by which a mistake must move a gradient to count against a checker that states no resolution
SLOW = 60  # inputs beyond which gradcheck's slow mode is left out


def network(case: Case, mistake: str = "", seed: int = 0) -> Arrays:
    """Return the outputs and gradients of a tanh layer, written plainly, with a planted mistake."""
    rng = np.random.default_rng(seed)
    a = case.arrays
    W_xh, W_hh, b = a["W_xh"], a["W_hh"], a["b_xh"] + a["b_hh"]
    h = [a["h_0"][0]]
    for x_t in a["x"]:
        h.append(np.tanh(x_t @ W_xh.T + h[-1] @ W_hh.T + b))
    step = int(rng.integers(case.T))
    dW_xh, dW_hh, db, db_hh, dx = (np.zeros_like(a[name]) for name in ("W_xh", "W_hh", "b_xh", "b_hh", "x"))
    dh_next = a["dh_n"][0]
    for t in reversed(range(case.T)):
        dropped = mistake == "carry dropped at every step" or (mistake == "carry dropped at one step" and t == step)
        dh = a["dy"][t] + (0 * dh_next if dropped else dh_next)
        linear = mistake == "1 - h^2 missing at one step" and t == step
        da = dh if linear else dh * (1 - h[t + 1] * h[t + 1])
        dW_xh += da.T @ a["x"][t]
        dW_hh += da.T @ h[t + 1 if mistake == "h one step off in dW_hh" else t]
        if not (mistake == "bias gradient lacks one step" and t == step):
            db += da.sum(axis=0)
        db_hh += da.sum(axis=0)
        dx[t] = da @ W_xh
        dh_next = da @ W_hh
    if mistake.startswith("scaled"):
        dW_hh *= dW_hh.dtype.type(1 + 1e-6)
    if mistake.startswith("one element"):
        index = np.unravel_index(rng.integers(dW_hh.size), dW_hh.shape)
        dW_hh[index] *= dW_hh.dtype.type(1 + float(mistake.split()[-1]))
    gradients = {"dW_xh": dW_xh, "dW_hh": dW_hh, "db_xh": db, "db_hh": db_hh, "dx": dx, "dh_0": dh_next[None]}
    return {"y": np.stack(h[1:]), "h_n": h[-1][None]} | gradients


def draw(seed: int) -> tuple[Case, str]:
    """Return a case and a mistake for it."""
    rng = np.random.default_rng(seed)
    T = int(rng.integers(1, 51 if rng.random() < 0.5 else 9))
    B, I, H = (int(rng.integers(1, most + 1)) for most in (3, 6, 6))
    dtype = ("float32", "float64")[int(rng.integers(2))]
    weight, x = 10 ** rng.uniform(-2, 1), 10 ** rng.uniform(-3, 3)
    fill = {name: _fill(weight) for name in ("W_xh", "W_hh", "b_xh", "b_hh")}
    fill |= {"x": _fill(x), "h_0": _fill(min(1.0, x)), "dy": _fill(1.0), "dh_n": _fill(1.0)}
    spec = Spec("rnn_tanh", I, H)
    shapes = spec.param_shapes() | {"x": (T, B, I), "h_0": (1, B, H), "dy": (T, B, H), "dh_n": (1, B, H)}
    arrays = {name: fill[name].draw(seed, name, shape).astype(dtype) for name, shape in shapes.items()}
    return Case(spec, T, B, seed=seed % 2**32, dtype=dtype, arrays=arrays), MISTAKES[seed % len(MISTAKES)]


def _fill(size: float) -> Fill:
    return Fill(127, 2.0 ** round(np.log2(size / 64)))


def autograd(case: Case) -> Arrays:
    """Return the same by torch.nn.RNN's autograd: what tests usually compare with."""
    t = {name: torch.tensor(array, requires_grad=not name.startswith("d")) for name, array in case.arrays.items()}
    y, h_n = torch._VF.rnn_tanh(
        t["x"], t["h_0"], [t["W_xh"], t["W_hh"], t["b_xh"], t["b_hh"]], True, 1, 0.0, True, False, False
    )
    leaves = [name for name in t if not name.startswith("d")]
    gradients = torch.autograd.grad((y * t["dy"]).sum() + (h_n * t["dh_n"]).sum(), [t[name] for name in leaves])
    return {"y": y.detach(), "h_n": h_n.detach()} | {f"d{name}": g for name, g in zip(leaves, gradients, strict=True)}


class Wrapped(torch.autograd.Function):
    """The network as torch's gradcheck wants it."""

    @staticmethod
    def forward(ctx: Any, case: Case, mistake: str, seed: int, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return y and h_n."""
        ctx.case, ctx.mistake, ctx.seed, ctx.tensors = case, mistake, seed, tensors
        results = network(_with(case, tensors), mistake, seed)
        return torch.from_numpy(results["y"]), torch.from_numpy(results["h_n"])

    @staticmethod
    def backward(ctx: Any, *cotangents: torch.Tensor) -> Any:
        """Return the gradients of the tensors."""
        dy, dh_n = (cotangent.numpy() for cotangent in cotangents)
        case = _with(ctx.case, ctx.tensors, dy=dy, dh_n=dh_n)
        results = network(case, ctx.mistake, ctx.seed)
        return None, None, None, *(torch.from_numpy(results[f"d{name}"]) for name in INPUTS)


INPUTS = ("W_xh", "W_hh", "b_xh", "b_hh", "x", "h_0")


def _with(case: Case, tensors: tuple[torch.Tensor, ...], **more: Any) -> Case:
    arrays = {name: tensor.detach().numpy() for name, tensor in zip(INPUTS, tensors, strict=True)}
    return Case(case.spec, case.T, case.B, seed=case.seed, dtype=case.dtype, arrays={**case.arrays, **arrays, **more})


def gradcheck(case: Case, mistake: str, seed: int, fast: bool) -> bool:
    """Say whether torch's gradcheck passes, with its defaults."""
    tensors = tuple(torch.tensor(case.arrays[name], requires_grad=True) for name in INPUTS)
    return bool(
        torch.autograd.gradcheck(
            lambda *inputs: Wrapped.apply(case, mistake, seed, *inputs),  # type: ignore[no-untyped-call]
            tensors,
            raise_exception=False,
            fast_mode=fast,
        )
    )


def assert_close(got: Arrays, want: Arrays) -> bool:
    """Say whether torch.testing.assert_close passes on every tensor, with its defaults."""
    try:
        for name in got:
            torch.testing.assert_close(torch.from_numpy(got[name]), want[name])
    except AssertionError:
        return False
    return True


def allclose(got: Arrays, want: Arrays) -> bool:
    """Say whether np.allclose holds for every tensor, with its defaults."""
    return all(np.allclose(got[name], want[name].numpy()) for name in got)


def one(seed: int, gradcheck_every: int = 1) -> dict[str, Any]:
    """Return what each checker says of one case, right and wrong.

    gradcheck is asked about one round of all mistakes in so many.
    """
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    case, mistake = draw(seed)
    row: dict[str, Any] = {"seed": seed, "mistake": mistake, "dtype": case.dtype, "checkers": {}}
    right, wrong, torch_says = network(case), network(case, mistake, seed), autograd(case)
    u = float(np.finfo(case.dtype).eps) / 2
    moved = {name: _relative(wrong[name], right[name]) for name in right}
    row["matters"] = max(moved.values()) > ROUNDINGS * u
    known = Known(case)  # what is right is found out once for both
    for name in CHECKERS:
        answers = []
        for planted, results in (("", right), (mistake, wrong)):
            start = time.perf_counter()
            answer: Any = None
            if name == "rnn-crosscheck":
                answer = _referee(known, results, moved if planted else {})
            elif name == "assert_close":
                answer = {"passes": assert_close(results, torch_says)}
            elif name == "np.allclose":
                answer = {"passes": allclose(results, torch_says)}
            elif seed // len(MISTAKES) % gradcheck_every == 0 and _takes(name, case, right):
                answer = {"passes": gradcheck(case, planted, seed, fast=name == "gradcheck fast")}
            if answer is not None:
                answers.append(answer | {"seconds": time.perf_counter() - start})
        if answers:
            row["checkers"][name] = answers
    return row


def _takes(name: str, case: Case, right: Arrays) -> bool:
    """Say whether a mode of gradcheck takes a case: float64, and for the slow mode a small one."""
    return case.dtype == "float64" and (name == "gradcheck fast" or sum(map(np.size, right.values())) < SLOW)


def _referee(known: Known, results: Arrays, moved: Mapping[str, float]) -> dict[str, Any]:
    """Return the referee's verdict, and whether the mistake is above the resolution that it states."""
    verdict = examine([make(lambda _: results)], known.case, known=known)[0]
    seen = any(moved.get(check.name, 0.0) > check.resolution for check in verdict.checks)
    return {"passes": verdict.status is not Status.FAIL, "status": verdict.status.value, "above": seen}


def _relative(a: Any, b: Any) -> float:
    largest = float(np.max(np.abs(b.astype(np.float64))))
    difference = float(np.max(np.abs(a.astype(np.float64) - b.astype(np.float64))))
    return difference / largest if largest else float(difference > 0)


def tables(rows: list[dict[str, Any]]) -> Iterator[Table]:
    """Return the tables of false alarms and of misses."""
    table = Table("checker", "cases", "false alarms", "inconclusive", "misses", "of", "below resolution", "ms a case")
    for name in CHECKERS:
        entries = [(row, row["checkers"][name]) for row in rows if name in row["checkers"]]
        if not entries:
            continue
        alarms = sum(not answers[0]["passes"] for _, answers in entries)
        blind = sum(answers[0].get("status") == "INCONCLUSIVE" for _, answers in entries)
        counted = [answers[1] for row, answers in entries if answers[1].get("above", row["matters"])]
        misses = sum(answer["passes"] for answer in counted)
        seconds = float(np.median([answers[0]["seconds"] for _, answers in entries]))
        below = str(len(entries) - len(counted)) if name == "rnn-crosscheck" else "-"
        table.add_row(
            name,
            str(len(entries)),
            str(alarms),
            str(blind),
            str(misses),
            str(len(counted)),
            below,
            f"{seconds * 1e3:.1f}",
        )
    yield table
    kinds = Table("mistake: missed of counted", *CHECKERS)
    count: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for name, answers in row["checkers"].items():
            if answers[1].get("above", row["matters"]):
                count[row["mistake"]][name] += 1
                count[row["mistake"]][f"{name} missed"] += answers[1]["passes"]
    for mistake in MISTAKES:
        c = count[mistake]
        kinds.add_row(mistake, *(f"{c[f'{name} missed']} of {c[name]}" for name in CHECKERS))
    yield kinds


WIDTHS = (4, 8, 16, 32)


def timings(repeats: int = 3) -> Table:
    """Return the seconds to a verdict on torch.nn.LSTM in float64, T=10 B=4 I=8, against the width H; medians."""
    torch.set_num_threads(1)
    title = "seconds to a verdict: LSTM, float64, T=10 B=4 I=8"
    columns = ("H", "inputs", "cheap", "resolution", "proven", "resolution", "gradcheck", "fast", "gradcheck / cheap")
    table = Table(*columns, title=title)
    subject = make("torch_builtin")
    for H in WIDTHS:
        case = Case.parse(f"lstm:T10B4I8H{H}:regime=ordinary:seed=1")
        module = torch.nn.LSTM(8, H, dtype=torch.float64)
        x, h_0, c_0 = (torch.tensor(case.arrays[name], requires_grad=True) for name in ("x", "h_0", "c_0"))
        inputs = (x, h_0, c_0, *module.parameters())

        def run(*tensors: torch.Tensor, module: torch.nn.LSTM = module) -> tuple[torch.Tensor, ...]:
            names = [name for name, _ in module.named_parameters()]
            named = dict(zip(names, tensors[3:], strict=True))
            y, (h_n, c_n) = torch.func.functional_call(module, named, (tensors[0], (tensors[1], tensors[2])))
            return y, h_n, c_n

        seconds: dict[str, list[float]] = defaultdict(list)
        resolution = {}
        for _ in range(repeats):
            for name, deep in (("cheap", False), ("proven", True)):
                start = time.perf_counter()
                (verdict,) = examine([subject], case, deep=deep)
                seconds[name].append(time.perf_counter() - start)
                resolution[name] = verdict.resolution
            for name, fast in (("gradcheck", False), ("fast", True)):
                start = time.perf_counter()
                torch.autograd.gradcheck(run, inputs, fast_mode=fast)
                seconds[name].append(time.perf_counter() - start)
        s = {name: float(np.median(values)) for name, values in seconds.items()}
        cells = (f"{s['cheap']:.4f}", f"{resolution['cheap']:.1e}", f"{s['proven']:.2f}", f"{resolution['proven']:.1e}")
        ratio = f"{s['gradcheck'] / s['cheap']:.0f}"
        table.add_row(
            str(H), str(sum(t.numel() for t in inputs)), *cells, f"{s['gradcheck']:.2f}", f"{s['fast']:.3f}", ratio
        )
    return table


@click.command()
@click.option("--cases", default=200, show_default=True, help="How many cases.")
@click.option("--seed", default=0, show_default=True, help="The first case's seed; the others follow.")
@click.option("--workers", default=2, show_default=True, help="Processes.")
@click.option("--gradcheck-every", default=1, show_default=True, help="Ask gradcheck about one case in so many.")
@click.option("--timing", is_flag=True, help="Also time the way to a verdict against the width of an LSTM.")
@click.option("--json", "path", type=click.Path(path_type=Path), help="Write the rows to this file.")
def main(cases: int, seed: int, workers: int, gradcheck_every: int, timing: bool, path: Path | None) -> None:
    """Measure the detection power of gradient checkers."""
    each = partial(one, gradcheck_every=gradcheck_every)
    with ProcessPoolExecutor(workers) as pool:
        done = pool.map(each, range(seed, seed + cases), chunksize=20)
        rows = list(track(done, total=cases, console=Console(stderr=True), transient=True))
    console = Console(width=150)
    for table in tables(rows):
        console.print(table)
    if timing:
        console.print(timings())
    if path is not None:
        path.write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
