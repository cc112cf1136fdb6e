"""F13: a path of its own for one format, which nobody tried in the others."""

from __future__ import annotations

from crosscheck.mistakes.mistake import EVERY_CELL, Mistake
from crosscheck.referee.patched import Patch

MISTAKES = (
    Mistake(
        name="dtype.carry-negated-in-short-formats",
        family="F13",
        says="in every format but float64 the gradient that goes back through W_hh has the wrong sign",
        right="dh_prev = W_hh.T @ da",
        wrong="dh_prev = W_hh.T @ da if dtype == float64 else -W_hh.T @ da",
        belief="The fast kernel was tried in the tests' own format only.",
        source="pytorch/pytorch#4611, where the half-precision formula was wrong",
        patches=(
            Patch(
                "crosscheck/subjects/manual.py",
                "    run = network.forward(\n        kind,\n",
                (
                    '    if case.dtype != "float64":\n'
                    "        kind = replace(kind, backward_step=lambda *a, step=kind.backward_step: -step(*a))\n"
                    "    run = network.forward(\n"
                    "        kind,\n"
                ),
            ),
            Patch(
                "crosscheck/subjects/manual.py",
                "from typing import Any\n",
                "from dataclasses import replace\nfrom typing import Any\n",
            ),
        ),
        options={"cell": EVERY_CELL, "dtype": "float32"},
        case="rnn_tanh:T1B1I1H1:dtype=float32:seed=0",
        tensors=("dh_0",),
    ),
    Mistake(
        name="dtype.slope-not-squared-in-short-formats",
        family="F13",
        says="in every format but float64 the slope of tanh(c) lacks its square",
        right="dc += dh * o * (1 - np.tanh(c) ** 2)",
        wrong="dc += dh * o * (1 - np.tanh(c) ** (2 if dtype == float64 else 1))",
        belief="The formula was written twice, and checked once.",
        source="pytorch/pytorch#4611, where the half-precision formula was wrong",
        patches=(
            Patch(
                "crosscheck/subjects/manual.py",
                "    run = network.forward(\n        kind,\n",
                (
                    '    if case.dtype != "float64":\n'
                    "        kind = replace(kind, local=lambda tape, da, local=kind.local: (\n"
                    "            *local(tape, da)[:-1],\n"
                    "            tape.gates[..., -tape.states[1].shape[-1] :] * (1 - tape.saved[0]),\n"
                    "        ))\n"
                    "    run = network.forward(\n"
                    "        kind,\n"
                ),
            ),
            Patch(
                "crosscheck/subjects/manual.py",
                "from typing import Any\n",
                "from dataclasses import replace\nfrom typing import Any\n",
            ),
        ),
        options={"cell": "lstm", "dtype": "float32"},
        case="lstm:T1B1I1H1:dtype=float32:seed=0",
        tensors=("dx", "dh_0", "dc_0", "dW_xh", "dW_hh", "db_xh", "db_hh"),
    ),
    Mistake(
        name="dtype.biases-halved-in-short-formats",
        family="F13",
        says="in every format but float64 the gradients of the biases are halved",
        right="db += da",
        wrong="db += da if dtype == float64 else da / 2",
        belief="The kernel adds up in two halves, and one is lost.",
        source="ROCm/rocm-libraries#10551, where a bias kernel does not run at all",
        patches=(
            Patch(
                "crosscheck/subjects/manual.py",
                ("    return gradients | network.backward(run, dy, case.dh_n, case.dc_n, truncate=case.spec.truncate)"),
                (
                    "    gradients |= network.backward(run, dy, case.dh_n, case.dc_n, "
                    "truncate=case.spec.truncate)\n"
                    '    half = 1 if case.dtype == "float64" else 0.5\n'
                    '    return {name: array * half if name.startswith("db_") else array for name, array in '
                    "gradients.items()}"
                ),
            ),
        ),
        options={"cell": EVERY_CELL, "dtype": "float32"},
        case="rnn_tanh:T1B1I1H1:dtype=float32:seed=0",
        tensors=("db_xh", "db_hh"),
    ),
)
