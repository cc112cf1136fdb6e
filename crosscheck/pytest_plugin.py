"""The pytest plugin: a marker for subjects, two fixtures, and what they need of options, reports and known failures.

Nothing heavy is imported before a test asks for it. What tests do is in `crosscheck.in_tests`; here is what pytest
needs to know: where a subject's arguments come from, what is shown of a failure, what is told at the end of a run.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from crosscheck import expected
from crosscheck.errors import ArgumentError

if TYPE_CHECKING:
    from crosscheck.in_tests import Checker, Session, Vectors

MARKER = "crosscheck"
FIXTURES = ("crosscheck", "crosscheck_golden")
PROFILES = {"quick": 20, "default": 100, "thorough": 1000}
"""Cases for each cell and dtype."""
OUTPUT = "crosscheck"  # the entry of what an xdist worker tells the controller


class Settings(NamedTuple):
    """What the command line and the ini file say.

    Attributes:
        max_examples: the profile's.
        update: "" or "all" or "new": what is recorded of golden vectors.
        reports: the names of the formats.
        root: the folder that all paths start from.
        folder: of golden vectors.
        alone: whether this process alone runs tests, so that it may write.
    """

    max_examples: int
    update: str
    reports: tuple[str, ...]
    root: Path
    folder: Path
    alone: bool


SETTINGS = pytest.StashKey[Settings]()
SESSION = pytest.StashKey["Session"]()
XFAILS = pytest.StashKey["expected.Expected"]()
WHOLE = pytest.StashKey[bool]()
TOLD = pytest.StashKey[list[Any]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, and an ini key for each."""
    group = parser.getgroup("crosscheck", "gradients of recurrent networks")
    profiles = ", ".join(f"{name} ({count})" for name, count in PROFILES.items())
    group.addoption(
        "--crosscheck-profile", choices=[*PROFILES], help=f"How many cases for each cell and dtype: {profiles}."
    )
    group.addoption(
        "--crosscheck-update", action="store_true", default=None, help="Record the golden vectors that tests use anew."
    )
    group.addoption(
        "--crosscheck-update-new-only",
        action="store_true",
        default=None,
        help="Record those that are missing.",
    )
    group.addoption("--crosscheck-report", metavar="FORMAT,...", help="Report too: github, html, junit, md or ndjson.")
    parser.addini("crosscheck_profile", "as --crosscheck-profile", default="default")
    parser.addini("crosscheck_update", "as --crosscheck-update", type="bool", default=False)
    parser.addini("crosscheck_update_new_only", "as --crosscheck-update-new-only", type="bool", default=False)
    parser.addini("crosscheck_report", "as --crosscheck-report", default="")
    parser.addini("crosscheck_golden", "the folder of golden vectors, from the root", default="golden")
    parser.addini("crosscheck_xfail", "the file of known failures, from the root", default="crosscheck-xfail.txt")


def pytest_configure(config: pytest.Config) -> None:
    """Read what is asked for.

    Raises:
        UsageError: it can't be done.
    """
    config.addinivalue_line(
        "markers",
        "crosscheck(*cells, max_examples=..., seed=..., **options): the function takes a case and returns outputs and "
        "gradients by name, which are checked; the options are those of crosscheck.check",
    )

    def asked(name: str) -> Any:
        given = config.getoption(f"--crosscheck-{name}".replace("_", "-"))
        return config.getini(f"crosscheck_{name}") if given is None else given

    profile = asked("profile")
    if profile not in PROFILES:
        raise pytest.UsageError(f"crosscheck_profile: got {profile!r}, wanted one of {', '.join(PROFILES)}")
    update = "new" if asked("update_new_only") else "all" if asked("update") else ""
    shared = hasattr(config, "workerinput") or config.getoption("dist", "no") != "no"
    if update and shared:
        raise pytest.UsageError("golden vectors are not recorded by several processes at once: run without -n")
    root = config.rootpath
    reports = tuple(filter(None, asked("report").split(",")))
    folder = root / config.getini("crosscheck_golden")
    settings = Settings(PROFILES[profile], update, reports, root, folder, not shared)
    config.stash[SETTINGS] = settings
    config.stash[XFAILS] = expected.read(root / config.getini("crosscheck_xfail"))
    config.stash[TOLD] = []
    config.stash[WHOLE] = _asks_for_all(config)
    if reports:
        from crosscheck.report.formats import formats

        try:
            formats(reports)
        except ArgumentError as error:
            raise pytest.UsageError(str(error)) from error


@pytest.fixture(scope="session", name="crosscheck")
def _crosscheck(pytestconfig: pytest.Config) -> Checker:
    """Check a recurrent network's outputs and gradients: `crosscheck(target, cell="lstm", ...)`."""
    return _session(pytestconfig).checker


@pytest.fixture(scope="session", name="crosscheck_golden")
def _crosscheck_golden(pytestconfig: pytest.Config) -> Vectors:
    """Check a recurrent network by golden vectors: `crosscheck_golden(target)`."""
    return _session(pytestconfig).vectors


@pytest.fixture
def case(request: pytest.FixtureRequest) -> None:
    """Stand for the case that a test marked `crosscheck` is called with, each time another."""
    if request.node.get_closest_marker(MARKER) is None:
        pytest.fail("a case is given to tests that are marked: @pytest.mark.crosscheck(...)", pytrace=False)


def _session(config: pytest.Config) -> Session:
    if SESSION not in config.stash:
        from crosscheck.in_tests import Session

        config.stash[SESSION] = Session(config.stash[SETTINGS])
    return config.stash[SESSION]


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a marked test as a subject, on many cases."""
    marker = pyfuncitem.get_closest_marker(MARKER)
    if marker is None:
        return None
    names = pyfuncitem._fixtureinfo.argnames
    if names[:1] != ("case",):
        pytest.fail("a test marked crosscheck takes the case first: def test_my_lstm(case)", pytrace=False)
    others = {name: pyfuncitem.funcargs[name] for name in names[1:]}
    function = partial(pyfuncitem.obj, **others) if others else pyfuncitem.obj  # no frame of ours in a traceback
    _session(pyfuncitem.config).marked(function, marker, _name(pyfuncitem, bool(others)))
    return True


def _name(item: pytest.Function, more: bool) -> str:
    """Return what a marked test is called: what the command line takes, if that can call it."""
    alone = item.cls is None and not more
    return f"{item.nodeid.partition('::')[0]}:{item.originalname}" if alone else item.nodeid


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show of a failed check what the command line shows, at the test."""
    report = yield
    error = call.excinfo and call.excinfo.value
    if not report.failed or not _is_ours(item):
        return report
    text = str(error) if isinstance(error, ArgumentError) else getattr(error, "crosscheck_text", None)
    if text is not None:
        notes = "".join(f"\n{note}" for note in getattr(error, "__notes__", ()))
        from _pytest._code.code import ReprEntryNative, ReprExceptionInfo, ReprFileLocation, ReprTraceback

        path, line = _where(item, call)
        crash = ReprFileLocation(path, line, text.strip().partition("\n")[0])
        shown = ReprEntryNative([f"{text}\n{notes}\n", f"{path}:{line}\n"])
        report.longrepr = ReprExceptionInfo(reprcrash=crash, reprtraceback=ReprTraceback([shown], None, style="native"))
    return report


def _where(item: pytest.Item, call: pytest.CallInfo[Any]) -> tuple[str, int]:
    """Return the place of a failed check: the call in the test, or the marked test itself."""
    assert call.excinfo is not None
    path, line, _ = item.location
    entries = [entry for entry in call.excinfo.traceback if Path(str(entry.path)) == item.path]
    if entries:
        return item.nodeid.partition("::")[0], entries[-1].lineno + 1
    return path, (line or 0) + 1


def _is_ours(item: pytest.Item) -> bool:
    """Say whether a test has the marker or one of the fixtures."""
    return MARKER in item.keywords or not {*FIXTURES}.isdisjoint(getattr(item, "fixturenames", ()))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Expect the failures that are known."""
    for item in filter(_is_ours, items):
        entry = config.stash[XFAILS].entry(item.nodeid)
        if entry is not None:
            item.add_marker(pytest.mark.xfail(reason=entry.reason, strict=True))


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Note that not all tests are run."""
    for item in items:
        item.config.stash[WHOLE] = False


def _asks_for_all(config: pytest.Config) -> bool:
    """Say whether all tests are asked for: no paths but the root's or those of the ini file, and none left out.

    A worker says yes, since that is for its controller to say.
    """
    if hasattr(config, "workerinput"):
        return True
    start = config.invocation_params.dir
    asked = {(start / arg).resolve() for arg in config.args}
    all_tests = {(config.rootpath / path).resolve() for path in config.getini("testpaths")}
    left_out = any(str(arg).startswith("--ignore") for arg in config.invocation_params.args)
    return asked in ({config.rootpath.resolve()}, all_tests) and not left_out


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Tell what was found: the controller, or at the end."""
    config = session.config
    to_its_end = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not session.shouldfail
    told = {"entries": sorted(config.stash[XFAILS].met), "whole": config.stash[WHOLE] and to_its_end}
    if SESSION in config.stash:
        told |= config.stash[SESSION].told()
    if hasattr(config, "workeroutput"):
        config.workeroutput[OUTPUT] = told
    else:
        config.stash[TOLD].append(told)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear what an xdist worker has found."""
    output = getattr(node, "workeroutput", None) or {}  # of one that has crashed, there is none
    node.config.stash[TOLD].append(output.get(OUTPUT, {"entries": [], "whole": False, "lost": True}))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what is there besides the tests: vectors written or unused, known failures that are none, reports."""
    told = config.stash[TOLD]
    passed = {
        report.nodeid
        for report in terminalreporter.stats.get("failed", ())
        if "[XPASS(strict)]" in str(report.longrepr)
    }
    lines = list(config.stash[XFAILS].stale(told, passed))
    if any("events" in each for each in told):
        from crosscheck.in_tests import summary

        lines += summary(config.stash[SETTINGS], told)
    if lines:
        terminalreporter.section("crosscheck")
        for line in lines:
            terminalreporter.line(line)
