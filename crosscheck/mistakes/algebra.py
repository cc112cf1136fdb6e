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
                "gates += cell.fold(weights)[(np.arange(GH) * B + np.arange(B)[:, None]) % GH]",
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
    Mistake(
        name="rnn.weight-gradient-transposed",
        family="F16",
        says="dW_hh is transposed: the factors of the outer product have changed places",
        right="dW_hh += np.outer(da, h_prev)",
        wrong="dW_hh += np.outer(h_prev, da)",
        belief="W_hh is square, so it fits either way.",
        source="",
        patches=(
            Patch(
                "manual_rnn/unroll.py",
                "np.matmul(da[:, blocks].T, operand, out=dW_hh[rows])",
                "np.matmul(operand.T, da[:, blocks], out=dW_hh[rows])",
            ),
        ),
        options={"cell": RNN},
        case="rnn_tanh:T1B1I1H2:seed=0",
        tensors=("dW_hh",),
        hidden_by=({"max_H": 1},),
    ),
    Mistake(
        name="rnn.weights-transposed-forward",
        family="F16",
        says="the forward pass multiplies with W_hh's transpose, and the backward pass with W_hh's own",
        right="a = W_xh @ x + W_hh @ h_prev",
        wrong="a = W_xh @ x + W_hh.T @ h_prev",
        belief="W_hh is square, so it fits either way.",
        source="",
        patches=(
            Patch(
                "manual_rnn/cells/elman.py",
                "np.matmul(h_in, weights.W_hh_T, out=h)",
                "np.matmul(h_in, weights.W_hh, out=h)",
            ),
            Patch(
                "manual_rnn/cells/elman_clipped.py",
                "np.matmul(h_in, weights.W_hh_T, out=h)",
                "np.matmul(h_in, weights.W_hh, out=h)",
            ),
        ),
        options={"cell": RNN},
        case="rnn_tanh:T1B1I1H2:seed=1",
        tensors=("y", "h_n"),
        hidden_by=({"max_H": 1},),
    ),
    Mistake(
        name="lstm.weights-not-transposed",
        family="F16",
        says="the carried gradient goes through each gate's block of W_hh where its transpose belongs",
        right="dh_prev = W_hh.T @ da",
        wrong="dh_prev = sum(W @ da_k for W, da_k in gates)",
        belief="Each block is square, so it fits either way.",
        source="",
        patches=(
            Patch(
                "manual_rnn/cells/lstm.py",
                "return da @ weights.W_hh  #",
                (
                    "H = dh.shape[-1]\n"
                    "    parts = [slice(k * H, (k + 1) * H) for k in range(4)]\n"
                    "    return sum(da[:, part] @ weights.W_hh[part].T for part in parts)  #"
                ),
            ),
        ),
        options={"cell": "lstm"},
        case="lstm:T1B1I1H2:seed=0",
        tensors=("dh_0",),
        hidden_by=({"max_H": 1},),
    ),
    Mistake(
        name="gru.weights-not-transposed",
        family="F16",
        says="the carried gradient goes through each gate's block of W_hh where its transpose belongs",
        right="dh_prev = W_hh.T @ da",
        wrong="dh_prev = sum(W @ da_k for W, da_k in gates)",
        belief="Each block is square, so it fits either way.",
        source="",
        patches=(
            Patch(
                "manual_rnn/cells/gru.py",
                "return da_h @ weights.W_hh  #",
                (
                    "H = dh.shape[-1]\n"
                    "    parts = [slice(k * H, (k + 1) * H) for k in range(3)]\n"
                    "    return sum(da_h[:, part] @ weights.W_hh[part].T for part in parts)  #"
                ),
            ),
        ),
        options={"cell": "gru"},
        case="gru:T1B1I1H2:seed=0",
        tensors=("dh_0",),
        hidden_by=({"max_H": 1},),
    ),
)
