"""A case in torch as somebody else lays it out: its arrays as leaves and the objective; then autograd's gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from crosscheck.calls import Call, find, flattened, probe
from crosscheck.case import DTYPES, Case
from crosscheck.conventions import Conventions, ours, theirs
from crosscheck.spec import Spec
from crosscheck.subjects.torch_case import array_of, tensor_of

Leaves = dict[str, torch.Tensor]
Memory = tuple[torch.Tensor | None, Leaves]


def layout(conventions: Conventions, spec: Spec) -> Conventions:
    """Return conventions for a spec, without names: what is theirs has our names."""
    return replace(conventions, names={}, biases=conventions.biases if spec.bias else "none")


def leaves(case: Case, conventions: Conventions) -> Leaves:
    """Return what of a case has gradients, as somebody lays it out, by our names, in the case's dtype."""
    if case.x.dtype == object:
        raise TypeError("torch's numbers are its own")
    arrays = {name: case.arrays[name] for name in case.input_names}
    dtype = getattr(torch, case.dtype)
    laid = theirs(arrays, case.spec, layout(conventions, case.spec))
    return {name: tensor_of(array).to(dtype).requires_grad_() for name, array in laid.items()}


@dataclass(frozen=True)
class Tried:
    """What became of calling somebody's code in every dtype.

    Attributes:
        call: how it is called; None if it can't be.
        dtypes: those that it works in; empty if in float64, and so, it is taken, in all.
        reason: why it can't be called, or not in float64, in words.
    """

    call: Call | None
    dtypes: tuple[str, ...]
    reason: str

    @property
    def options(self) -> dict[str, Any]:
        """What it supports; see `crosscheck.strategies.supports`."""
        return (self.call.options if self.call else {}) | ({"dtype": self.dtypes} if self.dtypes else {})

    @property
    def notes(self) -> tuple[str, ...]:
        """What there is to say of it, in words."""
        if self.call is None:
            return (f"how to call it was not found out, so it is called as f(x, states): {self.reason}",)
        only = (f"it works in {', '.join(self.dtypes)} alone: {self.reason}",) if self.dtypes else ()
        return (*only, *self.call.notes)


def tried(
    run: Callable[[Call, Case, Leaves], Any], spec: Spec, taken: Iterable[str], conventions: Conventions
) -> Tried:
    """Return how somebody's code is called, found out by calling it.

    Args:
        run: the code: how it is called, a case, its tensors (see `leaves`) -> what it returns.
        spec: a network that it is for.
        taken: the ways that are tried of giving initial states; see `crosscheck.calls.takes`.
        conventions: how tensors are laid out.
    """
    calls: dict[str, Call] = {}
    why = ""
    for dtype in ("float64", *(dtype for dtype in DTYPES if dtype != "float64")):
        case = probe(spec, dtype)
        case = replace(case, B=1, arrays={}) if conventions.unbatched else case

        def attempt(call: Call, case: Case = case) -> list[Any]:
            with torch.no_grad():
                return [array_of(tensor) for tensor in flattened(run(call, case, leaves(case, conventions)))]

        call, reason = find(attempt, case, taken, layout(conventions, spec))
        why = why or reason
        if call is not None:
            calls[dtype] = call
        if "float64" in calls:
            return Tried(calls["float64"], (), "")
    return Tried(next(iter(calls.values()), None), tuple(calls), why)


def forward(
    case: Case, conventions: Conventions, inputs: Iterable[str], compute: Callable[[Leaves], Mapping[str, torch.Tensor]]
) -> tuple[dict[str, Any], Memory]:
    """Return the outputs of a case, the objective, and the tensors to differentiate it by.

    Args:
        case: the problem.
        conventions: how tensors are laid out.
        inputs: which of x and the initial states are taken.
        compute: see `leaves` -> y and the final states, or some of them, by name.
    """
    given = leaves(case, conventions)
    for name in {"x", *(f"{state}_0" for state in case.spec.states)} - set(inputs):
        del given[name]
    computed = dict(compute(given))
    laid = layout(conventions, case.spec)
    outputs = ours({name: array_of(tensor.detach()) for name, tensor in computed.items()}, case.spec, laid)
    if any(outputs[name].shape != case.result_shapes[name] for name in outputs):
        return outputs, (None, given)  # which is a finding, and leaves no objective
    cotangents = theirs({f"d{name}": case.arrays[f"d{name}"] for name in computed}, case.spec, laid)
    terms = [
        (tensor_of(cotangents[f"d{name}"]).to(tensor.dtype).reshape(tensor.shape) * tensor).sum()
        for name, tensor in computed.items()
    ]
    return outputs, (torch.stack(terms).sum(), given)


def backward(memory: Memory, case: Case, conventions: Conventions) -> dict[str, Any]:
    """Return the gradients of a case; where autograd says None, zeros, which is what it means."""
    objective, given = memory
    if objective is None:
        return {}
    found = torch.autograd.grad(objective, list(given.values()), retain_graph=True, allow_unused=True)
    gradients = {
        f"d{name}": array_of(torch.zeros_like(leaf) if gradient is None else gradient)
        for (name, leaf), gradient in zip(given.items(), found, strict=True)
    }
    return ours(gradients, case.spec, layout(conventions, case.spec))
