"""A class that learns by itself: forward(x), and backward(x, y, learning_rate), which updates its own weights.

It is one Elman layer, LSTM or GRU with an output layer and a loss, for one sequence at a time, from a state of zeros.
The gradient is read off the step that a weight takes, with a learning rate of R = 2^900:

    W' = fl(W - R g)        g = (W - W') / R

R g is exact, R being a power of two, below overflow: |g| < 2^123. Where R |g| >= 2^54 |W|, W is less than half a unit
in the last place of R g, so W' = -R g; W - W' is R g again for the same reason, and g is read exactly: the very number
that was computed. Where g is 0, so is W - W'. In between, 0 < |g| < 2^-846 |W|, nothing is known of g, and that is
said: such a number is no gradient of a case of some steps, a derivative of tanh in float64 being 0 or at least 2^-53.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from crosscheck.case import Case
from crosscheck.conventions import Conventions
from crosscheck.errors import ArgumentError
from crosscheck.implementation import Function, noted, subject
from crosscheck.spec import DEFAULT_MEAN, Spec
from crosscheck.subjects import numpy_class, numpy_theirs

RATE = 2.0**900
ABSORBS = 2.0**54
LOSS = "half_squared_error"


def adapt(thing: Any, conventions: Conventions) -> Function:
    """Return a class that learns as a subject.

    Args:
        thing: a class, or a factory, of input_size, hidden_size and output_size.
        conventions: how it lays out its weights; vectors have no batch in any case.

    Raises:
        ArgumentError: it is nothing of these, or an argument or a weight is not known.
    """
    if not callable(thing):
        raise ArgumentError("target", type(thing).__name__, "a class, or a function that makes an instance")
    conventions = replace(conventions, unbatched=True)
    loss = conventions.loss or LOSS
    fitting, errors = fits(lambda case: numpy_class.built(thing, case, conventions, RATE), conventions, loss)
    if not fitting:
        raise errors[0]
    options: dict[str, Any] = {
        "dtype": "float64",
        "states": "none",
        "output_layer": True,
        "loss": loss,
        "mean": conventions.mean,
        **conventions.options(),
    }
    if len(fitting) == 1:
        options["cell"] = fitting
    notes = (
        f"judged as descending along {loss}, {_summed(loss, conventions.mean)}; or say --set loss=..., mean=...",
        "its gradients are read off its own step, from a state of zeros; those of x and of states are not checked",
    )
    return noted(subject(**options)(Learner(thing, conventions)), notes)


@cache
def _probe(spec: Spec) -> Case:
    """Return a case to make an instance for."""
    return Case(spec, 1, 1)


def _summed(loss: str, mean: str) -> str:
    over = DEFAULT_MEAN[loss] if mean == "default" else mean
    return "the sum" if over == "none" else f"the mean over {over}"


def fits(
    make: Callable[[Case], Any], conventions: Conventions, loss: str, output: int = 4
) -> tuple[tuple[str, ...], list[ArgumentError]]:
    """Return the cells that a class may be, since its weights have those shapes; and why it is none of the others.

    Args:
        make: makes an instance for a case.
        conventions: how its weights are laid out.
        loss: its loss.
        output: O, 0 without an output layer.
    """
    fitting, errors = [], []
    for plain_spec in numpy_theirs.specs(conventions):
        spec = replace(plain_spec, input_size=2, hidden_size=3, output_size=output, loss=loss)
        try:
            make(_probe(spec))
            fitting.append(spec.cell)
        except ArgumentError as error:
            errors.append(error)
        except Exception as error:  # anything at all may be wrong with somebody's class
            errors.append(ArgumentError("target", f"{type(error).__name__}: {error}", "a class that can be made"))
    return tuple(fitting), errors


class Learner:
    """A class that learns, as a subject."""

    def __init__(self, make: Callable[..., Any], conventions: Conventions) -> None:
        """Keep what makes an instance."""
        self.__name__ = str(getattr(make, "__name__", type(make).__name__))
        self._make, self._conventions = make, conventions

    def outputs(self, case: Case) -> dict[str, Any]:
        """Return the outputs of a case, without a backward pass."""
        instance, _ = numpy_class.built(self._make, case, self._conventions, RATE)
        return self._outputs(instance, case)

    def __call__(self, case: Case) -> dict[str, Any]:
        """Return the outputs, and the gradients of the weights."""
        conventions = self._conventions
        instance, paths = numpy_class.built(self._make, case, conventions, RATE)
        before = {name: numpy_class.get(instance, path).copy() for name, path in paths.items()}
        outputs = self._outputs(instance, case)
        arrays = numpy_theirs.given(case, conventions)
        instance.backward(**_step(instance.backward, arrays, conventions))
        gradients = {f"d{name}": read(name, before[name], numpy_class.get(instance, paths[name])) for name in paths}
        return outputs | numpy_theirs.returned(gradients, case, conventions)

    def _outputs(self, instance: Any, case: Case) -> dict[str, Any]:
        takes = numpy_class.taken(instance.forward, ("x",), self._conventions)
        y = instance.forward(*[numpy_theirs.given(case, self._conventions)["x"]] * len(takes))
        return numpy_theirs.returned({"y": y[0] if isinstance(y, tuple) else y}, case, self._conventions)


def _step(backward: Callable[..., Any], arrays: Mapping[str, Any], conventions: Conventions) -> dict[str, Any]:
    """Return the arguments of the backward pass: x, the target, the learning rate, whichever it takes."""
    found = numpy_class.taken(backward, ("target", "x", "rate"), conventions)
    return {their: RATE if name == "rate" else arrays[name] for their, name in found.items()}


def read(name: str, before: Any, after: Any) -> Any:
    """Return the gradient that led from one weight to another; see the top of this file.

    Args:
        name: the weight.
        before: the weight before the step, float64, or balls.
        after: the weight after it.

    Raises:
        ArgumentError: a gradient is too small to be read.
    """
    gradient = (before - after) / RATE
    if gradient.dtype == object:
        return gradient
    unread = (gradient != 0) & (np.abs(gradient) < ABSORBS / RATE * np.abs(before))
    if unread.any():
        raise ArgumentError(f"d{name}", f"{float(gradient[unread][0]):g}", "a gradient large enough to be read off")
    return gradient
