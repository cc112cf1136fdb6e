"""Short runs of the benchmark of diagnoses: a known mistake, an unknown one, none; and what is counted as what."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from crosscheck import Case
from crosscheck.examine import examine
from crosscheck.failure import Failure
from crosscheck.implementation import make
from crosscheck.localise import Location, Reach

if TYPE_CHECKING:
    from benchmarks import diagnosis
    from benchmarks.diagnosis import Row
    from benchmarks.planted import PLANTINGS
    from benchmarks.planting import copied
    from benchmarks.unknown import UNKNOWN
else:
    import diagnosis
    from diagnosis import Row
    from planted import PLANTINGS
    from planting import copied
    from unknown import UNKNOWN

CASE = Case.parse("rnn_tanh:T1B1I1H1:seed=0")


@pytest.fixture(scope="module")
def known() -> Row:
    return diagnosis.known(("rnn.carry-dropped", "rnn_tanh"))


def test_a_known_mistake_is_caught_named_and_localised(known: Row) -> None:
    assert (known.caught, known.named, known.among, known.localised) == (True, True, True, True)
    assert known.answers[0] == ("rnn.carry-dropped",)
    assert (known.T, known.B, known.I, known.H) == (1, 1, 1, 1)
    assert known.case.startswith("rnn_tanh:T1B1I1H1:")
    assert 0 < known.first < known.seconds


def test_an_unknown_mistake_is_localised_and_not_named() -> None:
    row = diagnosis.unknown(("first step counted twice in dW_hh", "rnn_tanh"))
    assert (row.caught, row.answers, row.localised) == (True, (), True)


def test_the_right_network_is_not_accused() -> None:
    row = diagnosis.right((5, 3))
    assert (row.cell, row.seed, row.caught, row.answers) == ("rnn_relu", 5, False, ())
    assert "0 of 1 (0.0%)" in next(iter(diagnosis.accusations([row])))


def test_what_a_mistake_makes_wrong_is_asked_of_the_catalogues_network() -> None:
    assert diagnosis.wrong_in("bias.second-not-trained", Case.parse("gru:T2B2I2H2:seed=1")) == {"db_hh"}


def test_a_twin_gives_the_same_bits() -> None:
    line = "rnn_tanh:T3B2I2H2:regime=ordinary:seed=1"
    with copied(PLANTINGS["rnn.carry-dropped"]) as target:
        (verdict,) = examine([make(target)], Case.parse(line), deep=False)
    failure = Failure(verdict)
    for answer, twin in (
        (("time.carry-into-a-copy",), True),
        (("rnn.carry-without-weights",), False),
        (("rnn.carry-dropped",), False),
        (("time.carry-into-a-copy", "bias.not-trained"), False),
    ):
        assert diagnosis.is_twin("rnn.carry-dropped", answer, failure) == twin


def test_an_unknown_mistake_is_placed_by_side_parameters_reach_and_gates() -> None:
    unknown = UNKNOWN["last step missing for the forget gate"]
    right = Location(CASE, outputs=False, wrong=("dW_hh",), right=(), gates=("f",), reach=Reach.ONE_STEP)
    for location, placed in (
        (right, True),
        (replace(right, outputs=True), False),
        (replace(right, wrong=("dW_hh", "dW_xh")), False),
        (replace(right, wrong=()), False),
        (replace(right, gates=()), False),
        (replace(right, reach=Reach.CARRIED), False),
        (None, False),
    ):
        assert diagnosis.is_placed(unknown, location) == placed


def test_the_cells_are_that_of_the_smallest_case_or_all() -> None:
    assert diagnosis.cells_of("bias.second-not-added", every=False) == ("rnn_tanh",)
    assert diagnosis.cells_of("bias.second-not-added", every=True) == ("rnn_tanh", "rnn_relu", "lstm")


def test_the_totals_count_rows(known: Row) -> None:
    missed = Row("rnn.carry-dropped", "rnn_tanh")
    other = replace(known, named=False, among=False, answers=(("rnn.weights-not-transposed",),), localised=False)
    twin = replace(known, twin=True)
    caught, named, among, misnamed, localised, *_ = diagnosis.totals([known, missed, other, twin])
    assert caught.split(maxsplit=1)[1] == "3 of 4 (75.0%)"
    assert named.split(maxsplit=1)[1] == "2 of 4 (50.0%), 1 of them by a twin"
    assert among.split(maxsplit=1)[1] == "2 of 4 (50.0%) are among the answers"
    assert misnamed.split(maxsplit=1)[1] == "1 of 4 (25.0%)"
    assert localised.split(maxsplit=1)[1] == "2 of 4 (50.0%)"


def test_a_name_that_is_none_is_refused() -> None:
    result = CliRunner().invoke(diagnosis.main, ["--only", "rnn.no-such-mistake"])
    assert result.exit_code == 2
    assert "no mistake rnn.no-such-mistake" in result.output
