"""Others come to the numbers of the public set: torch.nn where it applies, and a program written after the README."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

if TYPE_CHECKING:
    from tests.vectors import by_the_readme
    from vectors import read
else:
    import by_the_readme
    import read

CELLS = ("rnn_tanh", "rnn_relu", "lstm", "gru")
NN_HAS = {"cell", "input_size", "hidden_size", "num_layers", "bidirectional", "axes", "bias", "proj_size", "train"}
NN_NAMES = {"W_xh": "weight_ih", "W_hh": "weight_hh", "b_xh": "bias_ih", "b_hh": "bias_hh", "W_hr": "weight_hr"}


@pytest.fixture(scope="module")
def valid() -> list[dict[str, Any]]:
    vectors = read.read(Path(read.__file__).parent).values()
    return [vector for vector in vectors if vector["result"] == "valid"]


def out_of_bounds(vector: dict[str, Any], got: dict[str, Any]) -> list[str]:
    """Return the tensors that are not as the vector wants them, and those that are not there."""
    missing = [name for name in vector["want"] if name not in got]
    return missing + [name for name, array in got.items() if read.outside(vector, name, array).any()]


def in_torch_nn(vector: dict[str, Any]) -> bool:
    """Say whether torch.nn has a layer for a vector: no mask is there, and no sequence is empty."""
    masked = any(name in vector["in"] for name in ("dropout", "recurrent", "zoneout_h"))
    spec = {name for name in vector["spec"] if name not in ("dropout", "recurrent_dropout") or masked}
    return spec <= NN_HAS and 0 not in (vector["lengths"] or ())


def nn_layer(vector: dict[str, Any]) -> tuple[torch.nn.Module, dict[str, Any]]:
    """Return the layer of torch.nn of a vector, with its parameters, and these by our names."""
    spec = dict(vector["spec"])
    cell, batch_first = spec.pop("cell"), spec.pop("axes", "TB") == "BT"
    sizes = spec.pop("input_size"), spec.pop("hidden_size")
    for option in ("train", "dropout", "recurrent_dropout"):
        spec.pop(option, None)
    made: Any = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}.get(cell, torch.nn.RNN)
    of_rnn = {"nonlinearity": cell.removeprefix("rnn_")} if made is torch.nn.RNN else {}
    dtype = getattr(torch, vector["dtype"])
    layer = made(*sizes, batch_first=batch_first, dtype=dtype, **spec, **of_rnn)
    params = {}
    with torch.no_grad():
        for name, array in vector["in"].items():
            if name[:4] in NN_NAMES:
                end = name[4:] if name[4:].startswith("_l") else f"_l0{name[4:]}"
                params[name] = getattr(layer, NN_NAMES[name[:4]] + end)
                params[name].copy_(torch.tensor(array))
    assert len(params) == len(list(layer.parameters()))
    return layer, params


def nn_answer(vector: dict[str, Any]) -> dict[str, Any]:
    """Return what torch.nn and its autograd come to."""
    layer, params = nn_layer(vector)
    a = {name: torch.tensor(array) for name, array in vector["in"].items() if name not in params}
    states = [f"{name}_0" for name in "hc" if f"{name}_0" in a]
    inputs = {name: a[name].requires_grad_() for name in ("x", *states)} | params
    batch_first, lengths = vector["spec"].get("axes") == "BT", vector["lengths"]
    x: Any = a["x"]
    if lengths is not None:
        x = pack_padded_sequence(x, torch.tensor(lengths), batch_first, enforce_sorted=False)
    y, finals = layer(x, a["h_0"] if len(states) == 1 else (a["h_0"], a["c_0"]))
    if lengths is not None:
        y, _ = pad_packed_sequence(y, batch_first, total_length=vector["T"])
    out = {"y": y, **dict(zip(("h_n", "c_n"), [finals] if len(states) == 1 else finals, strict=False))}
    objective = sum((out[name] * torch.nan_to_num(a[f"d{name}"])).sum() for name in out)  # dy is NaN in the padding
    gradients = torch.autograd.grad(objective, list(inputs.values()))
    out |= {f"d{name}": gradient for name, gradient in zip(inputs, gradients, strict=True)}
    return {name: array.detach().numpy() for name, array in out.items()}


@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")  # which oneDNN has not in float32
@pytest.mark.parametrize("cell", CELLS)
def test_torch_nn_agrees_where_it_applies(valid: list[dict[str, Any]], cell: str) -> None:
    vectors = [vector for vector in valid if vector["spec"]["cell"] == cell and in_torch_nn(vector)]
    assert [vector["id"] for vector in vectors if out_of_bounds(vector, nn_answer(vector))] == []
    said = Counter(key for vector in vectors for key in (*vector["spec"], vector["dtype"]))
    said["lengths"] = sum(vector["lengths"] is not None for vector in vectors)
    wanted = NN_HAS - ({"proj_size"} if cell != "lstm" else set())
    assert {key for key in (*wanted, "lengths", "float64", "float32") if not said[key]} == set()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("cell", CELLS)
def test_a_program_after_the_readme_agrees(valid: list[dict[str, Any]], cell: str, dtype: str) -> None:
    vectors = [vector for vector in valid if (vector["spec"]["cell"], vector["dtype"]) == (cell, dtype)]
    asked = vectors if dtype == "float64" else vectors[::4]  # for time: the formulas are the same
    assert [vector["id"] for vector in asked if out_of_bounds(vector, by_the_readme.answer(vector))] == []
    said = {key for vector in vectors for key in vector["spec"]}
    of_others = {"lstm": {"reset_after", "attention"}, "gru": {"peephole", "coupled", "forget_bias", "proj_size"}}
    assert said == by_the_readme.DEFAULTS.keys() - of_others.get(cell, of_others["lstm"] | of_others["gru"]) | {
        "cell",
        "input_size",
        "hidden_size",
    }


def test_a_wrong_line_is_found(valid: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    vector = next(v for v in valid if v["spec"].get("peephole") and v["T"] > 1 and not v["lengths"])
    right = by_the_readme.step
    monkeypatch.setattr(
        by_the_readme, "step", lambda s, p, x, state, *rest: right(s, p, x, {**state, "c": state["c"].detach()}, *rest)
    )
    assert "dc_0" in out_of_bounds(vector, by_the_readme.answer(vector))
