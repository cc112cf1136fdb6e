"""What it costs that a subject runs in a process of its own, and that a campaign keeps a journal.

    python benchmarks/worker.py

The same subject, the hand-written network from a file, is run here and there by turns, and the medians are printed:
milliseconds a call, here, there, and there twice as for the cases that are proven; a case of a campaign, examined; its
line in the journal; a call's processor time, of both processes; and a start, until the subject is loaded.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from crosscheck.case import Case
from crosscheck.examine import examine
from crosscheck.host import hosted
from crosscheck.implementation import Subject, make, run
from crosscheck.journal import Journal

SUBJECT = "from crosscheck.subjects.manual import manual\n\n\ndef mine(case):\n    return manual(case)\n"
TORCH = "import torch\n" + SUBJECT
CASES = ("rnn_tanh:T2B1I1H1:seed=1", "lstm:T8B4I6H6:regime=ordinary:seed=1")
TURNS, STARTS = 100, 3


def medians(contenders: Mapping[str, Callable[[], object]], turns: int) -> dict[str, float]:
    """Return the median milliseconds of each contender, run by turns."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(turns):
        for name, contender in contenders.items():
            begin = time.perf_counter()
            contender()
            seconds[name].append(time.perf_counter() - begin)
    return {name: 1000 * statistics.median(values) for name, values in seconds.items()}


def calls(here: Subject, there: Subject, case: Case) -> dict[str, float]:
    """Return what a call on a case costs."""
    for subject in (here, there):
        run(subject, case)
    return medians(
        {
            "here": lambda: run(here, case),
            "own process": lambda: run(there, case),
            "twice": lambda: run(there, case, twice=True),
            "examined": lambda: examine((here,), case, deep=False),
        },
        TURNS,
    )


def processor(subject: Subject, case: Case) -> float:
    """Return the milliseconds of processor time of a call, of both processes: what a busy machine doesn't add to."""
    process = subject.host.process if subject.host else None
    files = [Path("/proc/self/stat"), *([Path(f"/proc/{process.popen.pid}/stat")] if process else [])]

    def ticks() -> int:
        return sum(sum(map(int, file.read_text().rpartition(")")[2].split()[11:13])) for file in files)

    begin = ticks()
    for _ in range(TURNS):
        run(subject, case)
    return 1000 * (ticks() - begin) / os.sysconf("SC_CLK_TCK") / TURNS


def journal_line(subject: Subject, case: Case) -> float:
    """Return what the line of a case in the journal costs."""
    verdicts = examine((subject,), case, deep=False)
    journal = Journal("benchmark", resume=False)
    ask = journal.recorded(lambda *_: verdicts)
    (milliseconds,) = medians({"line": lambda: ask((subject,), case, None)}, TURNS).values()
    journal.finish()
    return milliseconds


def start(target: str) -> None:
    """Start a process, load a subject, and end it."""
    (subject,) = hosted(target)
    assert subject.host is not None
    subject.host.close()


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("plain.py").write_text(SUBJECT, encoding="utf-8")
        Path("with_torch.py").write_text(TORCH, encoding="utf-8")
        here, (there,) = make("plain.py:mine"), hosted("plain.py:mine")
        columns = ("here", "own process", "twice", "examined", "journal", "CPU here", "CPU own")
        print(f"{'milliseconds':<40}" + "".join(f"{name:>13}" for name in columns))
        for case in map(Case.parse, CASES):
            row = calls(here, there, case) | {"journal": journal_line(here, case)}
            row |= {"CPU here": processor(here, case), "CPU own": processor(there, case)}
            print(f"{case!s:<40}" + "".join(f"{row[name]:13.2f}" for name in columns))
        targets = ("plain.py:mine", "with_torch.py:mine")
        starts = medians({target: partial(start, target) for target in targets}, STARTS)
        for name, milliseconds in starts.items():
            print(f"start {name:<34}{milliseconds:13.0f}")
        os.chdir("/")


if __name__ == "__main__":
    main()
