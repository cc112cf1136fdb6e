"""Where a subject is wrong, as data and in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from crosscheck.case import Case


class Reach(Enum):
    """Whether it takes more than one step to be wrong."""

    ONE_STEP = "one step"
    CARRIED = "carried"
    TOGETHER = "put together"
    """Each step is right, and what goes from step to step; wrong is what is made of the steps."""
    UNKNOWN = ""


@dataclass(frozen=True)
class Location:
    """Where a subject is wrong; what is empty, None or False is so everywhere, or could not be found out.

    Attributes:
        case: the case on which it was found out.
        outputs: whether outputs are wrong; then it isn't asked where gradients are.
        wrong, right: the tensors.
        layers: the layers that are wrong; of those, the one that the others' mistakes come from is looked at alone.
        directions: "forward" or "reverse", if one alone is wrong.
        gates: the gates by letter: of a single step, or those through which a gradient is carried wrongly.
        units: the units, of these.
        items: the sequences of the batch.
        steps: the steps that are wrong themselves, whatever comes from others.
        padding: whether only padding is wrong.
        apart: whether all that goes from step to step is right, and only what is made of it is wrong.
        added: whether gradients are wrong where no cotangent is: something is added to them.
        sources: the steps whose output's gradient gets in wrongly; what comes through them from others is right.
        reach: whether it takes more than one step.
        path_length: over how many steps a gradient has to go at least to be wrong.
        crossings: the steps (later, earlier) between which it gets lost, if not between all.
        states: of the two states that an LSTM carries, the one whose gradient gets lost.
        direct: whether a gradient gets lost on a way from state to state past `W_hh`.
        only_with: what it takes, in words.
    """

    case: Case
    outputs: bool
    wrong: tuple[str, ...]
    right: tuple[str, ...]
    layers: tuple[int, ...] = ()
    directions: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    units: tuple[int, ...] = ()
    items: tuple[int, ...] = ()
    steps: tuple[int, ...] = ()
    padding: bool = False
    apart: bool = False
    added: bool = False
    sources: tuple[int, ...] = ()
    reach: Reach = Reach.UNKNOWN
    path_length: int | None = None
    crossings: tuple[tuple[int, int], ...] = ()
    states: tuple[str, ...] = ()
    direct: bool = False
    only_with: tuple[str, ...] = ()

    @property
    def side(self) -> str:
        """What is wrong: "outputs", or "gradients" alone."""
        return "outputs" if self.outputs else "gradients"

    @property
    def sentences(self) -> tuple[str, ...]:
        """The same in words."""
        return tuple(sentences(self))


def sentences(location: Location) -> Iterator[str]:
    """Yield in words where a subject is wrong, the most telling first."""
    yield from _reach(location)
    yield from filter(None, _parts(location))
    needed = [words for words in location.only_with if not (words == MORE_STEPS and _takes_steps(location))]
    if needed:
        yield f"only with {_listed(needed)}"


MORE_STEPS = "more than one step"


def _takes_steps(location: Location) -> bool:
    return location.reach in (Reach.CARRIED, Reach.TOGETHER)


def _reach(location: Location) -> Iterator[str]:
    case, wrong = location.case, _listed(location.wrong)
    if location.outputs:
        wrong = _listed(name for name in location.wrong if name in case.output_names)
        yield {
            Reach.ONE_STEP: "a single step gives wrong outputs already",
            Reach.CARRIED: "the first step is right, wrong is what later ones make of its state",
            Reach.TOGETHER: f"each step is right by itself; wrong is what is made of the steps: {wrong}",
            Reach.UNKNOWN: "outputs are wrong, on which gradients depend",
        }[location.reach]
    elif location.apart and location.reach is Reach.ONE_STEP:
        yield f"what goes from step to step is right; wrong within a step already is what is made of it: {wrong}"
    elif location.sources:
        yield f"wrong where the output's gradient gets in, at {_steps(location.sources)}; right where it passes through"
    elif location.reach is Reach.CARRIED and location.crossings:
        lost = ", ".join(f"from step {later} to step {earlier}" for later, earlier in location.crossings)
        yield f"right within a step, wrong where a path goes {lost}"
    elif location.reach is Reach.CARRIED and (location.path_length or 1) > 1:
        yield f"right over fewer steps, wrong wherever a path crosses {location.path_length}"
    elif location.reach is Reach.CARRIED:
        yield "right within a step, wrong wherever a path crosses one"
    elif location.reach is Reach.TOGETHER:
        yield f"right within a step and from step to step; wrong is what is made of the steps: {wrong}"
    elif location.reach is Reach.ONE_STEP and MORE_STEPS in location.only_with:
        yield "wrong within a step, though not where it is the only one"
    elif location.reach is Reach.ONE_STEP:
        yield "wrong within a single step already"


def _parts(location: Location) -> Iterator[str]:
    case = location.case
    if location.added:
        yield "wrong where no gradient comes in at all: something is added"
    if location.states:
        (lost,) = location.states
        yield f"the gradient of {lost} gets lost on its way, not that of {'c' if lost == 'h' else 'h'}"
    if location.direct:
        yield "on the way from state to state that does not go through W_hh"
    if location.layers:
        yield f"layer{_s(location.layers)} {_listed(location.layers)} of {case.spec.num_layers} alone"
    if location.directions:
        yield f"the {location.directions[0]} direction alone"
    if location.gates:
        through = "through " if location.reach is Reach.CARRIED else ""
        yield f"{through}gate{_s(location.gates)} {_listed(location.gates)} alone"
    if location.units:
        yield f"unit{_s(location.units)} {_listed(location.units)} of {case.spec.hidden_size} alone"
    if location.items:
        yield f"sequence{_s(location.items)} {_listed(location.items)} of {case.B} in the batch alone{_long(location)}"
    if location.steps and not (location.outputs and location.reach is Reach.CARRIED):
        yield f"{_steps(location.steps)} of {case.T} alone"
    if location.padding:
        yield "in the padding alone"


def _long(location: Location) -> str:
    """Return how long the sequences are that are wrong, if all that are right are longer."""
    lengths = location.case.lengths
    if lengths is None:
        return ""
    wrong = [lengths[b] for b in location.items]
    right = [length for b, length in enumerate(lengths) if b not in location.items]
    if max(wrong) >= min(right):
        return ""
    have = "has" if len(right) == 1 else "have"
    return f", of length{_s(wrong)} {_listed(wrong)} where the other{_s(right)} {have} {_listed(right)}"


def _steps(steps: tuple[int, ...]) -> str:
    return f"step{_s(steps)} {_listed(steps)}"


def _s(entries: Sequence[object]) -> str:
    return "" if len(entries) == 1 else "s"


def _listed(entries: Iterable[object]) -> str:
    return ", ".join(map(str, entries))
