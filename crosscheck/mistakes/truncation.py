"""F14: truncated backpropagation: how far back, and of which chunks."""

from __future__ import annotations

from crosscheck.mistakes.mistake import EVERY_CELL, Mistake
from crosscheck.referee.patched import Patch

MISTAKES = (
    Mistake(
        name="truncation.one-step-too-far",
        family="F14",
        says="the gradient goes back k + 1 steps where k were asked for",
        right="for t in range(s, max(-1, s - k), -1):",
        wrong="for t in range(s, max(-1, s - k - 1), -1):",
        belief="K steps back from the last.",
        source="dennybritz RNNLM.ipynb",
        patches=(
            Patch("manual_rnn/truncation.py", "        w = max(0, s + k1 - k2)", "        w = max(0, s + k1 - k2 - 1)"),
        ),
        options={"cell": EVERY_CELL, "truncate": True},
        case="rnn_tanh:T2B1I1H1:truncate=1,1:seed=0",
        tensors=("dW_hh", "dW_xh", "db_hh"),
    ),
    Mistake(
        name="truncation.earlier-chunks-discarded",
        family="F14",
        says="only the last chunk's parameter gradients are kept",
        right="dW += dW_chunk",
        wrong="dW = dW_chunk",
        belief="Gradients are zeroed before each backward.",
        source="OpenNMT/OpenNMT-py#891",
        patches=(Patch("manual_rnn/truncation.py", "_sum(total, each) for", "list(each) for"),),
        options={"cell": EVERY_CELL, "truncate": True},
        case="rnn_tanh:T2B1I1H1:truncate=1,1:seed=0",
        tensors=("dW_hh", "dW_xh", "db_hh"),
    ),
    Mistake(
        name="truncation.of-the-last-step-alone",
        family="F14",
        says="of each chunk only the last step's output has a gradient",
        right="dh = dy[t] + dh_next",
        wrong="dh = dh_next  # dy of the chunk's last step went in before",
        belief="The loss of a chunk is that of its last step.",
        source="rsokl/MyGrad#4",
        patches=(Patch("manual_rnn/truncation.py", "entering[s - w :] = dy[s:e]", "entering[-1:] = dy[e - 1 : e]"),),
        options={"cell": EVERY_CELL, "truncate": True},
        case="rnn_tanh:T2B1I1H1:truncate=2,2:seed=0",
        tensors=("dW_hh", "dW_xh", "db_hh"),
        hidden_by=({"max_T": 1},),
    ),
    Mistake(
        name="truncation.initial-state-always",
        family="F14",
        says="every chunk adds to dh_0, where only the first begins there",
        right="dh_0 = dh_prev if first == 0 else dh_0",
        wrong="dh_0 += dh_prev",
        belief="Each chunk starts from an initial state.",
        source="",
        patches=(Patch("manual_rnn/truncation.py", "if w == 0:", "if True:"),),
        options={"cell": EVERY_CELL, "truncate": True},
        case="rnn_tanh:T2B1I1H1:truncate=1,1:seed=0",
        tensors=("dh_0",),
    ),
)
