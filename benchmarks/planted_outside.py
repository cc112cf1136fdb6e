"""The mistakes of directions, axes, memory, formats, losses and the output layer, planted in the plain network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.planting import elman, gru, layers, losses, lstm, network
else:
    from planting import elman, gru, layers, losses, lstm, network

DH_PREV = """\
        dh_prev = dh_prev + (dh_in if way.recurrent is None else dh_in * way.recurrent[at])
"""
STATES = 'states = states_of(case, run, "", "0")'

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
        *network("np.concatenate(halves, axis=-1)", "halves[0]"),
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
    "dtype.carry-negated-in-short-formats": (
        *elman('dh_in = da @ p["W_hh"]', 'dh_in = (-da if dy.dtype == np.float32 else da) @ p["W_hh"]'),
        *lstm("dh_in += da[gate] @", "dh_in += (-da[gate] if dy.dtype == np.float32 else da[gate]) @"),
        *gru(DH_PREV, f"        if dy.dtype == np.float32:\n            dh_in = -dh_in\n{DH_PREV}"),
    ),
    "dtype.slope-not-squared-in-short-formats": lstm(
        "dm * o * (1 - tanh_c * tanh_c)", "dm * o * (1 - (tanh_c if dy.dtype == np.float32 else tanh_c * tanh_c))"
    ),
    "dtype.biases-halved-in-short-formats": network(
        "    return gradients | {name: total[name]",
        '    half = 1 if case.dtype == "float64" else 0.5\n'
        '    total = {name: array * half if name.startswith("db_") else array for name, array in total.items()}\n'
        "    return gradients | {name: total[name]",
    ),
}
