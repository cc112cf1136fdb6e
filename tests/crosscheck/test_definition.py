"""The definition, calculated by hand, against torch.nn, and for what it depends on."""

from __future__ import annotations

import ast
import importlib.util
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from crosscheck import Case, Spec
from crosscheck.implementation import make
from crosscheck.referee import definition
from crosscheck.referee.reference import reference
from crosscheck.strategies import EVERYTHING, cases, supported, supports


def sigmoid(a: float) -> float:
    return 1 / (1 + math.exp(-a))


def scalars(case: Case) -> dict[str, Any]:
    """Return the arrays of a case with one step, one sequence, one input and one unit: a list of numbers each."""
    return {name: [float(number) for number in array.ravel()] for name, array in case.arrays.items()}


def assert_values(case: Case, wanted: dict[str, Any]) -> None:
    """Assert that the definition's values are those by hand: so near as any two programs have to be."""
    computed, bound = definition.values(case), reference(case).bound
    assert computed.keys() == wanted.keys() == case.result_shapes.keys()
    for name, shape in case.result_shapes.items():
        assert computed[name].shape == shape
        assert computed[name].dtype == np.float64
        assert np.all(np.abs(computed[name].ravel() - np.ravel(wanted[name])) <= bound[name].ravel()), name
    for name, output in definition.outputs(case).items():
        assert np.array_equal(np.asarray(output, dtype=np.float64), computed[name])


def spread(da_x: list[float], da_h: list[float], a: dict[str, Any]) -> dict[str, Any]:
    """Return the gradients of the two affine maps from those of their results, a number a gate."""
    return {
        "dW_xh": [d * a["x"][0] for d in da_x],
        "dW_hh": [d * a["h_0"][0] for d in da_h],
        "db_xh": da_x,
        "db_hh": da_h,
        "dx": sum(d * w for d, w in zip(da_x, a["W_xh"], strict=True)),
    }


def shares(a: dict[str, Any]) -> tuple[list[float], list[float]]:
    """Return W_xh x + b_xh and W_hh h_0 + b_hh, a number a gate."""
    of_x = [w * a["x"][0] + b for w, b in zip(a["W_xh"], a["b_xh"], strict=True)]
    return of_x, [w * a["h_0"][0] + b for w, b in zip(a["W_hh"], a["b_hh"], strict=True)]


@pytest.mark.parametrize("seed", range(3))
def test_the_tanh_cell_by_hand(seed: int) -> None:
    case = Case.parse(f"rnn_tanh:T1B1I1H1:regime=ordinary:seed={seed}")
    a = scalars(case)
    (of_x,), (of_h,) = shares(a)
    h = math.tanh(of_x + of_h)
    da = (a["dy"][0] + a["dh_n"][0]) * (1 - h * h)
    assert_values(case, {"y": h, "h_n": h, "dh_0": da * a["W_hh"][0], **spread([da], [da], a)})


@pytest.mark.parametrize("seed", range(8))
def test_the_relu_cell_by_hand(seed: int) -> None:
    case = Case.parse(f"rnn_relu:T1B1I1H1:seed={seed}")
    a = scalars(case)
    (of_x,), (of_h,) = shares(a)
    h = max(of_x + of_h, 0.0)
    da = a["dy"][0] + a["dh_n"][0] if h > 0 else 0.0
    assert_values(case, {"y": h, "h_n": h, "dh_0": da * a["W_hh"][0], **spread([da], [da], a)})


@pytest.mark.parametrize("seed", range(3))
def test_the_lstm_cell_by_hand(seed: int) -> None:
    case = Case.parse(f"lstm:T1B1I1H1:regime=ordinary:seed={seed}")
    a = scalars(case)
    a_i, a_f, a_g, a_o = (u + w for u, w in zip(*shares(a), strict=True))
    i, f, g, o, c_0 = sigmoid(a_i), sigmoid(a_f), math.tanh(a_g), sigmoid(a_o), a["c_0"][0]
    c = f * c_0 + i * g
    h = o * math.tanh(c)
    dh = a["dy"][0] + a["dh_n"][0]
    dc = a["dc_n"][0] + dh * o * (1 - math.tanh(c) ** 2)
    da = [dc * g * i * (1 - i), dc * c_0 * f * (1 - f), dc * i * (1 - g * g), dh * math.tanh(c) * o * (1 - o)]
    dh_0 = sum(d * w for d, w in zip(da, a["W_hh"], strict=True))
    assert_values(case, {"y": h, "h_n": h, "c_n": c, "dh_0": dh_0, "dc_0": dc * f, **spread(da, da, a)})


@pytest.mark.parametrize("seed", range(3))
def test_the_gru_cell_by_hand(seed: int) -> None:
    case = Case.parse(f"gru:T1B1I1H1:regime=ordinary:seed={seed}")
    a = scalars(case)
    (x_r, x_z, x_n), (h_r, h_z, q) = shares(a)
    h_0 = a["h_0"][0]
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    n = math.tanh(x_n + r * q)
    h = (1 - z) * n + z * h_0
    dh = a["dy"][0] + a["dh_n"][0]
    da_n, da_z = dh * (1 - z) * (1 - n * n), dh * (h_0 - n) * z * (1 - z)
    da_r, dq = da_n * q * r * (1 - r), da_n * r
    dh_0 = dh * z + da_r * a["W_hh"][0] + da_z * a["W_hh"][1] + dq * a["W_hh"][2]
    assert_values(case, {"y": h, "h_n": h, "dh_0": dh_0, **spread([da_r, da_z, da_n], [da_r, da_z, dq], a)})


@pytest.mark.parametrize("seed", range(3))
def test_the_gru_cell_with_reset_before_by_hand(seed: int) -> None:
    case = Case.parse(f"gru:T1B1I1H1:reset_after=false:regime=ordinary:seed={seed}")
    a = scalars(case)
    (x_r, x_z, x_n), (h_r, h_z, _) = shares(a)
    h_0 = a["h_0"][0]
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    n = math.tanh(x_n + a["W_hh"][2] * r * h_0 + a["b_hh"][2])
    h = (1 - z) * n + z * h_0
    dh = a["dy"][0] + a["dh_n"][0]
    da_n, da_z = dh * (1 - z) * (1 - n * n), dh * (h_0 - n) * z * (1 - z)
    ds = da_n * a["W_hh"][2]
    da = [ds * h_0 * r * (1 - r), da_z, da_n]
    dh_0 = dh * z + ds * r + da[0] * a["W_hh"][0] + da_z * a["W_hh"][1]
    wanted = spread(da, da, a) | {"dW_hh": [da[0] * h_0, da_z * h_0, da_n * r * h_0]}
    assert_values(case, {"y": h, "h_n": h, "dh_0": dh_0, **wanted})


@pytest.mark.parametrize("seed", range(3))
def test_the_lstm_with_peepholes_and_a_forget_bias_by_hand(seed: int) -> None:
    case = Case.parse(f"lstm:T1B1I1H1:peephole=true:forget_bias=0.5:regime=ordinary:seed={seed}")
    a = scalars(case)
    a_i, a_f, a_g, a_o = (u + w for u, w in zip(*shares(a), strict=True))
    (p_i,), (p_f,), (p_o,), (c_0,) = a["p_i"], a["p_f"], a["p_o"], a["c_0"]
    i, f, g = sigmoid(a_i + p_i * c_0), sigmoid(a_f + p_f * c_0 + 0.5), math.tanh(a_g)
    c = f * c_0 + i * g
    o = sigmoid(a_o + p_o * c)
    h = o * math.tanh(c)
    dh = a["dy"][0] + a["dh_n"][0]
    da_o = dh * math.tanh(c) * o * (1 - o)
    dc = a["dc_n"][0] + dh * o * (1 - math.tanh(c) ** 2) + da_o * p_o
    da = [dc * g * i * (1 - i), dc * c_0 * f * (1 - f), dc * i * (1 - g * g), da_o]
    wanted = {"y": h, "h_n": h, "c_n": c, "dp_i": da[0] * c_0, "dp_f": da[1] * c_0, "dp_o": da_o * c}
    wanted["dh_0"] = sum(d * w for d, w in zip(da, a["W_hh"], strict=True))
    wanted["dc_0"] = dc * f + da[0] * p_i + da[1] * p_f
    assert_values(case, {**wanted, **spread(da, da, a)})


@pytest.mark.parametrize("seed", range(3))
def test_the_lstm_with_coupled_gates_by_hand(seed: int) -> None:
    case = Case.parse(f"lstm:T1B1I1H1:coupled=true:regime=ordinary:seed={seed}")
    a = scalars(case)
    a_i, a_g, a_o = (u + w for u, w in zip(*shares(a), strict=True))
    i, g, o, c_0 = sigmoid(a_i), math.tanh(a_g), sigmoid(a_o), a["c_0"][0]
    c = (1 - i) * c_0 + i * g
    h = o * math.tanh(c)
    dh = a["dy"][0] + a["dh_n"][0]
    dc = a["dc_n"][0] + dh * o * (1 - math.tanh(c) ** 2)
    da = [dc * (g - c_0) * i * (1 - i), dc * i * (1 - g * g), dh * math.tanh(c) * o * (1 - o)]
    dh_0 = sum(d * w for d, w in zip(da, a["W_hh"], strict=True))
    assert_values(case, {"y": h, "h_n": h, "c_n": c, "dh_0": dh_0, "dc_0": dc * (1 - i), **spread(da, da, a)})


@pytest.mark.parametrize("seed", range(3))
def test_the_gru_with_attention_by_hand(seed: int) -> None:
    case = Case.parse(f"gru:T1B1I1H1:attention=true:regime=ordinary:seed={seed}")
    a = scalars(case)
    (x_r, x_z, x_n), (h_r, h_z, q) = shares(a)
    h_0, score = a["h_0"][0], a["attention"][0]
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    n = math.tanh(x_n + r * q)
    kept = (1 - score) * z
    h = (1 - kept) * n + kept * h_0
    dh = a["dy"][0] + a["dh_n"][0]
    da_n, dkept = dh * (1 - kept) * (1 - n * n), dh * (h_0 - n)
    da_z, da_r, dq = dkept * (1 - score) * z * (1 - z), da_n * q * r * (1 - r), da_n * r
    wanted = {"y": h, "h_n": h, "dattention": -dkept * z}
    wanted["dh_0"] = dh * kept + da_r * a["W_hh"][0] + da_z * a["W_hh"][1] + dq * a["W_hh"][2]
    assert_values(case, {**wanted, **spread([da_r, da_z, da_n], [da_r, da_z, dq], a)})


@pytest.mark.parametrize("seed", range(3))
def test_recurrent_dropout_and_zoneout_by_hand(seed: int) -> None:
    case = Case.parse(f"rnn_tanh:T1B1I1H1:recurrent_dropout=0.3:zoneout=0.3:regime=ordinary:seed={seed}")
    for mask, d in ((0.0, 0.0), (1.5, 0.0), (1.5, 1.0), (1.5, 0.25)):
        masks = {"recurrent": np.full((1, 1, 1, 1), mask), "zoneout_h": np.full((1, 1, 1, 1), d)}
        given = Case(case.spec, 1, 1, arrays={**case.arrays, **masks})
        a = scalars(given)
        h_0, w = a["h_0"][0], a["W_hh"][0]
        new = math.tanh(a["W_xh"][0] * a["x"][0] + a["b_xh"][0] + w * mask * h_0 + a["b_hh"][0])
        h = d * h_0 + (1 - d) * new
        dh = a["dy"][0] + a["dh_n"][0]
        da = (1 - d) * dh * (1 - new * new)
        wanted = {"y": h, "h_n": h, "dh_0": da * w * mask + d * dh, **spread([da], [da], a)}
        assert_values(given, wanted | {"dW_hh": da * mask * h_0})


def test_the_projection_by_hand() -> None:
    case = Case.parse("lstm:T1B1I1H2:proj_size=1:regime=ordinary:seed=1")
    plain = Case(Spec("lstm", 1, 2), 1, 1, arrays=_unprojected(dict(case.arrays)))
    h = definition.values(plain)["y"][0, 0]  # o tanh(c), since W_hh and h_0 enter in the same way
    W_hr = case.arrays["W_hr"][0]
    computed, bound = definition.values(case), reference(case).bound
    assert abs(computed["y"].item() - W_hr @ h) <= bound["y"].item()
    dh = (case.dy[0, 0] + case.dh_n[0, 0]).item()
    assert np.all(np.abs(computed["dW_hr"][0] - dh * h) <= bound["dW_hr"][0])


def _unprojected(arrays: dict[str, Any]) -> dict[str, Any]:
    """Return the arrays of an LSTM with H=2 whose h_0 has a second unit that nothing looks at."""
    zero = np.zeros((8, 1))
    state = {name: np.concatenate([arrays[name], np.zeros((1, 1, 1))], axis=-1) for name in ("h_0", "dh_n", "dy")}
    return arrays | state | {"W_hh": np.concatenate([arrays["W_hh"], zero], axis=-1)}


@pytest.mark.parametrize("a", [-1.5, -1.0, -0.5, 0.0, 1.0, 1.25])
def test_the_clip_and_its_slope(a: float) -> None:
    case = Case(Spec("rnn_relu", 1, 1, bias=False, clip=1.0), T=1, B=1)
    arrays = {name: np.ones(array.shape) for name, array in case.arrays.items()} | {"x": np.full((1, 1, 1), a - 1)}
    computed = definition.values(Case(case.spec, 1, 1, arrays=arrays))
    assert computed["y"].item() == min(max(a, 0.0), 1.0)
    assert computed["dx"].item() == (2.0 if 0 < a <= 1 else 0.0)  # 1 at the edge of the clip, 0 at the kink of relu


@pytest.mark.parametrize(
    ("mean", "weights"),
    [
        ("none", [[1, 1], [1, 1]]),
        ("T", [[1 / 2, 1], [1 / 2, 1]]),
        ("B", [[1 / 2, 1 / 2], [1 / 2, 1 / 2]]),
        ("TB", [[1 / 3, 1 / 3], [1 / 3, 1 / 3]]),
        ("O", [[1 / 2, 1 / 2], [1 / 2, 1 / 2]]),
        ("TBO", [[1 / 6, 1 / 6], [1 / 6, 1 / 6]]),
    ],
)
def test_the_mean_of_a_loss_is_over_the_steps_that_are_no_padding(mean: str, weights: list[list[float]]) -> None:
    case = Case(Spec("rnn_relu", 2, 2, bias=False, loss="mse", mean=mean), T=2, B=2, lengths=(2, 1))
    y = np.array([[[1.0, 2.0], [3.0, 0.5]], [[2.0, 1.0], [7.0, 7.0]]])
    target = np.ones((2, 2, 2))
    arrays = {"W_xh": np.eye(2), "W_hh": np.zeros((2, 2)), "x": y, "h_0": np.zeros((1, 2, 2)), "target": target}
    case = Case(case.spec, 2, 2, arrays=arrays, lengths=(2, 1))
    running = np.array([[[1.0], [1.0]], [[1.0], [0.0]]])
    error = running * (y - target)
    weight = np.array(weights)[..., None]
    computed, bound = definition.values(case), reference(case).bound
    assert abs(computed["loss"] - np.sum(weight * error * error)) <= bound["loss"]
    assert np.all(np.abs(computed["dx"] - 2 * weight * error) <= bound["dx"])
    assert np.array_equal(computed["y"], running * y)


def test_a_loss_over_no_step_is_0() -> None:
    computed = definition.values(Case.parse("gru:T2B2I1H2O2:loss=mse:lengths=0,0:regime=ordinary:seed=1"))
    assert computed["loss"] == 0
    assert all(not gradient.any() for name, gradient in computed.items() if name.startswith("d"))


def test_the_sum_of_two_directions() -> None:
    options = "bidirectional=true:regime=ordinary:seed=4"
    both, added = (definition.outputs(Case.parse(f"gru:T3B2I2H2:{merge}{options}")) for merge in ("", "merge=sum:"))
    assert np.array_equal(added["y"], both["y"][..., :2] + both["y"][..., 2:])
    assert np.array_equal(added["h_n"], both["h_n"])


@pytest.mark.parametrize("axes", ["BT", "T"])
def test_the_axes_change_no_number(axes: str) -> None:
    options = "layers=2:loss=mse:attention=true:dropout=0.3:recurrent_dropout=0.3:zoneout=0.3:regime=ordinary:seed=4"
    time, other = (definition.values(Case.parse(f"gru:T3B1I2H2O2:axes={a}:{options}")) for a in ("TB", axes))
    for name, array in time.items():
        batch = {"BT": array.swapaxes(0, 1) if name in ("y", "dx", "dattention") else array}.get(axes)
        if batch is None:
            batch = array[:, 0] if name in ("y", "dx", "dattention", "h_n", "dh_0") else array
        assert np.array_equal(other[name], batch), name


@pytest.mark.parametrize("cell", ["rnn_tanh", "lstm", "gru"])
def test_a_gradient_truncated_after_one_step_is_that_of_each_step_alone(cell: str) -> None:
    case = Case.parse(f"{cell}:T3B2I2H2:truncate=1,1:regime=ordinary:seed=3")
    states = {f"{name}_0": case.arrays[f"{name}_0"] for name in case.spec.states}
    plain, total = Spec(cell, 2, 2), {f"d{name}": np.zeros(shape) for name, shape in case.spec.param_shapes().items()}
    computed = definition.values(case)
    for t in range(3):
        last = {f"d{name}_n": case.arrays[f"d{name}_n"] * (t == 2) for name in case.spec.states}
        arrays = {**case.arrays, **states, **last, "x": case.x[t : t + 1], "dy": case.dy[t : t + 1]}
        step = definition.values(Case(plain, 1, 2, arrays=arrays))
        assert np.array_equal(computed["dx"][t], step["dx"][0])
        assert np.array_equal(computed["y"][t], step["y"][0])
        total = {name: gradient + step[name] for name, gradient in total.items()}
        if t == 0:
            assert np.array_equal(computed["dh_0"], step["dh_0"])
        states = {f"{name}_0": step[f"{name}_n"] for name in case.spec.states}
    bound = reference(case).bound
    assert all(np.all(np.abs(computed[name] - gradient) <= bound[name]) for name, gradient in total.items())


@pytest.mark.parametrize("cell", ["rnn_tanh", "lstm", "gru"])
@pytest.mark.parametrize("k", ["4,4", "4,5", "1,4", "3,6"])
def test_a_gradient_that_may_go_back_all_the_way_is_not_truncated(cell: str, k: str) -> None:
    line = f"{cell}:T4B2I2H2:layers=2:lengths=4,2"
    computed = definition.values(Case.parse(f"{line}:truncate={k}:regime=ordinary:seed=3"))
    full = definition.values(Case.parse(f"{line}:regime=ordinary:seed=3"))
    bound = reference(Case.parse(f"{line}:regime=ordinary:seed=3")).bound
    for name, array in full.items():
        assert np.all(np.abs(computed[name] - array) <= bound[name]), name


def test_a_truncated_gradient_is_another() -> None:
    line = "rnn_tanh:T4B1I1H1:regime=ordinary:seed=3"
    full, *cut = (
        definition.values(Case.parse(f"{line}{k}"))["dW_hh"].item() for k in ("", ":truncate=1,3", ":truncate=2,2")
    )
    assert len({full, *cut}) == 3


@pytest.mark.parametrize("a", [-0.5, 0.0, 0.5])
def test_relu_and_its_slope_at_its_kink(a: float) -> None:
    case = Case(Spec("rnn_relu", 1, 1, bias=False), T=1, B=1)
    arrays = {name: np.ones(array.shape) for name, array in case.arrays.items()} | {"x": np.full((1, 1, 1), a - 1)}
    computed = definition.values(Case(case.spec, 1, 1, arrays=arrays))
    slope = 1.0 if a > 0 else 0.0  # 0 at the kink, as in torch
    assert computed["y"].item() == max(a, 0.0)
    assert computed["dh_0"].item() == 2 * slope  # dy + dh_n, both 1
    assert computed["dx"].item() == 2 * slope


LOSSES = {
    # of y = (1, 2), (3, 4) against (0, 2), (1, 0), and of logits against distributions, by hand
    "half_squared_error": ((1 + 0 + 4 + 16) / 2, [[1, 0], [2, 4]]),
    "mse": ((1 + 0 + 4 + 16) / 4, [[0.5, 0], [1, 2]]),
}


@pytest.mark.parametrize("loss", [*LOSSES, "cross_entropy"])
def test_each_loss_by_hand(loss: str) -> None:
    case = Case(Spec("rnn_relu", 2, 2, bias=False, loss=loss), T=2, B=1)
    x = np.array([[[1.0, 2.0]], [[3.0, 4.0]]])
    arrays = {"W_xh": np.eye(2), "W_hh": np.zeros((2, 2)), "x": x, "h_0": np.zeros((1, 1, 2))}
    if loss == "cross_entropy":
        arrays["target"] = np.array([[[0.25, 0.75]], [[1.0, 0.0]]])
        p = 1 / (1 + math.e)  # softmax of (1, 2) and of (3, 4) is (p, 1 - p)
        value = -(0.25 * math.log(p) + 0.75 * math.log(1 - p) + math.log(p)) / 2
        dx: Any = [[(p - 0.25) / 2, (0.25 - p) / 2], [(p - 1) / 2, (1 - p) / 2]]
    else:
        arrays["target"] = np.array([[[0.0, 2.0]], [[1.0, 0.0]]])
        value, dx = LOSSES[loss]
    case = Case(case.spec, 2, 1, arrays=arrays)
    computed, bound = definition.values(case), reference(case).bound
    assert abs(computed["loss"] - value) <= bound["loss"]
    assert np.all(np.abs(computed["dx"] - np.reshape(dx, (2, 1, 2))) <= bound["dx"])
    assert np.array_equal(computed["y"], x)


@pytest.mark.parametrize("cell", ["rnn_tanh", "rnn_relu", "lstm", "gru"])
def test_a_sequence_is_its_steps_one_after_another(cell: str) -> None:
    case = Case.parse(f"{cell}:T3B2I2H3:regime=ordinary:seed=2")
    whole, arrays, steps = definition.outputs(case), dict(case.arrays), []
    for t in range(case.T):
        arrays["x"] = case.x[t : t + 1]
        step = definition.outputs(Case(case.spec, 1, case.B, arrays=arrays))
        arrays |= {f"{name}_0": step[f"{name}_n"] for name in case.spec.states}
        steps.append(step["y"])
    assert np.array_equal(whole["y"], np.concatenate(steps))
    assert all(np.array_equal(whole[f"{name}_n"], arrays[f"{name}_0"]) for name in case.spec.states)


@given(cases(supports({"max_T": 3, "max_B": 2, "max_I": 3, "max_H": 3}, EVERYTHING)))
def test_it_agrees_with_torch(case: Case) -> None:
    # Two programs, torch in float32 perhaps: the tolerance, E (1 + u64 / u), is that of one against the other.
    computed, bound = definition.values(case), reference(case).bound
    for other in ("torch_rnn", "torch_builtin"):
        if not supported(case, make(other).options):
            continue
        for name, values in make(other).function(case).items():
            assert np.all(np.abs(values.astype(np.float64) - computed[name]) <= bound[name]), name


def imported(module: str) -> Iterator[str]:
    """Yield every module that a module imports, and those that these import, within this package."""
    seen, waiting = set(), [module]
    while waiting:
        found = importlib.util.find_spec(waiting.pop())
        assert found is not None
        assert found.origin is not None
        for node in ast.walk(ast.parse(Path(found.origin).read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                names = [str(node.module)]
            for name in names:
                if name not in seen:
                    seen.add(name)
                    yield name
                    if name.startswith("crosscheck"):
                        waiting.append(name)


def test_it_shares_no_code_with_the_other_two() -> None:
    names = set(imported("crosscheck.referee.definition"))
    assert "crosscheck.case" in names
    assert not [name for name in names if name.split(".")[0] in ("manual_rnn", "torch_rnn", "torch")]
    assert not [name for name in names if name.startswith("crosscheck.implementation")]
    assert set(imported("crosscheck.referee.truth")) & {"manual_rnn"}  # so that the test sees one that does
