"""Features: what each name promises of a case, that an ordinary run shows all, and that each can be aimed at."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from crosscheck import ArgumentError, Case, check
from crosscheck.campaign import BATCH, MAX_EXAMPLES
from crosscheck.features import FEATURES, GROUPS, aim, has, narrowed, shown, split
from crosscheck.memory import MEMORY
from crosscheck.regimes import REGIMES
from crosscheck.spec import GATES, MEANS
from crosscheck.strategies import EVERYTHING, PLAIN, cases, supports

CASES, BATCHES = BATCH, MAX_EXAMPLES // BATCH  # drawn at a time, and how often, for each cell and dtype
RARELY = 5


def drawn(strategy: st.SearchStrategy[Case], random: Random, number: int = CASES) -> list[Case]:
    """Return cases as a campaign draws them."""
    seen: list[Case] = []

    def see(case: Case) -> bool:
        seen.append(case)
        return False

    quiet = settings(
        max_examples=number,
        phases=(Phase.generate,),
        database=None,
        deadline=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
    )
    with pytest.raises(NoSuchExample):
        hypothesis.find(strategy, see, settings=quiet, random=random)
    return seen


def test_an_ordinary_run_shows_every_feature_more_than_a_few_times() -> None:
    counts: Counter[str] = Counter()
    for cell in GATES:
        for dtype in EVERYTHING["dtype"]:
            random = Random(f"0:{cell}:{dtype}")
            strategy = cases(EVERYTHING | {"cell": (cell,), "dtype": (dtype,)})
            for _ in range(BATCHES):
                counts.update(name for case in drawn(strategy, random) for name in shown(case))
    assert {name: counts[name] for name in FEATURES if counts[name] < RARELY} == {}


@pytest.mark.parametrize("name", FEATURES)
def test_every_feature_can_be_aimed_at(name: str) -> None:
    fills, names = split([name])
    options: Any = narrowed(EVERYTHING | fills, names)
    seen = drawn(cases(options, aim(names)), Random(0), 10)
    assert len(seen) == 10
    assert all(FEATURES[name].of(case) for case in seen)


@pytest.mark.parametrize("name", ["T=1", "B>=3", "H=1", "L>=3", "lengths with 0", "memory strided", "peephole", "wide"])
def test_what_can_be_aimed_at_by_its_options_is_not_drawn_in_vain(name: str) -> None:
    unfiltered = replace(aim([name]), names=())
    seen = drawn(cases(narrowed(EVERYTHING, [name]) or {}, unfiltered), Random(1), 20)
    assert sum(has(case, [name]) for case in seen) > len(seen) / 2


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("gru:T1B2I3H4", {"T=1", "T<H", "B=2", "I!=H", "sizes distinct", "H>=3", "L=1", "one direction"}),
        ("gru:T3B3I3H3O1", {"T>=3", "B>=3", "I=H", "sizes equal", "O=1"}),
        ("gru:T3B1I1H2:layers=2:bidirectional=true", {"T>H", "B=1", "I=1", "H=2", "L=2", "two directions, L>=2"}),
        ("rnn_tanh:T1B1I1H65:layers=3", {"wide", "L>=3"}),
    ],
)
def test_sizes(line: str, names: set[str]) -> None:
    assert names <= set(shown(Case.parse(line)))


@pytest.mark.parametrize(
    ("lengths", "names"),
    [
        ("3,3,3", {"lengths all T", "lengths with ties"}),
        ("1,2,3", {"lengths unsorted", "lengths with 1", "lengths with T"}),
        ("3,2,1", {"lengths with 1", "lengths with T"}),
        (
            "0,2,1",
            {"lengths unsorted", "lengths with 0", "lengths with 1", "longest below T", "lengths, sort no involution"},
        ),
        ("2,1,2", {"lengths unsorted", "lengths with ties", "lengths with 1", "longest below T"}),
        ("1,2,0", {"lengths unsorted", "lengths with 0", "lengths with 1", "longest below T"}),
    ],
)
def test_lengths(lengths: str, names: set[str]) -> None:
    case = Case.parse(f"gru:T3B3I1H2:lengths={lengths}")
    assert {name for name in GROUPS["lengths"] if FEATURES[name].of(case)} == names


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("regime=zero_state", {"zero states", "random biases", "ordinary weights"}),
        ("regime=small", {"zero biases", "random states"}),
        ("bias=false:regime=ordinary", {"no biases", "random states", "ordinary weights"}),
        ("regime=one_hot", {"zeros in x", "repeated rows", "ordinary weights", "random states", "random biases"}),
    ],
)
def test_values(line: str, names: set[str]) -> None:
    case = Case.parse(f"gru:T4B2I3H2:{line}:seed=1")
    assert {name for name in GROUPS["values"] if FEATURES[name].of(case)} == names


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("regime=ordinary", {"dy everywhere", "dy and dh_n given"}),
        ("regime=final_only", {"dy zero, dh_n given"}),
        ("regime=outputs_only", {"dy everywhere", "dh_n zero"}),
        ("regime=last_step", {"dy and dh_n given"}),
        ("loss=mse:regime=outputs_only", set()),
    ],
)
def test_cotangents(line: str, names: set[str]) -> None:
    case = Case.parse(f"gru:T4B2I3H2:{line}:seed=1")
    assert {name for name in GROUPS["cotangents"] if FEATURES[name].of(case)} == names


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("gru:T4B1I1H2:truncate=1,1", {"truncate k2=1"}),
        ("gru:T3B1I1H2:truncate=1,2", {"truncate k2=2", "truncate k2=T-1"}),
        ("gru:T4B1I1H2:truncate=2,4", {"truncate k2=T"}),
        ("gru:T4B1I1H2:truncate=2,5", {"truncate k2>T"}),
        ("gru:T1B1I1H2:truncate=1,1", set()),
        ("gru:T4B1I1H2:zoneout=0.3:train=false", {"zoneout", "rate 0.3", "eval"}),
        ("gru:T4B1I1H2:layers=2:dropout=0.7", {"dropout", "rate 0.7", "train"}),
    ],
)
def test_modes(line: str, names: set[str]) -> None:
    case = Case.parse(line)
    assert {name for name in GROUPS["modes"] if FEATURES[name].of(case)} == names | {"reset_after"}


def test_each_mean_and_each_layout_is_a_feature() -> None:
    assert {f"mean {mean}" for mean in MEANS[1:]} <= GROUPS["reductions"].keys()
    assert {f"memory {memory}" for memory in MEMORY} == GROUPS["memory"].keys()
    assert GROUPS["numbers"].keys() == REGIMES.keys()
    case = Case.parse("gru:T2B2I1H2:loss=cross_entropy:lengths=1,2")
    assert {"mean TB", "mean over valid steps"} <= set(shown(case))
    assert "memory aliased" in shown(Case.parse("gru:T2B2I2H2:memory=aliased"))
    assert "memory aliased" not in shown(Case.parse("gru:T2B2I1H2:memory=aliased"))


def test_names_say_what_they_show_and_no_name_is_twice() -> None:
    assert all(feature.shows for feature in FEATURES.values())
    assert sum(map(len, GROUPS.values())) == len(FEATURES)


def test_fills_are_one_of_several_and_features_all() -> None:
    assert split(["small", "T=1", "ordinary", "H=1"]) == ({"regime": ("small", "ordinary")}, ("T=1", "H=1"))
    assert split([]) == ({}, ())


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("T=01", "regime: got 'T=01', wanted a name of `crosscheck run --list-regimes`; nearest is 'T=1'"),
        (("T=1", "T=2"), "regime: got T=1, T=2, wanted names that one case can have together"),
        (("wide", "sizes equal"), "regime: got wide, sizes equal, wanted names that one case can have together"),
        ("peephole", "regime: got peephole, wanted names that go together, of what some subject supports"),
    ],
)
def test_what_no_case_has(names: Any, message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        check(lambda _: {}, cell="lstm", regime=names)
    assert str(error.value) == message


def test_sizes_past_the_largest_are_not_supported() -> None:
    assert narrowed(supports({"max_T": 2}), ["T>=3"]) is None
    assert narrowed(PLAIN, ["T>=3"]) == PLAIN


def test_a_run_counts_what_it_covered() -> None:
    report = check("manual", max_examples=3, cell="gru", dtype="float64", regime=("T=1", "simple"), shrink=False)
    assert report.cases == 3
    assert (report.covered["T=1"], report.covered["simple"], report.covered["wide"]) == (3, 3, 0)
    assert "peephole" not in report.covered  # no GRU has that


def test_nothing_is_drawn_where_options_and_features_never_meet() -> None:
    report = check("manual", max_examples=3, cell="gru", axes="T", regime="B=2")
    assert report.cases == 0


def test_the_guide_has_every_regime() -> None:
    text = (Path(__file__).parents[2] / "docs" / "regimes.md").read_text(encoding="utf-8")
    assert [name for name, feature in FEATURES.items() if f"| `{name}` | {feature.shows} |" not in text] == []


@pytest.mark.parametrize("name", ["rate 0.3", "rate 0.7", "train", "eval"])
def test_a_mask_is_no_regime_of_who_has_none(name: str) -> None:
    without = {**EVERYTHING, **dict.fromkeys(("dropout", "recurrent_dropout", "zoneout"), (False,))}
    assert narrowed(without, [name]) is None
    assert narrowed({**without, "zoneout": (False, True)}, [name]) is not None
