"""A number that remembers what it was made of: reverse-mode differentiation, exact, with nothing truncated.

    w = f(u, v)          keeps u, v and the slopes df/du, df/dv
    d(w)                 = sum over all that w went into, of d(that) times its slope at w

So one walk back from a result gives its derivative by every number on the way, where a dual number gives that by one.
The scalar loops of `crosscheck.referee.definition` run on these numbers as they are. Comparisons look at the value.
Reference: Griewank & Walther, "Evaluating Derivatives", 2nd ed., section 3.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Parents = tuple[tuple["Node", Any], ...]


class Node:
    """One number with what it was made of.

    Attributes:
        v: the value.
        parents: the numbers that it was made of, each with the slope at it.
    """

    __slots__ = ("parents", "v")

    def __init__(self, v: Any, parents: Parents = ()) -> None:
        self.v, self.parents = v, parents

    def __add__(self, other: Any) -> Node:
        if isinstance(other, Node):
            return Node(self.v + other.v, ((self, 1), (other, 1)))
        return Node(self.v + other, ((self, 1),))

    __radd__ = __add__

    def __neg__(self) -> Node:
        return Node(-self.v, ((self, -1),))

    def __sub__(self, other: Any) -> Node:
        if isinstance(other, Node):
            return Node(self.v - other.v, ((self, 1), (other, -1)))
        return Node(self.v - other, ((self, 1),))

    def __rsub__(self, other: Any) -> Node:
        return Node(other - self.v, ((self, -1),))

    def __mul__(self, other: Any) -> Node:
        if isinstance(other, Node):
            return Node(self.v * other.v, ((self, other.v), (other, self.v)))
        return Node(self.v * other, ((self, other),))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Node:
        if isinstance(other, Node):
            v = self.v / other.v
            return Node(v, ((self, 1 / other.v), (other, -v / other.v)))
        return Node(self.v / other, ((self, 1 / other),))

    def __rtruediv__(self, other: Any) -> Node:
        v = other / self.v
        return Node(v, ((self, -v / self.v),))

    def __gt__(self, other: Any) -> bool:
        return bool(self.v > value(other))

    def __lt__(self, other: Any) -> bool:
        return bool(self.v < value(other))

    def __ge__(self, other: Any) -> bool:
        return bool(self.v >= value(other))

    def __le__(self, other: Any) -> bool:
        return bool(self.v <= value(other))

    def __repr__(self) -> str:
        return f"Node({self.v})"

    def tanh(self) -> Node:
        """Return the hyperbolic tangent."""
        v = np.tanh(self.v)
        return Node(v, ((self, 1 - v * v),))

    def exp(self) -> Node:
        """Return the exponential."""
        v = np.exp(self.v)
        return Node(v, ((self, v),))

    def log(self) -> Node:
        """Return the natural logarithm."""
        return Node(np.log(self.v), ((self, 1 / self.v),))


def value(number: Any) -> Any:
    """Return the value of a number, be it a node or a plain one."""
    return number.v if isinstance(number, Node) else number


def nodes(array: Any) -> Any:
    """Return an object array of nodes of their own for the numbers of an array."""
    array = np.asarray(array)
    lifted = np.empty(array.shape, dtype=object)
    for index in np.ndindex(array.shape):
        lifted[index] = Node(array[index])
    return lifted


def gradients(result: Any) -> Mapping[Node, Any]:
    """Return the derivative of a number by every node that it was made of, itself among them.

    What is not in it has no influence. A plain number was made of nothing.
    """
    if not isinstance(result, Node):
        return {}
    found: dict[Node, Any] = {result: 1}
    for node in _latest_first(result):
        for parent, slope in node.parents:
            found[parent] = found.get(parent, 0) + found[node] * slope
    return found


def _latest_first(result: Node) -> list[Node]:
    """Return all nodes behind a result, each before those that it was made of."""
    order: list[Node] = []
    seen: set[Node] = set()
    waiting: list[tuple[Node, bool]] = [(result, False)]
    while waiting:  # no recursion: a sequence is as deep as it is long
        node, done = waiting.pop()
        if done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            waiting.append((node, True))
            waiting += [(parent, False) for parent, _ in node.parents]
    return order[::-1]
