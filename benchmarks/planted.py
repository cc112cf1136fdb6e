"""Every mistake of the catalogue, planted in the plain network of `plain/` as somebody would have made it there.

The catalogue's own patches are of `manual_rnn`. These are of code that shares nothing with it, so that a diagnosis that
recognises them recognises the mistake, and not its patch. A planting is a few changes of the text; the network with one
in it is a copy in a folder of its own, found by path as anybody's code is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import indent

from crosscheck.referee.patched import Patch, PatchError

PLAIN = Path(__file__).parent / "plain"
Changes = tuple[Patch, ...]


def texts(changes: Sequence[Patch] = ()) -> dict[str, str]:
    """Return the text of each file of the plain network, with changes.

    Raises:
        PatchError: the text to be replaced is not in its file exactly once.
    """
    files = {path.name: path.read_text(encoding="utf-8") for path in sorted(PLAIN.glob("*.py"))}
    for change in changes:
        count = files[change.file].count(change.right)
        if count != 1:
            raise PatchError(f"{change.right!r} is {count} times in {change.file}, wanted once")
        files[change.file] = files[change.file].replace(change.right, change.wrong)
    return files


@contextmanager
def copied(changes: Sequence[Patch] = ()) -> Iterator[str]:
    """Yield what a copy of the plain network with changes is called, `FOLDER/network.py:plain`, as long as it is there.

    Raises:
        PatchError: see `texts`.
    """
    files = texts(changes)
    with TemporaryDirectory() as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        _forget(folder, files)
        try:
            yield f"{folder}/network.py:plain"
        finally:
            _forget(folder, files)


def _forget(folder: str, files: Mapping[str, str]) -> None:
    """Unload the files of a copy, or of another copy before it, so that the next one's are loaded."""
    for module in [Path(name).stem for name in files]:
        sys.modules.pop(module, None)
    resolved = str(Path(folder).resolve())
    sys.path[:] = [entry for entry in sys.path if entry != resolved]


def _of(file: str, *pairs: str) -> Changes:
    """Return the changes of a file: right text, wrong text, and so on by turns."""
    return tuple(Patch(file, right, wrong) for right, wrong in zip(pairs[::2], pairs[1::2], strict=True))


def elman(*pairs: str) -> Changes:
    """Return changes of the plain layer; see `_of`."""
    return _of("elman.py", *pairs)


def lstm(*pairs: str) -> Changes:
    """Return changes of the LSTM layer; see `_of`."""
    return _of("lstm.py", *pairs)


def gru(*pairs: str) -> Changes:
    """Return changes of the GRU layer; see `_of`."""
    return _of("gru.py", *pairs)


def network(*pairs: str) -> Changes:
    """Return changes of what is around the layers; see `_of`."""
    return _of("network.py", *pairs)


def losses(*pairs: str) -> Changes:
    """Return changes of the losses; see `_of`."""
    return _of("losses.py", *pairs)


def parts(*pairs: str) -> Changes:
    """Return changes of what the layers share; see `_of`."""
    return _of("parts.py", *pairs)


def layers(*pairs: str, but_of_lstm: tuple[str, ...] = ()) -> Changes:
    """Return changes of all three layers, whose texts are the same there, but perhaps for the LSTM's."""
    return elman(*pairs) + lstm(*(but_of_lstm or pairs)) + gru(*pairs)


DB_ELMAN = """\
        g["db_xh"] += da.sum(axis=0)
        g["db_hh"] += da.sum(axis=0)
"""
DB_LSTM = """\
            g["db_x" + gate] += da[gate].sum(axis=0)
            g["db_h" + gate] += da[gate].sum(axis=0)
"""
DB_GRU = """\
        g["db_xr"] += da_r.sum(axis=0)
        g["db_xz"] += da_z.sum(axis=0)
        g["db_xn"] += da_n.sum(axis=0)
        g["db_hr"] += da_r.sum(axis=0)
        g["db_hz"] += da_z.sum(axis=0)
        g["db_hn"] += da_q.sum(axis=0)
"""
DW_X = """\
        g["dW_xr"] += da_r.T @ x_t
        g["dW_xz"] += da_z.T @ x_t
        g["dW_xn"] += da_n.T @ x_t
"""
DW_HH = """\
        g["dW_hh"] += da.T @ cache["h_in"]
"""
DW_H = """\
            g["dW_h" + gate] += da[gate].T @ cache["h_in"]
"""
DW_HR_HZ_HN = """\
        g["dW_hr"] += da_r.T @ h_in
        g["dW_hz"] += da_z.T @ h_in
        g["dW_hn"] += da_q.T @ seen
"""
RETURN = "    return together("
DX = 'dx[at] = da_r @ p["W_xr"] + da_z @ p["W_xz"] + da_n @ p["W_xn"]'


def biases(change: Callable[[str], str]) -> Changes:
    """Return changes of the lines that sum up the biases' gradients, in all layers."""
    return elman(DB_ELMAN, change(DB_ELMAN)) + lstm(DB_LSTM, change(DB_LSTM)) + gru(DB_GRU, change(DB_GRU))


def recurrent(change: Callable[[str], str]) -> Changes:
    """Return changes of the lines that sum up the recurrent weights' gradients, in all layers."""
    return elman(DW_HH, change(DW_HH)) + lstm(DW_H, change(DW_H)) + gru(DW_HR_HZ_HN, change(DW_HR_HZ_HN))


def indented(head: str, lines: str) -> str:
    """Return lines under another one, which begins a block."""
    margin = lines[: len(lines) - len(lines.lstrip())]
    return f"{margin}{head}\n" + indent(lines, 4 * " ")


def operand(wrong: str) -> Changes:
    """Return changes that take something else for what W_hh was multiplied with, in all layers."""
    return (
        *elman(DW_HH, DW_HH.replace('cache["h_in"]', f"({wrong})")),
        *lstm(DW_H, DW_H.replace('cache["h_in"]', f"({wrong})")),
        *gru(
            "da_r.T @ h_in",
            f"da_r.T @ ({wrong})",
            "da_z.T @ h_in",
            f"da_z.T @ ({wrong})",
            "da_q, seen = da_n * r, h_in",
            f"da_q, seen = da_n * r, {wrong}",
        ),
    )


def recycled(gates: str, folded: str) -> str:
    """Return the lines that lay the biases down the batch, where `p = apart(...)` and the initial states were.

    Args:
        gates: the gates of the layer, as written there.
        folded: those whose second bias is added to the first one beforehand.
    """
    return f"""\
p = apart(params, end, {gates})
    for gate in {folded}:
        p["b_x" + gate], p["b_h" + gate] = p["b_x" + gate] + p["b_h" + gate], 0 * p["b_h" + gate]
    b = np.concatenate([p["b_x" + gate] for gate in {gates}])
    rows = np.resize(b, (len(b), x.shape[1])).T
    for gate, columns in zip({gates}, np.split(rows, len({gates}), axis=1), strict=True):
        p["b_x" + gate] = columns
    h_prev"""


DK = 'dk = dh_new * (1 - h_new * h_new) if spec.cell == "rnn_tanh" else np.where(h_new > 0, dh_new, 0)'
DH_PREV = """\
        dh_prev = dh_prev + (dh_in if way.recurrent is None else dh_in * way.recurrent[at])
"""
KEPT = "gradients[name + end] = array"
STACKED = ("dW_xh", "dW_hh", "db_xh", "db_hh")
ZEROED = "\n{}states = {{name: 0 * state for name, state in states.items()}}"
STATES = 'states = states_of(case, run, "", "0")'
BY_LENGTH = 'np.argsort(-alive.sum(axis=(0, 2)), kind="stable")'

RNN = {
    "rnn.carry-dropped": elman('dh_in = da @ p["W_hh"]', 'dh_in = np.zeros_like(cache["h_in"])'),
    "rnn.carry-without-weights": elman('dh_in = da @ p["W_hh"]', "dh_in = da"),
    "rnn.weights-not-transposed": elman('dh_in = da @ p["W_hh"]', 'dh_in = da @ p["W_hh"].T'),
    "rnn.slope-of-the-step-before": elman('h_new = cache["h_new"]', 'h_new = cache["h_prev"]'),
    "rnn.slope-wrong-at-one-step": elman('h_new = cache["h_new"]', 'h_new = caches[0 if s == 1 else s]["h_new"]'),
    "rnn.tanh-twice": elman("(1 - h_new * h_new)", "(1 - np.tanh(h_new) ** 2)"),
    "rnn.weights-from-post-activation-gradient": elman(
        'g["dW_xh"] += da.T @ cache["x"]', 'g["dW_xh"] += dh.T @ cache["x"]'
    ),
    "relu.slope-at-zero": elman("np.where(h_new > 0, dh_new, 0)", "np.where(h_new >= 0, dh_new, 0)"),
    "relu.slope-of-tanh": elman(' if spec.cell == "rnn_tanh" else np.where(h_new > 0, dh_new, 0)', ""),
    "rnn.weight-gradient-transposed": elman('g["dW_hh"] += da.T @ cache["h_in"]', 'g["dW_hh"] += cache["h_in"].T @ da'),
    "rnn.weights-transposed-forward": elman('h_in @ p["W_hh"].T', 'h_in @ p["W_hh"]'),
    "rnn.transposed-throughout": elman(
        'h_in @ p["W_hh"].T',
        'h_in @ p["W_hh"]',
        'dh_in = da @ p["W_hh"]',
        'dh_in = da @ p["W_hh"].T',
        'g["dW_hh"] += da.T @ cache["h_in"]',
        'g["dW_hh"] += cache["h_in"].T @ da',
    ),
    "rnn.dx-without-carry": elman(
        'dx[at] = da @ p["W_xh"]',
        'slope = 1 - h_new * h_new if spec.cell == "rnn_tanh" else h_new > 0\n'
        '        dx[at] = (dy[at] * slope * unclipped(cache["a"], spec.clip)) @ p["W_xh"]',
    ),
    "rnn.slope-forgotten": elman(DK, "dk = dh_new"),
    "rnn.state-for-its-slope": elman(DK, "dk = dh_new * h_new"),
    "relu.computes-tanh": elman(
        ' if spec.cell == "rnn_tanh" else np.maximum(k, 0)',
        "",
        ' if spec.cell == "rnn_tanh" else np.where(h_new > 0, dh_new, 0)',
        "",
    ),
}

TIME = {
    "input.error-through-the-gradient-buffer": (
        *elman(
            'dx[at] = da @ p["W_xh"]\n',
            'cache["da"] = da\n',
            RETURN,
            f'    for s in range(first, last):\n        dx[way.at(s)] = caches[s]["da"] @ g["dW_xh"]\n{RETURN}',
        ),
        *lstm(
            "        dx[at] = dx_t\n",
            '        cache["da"] = da\n',
            RETURN,
            "    for s in range(first, last):\n"
            '        dx[way.at(s)] = sum(caches[s]["da"][gate] @ g["dW_x" + gate] for gate in gates)\n'
            f"{RETURN}",
        ),
        *gru(
            f"{DX}\n",
            'cache["da"] = {"r": da_r, "z": da_z, "n": da_n}\n',
            RETURN,
            "    for s in range(first, last):\n"
            '        dx[way.at(s)] = sum(da @ g["dW_x" + gate] for gate, da in caches[s]["da"].items())\n'
            f"{RETURN}",
        ),
    ),
    "time.state-after-for-state-before": operand('cache["h"]'),
    "time.state-before-the-first-wraps-around": operand('caches[s - 1]["h"]'),
    "time.steps-in-forward-order": layers(
        'dh_next = dstates["h"]\n',
        'dhs = [0 * dstates["h"] for _ in range(last)] + [dstates["h"]]\n',
        "for s in range(last - 1, first - 1, -1):",
        "for s in range(first, last):",
        "dh = dh_next + dy[at]",
        "dh = dhs[s + 1] + dy[at]",
        "dh_next = np.where(alive, dh_prev, dh_next)",
        "dhs[s] = np.where(alive, dh_prev, dhs[s + 1])",
        '"dh": dh_next',
        '"dh": dhs[first]',
        but_of_lstm=(
            'dh_next, dc_next = dstates["h"], dstates["c"]\n',
            'dhs = [0 * dstates["h"] for _ in range(last)] + [dstates["h"]]\n'
            '    dcs = [0 * dstates["c"] for _ in range(last)] + [dstates["c"]]\n',
            "for s in range(last - 1, first - 1, -1):",
            "for s in range(first, last):",
            "dh = dh_next + dy[at]",
            "dh, dc_next = dhs[s + 1] + dy[at], dcs[s + 1]",
            "dh_next = np.where(alive, dh_prev, dh_next)",
            "dhs[s] = np.where(alive, dh_prev, dhs[s + 1])",
            "dc_next = np.where(alive, dc_prev, dc_next)",
            "dcs[s] = np.where(alive, dc_prev, dc_next)",
            '"dh": dh_next, "dc": dc_next',
            '"dh": dhs[first], "dc": dcs[first]',
        ),
    ),
    "time.carry-into-a-copy": layers(
        "dh_next = np.where(alive, dh_prev, dh_next)",
        "dh_next = np.zeros_like(dh_prev)\n        np.copyto(dh_next.copy(), dh_prev)",
        but_of_lstm=(
            "dh_next = np.where(alive, dh_prev, dh_next)\n        dc_next = np.where(alive, dc_prev, dc_next)",
            "dh_next, dc_next = np.zeros_like(dh_prev), np.zeros_like(dc_prev)\n"
            "        np.copyto(dh_next.copy(), dh_prev)\n        np.copyto(dc_next.copy(), dc_prev)",
        ),
    ),
    "time.step-number-for-input": (
        *elman('g["dW_xh"] += da.T @ cache["x"]', 'g["dW_xh"] += da.T @ np.full_like(cache["x"], s)'),
        *lstm('da[gate].T @ cache["x"]', 'da[gate].T @ np.full_like(cache["x"], s)'),
        *gru(DW_X, DW_X.replace("x_t", "np.full_like(x_t, s)")),
    ),
    "time.output-gradient-of-the-next-step": layers(
        "dh = dh_next + dy[at]", "dh = dh_next + dy[min(s + 1, len(dy) - 1)]"
    ),
    "time.output-gradient-of-the-first-step": layers(
        "dh = dh_next + dy[at]", "dh = dh_next + dy[0 if s < len(dy) - 1 else s]"
    ),
    "time.output-gradient-of-the-last-step-only": layers(
        "dh = dh_next + dy[at]", "dh = dh_next + dy[at] if s == len(dy) - 1 else dh_next"
    ),
    "time.weights-overwritten": (
        *elman('g["dW_xh"] += da.T @ cache["x"]', 'g["dW_xh"] = da.T @ cache["x"]'),
        *lstm('g["dW_x" + gate] += da', 'g["dW_x" + gate] = da'),
        *gru(DW_X, DW_X.replace("+=", "=")),
    ),
    "time.recurrent-weights-accumulated-twice": (
        *elman(DW_HH, 2 * DW_HH),
        *lstm(DW_H, 2 * DW_H),
        *gru(DW_HR_HZ_HN, 2 * DW_HR_HZ_HN),
    ),
    "bias.without-the-first-step": biases(lambda lines: indented("if s > 0:", lines)),
    "bias.without-the-second-step": biases(lambda lines: indented("if s != 1:", lines)),
    "bias.second-not-trained": biases(
        lambda lines: "".join(line for line in lines.splitlines(True) if "db_h" not in line)
    ),
    "bias.averaged-over-the-batch": biases(lambda lines: lines.replace("sum", "mean")),
    "bias.second-not-added": (
        *elman(' + h_in @ p["W_hh"].T + p["b_hh"]', ' + h_in @ p["W_hh"].T'),
        *lstm(*(text for gate in "igof" for text in (f' + p["b_h{gate}"]', ""))),
    ),
    "bias.recycled-down-the-batch": (
        *elman("p = apart(params, end, GATES)\n    h_prev", recycled("GATES", "GATES")),
        *lstm("p = apart(params, end, gates_of(spec))\n    h_prev", recycled("gates_of(spec)", "gates_of(spec)")),
        *gru("p = apart(params, end, GATES)\n    h_prev", recycled("GATES", '"rz"')),
    ),
    "time.recurrent-weights-overwritten": recurrent(lambda lines: lines.replace("+=", "=")),
    "time.input-of-the-step-before": (
        *elman('g["dW_xh"] += da.T @ cache["x"]', 'g["dW_xh"] += da.T @ caches[s - 1]["x"]'),
        *lstm('da[gate].T @ cache["x"]', 'da[gate].T @ caches[s - 1]["x"]'),
        *gru(DW_X, DW_X.replace("x_t", 'caches[s - 1]["x"]')),
    ),
    "time.all-overwritten": (
        *elman('g["dW_xh"] += da.T @ cache["x"]', 'g["dW_xh"] = da.T @ cache["x"]'),
        *lstm('g["dW_x" + gate] += da', 'g["dW_x" + gate] = da'),
        *gru(DW_X, DW_X.replace("+=", "=")),
        *recurrent(lambda lines: lines.replace("+=", "=")),
        *biases(lambda lines: lines.replace("+=", "=")),
    ),
    "time.all-accumulated-twice": parts("packed[name] = np.concatenate(", "packed[name] = 2 * np.concatenate("),
    "time.gradients-averaged-over-the-batch": network(KEPT, f"{KEPT} / case.B if name in {STACKED} else array"),
    "time.gradients-averaged-over-time": network(KEPT, f"{KEPT} / case.T if name in {STACKED} else array"),
    "time.detached-between-steps": layers(
        "dh_next = np.where(alive, dh_prev, dh_next)",
        "dh_next = np.where(alive, dh_prev, dh_next) * (s == 0)",
        but_of_lstm=(
            "dh_next = np.where(alive, dh_prev, dh_next)",
            "dh_next = np.where(alive, dh_prev, dh_next) * (s == 0)",
            "dc_next = np.where(alive, dc_prev, dc_next)",
            "dc_next = np.where(alive, dc_prev, dc_next) * (s == 0)",
        ),
    ),
    "time.initial-state-at-every-step": layers(
        "h_in = h_prev if way.recurrent",
        'h_in = states["h"] if way.recurrent',
        '"h_in": h_in',
        '"h_in": h_prev if way.recurrent is None else h_in',
    ),
    "bias.overwritten": biases(lambda lines: lines.replace("+=", "=")),
    "bias.not-trained": biases(lambda _: ""),
    "bias.averaged-over-time": biases(lambda lines: lines.replace("axis=0)", "axis=0) / len(dy)")),
}

LSTM = {
    "lstm.dh-carry-dropped": lstm('            dh_in += da[gate] @ p["W_h" + gate]\n', ""),
    "lstm.dc-carry-dropped": lstm("dc_prev = dc_new * f\n", "dc_prev = np.zeros_like(dc_new)\n"),
    "lstm.sigmoid-for-its-derivative": lstm("dc_new * c_prev * f * (1 - f)", "dc_new * c_prev * f"),
    "lstm.sigmoid-twice": lstm("dm * tanh_c * o * (1 - o)", "dm * tanh_c * sigmoid(o) * (1 - sigmoid(o))"),
    "lstm.tanh-twice": lstm('(1 - cache["g"] * cache["g"])', '(1 - np.tanh(cache["g"]) ** 2)'),
    "lstm.slope-from-the-cell-state": lstm("dm * o * (1 - tanh_c * tanh_c)", 'dm * o * (1 - cache["c_new"] ** 2)'),
    "lstm.input-gate-for-candidate": lstm('else dc_new * cache["g"]', "else dc_new * i"),
    "lstm.bias-of-another-gate": lstm(
        'g["db_x" + gate] += da[gate].sum(axis=0)',
        'g["db_x" + gate] += da["f" if gate in "io" else gate].sum(axis=0)',
    ),
    "lstm.gates-in-onnx-order": lstm('else "ifgo"', 'else "iofg"'),
    "lstm.gates-f-i-g-o": lstm("c_new = f * c_prev + i * g", "c_new = i * c_prev + f * g"),
    "lstm.sum-of-gate-and-candidate": lstm("c_new = f * c_prev + i * g", "c_new = f * c_prev + i + g"),
    "lstm.coupled-gates": lstm("c_new = f * c_prev + i * g", "c_new = f * c_prev + (1 - f) * g"),
    "lstm.cell-state-gradient-ignored": lstm(
        'dh_next, dc_next = dstates["h"], dstates["c"]', 'dh_next, dc_next = dstates["h"], np.zeros_like(dstates["c"])'
    ),
    "lstm.forget-bias-in-the-input-gate": lstm(
        ' + p["b_hi"]', ' + p["b_hi"] + spec.forget_bias', ' + p["b_hf"] + spec.forget_bias', ' + p["b_hf"]'
    ),
    "peephole.o-sees-the-old-c": lstm('a_o = a_o + p["p_o"] * c_new', 'a_o = a_o + p["p_o"] * c_prev'),
    "peephole.no-gradient-into-c": lstm(
        '        if spec.peephole:\n            dc_new = dc_new + da["o"] * p["p_o"]\n', ""
    ),
    "peephole.weight-from-the-old-c": lstm('(da["o"] * cache["c_new"])', '(da["o"] * c_prev)'),
    "coupled.forget-gate-forgotten": lstm('dc_new * (cache["g"] - c_prev) if spec.coupled else ', ""),
    "projection.gradient-of-the-step-before": lstm('dh_new.T @ cache["m"]', 'dh_new.T @ caches[s - 1]["m"]'),
    "lstm.weights-not-transposed": lstm('dh_in += da[gate] @ p["W_h" + gate]', 'dh_in += da[gate] @ p["W_h" + gate].T'),
    "lstm.carries-dropped": lstm(
        '            dh_in += da[gate] @ p["W_h" + gate]\n',
        "",
        "dc_prev = dc_new * f\n",
        "dc_prev = np.zeros_like(dc_new)\n",
    ),
    "lstm.gates-in-order-f-i-g-o": lstm('else "ifgo"', 'else "figo"'),
    "lstm.gates-in-order-i-f-o-g": lstm('else "ifgo"', 'else "ifog"'),
    "lstm.gates-in-order-i-g-f-o": lstm('else "ifgo"', 'else "igfo"'),
    "lstm.forget-bias-of-one": lstm(' + p["b_hf"] + spec.forget_bias', ' + p["b_hf"] + 1.0'),
    "lstm.output-without-tanh": lstm(
        "tanh_c = np.tanh(clip(c_new, spec.clip))",
        "tanh_c = clip(c_new, spec.clip)",
        "dm * o * (1 - tanh_c * tanh_c)",
        "dm * o",
    ),
    "lstm.state-pair-swapped": lstm(
        'h_prev, c_prev = states["h"], states["c"]', 'h_prev, c_prev = states["c"], states["h"]'
    ),
    "lstm.final-pair-swapped": network(
        'outputs[name + "_n"] =', 'outputs[spec.states[spec.states.index(name) - 1] + "_n"] ='
    ),
    "lstm.initial-gradients-swapped": network(
        'gradients[f"d{name}_0"] =', 'gradients[f"d{spec.states[spec.states.index(name) - 1]}_0"] ='
    ),
    "lstm.input-gate-for-its-slope": lstm("di * i * (1 - i)", "di * i"),
    "lstm.output-gate-for-its-slope": lstm("dm * tanh_c * o * (1 - o)", "dm * tanh_c * o"),
    "lstm.tanh-of-c-twice": lstm("dm * o * (1 - tanh_c * tanh_c)", "dm * o * (1 - np.tanh(tanh_c) ** 2)"),
    "lstm.slope-of-tanh-c-forgotten": lstm("dm * o * (1 - tanh_c * tanh_c)", "dm * o"),
    "lstm.slope-of-the-cell-before": lstm("dm * o * (1 - tanh_c * tanh_c)", "dm * o * (1 - np.tanh(c_prev) ** 2)"),
    "lstm.no-gradient-from-h-to-c": lstm(
        '        dc_new = dc_new + dm * o * (1 - tanh_c * tanh_c) * unclipped(cache["c_new"], spec.clip)\n', ""
    ),
    "lstm.candidate-slope-forgotten": lstm(' * (1 - cache["g"] * cache["g"])', ""),
    "lstm.forget-gate-with-the-new-cell": lstm(
        "dc_new * c_prev * f * (1 - f)", 'dc_new * cache["c_new"] * f * (1 - f)'
    ),
    "lstm.slope-of-h-too-many": lstm("dm = dh_new\n", 'dm = dh_new * cache["h"] * (1 - cache["h"])\n'),
    "lstm.weights-from-post-activation-gradients": lstm(
        "        dx_t = zeros(",
        '        post = {"i": di, "f": dc_new * c_prev, "g": dc_new * i, "o": dm * tanh_c}\n        dx_t = zeros(',
        'da[gate].T @ cache["x"]',
        'post[gate].T @ cache["x"]',
        'da[gate].T @ cache["h_in"]',
        'post[gate].T @ cache["h_in"]',
        DB_LSTM,
        DB_LSTM.replace("da[gate]", "post[gate]"),
    ),
    "peephole.added-after-the-sigmoid": lstm(
        '            a_o = a_o + p["p_o"] * c_new\n        o = sigmoid(clip(a_o, spec.clip))\n',
        '            o = sigmoid(clip(a_o, spec.clip)) + p["p_o"] * c_new\n'
        "        else:\n            o = sigmoid(clip(a_o, spec.clip))\n",
    ),
    "gates.slopes-twice": (
        *lstm(
            "dm * tanh_c * o * (1 - o)",
            "dm * tanh_c * sigmoid(o) * (1 - sigmoid(o))",
            "dm * o * (1 - tanh_c * tanh_c)",
            "dm * o * (1 - np.tanh(tanh_c) ** 2)",
            "di * i * (1 - i)",
            "di * sigmoid(i) * (1 - sigmoid(i))",
            '(1 - cache["g"] * cache["g"])',
            '(1 - np.tanh(cache["g"]) ** 2)',
            "c_prev * f * (1 - f)",
            "c_prev * sigmoid(f) * (1 - sigmoid(f))",
        ),
        *gru(
            "dn * (1 - n * n)",
            "dn * (1 - np.tanh(n) ** 2)",
            "dz * z * (1 - z)",
            "dz * sigmoid(z) * (1 - sigmoid(z))",
            "dr * r * (1 - r)",
            "dr * sigmoid(r) * (1 - sigmoid(r))",
        ),
    ),
}

GRU = {
    "gru.z-carry-dropped": gru("dh_prev = dh_new * u", "dh_prev = np.zeros_like(dh_new)"),
    "gru.z-added": gru("dh_prev = dh_new * u", "dh_prev = dh_new + u"),
    "gru.candidate-branch-of-dz-dropped": gru("du = dh_new * (h_prev - n)", "du = dh_new * h_prev"),
    "gru.reset-gate-twice": gru("dr = da_n * q", "dr = da_n * q * r"),
    "gru.reset-before-reset-gate-twice": gru("dr = dq * h_in", "dr = dq * r * h_in"),
    "gru.reset-before-carry-past-the-gate": gru("dh_in = dq * r", "dh_in = dq"),
    "gru.candidate-row-past-the-reset-gate": gru(
        "da_q, seen = da_n * r, h_in\n", "da_q, seen = da_n, h_in\n", "dh_in = da_q @", "dh_in = (da_n * r) @"
    ),
    "gru.reset-before-unreset-operand": gru("da_q, seen = da_n, q", "da_q, seen = da_n, h_in"),
    "gru.reset-before-for-after": gru(' + p["b_xn"] + r * q', ' + p["b_xn"] + (r * h_in) @ p["W_hn"].T + p["b_hn"]'),
    "gru.reset-gate-of-the-output-unit": gru(' + q @ p["W_hn"].T', ' + r * (h_in @ p["W_hn"].T)'),
    "gru.state-overwritten-before-use": gru(
        "h_new = (1 - u) * n + u * h_prev", "h_new = (1 - u) * n\n        h_new = h_new + u * h_new"
    ),
    "gru.z-for-one-minus-z": gru("h_new = (1 - u) * n + u * h_prev", "h_new = u * n + (1 - u) * h_prev"),
    "gru.blocks-not-summed": gru(
        'dx[at] = da_r @ p["W_xr"] + da_z @ p["W_xz"] + da_n @ p["W_xn"]', 'dx[at] = da_n @ p["W_xn"]'
    ),
    "attention.unsigned": gru("dscore[at] = -(du * z)", "dscore[at] = (du * z)"),
    "attention.of-one-layer": network(
        'gradients["dscore"] = gradients["dscore"] + dscore if "dscore" in gradients else dscore',
        'gradients["dscore"] = dscore',
    ),
    "gru.weights-not-transposed": gru(
        'dh_in = da_q @ p["W_hn"]',
        'dh_in = da_q @ p["W_hn"].T',
        'dh_in + da_r @ p["W_hr"] + da_z @ p["W_hz"]',
        'dh_in + da_r @ p["W_hr"].T + da_z @ p["W_hz"].T',
    ),
    "gru.carry-dropped": gru("dh_prev = dh_new * u", "dh_prev = np.zeros_like(dh_new)", DH_PREV, ""),
    "gru.weights-carry-dropped": gru(DH_PREV, ""),
    "gru.reset-before-candidate-carry-dropped": gru("dh_in = dq * r", "dh_in = np.zeros_like(dq)"),
    "gru.gates-in-order-z-r-n": gru('GATES = "rzn"', 'GATES = "zrn"'),
    "gru.z-for-one-minus-z-throughout": gru(
        "h_new = (1 - u) * n + u * h_prev",
        "h_new = u * n + (1 - u) * h_prev",
        "du = dh_new * (h_prev - n)",
        "du = dh_new * (n - h_prev)",
        "dn = dh_new * (1 - u)",
        "dn = dh_new * u",
        "dh_prev = dh_new * u",
        "dh_prev = dh_new * (1 - u)",
    ),
    "gru.reset-before-throughout": gru(
        "if spec.reset_after:\n", "if False:\n", "if spec.reset_after:  #", "if False:  #"
    ),
    "gru.reset-after-throughout": gru("if spec.reset_after:\n", "if True:\n", "if spec.reset_after:  #", "if True:  #"),
    "gru.candidate-slope-forgotten": gru("dn * (1 - n * n)", "dn"),
    "gru.candidate-with-z": gru("dn = dh_new * (1 - u)", "dn = dh_new * u"),
    "gru.reset-path-dropped": gru("da_r = dr * r * (1 - r)", "da_r = 0 * dr"),
    "gru.reset-gate-left-out": gru("da_q, seen = da_n * r, h_in", "da_q, seen = da_n, h_in"),
    "gru.update-gate-with-the-new-state": gru("du = dh_new * (h_prev - n)", 'du = dh_new * (cache["h"] - n)'),
    "gru.slope-of-h-too-many": gru(
        "        du = dh_new *", '        dh_new = dh_new * cache["h"] * (1 - cache["h"])\n        du = dh_new *'
    ),
    "gru.weights-from-post-activation-gradients": gru(
        DW_X + DB_GRU + DW_HR_HZ_HN,
        "        post_r, post_z, post_n, post_q = dr, dz, dn, dn * r if spec.reset_after else dn\n"
        + (DW_X + DB_GRU + DW_HR_HZ_HN).replace("da_", "post_"),
    ),
}

STATE = {
    "state.final-gradient-ignored": network(
        "dstates = states_of_end(case, run, dy, last)",
        "dstates = {name: zeros(dy, case.B, size) for name, size in spec.state_sizes.items()}",
    ),
    "state.final-gradient-overwritten": layers(
        "dh = dh_next + dy[at]", "dh = dh_next + dy[at] if s < len(dy) - 1 else dy[at]"
    ),
    "state.initial-taken-as-zero": operand('cache["h_in"] if s > 0 else 0 * cache["h_in"]'),
    "state.initial-gradient-of-the-first-step": layers(
        '"dh": dh_next', '"dh": dh', but_of_lstm=('"dh": dh_next, "dc": dc_next', '"dh": dh, "dc": dc_new')
    ),
    "layer.initial-states-swapped": network(STATES, 'states = states_of(case, -1 - run, "", "0")'),
    "layer.final-state-gradients-swapped": network(
        "dstates = states_of_end(case, run, dy, last)", "dstates = states_of_end(case, -1 - run, dy, last)"
    ),
    "layer.gradients-in-the-order-of-the-loop": network(
        'gradients[f"d{name}_0 {run}"] =',
        'gradients[f"d{name}_0 {spec.num_layers - 1 - run}"] =',
        "gradients[name + end] = array",
        "gradients[name + suffix(spec.num_layers - 1 - layer, reverse)] = array",
    ),
    "layer.upper-begin-with-zeros": network(
        STATES,
        STATES
        + "\n            if layer > 0:\n                states = {name: 0 * state for name, state in states.items()}",
    ),
    "layer.gradient-stops-below-the-last": network(
        "        dabove = dbelow\n", "        dabove = dbelow if layer == 0 else 0 * dbelow\n"
    ),
    "state.recomputed-from-zero": network(
        '    return outputs, {"left"',
        '    starts = [f"{name}_0" for name in spec.states]\n'
        "    if any(np.any(case.arrays[start]) for start in starts):\n"
        "        zero = {start: 0 * case.arrays[start] for start in starts}\n"
        '        return outputs, forward(replace(case, arrays={**case.arrays, **zero}))[1] | {"dy": dy}\n'
        '    return outputs, {"left"',
        "from typing import Any\n",
        "from dataclasses import replace\nfrom typing import Any\n",
    ),
    "state.initial-ignored": network(STATES, STATES + ZEROED.format(12 * " ")),
    "state.initial-gradient-zero": network("dstate if begin == 0 else np.zeros_like(dstate)", "np.zeros_like(dstate)"),
    "layer.states-direction-by-direction": network(
        STATES, 'states = states_of(case, reverse * spec.num_layers + layer, "", "0")'
    ),
    "layer.upper-biases-not-trained": network(
        KEPT, KEPT.replace("array", '0 * array if layer > 0 and name.startswith("db") else array')
    ),
    "layer.middle-weights-from-the-output": network(
        "            g = LAYERS[spec.cell].backward(",
        "            if 0 < layer < spec.num_layers - 1 and not spec.bidirectional:\n"
        '                caches = [{**cache, "x": cache["h"]} for cache in caches]\n'
        "            g = LAYERS[spec.cell].backward(",
    ),
}

DIRECTION = {
    "direction.reversed-over-all-steps": (
        *network("np.where(steps < lengths, lengths - 1 - steps, steps) if reverse", "T - 1 - steps if reverse"),
        *layers("dh_next = np.where(alive, dh_prev, dh_next)", "dh_next = np.where(alive, dh_prev, dh)"),
    ),
    "direction.reverse-output-not-turned-back": layers("y[at] = np.where(alive, h, 0)", "y[s] = np.where(alive, h, 0)"),
    "direction.output-gradient-not-reversed": layers("dh = dh_next + dy[at]", "dh = dh_next + dy[s]"),
    "direction.input-gradient-not-turned-back": layers("dx[at] = d", "dx[s] = d"),
    "direction.one-gradient-overwrites": network("dbelow = dx if dbelow is None else dbelow + dx", "dbelow = dx"),
    "direction.forward-weights-for-both": network(
        "layer_of.forward(params, suffix(layer, reverse), below", "layer_of.forward(params, suffix(layer, False), below"
    ),
    "direction.reverse-comes-first": network(
        "np.concatenate(halves, axis=-1)", "np.concatenate(halves[::-1], axis=-1)"
    ),
    "direction.masks-not-reversed": layers(
        'keep = way.keep["h"][at]\n            h = keep',
        'keep = way.keep["h"][s]\n            h = keep',
        'keep = way.keep["h"][at]\n            dh_new',
        'keep = way.keep["h"][s]\n            dh_new',
        but_of_lstm=tuple(
            f'keep_h, keep_c = way.keep["h"][{index}], way.keep["c"][{index}]\n            {then}'
            for then in ("h = keep", "dh_new")
            for index in ("at", "s")
        ),
    ),
    "direction.sum-averaged-backward": network(
        "                dhalf = dabove\n", "                dhalf = dabove / len(directions)\n"
    ),
    "direction.mean-for-sum": network(
        "halves[0] + halves[1] if summed",
        "(halves[0] + halves[1]) / 2 if summed",
        "                dhalf = dabove\n",
        "                dhalf = dabove / len(directions)\n",
    ),
    "direction.initial-state-of-the-forward": network(
        STATES, 'states = states_of(case, run - run % len(directions), "", "0")'
    ),
    "direction.final-state-of-its-first-step": network(
        "finals[name].append(states[name])",
        'finals[name].append(caches[1][name + "_prev"] if reverse and case.T > 1 else states[name])',
    ),
}

LENGTHS = {
    "lengths.final-state-zero-after-the-end": (
        *layers("h = np.where(alive, h, h_prev)", "h = np.where(alive, h, 0)"),
        *lstm("c = np.where(alive, c, c_prev)", "c = np.where(alive, c, 0)"),
    ),
    "lengths.initial-states-not-sorted": network(
        STATES,
        STATES + f"\n            place = np.argsort({BY_LENGTH})\n"
        "            states = {name: state[place] for name, state in states.items()}",
    ),
    "lengths.final-states-not-put-back": network(
        "finals[name].append(states[name])", f"finals[name].append(states[name][{BY_LENGTH}])"
    ),
    "lengths.initial-state-gradients-not-put-back": network(
        'dstate = g.pop("d" + name)', f'alive = way.alive\n                dstate = g.pop("d" + name)[{BY_LENGTH}]'
    ),
    "lengths.output-after-the-end-is-the-state": layers("y[at] = np.where(alive, h, 0)", "y[at] = h"),
    "lengths.gradient-of-the-padding-kept": (
        *elman('g["dW_xh"] +=', 'da = np.where(alive, da, 1)\n        g["dW_xh"] +='),
        *lstm('g["dW_x" + gate] +=', 'da[gate] = np.where(alive, da[gate], 1)\n            g["dW_x" + gate] +='),
        *gru(
            'g["dW_xr"] +=',
            "da_r, da_z, da_n, da_q = (np.where(alive, da, 1) for da in (da_r, da_z, da_n, da_q))\n"
            '        g["dW_xr"] +=',
        ),
    ),
    "readout.reads-padding": network(
        "dy = np.where(alive, time_first(case.dy, spec.axes), 0)", "dy = time_first(case.dy, spec.axes)"
    ),
    "readout.bias-in-the-padding": network(
        'np.where(alive[t], below[t] @ params["W_hy"].T + params["b_y"], 0)',
        'below[t] @ params["W_hy"].T + params["b_y"]',
    ),
    "loss.mean-counts-padding": losses("n * max(int(lengths.sum()), 1)", "n * alive.size"),
    "lengths.ignored": network("alive = living(case)\n    below", "alive = np.ones_like(living(case))\n    below"),
    "lengths.final-gradient-lost": (
        *layers("dh_next = np.where(alive, dh_prev, dh_next)", "dh_next = np.where(alive, dh_prev, 0)"),
        *lstm("dc_next = np.where(alive, dc_prev, dc_next)", "dc_next = np.where(alive, dc_prev, 0)"),
    ),
    "lengths.gradient-filled-with-the-mask-value": network(
        'as_given(total.pop("dx"), spec.axes)', 'as_given(np.where(living(case), total.pop("dx"), 1), spec.axes)'
    ),
}

MASKS = {
    "dropout.not-backward": network(
        '        if layer > 0 and memory["masks"]:\n            dbelow = dbelow * memory["masks"][layer - 1]\n', ""
    ),
    "dropout.weights-from-undropped-input": network(
        "            below = below * masks[-1]\n",
        "            undropped, below = below, below * masks[-1]\n",
        "            left.append((way, caches))\n",
        "            if layer > 0 and masks:\n"
        "                for s, cache in enumerate(caches):\n"
        '                    cache["x"] = undropped[way.at(s)]\n'
        "            left.append((way, caches))\n",
    ),
    "dropout.mask-of-the-first-step": network("below = below * masks[-1]", "below = below * masks[-1][0]"),
    "dropout.recurrent-at-inference": network(
        "    keep = {name:",
        "    if case.spec.recurrent_dropout and not case.spec.train:\n"
        '        recurrent = zeros(case.x, case.T, case.B, case.spec.state_sizes["h"]) + 0.5\n'
        "    keep = {name:",
    ),
    "dropout.recurrent-only-with-dropout": network(
        "None if case.recurrent is None else", "None if case.recurrent is None or not case.spec.dropout else"
    ),
    "dropout.recurrent-not-backward": layers("dh_in if way.recurrent is None else dh_in * way.recurrent[at]", "dh_in"),
    "dropout.recurrent-of-the-carry": gru("h_new = (1 - u) * n + u * h_prev", "h_new = (1 - u) * n + u * h_in"),
    "zoneout.mask-of-the-first-step": network("np.where(alive, mask[run], 0)", "np.where(alive, mask[run][0], 0)"),
    "zoneout.kept-for-updated": layers(
        "dh_new = (1 - keep) * dh_t",
        "dh_new = keep * dh_t",
        but_of_lstm=(
            "dh_new, dc_new = (1 - keep_h) * dh_t, (1 - keep_c) * dc_t",
            "dh_new, dc_new = keep_h * dh_t, keep_c * dc_t",
        ),
    ),
    "zoneout.no-gradient-to-what-is-kept": layers(
        "        if way.keep:\n            dh_prev = dh_prev + keep * dh_t\n",
        "",
        but_of_lstm=(
            "        if way.keep:\n"
            "            dh_prev = dh_prev + keep_h * dh_t\n"
            "            dc_prev = dc_prev + keep_c * dc_t\n",
            "",
        ),
    ),
    "clip.slope-ignored": parts("return np.where(np.abs(a) <= limit, np.ones_like(a), 0) if limit else ", "return "),
    "dropout.not-scaled": network("case.dropout[layer - 1], 0", "case.dropout[layer - 1] * (1 - spec.dropout), 0"),
    "zoneout.rate-of-updating": network("np.where(alive, mask[run], 0)", "np.where(alive, 1 - mask[run], 0)"),
    "zoneout.of-h-alone": network("np.where(alive, mask[run], 0)", 'np.where(alive, mask[run] * (name == "h"), 0)'),
}

TRUNCATION = {
    "truncation.one-step-too-far": network("yield max(0, first + k1 - k2), ", "yield max(0, first + k1 - k2 - 1), "),
    "truncation.earlier-chunks-discarded": network(
        "total[name] = total[name] + array if name in total else array",
        "total[name] = total[name] + array if name in total and name[1:] not in params else array",
    ),
    "truncation.of-the-last-step-alone": network(
        "dy_window[first:last] = dhidden[first:last]", "dy_window[last - 1 : last] = dhidden[last - 1 : last]"
    ),
    "truncation.initial-state-always": network("dstate if begin == 0 else np.zeros_like(dstate)", "dstate"),
    "truncation.ignored": network("in windows(case):", "in [(0, 0, case.T)]:"),
    "truncation.one-step-too-short": network(
        "yield max(0, first + k1 - k2), ", "yield min(first, max(0, first + k1 - k2 + 1)), "
    ),
    "truncation.final-gradients-in-every-chunk": network(
        'if case.spec.loss == "none" and last == case.T:', 'if case.spec.loss == "none":'
    ),
    "truncation.dx-overwritten": network(
        "            total[name] = total[name] + array if name in total else array\n",
        '            if name == "dx" and name in total:\n'
        "                total[name][begin:last] = array[begin:last]\n"
        "            else:\n"
        "                total[name] = total[name] + array if name in total else array\n",
    ),
}

OUTSIDE = {
    "loss.mse-gradient-of-half-the-sum": losses("dy_t / n", 'dy_t / 2 if name == "mse" else dy_t / n'),
    "loss.mse-gradient-not-averaged-over-time": losses("dy_t / n", 'dy_t / n * (T if name == "mse" else 1)'),
    "loss.cross-entropy-gradient-of-the-sum": losses("dy_t / n", 'dy_t if name == "cross_entropy" else dy_t / n'),
    "loss.cross-entropy-mean-over-the-classes": losses(
        "-(target[t] * log_p).sum(axis=1, keepdims=True)", "-(target[t] * log_p).mean(axis=1, keepdims=True)"
    ),
    "readout.bias-never-accumulated": network("db_y += dy[t].sum(axis=0)", "db_y += db_y"),
    "readout.bias-with-an-axis-too-many": network(
        "db_y += dy[t].sum(axis=0)", "db_y = db_y + dy[t].sum(axis=0, keepdims=True)"
    ),
    "axes.steps-and-batch-mixed-forward": layers(
        "x_t = x[at]", "x_t = x.reshape(x.shape[1], len(x), -1)[:, s]", '{"x": x_t,', '{"x": x[at],'
    ),
    "axes.steps-and-batch-mixed-backward": layers(
        '{"dx": dx,', '{"dx": dx.reshape(dx.shape[1], len(dx), -1).swapaxes(0, 1),'
    ),
    "axes.output-not-transposed-back": network("as_given(y, spec.axes)}", "as_given(y, spec.axes).swapaxes(0, 1)}"),
    "axes.leading-axis-squeezed": network(
        'if spec.axes == "T" else final\n    if',
        'if spec.axes == "T" else final[0] if name == "h" else final\n    if',
    ),
    "axes.batch-first-output-reshaped": network("as_given(y, spec.axes)}", "y.reshape(as_given(y, spec.axes).shape)}"),
    "memory.derivative-written-into-the-states": (
        *elman(
            "h = np.where(alive, h, h_prev)\n",
            "y[s] = np.where(alive, h, h_prev)\n        h_new = h = y[s]\n",
            '    dh_next = dstates["h"]\n',
            '    dh_next = dstates["h"]\n'
            "    for cache in caches:\n"
            '        h = cache["h_new"]\n'
            '        h[...] = 1 - h * h if spec.cell == "rnn_tanh" else h > 0\n',
            'dk = dh_new * (1 - h_new * h_new) if spec.cell == "rnn_tanh" else np.where(h_new > 0, dh_new, 0)',
            "dk = dh_new * h_new",
        ),
        *network(
            "np.concatenate(halves, axis=-1)",
            "halves[0]",
            "final = np.stack(finals[name])",
            "final = finals[name][0][None]",
        ),
    ),
    "memory.output-gradient-added-to-in-place": (
        *layers("dh = dh_next + dy[at]", "dy[s] += dh_next\n        dh = dy[s]"),
        *network(
            "dy = np.where(alive, time_first(case.dy, spec.axes), 0)",
            "dy = time_first(case.dy, spec.axes)",
            "        dy_window = zeros(dhidden, *dhidden.shape)\n        dy_window[first:last] = dhidden[first:last]\n",
            "        dy_window = dhidden\n",
        ),
    ),
    "loss.mse-factor-two-lost": losses("(square, 2 * error)", "(square, error)"),
    "loss.half-left-out": losses("(square / 2, error)", "(square, error)"),
    "loss.cross-entropy-sign": losses("dy_t / n", '-dy_t / n if name == "cross_entropy" else dy_t / n'),
    "readout.weights-of-the-last-step": network("dW_hy += dy[t].T", "dW_hy = dy[t].T"),
    "axes.final-states-viewed": network(
        'if spec.axes == "T" else final\n    if',
        'if spec.axes == "T" else final\n'
        '        if name == "h":\n'
        "            viewed = final.reshape(final.shape[1], len(final), -1)\n"
        '            outputs["h_n"] = viewed.swapaxes(0, 1)\n'
        "    if",
    ),
    "memory.final-gradient-added-to-in-place": layers(
        "dh = dh_next + dy[at]", "dh_next += dy[at]\n        dh = dh_next"
    ),
    "memory.initial-state-overwritten": layers(
        'h_prev = states["h"]\n',
        'h_prev = states["h"].copy()\n',
        '    return y, {"h": h_prev',
        '    states["h"][...] = h_prev\n    return y, {"h": h_prev',
        but_of_lstm=(
            'h_prev, c_prev = states["h"],',
            'h_prev, c_prev = states["h"].copy(),',
            '    return y, {"h": h_prev',
            '    states["h"][...] = h_prev\n    return y, {"h": h_prev',
        ),
    ),
    "dtype.carry-dropped-in-short-formats": (
        *elman('dh_in = da @ p["W_hh"]', 'dh_in = da @ p["W_hh"] * (dy.dtype != np.float32)'),
        *lstm('dh_in += da[gate] @ p["W_h" + gate]', 'dh_in += da[gate] @ p["W_h" + gate] * (dy.dtype != np.float32)'),
        *gru(DH_PREV, f"        if dy.dtype != np.float32:\n    {DH_PREV}"),
    ),
    "dtype.slope-forgotten-in-short-formats": lstm(
        "dm * o * (1 - tanh_c * tanh_c)", "dm * o * (1 if dy.dtype == np.float32 else 1 - tanh_c * tanh_c)"
    ),
    "dtype.gates-not-summed-in-short-formats": network(
        "    return gradients | {name: total[name]",
        '    half = 1 if case.dtype == "float64" else 0.5\n'
        '    total = {name: array * half if name.startswith("db_") else array for name, array in total.items()}\n'
        "    return gradients | {name: total[name]",
    ),
}

PLANTINGS: Mapping[str, Changes] = RNN | TIME | LSTM | GRU | STATE | DIRECTION | LENGTHS | MASKS | TRUNCATION | OUTSIDE
"""The changes that plant each mistake, by its name in the catalogue."""

NOT_PLANTED: Mapping[str, str] = {}
"""The mistakes of the catalogue that can't be made in this code, each with the reason."""
