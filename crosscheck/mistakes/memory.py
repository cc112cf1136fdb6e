"""F11: an array that is written while somebody needs it, or read when it is not his any more."""

from __future__ import annotations

from crosscheck.mistakes.mistake import EVERY_CELL, RNN, Mistake
from crosscheck.referee.patched import Patch

MISTAKES = (
    Mistake(
        name="memory.derivative-written-into-the-states",
        family="F11",
        says="the activation's slope is written into the stored states, which are needed again",
        right="slope = 1 - h ** 2",
        wrong="h[...] = 1 - h ** 2; slope = h",
        belief="The states are not needed any more; but dW_hh needs them, and so does the caller.",
        source="hanbt/learn_dl",
        patches=(Patch("manual_rnn/cells/elman.py", "da[...] = df(h)", "h[...] = df(h); da[...] = h"),),
        options={"cell": RNN},
        case="rnn_tanh:T1B1I1H1:seed=0",
        tensors=("y",),
    ),
    Mistake(
        name="memory.output-gradient-added-to-in-place",
        family="F11",
        says="the caller's dy is written into",
        right="dh = dy[t] + dh_next",
        wrong="dy[t] += dh_next; dh = dy[t]",
        belief="dy is as good a buffer as any; the numbers are right, the caller's array is not his any more.",
        source="Burton2000/CS231n-2017#7",
        patches=(Patch("manual_rnn/unroll.py", "dh[-1] += dy[-1]", "dy[-1] += dh[-1]; dh[-1] = dy[-1]"),),
        options={"cell": EVERY_CELL},
        case="rnn_tanh:T1B1I1H1:seed=0",
        tensors=("dy",),
        hidden_by=({"regime": "outputs_only"},),
    ),
    Mistake(
        name="memory.final-gradient-added-to-in-place",
        family="F11",
        says="the caller's dh_n is written into",
        right="dh = dh_n + dy[-1]",
        wrong="dh = dh_n; dh += dy[-1]",
        belief="dh_n is as good a buffer as any.",
        source="",
        patches=(
            Patch(
                "manual_rnn/unroll.py",
                "    dh[-1] += dy[-1]\n",
                "    dstates_n[0][...] += dy[-1]\n    dh[-1] = dstates_n[0]\n",
            ),
        ),
        options={"cell": EVERY_CELL},
        case="rnn_tanh:T1B1I1H1:seed=0",
        tensors=("dh_n",),
    ),
    Mistake(
        name="memory.initial-state-overwritten",
        family="F11",
        says="the caller's initial state is overwritten with the final one",
        right="h = h_0.copy()",
        wrong="h = h_0",
        belief="The layer keeps its state where it was given it.",
        source="",
        patches=(
            Patch(
                "manual_rnn/unroll.py",
                "    return Tape(x, gates, states, h_in, proposed, saved, given)",
                (
                    "    states_0[0][...] = states[0][-1]\n"
                    "    return Tape(x, gates, states, h_in, proposed, saved, given)"
                ),
            ),
        ),
        options={"cell": EVERY_CELL},
        case="rnn_tanh:T1B1I1H1:seed=0",
        tensors=("h_0",),
    ),
)
