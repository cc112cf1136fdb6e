"""Spec: which network, framework-neutral.

Sizes: I input_size, H hidden_size, P proj_size, O output_size, L num_layers, D directions (1 or 2), G gates. A state h
is as wide as P with a projection, else as H. The equations are at the top of each file in `manual_rnn/cells`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from crosscheck.errors import ArgumentError

GATES = {"rnn_tanh": 1, "rnn_relu": 1, "lstm": 4, "gru": 3}
LETTERS = {"rnn_tanh": "h", "rnn_relu": "h", "lstm": "ifgo", "gru": "rzn"}
"""The gates of a cell in their order; h where there is one alone."""
_SUFFIX = re.compile(r"(_l\d+)?(_reverse)?$")
LOSSES = ("none", "half_squared_error", "mse", "cross_entropy")
DEFAULT_MEAN = {"half_squared_error": "none", "mse": "TBO", "cross_entropy": "TB"}
MEANS = ("default", "none", "T", "B", "TB", "O", "TO", "BO", "TBO")
MERGES = ("concat", "sum")
AXES = ("TB", "BT", "T")
RATES = ("dropout", "recurrent_dropout", "zoneout")
"""The options that are rates, each that of a kind of mask."""
SIZE_LIMIT = 2**16
OF_CELL = {
    "lstm": ("peephole", "coupled", "forget_bias", "proj_size"),
    "gru": ("reset_after", "attention"),
}
"""The options that one cell has and the others have not."""


@dataclass(frozen=True)
class Spec:
    """Which network.

    Attributes:
        cell: "rnn_tanh", "rnn_relu", "lstm" or "gru".
        input_size: I.
        hidden_size: H.
        output_size: O, the width of the output layer; 0 if there is none.
        bias: whether the recurrent layers have biases, b_xh and b_hh.
        reset_after: for the GRU: whether the reset gate comes after the recurrent product.
        loss: "half_squared_error", "mse" or "cross_entropy" against a target, or "none": then the cotangent dy is
            given.
        num_layers: L.
        bidirectional: whether each layer also runs from the last step to the first, D = 2.
        merge: what becomes of the outputs of two directions: "concat", forward first, or "sum".
        axes: the leading axes of x, y and all that is shaped like them: "TB", "BT", or "T" where there is no batch, in
            the states neither.
        peephole: for the LSTM: whether the gates i and f see c_prev, and o sees c, by the weights p_i, p_f, p_o.
        coupled: for the LSTM: whether f = 1 - i; the gates are i, g, o then.
        forget_bias: for the LSTM: a constant that is added to the forget gate's pre-activation.
        proj_size: for the LSTM: P, the width of the projection h = W_hr (o tanh(c)); 0 if there is none.
        attention: for the GRU: whether each step has an attention score, by which z becomes (1 - score) z.
        clip: what pre-activations are clipped to, from below and above; 0 if they are not.
        dropout: the rate at which outputs of a layer are dropped before they are the next one's inputs.
        recurrent_dropout: the rate at which h_prev is dropped before the recurrent product.
        zoneout: the rate at which states keep what they were.
        train: whether in training; otherwise the two dropouts do nothing, and zoneout is its own expectation.
        truncate: (k1, k2): after every k1 steps the gradient of their outputs goes k2 steps back, no further; None if
            it goes back all the way. With k1 = k2, the states are detached every k1 steps.
        mean: what the loss is the mean over, out of T, B and O; "none" for a sum, "default" as is usual for that loss.

    Raises:
        ArgumentError: a value is not one of these, or an option does not apply.
    """

    cell: str
    input_size: int
    hidden_size: int
    output_size: int = 0
    bias: bool = True
    reset_after: bool = True
    loss: str = "none"
    num_layers: int = 1
    bidirectional: bool = False
    merge: str = "concat"
    axes: str = "TB"
    peephole: bool = False
    coupled: bool = False
    forget_bias: float = 0.0
    proj_size: int = 0
    attention: bool = False
    clip: float = 0.0
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    zoneout: float = 0.0
    train: bool = True
    truncate: tuple[int, int] | None = None
    mean: str = "default"

    def __post_init__(self) -> None:
        for argument, values in (("cell", GATES), ("loss", LOSSES), ("merge", MERGES), ("axes", AXES), ("mean", MEANS)):
            one_of(argument, getattr(self, argument), values)
        for argument in ("input_size", "hidden_size", "num_layers"):
            whole(argument, getattr(self, argument), least=1)
        whole("output_size", self.output_size, least=0)
        whole("proj_size", self.proj_size, least=0, most=self.hidden_size - 1)
        for argument in ("forget_bias", "clip"):
            _short(argument, getattr(self, argument))
        for argument in RATES:
            _rate(argument, getattr(self, argument))
        self._check_what_applies()

    def _check_what_applies(self) -> None:
        default = Spec.__dataclass_fields__
        for cell, arguments in OF_CELL.items():
            for argument in arguments:
                value = getattr(self, argument)
                if cell != self.cell and value != default[argument].default:
                    raise ArgumentError(
                        argument,
                        f"{written(value)} for {self.cell}",
                        f"{written(default[argument].default)}, or the {cell} cell",
                    )
        for argument, applies, wanted in (
            ("forget_bias", not self.coupled, "0 with coupled gates, which have no forget gate"),
            ("merge", self.bidirectional, "concat, or two directions"),
            ("dropout", self.num_layers > 1, "0, or more than one layer"),
            ("truncate", not self.bidirectional, "none, or one direction"),
            ("mean", self.loss != "none", "default, or a loss"),
        ):
            if not applies and getattr(self, argument) != default[argument].default:
                raise ArgumentError(argument, written(getattr(self, argument)), wanted)
        if self.truncate is not None:
            _check_truncation(self.truncate)

    @property
    def states(self) -> tuple[str, ...]:
        """The names of the cell's states."""
        return ("h", "c") if self.cell == "lstm" else ("h",)

    @property
    def rates(self) -> tuple[float, ...]:
        """The rates of the masks, in the order of `RATES`."""
        return tuple(getattr(self, name) for name in RATES)

    @property
    def letters(self) -> str:
        """The gates in the order of their blocks: those of the cell, but f where it is 1 - i; h where there is one."""
        return LETTERS[self.cell].replace("f", "") if self.coupled else LETTERS[self.cell]

    @property
    def runs(self) -> tuple[tuple[int, bool], ...]:
        """The layers and directions, (layer, whether it is the reverse one), in the order of the states: torch's."""
        directions = (False, True) if self.bidirectional else (False,)
        return tuple((layer, reverse) for layer in range(self.num_layers) for reverse in directions)

    @property
    def state_sizes(self) -> dict[str, int]:
        """The width of each state: of h, P or H; of c, H."""
        return {name: self.hidden_size if name == "c" else self.proj_size or self.hidden_size for name in self.states}

    @property
    def h_size(self) -> int:
        """The width of a layer's output."""
        joined = 2 if self.bidirectional and self.merge == "concat" else 1
        return joined * self.state_sizes["h"]

    @property
    def y_size(self) -> int:
        """The width of the output y: O with an output layer, else that of the last layer's output."""
        return self.output_size or self.h_size

    @property
    def mean_over(self) -> str:
        """The axes that the loss is the mean over, a text out of T, B and O."""
        mean = DEFAULT_MEAN[self.loss] if self.mean == "default" else self.mean
        return "" if mean == "none" else mean

    def param_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every parameter, by name."""
        H, O, P = self.hidden_size, self.output_size, self.proj_size
        GH = (GATES[self.cell] - self.coupled) * H
        shapes: dict[str, tuple[int, ...]] = {}
        for layer, reverse in self.runs:
            of_run: dict[str, tuple[int, ...]] = {
                "W_xh": (GH, self.h_size if layer else self.input_size),
                "W_hh": (GH, P or H),
            }
            if self.bias:
                of_run |= {"b_xh": (GH,), "b_hh": (GH,)}
            if self.peephole:
                of_run |= {"p_i": (H,)} | ({} if self.coupled else {"p_f": (H,)}) | {"p_o": (H,)}
            if P:
                of_run |= {"W_hr": (P, H)}
            shapes |= {name + suffix(layer, reverse): shape for name, shape in of_run.items()}
        if O:
            shapes |= {"W_hy": (O, self.h_size), "b_y": (O,)}
        return shapes


def suffix(layer: int, reverse: bool) -> str:
    """Return what the names of a layer's parameters in one direction end in: "", "_reverse", "_l1", "_l1_reverse"."""
    return (f"_l{layer}" if layer else "") + ("_reverse" if reverse else "")


def base(name: str) -> str:
    """Return the name of a tensor without its layer and direction."""
    return _SUFFIX.sub("", name)


def run_of(name: str) -> tuple[int, bool]:
    """Return the layer and direction that a parameter's gradient belongs to."""
    layer, reverse = _SUFFIX.search(name).groups()  # type: ignore[union-attr]
    return int(layer[2:]) if layer else 0, bool(reverse)


def written(value: object) -> str:
    """Return the value of an option as it stands in the line of a case."""
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)


def one_of(argument: str, got: object, wanted: Any) -> None:
    """Check that a value is one of those wanted.

    Raises:
        ArgumentError: it is not.
    """
    if got not in wanted:
        raise ArgumentError(argument, repr(got), "one of " + ", ".join(map(str, wanted)))


def whole(argument: str, got: object, least: int, most: int = SIZE_LIMIT) -> None:
    """Check that a value is a whole number within limits.

    Raises:
        ArgumentError: it is not.
    """
    if type(got) is not int or not least <= got <= most:
        raise ArgumentError(argument, repr(got), f"a whole number from {least} to {most}")


def _short(argument: str, got: object) -> None:
    """Check that a value is 0, or positive and the same number in every format."""
    exact = isinstance(got, float | int) and (got == 0 or 2**-8 <= got <= 2**8)
    if not exact or not (math.frexp(float(got))[0] * 2**8).is_integer():  # type: ignore[arg-type]
        raise ArgumentError(
            argument, repr(got), "0, or a number from 1/256 to 256 of at most 8 bits, exact in every format"
        )


def _rate(argument: str, got: object) -> None:
    if not isinstance(got, float | int) or not 0 <= got < 1:
        raise ArgumentError(argument, repr(got), "a rate from 0 to below 1")


def _check_truncation(truncate: object) -> None:
    pair = isinstance(truncate, tuple) and len(truncate) == 2 and all(type(k) is int for k in truncate)
    if not pair or not 1 <= truncate[0] <= truncate[1]:  # type: ignore[index]
        raise ArgumentError("truncate", truncate, "(k1, k2), two whole numbers with 1 <= k1 <= k2")
