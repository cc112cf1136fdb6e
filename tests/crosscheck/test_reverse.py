"""Numbers that remember what they were made of: each slope against the dual number's, and sums over several ways."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosscheck.referee.numbers.dual import Dual
from crosscheck.referee.numbers.reverse import Node, gradients, nodes, value

OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "u + v": lambda u, v: u + v,
    "u - v": lambda u, v: u - v,
    "u v": lambda u, v: u * v,
    "u / v": lambda u, v: u / v,
    "3 - u": lambda u, _: 3 - u,
    "u - 3": lambda u, _: u - 3,
    "3 + u": lambda u, _: 3 + u,
    "u 3": lambda u, _: u * 3,
    "3 / v": lambda _, v: 3 / v,
    "v / 3": lambda _, v: v / 3,
    "-u": lambda u, _: -u,
    "u u": lambda u, _: u * u,
    "u and v by many ways": lambda u, v: (u * v + u) / (1 + v * v) - (u - v) * u,
}
fractions = st.fractions(-9, 9, max_denominator=9)


@pytest.mark.parametrize("name", OPERATIONS)
@given(u=fractions, v=fractions.filter(bool))
def test_each_operation_in_fractions(name: str, u: Fraction, v: Fraction) -> None:
    operation, (a, b) = OPERATIONS[name], (Node(u), Node(v))
    result = operation(a, b)
    d = gradients(result)
    assert result.v == operation(u, v)
    assert d.get(a, 0) == _derivative(operation(Dual(u, 1), v))
    assert d.get(b, 0) == _derivative(operation(u, Dual(v, 1)))
    assert d[result] == 1


def _derivative(number: Any) -> Any:
    return number.d if isinstance(number, Dual) else 0


@pytest.mark.parametrize("f", [np.tanh, np.exp, np.log])
@pytest.mark.parametrize("x", [0.25, 1.0, 3.5])
def test_each_function(f: Callable[[Any], Any], x: float) -> None:
    node = Node(x)
    result, dual = f(node), f(Dual(x, 1.0))
    assert (result.v, gradients(result)[node]) == (dual.v, dual.d)


def test_comparisons_look_at_the_value() -> None:
    a, b = Node(1.0), Node(2.0)
    assert a < b <= 2
    assert b > a >= 1
    assert not a > b
    assert -1 <= a <= 1
    assert repr(a) == "Node(1.0)"


def test_a_long_chain_is_no_deep_recursion() -> None:
    first = node = Node(1.0)
    for _ in range(20000):
        node = node + 0.0
    assert gradients(node)[first] == 1


def test_what_has_no_influence_and_what_is_plain() -> None:
    a, b = Node(2.0), Node(3.0)
    assert b not in gradients(a * a)
    assert gradients(7.0) == {}
    assert (value(a), value(7)) == (2.0, 7)


def test_nodes_of_an_array_are_of_their_own() -> None:
    lifted = nodes(np.ones((2, 2)))
    total = lifted[0, 0] * 3.0 + lifted[1, 1]
    d = gradients(total)
    assert [d.get(node, 0) for node in lifted.ravel()] == [3, 0, 0, 1]
