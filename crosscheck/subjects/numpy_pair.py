"""Two NumPy functions, forward and backward, whose arguments are told by their names.

    def forward(x, h_0, Wx, Wh, b): ...            returns y; (y, cache); (y, h_n, cache); (y, h_n, c_n, cache); ...
    def backward(dy, cache): ...                   or (dy, dh_n, cache), or (dy, x, h_0, Wx, Wh, b)

What forward returns last is the cache, if backward takes something that is no cotangent, input, output or parameter.
An argument `params` holds all parameters by name. backward returns gradients by name, or in the order of forward's
arguments. Another order, of either, is said by our names: names.forward="h_n y", names.backward="dW_xh dW_hh db dx".
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from crosscheck.case import Case
from crosscheck.conventions import Conventions, pieces
from crosscheck.errors import ArgumentError
from crosscheck.implementation import OPTIONS_ATTRIBUTE, Function, noted, subject, two_steps
from crosscheck.spec import Spec
from crosscheck.subjects import numpy_theirs
from crosscheck.subjects.numpy_theirs import PARAMETERS, Parameters, said
from crosscheck.synonyms import match, plain

ALL = "parameters"
OUTPUTS, FINALS, COTANGENTS = ("y", "h_n", "c_n"), ("dh_n", "dc_n"), ("dy", "dh_n", "dc_n")


@dataclass(frozen=True)
class Plan:
    """What two functions take and return, for one cell.

    Attributes:
        forward, backward: argument -> our name of what it is, or "parameters".
        cache: the argument of backward that takes what forward returned last; empty if none.
        outputs: what forward returns besides, in order.
        gradients: what backward returns in a tuple, in order.
    """

    forward: Mapping[str, str]
    backward: Mapping[str, str]
    cache: str
    outputs: tuple[str, ...]
    gradients: tuple[str, ...]

    def initial(self, spec: Spec) -> bool:
        """Say whether all initial states are taken."""
        return all(f"{state}_0" in self.forward.values() for state in spec.states)

    def final(self, spec: Spec) -> bool:
        """Say whether the cotangents of all final states are taken."""
        return all(f"d{state}_n" in self.backward.values() for state in spec.states)


def adapt(thing: Any, conventions: Conventions) -> Function:
    """Return two functions as a subject.

    Args:
        thing: forward and backward, a tuple.
        conventions: how they lay out what they take and return.

    Raises:
        ArgumentError: it is no such pair, or an argument is not known.
    """
    if not isinstance(thing, tuple | list) or len(thing) != 2 or not all(map(callable, thing)):
        raise ArgumentError("target", type(thing).__name__, "two functions: path/to/file.py:forward,backward")
    forward, backward = thing
    plans: dict[str, Plan] = {}
    errors: list[ArgumentError] = []
    specs = tuple(numpy_theirs.specs(conventions))
    for spec in specs:
        try:
            plans[spec.cell] = plan(forward, backward, spec, conventions)
        except ArgumentError as error:
            errors.append(error)
    if not plans:
        raise errors[0]
    planned = [spec for spec in specs if spec.cell in plans]
    initial, final = (all(getattr(plans[spec.cell], which)(spec) for spec in planned) for which in ("initial", "final"))
    options = {"dtype": "float64", "states": numpy_theirs.states_option(initial, final), **conventions.options()}
    if len(planned) < 4:
        options["cell"] = tuple(plans)
    options |= getattr(forward, OPTIONS_ATTRIBUTE, {})
    steps = two_steps(
        getattr(forward, "__name__", "forward"),
        partial(_forward, forward, plans, conventions),
        partial(_backward, backward, plans, conventions),
    )
    notes = (numpy_theirs.DTYPE_NOTE,) if options["dtype"] == "float64" else ()
    return noted(subject(**options)(steps), (*numpy_theirs.state_notes(initial, final), *notes))


def plan(forward: Callable[..., Any], backward: Callable[..., Any], spec: Spec, conventions: Conventions) -> Plan:
    """Return what two functions take and return, by the names of their arguments.

    Raises:
        ArgumentError: an argument is not known, or something is taken by none.
    """
    params = pieces(spec, conventions)
    states = tuple(f"{state}_0" for state in spec.states)
    of_forward, left = _matched(forward, ("x", *states, *params), conventions)
    missing = [name for name in ("x", *params) if name not in of_forward.values()]
    if missing and (missing[0] == "x" or ALL not in of_forward.values()):
        raise ArgumentError(
            _name(forward, "forward"),
            f"no argument for {', '.join(missing)}",
            f"one; say which by --set names.{missing[0]}=..., or another layout, such as --set biases=one, or --infer",
        )
    if left:
        raise numpy_theirs.unknown(left[0], params, _name(forward, "forward"))
    begun = [state for state in states if state in of_forward.values()]
    if begun and len(begun) < len(states):
        raise ArgumentError(_name(forward, "forward"), f"{begun[0]} alone", "all initial states, or none")
    of_cotangents, _ = _matched(backward, COTANGENTS[: 1 + len(spec.states)], conventions)
    if "dy" not in of_cotangents.values():
        raise ArgumentError(_name(backward, "backward"), "no argument for dy", "one; say which by --set names.dy=...")
    of_rest, left = _matched(backward, ("x", *OUTPUTS, *states, *params), conventions, frozenset(of_cotangents))
    if len(left) > 1:
        raise numpy_theirs.unknown(left[1], ("dy", *FINALS, *states, *params), _name(backward, "backward"))
    takes = [name for name in of_forward.values() if name != ALL]
    return Plan(
        of_forward,
        of_cotangents | of_rest,
        left[0] if left else "",
        said("forward", conventions) or OUTPUTS[: 1 + len(spec.states)],
        said("backward", conventions) or tuple(f"d{name}" for name in takes if name != ALL),
    )


def _name(function: Any, otherwise: str) -> str:
    return str(getattr(function, "__name__", otherwise))


def _matched(
    function: Callable[..., Any],
    names: tuple[str, ...],
    conventions: Conventions,
    without: frozenset[str] = frozenset(),
) -> tuple[dict[str, str], list[str]]:
    """Return which of our names each argument of a function stands for; the arguments that have to be given besides."""
    arguments = {
        name: argument
        for name, argument in inspect.signature(function).parameters.items()
        if argument.kind not in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD) and name not in without
    }
    found = {their: name for name, their in match(arguments, names, conventions).items()}
    found |= {name: ALL for name in arguments if name not in found and plain(name) in PARAMETERS}
    left = [name for name, argument in arguments.items() if name not in found and argument.default is argument.empty]
    return {name: found[name] for name in arguments if name in found}, left


def _call(function: Callable[..., Any], takes: Mapping[str, str], arrays: Mapping[str, Any], rest: Any) -> Any:
    """Call a function with what each argument stands for, and with some arguments besides."""
    return function(**{argument: arrays[name] for argument, name in takes.items()} | rest)


def _arrays(case: Case, conventions: Conventions) -> dict[str, Any]:
    arrays = numpy_theirs.given(case, conventions)
    params = {name: arrays[name] for name in pieces(case.spec, conventions)}
    return arrays | {ALL: Parameters(params, conventions)}


def _forward(
    forward: Callable[..., Any], plans: Mapping[str, Plan], conventions: Conventions, case: Case
) -> tuple[dict[str, Any], Any]:
    """Return the outputs of a case; these as they are, and the cache."""
    plan = plans[case.spec.cell]
    returned = _call(forward, plan.forward, _arrays(case, conventions), {})
    cache = None
    if plan.cache:
        if not isinstance(returned, tuple) or len(returned) < 2:
            raise ArgumentError("forward", f"a {type(returned).__name__} returned", "a tuple, the cache last in it")
        *returned, cache = returned
        returned = tuple(returned)
    values = numpy_theirs.listed(returned, plan.outputs, OUTPUTS, conventions)
    return numpy_theirs.returned(values, case, conventions), (values, cache)


def _backward(
    backward: Callable[..., Any], plans: Mapping[str, Plan], conventions: Conventions, memory: Any, case: Case
) -> dict[str, Any]:
    """Return the gradients of a case that came back."""
    plan = plans[case.spec.cell]
    values, cache = memory
    arrays = _arrays(case, conventions) | values
    returned = _call(backward, plan.backward, arrays, {plan.cache: cache} if plan.cache else {})
    names = numpy_theirs.gradient_names(case.spec, conventions)
    gradients = numpy_theirs.listed(returned, plan.gradients, names, conventions)
    return numpy_theirs.returned(gradients, case, conventions)
