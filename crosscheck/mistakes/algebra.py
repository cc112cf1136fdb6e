"""F16: a transpose too many or too few, a sum over the wrong axis, a broadcast that nobody asked for."""

from __future__ import annotations

from crosscheck.mistakes.mistake import EVERY_CELL, RNN, Mistake
from crosscheck.referee.patched import Patch

MISTAKES = (
    Mistake(
        name="rnn.weights-not-transposed",
        family="F16",
        says="the carried gradient goes through W_hh where its transpose belongs",
        right="dh_prev = W_hh.T @ da",
        wrong="dh_prev = W_hh @ da",
        belief="Rows times W_hh or its transpose: both run, and one unit cannot tell.",
        source="",
        patches=(Patch("manual_rnn/cells/elman.py", "da @ weights.W_hh  ", "da @ weights.W_hh.T  "),),
        options={"cell": RNN},
        case="rnn_tanh:T1B1I1H2:seed=1",
        tensors=("dh_0",),
        hidden_by=({"max_H": 1},),
    ),
    Mistake(
        name="bias.recycled-down-the-batch",
        family="F16",
        says="the bias is laid along the batch, not along the units",
        right="a = x @ W_xh.T + b[None, :]",
        wrong="a = (W_xh @ x.T).ravel() + np.resize(b, H * B)",
        belief="A matrix plus a vector adds the vector to every row; in R, it runs down the columns.",
        source="bquast/rnn predictr.R",
        patches=(
            Patch(
                "manual_rnn/unroll.py",
                "gates += cell.fold(weights)",
                "gates += np.resize(cell.fold(weights), (GH, B)).T",
            ),
        ),
        options={"cell": EVERY_CELL},
        case="rnn_tanh:T1B2I1H2:seed=0",
        tensors=("y",),
        hidden_by=(
            {"max_B": 1},
            {"max_H": 1},
        ),
    ),
    Mistake(
        name="readout.bias-with-an-axis-too-many",
        family="F16",
        says="db_y has an axis too many",
        right="db_y = dy.sum(axis=0)",
        wrong="db_y = dy.sum(axis=0, keepdims=True)",
        belief="(n,) and (1, n) are the same, until one is added to the other.",
        source="deeplearning.ai, 20 June 2021",
        patches=(
            Patch("manual_rnn/readout.py", "steps_below(do).sum(axis=0)", "steps_below(do).sum(axis=0, keepdims=True)"),
        ),
        options={"cell": EVERY_CELL, "output_layer": True},
        case="rnn_tanh:T1B1I1H1O1:seed=0",
        tensors=("db_y",),
    ),
)
