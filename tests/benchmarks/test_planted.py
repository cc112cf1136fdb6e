"""The plain network is right; and what is planted in it is what the catalogue says, in somebody else's code."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from crosscheck import Case, check
from crosscheck.examine import examine
from crosscheck.implementation import Function, Result, make, run
from crosscheck.mistakes.catalogue import CATALOGUE, planted
from crosscheck.referee.patched import Patch, PatchError
from crosscheck.referee.reference import reference
from crosscheck.referee.truth import Known
from crosscheck.spec import GATES
from crosscheck.strategies import EVERYTHING
from crosscheck.uses import CHECKS
from crosscheck.verdict import Status, judge

if TYPE_CHECKING:
    from benchmarks.planted import NOT_PLANTED, PLANTINGS
    from benchmarks.planting import PLAIN, copied, texts
else:
    from planted import NOT_PLANTED, PLANTINGS
    from planting import PLAIN, copied, texts

EXAMPLES = 10
NETWORK = f"{PLAIN}/network.py:plain"


@pytest.mark.parametrize("cell", GATES)
@pytest.mark.parametrize("dtype", EVERYTHING["dtype"])
def test_the_plain_network_is_right(cell: str, dtype: str) -> None:
    report = check(NETWORK, cell=cell, dtype=dtype, max_examples=EXAMPLES)
    assert report.failures == ()
    assert report.cases == EXAMPLES
    assert report.inconclusive < EXAMPLES / 2


def test_the_plain_network_supports_everything() -> None:
    assert make(NETWORK).options == EVERYTHING


@pytest.mark.parametrize("cell", GATES)
def test_the_plain_networks_own_formulas_are_proven(cell: str) -> None:
    (verdict,) = examine([make(NETWORK)], Case.parse(f"{cell}:T2B1I1H2:seed=1"), deep=True)
    assert verdict.status is Status.PASS
    assert any(said.startswith("its own code proven right on balls") for said in verdict.evidence)


@pytest.mark.parametrize("cell", GATES)
def test_the_plain_network_may_be_used_again(cell: str) -> None:
    case = Case.parse(f"{cell}:T3B2I2H2:layers=2:bidirectional=true:regime=ordinary:lengths=1,3:seed=1")
    verdicts = CHECKS.verdicts(make(NETWORK), case)
    assert {verdict.status for verdict in verdicts} == {Status.PASS}


def test_the_plain_network_shares_nothing_with_the_other_one() -> None:
    assert [name for name, text in texts().items() if "import manual_rnn" in text or "from manual_rnn" in text] == []


def test_every_mistake_of_the_catalogue_is_planted_or_said_not_to_be() -> None:
    assert PLANTINGS.keys() | NOT_PLANTED.keys() == CATALOGUE.keys()
    assert not PLANTINGS.keys() & NOT_PLANTED.keys()
    assert all(NOT_PLANTED.values())


@pytest.mark.parametrize("name", PLANTINGS)
def test_a_planting_is_wrong_as_the_catalogues_network_is(name: str) -> None:
    mistake = CATALOGUE[name]
    case, network = Case.parse(mistake.case), planted(mistake)
    want = run(make(network), case)
    with copied(PLANTINGS[name]) as target:
        got = run(make(target), case)
    assert _found(got) == _found(want)
    verdict = judge(name, case, got, Known(case).worst)
    wrong = {check.name for check in verdict.checks if check.status is Status.FAIL}
    assert wrong | {finding.name for finding in got.findings} >= set(mistake.tensors)
    assert got.values.keys() == want.values.keys()
    bound = _bound(network, case, want)
    outside = {
        tensor
        for tensor, array in want.values.items()
        if not np.all(
            (np.abs(got.values[tensor] - array) <= bound[tensor]) | (np.isnan(array) & np.isnan(got.values[tensor]))
        )
    }
    assert outside == set()


def _bound(network: Function, case: Case, result: Result) -> Mapping[str, Any]:
    """Return by how much rounding may move the results of a network; nothing where it can't be run on bounded numbers.

    There the two have to be the same to the bit.
    """
    try:
        return reference(case, network).bound
    except Exception:  # a mistake may break a network in any way
        return {name: np.zeros_like(array) for name, array in result.values.items()}


def _found(result: Result) -> set[tuple[str, str]]:
    return {(finding.kind, finding.name) for finding in result.findings}


@pytest.mark.parametrize(("right", "count"), [("no such text", 0), ("from __future__", 1), ("h_prev", 15)])
def test_a_change_that_does_not_apply_says_so(right: str, count: int) -> None:
    if count == 1:
        assert right not in texts([Patch("elman.py", right, "")])["elman.py"]
        return
    with pytest.raises(PatchError, match=rf"{count} times in elman\.py, wanted once"):
        texts([Patch("elman.py", right, "")])


def test_a_copy_is_gone_when_it_is_done_with_and_the_next_one_is_another() -> None:
    case = Case.parse(CATALOGUE["rnn.carry-dropped"].case)
    path = list(sys.path)
    with copied(PLANTINGS["rnn.carry-dropped"]) as target:
        wrong = run(make(target), case).values["dh_0"]
    folder = Path(target.partition("/network.py")[0])
    with copied() as target:
        right = run(make(target), case).values["dh_0"]
    assert not wrong.any()
    assert right.any()
    assert not folder.exists()
    assert sys.path == path
    assert "elman" not in sys.modules
