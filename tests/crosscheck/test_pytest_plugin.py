"""The pytest plugin, in runs of pytest of its own: what is red, what is green, and what is said of it."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from crosscheck.expected import read
from crosscheck.report.stream import read as read_run

pytest_plugins = "pytester"

MINE = """
import numpy as np


def mine(case):
    W_xh, W_hh = case.params["W_xh"], case.params["W_hh"]
    b = case.params["b_xh"] + case.params["b_hh"]
    h = [case.h_0[0]]
    for x_t in case.x:
        h.append(np.tanh(x_t @ W_xh.T + h[-1] @ W_hh.T + b))
    dW_xh, dW_hh, db, dx = np.zeros_like(W_xh), np.zeros_like(W_hh), np.zeros_like(b), np.zeros_like(case.x)
    dh = np.concatenate([np.zeros_like(case.h_0), case.dy])
    dh[-1] += case.dh_n[0]
    for t in reversed(range(case.T)):
        da = (1 - h[t + 1] ** 2) * dh[t + 1]
        dW_xh += da.T @ case.x[t]
        dW_hh += da.T @ h[t]
        db += da.sum(axis=0)
        dx[t] = da @ W_xh
        dh[t] += da @ W_hh
    return {"y": np.stack(h[1:]), "dW_xh": dW_xh, "dW_hh": dW_hh, "db_xh": db, "db_hh": db, "dx": dx, "dh_0": dh[:1]}
"""
RIGHT_LINE, WRONG_LINE = "dh[t] += da @ W_hh\n", "dh[t] -= da @ W_hh\n"
INI = """
[pytest]
addopts = --strict-markers --strict-config -p no:cacheprovider
filterwarnings = error
"""
EVERY_WAY = """
import pytest
from hypothesis import Phase, given, settings
from crosscheck.strategies import cases, supports
from mine import mine


@pytest.fixture
def factor():
    return 1


@pytest.mark.crosscheck("rnn_tanh", max_examples=3, max_T=3)
def test_marked(case):
    return mine(case)


@pytest.mark.crosscheck("rnn_tanh", max_examples=3, dtype="float64")
@pytest.mark.parametrize("repeat", [1, 2])
def test_more(case, factor, repeat):
    for _ in range(repeat):
        got = mine(case)
    return {name: array * factor for name, array in got.items()}


def test_text(crosscheck):
    crosscheck("mine.py:mine", cell="rnn_tanh", max_examples=3)


def test_callable(crosscheck):
    crosscheck(mine, cell="rnn_tanh", max_examples=3)


def test_case(crosscheck):
    crosscheck.case(mine, "rnn_tanh:T3B1I2H2:seed=3")


@settings(max_examples=3, derandomize=True, database=None, phases=[Phase.generate, Phase.shrink])
@given(case=cases(supports({"cell": "rnn_tanh"})))
def test_given(crosscheck, case):
    crosscheck.case(mine, case)
"""
GOLDEN = """
from mine import mine

LINES = {lines}


def test_golden(crosscheck_golden):
    crosscheck_golden(mine, *LINES, cell="rnn_tanh")
"""
FIRST, SECOND = "rnn_tanh:T3B1I2H2:seed=3", "rnn_tanh:T2B2I1H2:seed=4"


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with a network that is right, whose warnings are errors."""
    pytester.makefile(".ini", pytest=INI)
    pytester.makepyfile(mine=MINE)
    return pytester


def broken(project: pytest.Pytester) -> None:
    project.makepyfile(mine=MINE.replace(RIGHT_LINE, WRONG_LINE))


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run pytest in a process of its own, since modules of one name stay loaded."""
    return project.runpytest_subprocess(*arguments)


def failure_in(output: str) -> str:
    """Return the first failure that is shown."""
    found = re.search(r"^FAIL  .*?^  again .*?$", output, re.MULTILINE | re.DOTALL)
    assert found, output
    return found[0]


def test_the_module_is_light() -> None:
    heavy = ("numpy", "hypothesis", "torch", "rich", "flint")
    code = f"import sys; import crosscheck.pytest_plugin; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_right_network_is_green_every_way(project: pytest.Pytester) -> None:
    project.makepyfile(test_mine=EVERY_WAY)
    result = run(project)
    result.assert_outcomes(passed=7)
    assert "= crosscheck =" not in result.stdout.str()


def test_a_broken_line_is_red_every_way(project: pytest.Pytester) -> None:
    broken(project)
    project.makepyfile(test_mine=EVERY_WAY)
    result = run(project, "-n", "2", "--crosscheck-report", "ndjson,junit,md,github")
    result.assert_outcomes(failed=7)
    output = result.stdout.str()
    assert output.count("time.carry-with-wrong-sign") + output.count("dh_0") >= 7
    for ours in ("in_tests.py", "campaign.py", "pytest_plugin.py", "hypothesis/core.py", "Traceback"):
        assert ours not in output, ours
    source = (project.path / "test_mine.py").read_text().splitlines()
    for called in ('crosscheck("mine.py:mine"', "crosscheck(mine,", "crosscheck.case(mine, case)"):
        line = next(number for number, text in enumerate(source, 1) if called in text)
        assert f"\ntest_mine.py:{line}\n" in output
    assert "again        pytest 'test_mine.py::test_more[1]'" in output
    assert "again        crosscheck run mine.py:mine --case" in output
    run_read = read_run(project.path / "crosscheck-report/run.ndjson")
    assert run_read.status == "FAIL"
    assert len(run_read.failures) == 7  # one a test, whatever Hypothesis tried on its way
    assert {failure.subject for failure in run_read.failures} >= {"mine.py:mine", "test_mine.py:test_marked"}
    assert (project.path / "crosscheck-report/junit.xml").is_file()
    assert "::error file=" in output


def test_a_failure_is_what_the_command_line_shows(project: pytest.Pytester) -> None:
    broken(project)
    project.makepyfile(
        test_mine="""
        import pytest
        from mine import mine

        @pytest.mark.crosscheck("rnn_tanh", max_examples=5, seed=3)
        def test_marked(case):
            return mine(case)
        """
    )
    shown = failure_in(run(project).stdout.str())
    done = project.run(
        *(sys.executable, "-m", "crosscheck.cli", "run", "test_mine.py:test_marked"),
        *("--cell", "rnn_tanh", "-n", "5", "--seed", "3", "--in-process"),
    )
    assert shown == failure_in(done.stdout.str())
    assert "kept         crosscheck explain test_mine-test_marked-rnn_tanh" in shown


def test_what_a_network_raises_shows_its_own_frames(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_mine="""
        import pytest

        def helper(two):
            raise RuntimeError("no gradient here")

        @pytest.fixture
        def two():
            return 2

        @pytest.mark.crosscheck("rnn_tanh", max_examples=2)
        def test_raises(case, two):
            return helper(two)

        @pytest.mark.crosscheck("no_such_cell")
        def test_cell(case):
            return {}

        @pytest.mark.crosscheck("rnn_tanh")
        def test_no_case():
            return {}
        """
    )
    result = run(project)
    result.assert_outcomes(failed=3)
    output = result.stdout.str()
    assert "RuntimeError: no gradient here" in output
    assert "in helper" in output
    assert "in test_raises" in output
    assert re.search(r"cell: got .*no_such_cell", output)
    assert "takes the case first" in output
    assert "crosscheck/" not in output.replace(str(project.path), "")


def test_a_missing_vector_is_written_and_fails_and_the_next_run_is_green(project: pytest.Pytester) -> None:
    project.makepyfile(test_golden=GOLDEN.format(lines=[FIRST]))
    first = run(project)
    first.assert_outcomes(failed=1)
    assert "missing in" in first.stdout.str()
    assert "recorded 1 vectors in" in first.stdout.str()
    run(project).assert_outcomes(passed=1)
    before = (project.path / "golden/index.json").read_bytes()

    project.makepyfile(test_golden=GOLDEN.format(lines=[FIRST, SECOND]))
    run(project, "-n", "2").assert_outcomes(failed=1)  # nothing is written by several processes
    assert (project.path / "golden/index.json").read_bytes() == before
    run(project, "--crosscheck-update-new-only").assert_outcomes(passed=1)
    run(project, "-n", "2").assert_outcomes(passed=1)

    project.makepyfile(test_golden=GOLDEN.format(lines=[FIRST]), test_other="def test_other(): pass")
    unused = re.compile(r"golden: no test uses rnn_tanh-[0-9a-f]+$", re.MULTILINE)
    for arguments, said in (((), True), (("-n", "2"), True), (("-k", "golden"), False), (("test_golden.py",), False)):
        assert bool(unused.search(run(project, *arguments).stdout.str())) is said, arguments

    broken(project)
    wrong = run(project, "--crosscheck-update")  # what is expected is the truth, whatever the network returns
    wrong.assert_outcomes(failed=1, passed=1)
    assert "judged by    golden vector rnn_tanh-" in failure_in(wrong.stdout.str())


def test_updating_with_several_processes_is_refused(project: pytest.Pytester) -> None:
    for option in ("--crosscheck-update", "--crosscheck-update-new-only"):
        result = run(project, "-n", "2", option)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert "not recorded by several processes at once" in result.stderr.str()


def test_known_failures_and_what_is_stale_among_them(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_mine="""
        import pytest
        from mine import mine

        @pytest.mark.crosscheck("rnn_tanh", max_examples=2, max_T=2)
        def test_wrong(case):
            return mine(case) | {"dx": -case.x}

        @pytest.mark.crosscheck("rnn_tanh", max_examples=2, max_T=2)
        def test_right(case):
            return mine(case)

        def test_plain():
            assert False
        """
    )
    known = "# known\ntest_mine.py::test_wr*  # see #12\ntest_mine.py::test_right\ntest_mine.py::test_gone # gone\n"
    (project.path / "crosscheck-xfail.txt").write_text(known + "test_mine.py::test_plain\n")
    for arguments in ((), ("-n", "2")):
        result = run(project, "-rx", *arguments)
        result.assert_outcomes(xfailed=1, failed=2)
        output = result.stdout.str()
        assert re.search(r"XFAIL test_mine.py::test_wrong - see #12", output)
        assert "test_mine.py::test_right is stale: test_mine.py::test_right passes" in output
        assert "test_mine.py::test_gone is stale: no test" in output
        assert "test_mine.py::test_plain is stale: no test" in output
    assert "test_gone is stale" not in run(project, "-k", "right").stdout.str()


def test_a_bracket_in_a_known_failure_is_one_and_a_hash_in_it_no_reason(pytester: pytest.Pytester) -> None:
    path = pytester.path / "known.txt"
    path.write_text("test_a.py::test_b[1#2]  # why\ntest_c.py::*\n")
    known = read(path)
    assert [(entry.pattern, entry.reason) for entry in known.entries] == [
        ("test_a.py::test_b[1#2]", "why"),
        ("test_c.py::*", ""),
    ]
    assert known.entry("test_a.py::test_b[1#2]") == known.entries[0]
    assert known.entry("test_a.py::test_b1") is None


def test_marker_over_option_over_ini(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_mine="""
        import pytest
        from mine import mine

        @pytest.mark.crosscheck("rnn_tanh", dtype="float64", max_T=1, max_B=1{more})
        def test_marked(case):
            print("case")
            return mine(case)
        """.format(more="")
    )
    project.makefile(".ini", pytest=INI + "crosscheck_profile = quick\ncrosscheck_report = ndjson\n")

    def cases(*arguments: str) -> int:
        run(project, *arguments).assert_outcomes(passed=1)
        return len(read_run(project.path / "crosscheck-report/run.ndjson").rows)

    assert cases() == 20  # of the ini file
    assert cases("--crosscheck-profile", "default") == 100
    path = project.path / "test_mine.py"
    path.write_text(path.read_text().replace("max_B=1", "max_B=1, max_examples=4"))
    assert cases("--crosscheck-profile", "default") == 4


def test_what_is_not_there_is_refused(project: pytest.Pytester) -> None:
    result = run(project, "--crosscheck-report", "pdf")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "pdf" in result.stderr.str()
    project.makefile(".ini", pytest=INI + "crosscheck_profile = slow\n")
    assert "wanted one of quick, default, thorough" in run(project).stderr.str()
