"""How somebody's forward pass is called and what it returns, found out by calling it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from crosscheck.case import Case
from crosscheck.conventions import Conventions, ours
from crosscheck.spec import Spec

NOTHING, TOGETHER, APART = "nothing", "together", "apart"
STATE = ("h", "c", "s", "init", "prev")
"""What the names of arguments for initial states begin with."""
STEPS, BATCH = (7, 5, 11), (3, 8, 9)
"""T and B of the case to try something with; one of each is no other size of it."""


@dataclass(frozen=True)
class Call:
    """How a forward pass is called.

    Attributes:
        takes: the initial states that it takes: "nothing"; "together", as h_0 or (h_0, c_0); or "apart", as h_0, c_0.
        flat: whether it takes (B, H) where there is one layer in one direction, not (1, B, H).
        returns: the name of each array that it returns, in order; "" for one that is none of ours.
        finals: whether all final states are among them.
    """

    takes: str = TOGETHER
    flat: bool = False
    returns: tuple[str, ...] = ()
    finals: bool = True

    def states(self, case: Case, given: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the arguments for the initial states, which `given` has by name, (L*D, B, H)."""
        if self.takes == NOTHING:
            return ()
        states = tuple(given[f"{name}_0"] for name in case.spec.states)
        states = tuple(state[0] for state in states) if self.flat else states
        return states if self.takes == APART or len(states) == 1 else (states,)

    def outputs(self, case: Case, returned: Any) -> dict[str, Any]:
        """Return y and the final states, (L*D, B, H), out of what came back, by name, where they are all there."""
        names = self.returns or case.output_names
        outputs = {name: array for name, array in zip(names, flattened(returned), strict=False) if name}
        if not self.finals:
            return {"y": outputs["y"]}
        dims = {name: len(shape) for name, shape in case.result_shapes.items()}
        one = len(case.spec.runs) == 1
        return {
            name: array[None] if one and name != "y" and array.ndim == dims[name] - 1 else array
            for name, array in outputs.items()
        }

    def inputs(self, case: Case) -> tuple[str, ...]:
        """Return the names of x and of the initial states that are taken."""
        return ("x",) if self.takes == NOTHING else ("x", *(f"{name}_0" for name in case.spec.states))

    @property
    def options(self) -> dict[str, Any]:
        """What of a case it can show; see `crosscheck.strategies.supports`."""
        initial = self.takes != NOTHING
        if "y" not in self.returns:  # all gradient comes from the final states
            return {"regime": "final_only", "states": "both" if initial else "final"}
        if self.finals:
            return {"states": "both" if initial else "final"}
        return {"states": "initial" if initial else "none"}

    @property
    def notes(self) -> tuple[str, ...]:
        """What it can't show, in words."""
        notes = []
        if self.takes == NOTHING:
            notes.append("it takes no initial states: they are 0 in every case, and their gradients are not checked")
        if "y" not in self.returns:
            notes.append("it returns no y: only cases whose gradient comes from the final states alone are drawn")
        elif not self.finals:
            notes.append("it does not return all final states: they have no cotangents in any case")
        if "" in self.returns:
            notes.append(f"{self.returns.count('')} of what it returns is neither y nor a final state: not checked")
        return tuple(notes)


def probe(spec: Spec, dtype: str = "float64") -> Case:
    """Return the case to try something of a spec with."""
    taken = (spec.input_size, spec.hidden_size, len(spec.runs))
    T, B = (next(size for size in sizes if size not in taken) for sizes in (STEPS, BATCH))
    return Case(spec, T, B, "ordinary", dtype=dtype)


def takes(arguments: Sequence[str]) -> tuple[str, ...]:
    """Return the ways in which initial states may be taken, best first, by the names of the arguments behind x."""
    states = [name for name in arguments if name.lower().startswith(STATE)]
    return ((APART,) if len(states) > 1 else (TOGETHER,) if states else ()) + (NOTHING,)


def find(
    attempt: Callable[[Call], Sequence[Any]], case: Case, taken: Iterable[str], conventions: Conventions
) -> tuple[Call | None, str]:
    """Return how a forward pass is called, or None and why none of the ways works, in words.

    Args:
        attempt: calls it on the case and returns the arrays that came back; raises whatever it raises.
        case: see `probe`.
        taken: the ways that are tried of giving initial states; see `takes`.
        conventions: how the arrays that come back are laid out.
    """
    found, reason = [], ""
    for call in _ways(taken, flat=len(case.spec.runs) == 1):
        try:
            returned = attempt(call)
        except Exception as error:  # anything at all may be wrong with somebody's code
            reason = reason or " ".join(f"{type(error).__name__}: {error}".split())
            continue
        names = tuple(_named(returned, case, conventions))
        finals = all(f"{state}_n" in names for state in case.spec.states)
        if "y" in names or finals:
            found.append(replace(call, returns=names, finals=finals))
        else:
            shapes = ", ".join(str(tuple(array.shape)) for array in returned) or "nothing"
            reason = reason or f"for T={case.T}, B={case.B} it returned {shapes}, neither y nor all final states"
    return max(found, key=lambda call: ("y" in call.returns, call.finals), default=None), reason


def _ways(taken: Iterable[str], flat: bool) -> Iterator[Call]:
    for of in taken:
        yield Call(of)
        if flat and of != NOTHING:
            yield Call(of, flat=True)


def _named(returned: Sequence[Any], case: Case, conventions: Conventions) -> Iterator[str]:
    """Yield the names of arrays by their shapes: y, then h_n, c_n, of one layer perhaps (B, H)."""
    left = list(case.output_names)
    for array in returned:
        name = next((name for name in left if _fits(name, array, case, conventions)), "")
        if name:
            left.remove(name)
        yield name


def _fits(name: str, array: Any, case: Case, conventions: Conventions) -> bool:
    """Say whether an array may be an output of a case."""
    forms = (array,) if name == "y" else (array, array[None])
    return any(ours({name: form}, case.spec, conventions)[name].shape == case.result_shapes[name] for form in forms)


def flattened(returned: Any) -> list[Any]:
    """Return the arrays in what was returned, however nested in tuples, lists and mappings, in order."""
    if isinstance(returned, Mapping):
        returned = tuple(returned.values())
    if isinstance(returned, tuple | list):
        return [array for part in returned for array in flattened(part)]
    return [] if returned is None else [returned]
