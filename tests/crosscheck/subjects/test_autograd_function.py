"""A torch.autograd.Function with a backward pass of its own: a right one passes, and each wrong line is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from crosscheck import ArgumentError, Case, Status, check
from crosscheck.conventions import Conventions
from crosscheck.examine import examine
from crosscheck.implementation import load, make
from crosscheck.subjects.autograd_function import adapt

FUSED = '''\
import torch


class Fused(torch.autograd.Function):
    """An LSTM layer, the backward pass by hand."""

    @staticmethod
    def forward(ctx, x, h_0, c_0, W_xh, W_hh, b_xh, b_hh):
        h, c, hs, cs, gates = h_0[0], c_0[0], [h_0[0]], [c_0[0]], []
        for x_t in x:
            i, f, g, o = (x_t @ W_xh.T + b_xh + h @ W_hh.T + b_hh).chunk(4, dim=1)
            i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
            c = f * c + i * g
            h = o * c.tanh()
            hs.append(h), cs.append(c), gates.append(torch.cat((i, f, g, o), dim=1))
        ctx.save_for_backward(x, W_xh, W_hh, torch.stack(hs), torch.stack(cs), torch.stack(gates))
        return torch.stack(hs[1:]), h[None], c[None]

    @staticmethod
    def backward(ctx, dy, dh_n, dc_n):
        x, W_xh, W_hh, hs, cs, gates = ctx.saved_tensors
        da, dh_next, dc_next = torch.empty_like(gates), dh_n[0], dc_n[0]
        for t in reversed(range(len(x))):
            i, f, g, o = gates[t].chunk(4, dim=1)
            s = cs[t + 1].tanh()
            dh = dy[t] + dh_next
            dc = dh * o * (1 - s * s) + dc_next
            di, df, dg, do = dc * g, dc * cs[t], dc * i, dh * s
            da[t] = torch.cat((di * i * (1 - i), df * f * (1 - f), dg * (1 - g * g), do * o * (1 - o)), dim=1)
            dh_next, dc_next = da[t] @ W_hh, dc * f
        dW_xh, dW_hh = (torch.einsum("tbg,tbn->gn", da, of) for of in (x, hs[:-1]))
        db = da.sum(dim=(0, 1))
        return da @ W_xh, dh_next[None], dc_next[None], dW_xh, dW_hh, db, db
'''
PLAIN = """\
import torch


class Plain(torch.autograd.Function):
    @staticmethod
    def forward(w, u, inputs):
        h, hs = inputs.new_zeros(len(inputs), u.shape[0]), []
        for t in range(inputs.shape[1]):
            h = torch.tanh(inputs[:, t] @ w + h @ u)
            hs.append(h)
        return torch.stack(hs, dim=1)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs, output)

    @staticmethod
    def backward(ctx, dy):
        w, u, x, y = ctx.saved_tensors
        da, dh_next = torch.empty_like(y), torch.zeros_like(y[:, 0])
        for t in reversed(range(y.shape[1])):
            da[:, t] = (dy[:, t] + dh_next) * (1 - y[:, t] ** 2)
            dh_next = da[:, t] @ u.T
        dw = torch.einsum("bti,bth->ih", x, da)
        du = torch.einsum("bti,bth->ih", y[:, :-1], da[:, 1:])
        return dw, du, da @ w.T
"""
THEIRS = Conventions(transposed=True, biases="none", batch_first=True, names={"W_xh": "w", "W_hh": "u", "x": "inputs"})


def written(folder: Path, code: str, right: str = "", wrong: str = "") -> Any:
    assert right in code
    (folder / "custom.py").write_text(code.replace(right, wrong) if right else code)
    return load(f"{folder}/custom.py:{'Fused' if code is FUSED else 'Plain'}")


def test_a_right_one_passes(tmp_path: Path) -> None:
    subject = make(written(tmp_path, FUSED), "autograd-function")
    assert {name: subject.options[name] for name in ("cell", "states", "bias")} == {
        "cell": ("lstm",),
        "states": ("both",),
        "bias": (True,),
    }
    assert subject.notes == ()
    report = check(subject, max_examples=15, seed=1)
    assert (report.failures, report.cases, report.inconclusive) == ((), 30, 0)


def test_names_and_conventions_are_theirs(tmp_path: Path) -> None:
    subject = make(written(tmp_path, PLAIN), "autograd-function", THEIRS)
    assert (subject.options["states"], subject.options["bias"]) == (("none",), (False,))
    assert len(subject.notes) == 2
    report = check(subject, max_examples=15, seed=1, cell="rnn_tanh", dtype="float64")
    assert (report.failures, report.cases) == ((), 15)


def test_both_steps_can_be_used_again(tmp_path: Path) -> None:
    from crosscheck.uses import check_uses

    verdicts = check_uses(make(written(tmp_path, FUSED), "autograd-function"), Case.parse("lstm:T3B2I2H2:seed=1"))
    assert {verdict.status for verdict in verdicts} == {Status.PASS}


@pytest.mark.parametrize(
    ("right", "wrong", "line", "tensors"),
    [
        (" + dc_next", "", "lstm:T2B1I1H1:regime=ordinary:seed=1", {"dx", "dc_0"}),
        ("dy[t] + dh_next", "dy[t]", "lstm:T2B1I1H1:regime=ordinary:seed=1", {"dx", "dh_0", "dW_hh"}),
        ("df * f * (1 - f)", "df * f", "lstm:T1B1I1H1:regime=ordinary:seed=1", {"dW_xh", "db_hh"}),
        ("(x, hs[:-1])", "(x, hs[1:])", "lstm:T1B1I1H2:regime=ordinary:seed=1", {"dW_hh"}),
        ("db, db\n", "db, 2 * db\n", "lstm:T1B1I1H1:regime=ordinary:seed=1", {"db_hh"}),
        ("dc * cs[t]", "dc * cs[t + 1]", "lstm:T1B1I1H1:regime=ordinary:seed=1", {"dW_xh"}),
        ("dc_next[None], dW_xh", "None, dW_xh", "lstm:T1B1I1H1:regime=ordinary:seed=1", {"dc_0"}),
    ],
)
def test_a_wrong_line_of_the_backward_pass_is_found(
    tmp_path: Path, right: str, wrong: str, line: str, tensors: set[str]
) -> None:
    subject = make(written(tmp_path, FUSED, right, wrong), "autograd-function")
    (verdict,) = examine([subject], Case.parse(line))
    failed = {c.name for c in verdict.checks if c.status is Status.FAIL}
    assert tensors <= failed
    assert not {"y", "h_n", "c_n"} & failed


class Scaled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:  # noqa: ARG004
        return x * scale


class NoCell(Scaled):
    @staticmethod
    def forward(ctx: Any, x: Any, h_0: Any, W_xh: Any, W_hh: Any, b_xh: Any, b_hh: Any) -> Any:  # type: ignore[override]  # noqa: ARG004
        return x.sum(dim=0)


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (len, "len: got builtin_function_or_method, wanted a subclass of torch.autograd.Function"),
        (torch.nn.GRU, "GRU: got type, wanted a subclass of torch.autograd.Function"),
        (Scaled, "Scaled: got rnn_tanh: it has no argument W_xh, W_hh; rnn_relu: it has no argument W_xh, W_hh; lstm"),
        (NoCell, "rnn_tanh: for T=7, B=3 it returned (3, 2), neither y nor all final states"),
    ],
)
def test_what_is_no_layer_is_refused_in_words(thing: Any, message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        adapt(thing, Conventions())
    assert message in str(error.value)


def test_an_unknown_name_is_refused_with_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"Plain: got forward\(w, u, inputs\), wanted x, states and parameters"):
        adapt(written(tmp_path, PLAIN), Conventions(biases="none"))
