"""The samples of PyTorch's own module tests of RNN, GRU and LSTM, each as a spec that every subject passes.

From torch/testing/_internal/common_modules.py: two layers; bias, batch_first, two directions, projection 0 or 2 in all
combinations; a sequence without batch, with initial state and without; packed sequences of lengths 5, 3 and 5, 3, 3, 2,
2. There a sample checks that the sequence alone gives what it gives in a batch of one; here, that both are right.
"""

from __future__ import annotations

from itertools import product

import pytest

from crosscheck import Case, Status
from crosscheck.examine import examine
from crosscheck.implementation import BUILT_IN, make

SEEDS = range(2)


def lines(cell: str) -> list[str]:
    """Return the samples of a cell as lines of cases, without their seed."""
    result = []
    for bias, both, projected in product(("true", "false"), ("true", "false"), (False, True)):
        if projected and cell != "lstm":
            continue
        stack = f"layers=2:bias={bias}:bidirectional={both}" + (":proj_size=2" if projected else "")
        T, H = (2, 3) if cell == "lstm" else (3, 2)
        for axes in ("T", "TB", "BT"):  # the sequence alone, and its batch of one either way
            result.append(f"{cell}:T{T}B1I2H{H}:{stack}:axes={axes}:regime=zero_state")
            result.append(f"{cell}:T3B1I2H3:{stack}:axes={axes}:regime=ordinary")
        if cell != "lstm":
            result.append(f"{cell}:T5B2I2H2:{stack}:lengths=5,3:regime=zero_state")
            result.append(f"{cell}:T5B5I2H2:{stack}:lengths=5,3,3,2,2:regime=zero_state")
    return result


@pytest.mark.parametrize("line", [line for cell in ("rnn_tanh", "rnn_relu", "gru", "lstm") for line in lines(cell)])
def test_a_sample_is_a_spec_that_all_pass(line: str) -> None:
    for seed in SEEDS:
        verdicts = examine([make(name) for name in BUILT_IN], Case.parse(f"{line}:seed={seed}"))
        assert [verdict.status for verdict in verdicts] == [Status.PASS] * len(BUILT_IN)
        assert not any(verdict.not_checked for verdict in verdicts)
