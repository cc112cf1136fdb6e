"""Conventions found out: a dozen that are planted, and none claimed that does not fit."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from crosscheck.cli import cli
from crosscheck.conventions import Conventions
from crosscheck.errors import ArgumentError
from crosscheck.exits import NOTHING, PASSED
from crosscheck.infer import Fit, infer
from crosscheck.spec import GATES

THEIRS = runpy.run_path(str(Path(__file__).parent / "subjects" / "theirs.py"))
Arrays = Mapping[str, Any]


def sigmoid(a: Any) -> Any:
    return 1 / (1 + np.exp(-a))


def lstm(order: str) -> Callable[..., Any]:
    """Return an LSTM's forward pass with gate blocks in some order, rows and weights (out, in)."""

    def forward(x: Any, h_0: Any, c_0: Any, W_xh: Any, W_hh: Any, b_xh: Any, b_hh: Any) -> Any:
        h, c, y = h_0, c_0, []
        for x_t in x:
            a = dict(zip(order, np.split(x_t @ W_xh.T + h @ W_hh.T + b_xh + b_hh, 4, axis=1), strict=True))
            c = sigmoid(a["f"]) * c + sigmoid(a["i"]) * np.tanh(a["g"])
            h = sigmoid(a["o"]) * np.tanh(c)
            y.append(h)
        return np.stack(y), h, c

    return forward


def gru(order: str, after: bool, z_new: bool) -> Callable[..., Any]:
    """Return a GRU's forward pass."""

    def forward(x: Any, h_0: Any, W_xh: Any, W_hh: Any, b_xh: Any, b_hh: Any) -> Any:
        h, y = h_0, []
        at = {gate: slice(k * len(h.T), (k + 1) * len(h.T)) for k, gate in enumerate(order)}
        for x_t in x:
            a, b = x_t @ W_xh.T + b_xh, h @ W_hh.T + b_hh
            r, z = (sigmoid(a[:, at[gate]] + b[:, at[gate]]) for gate in "rz")
            n = at["n"]
            recurrent = r * b[:, n] if after else (r * h) @ W_hh[n].T + b_hh[n]
            new = np.tanh(a[:, n] + recurrent)
            h = z * new + (1 - z) * h if z_new else (1 - z) * new + z * h
            y.append(h)
        return np.stack(y), h

    return forward


def turned(forward: Callable[..., Any]) -> Callable[..., Any]:
    """Return an LSTM with weights (in, out) and one bias, batch first."""

    def other(x: Any, h_0: Any, c_0: Any, Wx: Any, Wh: Any, b: Any) -> Any:
        y, h, c = forward(x.swapaxes(0, 1), h_0, c_0, Wx.T, Wh.T, b, 0 * b)
        return y.swapaxes(0, 1), h, c

    return other


def joined(x: Any, h_0: Any, W: Any, b: Any) -> Any:
    """Return what an Elman layer with one weight on [h, x], on columns, gives."""
    h, y = h_0, []
    for x_t in x:
        h = np.tanh(W @ np.vstack((h, x_t)) + b)
        y.append(h)
    return np.stack(y), h


def per_gate(x: Any, h: Any, c: Any, Wf: Any, bf: Any, Wi: Any, bi: Any, Wc: Any, bc: Any, Wo: Any, bo: Any) -> Any:
    """Return what an LSTM gives that has a weight on [h, x] for each gate, (in, out)."""
    y = []
    for x_t in x:
        hx = np.hstack((h, x_t))
        c = sigmoid(hx @ Wf + bf) * c + sigmoid(hx @ Wi + bi) * np.tanh(hx @ Wc + bc)
        h = sigmoid(hx @ Wo + bo) * np.tanh(c)
        y.append(h)
    return np.stack(y), h, c


def no_biases(x: Any, h_0: Any, W_xh: Any, W_hh: Any) -> Any:
    """Return what a relu layer without biases gives, time last."""
    h, y = h_0, []
    for t in range(x.shape[2]):
        h = np.maximum(0, x[:, :, t] @ W_xh.T + h @ W_hh.T)
        y.append(h)
    return np.stack(y, axis=2), h


def unbatched(x: Any, h: Any, W_xh: Any, W_hh: Any, b: Any) -> Any:
    """Return what a layer for one sequence gives."""
    y = []
    for x_t in x:
        assert x_t.ndim == 1
        h = np.tanh(W_xh @ x_t + W_hh @ h + b)
        y.append(h)
    return np.stack(y), h


def backward(dy: Any, cache: Any = None) -> Any:
    """Fail: it must not be run."""
    raise RuntimeError("the backward pass was run")


PLANTED = [
    (lstm("ifgo"), "lstm", Conventions(), "lstm gates=ifgo (torch's, Keras's)"),
    (lstm("iofg"), "lstm", Conventions(gates="iofg"), "lstm gates=iofg (ONNX's)"),
    (lstm("igfo"), "lstm", Conventions(gates="igfo"), "lstm gates=igfo (TensorFlow 1's)"),
    (lstm("ofgi"), "lstm", Conventions(gates="ofgi"), "lstm gates=ofgi"),
    (
        turned(lstm("ifog")),
        "lstm",
        Conventions(gates="ifog", transposed=True, biases="one", batch_first=True),
        "lstm gates=ifog (Karpathy's) transposed biases=one batch_first",
    ),
    (per_gate, "lstm", Conventions(separate=True, joined="hx", transposed=True, biases="one"), ""),
    (gru("rzn", after=True, z_new=False), "gru", Conventions(), "gru gates=rzn (torch's)"),
    (gru("zrn", after=True, z_new=False), "gru", Conventions(gates="zrn"), "gru gates=zrn (Keras's, ONNX's)"),
    (gru("zrn", after=False, z_new=True), "gru", Conventions(gates="zrn", z_new=True, reset="before"), ""),
    (gru("nzr", after=False, z_new=False), "gru", Conventions(gates="nzr", reset="before"), ""),
    (joined, "rnn_tanh", Conventions(joined="hx", columns=True, biases="one"), "rnn_tanh columns joined=hx biases=one"),
    (no_biases, "rnn_relu", Conventions(biases="none", time_last=True), "rnn_relu biases=none time_last"),
    (unbatched, "rnn_tanh", Conventions(biases="one", unbatched=True), "rnn_tanh biases=one unbatched"),
]


@pytest.mark.parametrize(("forward", "cell", "conventions", "text"), PLANTED)
def test_what_is_planted_is_found_and_nothing_else(
    forward: Callable[..., Any], cell: str, conventions: Conventions, text: str
) -> None:
    (fit,) = infer((forward, backward), "numpy-pair")
    assert (fit.cell, fit.conventions, fit.fits) == (cell, conventions, True)
    assert sorted(str(fit).split()) == sorted(text.split()) or not text


@pytest.mark.parametrize("wrong", ["f * c - i * g", "np.tanh(f) * c + i * g"])
def test_a_wrong_forward_pass_fits_nothing(wrong: str, tmp_path: Path) -> None:
    file = tmp_path / "theirs.py"
    file.write_text(THEIRS["PAIR"].replace("f * c + i * g", wrong), encoding="utf-8")
    (fit,) = infer(f"{file}:forward,backward", "numpy-pair")
    assert (fit.cell, fit.fits) == ("lstm", False)
    assert fit.ratio > 1


@pytest.mark.parametrize(
    ("text", "attribute", "adapter", "known", "fit"),
    [
        (
            "LEARNER",
            "Net",
            "learner",
            Conventions(names={"W_xh": "U", "W_hh": "W", "W_hy": "V"}),
            ("rnn_tanh", Conventions(columns=True, biases="one", names={"W_xh": "U", "W_hh": "W", "W_hy": "V"})),
        ),
        (
            "ATTRIBUTES",
            "GRU",
            "attributes",
            Conventions(),
            ("gru", Conventions(columns=True, separate=True, biases="one", z_new=True)),
        ),
    ],
)
def test_a_class_is_asked_too(
    text: str, attribute: str, adapter: str, known: Conventions, fit: tuple[str, Conventions], tmp_path: Path
) -> None:
    file = tmp_path / "theirs.py"
    file.write_text(THEIRS[text], encoding="utf-8")
    (found,) = infer(f"{file}:{attribute}", adapter, conventions=known)
    assert (found.cell, found.conventions, found.fits) == (*fit, True)


def test_what_is_known_already_is_not_tried_otherwise() -> None:
    (fit,) = infer((lstm("ifog"), backward), "numpy-pair", ["lstm"], Conventions(gates="ifgo"))
    assert (fit.conventions.gates or "ifgo", fit.fits) == ("ifgo", False)


def test_code_that_never_runs_says_why() -> None:
    def forward(x: Any, W_xh: Any, W_hh: Any, b: Any) -> Any:
        raise KeyError("gone")

    with pytest.raises(ArgumentError, match="KeyError: 'gone'"):
        infer((forward, backward), "numpy-pair")


def test_all_that_fits_is_said() -> None:
    def forward(x: Any, h_0: Any, W_xh: Any, W_hh: Any, b_xh: Any, b_hh: Any) -> Any:
        of = x.shape[0] if W_xh.shape[1] == x.shape[2] else None  # takes weights either way round
        W_xh, W_hh = (W_xh, W_hh) if of else (W_xh.T, W_hh.T)
        h, y = h_0, []
        for x_t in x:
            h = np.tanh(x_t @ W_xh.T + h @ W_hh.T + b_xh + b_hh)
            y.append(h)
        return np.stack(y), h

    fits = infer((forward, backward), "numpy-pair", ["rnn_tanh"])
    assert [(fit.conventions, fit.fits) for fit in fits] == [
        (Conventions(), True),
        (Conventions(transposed=True), True),
    ]


def test_on_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "theirs.py"
    file.write_text(THEIRS["PAIR"], encoding="utf-8")
    asked = ["run", f"{file}:forward,backward", "--as", "numpy-pair", "--infer", "--max-examples", "5"]
    result = CliRunner().invoke(cli, asked, standalone_mode=False)
    assert result.output.splitlines()[0] == "  fits         lstm gates=ifog (Karpathy's) transposed biases=one"
    assert "--as numpy-pair --set gates=ifog --set transposed=true --set biases=one" in result.output
    assert result.return_value == PASSED
    file.write_text(THEIRS["PAIR"].replace("f * c + i * g", "f * c - i * g"), encoding="utf-8")
    result = CliRunner().invoke(cli, asked, standalone_mode=False)
    assert "no conventions fit" in result.output
    assert "  nearest      lstm gates=" in result.output
    assert result.return_value == NOTHING
    result = CliRunner().invoke(cli, ["run", f"{file}:forward", "--infer"], standalone_mode=False)
    assert str(result.exception) == "infer: got no adapter, wanted --as with it: conventions are for an adapter"


def test_a_fit_says_whose_order_it_is() -> None:
    assert str(Fit("gru", Conventions(z_new=True), True, 0.0)) == "gru gates=rzn (torch's) z_new"
    assert tuple(GATES) == ("rnn_tanh", "rnn_relu", "lstm", "gru")
