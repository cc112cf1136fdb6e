"""crosscheck mistakes: the catalogue to read."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from crosscheck.cli import cli
from crosscheck.errors import ArgumentError
from crosscheck.mistakes.catalogue import CATALOGUE


def printed(*arguments: str) -> str:
    done = CliRunner().invoke(cli, ["mistakes", *arguments], standalone_mode=False, catch_exceptions=False)
    assert done.return_value == 0
    return done.output


def test_all_are_listed() -> None:
    lines = printed().splitlines()
    assert [line.split()[0] for line in lines[:-2]] == list(CATALOGUE)
    assert lines[-1] == f"{len(CATALOGUE)} mistakes; crosscheck mistakes NAME shows one at length"
    assert "rnn.carry-dropped                             the gradient is not carried to the previous step" in lines


def test_one_at_length() -> None:
    assert (
        printed("rnn.carry-dropped")
        == """\
rnn.carry-dropped   F1
  says         the gradient is not carried to the previous step
  should be    dh = W_hy.T @ dy + dh_next
  was          dh = W_hy.T @ dy
  belief       A step's gradient comes from its own output, and that is all.
  source       qixianbiao/RNN#2
  in           rnn_tanh, rnn_relu
  smallest     rnn_tanh:T1B1I1H1:seed=0: dh_0

"""
    )


def test_a_beginning_stands_for_several_and_a_cell_for_its_own() -> None:
    assert printed("peephole.").count("should be") == sum(name.startswith("peephole.") for name in CATALOGUE)
    of_gru = {line.split()[0] for line in printed("--cell", "gru").splitlines()[:-2]}
    assert of_gru == {mistake.name for mistake in CATALOGUE.values() if "gru" in mistake.cells}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rnn.carry-droped"], "did you mean rnn.carry-dropped?"),
        (["--cell", "gpu"], "wanted one of rnn_tanh, rnn_relu, lstm, gru"),
    ],
)
def test_what_is_not_there_is_said(arguments: list[str], message: str) -> None:
    done = CliRunner().invoke(cli, ["mistakes", *arguments], standalone_mode=False)
    assert isinstance(done.exception, ArgumentError)
    assert message in str(done.exception)
