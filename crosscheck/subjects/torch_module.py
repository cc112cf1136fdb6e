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

from crosscheck.calls import Call, takes
from crosscheck.case import Case
from crosscheck.conventions import Conventions
from crosscheck.implementation import Function, noted, subject, two_steps
from crosscheck.subjects import torch_theirs
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
    arguments = list(inspect.signature(source.build(source.spec).forward).parameters)[1:]
    tried = torch_theirs.tried(partial(_returned, source, conventions), source.spec, takes(arguments), conventions)
    steps = two_steps(
        source.name,
        partial(_forward, source, conventions, tried.call or Call()),
        partial(torch_theirs.backward, conventions=conventions),
    )
    options = {**conventions.options(), **source.options, **tried.options}
    return noted(subject(**options)(steps), (*source.notes, *tried.notes))


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
