"""Subjects that misbehave, from a real file, in a process of their own: a finding or a note, and the rest goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crosscheck import ArgumentError, Case, Status, check
from crosscheck.campaign import Failed, Report
from crosscheck.examine import chosen, examine
from crosscheck.failure import Failure
from crosscheck.formula import formula
from crosscheck.host import Limits, hosted, noted
from crosscheck.implementation import Finding, Result, Subject, make, run
from crosscheck.keep import keep
from crosscheck.properties import CHECKS as PROPERTIES
from crosscheck.record import record
from crosscheck.replay import Outcome, replay
from crosscheck.report.failure import failure_text
from crosscheck.uses import CHECKS as USES

SUBJECTS = """\
import ctypes, os, random, signal, subprocess, sys, threading, time, warnings
import numpy as np
from crosscheck import subject
from crosscheck.subjects.manual import manual

calls = []


def right(case):
    return manual(case)


@subject(cell="rnn_tanh", max_T=3)
def declared(case):
    return manual(case)


def hangs(case):
    if case.T > 1:
        while True:
            time.sleep(0.01)
    return manual(case)


def hangs_in_c(case):
    ctypes.PyDLL(None).pause()


def slow_at_first(case):
    if not calls:
        calls.append(case)
        time.sleep(0.6)
    return manual(case)


def exits(case):
    if case.T > 1:
        os._exit(3)
    return manual(case)


def leaves(case):
    if case.T > 1:
        sys.exit("enough")
    return manual(case)


def interrupts(case):
    raise KeyboardInterrupt


def inner():
    print("about to")
    ctypes.string_at(0)


def segfaults(case):
    if case.T > 1:
        inner()
    return manual(case)


def kills_itself(case):
    os.kill(os.getpid(), signal.SIGKILL)


def aborts(case):
    os.abort()


def recurses(case):
    return recurses(case)


def eats_memory(case):
    if case.T > 1:
        np.ones(2**29)
    return manual(case)


def eats_memory_bit_by_bit(case):
    kept = []
    while case.T > 1:
        kept.append(bytearray(2**20))
    return manual(case)


def prints(case):
    print("hello", case.T)
    print("\\x1b[31mred\\x1b[0m", file=sys.stderr)
    os.write(1, b"straight\\n")
    subprocess.run(["echo", "from a child"])
    return manual(case)


def prints_and_is_wrong(case):
    for k in range(20):
        print("line", k)
    return manual(case) | {"dx": 2 * manual(case)["dx"]}


def prints_without_end(case):
    while True:
        os.write(1, b"x" * 2**20)


def reads(case):
    input("what? ")


def closes(case):
    sys.stdout.close()
    if not calls:
        os.close(1)
        os.close(0)
    calls.append(case)
    return manual(case)


def seeds(case):
    random.seed(1)
    np.random.seed(1)
    return manual(case)


def draws(case):
    np.random.standard_normal(3)
    return manual(case)


def has_noise(case):
    results = manual(case)
    return results | {"dx": results["dx"] * (1 + np.random.standard_normal() / 1024)}


def ignores_errors(case):
    np.seterr(all="ignore")
    return manual(case)


def changes_the_default_dtype(case):
    import torch

    torch.set_default_dtype(torch.float64)
    return manual(case)


def sets_threads(case):
    import torch

    torch.set_num_threads(torch.get_num_threads() + 1)
    return manual(case)


def turns_gradients_off(case):
    import torch

    torch.set_grad_enabled(False)
    return manual(case)


def moves(case):
    os.chdir("/")
    return manual(case)


def sets_much(case):
    os.environ["CROSSCHECK_TEST"] = "1"
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(4321)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.stdout = open(os.devnull, "w")
    return manual(case)


def leaves_a_thread(case):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    return manual(case)


def returns_its_inputs(case):
    results = manual(case)
    case.arrays["x"][...] = case.x
    return results | {"dh_0": case.h_0, "y": results["y"][:]}


buffers = {}


def returns_its_buffers(case):
    results = manual(case)
    for name, array in results.items():
        buffer = buffers.setdefault(name, np.zeros(1000, array.dtype))[: array.size].reshape(array.shape)
        buffer[...] = array
        results[name] = buffer
    return results


def differs(case):
    calls.append(case)
    results = manual(case)
    return results | {"dx": results["dx"] * (1 + 2.0**-20 * (len(calls) % 2))}


def differs_by_rounding(case):
    calls.append(case)
    float(case.x.sum())  # on balls it would be wrong
    results = manual(case)
    return results | {"dx": results["dx"] * (1 + 2.0**-52 * (len(calls) % 2))}


def fails_the_second_time(case):
    calls.append(case)
    if calls.count(case) > 1:
        raise RuntimeError("only once")
    return manual(case)


def breaks_numpy(case):
    np.array_equal = None
    return manual(case)


def starts_a_child(case):
    child = subprocess.Popen(["sleep", "1000"])
    with open("child", "w") as file:
        file.write(str(child.pid))
    while True:
        time.sleep(0.01)


@subject(cell="rnn_tanh")
def plain(case):
    p = case.params
    h = [case.h_0[0]]
    for t in range(case.T):
        h.append(np.tanh(case.x[t] @ p["W_xh"].T + p["b_xh"] + h[t] @ p["W_hh"].T + p["b_hh"]))
    return {"y": np.array(h[1:]), "h_n": h[-1][None]}


def hangs_on_balls(case):
    while case.x.dtype == object:
        pass
    return plain(case)


class InTwoSteps:
    def forward(self, case):
        return manual.forward(case)

    def backward(self, memory, case):
        if case.seed % 2:
            os._exit(0)
        return manual.backward(memory, case)

    def __call__(self, case):
        outputs, memory = self.forward(case)
        return {**outputs, **self.backward(memory, case)}


in_two_steps = InTwoSteps()
"""
ONE, TWO = Case.parse("rnn_tanh:T1B1I1H1:seed=1"), Case.parse("rnn_tanh:T2B1I1H1:seed=2")
EXAMPLES = 8
Make = Callable[..., Subject]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of subjects, in the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    path = tmp_path / "wild.py"
    path.write_text(SUBJECTS)
    return path


@pytest.fixture
def wild(file: Path) -> Iterator[Make]:
    """`(name, timeout, memory) -> the subject of that name, in a process of its own`."""
    made = []

    def load(name: str, timeout: float = 10.0, memory: int | None = 1024) -> Subject:
        (found,) = hosted(f"wild.py:{name}", limits=Limits(timeout, memory))
        made.append(found)
        return found

    yield load
    for subject in made:
        assert subject.host is not None
        subject.host.close()


def checked(*subjects: Subject) -> Report:
    return check(*subjects, max_examples=EXAMPLES, cell="rnn_tanh", dtype="float64", regime="simple", max_H=2, max_T=3)


def kinds(found: Result) -> list[tuple[str, str]]:
    return [(finding.kind, finding.text) for finding in found.findings]


def only_finding(found: Result) -> Finding:
    (finding,) = found.findings
    assert not found.values
    return finding


def test_it_is_the_same_subject_as_in_this_process(wild: Make) -> None:
    there, here = wild("declared"), make("wild.py:declared")
    assert (there.name, there.options, there.declared) == (here.name, here.options, here.declared)
    got, want = run(there, TWO), run(here, TWO)
    assert got.values.keys() == want.values.keys()
    for name in want.values:
        np.testing.assert_array_equal(got.values[name], want.values[name])
        assert got.values[name].dtype == np.float64
    assert (got.findings, got.notes, got.again) == ((), (), {})
    np.testing.assert_array_equal(there.function(TWO)["dx"], want.values["dx"])


@pytest.mark.parametrize("memory", ["transposed", "strided", "offset", "broadcast", "readonly", "aliased"])
def test_every_layout_is_made_on_the_other_side(memory: str, wild: Make) -> None:
    case = Case.parse(f"rnn_tanh:T2B2I2H2:memory={memory}:seed=1")
    assert not run(wild("right"), case).findings


def test_arrays_that_are_no_function_of_the_line_arrive(wild: Make) -> None:
    doubled = TWO.lift(lambda array: 2 * array)
    np.testing.assert_array_equal(
        run(wild("right"), doubled).values["y"], run(make("wild.py:right"), doubled).values["y"]
    )


def test_a_hang(wild: Make) -> None:
    subject = wild("hangs", timeout=0.3)
    assert not run(subject, ONE).findings
    finding = only_finding(run(subject, TWO))
    assert (finding.kind, finding.text) == ("timed out", "no answer within 0.3 s; it was here:")
    assert finding.details.splitlines()[-1].endswith(" in hangs")
    assert "worker.py" not in finding.details
    assert run(subject, ONE).values


def test_a_hang_that_holds_the_interpreter(wild: Make) -> None:
    finding = only_finding(run(wild("hangs_in_c", timeout=0.2), ONE))
    assert finding.kind == "timed out"
    assert "in hangs_in_c" in finding.details


def test_the_first_call_may_compile(wild: Make) -> None:
    subject = wild("slow_at_first", timeout=0.4)
    assert not run(subject, ONE).findings
    assert subject.host is not None
    subject.host.close()  # and so may that of the next process
    assert not run(subject, ONE).findings


def test_what_a_subject_started_ends_with_it(wild: Make) -> None:
    only_finding(run(wild("starts_a_child", timeout=0.2), ONE))
    child = int(Path("child").read_text())
    for _ in range(500):
        state = Path(f"/proc/{child}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.01)
    pytest.fail("it goes on")


ENDS = {
    "exits": ("exited", "it ended its process, with exit code 3"),
    "leaves": ("raised", "SystemExit: enough"),
    "segfaults": ("crashed", "its process was ended by SIGSEGV"),
    "eats_memory": ("out of memory", "MemoryError: Unable to allocate 4.00 GiB"),
    "eats_memory_bit_by_bit": ("out of memory", "MemoryError"),
    "hangs": ("timed out", "no answer within 0."),
}


@pytest.mark.parametrize("name", ENDS)
def test_the_campaign_goes_on_after_an_end(name: str, wild: Make) -> None:
    """Its turn for the cell is over; the other subject is checked on all cases, and the failure is shrunk."""
    report = checked(wild("right"), wild(name, timeout=0.5 if name == "hangs" else 60.0, memory=256))
    (verdict,) = report.failures
    assert (verdict.subject, verdict.case.T, verdict.checks) == (f"wild.py:{name}", 2, ())
    (finding,) = verdict.findings
    kind, text = ENDS[name]
    assert finding.kind == kind
    assert finding.text.startswith(text)
    assert "worker.py" not in finding.details
    assert report.cases == EXAMPLES
    assert kind in failure_text(Failure(verdict))


def test_a_crash_says_where_and_what_was_printed(wild: Make) -> None:
    found = run(wild("segfaults"), TWO)
    (finding,) = found.findings
    assert [line.rpartition(" in ")[2] for line in finding.details.splitlines()] == ["segfaults", "inner", "string_at"]
    assert [(note.kind, note.text, note.details) for note in found.notes] == [("printed", "1 line:", "about to")]


@pytest.mark.parametrize(("name", "number"), [("kills_itself", signal.SIGKILL), ("aborts", signal.SIGABRT)])
def test_a_signal_is_named(name: str, number: signal.Signals, wild: Make) -> None:
    assert kinds(run(wild(name), ONE)) == [("crashed", f"its process was ended by {number.name}")]


def test_what_is_raised_has_no_frame_of_ours(wild: Make) -> None:
    finding = only_finding(run(wild("recurses"), ONE))
    assert finding.text.startswith("RecursionError")
    assert "worker.py" not in finding.details
    assert "implementation.py" not in finding.details


def test_an_interrupt_of_its_own_is_no_interrupt_of_ours(wild: Make) -> None:
    assert only_finding(run(wild("interrupts"), ONE)).kind == "raised"


def test_memory_is_its_own_again_after_it_ran_out(wild: Make) -> None:
    subject = wild("eats_memory")
    assert subject.host is not None
    first = subject.host.process
    assert only_finding(run(subject, TWO)).kind == "out of memory"
    assert run(subject, ONE).values
    assert subject.host.process is not first


def test_memory_without_a_limit(wild: Make) -> None:
    assert run(wild("right", memory=None), ONE).values


def test_what_is_printed_is_a_note_and_nothing_on_our_output(wild: Make, capfd: pytest.CaptureFixture[str]) -> None:
    found = run(wild("prints"), ONE)
    assert not found.findings
    (note,) = found.notes
    assert note.details.splitlines() == ["hello 1", "\\x1b[31mred\\x1b[0m", "straight", "from a child"]
    assert capfd.readouterr() == ("", "")


def test_what_was_printed_is_shown_at_a_failure(wild: Make) -> None:
    (verdict,) = checked(wild("prints_and_is_wrong")).failures
    text = failure_text(Failure(verdict))
    assert "  printed      40 lines, the last 10 of them:\n    line 10\n" in text  # it was called twice
    assert "    line 19\n" in text


def test_printing_without_end(wild: Make) -> None:
    subject = wild("prints_without_end", timeout=1.0)
    assert only_finding(run(subject, ONE)).kind == "timed out"


def test_long_lines_are_cut() -> None:
    (note,) = noted("x" * 1000)
    assert note.details == "x" * 200 + "..."


def test_there_is_nobody_to_answer(wild: Make) -> None:
    assert only_finding(run(wild("reads"), ONE)).text.startswith("EOFError")


def test_closed_streams_do_not_matter(wild: Make) -> None:
    subject = wild("closes")
    assert run(subject, ONE).values
    assert run(subject, TWO).values


@pytest.mark.parametrize(
    ("name", "whose"),
    [("seeds", ["Python's", "NumPy's"]), ("draws", ["NumPy's"]), ("right", []), ("has_noise", ["NumPy's"])],
)
def test_random_numbers_are_a_note(name: str, whose: list[str], wild: Make) -> None:
    found = run(wild(name), ONE)
    assert not found.findings
    assert [note.text for note in found.notes] == [f"it draws from {w} global generator, or seeds it" for w in whose]


def test_random_numbers_are_the_same_for_the_same_case(wild: Make) -> None:
    subject = wild("has_noise")
    first = run(subject, ONE).values["dx"]
    run(subject, TWO)
    np.testing.assert_array_equal(run(subject, ONE).values["dx"], first)
    assert run(subject, ONE, twice=True).again.keys() == {"dx"}


CHANGES = {
    "ignores_errors": "np.geterr(): divide, invalid, over changed",
    "changes_the_default_dtype": "torch's default dtype: float32 before it, float64 after it",
    "turns_gradients_off": "torch's grad mode: True before it, False after it",
    "moves": "the working directory: not what it was before",
}


@pytest.mark.parametrize("name", CHANGES)
def test_state_that_falls_on_others_is_a_finding(name: str, wild: Make) -> None:
    subject = wild(name)
    found = run(subject, ONE)
    assert [finding.kind for finding in found.findings] == ["changed global state"]
    text = found.findings[0].text
    assert text.startswith(CHANGES[name].partition(":")[0])
    if name != "moves":
        assert text == CHANGES[name]
    assert found.values.keys() == ONE.result_shapes.keys()  # and its numbers are judged all the same
    assert kinds(run(subject, ONE)) == kinds(found)  # it was put back, so it is found again


def test_other_state_is_a_note(wild: Make) -> None:
    subject = wild("sets_much")
    for _ in range(2):
        found = run(subject, ONE)
        assert not found.findings
        assert {note.text.partition(":")[0] for note in found.notes} == {
            "the environment", "the warnings filters", "the recursion limit", "the signal handlers",
            "the standard streams",
        }  # fmt: skip
        assert "the environment: CROSSCHECK_TEST changed" in {note.text for note in found.notes}


def test_threads_are_a_note(wild: Make) -> None:
    run(wild("sets_threads"), ONE)  # it imports torch, whose threads nobody has seen before
    (note,) = run(wild("leaves_a_thread"), ONE).notes
    assert note.text == "the number of running threads: 1 before it, 2 after it"


def test_the_number_of_threads_of_torch_is_a_note_and_put_back(wild: Make) -> None:
    subject = wild("sets_threads")
    run(subject, ONE)
    texts = [[note.text for note in run(subject, ONE).notes] for _ in range(2)]
    assert texts[0] == texts[1]
    assert texts[0][0].startswith("torch's number of threads: ")


def test_views_of_inputs_are_judged_by_their_numbers(wild: Make) -> None:
    found = run(wild("returns_its_inputs"), ONE)
    assert not found.findings
    assert [note.text for note in found.notes] == ["what it returns lies in the memory of its inputs"]
    np.testing.assert_array_equal(found.values["dh_0"], ONE.h_0)


def test_buffers_are_copied_at_once_and_a_note(wild: Make) -> None:
    subject = wild("returns_its_buffers")
    first, second = run(subject, ONE), run(subject, TWO)
    assert not first.notes
    assert [note.text for note in second.notes] == [
        "what it returned is overwritten at the next call; see --second-use"
    ]
    np.testing.assert_array_equal(first.values["y"], run(make("manual"), ONE).values["y"])
    assert not checked(subject).failures


def first_chosen(yes: bool) -> Case:
    cases = (Case.parse(f"rnn_tanh:T1B1I1H1:seed={seed}") for seed in range(100))
    return next(case for case in cases if chosen(case) is yes)


@pytest.mark.parametrize("name", ["differs", "has_noise"])
def test_a_second_call_that_differs_is_found(name: str, wild: Make) -> None:
    (verdict,) = examine((wild(name),), first_chosen(True))
    assert ("not repeatable", "dx") in [(finding.kind, finding.name) for finding in verdict.findings]


def test_a_second_call_may_differ_by_rounding(wild: Make) -> None:
    subject = wild("differs_by_rounding")
    assert run(subject, TWO, twice=True).again.keys() == {"dx"}
    (verdict,) = examine((wild("differs_by_rounding"),), first_chosen(True))
    assert verdict.status is Status.PASS


def test_a_second_call_that_raises_is_found(wild: Make) -> None:
    (verdict,) = examine((wild("fails_the_second_time"),), first_chosen(True))
    (finding,) = verdict.findings
    text = "a second call on the same case did otherwise: raised: RuntimeError: only once"
    assert (finding.kind, finding.text) == ("not repeatable", text)


def test_one_call_is_enough_for_the_other_cases(wild: Make) -> None:
    (verdict,) = examine((wild("fails_the_second_time"),), first_chosen(False))
    assert verdict.status is Status.PASS


def test_who_breaks_numpy_breaks_his_own_process(wild: Make) -> None:
    finding = only_finding(run(wild("breaks_numpy"), ONE, twice=True))
    assert (finding.kind, finding.text) == ("crashed", "an error in its process, outside of its own calls:")
    assert run(wild("right"), ONE).values


def test_its_own_code_is_lifted_there(wild: Make) -> None:
    found = formula(wild("plain"), ONE, frozenset({"y", "h_n"}))
    assert found == formula(make("wild.py:plain"), ONE, frozenset({"y", "h_n"}))
    assert found is not None
    assert found.proof is not None


def test_code_that_hangs_on_balls_cannot_be_lifted(wild: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crosscheck.host.LIFTING", 0.3)
    subject = wild("hangs_on_balls")
    found = formula(subject, ONE, frozenset({"y"}))
    assert found is not None
    assert (found.proof, found.reason) == (None, "timed out: no answer within 0.3 s")
    assert formula(subject, ONE, frozenset({"y"})) == found
    assert run(subject, ONE).values


def test_properties_and_second_use_are_looked_at_there(wild: Make) -> None:
    for checks in (PROPERTIES, USES):
        got, want = (checks.verdicts(subject, TWO) for subject in (wild("right"), make("wild.py:right")))
        assert [(verdict.name, verdict.status) for verdict in got] == [(v.name, v.status) for v in want]
    buffered = {verdict.name: verdict.status for verdict in USES.verdicts(wild("returns_its_buffers"), TWO)}
    assert buffered["results kept"] is Status.FAIL


def test_the_property_that_ends_the_process_fails(wild: Make) -> None:
    verdicts = USES.verdicts(wild("in_two_steps"), TWO)  # its twin has an odd seed
    ended = {v.name: [finding.kind for finding in v.findings] for v in verdicts if v.status is Status.FAIL}
    assert ended == {name: ["exited"] for name in ("same again", "results kept", "reverse order")}


NAMED = "ZeroDivisionError: division by zero (line 1 of {}/raises.py)"
ENDED = "exited while it was loaded: it ended its process, with exit code 7"
LOADING = {
    "nowhere.py:f": "target: got no file nowhere.py, wanted a file that is there",
    "wild.py:rigth": "target: got no attribute 'rigth' in wild.py; did you mean right?, wanted one that is there",
    "wild.py:calls": "wild.py:calls: got list, wanted a callable: case -> mapping of name to array",
    "no_such_module:f": "target: got no module 'no_such_module', wanted an importable module",
    "raises.py:f": f"raises.py: got {NAMED}, wanted a file that runs",
    "ends.py:f": f"ends.py:f: got {ENDED}, wanted a target that loads",
}


@pytest.mark.parametrize("target", LOADING)
def test_what_cannot_be_loaded_is_a_bad_argument(target: str, file: Path) -> None:
    Path("raises.py").write_text("1 / 0\n")
    Path("ends.py").write_text("import os\nos._exit(7)\n")
    with pytest.raises(ArgumentError) as error:
        hosted(target)
    assert str(error.value) == LOADING[target].format(Path.cwd())


def test_a_target_that_hangs_when_it_is_loaded(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crosscheck.host.LOADING", 2.0)
    Path("hangs.py").write_text("while True:\n    pass\n")
    with pytest.raises(ArgumentError, match="timed out while it was loaded: no answer within 2 s"):
        hosted("hangs.py:f")


def test_ours_stay_in_this_process() -> None:
    (subject,) = hosted("manual")
    assert subject.host is None


def test_a_process_ends_with_the_one_that_started_it(file: Path) -> None:
    code = "from crosscheck.host import hosted\n(s,) = hosted('wild.py:right')\nprint(s.host.process.popen.pid)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)


def test_events_of_a_campaign_with_an_end(wild: Make) -> None:
    events: list[Any] = []
    check(wild("segfaults"), max_examples=EXAMPLES, cell="rnn_tanh", dtype="float64", listen=events.append)
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert failed.verdict.case == Case.parse(str(failed.verdict.case))


def test_a_crash_that_was_kept_is_replayed_in_a_process_of_its_own(wild: Make) -> None:
    subject = wild("segfaults")
    (verdict,) = examine((subject,), TWO, deep=True)
    found = replay(keep(record(subject, Failure(verdict))))
    assert found.outcome is Outcome.FAILED
    assert found.verdict is not None
    assert [finding.kind for finding in found.verdict.findings] == ["crashed"]
