"""The mistakes of one cell, planted in its layer of the plain network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.planting import DB_GRU, DB_LSTM, DW_HR_HZ_HN, DW_X, elman, gru, lstm, network
else:
    from planting import DB_GRU, DB_LSTM, DW_HR_HZ_HN, DW_X, elman, gru, lstm, network

DK = 'dk = dh_new * (1 - h_new * h_new) if spec.cell == "rnn_tanh" else np.where(h_new > 0, dh_new, 0)'
DH_PREV = """\
        dh_prev = dh_prev + (dh_in if way.recurrent is None else dh_in * way.recurrent[at])
"""

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

LSTM = {
    "lstm.dh-carry-dropped": lstm('            dh_in += da[gate] @ p["W_h" + gate]\n', ""),
    "lstm.dc-carry-dropped": lstm("dc_prev = dc_new * f\n", "dc_prev = np.zeros_like(dc_new)\n"),
    "lstm.dc-carry-past-the-forget-gate": lstm("dc_prev = dc_new * f\n", "dc_prev = dc_new\n"),
    "lstm.dc-of-later-steps-never-added": lstm("dc_new = dc_new + dm * o *", "dc_new = dm * o *"),
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
