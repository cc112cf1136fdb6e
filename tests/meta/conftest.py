"""The table of mutants, and what plants them.

`mutants.py` is loaded by its path: the tests are no package, and their folder is not on `sys.path`.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crosscheck import Status, Verdict

if TYPE_CHECKING:
    from tests.meta import mutants
else:
    spec = importlib.util.spec_from_file_location("crosscheck_mutants", Path(__file__).with_name("mutants.py"))
    mutants = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(mutants)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes a `mutant` on every mutant, and one that takes `hides` too on all that hides one."""
    if "hides" in metafunc.fixturenames:
        hiding = [(mutant, hides) for mutant in mutants.MUTANTS for hides in mutant.hides]
        names = [f"{mutant.name}-{','.join(f'{k}={v}' for k, v in hides.items())}" for mutant, hides in hiding]
        metafunc.parametrize(("mutant", "hides"), hiding, ids=names)
    elif "mutant" in metafunc.fixturenames:
        metafunc.parametrize("mutant", mutants.MUTANTS, ids=[mutant.name for mutant in mutants.MUTANTS])


@pytest.fixture
def copied(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[mutants.Mutant | None], mutants.Subject]]:
    """`(mutant or None) -> a copy of the hand-written network, with the mistake in it`."""
    folders = []

    def copy(mutant: mutants.Mutant | None) -> mutants.Subject:
        folders.append(tmp_path_factory.mktemp("manual_rnn_copy"))
        monkeypatch.syspath_prepend(folders[-1])
        return mutants.copied(folders[-1], mutant)

    yield copy
    for folder in folders:
        mutants.forget(folder)


@pytest.fixture
def clean(copied: Callable[[None], mutants.Subject]) -> mutants.Subject:
    """A copy of the hand-written network with no mistake in it."""
    return copied(None)


@pytest.fixture
def planted(mutant: mutants.Mutant, copied: Callable[[mutants.Mutant | None], mutants.Subject]) -> mutants.Subject:
    """A copy of the hand-written network with the mistake in it."""
    return copied(mutant)


@pytest.fixture(scope="session")
def named() -> Mapping[str, mutants.Mutant]:
    """The mutants by name."""
    by_name = {mutant.name: mutant for mutant in mutants.MUTANTS}
    assert len(by_name) == len(mutants.MUTANTS)
    return by_name


@pytest.fixture(scope="session")
def patched() -> Callable[[str, mutants.Mutant], str]:
    """`(text, mutant) -> the text with the mistake in it`."""
    return mutants.patched


@pytest.fixture(scope="session")
def wrong() -> Callable[[Verdict], set[str]]:
    """`(verdict) -> the tensors in which it found something wrong`."""

    def names(verdict: Verdict) -> set[str]:
        numbers = {check.name for check in verdict.checks if check.status is Status.FAIL}
        return numbers | {finding.name for finding in verdict.findings}

    return names
