"""F5: a mean where there should be a sum, a sum where there should be a mean, or a factor lost."""

from __future__ import annotations

from crosscheck.mistakes.mistake import EVERY_CELL, Mistake
from crosscheck.referee.patched import Patch

MISTAKES = (
    Mistake(
        name="loss.mse-gradient-of-half-the-sum",
        family="F5",
        says="the loss is a mean of squares, its gradient that of half their sum: the factor 2 / N is lost",
        right="dy = 2 * (y - target) / y.size",
        wrong="dy = y - target",
        belief="The gradient of a squared error is the error.",
        source="the notebook that this project grew from",
        patches=(Patch("manual_rnn/losses.py", "back(2 * error / n, axes)", "back(error, axes)"),),
        options={"cell": EVERY_CELL, "loss": "mse", "output_layer": True},
        case="rnn_tanh:T1B1I1H1O1:loss=mse:seed=0",
        tensors=("db_y", "dW_hy"),
    ),
    Mistake(
        name="loss.mse-gradient-not-averaged-over-time",
        family="F5",
        says="the loss is a mean over T, its gradient a sum",
        right="dy = 2 * (y - target) / (T * B * O)",
        wrong="dy = 2 * (y - target) / (B * O)",
        belief="Each step's gradient is that of its own loss, whose mean over time is taken elsewhere.",
        source="karpathy/char-rnn#70",
        patches=(Patch("manual_rnn/losses.py", "back(2 * error / n, axes)", "back(2 * error / n * len(y), axes)"),),
        options={"cell": EVERY_CELL, "loss": "mse", "output_layer": True},
        case="rnn_tanh:T2B1I1H1O1:loss=mse:seed=0",
        tensors=("db_y",),
        hidden_by=({"max_T": 1},),
    ),
    Mistake(
        name="loss.cross-entropy-gradient-of-the-sum",
        family="F5",
        says="the loss is a mean over T and B, its gradient that of the sum",
        right="dy = (p - target) / (T * B)",
        wrong="dy = p - target",
        belief="The gradient is p - y, everybody knows it.",
        source="karpathy/char-rnn#70",
        patches=(Patch("manual_rnn/losses.py", "keepdims=True) - target) / n", "keepdims=True) - target)"),),
        options={"cell": EVERY_CELL, "loss": ("half_squared_error", "cross_entropy"), "output_layer": True},
        case="rnn_tanh:T2B1I1H1O2:loss=cross_entropy:seed=1",
        tensors=("db_y",),
        hidden_by=({"max_T": 1, "max_B": 1},),
    ),
    Mistake(
        name="loss.cross-entropy-mean-over-the-classes",
        family="F5",
        says="the loss is averaged over the classes too, and its gradient is not",
        right="loss = -np.sum(target * np.log(p)) / (T * B)",
        wrong="loss = -np.mean(target * np.log(p))",
        belief="np.mean, over the vocabulary too; the gradient is of the sum over it.",
        source="nicklashansen/rnn_lstm_from_scratch#1",
        patches=(
            Patch(
                "manual_rnn/losses.py",
                "return -_sum(target * log_softmax, n)",
                "return -_sum(target * log_softmax, n * target.shape[-1])",
            ),
        ),
        options={"cell": EVERY_CELL, "loss": ("half_squared_error", "cross_entropy"), "output_layer": True},
        case="rnn_tanh:T1B1I1H1O2:loss=cross_entropy:seed=0",
        tensors=("loss",),
    ),
    Mistake(
        name="bias.averaged-over-the-batch",
        family="F5",
        says="the bias gradient is a mean over the batch, where the weights' is a sum",
        right="db += da.sum(axis=0)",
        wrong="db += da.mean(axis=0)",
        belief="colMeans for the biases, sums for the weights.",
        source="bquast/rnn backprop_r.R",
        patches=(Patch("manual_rnn/unroll.py", "db = da.sum(axis=0)", "db = da.sum(axis=0) / B"),),
        options={"cell": EVERY_CELL},
        case="rnn_tanh:T1B2I1H1:seed=0",
        tensors=("db_xh", "db_hh"),
        hidden_by=({"max_B": 1},),
    ),
)
