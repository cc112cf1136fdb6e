"""Where a subject is wrong, in words."""

from __future__ import annotations

from typing import Any

import pytest

from crosscheck import Case
from crosscheck.location import Location, Reach

GRU = Case.parse("gru:T4B3I2H3:layers=2:bidirectional=true:lengths=4,2,1:seed=3")


def location(**fields: Any) -> Location:
    given: dict[str, Any] = {"outputs": False, "wrong": ("dx", "dW_hh"), "right": ("y",)}
    return Location(GRU, **(given | fields))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"reach": Reach.ONE_STEP}, "wrong within a single step already"),
        (
            {"reach": Reach.ONE_STEP, "apart": True, "wrong": ("db_xh",)},
            "what goes from step to step is right; wrong within a step already is what is made of it: db_xh",
        ),
        ({"reach": Reach.CARRIED, "path_length": 1}, "right within a step, wrong wherever a path crosses one"),
        ({"reach": Reach.CARRIED, "path_length": 2}, "right over fewer steps, wrong wherever a path crosses 2"),
        (
            {"reach": Reach.CARRIED, "path_length": 1, "crossings": ((2, 1), (1, 0))},
            "right within a step, wrong where a path goes from step 2 to step 1, from step 1 to step 0",
        ),
        (
            {"reach": Reach.TOGETHER, "apart": True, "wrong": ("dW_xh",)},
            "right within a step and from step to step; wrong is what is made of the steps: dW_xh",
        ),
        (
            {"reach": Reach.ONE_STEP, "sources": (0, 1)},
            "wrong where the output's gradient gets in, at steps 0, 1; right where it passes through",
        ),
        ({"outputs": True, "wrong": ("y", "dx")}, "outputs are wrong, on which gradients depend"),
        ({"outputs": True, "reach": Reach.ONE_STEP}, "a single step gives wrong outputs already"),
        (
            {"outputs": True, "reach": Reach.TOGETHER, "wrong": ("h_n", "dx")},
            "each step is right by itself; wrong is what is made of the steps: h_n",
        ),
        (
            {"outputs": True, "reach": Reach.CARRIED, "steps": (1, 2, 3)},
            "the first step is right, wrong is what later ones make of its state",
        ),
        ({"added": True}, "wrong where no gradient comes in at all: something is added"),
        ({"states": ("c",)}, "the gradient of c gets lost on its way, not that of h"),
        ({"direct": True}, "on the way from state to state that does not go through W_hh"),
        ({"layers": (1,)}, "layer 1 of 2 alone"),
        ({"directions": ("reverse",)}, "the reverse direction alone"),
        ({"gates": ("n",)}, "gate n alone"),
        ({"units": (0, 2)}, "units 0, 2 of 3 alone"),
        ({"items": (0,)}, "sequence 0 of 3 in the batch alone"),
        ({"items": (1, 2)}, "sequences 1, 2 of 3 in the batch alone, of lengths 2, 1 where the other has 4"),
        ({"steps": (2,)}, "step 2 of 4 alone"),
        ({"padding": True}, "in the padding alone"),
        ({"only_with": ("lengths", "two directions")}, "only with lengths, two directions"),
    ],
)
def test_what_is_said_of_one_thing(fields: dict[str, Any], sentence: str) -> None:
    assert location(**fields).sentences == (sentence,)


def test_several_things_are_said_the_most_telling_first() -> None:
    assert location(reach=Reach.CARRIED, path_length=1, gates=("n",), units=(1,), only_with=("lengths",)).sentences == (
        "right within a step, wrong wherever a path crosses one",
        "through gate n alone",
        "unit 1 of 3 alone",
        "only with lengths",
    )


def test_that_it_takes_several_steps_is_not_said_twice() -> None:
    needed = ("more than one step", "two directions")
    assert location(reach=Reach.CARRIED, only_with=needed).sentences[1:] == ("only with two directions",)
    assert location(reach=Reach.ONE_STEP, only_with=needed).sentences == (
        "wrong within a step, though not where it is the only one",
        "only with more than one step, two directions",
    )


def test_nothing_is_said_where_nothing_is_known() -> None:
    assert location().sentences == ()
