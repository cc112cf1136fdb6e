"""JUnit XML, as Jenkins, GitLab and the actions for GitHub read it: what the schema of Jenkins allows.

A cell in a dtype is a suite, a subject in it a test. One whose check was inconclusive in some of its cases passes, and
says so in its output; in all of them, it is skipped. A run that did not come to its end has a test more, in error, for
what is missing would else look like success.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from crosscheck.report.digest import clean, group_of, inconclusive, one_line, outcome, subject_of, sums, wrong
from crosscheck.report.run import Group, Run, Shown
from crosscheck.report.text import count

FILE = "junit.xml"


def render(run: Run) -> str:
    """Return a run as JUnit XML."""
    suites = [_suite(run, group) for group in sums(run)]
    known = {(group.cell, group.dtype) for group in sums(run)}
    left = [shown for shown in run.failures if group_of(shown) not in known]
    suites += [_suite(run, Group(*key, 0, 0, 0, 0, 0.0, 0.0, 0.0)) for key in dict.fromkeys(map(group_of, left))]
    if not run.status or not suites:
        suites.append(_end(run))
    root = ET.Element("testsuites", {"name": "crosscheck"} | _counts(suites))
    root.extend(suites)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(run: Run, group: Group) -> ET.Element:
    key = group.cell, group.dtype
    failures = [shown for shown in run.failures if group_of(shown) == key]
    rows = [row for row in run.rows if (row.cell, row.dtype) == key]
    names = dict.fromkeys([*(o.subject for row in rows for o in row.outcomes), *(shown.subject for shown in failures)])
    tests = []
    for name in names:
        own = [row for row in rows if any(o.subject == name for o in row.outcomes)]
        test = _test(run, key, name)
        blind = inconclusive(name, own)
        _say(test, [shown for shown in failures if shown.subject == name], len(own), blind)
        tests.append(test)
    return _with(run, " ".join(key), tests, failures, group.seconds)


def _test(run: Run, key: tuple[str, str], name: str) -> ET.Element:
    tested = subject_of(run, name)
    place = {"file": tested.file, "line": str(tested.line)} if tested.file else {}
    named = {"classname": f"crosscheck.{'.'.join(key)}", "name": name} | place
    return ET.Element("testcase", {attribute: one_line(value) for attribute, value in named.items()})


def _say(test: ET.Element, failures: Sequence[Shown], cases: int, blind: int) -> None:
    """Say in a test what it came to."""
    if failures:
        first, *others = failures
        more = f"; and {count(len(others), 'failure')} more" if others else ""
        message = {"message": one_line(f"{wrong(first)} on {first.case}{more}"), "type": "crosscheck"}
        ET.SubElement(test, "failure", message).text = clean("\n\n".join(shown.text for shown in failures))
    elif blind == cases:
        text = f"inconclusive: none of {count(cases, 'case')} could have shown a fault"
        ET.SubElement(test, "skipped", {"message": text})
    elif blind:
        ET.SubElement(test, "system-out").text = f"{blind} of {count(cases, 'case')} inconclusive"


def _end(run: Run) -> ET.Element:
    """Return the suite of a run that was killed, or that checked nothing."""
    test = ET.Element("testcase", {"classname": "crosscheck", "name": "the whole run"})
    if run.status:
        ET.SubElement(test, "skipped", {"message": "nothing was checked"})
    else:
        ET.SubElement(test, "error", {"message": f"the run did not come to its end: {outcome(run)[1]}"})
    return _with(run, "run", [test], (), 0.0)


def _with(run: Run, name: str, tests: Sequence[ET.Element], failures: Sequence[Shown], seconds: float) -> ET.Element:
    """Return a suite with its tests, and what it takes to run it again."""
    suite = ET.Element("testsuite", {"name": one_line(name), "timestamp": one_line(run.date), "time": f"{seconds:.3f}"})
    facts = [("command", run.command), ("seed", str(run.seed)), *(run.versions.items())]
    facts += [(f"setting {setting}", json.dumps(value)) for setting, value in run.settings.items()]
    facts += [("case", shown.case) for shown in failures]
    properties = ET.SubElement(suite, "properties")
    for fact, value in facts:
        ET.SubElement(properties, "property", {"name": one_line(fact), "value": one_line(value)})
    suite.extend(tests)
    suite.attrib |= _counts([suite]) | {"skipped": str(len(suite.findall("testcase/skipped")))}
    return suite


def _counts(suites: Sequence[ET.Element]) -> dict[str, str]:
    parts = {"tests": "testcase", "failures": "testcase/failure", "errors": "testcase/error"}
    return {name: str(sum(len(suite.findall(path)) for suite in suites)) for name, path in parts.items()}
