"""Mistakes to plant in a copy of the hand-written network, each of which the checker must find.

A mutant is one change of one line or two, made in a copy of `manual_rnn` and of its adapter; the sources themselves are
never touched. Families sort the mistakes that people made in public: F1 lost carries, F2 wrong steps, F3 wrong local
derivatives, F4 wrong accumulation, F5 sums for means, F6 another cell or convention, F7 initial and final states, F10
axes, F11 memory, F16 transposes and broadcasts.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crosscheck.case import Case
from crosscheck.subject import subject

Subject = Callable[[Case], Mapping[str, Any]]
Options = Mapping[str, Any]

ROOT = Path(__file__).parents[2]
ELMAN = "manual_rnn/cells/elman.py"
LSTM = "manual_rnn/cells/lstm.py"
GRU = "manual_rnn/cells/gru.py"
GRU_RESET_BEFORE = "manual_rnn/cells/gru_reset_before.py"
CELL = "manual_rnn/cells/cell.py"
ACTIVATIONS = "manual_rnn/activations.py"
ARRAYS = "manual_rnn/arrays.py"
UNROLL = "manual_rnn/unroll.py"
NETWORK = "manual_rnn/network.py"
STACK = "manual_rnn/stack.py"
READOUT = "manual_rnn/readout.py"
LOSSES = "manual_rnn/losses.py"
ADAPTER = "crosscheck/subjects/manual.py"


@dataclass(frozen=True)
class Mutant:
    """A mistake to plant.

    Attributes:
        name: what it is called.
        file: the file that it is in.
        right: the text that it replaces, which must occur in the file exactly once.
        wrong: what stands there instead.
        options: what the mutant is checked with, as of `crosscheck.subject`.
        size: the smallest sizes at which it shows, as in the case's line.
        tensors: those that are wrong at that size, among perhaps others.
        belief: why somebody writes this.
        source: the family, and where it was published.
        hides: options, one or more sets, under which it cannot show.
    """

    name: str
    file: str
    right: str
    wrong: str
    options: Options
    size: str
    tensors: tuple[str, ...]
    belief: str
    source: str
    hides: tuple[Options, ...] = ()

    def is_smallest(self, case: Case) -> bool:
        """Say whether a case has the smallest T and B at which the mistake shows, and no smaller I, H and O.

        They may be larger: arrays of another shape hold other numbers, where the mistake may be hidden by a zero.
        """
        got, want = ([int(size) for size in re.findall(r"\d+", text)] for text in (str(case).split(":")[1], self.size))
        return got[:2] == want[:2] and all(g >= w for g, w in zip(got, want, strict=True))


def copied(folder: Path, mutant: Mutant | None = None) -> Subject:
    """Return a copy of the hand-written network as a subject, imported under a name of its own.

    Args:
        folder: an empty folder, on `sys.path`; the copy is the one package in it, named as the folder.
        mutant: the mistake to put in, whose options the subject then declares; none if None.

    Raises:
        LookupError: the patch no longer applies.
    """
    package = folder / folder.name
    sources = {path.relative_to(ROOT).as_posix(): path for path in sorted(ROOT.glob("manual_rnn/**/*.py"))}
    for file, path in (sources | {ADAPTER: ROOT / ADAPTER}).items():
        text = path.read_text(encoding="utf-8")
        if mutant is not None and mutant.file == file:
            text = patched(text, mutant)
        copy = package / ("adapter.py" if file == ADAPTER else Path(file).relative_to("manual_rnn"))
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(re.sub(r"\bmanual_rnn\b", package.name, text), encoding="utf-8")
    importlib.invalidate_caches()
    function: Subject = importlib.import_module(f"{package.name}.adapter").manual
    return function if mutant is None else subject(**mutant.options)(function)


def forget(folder: Path) -> None:
    """Unload what `copied` imported from a folder."""
    for module in [name for name in sys.modules if name.split(".")[0] == folder.name]:
        del sys.modules[module]


def patched(text: str, mutant: Mutant) -> str:
    """Return the text of a file with the mistake in it.

    Raises:
        LookupError: the right text is not there exactly once.
    """
    count = text.count(mutant.right)
    if count != 1:
        raise LookupError(
            f"the patch {mutant.name} no longer applies: {mutant.right!r} is {count} times in {mutant.file}"
        )
    return text.replace(mutant.right, mutant.wrong)


RNN: Options = {"cell": "rnn_tanh"}
MSE: Options = {"cell": "rnn_tanh", "loss": "mse", "output_layer": True}
CROSS_ENTROPY: Options = {"cell": "rnn_tanh", "loss": ("half_squared_error", "cross_entropy"), "output_layer": True}
READ: Options = {"cell": "rnn_tanh", "output_layer": True}
RESET_AFTER: Options = {"cell": "gru"}
RESET_BEFORE: Options = {"cell": "gru", "reset_after": False}

MUTANTS = (
    Mutant(
        name="rnn-carry-dropped",
        file=ELMAN,
        right="dh_prev += da @ weights.W_hh",
        wrong="pass",
        options=RNN,
        size="T1B1I1H1",
        tensors=("dh_0",),
        belief="A step's gradient comes from its own output, and that is all.",
        source="F1 qixianbiao/RNN#2",
    ),
    Mutant(
        name="rnn-carry-without-weights",
        file=ELMAN,
        right="dh_prev += da @ weights.W_hh",
        wrong="dh_prev += da",
        options=RNN,
        size="T1B1I1H1",
        tensors=("dh_0",),
        belief="What flows back is the gradient of the pre-activation.",
        source="F1 qixianbiao/RNN#2",
    ),
    Mutant(
        name="steps-in-forward-order",
        file=UNROLL,
        right="zip(*(array[::-1] for array in (*factors, *carried)), strict=True)",
        wrong="zip(*(array for array in (*factors, *carried)), strict=True)",
        options=RNN,
        size="T2B1I1H1",
        tensors=("dx", "dW_xh"),
        belief="The backward loop visits the steps as the forward loop did; so each gradient gets one step back.",
        source="F1 FluxML/Flux.jl#1209, elixir-nx/axon#646",
        hides=({"max_T": 1},),
    ),
    Mutant(
        name="lstm-dh-carry-dropped",
        file=LSTM,
        right="dh_prev += da @ weights.W_hh",
        wrong="pass",
        options={"cell": "lstm"},
        size="T1B1I1H1",
        tensors=("dh_0",),
        belief="An LSTM's memory is the cell state, so the gradient travels by it alone.",
        source="F1 ooples/AiDotNet#722",
    ),
    Mutant(
        name="lstm-dc-carry-dropped",
        file=LSTM,
        right="np.multiply(dc, f, out=dc_prev)",
        wrong="dc_prev[...] = 0",
        options={"cell": "lstm"},
        size="T1B1I1H1",
        tensors=("dc_0",),
        belief="dc_prev was computed once, and assigning it for the next step was forgotten.",
        source="F1 nicklashansen/rnn_lstm_from_scratch#1, CaptainE/RNN-LSTM-in-numpy#1",
    ),
    Mutant(
        name="gru-z-carry-dropped",
        file=GRU,
        right="dh_prev += dh * z",
        wrong="pass",
        options=RESET_AFTER,
        size="T1B1I1H1",
        tensors=("dh_0",),
        belief="All of h_prev's influence goes through W_hh.",
        source="F1",
    ),
    Mutant(
        name="carry-into-a-copy",
        file=UNROLL,
        right="(dstate[first + 1 : last + 1], dstate[first:last])",
        wrong="(dstate[first + 1 : last + 1], dstate[first:last].copy())",
        options={"cell": "lstm"},
        size="T1B1I1H1",
        tensors=("dh_0", "dc_0"),
        belief="The gradient of the previous state is written, and the copy that has it is thrown away.",
        source="F1 sagarnildass/andrew_ng_deep_learning#1",
    ),
    Mutant(
        name="state-after-for-state-before",
        file=UNROLL,
        right="steps_below(tape.states[0][:-1])",
        wrong="steps_below(tape.states[0][1:])",
        options=RNN,
        size="T1B1I1H1",
        tensors=("dW_hh",),
        belief="dW_hh takes the hidden state of its step.",
        source="F2 VikParuchuri/zero_to_gpt#9",
    ),
    Mutant(
        name="lstm-state-after-for-state-before",
        file=UNROLL,
        right="steps_below(tape.states[0][:-1])",
        wrong="steps_below(tape.states[0][1:])",
        options={"cell": "lstm"},
        size="T1B1I1H1",
        tensors=("dW_hh",),
        belief="The hidden rows of a gate's gradient take h_t, as the input rows take x_t.",
        source="F2 wvabrinskas/Neuron#181",
    ),
    Mutant(
        name="state-before-the-first-wraps-around",
        file=UNROLL,
        right="steps_below(tape.states[0][:-1])",
        wrong="steps_below(np.roll(tape.states[0][1:], 1, axis=0))",
        options=RNN,
        size="T1B1I1H1",
        tensors=("dW_hh",),
        belief="h[t - 1] is right at every t; at t = 0 it is h[-1], the last one.",
        source="F2 rnn.py",
    ),
    Mutant(
        name="slope-of-the-step-before",
        file=ELMAN,
        right="df(h[1:])",
        wrong="df(h[:-1])",
        options=RNN,
        size="T1B1I1H1",
        tensors=("dx",),
        belief="The list of states starts with the initial one, and the indices were not moved.",
        source="F2 hanbt/learn_dl",
    ),
    Mutant(
        name="step-number-for-input",
        file=UNROLL,
        right="steps_below(tape.x)",
        wrong="steps_below(0 * tape.x + np.arange(T)[:, None, None])",
        options=RNN,
        size="T1B1I1H1",
        tensors=("dW_xh",),
        belief="The step's pair was passed with the number of the step where its input belongs.",
        source="F2 Element-Research/rnn 86ca245",
    ),
    Mutant(
        name="output-gradient-of-the-next-step",
        file=UNROLL,
        right="dh[1:-1] = dy[:-1]",
        wrong="dh[1:-1] = dy[1:]",
        options=RNN,
        size="T2B1I1H1",
        tensors=("dx",),
        belief="Entry t of the states is after step t, so its gradient is dy[t].",
        source="F2 d2l-ai/d2l-en#1402",
        hides=({"max_T": 1},),
    ),
    Mutant(
        name="output-gradient-of-the-first-step",
        file=UNROLL,
        right="dh[1:-1] = dy[:-1]",
        wrong="dh[1:-1] = dy[:1]",
        options=RNN,
        size="T3B1I1H1",
        tensors=("dx",),
        belief="One row of dy is broadcast over the steps, which nobody sees while dy is all ones.",
        source="F2",
        hides=({"max_T": 2},),
    ),
    Mutant(
        name="output-gradient-of-the-last-step-only",
        file=UNROLL,
        right="dh[1:-1] = dy[:-1]",
        wrong="dh[1:-1] = 0",
        options=RNN,
        size="T2B1I1H1",
        tensors=("dx",),
        belief="The loss is on the last output.",
        source="F1 community.deeplearning.ai/t/48297",
        hides=({"max_T": 1}, {"regime": "last_step"}),
    ),
    Mutant(
        name="slope-wrong-at-one-step",
        file=ELMAN,
        right="da[...] = df(h[1:])  ",
        wrong="da[...] = df(h[1:]); da[1:2] = df(h[1:2])  ",
        options=RNN,
        size="T2B1I1H1",
        tensors=("dx",),
        belief="The first step is treated apart, and the second one takes its slope.",
        source="F2 hanbt/learn_dl",
        hides=({"max_T": 1},),
    ),
    Mutant(
        name="lstm-sigmoid-for-its-derivative",
        file=LSTM,
        right="dsigmoid(f)",
        wrong="f",
        options={"cell": "lstm"},
        size="T1B1I1H1",
        tensors=("db_xh", "db_hh"),
        belief="The sigmoid has a flag for its derivative, which was left out here.",
        source="F3 nicklashansen/rnn_lstm_from_scratch#1, CaptainE/RNN-LSTM-in-numpy#2",
        hides=({"max_T": 1, "regime": "zero_state"},),
    ),
    Mutant(
        name="lstm-sigmoid-twice",
        file=LSTM,
        right="dsigmoid(o)",
        wrong="dsigmoid(1 / (1 + np.exp(-o)))",
        options={"cell": "lstm"},
        size="T1B1I1H1",
        tensors=("db_xh",),
        belief="The derivative applies the sigmoid first, and what it is given already is one.",
        source="F3 nicklashansen/rnn_lstm_from_scratch#1",
    ),
    Mutant(
        name="lstm-tanh-twice",
        file=LSTM,
        right="dtanh(g)",
        wrong="dtanh(np.tanh(g))",
        options={"cell": "lstm"},
        size="T1B1I1H1",
        tensors=("db_xh",),
        belief="1 - tanh^2 of what is stored, and stored is the activated candidate.",
        source="F3 nicklashansen/rnn_lstm_from_scratch#1",
    ),
    Mutant(
        name="lstm-slope-from-the-cell-state",
        file=LSTM,
        right="o * dtanh(s)",
        wrong="o * dtanh(c[1:])",
        options={"cell": "lstm"},
        size="T1B1I1H1",
        tensors=("dc_0",),
        belief="1 - c^2: the derivative from the output is given the argument of the tanh.",
        source="F3 nicklashansen/rnn_lstm_from_scratch#1",
    ),
    Mutant(
        name="rnn-tanh-twice",
        file=ACTIVATIONS,
        right="return 1 - h * h",
        wrong="return 1 - np.tanh(h) * np.tanh(h)",
        options=RNN,
        size="T1B1I1H1",
        tensors=("dx",),
        belief="1 - tanh^2 of what is stored, and stored is the activated state.",
        source="F3 nicklashansen/rnn_lstm_from_scratch#1",
    ),
    Mutant(
        name="lstm-input-gate-for-candidate",
        file=LSTM,
        right="np.multiply(g, dsigmoid(i), out=da_i)",
        wrong="np.multiply(i, dsigmoid(i), out=da_i)",
        options={"cell": "lstm"},
        size="T1B1I1H1",
        tensors=("db_xh",),
        belief="c = f c_prev + i g, so dc/di is taken to be i.",
        source="F3 wvabrinskas/Neuron#181",
    ),
    Mutant(
        name="weights-from-post-activation-gradient",
        file=UNROLL,
        right="np.matmul(da[:, blocks].T, x, out=dW_xh[rows])",
        wrong="np.matmul(steps_below(dh[1:]).T, x, out=dW_xh[rows])",
        options=RNN,
        size="T1B1I1H1",
        tensors=("dW_xh",),
        belief="The gradient of the state times the input; the slope is in dx, where it was looked for.",
        source="F3 bquast/rnn",
    ),
    Mutant(
        name="gru-candidate-branch-of-dz-dropped",
        file=GRU,
        right="np.multiply(h[:-1] - n, dsigmoid(z), out=da_z)",
        wrong="np.multiply(h[:-1], dsigmoid(z), out=da_z)",
        options=RESET_AFTER,
        size="T1B1I1H1",
        tensors=("db_xh",),
        belief="z multiplies h_prev; that 1 - z is there too is forgotten.",
        source="F3 bquast/rnn backprop_gru",
    ),
    Mutant(
        name="gru-reset-gate-twice",
        file=GRU,
        right="np.multiply(da_n * q, dsigmoid(r), out=da_r)",
        wrong="np.multiply(da_n * q, r * dsigmoid(r), out=da_r)",
        options=RESET_AFTER,
        size="T1B1I1H1",
        tensors=("db_xh",),
        belief="The factor r of the candidate's path is taken along into the path of r itself.",
        source="F3 rsokl/MyGrad 3e12b7d4",
    ),
    Mutant(
        name="gru-reset-before-reset-gate-twice",
        file=GRU_RESET_BEFORE,
        right="np.multiply(h[:-1], dsigmoid(r), out=da_r)",
        wrong="np.multiply(h[:-1], r * dsigmoid(r), out=da_r)",
        options=RESET_BEFORE,
        size="T1B1I1H1",
        tensors=("db_xh",),
        belief="The factor r of s = r h_prev is taken along into the path of r itself.",
        source="F3 rsokl/MyGrad 3e12b7d4",
        hides=({"max_T": 1, "regime": "zero_state"},),
    ),
    Mutant(
        name="gru-reset-before-carry-past-the-gate",
        file=GRU_RESET_BEFORE,
        right="dh_prev += ds * r",
        wrong="dh_prev += ds",
        options=RESET_BEFORE,
        size="T1B1I1H1",
        tensors=("dh_0",),
        belief="The candidate sees h_prev through W_hn, and the gate between them is overlooked.",
        source="F3 bquast/rnn backprop_gru",
    ),
    Mutant(
        name="relu-slope-at-zero",
        file=ACTIVATIONS,
        right="slope[...] = h > 0",
        wrong="slope[...] = h >= 0",
        options={"cell": "rnn_relu"},
        size="T1B1I1H1",
        tensors=("dx",),
        belief="The slope is 1 from 0 on; from the output, that is everywhere.",
        source="F3",
    ),
    Mutant(
        name="slope-of-another-activation",
        file=ELMAN,
        right="elman(relu, drelu)",
        wrong="elman(relu, dtanh)",
        options={"cell": "rnn_relu"},
        size="T1B1I1H1",
        tensors=("dx",),
        belief="The activation was made an option, and the backward pass kept the old one's slope.",
        source="F3 Russell91/apollocaffe#36",
    ),
    Mutant(
        name="weights-overwritten-at-every-step",
        file=UNROLL,
        right="np.matmul(da[:, blocks].T, x, out=dW_xh[rows])",
        wrong="np.matmul(da[:B, blocks].T, x[:B], out=dW_xh[rows])",
        options=RNN,
        size="T2B1I1H1",
        tensors=("dW_xh",),
        belief="= for +=: what is left is the gradient of the step that the loop ends with.",
        source="F4 tensorflow/swift-apis#518",
        hides=({"max_T": 1},),
    ),
    Mutant(
        name="bias-without-the-first-step",
        file=UNROLL,
        right="db = da.sum(axis=0)",
        wrong="db = da[B:].sum(axis=0)",
        options=RNN,
        size="T1B1I1H1",
        tensors=("db_xh", "db_hh"),
        belief="The recurrent gradients are accumulated if t > 0, and the bias stands under the same if.",
        source="F4 VikParuchuri/zero_to_gpt",
    ),
    Mutant(
        name="bias-without-the-second-step",
        file=UNROLL,
        right="db = da.sum(axis=0)",
        wrong="db = da.sum(axis=0) - da[B : 2 * B].sum(axis=0)",
        options=RNN,
        size="T2B1I1H1",
        tensors=("db_xh", "db_hh"),
        belief="The first step is treated apart, and the loop over the others starts one too late.",
        source="F4 VikParuchuri/zero_to_gpt",
        hides=({"max_T": 1},),
    ),
    Mutant(
        name="lstm-bias-of-another-gate",
        file=UNROLL,
        right="db_xh[rows] = db[blocks]",
        wrong="db_xh[rows] = db[blocks]; db_xh[:H] = db_xh[3 * H :] = db[H : 2 * H]",
        options={"cell": "lstm"},
        size="T1B1I1H1",
        tensors=("db_xh",),
        belief="Three lines of the four gates were pasted, and the gate was not changed in all of them.",
        source="F4 hanbt/learn_dl#53",
    ),
    Mutant(
        name="output-bias-never-accumulated",
        file=READOUT,
        right="steps_below(do).sum(axis=0)",
        wrong="0 * steps_below(do).sum(axis=0)",
        options=READ,
        size="T1B1I1H1O1",
        tensors=("db_y",),
        belief="dc += dc, where += dy was meant.",
        source="F4 javaidnabi31/RNN-from-scratch#2",
    ),
    Mutant(
        name="second-bias-not-trained",
        file=UNROLL,
        right="db_hh[rows] = db[blocks]",
        wrong="db_hh[rows] = 0",
        options=RNN,
        size="T1B1I1H1",
        tensors=("db_hh",),
        belief="Two biases are one too many, so the gradient goes to one of them.",
        source="F4 rnn.py",
    ),
    Mutant(
        name="weights-accumulated-twice",
        file=UNROLL,
        right="np.matmul(da[:, blocks].T, operand, out=dW_hh[rows])",
        wrong="np.matmul(da[:, blocks].T, operand, out=dW_hh[rows]); dW_hh[rows] *= 2",
        options=RNN,
        size="T1B1I1H1",
        tensors=("dW_hh",),
        belief="Both entry points run the backward pass, and each adds to the gradient.",
        source="F4 jcjohnson/torch-rnn 9582bec, BrainJS/brain.js#701",
    ),
    Mutant(
        name="error-through-the-gradient-buffer",
        file=UNROLL,
        right="da[:, blocks] @ weights.W_xh[rows]",
        wrong="da[:, blocks] @ dW_xh[rows]",
        options=RNN,
        size="T1B1I1H1",
        tensors=("dx",),
        belief="The buffer of the weight's update has a name so like the weight's.",
        source="F4 bquast/rnn",
    ),
    Mutant(
        name="gru-candidate-row-past-the-reset-gate",
        file=GRU,
        right="recurrent_products=(Product((0, 3), (0, 3)),)",
        wrong="recurrent_products=(Product((0, 2), (0, 2)), Product((2, 3), (3, 4)))",
        options=RESET_AFTER,
        size="T1B1I1H1",
        tensors=("db_hh",),
        belief="W_hn gets the gradient of the candidate's pre-activation, as W_xn does.",
        source="F4",
    ),
    Mutant(
        name="gru-reset-before-unreset-operand",
        file=GRU_RESET_BEFORE,
        right="Product((2, 3), (2, 3), operand=0)",
        wrong="Product((2, 3), (2, 3))",
        options=RESET_BEFORE,
        size="T1B1I1H1",
        tensors=("dW_hh",),
        belief="Every row of W_hh is multiplied with h_prev.",
        source="F4",
        hides=({"max_T": 1, "regime": "zero_state"},),
    ),
    Mutant(
        name="mse-gradient-of-half-the-sum",
        file=LOSSES,
        right="2 * error / error.size",
        wrong="error",
        options=MSE,
        size="T1B1I1H1O1",
        tensors=("db_y", "dW_hy"),
        belief="The gradient of a squared error is the error.",
        source="F5 the notebook that this project grew from",
    ),
    Mutant(
        name="mse-gradient-not-averaged-over-time",
        file=LOSSES,
        right="2 * error / error.size",
        wrong="2 * error / error[0].size",
        options=MSE,
        size="T2B1I1H1O1",
        tensors=("db_y",),
        belief="Each step's gradient is that of its own loss, whose mean over time is taken elsewhere.",
        source="F5 karpathy/char-rnn#70",
        hides=({"max_T": 1},),
    ),
    Mutant(
        name="cross-entropy-gradient-of-the-sum",
        file=LOSSES,
        right="- target) / steps",
        wrong="- target)",
        options=CROSS_ENTROPY,
        size="T1B2I1H1O2",
        tensors=("db_y",),
        belief="The gradient is p - y, everybody knows it.",
        source="F5 karpathy/char-rnn#70",
        hides=({"max_T": 1, "max_B": 1},),
    ),
    Mutant(
        name="cross-entropy-mean-over-the-classes",
        file=LOSSES,
        right="np.sum(target * log_softmax) / steps",
        wrong="np.sum(target * log_softmax) / target.size",
        options=CROSS_ENTROPY,
        size="T1B1I1H1O2",
        tensors=("loss",),
        belief="np.mean, over the vocabulary too; the gradient is of the sum over it.",
        source="F5 nicklashansen/rnn_lstm_from_scratch#1",
    ),
    Mutant(
        name="bias-averaged-over-the-batch",
        file=UNROLL,
        right="db = da.sum(axis=0)",
        wrong="db = da.sum(axis=0) / B",
        options=RNN,
        size="T1B2I1H1",
        tensors=("db_xh", "db_hh"),
        belief="colMeans for the biases, sums for the weights.",
        source="F5 bquast/rnn backprop_r.R",
        hides=({"max_B": 1},),
    ),
    Mutant(
        name="gru-reset-before-for-after",
        file=GRU,
        right="n += r * q",
        wrong="n += (r * h_prev) @ weights.W_hh_T[:, 2 * H :] + weights.b_hh[2 * H :]",
        options=RESET_AFTER,
        size="T1B1I1H1",
        tensors=("y",),
        belief="The paper's equation, in a layer that promises torch's.",
        source="F6 tracel-ai/burn#2701",
        hides=({"max_H": 1, "regime": "zero_bias"},),
    ),
    Mutant(
        name="gru-state-overwritten-before-use",
        file=GRU,
        right="np.subtract(h_prev, n, out=h)",
        wrong="np.subtract((1 - z) * n, n, out=h)",
        options=RESET_AFTER,
        size="T1B1I1H1",
        tensors=("y",),
        belief="h = (1 - z) n; h = h + z h: the old state is gone when it is needed.",
        source="F6 ml-explore/mlx#952",
    ),
    Mutant(
        name="gru-z-for-one-minus-z",
        file=GRU,
        right="h *= z",
        wrong="h *= 1 - z",
        options=RESET_AFTER,
        size="T1B1I1H1",
        tensors=("y",),
        belief="The paper blends z n + (1 - z) h_prev.",
        source="F6 PaddlePaddle gru_unit_op and gru_op",
    ),
    Mutant(
        name="gru-reset-gate-of-the-output-unit",
        file=GRU_RESET_BEFORE,
        right="n += s @ weights.W_hh_T[:, 2 * H :]",
        wrong="n += r * (h_prev @ weights.W_hh_T[:, 2 * H :])",
        options=RESET_BEFORE,
        size="T1B1I1H2",
        tensors=("y",),
        belief="In the loop over units, the reset gate has the index of the unit that is computed.",
        source="F6 ooples/AiDotNet#722",
        hides=({"max_H": 1},),
    ),
    Mutant(
        name="gru-z-added",
        file=GRU,
        right="dh_prev += dh * z",
        wrong="dh_prev += dh + z",
        options=RESET_AFTER,
        size="T1B1I1H1",
        tensors=("dh_0",),
        belief="It says so in the documentation that this was written from.",
        source="F6 GRUBlockCellGrad",
    ),
    Mutant(
        name="lstm-gates-in-onnx-order",
        file=ARRAYS,
        right="for k in range(count)]",
        wrong="for k in (0, 2, 3, 1)]",
        options={"cell": "lstm"},
        size="T1B1I1H1",
        tensors=("y",),
        belief="Gates are i, o, f, c, forward and backward alike; weights come in the order i, f, g, o.",
        source="F6 CrispStrobe/CrispASR#106",
    ),
    Mutant(
        name="lstm-gates-f-i-g-o",
        file=LSTM,
        right="i, f, g, o = blocks(gates, 4)",
        wrong="f, i, g, o = blocks(gates, 4)",
        options={"cell": "lstm"},
        size="T1B1I1H1",
        tensors=("y", "c_n"),
        belief="The order of the gates is that of the equations, and there f comes first.",
        source="F6 NervanaSystems/ngraph#2080",
    ),
    Mutant(
        name="lstm-sum-of-gate-and-candidate",
        file=LSTM,
        right="c += i * g",
        wrong="c += i + g",
        options={"cell": "lstm"},
        size="T1B1I1H1",
        tensors=("y", "c_n"),
        belief="A plus for a product, and training still gets somewhere.",
        source="F6 MartinuzziFrancesco/torchrecurrent#22",
    ),
    Mutant(
        name="lstm-coupled-gates",
        file=LSTM,
        right="c += i * g",
        wrong="c += (1 - f) * g",
        options={"cell": "lstm"},
        size="T1B1I1H1",
        tensors=("y", "c_n"),
        belief="What is forgotten makes room for what is new: a variant, under the name of the standard cell.",
        source="F6 clab/dynet#154",
    ),
    Mutant(
        name="second-bias-not-added",
        file=CELL,
        right="return weights.b_xh + weights.b_hh",
        wrong="return weights.b_xh",
        options=RNN,
        size="T1B1I1H1",
        tensors=("y",),
        belief="One bias is enough, and loading a layer of two takes the first.",
        source="F6",
        hides=({"regime": "zero_bias"}, {"regime": "small"}),
    ),
    Mutant(
        name="final-state-gradient-ignored",
        file=UNROLL,
        right="dstate[-1] = dstate_n",
        wrong="dstate[-1] = 0",
        options=RNN,
        size="T1B1I1H1",
        tensors=("dx",),
        belief="The loss is on the outputs; the final state is for the next batch.",
        source="F7 accelerated-model-architectures#445",
        hides=({"regime": "outputs_only"}, {"loss": "mse"}),
    ),
    Mutant(
        name="final-state-gradient-overwritten",
        file=UNROLL,
        right="dh[-1] += dy[-1]",
        wrong="dh[-1] = dy[-1]",
        options=RESET_AFTER,
        size="T1B1I1H1",
        tensors=("dx",),
        belief="The last output is the final state, so one gradient will do.",
        source="F7 accelerated-model-architectures#445",
        hides=({"regime": "outputs_only"},),
    ),
    Mutant(
        name="cell-state-gradient-ignored",
        file=NETWORK,
        right='("dc_n", dc_n)',
        wrong='("dc_n", None)',
        options={"cell": "lstm"},
        size="T1B1I1H1",
        tensors=("dc_0",),
        belief="The cell state is internal, nobody differentiates by it.",
        source="F7 PaddlePaddle/Paddle#5115",
        hides=({"regime": "outputs_only"},),
    ),
    Mutant(
        name="initial-state-taken-as-zero",
        file=UNROLL,
        right="steps_below(tape.states[0][:-1])",
        wrong="steps_below(np.concatenate((0 * tape.states[0][:1], tape.states[0][1:-1])))",
        options=RNN,
        size="T1B1I1H1",
        tensors=("dW_hh",),
        belief="The backward pass starts its recomputation where sequences start, at zero.",
        source="F7 tensorflow/swift-apis#660",
        hides=({"regime": "zero_state"},),
    ),
    Mutant(
        name="initial-state-gradient-of-the-first-step",
        file=STACK,
        right="d[:1, one.order.rows_back]",
        wrong="d[1:2, one.order.rows_back]",
        options=RNN,
        size="T1B1I1H1",
        tensors=("dh_0",),
        belief="The first entry that the loop wrote last is the initial state's.",
        source="F7 FluxML/Flux.jl#2185",
    ),
    Mutant(
        name="steps-and-batch-mixed-forward",
        file=UNROLL,
        right="@ weights.W_xh.T).reshape(T, B, GH)",
        wrong="@ weights.W_xh.T).reshape(B, T, GH).swapaxes(0, 1).copy()",
        options=RNN,
        size="T2B2I1H1",
        tensors=("y",),
        belief="The rows are taken batch first, where they were laid down time first.",
        source="F10 Element-Research/rnn cee690c",
        hides=({"max_T": 1}, {"max_B": 1}),
    ),
    Mutant(
        name="steps-and-batch-mixed-backward",
        file=UNROLL,
        right="dx = reduce(np.add, shares).reshape(tape.x.shape)",
        wrong="dx = reduce(np.add, shares).reshape(B, T, -1).swapaxes(0, 1)",
        options=RNN,
        size="T2B2I1H1",
        tensors=("dx",),
        belief="A view instead of a transpose: the shape is right, the rows are other rows.",
        source="F10 facebookresearch/fairseq#239, OpenNMT/OpenNMT-py#1521",
        hides=({"max_T": 1}, {"max_B": 1}),
    ),
    Mutant(
        name="blocks-not-summed",
        file=UNROLL,
        right="reduce(np.add, shares)",
        wrong="shares[-1]",
        options=RESET_AFTER,
        size="T1B1I1H1",
        tensors=("dx",),
        belief="Each block of rows writes dx, and the last one wins.",
        source="F10 accelerated-model-architectures#444",
    ),
    Mutant(
        name="output-not-transposed-back",
        file=ADAPTER,
        right='results = {"y": y,',
        wrong='results = {"y": y.swapaxes(0, 1),',
        options=RNN,
        size="T1B2I1H1",
        tensors=("y",),
        belief="batch_first, on the way in alone.",
        source="F10 pytorch/pytorch#80306",
        hides=({"max_T": 1, "max_B": 1},),
    ),
    Mutant(
        name="leading-axis-squeezed",
        file=STACK,
        right="state[-1:, order.rows_back]",
        wrong="state[-1, order.rows_back]",
        options=RESET_AFTER,
        size="T1B1I1H1",
        tensors=("h_n",),
        belief="One layer needs no axis for layers.",
        source="F10 facebookresearch/minimax#2",
    ),
    Mutant(
        name="derivative-written-into-the-states",
        file=ELMAN,
        right="da[...] = df(h[1:])",
        wrong="h[1:] = df(h[1:]); da[...] = h[1:]",
        options=RNN,
        size="T1B1I1H1",
        tensors=("y", "h_n"),
        belief="The states are not needed any more; but dW_hh needs them, and so does the caller.",
        source="F11 hanbt/learn_dl",
    ),
    Mutant(
        name="output-gradient-added-to-in-place",
        file=UNROLL,
        right="dh[-1] += dy[-1]",
        wrong="dy[-1] += dh[-1]; dh[-1] = dy[-1]",
        options=RNN,
        size="T1B1I1H1",
        tensors=("dy",),
        belief="dy is as good a buffer as any; the numbers are right, the caller's array is not his any more.",
        source="F11 Burton2000/CS231n-2017#7",
        hides=({"regime": "outputs_only"},),
    ),
    Mutant(
        name="weights-not-transposed",
        file=ELMAN,
        right="da @ weights.W_hh  ",
        wrong="da @ weights.W_hh.T  ",
        options=RNN,
        size="T1B1I1H2",
        tensors=("dh_0",),
        belief="Rows times W_hh or its transpose: both run, and one unit cannot tell.",
        source="F16",
        hides=({"max_H": 1},),
    ),
    Mutant(
        name="bias-recycled-down-the-batch",
        file=UNROLL,
        right="gates += cell.fold(weights)",
        wrong="gates += np.resize(cell.fold(weights), (GH, B)).T",
        options=RNN,
        size="T1B2I1H2",
        tensors=("y",),
        belief="A matrix plus a vector adds the vector to every row; in R, it runs down the columns.",
        source="F16 bquast/rnn predictr.R",
        hides=({"max_B": 1}, {"max_H": 1}),
    ),
    Mutant(
        name="bias-with-an-axis-too-many",
        file=READOUT,
        right="steps_below(do).sum(axis=0)",
        wrong="steps_below(do).sum(axis=0, keepdims=True)",
        options=READ,
        size="T1B1I1H1O1",
        tensors=("db_y",),
        belief="(n,) and (1, n) are the same, until one is added to the other.",
        source="F16 deeplearning.ai, 20 June 2021",
    ),
)
"""The mistakes, by family."""
