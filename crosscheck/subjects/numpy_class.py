"""Somebody's class: an instance made for a case, its weights put in place, and what is where in it.

A path names a place in an instance: `Wx`, `params[Wx]`, `cell.Wx`, `grads[0]`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from crosscheck.case import Case
from crosscheck.conventions import Conventions, pieces
from crosscheck.errors import ArgumentError
from crosscheck.subjects import numpy_theirs
from crosscheck.subjects.numpy_theirs import PARAMETERS
from crosscheck.synonyms import match, plain, size_of, synonyms

GRADIENTS = ("grads", "grad", "gradients", "dparams", "gradient", "g")
"""What an attribute is called that holds all gradients by name."""
RATES = tuple(synonyms("rate"))
"""What a learning rate is called."""
STEP = re.compile(r"\.?([^.\[\]]+)|\[([^\[\]]+)\]")


def get(thing: Any, path: str) -> Any:
    """Return what is at a path.

    Raises:
        ArgumentError: there is nothing.
    """
    found = thing
    for attribute, key in STEP.findall(path):
        try:
            found = getattr(found, attribute) if attribute else found[_key(key)]
        except (AttributeError, LookupError, TypeError) as error:
            raise ArgumentError("names", repr(path), f"something that is in {type(thing).__name__}") from error
    return found


def put(thing: Any, path: str, array: Any) -> None:
    """Put a copy of an array at a path; into the array that is there, if it is one of this shape and dtype.

    Raises:
        ArgumentError: there is no such place, or an array of another shape.
    """
    old = get(thing, path)
    if np.shape(old) != np.shape(array):
        raise ArgumentError(
            path, f"shape {np.shape(old)} in {type(thing).__name__}", f"{np.shape(array)}, as it is set"
        )
    if isinstance(old, np.ndarray) and old.dtype == array.dtype and old.flags.writeable:
        old[...] = array  # so that others who hold it see it too
    else:
        place(thing, path, array)


def place(thing: Any, path: str, array: Any) -> None:
    """Put a copy of an array at a path, whatever is there, if anything.

    Raises:
        ArgumentError: there is no such place.
    """
    attribute, key = STEP.findall(path)[-1]
    holder = get(thing, path[: -len(key) - 2 if key else len(path) - len(attribute)].rstrip("."))
    if attribute:
        setattr(holder, attribute, array.copy())
    else:
        holder[_key(key)] = array.copy()


def _key(key: str) -> Any:
    return int(key) if key.lstrip("-").isdigit() else key.strip("'\"")


def built(
    make: Callable[..., Any], case: Case, conventions: Conventions, rate: float = 0.0
) -> tuple[Any, dict[str, str]]:
    """Return an instance for a case, with its weights, and where those are that it wasn't given, by our names.

    Args:
        make: a class, or a factory: called with the sizes, and with whatever of the weights its arguments are called.
        case: the case of a plain layer.
        conventions: how the weights are laid out.
        rate: the learning rate, where an argument is called so.

    Raises:
        ArgumentError: an argument is not known, or a weight has no place.
    """
    spec = case.spec
    arrays = numpy_theirs.given(case, conventions)
    params = {name: arrays[name] for name in pieces(spec, conventions)}
    arguments = {
        name: argument
        for name, argument in inspect.signature(make).parameters.items()
        if argument.kind not in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD)
    }
    known = {their: params[name].copy() for name, their in match(arguments, params, conventions).items()}
    passed = set(match(arguments, params, conventions))
    sizes = {"I": spec.input_size, "H": spec.hidden_size, "O": spec.output_size}
    for name, argument in arguments.items():
        if name not in known and size_of(name, sizes) is not None:
            known[name] = size_of(name, sizes)
        elif name not in known and plain(name) in RATES and rate:
            known[name] = rate
        elif name not in known and argument.default is argument.empty:
            raise ArgumentError(
                _name(make), f"an argument {name!r}", "sizes and weights, or a factory that takes these"
            )
    instance = make(**known)
    paths = {name: path for name, path in parameter_paths(instance, params, conventions).items() if name not in passed}
    missing = [name for name in params if name not in paths and name not in passed]
    if missing:
        raise ArgumentError(
            _name(make),
            f"no attribute for {', '.join(missing)}",
            f"one; say which by --set names.{missing[0]}=..., or another layout, such as --set biases=one, or --infer",
        )
    for name, path in paths.items():
        put(instance, path, params[name])
    return instance, paths


def _name(make: Any) -> str:
    return str(getattr(make, "__name__", type(make).__name__))


def parameter_paths(instance: Any, names: Mapping[str, Any], conventions: Conventions) -> dict[str, str]:
    """Return where each parameter is, by our names of theirs."""
    return _found(instance, tuple(names), PARAMETERS, conventions)


def gradient_paths(instance: Any, names: tuple[str, ...], conventions: Conventions) -> dict[str, str]:
    """Return where each gradient is."""
    return _found(instance, names, GRADIENTS, conventions)


def _found(instance: Any, names: tuple[str, ...], holders: tuple[str, ...], conventions: Conventions) -> dict[str, str]:
    said = {name: conventions.names[name] for name in names if name in conventions.names}
    leaves = dict(_leaves(instance, holders, gradients=holders is GRADIENTS))
    rest = tuple(name for name in names if name not in said)
    return said | {name: leaves[their] for name, their in match(leaves, rest, conventions).items()}


def _leaves(instance: Any, holders: tuple[str, ...], gradients: bool) -> Iterator[tuple[str, str]]:
    """Yield the name and the path of all that may be a weight or a gradient."""
    for name, value in vars(instance).items():
        if plain(name) in holders and isinstance(value, Mapping):
            for key in map(str, value):
                own = not gradients or plain(key).startswith(("d", "grad"))
                yield key if own else f"d{key}", f"{name}[{key}]"
        elif not isinstance(value, Mapping):
            yield name, name


def taken(method: Callable[..., Any], names: tuple[str, ...], conventions: Conventions) -> dict[str, str]:
    """Return which of our names each argument of a method stands for.

    Raises:
        ArgumentError: one that has to be given stands for none.
    """
    arguments = inspect.signature(method).parameters
    found = {their: name for name, their in match(arguments, names, conventions).items()}
    for name, argument in arguments.items():
        needed = argument.default is argument.empty and argument.kind not in (
            argument.VAR_POSITIONAL,
            argument.VAR_KEYWORD,
        )
        if needed and name not in found:
            raise numpy_theirs.unknown(name, names, _name(method))
    return found
