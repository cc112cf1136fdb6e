"""The matrix of specs: which combinations of options there are, and how many of them somebody supports.

Sizes, number formats, regimes and layouts in memory are left out: they say nothing of which network it is. Options that
don't apply to a combination, such as `peephole` to a GRU, do not multiply it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from crosscheck.spec import written
from crosscheck.strategies import EVERYTHING, PLAIN

Options = Mapping[str, tuple[Any, ...]]

NO_SPEC = ("dtype", "regime", "memory", "states", "wide")
OPTION_NAMES = tuple(name for name in PLAIN if name not in NO_SPEC and not name.startswith(("max_", "min_")))
"""The options that make up a spec, the lengths among them."""

LIBRARIES: dict[str, Options] = {
    "torch.nn": PLAIN
    | {
        "num_layers": (1, 2, 3),
        "bidirectional": (False, True),
        "axes": ("TB", "BT", "T"),
        "lengths": ("none", "positive"),
        "bias": (True, False),
        "projection": (False, True),
        "dropout": (False, True),
        "train": (True, False),
    },
    "ONNX": PLAIN
    | {
        "bidirectional": (False, True),
        "axes": ("TB", "BT"),
        "lengths": ("none", "positive", "zero"),
        "bias": (True, False),
        "reset_after": (True, False),
        "peephole": (False, True),
        "coupled": (False, True),
        "clip": (False, True),
    },
    "oneDNN": PLAIN
    | {
        "num_layers": (1, 2, 3),
        "bidirectional": (False, True),
        "merge": ("concat", "sum"),
        "axes": ("TB", "BT"),
        "bias": (True, False),
        "reset_after": (True, False),
        "peephole": (False, True),
        "projection": (False, True),
        "attention": (False, True),
    },
    "cuDNN": PLAIN
    | {
        "num_layers": (1, 2, 3),
        "bidirectional": (False, True),
        "axes": ("TB", "BT"),
        "lengths": ("none", "positive"),
        "bias": (True, False),
        "projection": (False, True),
        "dropout": (False, True),
        "train": (True, False),
    },
    "Keras": PLAIN
    | {
        "num_layers": (1, 2, 3),
        "bidirectional": (False, True),
        "merge": ("concat", "sum"),
        "axes": ("BT",),
        "lengths": ("none", "positive", "zero"),
        "bias": (True, False),
        "reset_after": (True, False),
        "dropout": (False, True),
        "recurrent_dropout": (False, True),
        "train": (True, False),
    },
}
"""What the layers of other libraries offer, by their documentation; output layers, losses and truncation are the
caller's there, and not counted. How they come by their masks is theirs, too."""


def specs(options: Options = EVERYTHING) -> int:
    """Return the number of specs within `options`, by the rules of `crosscheck.spec.Spec` of what applies to what."""
    number = {name: len(values) for name, values in options.items()}
    of_lstm = (
        number["peephole"]
        * number["projection"]
        * sum(1 if coupled else number["forget_bias"] for coupled in options["coupled"])
    )
    of_cell = {"lstm": of_lstm, "gru": number["reset_after"] * number["attention"]}
    cells = sum(of_cell.get(cell, 1) for cell in options["cell"])
    batches = sum(1 if axes == "T" else number["lengths"] for axes in options["axes"])
    objectives = sum(1 if loss == "none" else number["mean"] for loss in options["loss"]) * number["output_layer"]
    stacks = sum(
        number["merge" if bidirectional else "truncate"] * _masks(options, num_layers)
        for num_layers, bidirectional in product(options["num_layers"], options["bidirectional"])
    )
    return cells * number["bias"] * number["clip"] * batches * objectives * stacks


def _masks(options: Options, num_layers: int) -> int:
    """Return the number of combinations of masks of so many layers; without any, training is no question."""
    dropout = options["dropout"] if num_layers > 1 else (False,)
    combinations = product(dropout, options["recurrent_dropout"], options["zoneout"])
    return sum(len(options["train"]) if any(masks) else 1 for masks in combinations)


def rows(columns: Mapping[str, Options]) -> Iterator[tuple[str, ...]]:
    """Yield the matrix as rows of text: an option with its values, and which of them each column has.

    Args:
        columns: what each supports, by its name.
    """
    for name in OPTION_NAMES:
        values = EVERYTHING[name]
        shown = ", ".join(map(written, values))
        yield name, shown, *(_said(values, options[name]) for options in columns.values())
    yield "specs", f"{specs():,}", *(f"{specs(options):,}" for options in columns.values())


def _said(values: tuple[Any, ...], supported: tuple[Any, ...]) -> str:
    """Return which of some values are supported, in a word or two."""
    if set(values) <= set(supported):
        return "all"
    return ", ".join(written(value) for value in values if value in supported) or "none"
