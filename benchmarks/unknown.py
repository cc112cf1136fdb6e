"""Single mistakes that no catalogue has, planted in the plain network, and what is to be found out about each.

A diagnosis may not give them a name; but where they are, it should say: outputs or gradients, which parameters, and
whether the gradient is wrong within a step or on its way from step to step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.planting import Changes, elman, gru, losses, lstm, network, parts
else:
    from planting import Changes, elman, gru, losses, lstm, network, parts

ONE_STEP, CARRIED = "one step", "carried"
ELMAN = ("dW_xh", "dW_hh", "db_xh", "db_hh")


@dataclass(frozen=True)
class Unknown:
    """A mistake that is in no catalogue.

    Attributes:
        says: what is wrong.
        changes: what plants it.
        case: a case that shows all that it makes wrong.
        parameters: the parameters whose gradients are wrong there; empty where outputs are, which makes all wrong.
        reach: "one step" or "carried"; empty where outputs are wrong.
        gates: the gates that it concerns alone, by letter; empty if all, or not asked.
        options: what has to be drawn for it to show.
    """

    says: str
    changes: Changes
    case: str
    parameters: tuple[str, ...] = ()
    reach: str = ""
    gates: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def outputs(self) -> bool:
        """Whether outputs are wrong."""
        return not self.reach

    @property
    def cell(self) -> str:
        """The cell that it is shown with."""
        return self.case.partition(":")[0]


PLAIN = "rnn_tanh:T4B3I2H3:regime=ordinary:seed=1"
GRU = "gru:T4B3I2H3:regime=ordinary:seed=1"
LSTM = "lstm:T4B3I2H3:regime=ordinary:seed=1"
PEEPHOLES = "lstm:T4B3I2H3:peephole=true:regime=ordinary:seed=1"

FORWARD = {
    "second bias added twice": Unknown("b_hh is added twice", elman(' + p["b_hh"]', ' + p["b_hh"] + p["b_hh"]'), PLAIN),
    "pre-activation a thousandth too large": Unknown(
        "tanh of 1.001 a", elman("h_new = np.tanh(k)", "h_new = np.tanh(1.001 * k)"), PLAIN
    ),
    "state half kept": Unknown(
        "h is the mean of the new state and the old one",
        elman("        h = h_new\n        if way", "        h = 0.5 * (h_new + h_prev)\n        if way"),
        PLAIN,
    ),
    "sigmoid for the candidate": Unknown("g is a sigmoid", lstm("g = np.tanh(clip(a_g", "g = sigmoid(clip(a_g"), LSTM),
    "cell state put out without tanh": Unknown(
        "h = o c", lstm("tanh_c = np.tanh(clip(c_new, spec.clip))", "tanh_c = clip(c_new, spec.clip)"), LSTM
    ),
    "bias inside the reset forgotten": Unknown(
        "q lacks b_hn", gru('q = h_in @ p["W_hn"].T + p["b_hn"]', 'q = h_in @ p["W_hn"].T'), GRU
    ),
    "update gate squared": Unknown("h takes z^2", gru("u = z if", "u = z * z if"), GRU),
    "reset gate of the sequence before": Unknown(
        "r is taken from the sequence before in the batch",
        gru("r = sigmoid(clip(a_r, spec.clip))", "r = np.roll(sigmoid(clip(a_r, spec.clip)), 1, axis=0)"),
        GRU,
        options={"max_B": 4},
    ),
}

WITHIN_A_STEP = {
    "slope of f a hundredth too large": Unknown(
        "da_f is 1.01 times what it should be",
        lstm("dc_new * c_prev * f * (1 - f)", "1.01 * dc_new * c_prev * f * (1 - f)"),
        LSTM,
        ELMAN,
        ONE_STEP,
    ),
    "slope of tanh for o": Unknown(
        "da_o has 1 - o^2", lstm("dm * tanh_c * o * (1 - o)", "dm * tanh_c * (1 - o * o)"), LSTM, ELMAN, ONE_STEP
    ),
    "slope of sigmoid for the candidate": Unknown(
        "da_g has g (1 - g)",
        lstm('(1 - cache["g"] * cache["g"])', '(cache["g"] * (1 - cache["g"]))'),
        LSTM,
        ELMAN,
        ONE_STEP,
    ),
    "one unit dropped": Unknown(
        "the last unit's pre-activation gets no gradient",
        elman('        g["dW_xh"] +=', '        da[:, -1] = 0\n        g["dW_xh"] +='),
        PLAIN,
        ELMAN,
        ONE_STEP,
    ),
    "first step counted twice in dW_hh": Unknown(
        "dW_hh has the first step twice",
        elman('g["dW_hh"] += da.T @ cache["h_in"]', 'g["dW_hh"] += (2 if s == 0 else 1) * da.T @ cache["h_in"]'),
        PLAIN,
        ("dW_hh",),
        ONE_STEP,
    ),
    "bias of the candidate from the first sequence": Unknown(
        "db_xg is that of the first sequence of the batch alone",
        lstm(
            'g["db_x" + gate] += da[gate].sum(axis=0)',
            'g["db_x" + gate] += da[gate][0] if gate == "g" else da[gate].sum(axis=0)',
        ),
        LSTM,
        ("db_xh",),
        ONE_STEP,
        "g",
    ),
    "slope of z twice": Unknown(
        "da_z has (1 - z)^2", gru("dz * z * (1 - z)", "dz * z * (1 - z) * (1 - z)"), GRU, ELMAN, ONE_STEP
    ),
    "output gate missing in dx": Unknown(
        "dx lacks the share of the output gate",
        lstm('dx_t += da[gate] @ p["W_x" + gate]', 'dx_t += da[gate] @ p["W_x" + gate] * (gate != "o")'),
        LSTM,
        (),
        ONE_STEP,
    ),
    "output gradient over T": Unknown(
        "dy is divided by T",
        elman("dh = dh_next + dy[at]", "dh = dh_next + dy[at] / len(dy)"),
        PLAIN,
        ELMAN,
        ONE_STEP,
    ),
    "dropout mask twice": Unknown(
        "the gradient between the layers is multiplied with the mask twice",
        network(
            'dbelow = dbelow * memory["masks"][layer - 1]',
            'dbelow = dbelow * memory["masks"][layer - 1] * memory["masks"][layer - 1]',
        ),
        "rnn_tanh:T4B3I2H3:layers=2:dropout=0.3:regime=ordinary:seed=1",
        ELMAN,
        ONE_STEP,
        options={"num_layers": 2, "dropout": True},
    ),
    "output layer with the state before": Unknown(
        "dW_hy is taken with the hidden state of the step before",
        network("dy[t].T @ hidden[t]", "dy[t].T @ hidden[t - 1]"),
        "rnn_tanh:T4B3I2H3O2:regime=ordinary:seed=1",
        ("dW_hy",),
        ONE_STEP,
        options={"output_layer": True},
    ),
    "projection without its signs": Unknown(
        "the gradient goes back through |W_hr|",
        lstm('dm = dh_new @ p["W_hr"]', 'dm = dh_new @ np.abs(p["W_hr"])'),
        "lstm:T4B3I2H3:proj_size=2:regime=ordinary:seed=1",
        (*ELMAN, "dW_hr"),
        ONE_STEP,
        options={"projection": True},
    ),
    "peephole of f from the input gate": Unknown(
        "dp_f is taken from da_i",
        lstm('(da["f"] * c_prev)', '(1 * da["i"] * c_prev)'),
        PEEPHOLES,
        ("dp_f",),
        ONE_STEP,
        options={"peephole": True},
    ),
    "attention missing in dz": Unknown(
        "da_z lacks 1 - score",
        gru("dz = du * (1 - way.score[at])", "dz = 1 * du"),
        "gru:T4B3I2H3:attention=true:regime=ordinary:seed=1",
        ELMAN,
        ONE_STEP,
        options={"attention": True},
    ),
    "clip at half its limit backward": Unknown(
        "the slope is 0 from half the limit on",
        parts("np.where(np.abs(a) <= limit,", "np.where(np.abs(a) <= limit / 2,"),
        "rnn_tanh:T4B3I2H3:clip=1.296875:regime=ordinary:seed=1",
        ELMAN,
        ONE_STEP,
        options={"clip": True},
    ),
    "softmax of twice the logits backward": Unknown(
        "the gradient has the softmax of 2 o",
        losses("dy_t = softmax(y[t])", "dy_t = softmax(2 * y[t])"),
        "rnn_tanh:T4B3I2H3:loss=cross_entropy:regime=ordinary:seed=1",
        ELMAN,
        ONE_STEP,
        options={"loss": "cross_entropy"},
    ),
    "reverse direction's dW_xh doubled": Unknown(
        "dW_xh of the reverse direction is twice what it should be",
        network(
            "gradients[name + end] = array",
            'gradients[name + end] = 2 * array if name + end == "dW_xh_reverse" else array',
        ),
        "rnn_tanh:T4B3I2H3:bidirectional=true:regime=ordinary:seed=1",
        ("dW_xh_reverse",),
        ONE_STEP,
        options={"bidirectional": True},
    ),
    "upper layer's bias not trained": Unknown(
        "db_xh of the upper layer is 0",
        network(
            "gradients[name + end] = array", 'gradients[name + end] = 0 * array if name + end == "db_xh_l1" else array'
        ),
        "rnn_tanh:T4B3I2H3:layers=2:regime=ordinary:seed=1",
        ("db_xh_l1",),
        ONE_STEP,
        options={"num_layers": 2},
    ),
    "final state's gradient twice": Unknown(
        "dh_n counts twice", gru('dh_next = dstates["h"]', 'dh_next = 2 * dstates["h"]'), GRU, ELMAN, ONE_STEP
    ),
    "last step missing for the forget gate": Unknown(
        "dW_hf lacks the last step",
        lstm(
            'g["dW_h" + gate] += da[gate].T @ cache["h_in"]',
            'g["dW_h" + gate] += 0 if gate == "f" and s == last - 1 else da[gate].T @ cache["h_in"]',
        ),
        LSTM,
        ("dW_hh",),
        ONE_STEP,
        "f",
    ),
    "dx zero at the second step": Unknown(
        "dx of the second step is 0",
        elman('dx[at] = da @ p["W_xh"]', 'dx[at] = (s != 1) * da @ p["W_xh"]'),
        PLAIN,
        (),
        ONE_STEP,
    ),
}

FROM_STEP_TO_STEP = {
    "reset gate missing in the carry": Unknown(
        "dh_prev lacks W_hr^T da_r",
        gru('dh_in + da_r @ p["W_hr"] + da_z @ p["W_hz"]', 'dh_in + da_z @ p["W_hz"]'),
        GRU,
        ELMAN,
        CARRIED,
    ),
    "gates swapped in the carry": Unknown(
        "dh_prev has W_hz^T da_r + W_hr^T da_z",
        gru('dh_in + da_r @ p["W_hr"] + da_z @ p["W_hz"]', 'dh_in + da_r @ p["W_hz"] + da_z @ p["W_hr"]'),
        GRU,
        ELMAN,
        CARRIED,
    ),
    "forget gate missing in the carry": Unknown(
        "dh_prev lacks W_hf^T da_f",
        lstm('dh_in += da[gate] @ p["W_h" + gate]', 'dh_in += da[gate] @ p["W_h" + gate] * (gate != "f")'),
        LSTM,
        ELMAN,
        CARRIED,
    ),
    "carry clipped": Unknown(
        "the carried gradient is clipped to 1/8",
        elman(
            "dh_next = np.where(alive, dh_prev, dh_next)",
            "dh_next = np.clip(np.where(alive, dh_prev, dh_next), -0.125, 0.125)",
        ),
        PLAIN,
        ELMAN,
        CARRIED,
    ),
    "peephole of i missing in the carry": Unknown(
        "dc_prev lacks p_i da_i",
        lstm('            dc_prev = dc_prev + da["i"] * p["p_i"]\n', ""),
        PEEPHOLES,
        (*ELMAN, "dp_i", "dp_f", "dp_o"),
        CARRIED,
        options={"peephole": True},
    ),
    "one unit of c not carried": Unknown(
        "the last unit of dc_prev is 0",
        lstm("        dc_prev = dc_new * f\n", "        dc_prev = dc_new * f\n        dc_prev[:, -1] = 0\n"),
        LSTM,
        ELMAN,
        CARRIED,
    ),
    "carried to the next sequence": Unknown(
        "the carried gradient goes to the next sequence of the batch",
        elman(
            "dh_next = np.where(alive, dh_prev, dh_next)",
            "dh_next = np.roll(np.where(alive, dh_prev, dh_next), 1, axis=0)",
        ),
        PLAIN,
        ELMAN,
        CARRIED,
    ),
    "every second carry lost": Unknown(
        "the gradient is not carried out of odd steps",
        elman(
            "dh_next = np.where(alive, dh_prev, dh_next)", "dh_next = np.where(alive, dh_prev, dh_next) * (s % 2 == 0)"
        ),
        PLAIN,
        ELMAN,
        CARRIED,
    ),
    "carry a thousandth too small": Unknown(
        "dh_prev is 0.999 times what it should be",
        elman('dh_in = da @ p["W_hh"]', 'dh_in = 0.999 * da @ p["W_hh"]'),
        PLAIN,
        ELMAN,
        CARRIED,
    ),
}

UNKNOWN: Mapping[str, Unknown] = FORWARD | WITHIN_A_STEP | FROM_STEP_TO_STEP
"""The mistakes, by what they are called here."""
