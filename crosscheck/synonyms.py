"""What people call things: their names of parameters, inputs, cotangents and gradients, matched with ours.

Capitals and underscores don't count: W_xh, Wxh and w_xh are one name. `W` and `U` alone are nobody's: some multiply x
with W, others h.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from crosscheck.conventions import Conventions, is_gradient
from crosscheck.spec import base

OF_GATE = {"i": "i", "f": "f", "g": "gca", "o": "o", "r": "r", "z": "zu", "n": "nhgc", "h": "h"}
"""What the letter of each gate may be."""
WHOLE = {
    "x": ("x", "xs", "inputs", "input", "xseq", "sequence", "seq"),
    "h_0": ("h0", "hprev", "h", "hinit", "inith", "a0", "prevh", "hs0", "initialstate", "state", "hidden"),
    "c_0": ("c0", "cprev", "c", "cinit", "initc", "prevc", "cell"),
    "y": ("y", "hs", "ys", "h", "outputs", "output", "out", "hseq", "states", "a"),
    "h_n": ("hn", "hlast", "ht", "hfinal", "hnext", "lasth", "finalh", "h"),
    "c_n": ("cn", "clast", "ct", "cfinal", "cnext", "lastc", "finalc", "c"),
    "dy": ("dy", "dhs", "dys", "dout", "doutput", "doutputs", "dh", "da", "upstream", "outgrad"),
    "dh_n": ("dhn", "dhlast", "dht", "dhfinal", "dhnext", "dlasth", "dh"),
    "dc_n": ("dcn", "dclast", "dct", "dcfinal", "dcnext", "dlastc", "dc"),
    "target": ("target", "targets", "y", "ytrue", "labels", "t"),
    "rate": ("lr", "learningrate", "eta", "alpha", "rate", "stepsize", "step"),
    "W_xh": ("wxh", "wx", "wih", "weightih", "wax", "wihl0", "weightihl0", "kernel", "win", "winput"),
    "W_hh": ("whh", "wh", "weighthh", "waa", "whhl0", "weighthhl0", "recurrentkernel", "wrec", "wrecurrent"),
    "b_xh": ("bxh", "bx", "bih", "biasih", "biasihl0"),
    "b_hh": ("bhh", "bh", "biashh", "biashhl0"),
    "b": ("b", "bh", "bias", "ba", "bxh", "bhh", "bx", "biases"),
    "W": ("w", "weight", "weights", "wlstm", "wgru", "wrnn", "wcat", "wall"),
    "W_hy": ("why", "wy", "wya", "wout", "woutput", "wo", "v"),
    "b_y": ("by", "bout", "boutput", "bo"),
}
"""Our names, and the plain form of what else they are called; the likelier first."""
ALSO = {"wx": ("wi{}", "w{}"), "wh": ("u{}",)}
"""What else one gate's weights on x and on h are called."""
SIZES = {
    "I": ("inputsize", "inputdim", "nin", "nx", "ninput", "d", "i", "vocabsize", "inputunits", "nfeatures", "features"),
    "H": ("hiddensize", "hiddendim", "nh", "nhidden", "h", "units", "hidden", "nunits", "na", "nhid", "hiddenunits"),
    "O": ("outputsize", "outputdim", "nout", "ny", "noutput", "o", "nclasses", "numclasses", "outputunits"),
}
"""The sizes of a network, and what the arguments of a class that stand for them are called."""
MARKS = ("d{}", "grad{}", "{}grad", "g{}", "delta{}")
"""How the name of a gradient is made of that of what it belongs to."""


def plain(name: str) -> str:
    """Return a name in small letters without underscores."""
    return name.lower().replace("_", "")


def match(theirs: Iterable[str], ours: Iterable[str], conventions: Conventions) -> dict[str, str]:
    """Return which of their names stands for each of ours; without those that nothing stands for.

    Args:
        theirs: their names.
        ours: our names, those that come first have the first choice.
        conventions: their names that were said.
    """
    left = {name: plain(name) for name in theirs}
    found: dict[str, str] = {}
    wanted = list(ours)
    for name in wanted:
        if conventions.name(name) in left and (name in conventions.names or conventions.name(name) != name):
            found[name] = conventions.name(name)
            del left[found[name]]
    for name in wanted:
        if name in found or name in conventions.names:
            continue
        for synonym in _forms(name, conventions):
            their = next((their for their, form in left.items() if form == synonym), None)
            if their is not None:
                found[name] = their
                del left[their]
                break
    return found


def _forms(name: str, conventions: Conventions) -> Iterator[str]:
    """Yield what one of our names may be called; a gradient as that is which it belongs to, where that was said."""
    if is_gradient(name) and name[1:] in conventions.names:
        yield from (mark.format(plain(conventions.names[name[1:]])) for mark in MARKS)
    else:
        yield from synonyms(name)


def synonyms(name: str) -> Iterator[str]:
    """Yield the plain forms of what one of our names may be called, the likelier first."""
    root = base(name)
    end = plain(name[len(root) :])
    if root in WHOLE:
        yield from dict.fromkeys((plain(name), *(form + end for form in WHOLE[root])))
    elif root.startswith("d"):
        for form in synonyms(name[1:]):
            yield from (mark.format(form) for mark in MARKS)
    else:
        yield from (form + end for form in dict.fromkeys(_of_gate(root)))


def _of_gate(name: str) -> Iterator[str]:
    """Yield the forms of the name of one gate's part: W_xi, W_hi, b_xi, b_hi, W_i or b_i."""
    kind, of, gate = name[0].lower(), name[2:-1], name[-1]
    for letter in OF_GATE.get(gate, ""):
        yield kind + of + letter
    for letter in OF_GATE.get(gate, ""):
        yield from (kind + letter + of, *(form.format(letter) for form in ALSO.get(kind + of, ())))


def size_of(argument: str, sizes: Mapping[str, Any]) -> Any:
    """Return the size that an argument of that name stands for; None if it stands for none."""
    return next((sizes[letter] for letter, forms in SIZES.items() if plain(argument) in forms), None)
