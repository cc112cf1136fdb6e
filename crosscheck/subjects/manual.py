"""The hand-written NumPy network as a subject; the referee runs it on other number types by lifting the case."""

from __future__ import annotations

from typing import Any

from crosscheck.case import Case
from crosscheck.strategies import EVERYTHING
from crosscheck.subject import subject, two_steps
from manual_rnn import losses, network, readout


def forward(case: Case) -> tuple[dict[str, Any], Any]:
    """Return the outputs of a case, computed by `manual_rnn`; what the network left, and the gradient of the output."""
    spec, params = case.spec, case.params
    W_hy, b_y = params.pop("W_hy", None), params.pop("b_y", None)
    cell = spec.cell if spec.reset_after else f"{spec.cell}_reset_before"
    run = network.forward(cell, params, case.x, case.h_0, case.c_0, lengths=case.lengths)
    y = run.y if W_hy is None else readout.forward(W_hy, b_y, run.y)
    outputs = {"y": y, "h_n": run.h_n}
    if run.c_n is not None:
        outputs["c_n"] = run.c_n

    dy = case.dy
    if spec.loss != "none":
        outputs["loss"], dy = losses.named(spec.loss)(y, case.target)
    return outputs, (run, dy)


def backward(memory: Any, case: Case) -> dict[str, Any]:
    """Return every gradient of a case."""
    run, dy = memory
    gradients = {}
    if case.spec.output_size:
        gradients["dW_hy"], gradients["db_y"], dy = readout.backward(case.params["W_hy"], run.y, dy)
    return gradients | network.backward(run, dy, case.dh_n, case.dc_n)


manual = subject(**EVERYTHING)(two_steps("manual", forward, backward))
