"""The textbook equations as scalar loops: the third implementation. It shares no code with the other two.

Every number is handled by itself, with `+ - * /`, `exp`, `tanh` and comparison, so it may be of any type: a ball, a
dual number, a fraction. Time, batch, layers and units are written out. Gates come in torch's order, i f g o (i g o
where f = 1 - i) and r z n; row k of a weight matrix belongs to unit k mod H of gate k div H. References: Elman,
Cognitive Science 14 (1990), for the plain cell; Gers, Schmidhuber & Cummins, Neural Computation 12 (2000), section 2,
for the LSTM, and Gers, Schraudolph & Schmidhuber, JMLR 3 (2002), for its peepholes; Cho et al., EMNLP 2014, equations
5 to 8, for the GRU, whose h = z h_prev + (1 - z) n is written so here; Zhou et al., AAAI 2019, for its attention, in
oneDNN's form; Gal & Ghahramani, NIPS 2016, for recurrent dropout; Krueger et al., ICLR 2017, for zoneout; Williams &
Peng, Neural Computation 2 (1990), for truncation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from crosscheck.case import Case
from crosscheck.referee.numbers.dual import Dual
from crosscheck.referee.numbers.reverse import Node
from crosscheck.spec import Spec, suffix

Number = Any
Vector = list[Number]
State = dict[str, Vector]
"""h and, of an LSTM, c, by name."""
Where = tuple[int, int, int]
"""A step: which layer and direction, t, and b."""
Watch = Callable[[Where, State, State], tuple[State, Vector]]
"""Is told of a step what was computed, by name, and the state that it leads to. Returns the state that the next step is
given, and the output: that state, and its h."""


def unwatched(_where: Where, _computed: State, state: State) -> tuple[State, Vector]:
    """Return the state and its h, and tell nobody."""
    return state, state["h"]


def outputs(case: Case, watch: Watch = unwatched) -> dict[str, Any]:
    """Return y, h_n, c_n and the loss of a case, as object arrays of its numbers.

    Args:
        case: the problem, its arrays of any number type; see `Case.lift`.
        watch: is told of every step. With truncation a step is computed more than once, in several windows.
    """
    spec = case.spec
    y, final = [], []
    for b in range(case.B):
        sequence, states = _sequence(case, b, watch)
        y.append(sequence)
        final.append(states)
    results = {"y": _array([[y[b][t] for b in range(case.B)] for t in range(case.T)])}
    for name in spec.states:
        results[f"{name}_n"] = _array([[final[b][k][name] for b in range(case.B)] for k in range(len(spec.runs))])
    if spec.axes == "BT":
        results["y"] = results["y"].swapaxes(0, 1)
    if spec.axes == "T":
        results = {name: array[:, 0] for name, array in results.items()}
    if spec.loss != "none":
        results["loss"] = _array(_loss(case, y))
    return results


def objective(case: Case) -> Number:
    """Return the number whose gradients are wanted: the loss, or the outputs weighted with their cotangents."""
    return weighted(case, outputs(case))


def weighted(case: Case, results: Mapping[str, Any]) -> Number:
    """Return `objective` from what `outputs` returned for the case."""
    if case.spec.loss != "none":
        return results["loss"][()]
    total = 0
    for name, output in results.items():
        for index in np.ndindex(output.shape):
            total = case.arrays[f"d{name}"][index] * output[index] + total
    return total


def values(case: Case) -> dict[str, Any]:
    """Return every output and every gradient as float64, one dual number a time: slow, and independent of all else."""
    case = case.lift(lambda array: np.asarray(array, dtype=np.float64))
    results = {name: np.asarray(output, dtype=np.float64) for name, output in outputs(case).items()}
    for name in case.result_shapes:
        of = name.removeprefix("d")
        if name in results or of not in case.arrays:
            continue
        gradient = np.empty(np.shape(case.arrays[of]))
        for index in np.ndindex(gradient.shape):
            lifted = np.array(case.arrays[of], dtype=object)
            lifted[index] = Dual(lifted[index], 1.0)
            total = objective(replace(case, arrays={**case.arrays, of: lifted}))
            gradient[index] = total.d if isinstance(total, Dual) else 0.0
        results[name] = gradient
    return results


def _sequence(case: Case, b: int, watch: Watch) -> tuple[list[Vector], list[State]]:
    """Return y of sequence b of the batch, zeros in its padding, and the final states of each layer and direction."""
    spec, a = case.spec, case.arrays
    y: list[Vector] = []
    for begin, first, end in _windows(case):
        states = _initial(case, b)
        if begin > 0:
            states = _constant(_window(case, b, 0, begin, states, watch)[1])
        window, states = _window(case, b, begin, end, states, watch)
        y += window[first - begin :]
    if spec.output_size:
        y = [_affine(a["W_hy"], h_t, a["b_y"]) for h_t in y]
    return y + [[0] * spec.y_size] * (case.T - len(y)), states


def _windows(case: Case) -> Iterator[tuple[int, int, int]]:
    """Yield (begin, first, end): the gradient of the outputs of steps first to end - 1 goes back to step begin."""
    if case.spec.truncate is None:
        yield 0, 0, case.T
        return
    k1, k2 = case.spec.truncate
    for first in range(0, case.T, k1):
        end = min(first + k1, case.T)
        yield max(0, first + k1 - k2), first, end


def _initial(case: Case, b: int) -> list[State]:
    """Return the initial states of sequence b in each layer and direction."""
    runs = range(len(case.spec.runs))
    whole = case.spec.axes == "T"
    arrays = {name: case.arrays[f"{name}_0"] for name in case.spec.states}
    return [{name: list(array[k] if whole else array[k][b]) for name, array in arrays.items()} for k in runs]


def _constant(states: list[State]) -> list[State]:
    """Return states without their derivatives."""
    return [
        {name: [u.v if isinstance(u, Dual | Node) else u for u in state] for name, state in each.items()}
        for each in states
    ]


def _window(
    case: Case, b: int, begin: int, end: int, states: list[State], watch: Watch
) -> tuple[list[Vector], list[State]]:
    """Run sequence b through all layers, from step begin to end - 1 or to its own end, if that is sooner.

    Returns:
        The last layer's output, a vector a step, and the states of each layer and direction after the last step.
    """
    spec, a = case.spec, case.arrays
    end = end if case.lengths is None else min(end, case.lengths[b])
    steps = range(begin, end)
    sequence = {t: list(_at(case, "x", t, b)) for t in steps}
    after: list[State] = []
    for k, (layer, reverse) in enumerate(spec.runs):
        if not reverse:
            if layer and "dropout" in a:
                sequence = {t: _times(a["dropout"][layer - 1][t][b], u) for t, u in sequence.items()}
            inputs, halves = sequence, []
        half = {}
        state = states[k]
        for t in reversed(steps) if reverse else steps:
            score = _at(case, "attention", t, b) if spec.attention else 0
            mask = a["recurrent"][k][t][b] if "recurrent" in a else None
            computed = _step(spec, suffix(layer, reverse), a, inputs[t], state, mask, score)
            after_it = {name: _kept(a, name, (k, t, b), state[name], computed[name]) for name in spec.states}
            state, half[t] = watch((k, t, b), computed, after_it)
        after.append(state)
        halves.append(half)
        sequence = {t: _merged(spec.merge, [half[t] for half in halves]) for t in steps}
    return list(sequence.values()), after


def _at(case: Case, name: str, t: int, b: int) -> Any:
    """Return what belongs to step t of sequence b in an array whose leading axes are those of the case."""
    array = case.arrays[name]
    return {"TB": lambda: array[t][b], "BT": lambda: array[b][t], "T": lambda: array[t]}[case.spec.axes]()


def _merged(merge: str, halves: Sequence[Vector]) -> Vector:
    """Return the outputs of one direction or two as one vector."""
    if merge == "sum":
        return [sum(units[1:], start=units[0]) for units in zip(*halves, strict=True)]
    return [u for half in halves for u in half]


def _kept(a: Mapping[str, Any], name: str, where: tuple[int, int, int], old: Vector, new: Vector) -> Vector:
    """Return the state that zoneout makes of the old one and the one proposed."""
    if f"zoneout_{name}" not in a:
        return new
    k, t, b = where
    return [d * u + (1 - d) * w for d, u, w in zip(a[f"zoneout_{name}"][k][t][b], old, new, strict=True)]


def _step(
    spec: Spec, end: str, a: Mapping[str, Any], x: Vector, state: State, mask: Vector | None, score: Number
) -> State:
    """Return all that one step of one sequence computes, by name: the next state, and what it is made of.

    Args:
        spec: the network.
        end: what the names of the parameters of this layer and direction end in; see `crosscheck.spec.suffix`.
        a: all arrays.
        x: the input of the step.
        state: the state before it.
        mask: what h is multiplied with before the recurrent product; None if with nothing.
        score: the attention score of the step; 0 without.
    """
    W_hh, zero = a[f"W_hh{end}"], [0] * len(a[f"W_hh{end}"])
    h_in = state["h"] if mask is None else _times(mask, state["h"])
    from_x = _affine(a[f"W_xh{end}"], x, a.get(f"b_xh{end}", zero))
    from_h = _affine(W_hh, h_in, a.get(f"b_hh{end}", zero))
    given = {"x": x, **{f"{name}_prev": vector for name, vector in state.items()}, "h_in": h_in}
    if spec.cell == "lstm":
        return given | _lstm(spec, end, a, _blocks([u + w for u, w in zip(from_x, from_h, strict=True)], spec), state)
    if spec.cell == "gru":
        b_hn = a.get(f"b_hh{end}", zero)[2 * spec.hidden_size :]
        shares = _blocks(from_x, spec), _blocks(from_h, spec)
        return given | _gru(spec, shares, (W_hh[2 * spec.hidden_size :], b_hn), h_in, state["h"], score)
    f = _tanh if spec.cell == "rnn_tanh" else _relu
    pre = [u + w for u, w in zip(from_x, from_h, strict=True)]
    return given | {"a": pre, "h": [f(_clip(u, spec.clip)) for u in pre]}


def _blocks(vector: Vector, spec: Spec) -> list[Vector]:
    """Return what belongs to each gate."""
    return [vector[k : k + spec.hidden_size] for k in range(0, len(vector), spec.hidden_size)]


def _gru(
    spec: Spec,
    shares: tuple[list[Vector], list[Vector]],
    inner: tuple[Any, Any],
    h_in: Vector,
    h: Vector,
    score: Number,
) -> State:
    """Return all that a GRU computes.

    Args:
        spec: the network.
        shares: of each gate, the input's share of the pre-activation, and the recurrent one.
        inner: W_hn and b_hn.
        h_in: what the recurrent products see of h.
        h: the state before.
        score: the attention score.
    """
    units = range(spec.hidden_size)
    (x_r, x_z, x_n), (h_r, h_z, q) = shares
    a_r, a_z = ([u + w for u, w in zip(*share, strict=True)] for share in ((x_r, h_r), (x_z, h_z)))
    reset, z = ([_sigmoid(_clip(u, spec.clip)) for u in pre] for pre in (a_r, a_z))
    update = [(1 - score) * u for u in z]
    between: State = {"q": q} if spec.reset_after else {"s": _times(reset, h_in)}
    seen = _times(reset, q) if spec.reset_after else _affine(inner[0], between["s"], inner[1])
    a_n = [x_n[k] + seen[k] for k in units]
    new = [_tanh(_clip(u, spec.clip)) for u in a_n]
    made = {"a_r": a_r, "a_z": a_z, "r": reset, "z": z, **between, "a_n": a_n, "n": new}
    made |= {"u": update} if spec.attention else {}
    return made | {"h": [update[k] * h[k] + (1 - update[k]) * new[k] for k in units]}


def _lstm(spec: Spec, end: str, a: Mapping[str, Any], gates: Sequence[Vector], state: State) -> State:
    """Return all that an LSTM computes from the pre-activations of its gates, peepholes aside, and the state before."""
    units = range(spec.hidden_size)
    names = "igo" if spec.coupled else "ifgo"
    gate = dict(zip(names, gates, strict=True))
    c = state["c"]

    def peep(name: str, cell: Vector) -> Vector:
        """Return a gate's pre-activation with what it sees of the cell."""
        weights = a[f"p_{name}{end}"] if spec.peephole else None
        return gate[name] if weights is None else [u + w * v for u, w, v in zip(gate[name], weights, cell, strict=True)]

    def opened(pre: Vector) -> Vector:
        return [_sigmoid(_clip(u, spec.clip)) for u in pre]

    i = opened(peep("i", c))
    f = [1 - u for u in i] if spec.coupled else opened([u + spec.forget_bias for u in peep("f", c)])
    g = [_tanh(_clip(u, spec.clip)) for u in gate["g"]]
    new = [f[k] * c[k] + i[k] * g[k] for k in units]
    o = opened(peep("o", new))
    s = [_tanh(_clip(u, spec.clip)) for u in new]
    m = _times(o, s)
    made = {f"a_{name}": gate[name] for name in names} | {"i": i} | ({} if spec.coupled else {"f": f})
    made |= {"g": g, "c": new, "o": o, "s": s}
    if spec.proj_size:
        return made | {"m": m, "h": _affine(a[f"W_hr{end}"], m, [0] * spec.proj_size)}
    return made | {"h": m}


def _affine(W: Any, x: Sequence[Number], b: Sequence[Number]) -> Vector:
    return [sum((w * u for w, u in zip(row, x, strict=True)), start=b_k) for row, b_k in zip(W, b, strict=True)]


def _times(u: Sequence[Number], w: Sequence[Number]) -> Vector:
    return [u_k * w_k for u_k, w_k in zip(u, w, strict=True)]


def _loss(case: Case, y: list[list[Vector]]) -> Number:
    """Return the loss of y[b][t] against the target."""
    over = case.spec.mean_over
    lengths = case.lengths or (case.T,) * case.B
    total: Number = 0
    for b, steps in enumerate(lengths):
        for t in range(steps):
            number = len(y[b][t]) if "O" in over else 1
            if "T" in over:
                number *= sum(lengths) if "B" in over else steps
            elif "B" in over:
                number *= case.B
            total = _term(case.spec.loss, y[b][t], _at(case, "target", t, b)) / number + total
    return total


def _term(loss: str, y: Vector, target: Vector) -> Number:
    """Return what one step of one sequence adds to the loss, before any mean is taken."""
    if loss == "cross_entropy":
        log_sum = _log(sum(_exp(u) for u in y))
        return sum((log_sum - u) * w for u, w in zip(y, target, strict=True))
    square = sum((u - w) * (u - w) for u, w in zip(y, target, strict=True))
    return square / 2 if loss == "half_squared_error" else square


def _clip(u: Number, limit: float) -> Number:
    """Return u within limit of 0; as it is where limit is 0. At the edge the slope is 1, beyond it 0."""
    if limit == 0 or -limit <= u <= limit:
        return u
    return 0 * u + (limit if u > limit else -limit)


def _relu(u: Number) -> Number:
    return u if u > 0 else u * 0


def _sigmoid(z: Number) -> Number:
    return 1 / (1 + _exp(-z))


def _exp(z: Number) -> Number:
    return np.exp(z)


def _log(z: Number) -> Number:
    return np.log(z)


def _tanh(z: Number) -> Number:
    return np.tanh(z)


def _array(nested: Any) -> Any:
    """Return nested lists of numbers as an object array."""
    return np.array(nested, dtype=object)
