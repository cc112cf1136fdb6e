"""A JAX function of parameters by name, x and initial states: `jax.vjp` does the backward.

It is called as f(params, x), f(params, x, h_0), f(params, x, h_0, c_0) or f(params, x, (h_0, c_0)), as its signature
says, and returns y, or y and the final states, nested as it likes. XLA compiles it for each case anew.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from crosscheck.calls import Call, find, flattened, probe, takes
from crosscheck.case import Case
from crosscheck.conventions import Conventions, ours, pieces, theirs
from crosscheck.errors import ArgumentError
from crosscheck.implementation import Function, noted, subject
from crosscheck.spec import GATES, Spec

Arrays = Mapping[str, Any]


def adapt(thing: Any, conventions: Conventions) -> Function:
    """Return a JAX function as a subject.

    Args:
        thing: a function of params, a dict of arrays by name; x; and the initial states, if it takes them.
        conventions: how it lays out what it takes and returns, and what it calls the parameters.

    Raises:
        ArgumentError: it is none, or can't be called for any cell.
    """
    name = getattr(thing, "__name__", type(thing).__name__)
    if not callable(thing):
        raise ArgumentError(name, type(thing).__name__, "a function of params, x and initial states")
    known = list(inspect.signature(thing).parameters)
    if len(known) < 2:
        raise ArgumentError(name, f"{name}({', '.join(known)})", "a function of params, x and initial states")
    call, options = _found_call(name, thing, takes(known[2:]), conventions)

    def results(case: Case) -> dict[str, Any]:
        return _results(thing, conventions, call, case)

    results.__name__ = name
    return noted(subject(**{**conventions.options(), **options, **call.options})(results), call.notes)


def _layout(conventions: Conventions, spec: Spec) -> Conventions:
    """Return conventions for a spec, without names: what is theirs has our names."""
    return replace(conventions, names={}, biases=conventions.biases if spec.bias else "none")


def _found_call(name: str, thing: Any, taken: tuple[str, ...], conventions: Conventions) -> tuple[Call, dict[str, Any]]:
    """Return how a function is called, and what it supports.

    Raises:
        ArgumentError: it can't be called for any cell.
    """
    found: dict[str, Call] = {}
    reasons = {}
    for cell in conventions.options().get("cell", GATES):
        spec = Spec(cell, 2, 4, bias=conventions.biases != "none", reset_after=conventions.reset_after or cell != "gru")
        case = probe(spec, "float32")
        case = replace(case, B=1, arrays={}) if conventions.unbatched else case
        call, reasons[cell] = find(partial(_tried, thing, conventions, case), case, taken, _layout(conventions, spec))
        if call is not None:
            found[cell] = call
    if not found:
        got = "; ".join(f"{cell}: {why}" for cell, why in reasons.items())
        raise ArgumentError(name, got, "a function of params, x and initial states that returns y or final states")
    return next(iter(found.values())), {"cell": tuple(found)} if len(found) == 1 else {}


def _inputs(conventions: Conventions, call: Call, case: Case) -> dict[str, Any]:
    """Return what of a case a function is given and is differentiated by, in its layout, by our names."""
    if case.x.dtype == object:
        raise TypeError("JAX's numbers are its own")
    arrays = {name: case.arrays[name] for name in (*call.inputs(case), *case.spec.param_shapes())}
    laid = theirs(arrays, case.spec, _layout(conventions, case.spec))
    return {name: jnp.asarray(array, dtype=case.dtype) for name, array in laid.items()}


def _called(thing: Any, conventions: Conventions, call: Call, case: Case, given: Arrays) -> Any:
    """Return what a function returns for a case."""
    names = pieces(case.spec, _layout(conventions, case.spec))
    params = {conventions.name(name): given[name] for name in names}
    return thing(params, given["x"], *call.states(case, given))


def _tried(thing: Any, conventions: Conventions, case: Case, call: Call) -> list[Any]:
    """Return arrays of the shapes that would come back from a call."""

    def arrays(given: Arrays) -> list[Any]:  # a list, since JAX sorts the keys of mappings
        return flattened(_called(thing, conventions, call, case, given))

    return [np.zeros(array.shape) for array in jax.eval_shape(arrays, _inputs(conventions, call, case))]


def _results(thing: Any, conventions: Conventions, call: Call, case: Case) -> dict[str, Any]:
    """Return the outputs and gradients of a case, by our names."""
    layout = _layout(conventions, case.spec)
    cotangents = theirs(
        {name: case.arrays[name] for name in ("dy", "dh_n", "dc_n") if name in case.arrays}, case.spec, layout
    )

    def both(given: Arrays, cotangents: Arrays) -> dict[str, Any]:
        outputs, pull = jax.vjp(lambda given: call.outputs(case, _called(thing, conventions, call, case, given)), given)
        back = {
            name: cotangents[f"d{name}"].reshape(output.shape).astype(output.dtype) for name, output in outputs.items()
        }
        (gradients,) = pull(back)
        results: dict[str, Any] = outputs | {f"d{name}": gradient for name, gradient in gradients.items()}
        return results

    with jax.enable_x64(case.dtype == "float64"):
        computed = jax.jit(both)(_inputs(conventions, call, case), cotangents)
        short = case.dtype == "bfloat16"
        arrays = {name: np.asarray(array.astype("float32") if short else array) for name, array in computed.items()}
    return ours(arrays, case.spec, layout)
