"""A reader's own implementation, after vectors/README.md and nothing else: PyTorch's operations, autograd backward.

One sequence at a time, one step at a time, so nothing is ever read in the padding.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import torch

DEFAULTS: dict[str, Any] = {
    "output_size": 0, "bias": True, "reset_after": True, "loss": "none", "num_layers": 1, "bidirectional": False,
    "merge": "concat", "axes": "TB", "peephole": False, "coupled": False, "forget_bias": 0.0, "proj_size": 0,
    "attention": False, "clip": 0.0, "dropout": 0.0, "recurrent_dropout": 0.0, "zoneout": 0.0, "train": True,
    "truncate": None, "mean": "default",
}  # fmt: skip
"""The table "spec"."""
MEANS = {"none": "none", "half_squared_error": "none", "mse": "TBO", "cross_entropy": "TB"}


def answer(vector: dict[str, Any]) -> dict[str, Any]:
    """Return every output and every gradient of a vector, by name."""
    s = DEFAULTS | vector["spec"]
    T, B = vector["T"], vector["B"]
    a = {name: torch.tensor(array) for name, array in vector["in"].items()}
    inputs = {name: array for name, array in a.items() if f"d{name}" in vector["want"]}
    for array in inputs.values():
        array.requires_grad_()
    lengths = vector["lengths"] or [T] * B
    results = [sequence(s, a, T, b, lengths[b]) for b in range(B)]
    y = torch.stack([torch.stack(ys) for ys, _ in results], 1)
    out = {"y": {"TB": y, "BT": y.transpose(0, 1), "T": y[:, 0]}[s["axes"]]}
    for name in ("h", "c") if s["cell"] == "lstm" else ("h",):
        final = torch.stack([torch.stack([state[name] for state in states]) for _, states in results], 1)
        out[f"{name}_n"] = final[:, 0] if s["axes"] == "T" else final
    if s["loss"] == "none":
        given = [name for name in ("y", "h_n", "c_n") if f"d{name}" in a]
        parts = [(out[name] * torch.nan_to_num(a[f"d{name}"])).sum() for name in given]  # y is 0 in the padding
        objective = torch.stack(parts).sum()
    else:
        out["loss"] = objective = loss(s, a, y, lengths)
    gradients = torch.autograd.grad(objective, list(inputs.values()), allow_unused=True, materialize_grads=True)
    out |= {f"d{name}": gradient for name, gradient in zip(inputs, gradients, strict=True)}
    return {name: array.detach().numpy() for name, array in out.items()}


def at(s: dict[str, Any], array: Any, t: int, b: int) -> Any:
    """Return what belongs to a step of a sequence."""
    return {"TB": lambda: array[t, b], "BT": lambda: array[b, t], "T": lambda: array[t]}[s["axes"]]()


def sequence(s: dict[str, Any], a: dict[str, Any], T: int, b: int, length: int) -> tuple[list[Any], list[Any]]:
    """Return y of every step of a sequence, 0 in the padding, and the final states of each layer and direction."""
    names = ("h", "c") if s["cell"] == "lstm" else ("h",)
    runs = s["num_layers"] * (2 if s["bidirectional"] else 1)
    first = [{n: a[f"{n}_0"][k] if s["axes"] == "T" else a[f"{n}_0"][k, b] for n in names} for k in range(runs)]
    k1, k2 = s["truncate"] or (T, T)
    ys, states = [], first
    for start in range(0, T, k1):
        w, states = max(0, start + k1 - k2), first
        if w > 0:
            states = [{n: u.detach() for n, u in of.items()} for of in stack(s, a, b, range(min(w, length)), first)[1]]
        outputs, states = stack(s, a, b, range(w, min(start + k1, T, length)), states)
        ys += [outputs[t] for t in range(start, min(start + k1, T, length))]
    if s["output_size"]:
        ys = [a["W_hy"] @ h + a["b_y"] for h in ys]
    width = s["output_size"] or (s["proj_size"] or s["hidden_size"]) * (
        2 if s["bidirectional"] and s["merge"] == "concat" else 1
    )
    return ys + [torch.zeros(width, dtype=a["x"].dtype)] * (T - len(ys)), states


def stack(s: dict[str, Any], a: dict[str, Any], b: int, steps: range, states: list[Any]) -> tuple[dict[int, Any], Any]:
    """Return the last layer's output at some steps of a sequence, and the states after them."""
    below = {t: at(s, a["x"], t, b) for t in steps}
    after: list[Any] = []
    for layer in range(s["num_layers"]):
        if layer and "dropout" in a:
            below = {t: a["dropout"][layer - 1, t, b] * h for t, h in below.items()}
        above = defaultdict(list)
        for reverse in (False, True) if s["bidirectional"] else (False,):
            end = (f"_l{layer}" if layer else "") + ("_reverse" if reverse else "")
            p = defaultdict(lambda: 0, {n: a[n + end] for n in PARAMETERS if n + end in a})
            k = len(after)
            state = states[k]
            for t in reversed(steps) if reverse else steps:
                given: dict[str, Any] = {n: a[n][k, t, b] for n in ("recurrent", "zoneout_h", "zoneout_c") if n in a}
                score = at(s, a["attention"], t, b) if s["attention"] else 0
                new = step(s, p, below[t], state, given.get("recurrent", 1), score)
                d = {n: given.get(f"zoneout_{n}", 0) for n in state}
                state = {n: d[n] * state[n] + (1 - d[n]) * new[n] for n in state}
                above[t].append(state["h"])
            after.append(state)
        below = {t: sum(both) if s["merge"] == "sum" else torch.cat(both) for t, both in above.items()}
    return below, after


PARAMETERS = ("W_xh", "W_hh", "b_xh", "b_hh", "p_i", "p_f", "p_o", "W_hr")


def step(s: dict[str, Any], p: Any, x: Any, state: dict[str, Any], mask: Any, score: Any) -> dict[str, Any]:
    """Return the states that one step of one sequence proposes."""
    h, H = state["h"], s["hidden_size"]
    h_in = mask * h
    from_x, from_h = p["W_xh"] @ x + p["b_xh"], p["W_hh"] @ h_in + p["b_hh"]

    def k(u: Any) -> Any:
        return u.clamp(-s["clip"], s["clip"]) if s["clip"] else u

    if s["cell"] == "lstm":
        gates = dict(zip("igo" if s["coupled"] else "ifgo", (from_x + from_h).split(H), strict=True))
        c = state["c"]
        i = torch.sigmoid(k(gates["i"] + p["p_i"] * c))
        f = 1 - i if s["coupled"] else torch.sigmoid(k(gates["f"] + p["p_f"] * c + s["forget_bias"]))
        c = f * c + i * torch.tanh(k(gates["g"]))
        m = torch.sigmoid(k(gates["o"] + p["p_o"] * c)) * torch.tanh(k(c))
        return {"h": p["W_hr"] @ m if s["proj_size"] else m, "c": c}
    if s["cell"] == "gru":
        (x_r, x_z, x_n), (h_r, h_z, h_n) = from_x.split(H), from_h.split(H)
        r, z = torch.sigmoid(k(x_r + h_r)), torch.sigmoid(k(x_z + h_z))
        if not s["reset_after"]:
            h_n = p["W_hh"][2 * H :] @ (r * h_in) + (p["b_hh"][2 * H :] if s["bias"] else 0)
        n = torch.tanh(k(x_n + (r * h_n if s["reset_after"] else h_n)))
        u = (1 - score) * z
        return {"h": u * h + (1 - u) * n}
    return {"h": {"rnn_tanh": torch.tanh, "rnn_relu": torch.relu}[s["cell"]](k(from_x + from_h))}


def loss(s: dict[str, Any], a: dict[str, Any], y: Any, lengths: list[int]) -> Any:
    """Return the loss of y (T, B, O)."""
    mean = MEANS[s["loss"]] if s["mean"] == "default" else s["mean"]
    over = "" if mean == "none" else mean
    total = y.new_zeros(())
    for b, length in enumerate(lengths):
        n = (y.shape[2] if "O" in over else 1) * (
            (sum(lengths) if "T" in over else len(lengths)) if "B" in over else (length if "T" in over else 1)
        )
        for t in range(length):
            of, target = y[t, b], at(s, a["target"], t, b)
            square = ((of - target) ** 2).sum()
            entropy = -(target * torch.log_softmax(of, 0)).sum()
            total = total + {"half_squared_error": square / 2, "mse": square, "cross_entropy": entropy}[s["loss"]] / n
    return total
