"""F12: the masks of dropout and zoneout: left out backward, of another step, or of the wrong rate."""

from __future__ import annotations

from crosscheck.mistakes.mistake import EVERY_CELL, Mistake
from crosscheck.referee.patched import Patch

MISTAKES = (
    Mistake(
        name="dropout.not-backward",
        family="F12",
        says="the dropout mask between layers is not applied to the gradient",
        right="dy = dx * mask",
        wrong="dy = dx",
        belief="Dropout is a matter of the forward pass.",
        source="pytorch/pytorch#190056",
        patches=(Patch("manual_rnn/stack.py", "dy = dx if mask is None else dx * mask", "dy = dx"),),
        options={"cell": EVERY_CELL, "num_layers": 2, "dropout": True},
        case="rnn_tanh:T1B1I1H1:layers=2:dropout=0.3:seed=0",
        tensors=("dW_hh", "dW_xh", "db_hh"),
    ),
    Mistake(
        name="dropout.weights-from-undropped-input",
        family="F12",
        says="the upper layer's dW_xh is taken with its input before dropout",
        right="dW_xh += np.outer(da, mask * y_below)",
        wrong="dW_xh += np.outer(da, y_below)",
        belief="The input of a layer is the output of the one below.",
        source="pytorch/pytorch#190056",
        patches=(
            Patch(
                "manual_rnn/stack.py",
                "passes.append(Pass(weights[k], order, tape))",
                "passes.append(Pass(weights[k], order, tape._replace(x=y[order.there])))",
            ),
        ),
        options={"cell": EVERY_CELL, "num_layers": 2, "dropout": True},
        case="rnn_tanh:T1B1I1H1:layers=2:dropout=0.3:seed=0",
        tensors=("dW_xh_l1",),
    ),
    Mistake(
        name="dropout.mask-of-the-first-step",
        family="F12",
        says="the dropout mask of the first step is used at every step",
        right="x = y_below[t] * mask[t]",
        wrong="x = y_below[t] * mask[0]",
        belief="One mask for the whole sequence.",
        source="lmnt-com/haste#43",
        patches=(Patch("manual_rnn/stack.py", "else y * mask", "else y * mask[:1]"),),
        options={"cell": EVERY_CELL, "num_layers": 2, "dropout": True},
        case="rnn_tanh:T2B2I1H1:layers=2:dropout=0.3:seed=12",
        tensors=("h_n",),
        hidden_by=({"max_T": 1},),
    ),
    Mistake(
        name="dropout.recurrent-at-inference",
        family="F12",
        says="recurrent dropout scales h_prev at inference too",
        right="h_in = mask * h_prev if train else h_prev",
        wrong="h_in = mask * h_prev",
        belief="What is dropped in training is scaled at inference, always.",
        source="lmnt-com/haste af7432f",
        patches=(
            Patch(
                "crosscheck/subjects/manual.py",
                "recurrent=case.recurrent,",
                (
                    "recurrent=case.recurrent if spec.train or not spec.recurrent_dropout else 0 * case.h_0[:,"
                    " None].repeat(case.T, axis=1) + 0.5,"
                ),
            ),
        ),
        options={"cell": EVERY_CELL, "recurrent_dropout": True, "train": (True, False)},
        case="rnn_tanh:T1B1I1H1:recurrent_dropout=0.3:train=false:seed=0",
        tensors=("dW_hh", "dW_xh", "db_hh", "h_n"),
        hidden_by=({"train": True},),
    ),
    Mistake(
        name="dropout.recurrent-only-with-dropout",
        family="F12",
        says="recurrent dropout is ignored unless there is dropout between the layers",
        right="h_in = mask * h_prev",
        wrong="h_in = mask * h_prev if dropout else h_prev",
        belief="Masks are made if there is dropout.",
        source="clab/dynet#839",
        patches=(
            Patch(
                "crosscheck/subjects/manual.py",
                "recurrent=case.recurrent,",
                "recurrent=case.recurrent if spec.dropout else None,",
            ),
        ),
        options={"cell": EVERY_CELL, "recurrent_dropout": True, "train": (True, False), "num_layers": (1, 2)},
        case="rnn_tanh:T1B1I1H1:recurrent_dropout=0.3:seed=0",
        tensors=("dW_hh", "dW_xh", "db_hh", "h_n"),
    ),
    Mistake(
        name="dropout.recurrent-not-backward",
        family="F12",
        says="the recurrent dropout mask is not applied to the gradient",
        right="dh_prev = mask * (W_hh.T @ da)",
        wrong="dh_prev = W_hh.T @ da",
        belief="Dropout is a matter of the forward pass.",
        source="lmnt-com/haste#43",
        patches=(
            Patch(
                "manual_rnn/cells/recurrent_dropout.py", "return mask * cell.backward_step", "return cell.backward_step"
            ),
        ),
        options={"cell": EVERY_CELL, "recurrent_dropout": True, "train": (True, False)},
        case="rnn_tanh:T1B1I1H1:recurrent_dropout=0.3:seed=0",
        tensors=("dh_0",),
    ),
    Mistake(
        name="dropout.recurrent-of-the-carry",
        family="F12",
        says="recurrent dropout drops h_prev in the GRU's sum too, not in the recurrent product alone",
        right="h = (1 - z) * n + z * h_prev",
        wrong="h = (1 - z) * n + z * (mask * h_prev)",
        belief="A dropped unit is 0 wherever it is used.",
        source="",
        patches=(
            Patch(
                "manual_rnn/cells/recurrent_dropout.py",
                "cell.forward_step(weights, gates, h_in, h_prev, *rest)",
                "cell.forward_step(weights, gates, h_in, h_in, *rest)",
            ),
        ),
        options={"cell": "gru", "recurrent_dropout": True, "train": (True, False)},
        case="gru:T1B1I1H1:recurrent_dropout=0.3:seed=0",
        tensors=("h_n",),
    ),
    Mistake(
        name="zoneout.mask-of-the-first-step",
        family="F12",
        says="the zoneout mask of the first step is used at every step",
        right="h = d[t] * h_prev + (1 - d[t]) * h",
        wrong="h = d[0] * h_prev + (1 - d[0]) * h",
        belief="The mask's pointer needs no offset.",
        source="lmnt-com/haste#43",
        patches=(
            Patch(
                "manual_rnn/stack.py",
                "series = tuple([array[order.there] for array in given[k]])",
                "series = tuple([np.repeat(array[:1], len(array), axis=0)[order.there] for array in given[k]])",
            ),
        ),
        options={"cell": EVERY_CELL, "zoneout": True, "train": (True, False)},
        case="rnn_tanh:T2B1I1H2:zoneout=0.3:seed=2",
        tensors=("y", "h_n"),
        hidden_by=(
            {"max_T": 1},
            {"zoneout": True, "train": False},
        ),
    ),
    Mistake(
        name="zoneout.kept-for-updated",
        family="F12",
        says="the gradient goes to the new state where the old one was kept",
        right="dh = (1 - d) * dh",
        wrong="dh = d * dh",
        belief="The rate is that of updating.",
        source="rsokl/MyGrad 832d20f4, where a drop rate is a keep rate",
        patches=(Patch("manual_rnn/cells/zoneout.py", "[(1 - d) * dstate for", "[d * dstate for"),),
        options={"cell": EVERY_CELL, "zoneout": True, "train": (True, False)},
        case="rnn_tanh:T1B1I1H1:zoneout=0.3:seed=0",
        tensors=("dW_hh", "dW_xh", "db_hh"),
    ),
    Mistake(
        name="zoneout.no-gradient-to-what-is-kept",
        family="F12",
        says="what zoneout keeps of the old state gets no gradient",
        right="dh_prev += d * dh",
        wrong="dh_prev += 0",
        belief="The gradient goes through the cell.",
        source="lmnt-com/haste#43",
        patches=(Patch("manual_rnn/cells/zoneout.py", "dprev += d * dstate", "dprev += 0 * dstate"),),
        options={"cell": EVERY_CELL, "zoneout": True, "train": (True, False)},
        case="rnn_tanh:T1B1I1H1:zoneout=0.3:seed=4",
        tensors=("dh_0",),
    ),
)
