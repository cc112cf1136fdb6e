"""Where torch modules come from, an instance or what makes one, and what their parameters are called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch
from torch import nn

from crosscheck.conventions import Conventions, pieces
from crosscheck.conventions import theirs as laid_out
from crosscheck.errors import ArgumentError
from crosscheck.spec import GATES, Spec, base
from crosscheck.subjects import torch_theirs
from torch_rnn.builtin import NAMES

SIZES = {
    "input_size": ("input_size", "input_dim", "in_features", "n_inputs"),
    "hidden_size": ("hidden_size", "hidden_dim", "hidden", "n_hidden", "units"),
}
"""What the sizes are called, if not just the first two arguments."""
VALUES: dict[str, tuple[Any, ...]] = {
    "num_layers": (1, 2, 3),
    "bidirectional": (False, True),
    "bias": (True, False),
}
"""The arguments that are options too, each with its values, the plain one first."""
MODULES = 64
"""So many modules that a factory made are kept, each for a spec."""
OTHERS = ("batch_first", "nonlinearity", "proj_size", "output_size")
"""Further arguments that a class is given if it has them."""


@dataclass(frozen=True)
class Source:
    """Where modules come from.

    Attributes:
        name: what it is called.
        build: spec -> a module.
        spec: the spec to try it with.
        options: what it supports, as far as its signature or its parameters say.
        batch_first: whether it says that its batch comes first.
        notes: what it can't do, in words.
    """

    name: str
    build: Callable[[Spec], nn.Module]
    spec: Spec
    options: Mapping[str, Any]
    batch_first: bool = False
    notes: tuple[str, ...] = ()


def _candidates(name: str) -> tuple[str, ...]:
    """Return what a parameter of ours may be called: torch.nn's name, that of its cells, ours."""
    if base(name) not in NAMES.fields:
        return ("bias", name) if name == "b" else (name,)
    theirs = NAMES[name]
    return theirs, *((theirs.removesuffix("_l0"),) if theirs.endswith("_l0") else ()), name


def _found(name: str, theirs: Collection[str], conventions: Conventions) -> str | None:
    """Return which of their parameters one of ours is; None if none, or more than one, may be it."""
    for candidate in (conventions.names[name],) if name in conventions.names else _candidates(name):
        found = [their for their in theirs if their == candidate or their.endswith(f".{candidate}")]
        if len(found) == 1:
            return found[0]
    return None


def matched(
    ours: Iterable[str], theirs: Collection[str], conventions: Conventions, all_of_theirs: bool = True
) -> dict[str, str]:
    """Return their name of each of our parameters.

    Raises:
        ArgumentError: one of ours is not found among theirs, or one of theirs is none of ours.
    """
    names = {name: _found(name, theirs, conventions) for name in ours}
    missing = [name for name, their in names.items() if their is None]
    if missing:
        got = f"no parameter that is {', '.join(missing)} among {', '.join(theirs)}"
        raise ArgumentError("names", got, f"the name of each: --set names.{missing[0]}=NAME, and so on")
    left = [their for their in theirs if their not in names.values()]
    if left and all_of_theirs:
        raise ArgumentError(
            "names", f"{', '.join(left)}, which none of ours is", f"parameters out of {', '.join(ours)}"
        )
    return {name: their for name, their in names.items() if their is not None}


def our_names(spec: Spec, conventions: Conventions) -> tuple[str, ...]:
    """Return our names of the parameters of a spec that a module with these conventions has."""
    return pieces(spec, torch_theirs.layout(conventions, spec))


def instance(module: nn.Module, conventions: Conventions) -> Source:
    """Return the source that is one module, with the sizes that its parameters have."""
    theirs, name = dict(module.named_parameters()), type(module).__name__
    if conventions.joined or conventions.separate:
        raise ArgumentError(name, "an instance whose weights are joined or separate", "its class, or a factory")
    (W_xh, W_hh) = matched(("W_xh", "W_hh"), theirs, conventions, all_of_theirs=False).values()
    (_, I), (_, H) = (tuple(theirs[their].shape)[:: -1 if conventions.transposed else 1] for their in (W_xh, W_hh))

    def there(ours: str) -> bool:
        return _found(ours, theirs, conventions) is not None

    layers = 1
    while there(f"W_hh_l{layers}"):
        layers += 1
    bidirectional, bias = there("W_hh_reverse"), there("b_xh") or there("b")
    spec = Spec("rnn_tanh", I, H, num_layers=layers, bidirectional=bidirectional, bias=bias)
    cells = _cells(module, spec, conventions)
    sizes = {"min_I": I, "max_I": I, "min_H": H, "max_H": H, "wide": False}
    options = _of_cells(cells) | sizes | {"num_layers": layers, "bidirectional": bidirectional, "bias": bias}
    notes = (f"it is an instance: I={I} and H={H} in every case; its class would be checked in all sizes",)
    spec = replace(spec, cell=cells[0])
    return Source(name, lambda _: module, spec, options, bool(getattr(module, "batch_first", False)), notes)


def factory(make: Any, conventions: Conventions) -> Source:
    """Return the source that makes modules of all sizes."""
    name = getattr(make, "__name__", type(make).__name__)
    if not callable(make):
        raise ArgumentError(name, type(make).__name__, "a torch.nn.Module, its class, or a factory of such modules")
    sizes, extra = _arguments(name, make)
    build = lru_cache(maxsize=MODULES)(partial(_built, make, sizes, extra, conventions.batch_first))
    spec = Spec("rnn_tanh", 2, 4, output_size=6 if "output_size" in extra else 0)
    plain = _tried(name, build, spec)
    theirs = dict(plain.named_parameters())
    spec = replace(spec, bias=any(_found(ours, theirs, conventions) for ours in ("b_xh", "b", "b_xi", "b_i", "b_xr")))
    cells = _cells(plain, spec, conventions)
    spec = replace(spec, cell=cells[0])
    options: dict[str, Any] = {"cell": ("rnn_tanh", "rnn_relu")} if "nonlinearity" in extra else _of_cells(cells)
    options |= {"bias": spec.bias, "output_layer": spec.output_size > 0}
    notes = []
    for option in VALUES.keys() & extra:
        trouble = {value: _trouble(build, replace(spec, **{option: value}), conventions) for value in VALUES[option]}
        options[option] = [value for value, why in trouble.items() if not why]
        notes += [f"{option}={value} is not drawn: {why}" for value, why in trouble.items() if why]
    if "proj_size" in extra and cells == ["lstm"]:
        options["projection"] = (False, True)
    first = "batch_first" not in extra and bool(getattr(plain, "batch_first", False))
    return Source(name, build, spec, options, first, tuple(sorted(notes)))


def _of_cells(cells: list[str]) -> dict[str, Any]:
    """Return the cell as an option, if it is known; which of two plain cells it is can't be seen."""
    return {"cell": cells} if len(cells) == 1 else {}


def _cells(module: nn.Module, spec: Spec, conventions: Conventions) -> list[str]:
    """Return the cells that a module may be of, by the names and shapes of its parameters.

    Raises:
        ArgumentError: it may be of none.
    """
    theirs = dict(module.named_parameters())
    errors, cells = [], []
    for cell in conventions.options().get("cell", GATES):
        of_cell = replace(spec, cell=cell, reset_after=conventions.reset_after or cell != "gru")
        try:
            names = matched(our_names(of_cell, conventions), theirs, conventions)
            _check_shapes(of_cell, names, theirs, conventions)
            cells.append(cell)
        except ArgumentError as error:
            errors.append(error)
    if not cells:
        raise errors[-1]
    return cells


def _check_shapes(spec: Spec, names: Mapping[str, str], theirs: Mapping[str, Any], conventions: Conventions) -> None:
    """Check that the parameters of a module have the shapes that a spec says."""
    zeros = {name: np.zeros(shape) for name, shape in spec.param_shapes().items()}
    for name, array in laid_out(zeros, spec, torch_theirs.layout(conventions, spec)).items():
        got = tuple(theirs[names[name]].shape)
        if got != array.shape:
            raise ArgumentError(names[name], f"shape {got}", f"{array.shape} for {name} of {spec.cell}; see --adapters")


def _arguments(name: str, make: Callable[..., Any]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the names of the two sizes, none if they go by position, and the further arguments of a factory.

    Raises:
        ArgumentError: it needs others.
    """
    known = inspect.signature(make).parameters
    if isinstance(make, type) and issubclass(make, nn.RNNBase) and "kwargs" in known:  # whose signature says nothing
        only = {nn.RNN: "nonlinearity", nn.LSTM: "proj_size"}
        own = {argument for kind, argument in only.items() if issubclass(make, kind)}
        return tuple(SIZES), frozenset({*VALUES, "batch_first", *own})
    aliases = [next((alias for alias in names if alias in known), None) for names in SIZES.values()]
    positional = list(known)[:2]
    sizes = tuple(alias for alias in aliases if alias) if all(aliases) else ()
    extra = frozenset(known) & {*VALUES, *OTHERS}
    given = {*(sizes or positional), *extra}
    needed = [
        p.name for p in known.values()
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) and p.name not in given
    ]  # fmt: skip
    if needed or len(known) < 2:
        got = f"it also needs {', '.join(needed)}" if needed else f"it takes {', '.join(known) or 'nothing'}"
        raise ArgumentError(name, got, "a factory of input_size and hidden_size, such as lambda I, H: Net(I, H, ...)")
    return sizes, extra


def _built(
    make: Callable[..., Any], sizes: tuple[str, ...], extra: frozenset[str], batch_first: bool, spec: Spec
) -> Any:
    """Return a module of a spec, and leave torch's random numbers where they were."""
    values = {
        "num_layers": spec.num_layers,
        "bidirectional": spec.bidirectional,
        "bias": spec.bias,
        "batch_first": batch_first,
        "nonlinearity": spec.cell.removeprefix("rnn_") if spec.cell.startswith("rnn_") else "tanh",
        "proj_size": spec.proj_size,
        "output_size": spec.output_size,
    }
    given = {name: values[name] for name in values if name in extra}
    I, H = spec.input_size, spec.hidden_size
    with torch.random.fork_rng(devices=[]):
        return make(**dict(zip(sizes, (I, H), strict=True)), **given) if sizes else make(I, H, **given)


def _tried(name: str, build: Callable[[Spec], Any], spec: Spec) -> nn.Module:
    """Return the module of a spec.

    Raises:
        ArgumentError: there is none.
    """
    try:
        module = build(spec)
    except Exception as error:  # anything at all may be wrong with somebody's code
        got = f"{type(error).__name__}: {error}"
        raise ArgumentError(name, got, f"a module for I={spec.input_size}, H={spec.hidden_size}") from error
    if not isinstance(module, nn.Module):
        raise ArgumentError(name, f"a {type(module).__name__} from it", "a factory of torch.nn.Module")
    return module


def _trouble(build: Callable[[Spec], Any], spec: Spec, conventions: Conventions) -> str:
    """Return why there is no module of a spec, in words; empty if there is one."""
    try:
        matched(our_names(spec, conventions), dict(build(spec).named_parameters()), conventions)
    except Exception as error:  # anything at all may be wrong with somebody's code
        return f"{type(error).__name__}: {error}"
    return ""
