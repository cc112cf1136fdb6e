"""Our own networks, checked as anybody checks theirs: by the plugin's marker, and by the public set of vectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from crosscheck.case import Case
from crosscheck.in_tests import CheckFailed, Vectors
from crosscheck.strategies import EVERYTHING
from crosscheck.subjects import torch_case
from crosscheck.subjects.manual import manual
from crosscheck.subjects.torch_rnn import torch_rnn


@pytest.mark.crosscheck(max_examples=10, **EVERYTHING)
def test_the_network_by_hand(case: Case) -> Mapping[str, Any]:
    return manual(case)


@pytest.mark.crosscheck(max_examples=10, **torch_case.SUPPORTED)
def test_its_twin_in_torch(case: Case) -> Mapping[str, Any]:
    return torch_rnn(case)


@pytest.mark.parametrize("subject", ["manual", "torch_rnn"])
def test_the_public_set(subject: str, crosscheck_golden: Vectors) -> None:
    crosscheck_golden(subject, folder="vectors")


def test_the_public_set_finds_a_gradient_that_is_not_ours(crosscheck_golden: Vectors) -> None:
    def doubled(case: Case) -> Mapping[str, Any]:
        returned = dict(manual(case))
        return returned | {"dW_hh": 2 * returned["dW_hh"]}

    with pytest.raises(CheckFailed, match="doubled fails on ") as found:
        crosscheck_golden(doubled, folder="vectors", cell="gru")
    assert "   dW_hh is wrong\n" in found.value.crosscheck_text
