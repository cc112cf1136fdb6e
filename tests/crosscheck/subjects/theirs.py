"""Layers as people write them, for the tests of adapters: text, so that a mistake can be planted in it."""

from __future__ import annotations

PAIR = """
import numpy as np

def sigmoid(a):
    return 1 / (1 + np.exp(-a))

def forward(x, h0, c0, Wx, Wh, b):
    h, c, cache, hs = h0, c0, [], []
    for x_t in x:
        i, f, o, g = np.split(x_t @ Wx + h @ Wh + b, 4, axis=1)
        i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
        c_next = f * c + i * g
        cache.append((x_t, h, c, i, f, o, g, c_next))
        h, c = o * np.tanh(c_next), c_next
        hs.append(h)
    return np.stack(hs), (h, c), (cache, Wx, Wh)

def backward(dhs, dh, dc, cache):
    cache, Wx, Wh = cache
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(Wh.shape[1])
    dx = []
    for t in reversed(range(len(cache))):
        x_t, h, c, i, f, o, g, c_next = cache[t]
        dh = dh + dhs[t]
        tc = np.tanh(c_next)
        dc = dc + dh * o * (1 - tc ** 2)
        da = np.hstack([dc * g * i * (1 - i), dc * c * f * (1 - f), dh * tc * o * (1 - o), dc * i * (1 - g ** 2)])
        dWx += x_t.T @ da
        dWh += h.T @ da
        db += da.sum(axis=0)
        dx.append(da @ Wx.T)
        dh, dc = da @ Wh.T, dc * f
    return np.stack(dx[::-1]), dh, dc, dWx, dWh, db
"""
"""An LSTM in Karpathy's order of gates, two functions; weights (in, out), one bias."""

LEARNER = """
import numpy as np

class Net:
    def __init__(self, n_in, n_hidden, n_out):
        self.U = np.random.randn(n_hidden, n_in) * 0.01
        self.W = np.random.randn(n_hidden, n_hidden) * 0.01
        self.V = np.random.randn(n_out, n_hidden) * 0.01
        self.bh = np.zeros((n_hidden, 1))
        self.by = np.zeros((n_out, 1))

    def forward(self, x):
        self.hs, self.ys = {-1: np.zeros_like(self.bh)}, {}
        for t in range(len(x)):
            self.hs[t] = np.tanh(self.U @ x[t].reshape(-1, 1) + self.W @ self.hs[t - 1] + self.bh)
            self.ys[t] = self.V @ self.hs[t] + self.by
        return self.ys

    def backward(self, x, y, lr):
        dU, dW, dV = np.zeros_like(self.U), np.zeros_like(self.W), np.zeros_like(self.V)
        dbh, dby = np.zeros_like(self.bh), np.zeros_like(self.by)
        carry = np.zeros_like(self.bh)
        for t in reversed(range(len(x))):
            dy = self.ys[t] - y[t].reshape(-1, 1)
            dV += dy @ self.hs[t].T
            dby += dy
            da = (self.V.T @ dy + carry) * (1 - self.hs[t] ** 2)
            dU += da @ x[t].reshape(1, -1)
            dW += da @ self.hs[t - 1].T
            dbh += da
            carry = self.W.T @ da
        for weight, gradient in ((self.U, dU), (self.W, dW), (self.V, dV), (self.bh, dbh), (self.by, dby)):
            weight -= lr * gradient
"""
"""An Elman network that learns by itself, with letters for names."""

ATTRIBUTES = """
import numpy as np

def sigmoid(a):
    return 1 / (1 + np.exp(-a))

class GRU:
    def __init__(self, input_dim, hidden_dim):
        rng = np.random.default_rng(0)
        self.params = {}
        for gate in "zrh":
            self.params["W" + gate] = rng.normal(size=(hidden_dim, input_dim))
            self.params["U" + gate] = rng.normal(size=(hidden_dim, hidden_dim))
            self.params["b" + gate] = np.zeros((hidden_dim, 1))
        self.grads = {}

    def forward(self, x, h0):
        p, self.tape, hs, h = self.params, [], [], h0
        for x_t in x:
            z = sigmoid(p["Wz"] @ x_t + p["Uz"] @ h + p["bz"])
            r = sigmoid(p["Wr"] @ x_t + p["Ur"] @ h + p["br"])
            n = np.tanh(p["Wh"] @ x_t + p["Uh"] @ (r * h) + p["bh"])
            self.tape.append((x_t, h, z, r, n))
            h = (1 - z) * h + z * n
            hs.append(h)
        return hs, h

    def backward(self, dy, dh_n):
        p = self.params
        self.grads = {name: np.zeros_like(value) for name, value in p.items()}
        dh, dx = dh_n, []
        for dy_t, (x_t, h, z, r, n) in zip(reversed(dy), reversed(self.tape)):
            dh = dh + dy_t
            dn = dh * z * (1 - n ** 2)
            drh = p["Uh"].T @ dn
            dz = dh * (n - h) * z * (1 - z)
            dr = drh * h * r * (1 - r)
            for gate, da, seen in (("z", dz, h), ("r", dr, h), ("h", dn, r * h)):
                self.grads["W" + gate] += da @ x_t.T
                self.grads["U" + gate] += da @ seen.T
                self.grads["b" + gate] += da.sum(axis=1, keepdims=True)
            dx.append(p["Wz"].T @ dz + p["Wr"].T @ dr + p["Wh"].T @ dn)
            dh = dh * (1 - z) + drh * r + p["Uz"].T @ dz + p["Ur"].T @ dr
        return dx[::-1], dh
"""
"""A GRU as in Cho et al. 2014, a weight for each gate, columns, gradients in a dictionary."""
