"""Batches of sequences of different lengths, and the order in which a direction goes through them.

    there[t, k] = (s, order[k])       what is step t of row k in the loop, is step s of sequence order[k] of the caller
    back[t, b]  = (s, place[b])       and the other way round

`order` sorts the batch by length, longest first, so that at each step the sequences still running are the first n rows.
The forward direction has s = t; the reverse one is the forward one on each sequence reversed within its own length:
s = length - 1 - t, and s = t in the padding. Both are permutations of all (t, b), so that gradients go back the way
that values came: an array is taken there with `array[there]`, and what was computed from it back with `array[back]`.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from manual_rnn.arrays import Array, check_finite, zeros
from manual_rnn.errors import ArgumentError

Index = Any
"""What an array may be indexed with: a slice, or arrays of integers."""
Run = tuple[int, int, int]
"""(first, last, n): something about rows :n, or n:, from step `first` to step `last` - 1."""


class Schedule(NamedTuple):
    """Which rows of a batch, the longest sequence first, run when.

    Attributes:
        running: at these steps, rows :n and no others run; n >= 1.
        ended: at these steps, rows n: have ended; n < B.
    """

    running: tuple[Run, ...]
    ended: tuple[Run, ...] = ()


class Order(NamedTuple):
    """The way of one direction through a batch; see the top of this file.

    Attributes:
        there, back: indices for sequences (T, B, K).
        rows: the first for states (B, H).
    """

    there: Index
    back: Index
    rows: Index = slice(None)


class Batch(NamedTuple):
    """A batch of sequences.

    Attributes:
        schedule: which rows run when.
        orders: the way of the forward direction, and that of the reverse one.
        valid: an index for sequences (T, B, K) of all that is no padding; None if there is no padding.
    """

    schedule: Schedule
    orders: tuple[Order, Order]
    valid: Index = None

    def part(self, first: int, last: int) -> Batch:
        """Return the batch at steps `first` to `last` - 1, for the forward direction alone."""

        def cut(runs: tuple[Run, ...]) -> tuple[Run, ...]:
            within = [(max(begin, first) - first, min(end, last) - first, n) for begin, end, n in runs]
            return tuple(run for run in within if run[0] < run[1])

        running, ended = self.schedule
        order = self.orders[0]
        if self.valid is not None:
            there, back = ((step[first:last] - first, row) for step, row in (order.there, order.back))
            order = order._replace(there=there, back=back)
        return Batch(Schedule(cut(running), cut(ended)), (order, order))

    def finite(self, argument: str, array: Array) -> Array:
        """Return a sequence (T, B, K) with 0 for the padding, which isn't read.

        Raises:
            ArgumentError: it holds NaN or infinity elsewhere.
        """
        array = self.blank(array)
        check_finite(argument, array)
        return array

    def blank(self, array: Array) -> Array:
        """Return a sequence (T, B, K) with 0 for the padding, which isn't read; without padding, as it is."""
        if self.valid is None:
            return array
        result = zeros(array, array.shape)
        result[self.valid] = array[self.valid]
        return result


ALL_STEPS = (
    Order(there=slice(None), back=slice(None)),
    Order(there=slice(None, None, -1), back=slice(None, None, -1)),
)
"""The ways through sequences that all have T steps: nothing is sorted."""


@lru_cache(maxsize=128)
def all_running(T: int, B: int) -> Schedule:
    """Return the schedule of B sequences of T steps each."""
    return Schedule(((0, T, B),))


@lru_cache(maxsize=128)
def _whole(T: int, B: int) -> Batch:
    """Return the batch of B sequences of T steps each."""
    return Batch(all_running(T, B), ALL_STEPS)


def batch(x: Array, lengths: Any = None) -> Batch:
    """Return the batch of sequences of the given lengths, T each if None.

    Args:
        x (T, B, I): the input.
        lengths (B,): whole numbers from 0 to T, in any order.

    Raises:
        ArgumentError: `lengths` are something else.
    """
    T, B, _ = x.shape
    if lengths is None:
        return _whole(T, B)
    length = _checked(lengths, T, B)
    order = np.argsort(-length, kind="stable")
    place = np.argsort(order)
    steps = np.arange(T)[:, None]
    reversed_steps = np.where(steps < length, length - 1 - steps, steps)
    orders = tuple(
        Order(there=(step[:, order], order), back=(step, place), rows=order)
        for step in (np.broadcast_to(steps, (T, B)), reversed_steps)
    )
    return Batch(_schedule(T, length[order]), orders, np.nonzero(steps < length))  # type: ignore[arg-type]


def _schedule(T: int, lengths: Any) -> Schedule:
    """Return which rows run when, from the lengths (B,) in falling order."""
    B = len(lengths)
    ends = sorted({0, T, *lengths.tolist()})
    runs = [(first, last, int(np.sum(lengths > first))) for first, last in pairwise(ends)]
    return Schedule(tuple(run for run in runs if run[2] > 0), tuple(run for run in runs if run[2] < B))


def _checked(lengths: Any, T: int, B: int) -> Any:
    """Return the lengths as an integer array (B,)."""
    wanted = f"{B} whole numbers from 0 to {T}, one a sequence, or None"
    try:
        array = np.asarray(lengths)
    except ValueError as error:  # lists of different lengths
        raise ArgumentError("lengths", repr(lengths), wanted) from error
    if array.shape != (B,):
        raise ArgumentError("lengths", f"shape {array.shape}", wanted)
    if array.dtype.kind not in "iu":
        raise ArgumentError("lengths", f"dtype {array.dtype}", wanted)
    if array.min() < 0 or array.max() > T:
        raise ArgumentError("lengths", array.tolist(), wanted)
    return array.astype(np.intp)
