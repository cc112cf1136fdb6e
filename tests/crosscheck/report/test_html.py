"""The HTML report: what is in it, that no text in a run can be anything but text, and that a browser shows it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

import pytest
from PIL import Image

from crosscheck.errors import ArgumentError
from crosscheck.report.formats import formats, html, names
from crosscheck.report.run import Heat, Norms, Outcome, Picture, Row, Run, Shown
from crosscheck.report.run import Tested as Line  # a name that pytest takes for no test

ATTACKS = [
    "<script>document.title = 'taken'</script>",
    "</title></style></script><img src=x onerror=\"document.title='taken'\">",
    '" onmouseover="document.title=\'taken\'" x="',
    "{{ 7 * 7 }}{% raw %}",
    "</pre></details></code>&lt;b&amp;",
    "'; alert(1); //",
]
VOID = ("meta", "br", "img", "input", "link", "hr")
OPTIONAL = ("th", "tr", "td")
NAN, INF = float("nan"), float("inf")
HEATS = (
    Heat("dx", "input", "step", ((0.5, 1e3, 1e12), (0.0, NAN, INF))),
    Heat("dW_hh", "row of W_hh", "the cotangent at step t alone", ((0.0, 2.0, 3.0),) * 8),
)
PICTURE = Picture("lstm:T3B1I2H2:seed=1", HEATS, Norms("dh", (1.0, NAN, 0.25, 1.0), (1.0, 0.5, 0.25, 1.0)))


def shown(subject: str = "mine.py:mine", **more: object) -> Shown:
    numbers = {"got": 0.25, "want": 0.5, "bound": 1e-15, "ratio": "Infinity", "resolution": 1e-9}
    tensor = {"name": "dx", "status": "FAIL", "index": [0, 1], "wrong": 3, "size": 4, **numbers}
    verdict = {
        "status": "FAIL",
        "tensors": [tensor, tensor | {"name": "y", "status": "PASS"}],
        "findings": [{"kind": "wrote into input", "name": "x", "text": "it did", "details": "Traceback"}],
        "not_checked": [],
        "proof": None,
        "evidence": [],
        "notes": [],
    }
    told = ("says", "right", "wrong", "belief", "source", "family", "name")
    mistake = dict(
        zip(told, ("the carry is dropped", "dh + dh_next", "dh", "a belief", "a book", "F1", "a.m"), strict=True)
    )
    diagnosis = {
        "explanations": [{"mistakes": [mistake], "ulps": 0.0, "cases": 3}],
        "signatures": [],
        "tried": 9,
        "cases": 3,
    }
    first = Shown(
        subject, "lstm:T1B1I1H1:seed=0", 2, verdict, ("right within a step",), diagnosis, ("torch autograd",),
        f"crosscheck run {subject}", "an-id", "all of it\nas text", PICTURE,
    )  # fmt: skip
    return replace(first, **more)  # type: ignore[arg-type]


def row(k: int, status: str, ratio: float, cell: str = "lstm") -> Row:
    line = f"{cell}:T2B1I1H1:zoneout=0.3:lengths=1,2:seed={k}"
    return Row(line, cell, "float64", True, (Outcome("mine.py:mine", status, ratio, 1e-14),))


ROWS = (*(row(k, "PASS", 0.01 * k) for k in range(9)), row(9, "INCONCLUSIVE", 0.5), row(10, "FAIL", 1e9))
RUN = Run(
    "2026-01-02T03:04:05+00:00",
    {"python": "3.11.7"},
    "crosscheck run mine.py:mine",
    7,
    {"max_examples": 3},
    (Line("mine.py:mine", "src/mine.py", 12, ("the loss is not asked",)),),
    ROWS,
    (shown(),),
    (),
    {"T=1": 9, "T=2": 1, "H=2": 0},
    (("mine.py:mine", "it printed", 2),),
    "FAIL",
)
PASSING = replace(RUN, rows=ROWS[:9], failures=(), status="PASS")


class Page(HTMLParser):
    """What is on a page: elements, their attributes and all the text in them; what isn't closed as it should be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.inside: list[list[str]] = []
        self.open: list[int] = []
        self.wrong: list[str] = []
        self.feed(text)
        self.close()
        self.wrong += [self.elements[k][0] for k in self.open if self.elements[k][0] not in OPTIONAL]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.inside.append([])
        if tag not in VOID:
            self.open.append(len(self.elements) - 1)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.inside.append([])

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.elements[self.open[-1]][0] in OPTIONAL and self.elements[self.open[-1]][0] != tag:
            self.open.pop()
        if not self.open or self.elements[self.open.pop()][0] != tag:
            self.wrong.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        for k in self.open:
            self.inside[k].append(data)

    def texts(self, tag: str, **wanted: str) -> list[str]:
        return [
            "".join(self.inside[k])
            for k, (name, attributes) in enumerate(self.elements)
            if name == tag and all(attributes.get(key.rstrip("_")) == value for key, value in wanted.items())
        ]

    def count(self, tag: str, **wanted: str) -> int:
        return len(self.texts(tag, **wanted))


def page(run: Run) -> Page:
    found = Page(html.render(run))
    assert found.wrong == []
    return found


def test_it_is_a_format() -> None:
    assert "html" in names()
    assert html.FILE == "report.html"
    assert html.render(RUN) == html.render(RUN)


def test_the_outcome_is_first() -> None:
    found = page(RUN)
    assert found.texts("p", class_="outcome") == ["FAIL"]
    assert found.texts("h1") == ["11 cases, 1 failure, 1 inconclusive"]
    assert found.texts("title")[0] == "FAIL: 11 cases, 1 failure, 1 inconclusive"
    assert found.texts("code", id="command") == ["crosscheck run mine.py:mine"]
    facts = dict(zip(found.texts("dt"), found.texts("dd"), strict=True))
    assert facts == {
        "subject": "mine.py:mine",
        "date": "2026-01-02T03:04:05+00:00",
        "seed": "7",
        "versions": "python 3.11.7",
        "settings": "max_examples 3",
    }


@pytest.mark.parametrize(("status", "said"), [("PASS", "PASS"), ("INCONCLUSIVE", "INCONCLUSIVE"), ("", "INTERRUPTED")])
def test_each_outcome_has_its_word_and_its_colour(status: str, said: str) -> None:
    found = page(replace(PASSING, status=status))
    assert found.texts("p", class_="outcome") == [said]
    assert found.count("body", class_=said.lower()) == 1
    assert found.count("article") == 0


def test_a_section_each() -> None:
    sections = ["failures", "summary", "errors", "options", "covered", "notes"]
    assert [a["id"] for tag, a in page(RUN).elements if tag == "section"] == sections
    assert [a["id"] for tag, a in page(PASSING).elements if tag == "section"] == sections[1:]
    empty = replace(PASSING, rows=(), covered={}, notes=(), subjects=())
    assert page(empty).count("section") == 0


def test_a_failure_has_all_that_is_known() -> None:
    found = page(RUN)
    assert found.texts("p", class_="says") == ["the carry is dropped"]
    assert found.texts("div", class_="wrong")[0].strip().endswith("dh")
    assert found.texts("div", class_="should")[0].strip().endswith("dh + dh_next")
    assert found.texts("ul", class_="where") == ["right within a step"]
    assert found.texts("code", id="failure-1-case") == ["lstm:T1B1I1H1:seed=0"]
    assert found.texts("code", id="failure-1-again") == ["crosscheck run mine.py:mine"]
    assert found.texts("code", id="failure-1-kept") == ["crosscheck explain an-id"]
    whole = found.texts("details")[0]
    assert whole.startswith("As the terminal shows it")
    assert "all of it\nas text" in whole
    text = found.texts("article")[0]
    assert "defined in src/mine.py:12; found after 2 cases" in text
    assert "reproduces the numbers to 0 ulp on 3 cases" in text
    assert "torch autograd" in text
    assert "inf" in found.texts("td", class_="n f")
    copied = [a["data-of"] for tag, a in found.elements if tag == "button"]
    assert set(copied) <= {a.get("id") for _, a in found.elements}


def test_a_cell_of_the_heatmap_a_unit_and_step() -> None:
    found = page(RUN)
    levels = Counter(a["class"] for tag, a in found.elements if tag == "g" and a.get("class", "").startswith("q"))
    assert sum(levels.values()) == 6 + 8 * 3
    assert levels["q0"] == 2 + 8
    titles = found.texts("title")
    assert "0, step 2: 1e+12" in titles
    assert "1, step 1: nan" in titles
    assert "o1, step 2: 3" in titles  # gate o, unit 1: row 7 of an LSTM of two units
    assert "4 of 6 cells out of bounds, at 2 of 3 steps" in found.texts("figure", class_="heat")[0]
    assert "4e" not in found.texts("figure", class_="heat")[1]


def test_the_norms_are_two_curves_with_a_gap_where_there_is_none() -> None:
    found = page(RUN)
    figure = found.texts("figure", class_="norms")[0]
    assert "right, step 1: 0.5" in figure
    assert "yours, step 1" not in figure
    assert [figure.count(f"{name}, step") for name in ("right", "yours")] == [4, 3]
    paths = [a["d"] for tag, a in found.elements if tag == "path" and a.get("class") == "curve"]
    assert [re.sub(r"[^ML]", "", path) for path in paths] == ["MLLL", "MML"]


def test_a_point_a_case_with_the_failing_beyond_the_bound() -> None:
    found = page(RUN)
    bound = next(a["d"] for tag, a in found.elements if a.get("class") == "bound" and tag == "path")
    at_bound = float(bound[1:].split()[0])
    passed = next(a["d"] for tag, a in found.elements if a.get("class") == "points")
    assert len(re.findall("M", passed)) == 9
    assert all(float(x) < at_bound for x in re.findall(r"M([\d.]+) ", passed))
    failing = [a["d"] for tag, a in found.elements if tag == "path" and a.get("class") == "fail"]
    assert len(failing) == 1
    assert float(failing[0][1:].split()[0]) > at_bound
    assert any("seed=10: 1e+09 times the bound" in title for title in found.texts("title"))
    assert found.count("path", class_="inconclusive") == 1


def test_the_options_and_what_was_rare_or_missing() -> None:
    found = page(RUN)
    assert {"lengths", "zoneout"} <= set(found.texts("th", scope="row"))
    assert found.texts("ul", class_="chips missing") == ["H=2"]
    assert found.texts("ul", class_="chips rare") == ["T=2 1"]
    assert found.texts("h2", id="h-covered") == ["2 of 3 regimes covered"]
    notes = found.texts("section", id="notes")[0]
    assert "it printed (2 cases)" in notes
    assert "the loss is not asked" in notes


def attacked(attack: str) -> Run:
    heats = tuple(replace(heat, tensor=attack, rows=attack, columns=attack) for heat in HEATS)
    verdict = dict(shown().verdict)
    verdict["tensors"] = [verdict["tensors"][0] | {"name": attack}]
    verdict["findings"] = [dict.fromkeys(("kind", "name", "text", "details"), attack)]
    mistake = dict.fromkeys(("says", "right", "wrong", "belief", "source", "family", "name"), attack)
    signature = {"says": attack, "tensors": [attack], "cases": 1}
    diagnosis = {
        "explanations": [{"mistakes": [mistake], "ulps": 0.0, "cases": 3}] * 2,
        "signatures": [signature], "tried": 9, "cases": 3,
    }  # fmt: skip
    failure = replace(
        shown(attack), case=attack, where=(attack,), agreed=(attack,), again=attack, kept=attack, text=attack,
        verdict=verdict, diagnosis=diagnosis, picture=Picture(attack, heats, Norms(attack, (1.0,), (2.0,))),
    )  # fmt: skip
    rows = (replace(ROWS[-1], case=attack, cell=attack, dtype=attack, outcomes=(Outcome(attack, "FAIL", NAN, INF),)),)
    return Run(
        attack, {attack: attack}, attack, 7, {attack: [attack]}, (Line(attack, attack, 1, (attack,)),),
        rows, (failure, failure), (), {attack: 0, attack + "2": 1, attack + "3": 9}, ((attack, attack, 1),), "FAIL",
    )  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_is_anything_but_text(attack: str) -> None:
    found, plain = page(attacked(attack)), page(attacked("plain"))
    assert [tag for tag, _ in found.elements] == [tag for tag, _ in plain.elements]
    assert [list(a) for _, a in found.elements] == [list(a) for _, a in plain.elements]
    assert attack in found.texts("details")[0]
    assert found.texts("script") == plain.texts("script")


@pytest.mark.parametrize("run", [RUN, PASSING, attacked("x")], ids=["failing", "passing", "other"])
def test_it_asks_for_nothing_from_elsewhere(run: Run) -> None:
    text = html.render(run)
    assert re.findall(r"https?:|//[a-z]|url\(|@import|src=|<link", text) == []
    policy = next(a["content"] for _, a in Page(text).elements if "http-equiv" in a)
    assert policy.startswith("default-src 'none'; ")


def test_what_cannot_be_printed_is_left_out() -> None:
    text = html.render(attacked("a\x1b[31m\x00\u202eb"))
    assert not re.search("[\x00-\x08\x1b\u202e]", text)


def test_a_large_run_is_a_small_file() -> None:
    heat = Heat("dW_hh", "row of W_hh", "step", tuple(tuple(10.0 ** (k + t) for t in range(8)) for k in range(24)))
    picture = replace(PICTURE, heats=(heat,) * 3)
    failures = tuple(shown(f"mine.py:number_{k}", picture=picture) for k in range(8))
    rows = tuple(row(k, "PASS", 0.001 * k, ("lstm", "gru")[k % 2]) for k in range(1992)) + ROWS[-1:] * 8
    assert len(html.render(replace(RUN, rows=rows, failures=failures))) < 600_000
    assert len(html.render(replace(RUN, rows=rows, failures=failures * 13))) < 2_000_000


def test_a_huge_picture_is_shown_in_blocks() -> None:
    error = tuple(tuple(5.0 if (k, t) == (130, 299) else 0.5 for t in range(300)) for k in range(200))
    found = page(replace(RUN, failures=(shown(picture=Picture("x", (Heat("dx", "input", "step", error),))),)))
    levels = Counter(a["class"] for tag, a in found.elements if tag == "g" and a.get("class", "").startswith("q"))
    assert sum(levels.values()) == 40 * 60
    assert sum(levels.values()) - levels["q0"] == 1
    assert "130-134, step 295-299: 5" in found.texts("title")


def test_without_jinja_it_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    monkeypatch.delitem(sys.modules, "crosscheck.report.formats.html")
    with pytest.raises(
        ArgumentError, match=r"html: got no module 'jinja2', wanted it installed: .*rnn-crosscheck\[report\]"
    ):
        formats(["html"])
    monkeypatch.undo()
    import_module("crosscheck.report.formats.html")


# In a browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium to look at the report with")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
CONSOLE = re.compile(r'CONSOLE[:(]\S* "(.*)", source')


def browse(folder: Path, text: str, *flags: str) -> tuple[str, list[str]]:
    """Open a page, and return what a browser makes of it, and what is said on its console."""
    (folder / "page.html").write_text(text, encoding="utf-8")
    command = [
        str(CHROMIUM),
        *FLAGS,
        f"--user-data-dir={folder / 'profile'}",
        "--enable-logging=stderr",
        "--v=0",
        *flags,
    ]
    done = subprocess.run(
        [*command, (folder / "page.html").as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout, CONSOLE.findall(done.stderr)


def looked_at(folder: Path, run: Run, width: int, *flags: str) -> Image.Image:
    shot = folder / "shot.png"
    shot.unlink(missing_ok=True)
    browse(folder, html.render(run), f"--screenshot={shot}", f"--window-size={width},1600", *flags)
    with Image.open(shot) as image:
        return image.convert("RGB")


def colours(image: Image.Image) -> Mapping[tuple[int, ...], int]:
    found = image.getcolors(2**24)
    assert found is not None
    return {colour: number for number, colour in found if isinstance(colour, tuple)}


@in_a_browser
@pytest.mark.parametrize("run", [RUN, PASSING, attacked(ATTACKS[0]), attacked(ATTACKS[1])])
def test_a_browser_opens_it_without_an_error(tmp_path: Path, run: Run) -> None:
    dom, said = browse(tmp_path, html.render(run), "--dump-dom")
    assert said == []
    assert "taken" not in Page(dom).texts("title")[0].replace(run.date, "")
    assert 'class="copy"' in dom
    assert not re.search(r'class="copy"[^>]*hidden', dom)  # the script has run


@in_a_browser
@pytest.mark.parametrize(
    ("planted", "said"),
    [
        ("<script>1</script>", "Executing inline script violates"),
        ("<img src=https://example.org/x.png>", "Loading the image"),
    ],
)
def test_an_error_would_be_seen(tmp_path: Path, planted: str, said: str) -> None:
    _, found = browse(tmp_path, html.render(RUN).replace("</body>", f"{planted}</body>"), "--dump-dom")
    assert len(found) == 1
    assert said in found[0]


@in_a_browser
def test_what_it_looks_like(tmp_path: Path) -> None:
    light, dark = (
        looked_at(tmp_path, RUN, 1200, *flags) for flags in ((), ("--blink-settings=preferredColorScheme=0",))
    )
    assert light.size == dark.size == (1200, 1600)
    papers = [max((number, colour) for colour, number in colours(image).items()) for image in (light, dark)]
    assert [colour for _, colour in papers] == [(253, 253, 251), (21, 23, 26)]
    assert light.getpixel((600, 4)) == (181, 48, 27)  # the band of the outcome
    assert dark.getpixel((600, 4)) == (255, 138, 112)
    assert looked_at(tmp_path, PASSING, 1200).getpixel((600, 4)) == (23, 113, 74)
    for image in (light, dark):
        assert len(colours(image)) > 100
    seen = colours(light)
    assert seen[134, 28, 20] > 28 * 22 / 2  # the darkest shade of the heatmap
    assert seen[251, 235, 230] > 5000  # the wrong line
    assert seen[233, 244, 236] > 5000  # the right one


@in_a_browser
def test_on_a_narrow_screen_nothing_is_wider_than_it(tmp_path: Path) -> None:
    probe = "<script>document.title = document.documentElement.scrollWidth + ' ' + window.innerWidth</script>"
    text = re.sub(r"<meta http-equiv[^>]*>", "", html.render(RUN)).replace("</body>", f"{probe}</body>")
    dom, _ = browse(tmp_path, text, "--dump-dom", "--window-size=500,900")
    wide, window = map(int, Page(dom).texts("title")[0].split())
    assert wide <= window
