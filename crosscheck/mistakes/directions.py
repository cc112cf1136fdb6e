"""F9: the reverse direction: its order, its states, its weights."""

from __future__ import annotations

from crosscheck.mistakes.mistake import EVERY_CELL, Mistake
from crosscheck.referee.patched import Patch

MISTAKES = (
    Mistake(
        name="direction.reversed-over-all-steps",
        family="F9",
        says="the reverse direction reverses all T steps, padding too, not each sequence within its own length",
        right="x_reversed = x[length - 1 :: -1]",
        wrong="x_reversed = x[::-1]",
        belief="Reversed is reversed; the padding comes first, then.",
        source="NervanaSystems/ngraph#3176",
        patches=(
            Patch(
                "manual_rnn/lengths.py",
                "np.where(steps < length, length - 1 - steps, steps)",
                "np.broadcast_to(T - 1 - steps, (T, B))",
            ),
        ),
        options={"cell": EVERY_CELL, "bidirectional": (False, True), "lengths": ("none", "positive")},
        case="rnn_tanh:T2B1I1H1:bidirectional=true:lengths=1:seed=0",
        tensors=("y",),
        hidden_by=(
            {"lengths": "none"},
            {"bidirectional": False},
        ),
    ),
    Mistake(
        name="direction.reverse-output-not-turned-back",
        family="F9",
        says="the reverse direction's output is not turned back before it is joined",
        right="y = np.concatenate((h, h_reverse[::-1]), axis=-1)",
        wrong="y = np.concatenate((h, h_reverse), axis=-1)",
        belief="The reverse direction's output comes in its own order.",
        source="shyamupa/snli-entailment#2",
        patches=(
            Patch("manual_rnn/stack.py", "unroll.outputs(tape, batch.schedule)[order.back]", "tape.states[0][1:]"),
        ),
        options={"cell": EVERY_CELL, "bidirectional": (False, True)},
        case="rnn_tanh:T2B1I1H1:bidirectional=true:seed=0",
        tensors=("y",),
        hidden_by=({"bidirectional": False},),
    ),
    Mistake(
        name="direction.output-gradient-not-reversed",
        family="F9",
        says="the reverse direction takes the output gradient in forward order",
        right="dh_reverse = dy[::-1, :, H:]",
        wrong="dh_reverse = dy[:, :, H:]",
        belief="The gradient comes in the order of the output.",
        source="",
        patches=(Patch("manual_rnn/stack.py", "dh[order.there]", "dh"),),
        options={"cell": EVERY_CELL, "bidirectional": (False, True)},
        case="rnn_tanh:T2B1I1H1:bidirectional=true:seed=0",
        tensors=("dx",),
        hidden_by=({"bidirectional": False},),
    ),
    Mistake(
        name="direction.input-gradient-not-turned-back",
        family="F9",
        says="the reverse direction's dx is added without being turned back",
        right="dx = dx_forward + dx_reverse[::-1]",
        wrong="dx = dx_forward + dx_reverse",
        belief="The gradient of the input comes as the loop left it.",
        source="",
        patches=(Patch("manual_rnn/stack.py", "g.dx[order.back]", "g.dx"),),
        options={"cell": EVERY_CELL, "bidirectional": (False, True)},
        case="rnn_tanh:T2B1I1H1:bidirectional=true:seed=0",
        tensors=("dx",),
        hidden_by=({"bidirectional": False},),
    ),
    Mistake(
        name="direction.one-gradient-overwrites",
        family="F9",
        says="dx is that of the reverse direction alone",
        right="dx = dx_forward + dx_reverse",
        wrong="dx = dx_forward; dx = dx_reverse",
        belief="dx is dx, whichever direction writes it last.",
        source="",
        patches=(Patch("manual_rnn/stack.py", "reduce(np.add, shares)", "shares[-1]"),),
        options={"cell": EVERY_CELL, "bidirectional": (False, True)},
        case="rnn_tanh:T1B1I1H1:bidirectional=true:seed=0",
        tensors=("dx",),
        hidden_by=({"bidirectional": False},),
    ),
    Mistake(
        name="direction.forward-weights-for-both",
        family="F9",
        says="the reverse direction uses the forward direction's weights",
        right="h_reverse = run(x[::-1], W_xh_reverse, W_hh_reverse)",
        wrong="h_reverse = run(x[::-1], W_xh, W_hh)",
        belief="One cell serves both directions.",
        source="HKUST-KnowComp/R-Net#13",
        patches=(
            Patch(
                "manual_rnn/stack.py",
                "unroll.forward(cell, weights[k]",
                "unroll.forward(cell, weights[k - k % directions]",
            ),
        ),
        options={"cell": EVERY_CELL, "bidirectional": (False, True)},
        case="rnn_tanh:T1B1I1H1:bidirectional=true:seed=0",
        tensors=("y",),
        hidden_by=({"bidirectional": False},),
    ),
    Mistake(
        name="direction.reverse-comes-first",
        family="F9",
        says="the reverse direction's half of the output comes first",
        right="y = np.concatenate((h, h_reverse), axis=-1)",
        wrong="y = np.concatenate((h_reverse, h), axis=-1)",
        belief="The order of the halves is a matter of taste.",
        source="",
        patches=(Patch("manual_rnn/stack.py", "joined(h, axis=-1)", "joined(h[::-1], axis=-1)"),),
        options={"cell": EVERY_CELL, "bidirectional": (False, True)},
        case="rnn_tanh:T1B1I1H1:bidirectional=true:seed=0",
        tensors=("y",),
        hidden_by=({"bidirectional": False},),
    ),
    Mistake(
        name="direction.masks-not-reversed",
        family="F9",
        says="the reverse direction takes its masks in forward order",
        right="d = mask[length - 1 :: -1]",
        wrong="d = mask",
        belief="Masks are random, so their order doesn't matter.",
        source="keras-team/keras#3737",
        patches=(
            Patch(
                "manual_rnn/stack.py",
                "series = tuple([array[order.there] for array in given[k]])",
                "series = tuple(given[k])",
            ),
        ),
        options={"cell": EVERY_CELL, "zoneout": True, "bidirectional": (False, True)},
        case="rnn_tanh:T2B1I1H2:bidirectional=true:zoneout=0.3:seed=0",
        tensors=("dW_hh_reverse", "dW_xh_reverse", "db_hh_reverse", "h_n"),
    ),
    Mistake(
        name="direction.sum-averaged-backward",
        family="F9",
        says="the directions are summed, and each gets half of the gradient",
        right="dh = dh_reverse = dy",
        wrong="dh = dh_reverse = dy / 2",
        belief="Each direction has half of the gradient.",
        source="",
        patches=(
            Patch(
                "manual_rnn/stack.py",
                "lambda dy, directions: [dy] * directions)",
                "lambda dy, directions: [dy / 2] * directions)",
            ),
        ),
        options={"cell": EVERY_CELL, "bidirectional": True, "merge": "sum"},
        case="rnn_tanh:T1B1I1H1:bidirectional=true:merge=sum:seed=0",
        tensors=("dW_hh", "dW_hh_reverse", "dW_xh"),
    ),
    Mistake(
        name="direction.final-state-of-its-first-step",
        family="F9",
        says="the reverse direction's final state is that after its first step",
        right="h_n = np.stack((h[-1], h_reverse[0]))",
        wrong="h_n = np.stack((h[-1], h_reverse[-1]))",
        belief="The final state is the output at the last step.",
        source="yalesong/pvse#13, yunjey/pytorch-tutorial#174",
        patches=(
            Patch(
                "manual_rnn/stack.py",
                (
                    "afters = [state[-1:, order.rows_back] for (_, order, _), state in zip(self.passes, each, "
                    "strict=True)]"
                ),
                (
                    "afters = [\n"
                    "                (state[1:2] if k % self.directions else state[-1:])[:, order.rows_back]\n"
                    "                for k, ((_, order, _), state) in enumerate(zip(self.passes, each, "
                    "strict=True))\n"
                    "            ]"
                ),
            ),
        ),
        options={"cell": EVERY_CELL, "bidirectional": (False, True)},
        case="rnn_tanh:T2B1I1H1:bidirectional=true:seed=0",
        tensors=("h_n",),
        hidden_by=({"bidirectional": False},),
    ),
    Mistake(
        name="direction.mean-for-sum",
        family="F9",
        says="the directions are averaged, where their sum was asked for, in all that is computed",
        right="y = h + h_reverse",
        wrong="y = (h + h_reverse) / 2",
        belief="A mean is a sum, but for a factor.",
        source="",
        patches=(
            Patch(
                "manual_rnn/stack.py",
                '"sum": Merge(lambda h: reduce(np.add, h), lambda dy, directions: [dy] * directions)',
                (
                    '"sum": Merge(lambda h: reduce(np.add, h) / len(h), lambda dy, directions: [dy / '
                    "directions] * directions)"
                ),
            ),
        ),
        options={"cell": EVERY_CELL, "bidirectional": True, "merge": "sum"},
        case="rnn_tanh:T1B1I1H1:bidirectional=true:merge=sum:seed=0",
        tensors=("y",),
    ),
    Mistake(
        name="direction.initial-state-of-the-forward",
        family="F9",
        says="the reverse direction begins with the forward one's initial state",
        right="h_reverse = run(x[::-1], h_0[1])",
        wrong="h_reverse = run(x[::-1], h_0[0])",
        belief="There is one initial state.",
        source="",
        patches=(Patch("manual_rnn/stack.py", "state[k, order.rows]", "state[k - k % directions, order.rows]"),),
        options={"cell": EVERY_CELL, "bidirectional": (False, True)},
        case="rnn_tanh:T1B1I1H1:bidirectional=true:seed=0",
        tensors=("y", "h_n"),
        hidden_by=(
            {"bidirectional": False},
            {"regime": "zero_state"},
        ),
    ),
)
