"""The mistakes of steps, states, lengths and masks, planted in the layers of the plain network and around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.planting import (
        DW_H,
        DW_HH,
        DW_HR_HZ_HN,
        DW_X,
        DX,
        RETURN,
        biases,
        elman,
        elman_and_gru,
        gru,
        indented,
        layers,
        losses,
        lstm,
        network,
        operand,
        parts,
        recurrent,
        recycled,
    )
else:
    from planting import (
        DW_H,
        DW_HH,
        DW_HR_HZ_HN,
        DW_X,
        DX,
        RETURN,
        biases,
        elman,
        elman_and_gru,
        gru,
        indented,
        layers,
        losses,
        lstm,
        network,
        operand,
        parts,
        recurrent,
        recycled,
    )

KEPT = "gradients[name + end] = array"
STACKED = ("dW_xh", "dW_hh", "db_xh", "db_hh")
ZEROED = "\n{}states = {{name: 0 * state for name, state in states.items()}}"
STATES = 'states = states_of(case, run, "", "0")'
BY_LENGTH = 'np.argsort(-alive.sum(axis=(0, 2)), kind="stable")'

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
    "time.dh-next-never-added": layers("dh = dh_next + dy[at]", "dh = dy[at]"),
    "time.steps-in-forward-order": elman_and_gru(
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
