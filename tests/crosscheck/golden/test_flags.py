"""What a vector shows: the features of its case, but sizes, which say themselves, and memory, which no file holds."""

from __future__ import annotations

import pytest

from crosscheck import Case
from crosscheck.features import FEATURES, GROUPS
from crosscheck.golden.flags import FLAGS, flags


def of(line: str) -> set[str]:
    return set(flags(Case.parse(line)))


def test_each_flag_says_what_it_makes_visible() -> None:
    silent = {*GROUPS["sizes"], *GROUPS["memory"]}
    assert set(FLAGS) == set(FEATURES) - silent
    assert FLAGS["no biases"] == "a bias that is read though there is none"


def test_a_case_has_the_flags_of_what_it_shows_and_no_others() -> None:
    for line in ("lstm:T3B2I2H3:lengths=3,1:seed=1", "gru:T3B2I1H2:bias=false:seed=2"):
        case = Case.parse(line)
        assert of(line) == {name for name in FLAGS if FEATURES[name].of(case)}


def test_sizes_and_memory_are_no_flags() -> None:
    assert not of("lstm:T3B2I2H2:layers=2:memory=readonly:seed=1") & {*GROUPS["sizes"], *GROUPS["memory"]}


@pytest.mark.parametrize(
    ("with_it", "without", "name"),
    [
        ("gru:T2B1I1H2:bias=false:seed=1", "gru:T2B1I1H2:seed=1", "no biases"),
        ("lstm:T2B1I1H2:regime=zero_state:seed=1", "lstm:T2B1I1H2:seed=1", "zero states"),
        ("lstm:T2B1I1H2:regime=outputs_only:seed=1", "lstm:T2B1I1H2:seed=1", "dh_n zero"),
    ],
)
def test_what_makes_a_flag(with_it: str, without: str, name: str) -> None:
    assert name in of(with_it)
    assert name not in of(without)


def test_flags_are_the_same_each_time_and_in_the_order_of_the_table() -> None:
    case = Case.parse("lstm:T3B2I2H3:lengths=3,1:seed=1")
    assert flags(case) == tuple(name for name in FLAGS if name in flags(Case.parse(str(case))))
