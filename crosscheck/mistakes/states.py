"""F7: the initial states and the final ones, and their gradients."""

from __future__ import annotations

from crosscheck.mistakes.mistake import EVERY_CELL, Mistake
from crosscheck.referee.patched import Patch

MISTAKES = (
    Mistake(
        name="state.final-gradient-ignored",
        family="F7",
        says="the gradient of the final states is ignored",
        right="dh_next = dh_n",
        wrong="dh_next = 0",
        belief="The loss is on the outputs; the final state is for the next batch.",
        source="accelerated-model-architectures#445",
        patches=(Patch("manual_rnn/unroll.py", "dstate[-1] = dstate_n", "dstate[-1] = 0"),),
        options={"cell": EVERY_CELL},
        case="rnn_tanh:T1B1I1H1:seed=0",
        tensors=("dx",),
        hidden_by=(
            {"regime": "outputs_only"},
            {"loss": "mse"},
        ),
    ),
    Mistake(
        name="state.final-gradient-overwritten",
        family="F7",
        says="the gradient of h_n is overwritten by that of the last output",
        right="dh = dy[T - 1] + dh_n",
        wrong="dh = dy[T - 1]",
        belief="The last output is the final state, so one gradient will do.",
        source="accelerated-model-architectures#445",
        patches=(Patch("manual_rnn/unroll.py", "dh[-1] += dy[-1]", "dh[-1] = dy[-1]"),),
        options={"cell": EVERY_CELL},
        case="rnn_tanh:T1B1I1H1:seed=0",
        tensors=("dx",),
        hidden_by=({"regime": "outputs_only"},),
    ),
    Mistake(
        name="lstm.cell-state-gradient-ignored",
        family="F7",
        says="the gradient of c_n is ignored",
        right="dc_next = dc_n",
        wrong="dc_next = 0",
        belief="The cell state is internal, nobody differentiates by it.",
        source="PaddlePaddle/Paddle#5115",
        patches=(Patch("manual_rnn/network.py", '("dc_n", dc_n)', '("dc_n", None)'),),
        options={"cell": "lstm"},
        case="lstm:T1B1I1H1:seed=0",
        tensors=("dc_0",),
        hidden_by=({"regime": "outputs_only"},),
    ),
    Mistake(
        name="state.initial-taken-as-zero",
        family="F7",
        says="the backward pass takes the initial state as zero",
        right="dW_hh += np.outer(da, h_0)  # at t = 0",
        wrong="dW_hh += 0  # at t = 0",
        belief="The backward pass starts its recomputation where sequences start, at zero.",
        source="tensorflow/swift-apis#660",
        patches=(
            Patch(
                "manual_rnn/unroll.py",
                "steps_below(tape.h_in)",
                "steps_below(np.concatenate((0 * tape.states[0][:1], tape.states[0][1:-1])))",
            ),
        ),
        options={"cell": EVERY_CELL},
        case="rnn_tanh:T1B1I1H1:seed=0",
        tensors=("dW_hh",),
        hidden_by=({"regime": "zero_state"},),
    ),
    Mistake(
        name="state.initial-gradient-of-the-first-step",
        family="F7",
        says="dh_0 is the gradient of the state after the first step",
        right="dh_0 = dh_prev  # of t = 0",
        wrong="dh_0 = dh  # of t = 0",
        belief="The first entry that the loop wrote last is the initial state's.",
        source="FluxML/Flux.jl#2185",
        patches=(Patch("manual_rnn/stack.py", "= dstate[0]", "= dstate[1]"),),
        options={"cell": EVERY_CELL},
        case="rnn_tanh:T1B1I1H1:seed=0",
        tensors=("dh_0",),
    ),
    Mistake(
        name="state.recomputed-from-zero",
        family="F7",
        says="the backward pass computes the steps again, from a zero initial state",
        right="h = h_0",
        wrong="h = 0",
        belief="Sequences start at zero.",
        source="tensorflow/swift-apis#660",
        patches=(
            Patch(
                "crosscheck/subjects/manual.py",
                "    return outputs, (run, dy)",
                (
                    "    run = network.forward(\n"
                    "        kind,\n"
                    "        case.layer_params,\n"
                    "        case.x,\n"
                    "        lengths=case.lengths,\n"
                    "        masks=() if case.dropout is None else case.dropout,\n"
                    "        recurrent=case.recurrent,\n"
                    "        zoneout=case.zoneout,\n"
                    "        attention=case.attention,\n"
                    "        merge=spec.merge,\n"
                    "        axes=spec.axes,\n"
                    "    )\n"
                    "    return outputs, (run, dy)"
                ),
            ),
        ),
        options={"cell": EVERY_CELL},
        case="rnn_tanh:T1B1I1H1:seed=1",
        tensors=("dW_hh",),
        hidden_by=({"regime": "zero_state"},),
    ),
    Mistake(
        name="lstm.initial-gradients-swapped",
        family="F7",
        says="dh_0 and dc_0 have changed places",
        right="return dx, (dh_0, dc_0)",
        wrong="return dx, (dc_0, dh_0)",
        belief="The gradient of a state goes into the other field.",
        source="FluxML/Flux.jl#2185",
        patches=(
            Patch(
                "manual_rnn/network.py",
                "zip(kind.states, g.dstates_0, strict=True)",
                "zip(kind.states, g.dstates_0[::-1], strict=True)",
            ),
        ),
        options={"cell": "lstm"},
        case="lstm:T1B1I1H1:seed=0",
        tensors=("dh_0", "dc_0"),
    ),
    Mistake(
        name="state.initial-ignored",
        family="F7",
        says="the initial states are ignored: the layer starts at zero",
        right="h = h_0",
        wrong="h = np.zeros_like(h_0)",
        belief="Sequences start at zero.",
        source="",
        patches=(Patch("crosscheck/subjects/manual.py", "        case.h_0,\n        case.c_0,\n", ""),),
        options={"cell": EVERY_CELL},
        case="rnn_tanh:T1B1I1H1:seed=1",
        tensors=("y", "h_n"),
        hidden_by=({"regime": "zero_state"},),
    ),
    Mistake(
        name="state.initial-gradient-zero",
        family="F7",
        says="the initial states get no gradient",
        right="dh_0 = dh_prev  # of t = 0",
        wrong="dh_0 = 0",
        belief="An initial state is a constant.",
        source="",
        patches=(Patch("manual_rnn/stack.py", "= dstate[0]", "= 0 * dstate[0]"),),
        options={"cell": EVERY_CELL},
        case="rnn_tanh:T1B1I1H1:seed=0",
        tensors=("dh_0",),
    ),
)
