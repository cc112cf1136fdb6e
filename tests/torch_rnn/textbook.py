"""Every option of the network as scalar loops over numbers that carry their derivatives: no torch in it, no autograd.

A problem is a `Setup`, which says what there is, and arrays by name, time-major: the parameters, `x`, `h_0` (and
`c_0`), perhaps `attention`, the cotangents `dy`, `dh_n` (and `dc_n`), and what is given besides, `mask_0`, ...,
`recurrent`, `zoneout_h`, `zoneout_c`. `draw` fills it, `results` computes it, and `roundings` says how far two
computations of it in float64 may be apart. Its numbers are dyadic and sized for that:

    |x|, |h_0|, |c_0|, |cotangents|, |masks| <= 1     0 <= attention, zoneout <= 1     |W_hr| <= 1/H
    |W_xh|, |W_hh| <= 1 / (8 N)                       |b| <= 1/16                      |p| <= 1/32
    |forget_bias| <= 1/8                              N = max(I, D*H'), H' = P or H

So a row of W_xh or W_hh times what it is multiplied with is at most 1/8: that is at most N numbers up to 1, or, above a
layer whose directions are summed, N/2 up to 2. Pre-activations stay below 3/8, and 0.55 in an LSTM, so that a sigmoid
is at most 0.64, |g| <= 0.36, |c| <= 1 (0.64 + 0.64 0.36 < 1), |h| <= 1. A step is nonexpansive: the absolute sums of
its Jacobian's rows, over all previous states, are at most

    Elman   1/8
    LSTM    c: f + (|c| + |g|)/4 (1/8 + 1/32) + i/8 <= 0.64 + 0.06 + 0.08 = 0.78; h: 0.25 (1/8 + 0.78/32) + 0.64 0.78
            coupled, |c - g| is in place of |c| + |g|, and i + f = 1: c: f + 0.06 + i/8 < 1 for f <= 0.64
    GRU     z + (1 - z)/8 (0.64 + 1/4) + 2/4 1/8 <= 0.64 + 0.04 + 0.07 = 0.75, for either reset

clipping, masks and the rows of W_hr make them no larger, and zoneout mixes them with 1. Over the input, the row sums
are at most 1/8 (Elman), 1/8 (LSTM: (1/4 + 0.09 + 0.64)/8) and 1/5 (GRU: (2/4 + 1.1)/8): of the error of a layer, which
is doubled where directions are summed, no more than a half comes into each step of the next.

For relu nothing rounds at all, so that its kink and those of clipping are decided alike: all factors on a path but the
first are powers of 2 or 0. For the others, what is clipped is irrational, but for the first step of the first layer,
where nothing rounds either.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

Arrays = dict[str, Any]
Nested = Any  # numbers in lists in lists

GATES = {"rnn_tanh": 1, "rnn_relu": 1, "lstm": 4, "gru": 3, "gru_reset_before": 3}


@dataclass(frozen=True)
class Setup:
    """What there is; names and meaning as in `Recurrent`.

    Attributes:
        masks, recurrent, zoneout: whether there are such masks.
        lengths: of each sequence; None for all steps.
    """

    cell: str
    T: int = 1
    B: int = 1
    I: int = 1
    H: int = 1
    bias: bool = True
    num_layers: int = 1
    bidirectional: bool = False
    peephole: bool = False
    coupled: bool = False
    forget_bias: float = 0.0
    clip: float | None = None
    proj_size: int = 0
    attention: bool = False
    merge: str = "concat"
    masks: bool = False
    recurrent: bool = False
    zoneout: bool = False
    lengths: tuple[int, ...] | None = None
    truncate: tuple[int, int] | None = None

    @property
    def D(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def G(self) -> int:
        return GATES[self.cell] - self.coupled

    @property
    def states(self) -> dict[str, int]:
        """The width of each state."""
        h = {"h": self.proj_size or self.H}
        return h | {"c": self.H} if self.cell == "lstm" else h

    @property
    def Y(self) -> int:
        """The width of y."""
        return self.states["h"] * (1 if self.merge == "sum" else self.D)

    @property
    def ends(self) -> list[str]:
        """The suffixes of the parameters."""
        return [f"_l{l}" * (l > 0) + "_reverse" * d for l in range(self.num_layers) for d in range(self.D)]

    @property
    def own(self) -> tuple[int, ...]:
        return self.lengths or (self.T,) * self.B


def draw(setup: Setup, seed: int) -> Arrays:
    """Fill a problem."""
    rng = np.random.default_rng(seed)
    exact = setup.cell == "rnn_relu"

    def dyadic(bound: float, *shape: int, levels: int = 4 if exact else 64, lowest: int = -1) -> Any:
        return rng.integers(lowest * levels, levels, shape, endpoint=True) / levels * bound

    def power(bound: float) -> float:
        return 2.0 ** math.floor(math.log2(bound))

    T, B, I, H, G, D = setup.T, setup.B, setup.I, setup.H, setup.G, setup.D
    width = setup.states["h"]
    weight = power(1 / (8 * max(I, D * width)))
    few = 1 if exact else 64
    arrays: Arrays = {}
    for number, end in enumerate(setup.ends):
        columns = setup.Y if number >= D else I
        arrays |= {f"W_xh{end}": dyadic(weight, G * H, columns, levels=few)}
        arrays |= {f"W_hh{end}": dyadic(weight, G * H, width, levels=few)}
        if setup.bias:
            arrays |= {f"{b}{end}": dyadic(1 / 16, G * H) for b in ("b_xh", "b_hh")}
        if setup.peephole:
            arrays |= {f"p_{g}{end}": dyadic(1 / 32, H) for g in ("io" if setup.coupled else "ifo")}
        if setup.proj_size:
            arrays |= {f"W_hr{end}": dyadic(power(1 / H), width, H)}
    arrays |= {"x": dyadic(1, T, B, I), "dy": dyadic(1, T, B, setup.Y)}
    for state, size in setup.states.items():
        arrays |= {
            f"{state}_0": dyadic(1, len(setup.ends), B, size),
            f"d{state}_n": dyadic(1, len(setup.ends), B, size),
        }
    factor = {"levels": 1 if exact else 4}
    if setup.masks:
        arrays |= {f"mask_{l}": dyadic(1, T, B, setup.Y, **factor) for l in range(setup.num_layers - 1)}
    if setup.recurrent:
        arrays |= {"recurrent": dyadic(1, len(setup.ends), T, B, width, **factor)}
    if setup.zoneout:
        factor = {"levels": 2 if exact else 4, "lowest": 0}
        arrays |= {f"zoneout_{s}": dyadic(1, len(setup.ends), T, B, n, **factor) for s, n in setup.states.items()}
    if setup.attention:
        arrays |= {"attention": dyadic(1, T, B, lowest=0)}
    return arrays


@dataclass(frozen=True)
class Number:
    """A number and its derivatives, by all scalars of the inputs at once."""

    v: float
    d: Any = field(default=0.0)

    def __add__(self, other: Any) -> Number:
        if isinstance(other, Number):
            return Number(self.v + other.v, self.d + other.d)
        return Number(self.v + other, self.d)

    def __mul__(self, other: Any) -> Number:
        if isinstance(other, Number):
            return Number(self.v * other.v, other.v * self.d + self.v * other.d)
        return Number(self.v * other, other * self.d)

    def __neg__(self) -> Number:
        return Number(-self.v, -self.d)

    def __sub__(self, other: Number | float) -> Number:
        return self + -other

    def __rsub__(self, other: float) -> Number:
        return -self + other

    def __radd__(self, other: float) -> Number:
        return self + other

    def __rmul__(self, other: float) -> Number:
        return self * other


def tanh(a: Number) -> Number:
    v = math.tanh(a.v)
    return Number(v, (1 - v * v) * a.d)


def sigmoid(a: Number) -> Number:
    v = 1 / (1 + math.exp(-a.v))
    return Number(v, v * (1 - v) * a.d)


def relu(a: Number) -> Number:
    return a if a.v > 0 else Number(0.0)


def clipped(a: Number, clip: float | None) -> Number:
    return a if clip is None or abs(a.v) <= clip else Number(math.copysign(clip, a.v))


Row = list[Number]
States = dict[str, list[list[Row]]]  # by name, layer and direction, sequence


def step(
    setup: Setup, p: Callable[[str], Nested], x: Row, h: Row, c: Row, seen: Row, attention: Any
) -> tuple[Row, Row]:
    """Return the next states, as they are proposed to zoneout.

    Args:
        setup: what there is.
        p: a parameter of this layer and direction by name.
        x: the input.
        h: the hidden state before.
        c: the cell state before.
        seen: what the recurrent product sees of h.
        attention: a number.
    """
    H, units = setup.H, range(setup.H)

    def k(a: Number) -> Number:
        return clipped(a, setup.clip)

    def share(W: str, b: str, row: int, v: Row) -> Number:
        start = p(b)[row] if setup.bias else Number(0.0)
        return sum((w * u for w, u in zip(p(W)[row], v, strict=True)), start)

    def a(gate: int, j: int, v: Row) -> Number:
        return share("W_xh", "b_xh", gate * H + j, x) + share("W_hh", "b_hh", gate * H + j, v)

    def peep(gate: str, j: int, state: Row) -> Number:
        return p(f"p_{gate}")[j] * state[j] if setup.peephole else Number(0.0)

    if setup.cell in ("rnn_tanh", "rnn_relu"):
        f = tanh if setup.cell == "rnn_tanh" else relu
        return [f(k(a(0, j, seen))) for j in units], c
    if setup.cell == "lstm":
        after, hidden = [], []
        for j in units:
            i = sigmoid(k(a(0, j, seen) + peep("i", j, c)))
            forget = 1 - i if setup.coupled else sigmoid(k(a(1, j, seen) + peep("f", j, c) + setup.forget_bias))
            g = tanh(k(a(setup.G - 2, j, seen)))
            after.append(forget * c[j] + i * g)
        for j in units:
            o = sigmoid(k(a(setup.G - 1, j, seen) + peep("o", j, after)))
            hidden.append(o * tanh(k(after[j])))
        if setup.proj_size:
            hidden = [sum((w * u for w, u in zip(row, hidden, strict=True)), Number(0.0)) for row in p("W_hr")]
        return hidden, after
    r = [sigmoid(k(a(0, j, seen))) for j in units]
    z = [(1 - attention) * sigmoid(k(a(1, j, seen))) for j in units]
    if setup.cell == "gru":
        x_n = [share("W_xh", "b_xh", 2 * H + j, x) for j in units]
        n = [tanh(k(x_n[j] + r[j] * share("W_hh", "b_hh", 2 * H + j, seen))) for j in units]
    else:
        n = [tanh(k(a(2, j, [r[j] * seen[j] for j in units]))) for j in units]
    return [(1 - z[j]) * n[j] + z[j] * h[j] for j in units], c


def forward(setup: Setup, values: Nested, first: int, last: int, states: States) -> tuple[list[list[Row]], States]:
    """Run steps `first` to `last` - 1; return y of these and the states after them."""
    after: States = {name: [list(rows) for rows in both] for name, both in states.items()}
    x = values["x"][first:last]
    for number, end in enumerate(setup.ends):
        layer, reverse = number // setup.D, number % setup.D
        if not reverse:
            y = [[[Number(0.0)] * setup.Y for _ in range(setup.B)] for _ in range(first, last)]

        def p(name: str, end: str = end) -> Nested:
            return values[name + end]

        for b in range(setup.B):
            running = range(first, min(last, setup.own[b]))
            h = after["h"][number][b]
            c = after["c"][number][b] if "c" in after else []
            for t in reversed(running) if reverse else running:
                taken = x[t - first][b]
                if layer and setup.masks:
                    taken = [m * u for m, u in zip(values[f"mask_{layer - 1}"][t][b], taken, strict=True)]
                seen = h
                if setup.recurrent:
                    seen = [m * u for m, u in zip(values["recurrent"][number][t][b], h, strict=True)]
                attention = values["attention"][t][b] if setup.attention else 0.0
                proposed = dict(zip("hc", step(setup, p, taken, h, c, seen, attention), strict=True))
                if setup.zoneout:
                    for state, prev in {"h": h, "c": c}.items():
                        d = values[f"zoneout_{state}"][number][t][b] if prev else []
                        both = zip(d, proposed[state], prev, strict=True)
                        proposed[state] = [(1 - share) * new + share * old for share, new, old in both]
                h, c = proposed["h"], proposed["c"]
                for j, unit in enumerate(h):
                    place = j if setup.merge == "sum" or not reverse else len(h) + j
                    y[t - first][b][place] = y[t - first][b][place] + unit
            after["h"][number][b] = h
            if "c" in after:
                after["c"][number][b] = c
        if reverse or setup.D == 1:
            x = y
    return y, after


def nested(array: Any, function: Callable[[tuple[int, ...]], Any], index: tuple[int, ...] = ()) -> Nested:
    if len(index) == array.ndim:
        return function(index)
    return [nested(array, function, (*index, i)) for i in range(array.shape[len(index)])]


def is_leaf(name: str) -> bool:
    return name[0] in "Wbp" or name in ("x", "h_0", "c_0", "attention")


def objective(arrays: Arrays, name: str, output: Nested) -> Iterator[Number]:
    """Yield each number of an output times its cotangent."""
    cotangent = arrays[f"d{name}"]
    for index in product(*map(range, cotangent.shape)):
        value = output
        for i in index:
            value = value[i]
        yield value * cotangent[index]


def results(setup: Setup, arrays: Arrays) -> Arrays:
    """Return the outputs and all gradients."""
    leaves = {name: array for name, array in arrays.items() if is_leaf(name)}
    starts = dict(zip(leaves, np.cumsum([0, *(array.size for array in leaves.values())]), strict=False))
    total = sum(array.size for array in leaves.values())
    values: Nested = {name: array.tolist() for name, array in arrays.items()}
    for name, array in leaves.items():

        def number(index: tuple[int, ...], name: str = name, array: Any = array) -> Number:
            derivative = np.zeros(total)
            derivative[starts[name] + np.ravel_multi_index(index, array.shape)] = 1
            return Number(float(array[index]), derivative)

        values[name] = nested(array, number)
    states_0: States = {state: values[f"{state}_0"] for state in setup.states}
    y, states_n = forward(setup, values, 0, setup.T, states_0)
    outputs = {"y": y} | {f"{state}_n": rows for state, rows in states_n.items()}
    terms: list[Number] = []
    if setup.truncate is None:
        for name, output in outputs.items():
            terms += objective(arrays, name, output)
    else:
        k1, k2 = setup.truncate
        for s in range(0, setup.T, k1):
            e = min(s + k1, setup.T)
            w = max(0, s + k1 - k2)
            before = states_0
            if w:
                _, reached = forward(setup, values, 0, w, states_0)
                before = {n: [[[Number(u.v) for u in row] for row in b] for b in rows] for n, rows in reached.items()}
            y_window, states_n = forward(setup, values, w, e, before)
            terms += objective({"dy": arrays["dy"][s:e]}, "y", y_window[s - w :])
            if e == setup.T:
                for state, rows in states_n.items():
                    terms += objective(arrays, f"{state}_n", rows)
    gradient = sum(terms, Number(0.0)).d + np.zeros(total)
    found = {name: np.array(nested_values(output)) for name, output in outputs.items()}
    for name, array in leaves.items():
        found[f"d{name}"] = gradient[starts[name] : starts[name] + array.size].reshape(array.shape)
    return found


def nested_values(output: Nested) -> Nested:
    return output.v if isinstance(output, Number) else [nested_values(part) for part in output]


def roundings(name: str, setup: Setup) -> float:
    """Return how many times u = 2^-53 the result `name` may be off in two computations together.

    Forward: a state comes from at most K roundings a step of numbers below 2: two dot products and three biases, the
    projection's H, and 40 for activations of 4 each, peepholes, masks, zoneout, attention and the gates' arithmetic.
    Errors do not grow, and a half of that of the layer below comes in at each step: E_l = T (2 K + E_{l-1} / 2). A sum
    of two directions has twice that, and a rounding.

    Backward: the step's transpose is nonexpansive in the 1-norm over units, so the gradient of a batch item's states,
    in one direction of the top layer, stays below S = (T + 2) W, W = max(H, P), the 1-norm of all its cotangents; in a
    layer below, below 2 W + D T S / 2, with the S of the layer above, half of which comes out at each step in each
    direction. A step back has K' = G H + H + 40 roundings, and each derivative in it is a product of at most ten
    forward values, all of them together below 2, off by E each: so K' + 20 E for each unit of S. After T steps, with
    the error F of the gradient that comes in: F + S T (K' + 20 E), where F is 0 in the top layer, and
    D T (F / 2 + S (K' + 20 E)) of the layer above in others. A parameter's gradient sums T B products of that with a
    forward value of at most 2, off by 2 E in turn, in T B roundings; that of x is as that of an output of a layer
    below; those of states have shorter sums; those of attention sum W units, layers and directions in place of T B
    steps. Truncated, there are at most T such backward passes, each with a part of the cotangents.
    """
    T, B, I, H, L, D = setup.T, setup.B, setup.I, setup.H, setup.num_layers, setup.D
    width = setup.states["h"]
    W = max(H, width)
    E = [0.0]
    for l in range(L):
        E.append(T * (2 * ((D * width if l else I) + width + H + 43) + E[-1] / 2))
    if not name.startswith("d"):
        return 2 * (2 * E[-1] + 1)
    S, F, worst = float((T + 2) * W), 0.0, 0.0
    for e in reversed(E[1:]):
        step = setup.G * H + H + 40 + 20 * e
        F += S * T * step
        below = D * T * (F / 2 + S * step)
        worst = max(worst, 2 * T * B * (F + S * (e + T * B)), below)
        S, F = 2 * W + D * T * S / 2, below
    if name == "dattention":
        worst *= W * L * D
    return 2 * worst * (T if setup.truncate else 1)
