"""No constant tolerance creeps in: every file is looked at for calls and names that would be one.

What counts:

- a call that compares within a tolerance (`allclose`, `approx`, `gradcheck`, ...) and leaves a tolerance to its
  default, or gives a number other than 0 for it. An expression built from a unit roundoff is a derivation, if a comment
  stands on its line or above it; so is a name, if what it is given in this file is one, or is computed;
- a number by a name such as `tol`, `EPS` or `max_rtol`: assigned, as a default, or as an argument;
- the size of a difference, compared with a number on which no comment stands.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("crosscheck", "tests", "manual_rnn", "torch_rnn", "benchmarks")
FILES = sorted(path.relative_to(ROOT).as_posix() for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))

MEASURED = {  # other checkers with their own defaults, which are what the benchmark measures
    ("benchmarks/power.py", "torch.testing.assert_close(torch.from_numpy(got[name]), want[name])"),
    ("benchmarks/power.py", "np.allclose(got[name], want[name].numpy())"),
    ("benchmarks/power.py", "torch.autograd.gradcheck(run, inputs, fast_mode=fast)"),
    ("benchmarks/power.py", "torch.autograd.gradcheck(lambda *inputs: Wrapped.apply(case, mistake, seed, *inputs), "
                            "tensors, raise_exception=False, fast_mode=fast)"),
    # and its own functions around these, which go by the same names
    ("benchmarks/power.py", "assert_close(results, torch_says)"),
    ("benchmarks/power.py", "allclose(results, torch_says)"),
    ("benchmarks/power.py", "gradcheck(case, planted, seed, fast=name == 'gradcheck fast')"),
}  # fmt: skip

# The function, and its tolerances: each by name, and by position where it has one.
TOLERANCES: dict[str, dict[str, int | None]] = {
    "allclose": {"rtol": 2, "atol": 3},
    "isclose": {"rtol": 2, "atol": 3},
    "assert_allclose": {"rtol": 2, "atol": 3},
    "assert_close": {"rtol": None, "atol": None},
    "approx": {"rel": 1, "abs": 2},
    "gradcheck": {"eps": 2, "atol": 3, "rtol": 4},
    "gradgradcheck": {"eps": 3, "atol": 4, "rtol": 5},
    "check_grads": {"atol": 4, "rtol": 5, "eps": 6},
}
MATH = {"rel_tol": None, "abs_tol": None}  # of math.isclose and cmath.isclose
ROUNDED = {  # to a number of decimals, whatever the numbers are
    "assert_almost_equal",
    "assert_array_almost_equal",
    "assert_approx_equal",
    "assertAlmostEqual",
    "assertNotAlmostEqual",
}
ROUNDOFF = {"u", "U", "u64"}
NAMED = {"tol", "eps", "atol", "rtol", "tols", "epsilon", "tolerance", "tolerances"}


class Source:
    """The text of a module, and what is to be known about it.

    Attributes:
        lines: the numbers of the lines with a comment on them.
        assigned: by name, the values that the module gives it anywhere.
    """

    def __init__(self, text: str) -> None:
        self.tree = ast.parse(text)
        self.lines = {n for n, line in enumerate(text.splitlines(), 1) if re.search(r"#\s*\w", line)}
        self.statements: dict[ast.AST, ast.stmt] = {}
        self.assigned: dict[str, list[ast.expr]] = {}
        self._visit(self.tree, None)

    def _visit(self, node: ast.AST, statement: ast.stmt | None) -> None:
        statement = node if isinstance(node, ast.stmt) else statement
        if statement is not None:
            self.statements[node] = statement
        for name, value in bindings(node):
            self.assigned.setdefault(name, []).append(value)
        for child in ast.iter_child_nodes(node):
            self._visit(child, statement)

    def explained(self, node: ast.expr) -> bool:
        """Say whether a comment is on the lines of a node, or above its statement."""
        above = self.statements[node].lineno - 1
        return bool(self.lines & {above, *range(node.lineno, (node.end_lineno or node.lineno) + 1)})

    def is_bare(self, value: ast.expr) -> bool:
        """Say whether a tolerance is a number, or a name of one, or a derivation that is not explained."""
        if is_zero(value):
            return False
        if is_number(value):
            return True
        if isinstance(value, ast.Name) and value.id not in ROUNDOFF:
            return any(self.is_bare(given) for given in self.assigned.get(value.id, []) if given is not value)
        return has_roundoff(value) and not self.explained(value)


def bindings(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield what a node gives values to: by assignment, as a default, as an argument."""
    match node:
        case ast.Assign(targets, value):
            for target in targets:
                if isinstance(target, ast.Name | ast.Attribute):
                    yield last_name(target), value
                elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                    yield from ((last_name(t), v) for t, v in zip(target.elts, value.elts, strict=False))
        case ast.AnnAssign(target, _, value) | ast.NamedExpr(target, value) if value is not None:
            yield last_name(target), value
        case ast.arguments():
            positional = [*node.posonlyargs, *node.args]
            for argument, default in zip(reversed(positional), reversed(node.defaults), strict=False):
                yield argument.arg, default
            for argument, given in zip(node.kwonlyargs, node.kw_defaults, strict=True):
                if given is not None:
                    yield argument.arg, given


def last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(name) | ast.Attribute(_, name):
            return name
    return ""


def is_number(node: ast.expr) -> bool:
    """Say whether an expression is a number, be it in several parts."""
    match node:
        case ast.Constant(value):
            return isinstance(value, int | float) and not isinstance(value, bool)
        case ast.UnaryOp(_, operand):
            return is_number(operand)
        case ast.BinOp(left, _, right):
            return is_number(left) and is_number(right)
        case ast.Call(ast.Name("float" | "int" | "arb"), [argument]):
            return is_number(argument) or (isinstance(argument, ast.Constant) and isinstance(argument.value, str))
    return False


def is_zero(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 0 and not isinstance(node.value, bool)


def has_roundoff(node: ast.expr) -> bool:
    return any(last_name(part) in ROUNDOFF for part in ast.walk(node) if isinstance(part, ast.Name | ast.Attribute))


def of_a_difference(node: ast.expr) -> bool:
    """Say whether an expression is made of the absolute value of a difference."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and last_name(call.func) in ("abs", "absolute", "fabs", "norm", "abs_upper"):
            inside = [*call.args, *([call.func.value] if isinstance(call.func, ast.Attribute) else [])]
            if any(isinstance(p, ast.BinOp) and isinstance(p.op, ast.Sub) for i in inside for p in ast.walk(i)):
                return True
    return False


def tolerances(call: ast.Call) -> Iterator[tuple[str, ast.expr | None]]:
    """Yield the tolerances of a call that compares within some: each with what it is given, None if its default."""
    name = last_name(call.func)
    module = last_name(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    wanted = MATH if name == "isclose" and module in ("math", "cmath") else TOLERANCES.get(name, {})
    # a method of one of the two numbers has an argument less before its tolerances
    shift = 1 if name in ("allclose", "isclose") and module not in ("np", "numpy", "torch", "math", "cmath", "") else 0
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    for argument, position in wanted.items():
        if position is not None and position - shift < len(call.args):
            yield argument, call.args[position - shift]
        else:
            yield argument, given.get(argument)


def bare(text: str, exempt: frozenset[str] = frozenset()) -> list[str]:
    """Return where the text of a module has a bare constant tolerance, as `line: what`.

    Args:
        text: the text.
        exempt: calls to let pass, as `ast.unparse` writes them.
    """
    source, found = Source(text), []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and ast.unparse(node) not in exempt:
            name = last_name(node.func)
            if name in ROUNDED:
                found.append(f"{node.lineno}: {name} compares to a number of decimals")
            for argument, value in tolerances(node):
                if value is None:
                    found.append(f"{node.lineno}: {name} with its default {argument}")
                elif source.is_bare(value):
                    found.append(f"{node.lineno}: {name} with {argument} {ast.unparse(value)}")
            if not list(tolerances(node)):
                given = [(keyword.arg or "", keyword.value) for keyword in node.keywords]
                found += [f"{v.lineno}: {argument}={ast.unparse(v)}" for argument, v in given if is_named(argument, v)]
        for bound, value in bindings(node):
            if is_named(bound, value):
                found.append(f"{value.lineno}: {bound} = {ast.unparse(value)}")
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            for a, b in [*pairwise(sides), *pairwise(sides[::-1])]:
                if of_a_difference(a) and is_size(source, b) and not source.explained(node):
                    found.append(f"{node.lineno}: {ast.unparse(node)}")
    return found


def is_named(name: str, value: ast.expr) -> bool:
    """Say whether a name such as MAX_RTOL is given a number; `STEPS` has none in it."""
    return bool(NAMED & set(re.split(r"[_\d]+", name.lower()))) and is_number(value) and not is_zero(value)


def is_size(source: Source, node: ast.expr) -> bool:
    """Say whether an expression is a number other than 0, or a name that is given nothing else."""
    if isinstance(node, ast.Name):
        values = source.assigned.get(node.id, [])
        return bool(values) and all(is_number(value) and not is_zero(value) for value in values)
    return is_number(node) and not is_zero(node)


@pytest.mark.parametrize("file", FILES)
def test_no_constant_tolerance(file: str) -> None:
    exempt = frozenset(call for where, call in MEASURED if where == file)
    assert bare((ROOT / file).read_text(encoding="utf-8"), exempt) == []


def test_every_folder_is_looked_at() -> None:
    assert {file.partition("/")[0] for file in FILES} == set(FOLDERS)
    assert {"crosscheck/verdict.py", "tests/manual_rnn/test_network.py", "benchmarks/power.py"} <= set(FILES)


@pytest.mark.parametrize(("file", "call"), sorted(MEASURED))
def test_what_is_exempt_is_there_and_would_be_found(file: str, call: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert call in {ast.unparse(node) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)}
    assert bare(call)


@pytest.mark.parametrize(
    "text",
    [
        "assert np.allclose(a, b)",
        "assert np.allclose(a, b, rtol=0)",
        "assert np.allclose(a, b, 0, 1e-9)",
        "assert np.allclose(a, b, 1e-9, 0)",
        "assert torch.allclose(a, b, rtol=1e-5, atol=0)",
        "assert a.allclose(b, 0, 1e-8)",
        "assert a.isclose(b)",
        "np.testing.assert_allclose(a, b, atol=0)",
        "np.testing.assert_allclose(a, b, rtol=0, atol=2.0**-40)",
        "np.testing.assert_allclose(a, b, rtol=0, atol=2 * 60 * 16 * 2.0**-53)  # a product of numbers alone",
        "np.testing.assert_allclose(a, b, rtol=0, atol=-(-1e-9))",
        "np.testing.assert_allclose(a, b, rtol=0, atol=float('1e-9'))",
        "np.testing.assert_allclose(a, b, rtol=0, atol=4 * U)",  # of which nobody says what the 4 is
        "# four roundings\nx = 1\nnp.testing.assert_allclose(a, b, rtol=0, atol=4 * U)",
        "np.testing.assert_allclose(a, b, rtol=0, atol=4 * case.u)",
        "bound = 1e-9\nnp.testing.assert_allclose(a, b, rtol=0, atol=bound)",
        "BOUND: float = 2.0**-30\ndef f():\n    np.testing.assert_allclose(a, b, rtol=0, atol=BOUND)",
        "bound, other = 1e-9, 2\nnp.testing.assert_allclose(a, b, rtol=0, atol=bound)",
        "bound = 4 * U\nnp.testing.assert_allclose(a, b, rtol=0, atol=bound)",
        "def f(bound=1e-9):\n    assert x == pytest.approx(y, rel=0, abs=bound)",
        "torch.testing.assert_close(a, b)",
        "torch.testing.assert_close(a, b, rtol=1e-5, atol=0)",
        "assert_close(a, b, rtol=0)",
        "assert x == pytest.approx(y)",
        "assert x == pytest.approx(y, rel=2 * U)  # one rounding on either side, but 1e-12 for good measure",
        "assert x == approx(y, 1e-6, 0)",
        "assert math.isclose(x, y)",
        "assert math.isclose(x, y, rel_tol=1e-9, abs_tol=0)",
        "assert cmath.isclose(x, y, rel_tol=0)",
        "np.testing.assert_almost_equal(a, b)",
        "np.testing.assert_array_almost_equal(a, b, decimal=3)",
        "self.assertAlmostEqual(a, b)",
        "torch.autograd.gradcheck(f, x)",
        "torch.autograd.gradcheck(f, x, eps=1e-6, atol=1e-5, rtol=1e-3)",
        "check_grads(f, x, 1)",
        "TOL = 1e-6",
        "EPS: float = 1e-8",
        "self.rtol = 1e-3",
        "MAX_ATOL_32 = 2 * 10**-5",
        "def close(a, b, tol=1e-6): ...",
        "def close(a, b, *, eps=1e-6): ...",
        "close(a, b, tolerance=0.01)",
        "if (tol := 1e-6): ...",
        "assert abs(x - y) < 1e-6",
        "assert np.all(np.abs(x - y) <= 2.0**-40)",
        "assert (x - y).abs().max() < 1e-9",
        "assert 1e-9 > abs(x - y)",
        "assert not abs(x - y) > 1e-9",
        "CLOSE = 2 * 60 * 2.0**-53\nassert np.max(np.abs(x - y)) <= CLOSE",
        "assert np.linalg.norm(x - y) < 0.001",
    ],
)
def test_a_bare_tolerance_is_found(text: str) -> None:
    assert bare(text)


@pytest.mark.parametrize(
    "text",
    [
        "assert np.allclose(a, b, rtol=0, atol=0)",
        "assert a.allclose(b, 0.0, 0.0)",
        "assert x == pytest.approx(y, rel=2 * U, abs=0)  # one rounding on either side",
        "# one rounding on either side\nassert x == pytest.approx(y, rel=2 * U, abs=0)",
        "# one rounding on either side\nbound = 2 * U\nnp.testing.assert_allclose(a, b, rtol=0, atol=bound)",
        "# exp 4, division 1\nnp.testing.assert_allclose(\n    a,\n    b,\n    rtol=5 * case.u,\n    atol=0,\n)",
        "np.testing.assert_allclose(a, b, rtol=0, atol=reference(case).bound['y'])",
        "bound = reference(case).bound\nnp.testing.assert_allclose(a, b, rtol=0, atol=bound)",
        "def f(bound):\n    torch.testing.assert_close(a, b, rtol=0, atol=bound)",
        "assert math.isclose(x, y, rel_tol=0, abs_tol=bound)",
        "np.testing.assert_array_equal(a, b)",
        "torch.equal(a, b)",
        "STEPS = 3",
        "DEPTH, TOTAL, ATOLL = 3, 7, 1",
        "tolerance = E * (1 + 2)",
        "u = 2.0**-53",
        "atol = 0",
        "fault = array * (1 + 1e-9)",
        "assert np.all(np.abs(x - y) <= bound)",
        "assert abs(x - y) == 0",
        "assert abs(x - y) > 0",
        "assert len(a) < 10",
        "assert x < 1e-6",
        "assert abs(x) < 4",
        "# both are 50 digits of one number\nassert abs(x - y) <= 2.0**-104",
        "assert abs(x - y) <= 2.0**-104  # both are 50 digits of one number",
    ],
)
def test_what_is_none_is_not_found(text: str) -> None:
    assert bare(text) == []
