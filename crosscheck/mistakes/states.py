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
        options={"cell": ("rnn_tanh", "rnn_relu", "gru")},
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
        patches=(Patch("manual_rnn/stack.py", "d[:1, one.order.rows_back]", "d[1:2, one.order.rows_back]"),),
        options={"cell": EVERY_CELL},
        case="rnn_tanh:T1B1I1H1:seed=0",
        tensors=("dh_0",),
    ),
)
