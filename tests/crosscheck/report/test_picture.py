"""The picture of a failure: what its numbers are, by other means, and that nothing is in it that isn't there."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from crosscheck.case import Case
from crosscheck.examine import examine
from crosscheck.experiments import from_step
from crosscheck.implementation import Subject, make
from crosscheck.mistakes.catalogue import CATALOGUE, planted
from crosscheck.picture import picture, rest_of
from crosscheck.referee.trace import trace
from crosscheck.referee.truth import Known
from crosscheck.report.run import Heat, Picture
from crosscheck.spec import Spec
from crosscheck.strategies import EVERYTHING, supports
from crosscheck.subjects.manual import manual
from crosscheck.verdict import Verdict

Results = Mapping[str, Any]
SMALL = Case.parse("rnn_tanh:T2B1I1H1:seed=0")


def subject(function: Callable[[Case], Any], **options: Any) -> Subject:
    return Subject("mine", function, supports({**EVERYTHING, **options}), frozenset(options))


def verdict_on(one: Subject, case: Case) -> Verdict:
    return examine([one], case, None)[0]


def drawn(function: Callable[[Case], Any], case: Case = SMALL, **options: Any) -> Picture:
    one = subject(function, **options)
    found = picture(one, verdict_on(one, case))
    assert found is not None
    return found


def heat(found: Picture, tensor: str) -> Heat:
    return next(heat for heat in found.heats if heat.tensor == tensor)


def norm(array: Any) -> float:
    return float(np.linalg.norm(np.ravel(array)))


def within(a: float, b: float, case: Case, t: int) -> bool:
    """Whether two programs' |dh_t| are as near as they must be: norms differ by no more than the norm of what may."""
    bound = Known(rest_of(case, t) if 0 < t < case.T else case).worst.bound["dh_0"]
    return abs(a - b) <= norm(bound)


def wrong(found: Heat) -> Any:
    return np.array(found.error) > 1


def scaled(case: Case) -> dict[str, Any]:
    """dx and dh_0 as if each step halved what it sends back to the step before: by the shares of the outputs."""
    results = dict(manual(case))
    cotangents = [from_step(case, s) for s in range(case.T)]
    cleared = replace(case, arrays={**case.arrays, "dy": np.zeros_like(case.arrays["dy"])})
    shares = [(s, manual(c)) for s, c in enumerate(cotangents)] + [(case.T - 1, manual(cleared))]
    results["dh_0"] = sum(0.5 ** (s + 1) * share["dh_0"] for s, share in shares)
    halved = [0.5 ** np.abs(s - np.arange(case.T)) for s, _ in shares]
    results["dx"] = sum(half[:, None, None] * share["dx"] for half, (_, share) in zip(halved, shares, strict=True))
    return results


def plain(case: Case) -> dict[str, Any]:
    """A layer whose dh_0 is halved by each step that comes before it, which leaves the other gradients right."""
    results = dict(manual(case))
    return {**results, "dh_0": results["dh_0"] * 0.5**case.T}


def test_the_norms_are_those_of_the_planted_mistake() -> None:
    found = drawn(plain, axes="TB", lengths="none", num_layers=1, bidirectional=False)
    case, norms = Case.parse(found.case), found.norms
    assert norms is not None
    assert norms.what == "dh"
    assert (case.T, case.B, case.spec.hidden_size) == (8, 2, 6)
    assert len(norms.got) == len(norms.want) == case.T + 1
    for t in range(case.T + 1):
        assert within(2.0 ** (case.T - t) * norms.got[t], norms.want[t], case, t)


@pytest.mark.parametrize(
    "line", ["rnn_tanh:T2B1I1H2:seed=0", "lstm:T2B1I1H2:layers=2:seed=0", "gru:T2B1I1H2:axes=BT:seed=0"]
)
def test_the_norms_of_what_is_right_are_those_of_the_trace(line: str) -> None:
    def doubled(case: Case) -> dict[str, Any]:
        return {**manual(case), "dx": 2 * manual(case)["dx"]}

    found = drawn(doubled, Case.parse(line))
    case, norms = Case.parse(found.case), found.norms
    assert norms is not None
    steps = trace(case).steps
    for t in range(1, case.T):
        sent = [step.backward["dh_prev"] for step in steps if step.t == t]
        assert within(norms.want[t], norm(np.concatenate(sent)), case, t)
        assert within(norms.got[t], norms.want[t], case, t)
    assert norms.want[0] == norm(Known(case).worst.want["dh_0"])


def test_a_scaled_carry_is_wrong_from_one_step_on() -> None:
    found = drawn(scaled, axes="TB", lengths="none", num_layers=1, bidirectional=False, loss="none")
    dx, dh_0 = heat(found, "dx"), heat(found, "dh_0")
    assert dx.columns == "step"
    assert dx.rows == "input"
    assert wrong(dx).shape == (3, 8)
    assert wrong(dx)[:, :-1].all()
    assert not wrong(dx)[:, -1].any()  # nothing has crossed a step yet
    assert (dh_0.rows, wrong(dh_0).shape) == ("unit", (6, 8))
    norms = found.norms
    assert norms is not None
    case = Case.parse(found.case)
    for t in (1, 4, 7):
        rest = rest_of(case, t)
        assert norms.got[t] == norm(scaled(rest)["dh_0"])


def test_a_dropped_carry_shows_from_one_step_on() -> None:
    mistake = CATALOGUE["time.dh-next-never-added"]
    found = drawn(planted(mistake), Case.parse("lstm:T2B1I1H1:seed=0"), cell=("lstm",))
    of_weights = wrong(heat(found, "dW_hh"))
    assert of_weights.shape == (24, 8)
    assert not of_weights[:, 0].any()  # step 0's own cotangent crosses no step
    assert of_weights[:, 1:].any(axis=0).all()
    assert heat(found, "dW_hh").rows == "row of W_hh"
    assert heat(found, "dW_hh").columns == "the cotangent at step t alone"
    assert found.norms is not None
    assert found.norms.got[-1] == found.norms.want[-1]


def test_one_wrong_unit_and_step_is_one_cell() -> None:
    def off(case: Case) -> dict[str, Any]:
        y = np.array(manual(case)["y"])
        if case.T > 3 and y.shape[-1] > 4:
            y[3, -1, 4] = np.nan
        else:
            y[-1, -1, -1] += 1
        return {**manual(case), "y": y}

    found = drawn(off, axes="TB", lengths="none")
    assert [heat.tensor for heat in found.heats] == ["y"]
    assert np.argwhere(wrong(found.heats[0])).tolist() == [[4, 3]]
    assert found.heats[0].error[4][3] == math.inf


def test_two_directions_have_the_norm_of_dx() -> None:
    mistake = CATALOGUE["direction.one-gradient-overwrites"]
    line = mistake.case
    found = drawn(planted(mistake), Case.parse(line))
    case = Case.parse(found.case)
    assert case.spec.bidirectional
    assert found.norms is not None
    assert found.norms.what == "dx"
    right = Known(case).worst.want["dx"]
    assert found.norms.want == tuple(map(norm, right))


def test_what_is_right_has_no_picture() -> None:
    one = make("manual")
    wrong = verdict_on(subject(plain), SMALL)
    assert picture(one, wrong) is None
    assert picture(one, verdict_on(one, SMALL)) is None


def test_a_case_that_alone_fails_is_shown_itself() -> None:
    case = Case(Spec("gru", 2, 3), T=2, B=1, seed=5)

    def only_here(given: Case) -> dict[str, Any]:
        results = dict(manual(given))
        return {**results, "dx": 2 * results["dx"]} if given == case else results

    found = drawn(only_here, case)
    assert found.case == str(case)
    assert wrong(found.heats[0]).shape == (2, 2)


def test_what_the_subject_raises_is_left_out() -> None:
    def picky(case: Case) -> dict[str, Any]:
        if case.T not in (2, 8):
            raise ValueError(case.T)
        if not np.any(case.arrays["dh_n"]):
            raise RuntimeError
        return {**manual(case), "dh_0": -manual(case)["dh_0"]}

    found = drawn(picky)
    assert found.heats == ()
    assert found.norms is not None
    assert all(math.isnan(norm) == (0 < t < 8) for t, norm in enumerate(found.norms.got[:8]) if t != 6)
    assert all(math.isfinite(norm) for norm in found.norms.want)


def test_it_takes_few_runs_and_comes_out_the_same() -> None:
    mistake, runs = CATALOGUE["time.dh-next-never-added"], []
    wrong = planted(mistake)

    def counted(case: Case) -> Any:
        runs.append(case)
        return wrong(case)

    one = subject(counted, cell=("lstm",))
    verdict = verdict_on(one, Case.parse("lstm:T2B1I1H1:seed=0"))
    runs.clear()
    first = picture(one, verdict)
    assert len(runs) <= 40
    assert first == picture(one, verdict)
