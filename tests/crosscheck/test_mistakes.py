"""The catalogue of known mistakes: each is told in full, shows where it says, and is no other."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from crosscheck import Case, Status, mistakes
from crosscheck.examine import examine
from crosscheck.implementation import Function, make, run, subject
from crosscheck.mistakes.catalogue import CATALOGUE, collected, planted
from crosscheck.mistakes.mistake import Mistake
from crosscheck.referee.patched import PatchError
from crosscheck.strategies import supported, supports

FAMILIES = {f"F{k}" for k in range(1, 17)} - {"F15"}
"""F15 is mistakes of checkers, not of layers."""

SIZES = "T3B2I2H3:regime=ordinary"
LINES = (
    *[f"{cell}:{SIZES}:seed=3" for cell in ("rnn_tanh", "rnn_relu", "lstm", "gru")],
    *[f"{cell}:{SIZES}:dtype=float32:seed=3" for cell in ("rnn_tanh", "lstm")],
    f"gru:{SIZES}:reset_after=false:seed=3",
    f"rnn_tanh:{SIZES}:clip=0.703125:seed=3",
    f"lstm:{SIZES}:peephole=true:seed=3",
    f"lstm:{SIZES}:coupled=true:seed=3",
    f"lstm:{SIZES}:forget_bias=1:seed=3",
    f"lstm:{SIZES}:proj_size=2:seed=3",
    f"gru:{SIZES}:layers=2:attention=true:seed=3",
    "rnn_tanh:T3B2I2H3:layers=3:regime=ordinary:seed=3",
    "lstm:T3B2I2H3:layers=2:bidirectional=true:zoneout=0.3:regime=ordinary:seed=3",
    "rnn_tanh:T3B2I2H3:bidirectional=true:merge=sum:regime=ordinary:seed=3",
    "rnn_tanh:T4B3I2H3:bidirectional=true:lengths=2,4,1:regime=ordinary:seed=3",
    "rnn_tanh:T3B2I2H3:layers=2:dropout=0.3:recurrent_dropout=0.3:regime=ordinary:seed=3",
    f"gru:{SIZES}:recurrent_dropout=0.3:seed=3",
    f"rnn_tanh:{SIZES}:recurrent_dropout=0.3:train=false:seed=3",
    f"rnn_tanh:{SIZES}:zoneout=0.7:seed=3",
    "rnn_tanh:T5B2I2H3:truncate=2,3:regime=ordinary:seed=3",
    "rnn_tanh:T4B2I2H3O2:loss=mse:lengths=2,4:regime=ordinary:seed=3",
    "rnn_tanh:T3B2I2H3O2:loss=half_squared_error:regime=ordinary:seed=3",
    "rnn_tanh:T3B2I2H3O2:loss=cross_entropy:regime=ordinary:seed=3",
    f"rnn_tanh:{SIZES}:axes=BT:seed=3",
)
"""Cases on some of which any two mistakes return something different."""


every_mistake = pytest.mark.parametrize("mistake", CATALOGUE.values(), ids=CATALOGUE)


def of_catalogue(mistake: Mistake) -> Function:
    return subject(**mistake.options)(planted(mistake))


@every_mistake
def test_it_shows_where_it_says(mistake: Mistake) -> None:
    case = Case.parse(mistake.case)
    assert str(case) == mistake.case
    (verdict, *others) = examine([make(of_catalogue(mistake))], case)
    assert others == []
    assert verdict.status is Status.FAIL
    wrong = {check.name for check in verdict.checks if check.status is Status.FAIL}
    assert wrong | {finding.name for finding in verdict.findings} >= set(mistake.tensors)


@every_mistake
def test_it_shows_in_a_case_that_its_options_draw(mistake: Mistake) -> None:
    assert supported(Case.parse(mistake.case), supports(mistake.options))


@every_mistake
def test_it_is_told_in_full(mistake: Mistake) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*", mistake.name)
    empty = {field.name for field in fields(mistake) if not getattr(mistake, field.name)}
    assert empty <= {"source", "hidden_by"}
    assert mistake.right != mistake.wrong
    assert all(patch.right != patch.wrong for patch in mistake.patches)
    assert not re.search(r"^[A-Z][^_]|[.]$", mistake.says)  # it follows "because"
    assert mistake.belief.endswith(".")


def test_every_family_has_mistakes() -> None:
    assert {mistake.family for mistake in CATALOGUE.values()} == FAMILIES


def test_every_file_of_the_folder_is_a_family() -> None:
    for path in Path(str(mistakes.__file__)).parent.glob("*.py"):
        if path.stem not in ("__init__", "mistake", "catalogue"):
            text = path.read_text(encoding="utf-8")
            (family,) = set(re.findall(r'family="(F\d+)"', text))
            assert text.startswith(f'"""{family}: ')
            assert set(re.findall(r'^        name="(.*)",$', text, re.M)) <= CATALOGUE.keys()


def test_the_first_example_is_there() -> None:
    assert CATALOGUE["rnn.carry-dropped"].says == "the gradient is not carried to the previous step"


def test_a_name_given_twice_is_refused() -> None:
    one = CATALOGUE["rnn.carry-dropped"]
    assert list(collected([one, replace(one, name="other")])) == ["rnn.carry-dropped", "other"]
    with pytest.raises(ValueError, match=r"two mistakes are called rnn\.carry-dropped"):
        collected([one, one])


def test_several_are_planted_together() -> None:
    case = Case.parse("rnn_tanh:T2B2I1H2:regime=ordinary:seed=3")
    carry, bias = CATALOGUE["rnn.carry-dropped"], CATALOGUE["bias.averaged-over-the-batch"]
    both, one = planted([carry, bias])(case), planted(carry)(case)
    np.testing.assert_array_equal(both["dx"], one["dx"])
    np.testing.assert_array_equal(both["db_xh"], one["db_xh"] / 2)
    with pytest.raises(PatchError):
        planted([CATALOGUE["bias.overwritten"], bias])  # both change the same line


def test_no_mistake_is_another_one() -> None:
    """Fingerprints are compared: the bytes that come out on some cases, and what was found besides."""
    names: dict[tuple[object, ...], list[str]] = defaultdict(list)
    cases = [Case.parse(line) for line in LINES]
    for mistake in CATALOGUE.values():
        network = make(planted(mistake))
        prints = []
        for case in cases:
            result = run(network, case)
            values = tuple((name, np.asarray(array).tobytes()) for name, array in result.values.items())
            prints.append((values, tuple((finding.kind, finding.name) for finding in result.findings)))
        names[tuple(prints)].append(mistake.name)
    assert [alike for alike in names.values() if len(alike) > 1] == []
