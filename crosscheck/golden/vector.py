"""A golden vector: a problem, what is right for it, and how far from that is right too.

A vector's expected values are the proven truth, rounded to the vector's own number format; so it is right by proof, and
not since somebody's code once returned it. There are three kinds, after what a checker has to say of the numbers in it:

    valid        what is right; `got`, if there, is what some subject returned when the vector was recorded
    invalid      `got` is wrong in a way that people are: a known mistake was planted
    acceptable   `got` is right by another convention, such as another slope of relu at 0; a checker may say either
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

import numpy as np

from crosscheck.axes import SEQUENCES, padding
from crosscheck.case import Case
from crosscheck.referee.reference import Reference

Arrays = Mapping[str, Any]


class Kind(Enum):
    """What a checker has to say of a vector's numbers; `result` in the files."""

    VALID = "valid"
    INVALID = "invalid"
    ACCEPTABLE = "acceptable"


@dataclass(frozen=True)
class Recording:
    """When, and with what, vectors were recorded.

    Attributes:
        date: UTC, ISO 8601, to the second.
        versions: of python, numpy, python-flint, rnn-crosscheck and so on, by name.
        subject: the text of the subject whose numbers `got` of valid vectors are; empty if of none.
    """

    date: str
    versions: Mapping[str, str]
    subject: str = ""


@dataclass(frozen=True)
class Wrong:
    """The known mistake that is planted in an invalid vector, or the convention of an acceptable one.

    Attributes:
        name: that of the catalogue; of a convention, a name of its own.
        family, says, right, wrong: as `crosscheck.mistakes.mistake.Mistake` has them.
    """

    name: str
    family: str
    says: str
    right: str
    wrong: str


@dataclass(frozen=True)
class Vector:
    """One golden vector.

    Attributes:
        case: the problem; its arrays are those of the file.
        want: every output and every gradient by name, in the case's own dtype, the nearest numbers to the truth.
        bounds: for each of them the largest |returned - want| of a right program, element by element. It holds what
            rounding `want` cost.
        recording: when it was recorded.
        kind: see the top of this file.
        got: numbers that were returned, by name, in the case's dtype; of an invalid or acceptable vector only those
            tensors that are not within their bound, all others being as in `want`.
        wrong: what is planted in `got`; None of a valid vector.
        flags: what it shows, by name; see `crosscheck.golden.flags`.
        comment: in words, what there is to say; may be empty.
    """

    case: Case
    want: Arrays
    bounds: Mapping[str, float]
    recording: Recording
    kind: Kind = Kind.VALID
    got: Arrays = field(default_factory=dict)
    wrong: Wrong | None = None
    flags: tuple[str, ...] = ()
    comment: str = ""

    @property
    def id(self) -> str:
        """Its name in files and reports: the cell, a digest of the case's line, and of what is planted the name."""
        digest = hashlib.sha256(str(self.case).encode()).hexdigest()[:10]
        planted = () if self.wrong is None else (self.wrong.name,)
        return "-".join((self.case.spec.cell, digest, *planted))

    @property
    def reference(self) -> Reference:
        """What is right and the bound of each element, to judge by; in the padding of y and dx the bound is 0."""
        want = {name: np.asarray(array, dtype=np.float64) for name, array in self.want.items()}
        bound = {name: np.full_like(array, self.bounds[name]) for name, array in want.items()}
        for name in bound.keys() & set(SEQUENCES):
            bound[name][padding(self.case, name)] = 0.0
        return Reference(want, bound, bound)


@dataclass(frozen=True)
class Golden:
    """A set of vectors.

    Attributes:
        vectors: by ID, each once.
        comment: in words, what the set is for.
    """

    vectors: tuple[Vector, ...] = ()
    comment: str = ""

    @property
    def valid(self) -> tuple[Vector, ...]:
        """The valid vectors."""
        return tuple(vector for vector in self.vectors if vector.kind is Kind.VALID)

    def with_vectors(self, new: Iterable[Vector]) -> Golden:
        """Return the set with valid vectors added, each in place of one of the same case.

        What is planted in others stands on the same cases; they get what is expected from the new ones.
        """
        by_case = {vector.case: vector for vector in new}
        kept = []
        for vector in self.vectors:
            now = by_case.get(vector.case)
            if now is None:
                kept.append(vector)
            elif vector.kind is not Kind.VALID:
                kept.append(replace(vector, case=now.case, want=now.want, bounds=now.bounds))
        return replace(self, vectors=(*kept, *by_case.values()))
