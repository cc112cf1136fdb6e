"""The hand-written NumPy network as a subject; the referee runs it on other number types by lifting the case."""

from __future__ import annotations

from typing import Any

from crosscheck.case import Case
from crosscheck.implementation import subject, two_steps
from crosscheck.spec import Spec
from crosscheck.strategies import EVERYTHING
from manual_rnn import cell, losses, network, readout
from manual_rnn.cells.cell import Cell


def cell_of(spec: Spec) -> Cell:
    """Return the cell of a network."""
    return cell(
        spec.cell if spec.reset_after else f"{spec.cell}_reset_before",
        peephole=spec.peephole,
        coupled=spec.coupled,
        forget_bias=spec.forget_bias,
        clip=spec.clip or None,
        projection=spec.proj_size > 0,
        attention=spec.attention,
    )


def forward(case: Case) -> tuple[dict[str, Any], Any]:
    """Return the outputs of a case, computed by `manual_rnn`; what the network left, and the gradient of the output."""
    spec = case.spec
    kind = cell_of(spec)
    run = network.forward(
        kind,
        case.layer_params,
        case.x,
        case.h_0,
        case.c_0,
        lengths=case.lengths,
        masks=() if case.dropout is None else case.dropout,
        recurrent=case.recurrent,
        zoneout=case.zoneout,
        attention=case.attention,
        merge=spec.merge,
        axes=spec.axes,
    )
    given: dict[str, Any] = {"lengths": case.lengths, "axes": spec.axes}
    y = readout.forward(case.params["W_hy"], case.params["b_y"], run.y, **given) if spec.output_size else run.y
    outputs = {"y": y, "h_n": run.h_n}
    if run.c_n is not None:
        outputs["c_n"] = run.c_n

    dy = case.dy
    if spec.loss != "none":
        outputs["loss"], dy = losses.named(spec.loss)(y, case.target, mean=spec.mean_over, **given)
    return outputs, (run, dy)


def backward(memory: Any, case: Case) -> dict[str, Any]:
    """Return every gradient of a case."""
    run, dy = memory
    gradients = {}
    if case.spec.output_size:
        given: dict[str, Any] = {"lengths": case.lengths, "axes": case.spec.axes}
        gradients["dW_hy"], gradients["db_y"], dy = readout.backward(case.params["W_hy"], run.y, dy, **given)
    return gradients | network.backward(run, dy, case.dh_n, case.dc_n, truncate=case.spec.truncate)


manual = subject(**EVERYTHING)(two_steps("manual", forward, backward))
