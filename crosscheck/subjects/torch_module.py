"""A torch.nn.Module, an instance, a class or a factory; autograd does the backward.

Its parameters are found by torch.nn's names (weight_ih_l0), also behind a dot (lstm.weight_ih_l0), by ours (W_xh), or
by a map of names. A class or factory is called with the sizes, and with what else its signature has of torch.nn's
arguments; an instance has the sizes that it has. Each case's parameters take the place of the module's own.
"""

from __future__ import annotations

import inspect
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.func import functional_call

from crosscheck.calls import Call, find, flattened, probe, takes
from crosscheck.case import Case
from crosscheck.conventions import Conventions
from crosscheck.subject import Function, noted, subject, two_steps
from crosscheck.subjects import torch_theirs
from crosscheck.subjects.torch_case import array_of
from crosscheck.subjects.torch_source import Source, factory, instance, matched, our_names


def adapt(thing: Any, conventions: Conventions) -> Function:
    """Return a module as a subject.

    Args:
        thing: a module, its class, or a factory of input_size and hidden_size.
        conventions: how it lays out its parameters and what it takes and returns.

    Raises:
        ArgumentError: it is nothing of these, its parameters have names that nobody knows, or it needs arguments that
            nobody knows.
    """
    source = instance(thing, conventions) if isinstance(thing, nn.Module) else factory(thing, conventions)
    if source.batch_first:
        conventions = replace(conventions, batch_first=True)
    call, notes = _found_call(source, conventions)
    steps = two_steps(
        source.name,
        partial(_forward, source, conventions, call),
        partial(torch_theirs.backward, conventions=conventions),
    )
    return noted(subject(**{**conventions.options(), **source.options, **call.options})(steps), (*source.notes, *notes))


def _found_call(source: Source, conventions: Conventions) -> tuple[Call, tuple[str, ...]]:
    """Return how a module is called, and what there is to say of it."""
    arguments = list(inspect.signature(source.build(source.spec).forward).parameters)[1:]
    reasons = []
    for dtype in ("float64", "float32"):
        case = probe(replace(source.spec, axes="TB"), dtype)
        case = replace(case, B=1, arrays={}) if conventions.unbatched else case

        def attempt(call: Call, case: Case = case) -> list[Any]:
            with torch.no_grad():
                returned = _returned(source, conventions, call, case, torch_theirs.leaves(case, conventions))
                return [array_of(tensor) for tensor in flattened(returned)]

        found, reason = find(attempt, case, takes(arguments), torch_theirs.layout(conventions, case.spec))
        if found is not None:
            return found, found.notes
        reasons.append(reason)
    return Call(), (f"how to call it was not found out, so it is called as module(x, states): {reasons[0]}",)


def _returned(source: Source, conventions: Conventions, call: Call, case: Case, given: torch_theirs.Leaves) -> Any:
    """Return what the module returns for a case."""
    module = source.build(case.spec)
    names = matched(our_names(case.spec, conventions), dict(module.named_parameters()), conventions)
    params = {their: given[name] for name, their in names.items()}
    return functional_call(module, params, (given["x"], *call.states(case, given)))


def _forward(source: Source, conventions: Conventions, call: Call, case: Case) -> tuple[dict[str, Any], Any]:
    """Return the outputs of a case, and what the backward pass needs."""

    def compute(given: torch_theirs.Leaves) -> dict[str, torch.Tensor]:
        return call.outputs(case, _returned(source, conventions, call, case, given))

    return torch_theirs.forward(case, conventions, call.inputs(case), compute)
