"""The hand-written NumPy network as a subject; the referee runs it on other number types by lifting the case."""

from __future__ import annotations

from typing import Any

from crosscheck.case import Case
from crosscheck.strategies import EVERYTHING
from crosscheck.subject import subject
from manual_rnn import losses, network, readout


@subject(**EVERYTHING)
def manual(case: Case) -> dict[str, Any]:
    """Return every output and gradient of a case, computed by `manual_rnn`."""
    spec, params = case.spec, case.params
    W_hy, b_y = params.pop("W_hy", None), params.pop("b_y", None)
    cell = spec.cell if spec.reset_after else f"{spec.cell}_reset_before"
    run = network.forward(cell, params, case.x, case.h_0, case.c_0, lengths=case.lengths)
    y = run.y if W_hy is None else readout.forward(W_hy, b_y, run.y)
    results = {"y": y, "h_n": run.h_n}
    if run.c_n is not None:
        results["c_n"] = run.c_n

    dy = case.dy
    if spec.loss != "none":
        results["loss"], dy = losses.named(spec.loss)(y, case.target)
    if W_hy is not None:
        results["dW_hy"], results["db_y"], dy = readout.backward(W_hy, run.y, dy)
    return results | network.backward(run, dy, case.dh_n, case.dc_n)
