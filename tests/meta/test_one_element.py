"""The promise: in NumPy code that can be lifted, one gradient element off by 1e-12 relative is proved wrong, and named.

In every drawn case with T <= 10 whose element is not exactly zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crosscheck import Case
from crosscheck.referee.proof import Outcome, prove
from crosscheck.spec import GATES
from crosscheck.strategies import EVERYTHING, cases, supports
from crosscheck.subjects.manual import manual

OFF = 1 + 1e-12


@pytest.mark.parametrize("cell", GATES)
@given(data=st.data())
def test_one_element_off_by_1e_12_is_proved_wrong(cell: str, data: st.DataObject) -> None:
    case = data.draw(cases(supports({"cell": cell, "max_T": 10, "max_B": 3, "max_I": 4, "max_H": 4}, EVERYTHING)))
    right = prove(manual, case)
    assert right.outcome is Outcome.PROVEN
    # an element whose ball is 0 with no radius is exactly zero; each of the others is nonzero, or below 2^-1075
    nonzero = {
        name: np.argwhere(hi != 0).tolist() for name, (hi, _, _) in right.values.items() if name[0] == "d" and hi.any()
    }
    assume(nonzero)
    name = data.draw(st.sampled_from(sorted(nonzero)), label="tensor")
    index = tuple(data.draw(st.sampled_from(nonzero[name]), label="element"))

    def planted(lifted: Case) -> Mapping[str, Any]:
        results = dict(manual(lifted))
        gradient = results[name].copy()
        gradient[index] = gradient[index] * OFF
        return results | {name: gradient}

    found = prove(planted, case)
    assert (found.outcome, found.wrong) == (Outcome.WRONG, (name,))
