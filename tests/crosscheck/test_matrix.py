"""The matrix of specs: counted by formula and one by one."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosscheck import Case, Spec
from crosscheck.matrix import LIBRARIES, OPTION_NAMES, rows, specs
from crosscheck.strategies import EVERYTHING, OF_CASE, PLAIN

MANY = 500


def one_by_one(options: dict[str, tuple[Any, ...]]) -> int:
    """Return how many different specs a product of options holds, each with what doesn't apply to it left out."""
    found = set()
    for values in product(*(options[name] for name in OPTION_NAMES)):
        case = _case(dict(zip(OPTION_NAMES, values, strict=True)))
        found.add(tuple(OF_CASE[name](case) for name in OPTION_NAMES))
    return len(found)


def _case(option: dict[str, Any]) -> Case:
    """Return a case with the options of a combination that apply to it, in sizes to which every one can apply."""
    lstm, gru, both = option["cell"] == "lstm", option["cell"] == "gru", option["bidirectional"]
    whole = option["axes"] == "T"
    spec = Spec(
        option["cell"],
        1,
        2,
        2 if option["output_layer"] else 0,
        bias=option["bias"],
        reset_after=option["reset_after"] or not gru,
        loss=option["loss"],
        num_layers=option["num_layers"],
        bidirectional=both,
        merge=option["merge"] if both else "concat",
        axes=option["axes"],
        peephole=option["peephole"] and lstm,
        coupled=option["coupled"] and lstm,
        forget_bias=1.0 if option["forget_bias"] and lstm and not option["coupled"] else 0.0,
        proj_size=1 if option["projection"] and lstm else 0,
        attention=option["attention"] and gru,
        clip=1.0 if option["clip"] else 0.0,
        dropout=0.3 if option["dropout"] and option["num_layers"] > 1 else 0.0,
        recurrent_dropout=0.3 if option["recurrent_dropout"] else 0.0,
        zoneout=0.3 if option["zoneout"] else 0.0,
        train=option["train"],
        truncate=(1, 2) if option["truncate"] and not both else None,
        mean=option["mean"] if option["loss"] != "none" else "default",
    )
    lengths = {"none": None, "positive": (1,), "zero": (0,)}[option["lengths"]]
    arrays = {"x": None}  # none needed, and drawing them takes its time
    return Case(spec, 1, 1, lengths=None if whole else lengths, arrays=arrays)


@given(st.data())
def test_specs_are_counted_as_one_by_one(data: st.DataObject) -> None:
    options, size = dict(PLAIN), 1
    for name in data.draw(st.permutations(OPTION_NAMES), label="order"):
        most = max(1, min(len(EVERYTHING[name]), MANY // size))
        values = st.lists(st.sampled_from(EVERYTHING[name]), min_size=1, max_size=most, unique=True)
        chosen = data.draw(values, label=name)
        options[name] = tuple(value for value in EVERYTHING[name] if value in chosen)
        size *= len(chosen)
    assert specs(options) == one_by_one(options)


def test_a_plain_layer_is_four_specs() -> None:
    assert specs(PLAIN) == 4


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_another_library_offers_is_in_the_matrix(library: str) -> None:
    for name, values in LIBRARIES[library].items():
        assert set(values) <= set(EVERYTHING[name]), name


def test_the_rows_say_what_each_column_has() -> None:
    table = {row[0]: row[1:] for row in rows({"all": EVERYTHING, "some": PLAIN})}
    assert table["axes"] == ("TB, BT, T", "all", "TB")
    assert table["cell"] == ("rnn_tanh, rnn_relu, lstm, gru", "all", "all")
    assert table["specs"] == (f"{specs():,}", f"{specs():,}", "4")
    none = {row[0]: row[2] for row in rows({"odd": PLAIN | {"cell": ("gru",), "merge": ("other",)}})}
    assert (none["cell"], none["merge"]) == ("gru", "none")
