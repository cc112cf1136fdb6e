"""An LSTM layer by hand, forward and backward, in NumPy.

Batches come first: x is (N, T, D), a state (N, U). All weights are in one kernel K (D + U, 4 U), which is multiplied
with the input and the previous output side by side, and there is one bias (4 U,). The blocks of 4 U are

    f   forget gate         sigmoid
    u   update gate         sigmoid
    o   output gate         sigmoid
    p   proposal            tanh
"""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(x, h, c, K, bias):
    """Run the layer from the states h and c; return all outputs, the last h and c, and what `backward` needs."""
    N, T, _ = x.shape
    U = h.shape[1]
    out = np.zeros((N, T, U), dtype=x.dtype)
    tape = []
    for t in range(T):
        xh = np.concatenate([x[:, t], h], axis=1)
        z = xh @ K + bias
        f, u, o, p = sigmoid(z[:, :U]), sigmoid(z[:, U : 2 * U]), sigmoid(z[:, 2 * U : 3 * U]), np.tanh(z[:, 3 * U :])
        c_before = c
        c = f * c_before + u * p
        squashed = np.tanh(c)
        h = o * squashed
        out[:, t] = h
        tape.append((xh, f, u, o, p, c_before, squashed))
    return out, h, c, tape


def backward(grad_out, grad_h, grad_c, K, tape):
    """Go back through the tape, from the gradients of all outputs and of the last h and c.

    Returns:
        the gradients of x, of the first h and c, of K and of the bias.
    """
    N, T, U = grad_out.shape
    D = len(K) - U
    grad_x = np.zeros((N, T, D), dtype=K.dtype)
    grad_K = np.zeros_like(K)
    grad_bias = np.zeros(4 * U, dtype=K.dtype)
    for t in reversed(range(T)):
        xh, f, u, o, p, c_before, squashed = tape[t]
        grad_h = grad_h + grad_out[:, t]
        grad_c = grad_c + grad_h * o * (1 - squashed**2)
        grad_f = grad_c * c_before * f * (1 - f)
        grad_u = grad_c * p * u * (1 - u)
        grad_o = grad_h * squashed * o * (1 - o)
        grad_p = grad_c * u * (1 - p**2)
        grad_z = np.concatenate([grad_f, grad_u, grad_o, grad_p], axis=1)
        grad_K += xh.T @ grad_z
        grad_bias += grad_z.sum(axis=0)
        grad_xh = grad_z @ K.T
        grad_x[:, t] = grad_xh[:, :D]
        grad_h = grad_xh[:, D:]
        grad_c = grad_c * f
    return grad_x, grad_h, grad_c, grad_K, grad_bias


# What rnn-crosscheck calls: a problem in its names and its layout goes in, outputs and gradients in them come out. It
# has time first, weights as (out, in), apart for x and for h, two biases, and the gates in the order update, forget,
# proposal, output. Nothing is computed here but the sum of the two biases, whose gradients are therefore the same.
def subject(case):
    x, h, c = case.x.swapaxes(0, 1), case.h_0[0], case.c_0[0]
    K = np.concatenate([to_my_order(case.params["W_xh"]).T, to_my_order(case.params["W_hh"]).T])
    bias = to_my_order(case.params["b_xh"] + case.params["b_hh"])
    out, last_h, last_c, tape = forward(x, h, c, K, bias)
    grad_x, grad_h, grad_c, grad_K, grad_bias = backward(case.dy.swapaxes(0, 1), case.dh_n[0], case.dc_n[0], K, tape)
    D = x.shape[2]
    return {
        "y": out.swapaxes(0, 1),
        "h_n": last_h[None],
        "c_n": last_c[None],
        "dx": grad_x.swapaxes(0, 1),
        "dh_0": grad_h[None],
        "dc_0": grad_c[None],
        "dW_xh": to_its_order(grad_K[:D].T),
        "dW_hh": to_its_order(grad_K[D:].T),
        "db_xh": to_its_order(grad_bias),
        "db_hh": to_its_order(grad_bias),
    }


def to_my_order(blocks):
    u, f, p, o = np.split(blocks, 4)
    return np.concatenate([f, u, o, p])


def to_its_order(blocks):
    f, u, o, p = np.split(blocks, 4)
    return np.concatenate([u, f, p, o])
