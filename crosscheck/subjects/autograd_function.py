"""A torch.autograd.Function, which has a backward pass of its own: the gradients are what that returns.

Its `forward(ctx, ...)` takes x, the initial states and the parameters under our names, in any order, or under names of
its own by a map; and returns y, or y and the final states. An argument with another name needs a default.
"""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

import torch

from crosscheck.calls import NOTHING, TOGETHER, Call
from crosscheck.case import Case
from crosscheck.conventions import Conventions, pieces
from crosscheck.errors import ArgumentError
from crosscheck.implementation import Function, noted, subject, two_steps
from crosscheck.spec import GATES, Spec, base
from crosscheck.subjects import torch_theirs

Arguments = dict[str, inspect.Parameter]
SHORT = {"h": "h_0", "h0": "h_0", "hx": "h_0", "c": "c_0", "c0": "c_0", "cx": "c_0"}
"""What else the initial states are called."""


def adapt(thing: Any, conventions: Conventions) -> Function:
    """Return a custom autograd function as a subject.

    Args:
        thing: a subclass of torch.autograd.Function.
        conventions: how it lays out what it takes and returns, and what it calls it.

    Raises:
        ArgumentError: it is none, or takes arguments that nobody knows.
    """
    name = getattr(thing, "__name__", type(thing).__name__)
    if not (isinstance(thing, type) and issubclass(thing, torch.autograd.Function)):
        raise ArgumentError(name, type(thing).__name__, "a subclass of torch.autograd.Function")
    arguments = _arguments(name, thing, conventions)
    tried, options = _found_call(name, thing, arguments, conventions)
    steps = two_steps(
        name,
        partial(_forward, thing, arguments, conventions, tried.call or Call()),
        partial(torch_theirs.backward, conventions=conventions),
    )
    return noted(subject(**{**conventions.options(), **options, **tried.options})(steps), tried.notes)


def _arguments(name: str, thing: Any, conventions: Conventions) -> dict[str, inspect.Parameter]:
    """Return the arguments of the forward pass by our names, in their order, `ctx` left out.

    Raises:
        ArgumentError: there is no x, or more than one argument by one name.
    """
    known = list(inspect.signature(thing.forward).parameters.values())
    if thing.setup_context is torch.autograd.Function.setup_context:  # without one of its own, `ctx` comes first
        known = known[1:]
    back = {theirs: ours for ours, theirs in conventions.names.items()}
    arguments = {back.get(p.name, SHORT.get(p.name, p.name)): p for p in known}
    if len(arguments) < len(known) or "x" not in arguments:
        got = f"forward({', '.join(p.name for p in known)})"
        raise ArgumentError(name, got, "x, states and parameters under our names, or --set names.x=NAME, and so on")
    return arguments


def _found_call(
    name: str, thing: Any, arguments: Arguments, conventions: Conventions
) -> tuple[torch_theirs.Tried, dict[str, Any]]:
    """Return how the function is called, and what it supports.

    Raises:
        ArgumentError: it can't be called for any cell.
    """
    bias = any(base(ours).startswith("b") for ours in arguments)
    found: dict[str, torch_theirs.Tried] = {}
    reasons = {}
    for cell in conventions.options().get("cell", GATES):
        spec = Spec(cell, 2, 4, bias=bias, reset_after=conventions.reset_after or cell != "gru")
        reasons[cell] = _trouble(arguments, spec, conventions)
        if reasons[cell]:
            continue
        taken = TOGETHER if "h_0" in arguments else NOTHING
        tried = torch_theirs.tried(partial(_returned, thing, arguments), spec, (taken,), conventions)
        reasons[cell] = tried.reason
        if tried.call is not None:
            found[cell] = tried
    if not found:
        got = "; ".join(f"{cell}: {why}" for cell, why in reasons.items())
        raise ArgumentError(name, got, "a function of x, the initial states and the parameters of one layer")
    return next(iter(found.values())), {"bias": bias} | ({"cell": tuple(found)} if len(found) == 1 else {})


def _trouble(arguments: Arguments, spec: Spec, conventions: Conventions) -> str:
    """Return what stands against a function being a layer of a spec, in words; empty if nothing."""
    parameters = pieces(spec, torch_theirs.layout(conventions, spec))
    states = [f"{state}_0" for state in spec.states]
    lacks = [ours for ours in parameters if ours not in arguments]
    if {*states} & {*arguments}:
        lacks += [state for state in states if state not in arguments]
    others = [
        p.name for ours, p in arguments.items() if ours not in ("x", *states, *parameters) and p.default is p.empty
    ]
    if lacks:
        return f"it has no argument {', '.join(lacks)}"
    return f"it also needs {', '.join(others)}" if others else ""


def _returned(thing: Any, arguments: Arguments, call: Call, case: Case, given: torch_theirs.Leaves) -> Any:
    """Return what the function returns for a case."""
    states = {name: given[name][0] if call.flat else given[name] for name in call.inputs(case)[1:]}
    values = given | states
    return thing.apply(*(values.get(name, p.default) for name, p in arguments.items()))


def _forward(
    thing: Any, arguments: Arguments, conventions: Conventions, call: Call, case: Case
) -> tuple[dict[str, Any], Any]:
    """Return the outputs of a case, and what the backward pass needs."""

    def compute(given: torch_theirs.Leaves) -> dict[str, torch.Tensor]:
        return call.outputs(case, _returned(thing, arguments, call, case, given))

    return torch_theirs.forward(case, conventions, call.inputs(case), compute)
