"""The two scripts beside a failure that was kept: one that stands alone, and one for pytest."""

from __future__ import annotations

import re
from string import Template

from crosscheck.adapters import parsed
from crosscheck.loading import split_target

REPRODUCE = Template('''\
"""Shows a failure again. Exits with 1 while the code under test is wrong, and with 0 once it is right.

It needs that code, NumPy and safetensors, and crosscheck for nothing but $needed.
"""

$imports

SUBJECT = $subject
CASE = $case
HERE = Path(__file__).resolve().parent
STARTED_IN = HERE / $started_in  # the folder from which SUBJECT is found


def subject():
    """Return the code under test."""
$body


def case(arrays):
    """Return what it is called with."""
    problem = Case.parse(CASE)
    return replace(problem, arrays={name: arrays[name] for name in problem.arrays}).laid_out()


def faults(returned, arrays):
    """Yield all that is wrong with what it returned, a line each."""
    for name in [name[5:] for name in arrays if name.startswith("want.")]:
        want, bound, rest = (arrays.get(f"{part}.{name}", 0.0) for part in ("want", "bound", "rest"))
        if name not in returned:
            if f"got.{name}" in arrays:
                yield f"{name}: no longer returned"
            continue
        got = np.asarray(returned[name])
        if got.shape != want.shape or (got.dtype != arrays["x"].dtype and type(returned[name]) is not float):
            yield f"{name}: {got.shape} {got.dtype}, wanted {want.shape} {arrays['x'].dtype}"
            continue
        number = np.isfinite(got)
        with np.errstate(all="ignore"):
            near = np.abs((got.astype(np.float64) - want) - rest) <= bound
        right = np.isnan(want) | (number & near) | (~number & (np.isinf(want) | np.isinf(bound)))
        for index in map(tuple, np.argwhere(~right)):
            where = ", ".join(map(str, index))
            yield f"{name}[{where}]: got {got[index]}, want {want[index]}, bound {bound[index]:.2g}"
    for name in returned:
        if f"want.{name}" not in arrays:
            yield f"{name}: there is no such output or gradient"


def main():
    arrays = load_file(HERE / "arrays.safetensors")
    given = case(arrays)
    before = {name: array.copy() for name, array in given.arrays.items()}
    try:
        returned = dict(subject()(given))
    except SystemExit as error:
        sys.exit(f"wrong: {SUBJECT} exits on {CASE}: {error}")
    wrong = list(faults(returned, arrays))
    for name, array in before.items():
        if not np.array_equal(array, given.arrays[name], equal_nan=True):
            wrong.append(f"{name}: an input is written into")
    print("\\n".join([*wrong, f"{'wrong' if wrong else 'right'}: {SUBJECT} on {CASE}"]))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
''')

TEST = Template('''\
"""Fails while $subject is wrong on $case."""

from pathlib import Path

from crosscheck.replay import assert_fixed


def test_$name():
    assert_fixed(Path(__file__).parent)
''')

FROM_FILE = """\
    sys.path.insert(0, str((STARTED_IN / {place!r}).resolve().parent))
    spec = importlib.util.spec_from_file_location("code_under_test", STARTED_IN / {place!r})
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.{attribute}"""
FROM_MODULE = """\
    sys.path.insert(0, str(STARTED_IN))
    return importlib.import_module({place!r}).{attribute}"""
FROM_HERE = """\
    return subject_of(load(HERE)).function"""


def reproduce(subject: str, case: str, started_in: str, loaded_by_us: bool) -> str:
    """Return a script that runs a subject on its case and compares the numbers.

    Args:
        subject: the text that it was loaded by.
        case: the line of the case.
        started_in: from the script's folder to the one in which the subject was found.
        loaded_by_us: whether more than importing makes it, so that the script needs crosscheck for that too.
    """
    imports = ["import sys", "from dataclasses import replace", "from pathlib import Path", ""]
    imports += ["import numpy as np", "from safetensors.numpy import load_file", "", "from crosscheck import Case"]
    needed = "the case that it is called with"
    if loaded_by_us or ":" not in subject or parsed(subject)[1] is not None:
        body, needed = FROM_HERE, f"{needed}, and for making it"
        imports += ["from crosscheck.keep import load", "from crosscheck.replay import subject_of"]
    else:
        place, attribute = split_target(subject)
        of_file = place.endswith(".py")
        body = (FROM_FILE if of_file else FROM_MODULE).format(place=place, attribute=attribute)
        imports.insert(0, "import importlib.util" if of_file else "import importlib")
    return REPRODUCE.substitute(
        imports="\n".join(imports),
        subject=repr(subject),
        case=repr(case),
        started_in=repr(started_in),
        body=body,
        needed=needed,
    )


def test_file(subject: str, case: str, id: str) -> str:
    """Return a test that fails while a subject is wrong on its case.

    Args:
        subject: the text that it was loaded by.
        case: the line of the case.
        id: what the failure is called.
    """
    name = re.sub(r"\W+", "_", id)
    return TEST.substitute(subject=subject.replace("\\", "/").replace('"', "'"), case=case, name=name)
