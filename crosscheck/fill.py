"""The arrays of a case: a pure function of its few fields.

All is drawn time-major, so that a case in another order of axes has the same numbers. Masks stay so: they are no part
of anybody's layout.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from crosscheck.axes import SEQUENCES, in_axes
from crosscheck.regimes import REGIMES, bernoulli

if TYPE_CHECKING:
    from crosscheck.case import Case


def fill(case: Case) -> dict[str, Any]:
    """Return the arrays of a case by name, read-only."""
    spec, regime = case.spec, REGIMES[case.regime]
    sequence = (case.T, case.B)
    states = {name: (len(spec.runs), case.B, size) for name, size in spec.state_sizes.items()}
    drawn = {
        name: regime.of_parameter(name).draw(case.seed, name, shape) for name, shape in spec.param_shapes().items()
    }
    drawn["x"] = ROWS[regime.rows](case.seed, regime.x.draw(case.seed, "x", (*sequence, spec.input_size)))
    if spec.attention:
        drawn["attention"] = regime.attention.draw(case.seed, "attention", sequence)
    drawn |= {f"{name}_0": regime.states.draw(case.seed, f"{name}_0", shape) for name, shape in states.items()}
    if case.states in ("final", "none"):
        drawn |= {f"{name}_0": np.zeros(shape) for name, shape in states.items()}
    if spec.loss == "none":
        drawn["dy"] = regime.cotangents.draw(case.seed, "dy", (*sequence, spec.y_size))
        drawn |= {f"d{name}_n": regime.cotangents.draw(case.seed, f"d{name}_n", states[name]) for name in states}
        drawn["dy"] = np.where(DY[regime.dy](case), drawn["dy"], 0)
        if regime.outputs_only or case.states in ("initial", "none"):
            drawn |= {f"d{name}_n": np.zeros(shape) for name, shape in states.items()}
    else:
        drawn["target"] = regime.target.draw(case.seed, "target", (*sequence, spec.y_size))
        if spec.loss == "cross_entropy":
            drawn["target"] = _distribution(drawn["target"])
    if case.memory == "broadcast":
        drawn |= {name: np.broadcast_to(drawn[name][:1], drawn[name].shape) for name in SEQUENCES if name in drawn}
    if case.memory == "aliased" and "dy" in drawn and drawn["dy"].shape == drawn["x"].shape:
        drawn["x"] = drawn["dy"]
    masks = _masks(case)
    if regime.padding == "NaN":
        drawn |= {name: _padded(case, drawn[name]) for name in SEQUENCES if name in drawn}
        masks = {name: _padded(case, mask, lead=1) for name, mask in masks.items()}
    placed = in_axes(drawn, spec.axes) | masks
    arrays = {name: np.ascontiguousarray(array).astype(case.array_dtype) for name, array in placed.items()}
    for array in arrays.values():
        array.flags.writeable = False
    return arrays


def shapes(case: Case) -> dict[str, tuple[int, ...]]:
    """Return the shape of each array that `fill` makes for a case, by name, without making any."""
    spec, results = case.spec, case.result_shapes
    found = {name: results[f"d{name}"] for name in case.input_names}
    if spec.loss == "none":
        found |= {f"d{name}": results[name] for name in case.output_names}
    else:
        found["target"] = results["y"]
    return found | {name: shape for name, (shape, _) in _mask_shapes(case).items()}


def _lengths(case: Case) -> Any:
    return np.array(case.lengths or (case.T,) * case.B)


def _everywhere(case: Case) -> Any:  # noqa: ARG001
    return np.True_


def _last_steps(case: Case) -> Any:
    """Return where (T, B, 1) a sequence takes its last step."""
    return (np.arange(case.T)[:, None] == _lengths(case) - 1)[..., None]


def _few(case: Case) -> Any:
    """Return one place in four (T, B, O)."""
    return bernoulli(case.seed, "few", (case.T, case.B, case.spec.y_size), 0.25) > 0


def _nowhere(case: Case) -> Any:  # noqa: ARG001
    return np.False_


DY: dict[str, Callable[[Case], Any]] = {
    "everywhere": _everywhere,
    "last step": _last_steps,
    "few": _few,
    "nowhere": _nowhere,
}


def _any(seed: int, x: Any) -> Any:  # noqa: ARG001
    return x


def _repeated(seed: int, x: Any) -> Any:
    """Return each row (T, B) of x as one of two, its first and its last."""
    which = bernoulli(seed, "which", (*x.shape[:2], 1), 0.5)
    return np.where(which > 0, x[0, 0], x[-1, -1])


def _one_hot(seed: int, x: Any) -> Any:  # noqa: ARG001
    """Return 1 where a row of x has its largest number, the first of these, and 0 elsewhere."""
    return (np.arange(x.shape[-1]) == x.argmax(axis=-1)[..., None]).astype(np.float64)


ROWS: dict[str, Callable[[int, Any], Any]] = {"any": _any, "repeated": _repeated, "one-hot": _one_hot}


def _padded(case: Case, array: Any, lead: int = 0) -> Any:
    """Return an array, its axes T and B after `lead` others, with NaN in the padding."""
    padding = np.arange(case.T)[:, None] >= _lengths(case)
    padding = padding.reshape((1,) * lead + padding.shape + (1,) * (array.ndim - lead - 2))
    return np.where(padding, np.nan, array)


def _mask_shapes(case: Case) -> dict[str, tuple[tuple[int, ...], float]]:
    """Return the shape of each mask that the spec's rates ask for, with its rate."""
    spec, sequence, runs = case.spec, (case.T, case.B), len(case.spec.runs)
    masks: dict[str, tuple[tuple[int, ...], float]] = {}
    if spec.dropout and spec.train:
        masks["dropout"] = ((spec.num_layers - 1, *sequence, spec.h_size), spec.dropout)
    if spec.recurrent_dropout and spec.train:
        masks["recurrent"] = ((runs, *sequence, spec.state_sizes["h"]), spec.recurrent_dropout)
    if spec.zoneout:
        masks |= {f"zoneout_{name}": ((runs, *sequence, size), spec.zoneout) for name, size in spec.state_sizes.items()}
    return masks


def _masks(case: Case) -> dict[str, Any]:
    """Return the masks, drawn or, in zoneout's evaluation, constant.

    What is kept is scaled by 1 / (1 - rate) to 8 bits, so that it is the same number in every format.
    """
    masks: dict[str, Any] = {}
    for name, (shape, rate) in _mask_shapes(case).items():
        if not name.startswith("zoneout"):
            masks[name] = (1 - bernoulli(case.seed, name, shape, rate)) * _eight_bits(1 / (1 - rate))
        elif case.spec.train:
            masks[name] = bernoulli(case.seed, name, shape, rate)
        else:
            masks[name] = np.full(shape, _eight_bits(rate))
    return masks


def _eight_bits(number: float) -> float:
    """Return the nearest number of 8 bits."""
    significand, exponent = np.frexp(number)
    return float(np.ldexp(np.rint(significand * 2**8), exponent - 8))


def _distribution(drawn: Any) -> Any:
    """Return distributions over the last axis, in eighths: most of the weight on one entry, the rest on the first."""
    target = np.zeros_like(drawn)
    np.put_along_axis(target, drawn.argmax(axis=-1, keepdims=True), 0.875, axis=-1)
    target[..., 0] += 0.125
    return target
