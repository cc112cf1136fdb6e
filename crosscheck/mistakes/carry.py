"""F1: the gradient that a step owes to the one before is lost, changed, or handed on in the wrong order."""

from __future__ import annotations

from crosscheck.mistakes.mistake import EVERY_CELL, RNN, Mistake
from crosscheck.referee.patched import Patch

MISTAKES = (
    Mistake(
        name="rnn.carry-dropped",
        family="F1",
        says="the gradient is not carried to the previous step",
        right="dh = W_hy.T @ dy + dh_next",
        wrong="dh = W_hy.T @ dy",
        belief="A step's gradient comes from its own output, and that is all.",
        source="qixianbiao/RNN#2",
        patches=(Patch("manual_rnn/cells/elman.py", "return da @ weights.W_hh  #", "return 0 * da @ weights.W_hh  #"),),
        options={"cell": RNN},
        case="rnn_tanh:T1B1I1H1:seed=0",
        tensors=("dh_0",),
    ),
    Mistake(
        name="rnn.carry-without-weights",
        family="F1",
        says="the gradient is carried to the previous step without W_hh",
        right="dh_prev = W_hh.T @ da",
        wrong="dh_prev = da",
        belief="What flows back is the gradient of the pre-activation.",
        source="qixianbiao/RNN#2",
        patches=(Patch("manual_rnn/cells/elman.py", "return da @ weights.W_hh  #", "return da  #"),),
        options={"cell": RNN},
        case="rnn_tanh:T1B1I1H1:seed=0",
        tensors=("dh_0",),
    ),
    Mistake(
        name="time.steps-in-forward-order",
        family="F1",
        says="the backward loop visits the steps in forward order, so a gradient gets back one step at the most",
        right="for t in reversed(range(T)):",
        wrong="for t in range(T):",
        belief="The backward loop visits the steps as the forward loop did; so each gradient gets one step back.",
        source="FluxML/Flux.jl#1209, elixir-nx/axon#646",
        patches=(
            Patch(
                "manual_rnn/unroll.py",
                "zip(*[array[::-1] for array in (*factors, *carried)], strict=True)",
                "zip(*factors, *carried, strict=True)",
            ),
        ),
        options={"cell": EVERY_CELL},
        case="rnn_tanh:T2B1I1H1:seed=0",
        tensors=("dx", "dW_xh"),
        hidden_by=({"max_T": 1},),
    ),
    Mistake(
        name="lstm.dh-carry-dropped",
        family="F1",
        says="the gradient of h is not carried to the previous step; that of c is",
        right="dh_prev = W_hh.T @ da",
        wrong="dh_prev = 0",
        belief="An LSTM's memory is the cell state, so the gradient travels by it alone.",
        source="ooples/AiDotNet#722",
        patches=(
            Patch("manual_rnn/cells/lstm.py", "return da @ weights.W_hh  #", "return 0 * da @ weights.W_hh  #"),
            Patch(
                "manual_rnn/cells/lstm_peephole.py", "return da @ weights.W_hh  #", "return 0 * da @ weights.W_hh  #"
            ),
            Patch("manual_rnn/cells/lstm_coupled.py", "return da @ weights.W_hh  #", "return 0 * da @ weights.W_hh  #"),
        ),
        options={"cell": "lstm"},
        case="lstm:T1B1I1H1:seed=0",
        tensors=("dh_0",),
    ),
    Mistake(
        name="lstm.dc-carry-dropped",
        family="F1",
        says="the gradient of c is not carried to the previous step; that of h is",
        right="dc_next = dc * f",
        wrong="dc_next = 0",
        belief="dc_prev was computed once, and assigning it for the next step was forgotten.",
        source="nicklashansen/rnn_lstm_from_scratch#1, CaptainE/RNN-LSTM-in-numpy#1",
        patches=(
            Patch("manual_rnn/cells/lstm.py", "np.multiply(dc, f, out=dc_prev)", "dc_prev[...] = 0"),
            Patch("manual_rnn/cells/lstm_peephole.py", "np.multiply(dc, f, out=dc_prev)", "dc_prev[...] = 0"),
        ),
        options={"cell": "lstm"},
        case="lstm:T1B1I1H1:seed=0",
        tensors=("dc_0",),
    ),
    Mistake(
        name="gru.z-carry-dropped",
        family="F1",
        says="the direct path from h to h_prev, through z, has no gradient",
        right="dh_prev = dh * z + W_hh.T @ da",
        wrong="dh_prev = W_hh.T @ da",
        belief="All of h_prev's influence goes through W_hh.",
        source="",
        patches=(
            Patch("manual_rnn/cells/gru.py", "dh_prev += dh * z", "pass"),
            Patch("manual_rnn/cells/gru_reset_before.py", "dh_prev += dh * z", "pass"),
        ),
        options={"cell": "gru", "reset_after": (True, False)},
        case="gru:T1B1I1H1:seed=0",
        tensors=("dh_0",),
    ),
    Mistake(
        name="time.carry-into-a-copy",
        family="F1",
        says="what the backward step gives to the previous step is lost: it is written into a copy",
        right="dh_next, dc_next = dh_prev, dc_prev",
        wrong="dh_prev, dc_prev = step(...)  # and never used",
        belief="The gradient of the previous state is written, and the copy that has it is thrown away.",
        source="sagarnildass/andrew_ng_deep_learning#1",
        patches=(
            Patch(
                "manual_rnn/unroll.py",
                "(dstate[first + 1 : last + 1, :n], dstate[first:last, :n])",
                "(dstate[first + 1 : last + 1, :n], dstate[first:last, :n].copy())",
            ),
        ),
        options={"cell": EVERY_CELL},
        case="rnn_tanh:T1B1I1H1:seed=0",
        tensors=("dh_0",),
    ),
    Mistake(
        name="time.output-gradient-of-the-last-step-only",
        family="F1",
        says="only the last step gets an output gradient",
        right="dh = dy[t] + dh_next",
        wrong="dh = dh_next  # dy[T - 1] went into it before the loop",
        belief="The loss is on the last output.",
        source="community.deeplearning.ai/t/48297",
        patches=(Patch("manual_rnn/unroll.py", "dh[1:-1] = dy[:-1]", "dh[1:-1] = 0"),),
        options={"cell": EVERY_CELL},
        case="rnn_tanh:T2B1I1H1:seed=0",
        tensors=("dx",),
        hidden_by=(
            {"max_T": 1},
            {"regime": "last_step"},
        ),
    ),
    Mistake(
        name="lstm.carries-dropped",
        family="F1",
        says="neither the gradient of h nor that of c is carried to the previous step",
        right="dh_next, dc_next = dh_prev, dc_prev",
        wrong="dh_next, dc_next = 0, 0",
        belief="dh_prev and dc_prev were returned, and never assigned for the next step.",
        source="nicklashansen/rnn_lstm_from_scratch#1, CaptainE/RNN-LSTM-in-numpy#1",
        patches=(
            Patch("manual_rnn/cells/lstm.py", "return da @ weights.W_hh  #", "return 0 * da @ weights.W_hh  #"),
            Patch("manual_rnn/cells/lstm.py", "np.multiply(dc, f, out=dc_prev)", "dc_prev[...] = 0"),
            Patch(
                "manual_rnn/cells/lstm_peephole.py", "return da @ weights.W_hh  #", "return 0 * da @ weights.W_hh  #"
            ),
            Patch("manual_rnn/cells/lstm_peephole.py", "np.multiply(dc, f, out=dc_prev)", "dc_prev[...] = 0"),
        ),
        options={"cell": "lstm"},
        case="lstm:T1B1I1H1:seed=0",
        tensors=("dh_0", "dc_0"),
    ),
    Mistake(
        name="gru.carry-dropped",
        family="F1",
        says="the gradient is not carried to the previous step, neither through z nor through W_hh",
        right="dh_prev = dh * z + W_hh.T @ da",
        wrong="dh_prev = 0",
        belief="A step's gradient comes from its own output, and that is all.",
        source="",
        patches=(
            Patch("manual_rnn/cells/gru.py", "return da_h @ weights.W_hh  #", "return 0 * da_h @ weights.W_hh  #"),
            Patch("manual_rnn/cells/gru.py", "dh_prev += dh * z", "pass"),
            Patch("manual_rnn/cells/gru_reset_before.py", "return dh_in", "return 0 * dh_in"),
            Patch("manual_rnn/cells/gru_reset_before.py", "dh_prev += dh * z", "pass"),
        ),
        options={"cell": "gru", "reset_after": (True, False)},
        case="gru:T1B1I1H1:seed=0",
        tensors=("dh_0",),
    ),
    Mistake(
        name="gru.weights-carry-dropped",
        family="F1",
        says="the gradient is carried to the previous step through z alone, not through W_hh",
        right="dh_prev = dh * z + W_hh.T @ da",
        wrong="dh_prev = dh * z",
        belief="What z lets past is the memory, and memory is what gradients travel by.",
        source="",
        patches=(
            Patch("manual_rnn/cells/gru.py", "return da_h @ weights.W_hh  #", "return 0 * da_h @ weights.W_hh  #"),
            Patch("manual_rnn/cells/gru_reset_before.py", "return dh_in", "return 0 * dh_in"),
        ),
        options={"cell": "gru", "reset_after": (True, False)},
        case="gru:T1B1I1H1:seed=0",
        tensors=("dh_0",),
    ),
    Mistake(
        name="gru.reset-before-candidate-carry-dropped",
        family="F1",
        says="the candidate's path to h_prev, through r, has no gradient",
        right="dh_prev += ds * r",
        wrong="pass",
        belief="The two gates see h_prev; that r h_prev holds it too is overlooked.",
        source="",
        patches=(Patch("manual_rnn/cells/gru_reset_before.py", "dh_in += ds * r", "pass"),),
        options={"cell": "gru", "reset_after": False},
        case="gru:T1B1I1H1:reset_after=false:seed=0",
        tensors=("dh_0",),
    ),
    Mistake(
        name="time.detached-between-steps",
        family="F1",
        says="the state is detached between steps, so each step's gradient stays in it",
        right="h = step(x[t], h)",
        wrong="h = step(x[t], h.detach())",
        belief="The state is handed on; that its history is handed on with it was meant for batches only.",
        source="FluxML/Flux.jl#1209",
        patches=(
            Patch(
                "manual_rnn/unroll.py",
                "for step in zip(*[array[::-1] for array in (*factors, *carried)], strict=True):",
                (
                    "for t, step in zip(range(last, first, -1), zip(*[array[::-1] for array in (*factors, "
                    "*carried)]), strict=True):\n"
                    "            before = step[at].copy()"
                ),
            ),
            Patch(
                "manual_rnn/unroll.py",
                "# h_in = h_prev:  dh_prev = ... + dh_in",
                (
                    "\n"
                    "            if t > 1:\n"
                    "                dh_prev[...] = before\n"
                    "                for dprev in step[at + 2 :: 2]:\n"
                    "                    dprev[...] = 0"
                ),
            ),
        ),
        options={"cell": EVERY_CELL},
        case="rnn_tanh:T2B1I1H1:seed=0",
        tensors=("dx", "dh_0", "dW_xh", "dW_hh", "db_xh", "db_hh"),
        hidden_by=({"max_T": 1},),
    ),
    Mistake(
        name="rnn.dx-without-carry",
        family="F1",
        says="dx sees its own step's output gradient alone, nothing of later steps",
        right="dx = W_xh.T @ da",
        wrong="dx = W_xh.T @ (dy * (1 - h ** 2))",
        belief="The gradient of the input is that of the step's own output.",
        source="eriklindernoren/ML-From-Scratch, layers.py",
        patches=(
            Patch(
                "manual_rnn/unroll.py",
                "shares.append(da[:, blocks] @ weights.W_xh[rows])",
                (
                    "cell.local(tape, own := np.empty_like(tape.x, shape=(T, B, H)))\n"
                    "        shares.append((steps_below(own) * steps_below(dy)) @ weights.W_xh[rows])"
                ),
            ),
        ),
        options={"cell": RNN},
        case="rnn_tanh:T1B1I1H1:seed=0",
        tensors=("dx",),
    ),
)
