"""A class whose forward pass keeps what its backward pass needs, and whose gradients are left in attributes.

    layer = Layer(input_size, hidden_size)         or Layer(Wx, Wh, b), or a factory
    y = layer.forward(x)                           also (x, h_0), (x, h_0, c_0); also (y, h_n), (y, h_n, c_n)
    layer.backward(dy)                             also (dy, dh_n), ...; may return dx, (dx, dh_0), or gradients by name
    layer.dWx, layer.grads["Wx"]                   found by their names

Each case has an instance of its own. What is elsewhere is said by its path: names.W_xh=cell.Wx, names.dW_xh=grads[0],
names.h_0=h for a state that is set, names.dh_0=dh. What forward and backward return in another order, as in
`numpy_pair`: names.forward="h_n y", names.backward="dh_0 dx".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crosscheck.case import Case
from crosscheck.conventions import Conventions
from crosscheck.errors import ArgumentError
from crosscheck.implementation import Function, noted, subject
from crosscheck.subjects import numpy_class, numpy_theirs
from crosscheck.subjects.learner import fits
from crosscheck.subjects.numpy_theirs import said

INPUTS = ("x", "h_0", "c_0")
COTANGENTS = ("dy", "dh_n", "dc_n", "target", "x")


@dataclass(frozen=True)
class Calls:
    """How the two methods of a class are called.

    Attributes:
        forward, backward: argument -> our name of what it is.
        set: our name of an initial state -> the path where it is put.
    """

    forward: Mapping[str, str]
    backward: Mapping[str, str]
    set: Mapping[str, str]

    def initial(self, states: tuple[str, ...]) -> bool:
        """Say whether all initial states are taken."""
        return all(f"{state}_0" in (*self.forward.values(), *self.set) for state in states)

    def final(self, states: tuple[str, ...]) -> bool:
        """Say whether the cotangents of all final states are taken."""
        return all(f"d{state}_n" in self.backward.values() for state in states)


def adapt(thing: Any, conventions: Conventions) -> Function:
    """Return a class whose gradients are left in attributes as a subject.

    Args:
        thing: a class, or a factory.
        conventions: how it lays out what it takes and returns.

    Raises:
        ArgumentError: it is nothing of these, or an argument or a weight is not known.
    """
    if not callable(thing):
        raise ArgumentError("target", type(thing).__name__, "a class, or a function that makes an instance")
    loss = conventions.loss or "none"
    made: list[Any] = []

    def make(case: Case) -> None:
        made.append(numpy_class.built(thing, case, conventions)[0])

    fitting, _ = fits(make, conventions, loss)  # with an output layer
    output = bool(fitting)
    errors: list[ArgumentError] = []
    if not output:
        fitting, errors = fits(make, conventions, loss, output=0)
    if not fitting:
        raise errors[0]
    calls = _calls(made[-1], conventions)
    states = ("h", "c") if fitting == ("lstm",) else ("h",)
    initial, final = calls.initial(states), calls.final(states)
    options: dict[str, Any] = {
        "dtype": "float64",
        "states": numpy_theirs.states_option(initial, final),
        "output_layer": output,
        "loss": loss,
        "mean": conventions.mean,
        **conventions.options(),
    }
    if len(fitting) == 1:
        options["cell"] = fitting
    notes = (*numpy_theirs.state_notes(initial, final or loss != "none"), numpy_theirs.DTYPE_NOTE)
    return noted(subject(**options)(Attributes(thing, calls, conventions)), notes)


def _calls(instance: Any, conventions: Conventions) -> Calls:
    names = ("target", "x") if conventions.loss else COTANGENTS
    forward = numpy_class.taken(instance.forward, INPUTS, conventions)
    backward = numpy_class.taken(instance.backward, names, conventions)
    if not {"dy", "target"} & set(backward.values()):
        raise ArgumentError("backward", "no argument for dy", "one; say which by --set names.dy=..., or --set loss=...")
    paths = {name: conventions.names[name] for name in INPUTS[1:] if name in conventions.names}
    return Calls(forward, backward, {name: path for name, path in paths.items() if path not in forward})


class Attributes:
    """A class whose gradients are left in attributes, as a subject."""

    def __init__(self, make: Callable[..., Any], calls: Calls, conventions: Conventions) -> None:
        """Keep what makes an instance, and how it is called."""
        self.__name__ = str(getattr(make, "__name__", type(make).__name__))
        self._make, self._calls, self._conventions = make, calls, conventions

    def outputs(self, case: Case) -> dict[str, Any]:
        """Return the outputs of a case, without a backward pass."""
        return self._forward(case)[1]

    def __call__(self, case: Case) -> dict[str, Any]:
        """Return the outputs and the gradients of a case."""
        instance, outputs = self._forward(case)
        conventions = self._conventions
        arrays = numpy_theirs.given(case, conventions)
        returned = instance.backward(**{their: arrays[name] for their, name in self._calls.backward.items()})
        names = numpy_theirs.gradient_names(case.spec, conventions)
        paths = numpy_class.gradient_paths(instance, names, conventions)
        gradients = {name: numpy_class.get(instance, path) for name, path in paths.items()}
        order = said("backward", conventions) or ("dx", *(f"d{state}_0" for state in case.spec.states))
        gradients |= numpy_theirs.listed(returned, order, names, conventions)
        return outputs | numpy_theirs.returned(
            {name: value for name, value in gradients.items() if value is not None}, case, conventions
        )

    def _forward(self, case: Case) -> tuple[Any, dict[str, Any]]:
        conventions = self._conventions
        instance, _ = numpy_class.built(self._make, case, conventions)
        arrays = numpy_theirs.given(case, conventions)
        for name, path in self._calls.set.items():
            if name in arrays:
                numpy_class.place(instance, path, arrays[name])
        returned = instance.forward(**{their: arrays[name] for their, name in self._calls.forward.items()})
        names = tuple(name for name in case.output_names if name != "loss")
        outputs = numpy_theirs.listed(returned, said("forward", conventions) or names, names, conventions)
        for name in names:
            if name in conventions.names:
                outputs[name] = numpy_class.get(instance, conventions.names[name])
        return instance, numpy_theirs.returned(outputs, case, conventions)
