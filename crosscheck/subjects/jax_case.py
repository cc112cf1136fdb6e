"""A case in JAX: its outputs and, by `jax.vjp`, its gradients, in one function that XLA compiles for each case anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from crosscheck.axes import in_axes, time_major
from crosscheck.case import Case
from crosscheck.spec import Spec

Arrays = Mapping[str, Any]
Outputs = Callable[[Spec, Arrays, Arrays, Any], dict[str, Any]]


def results(case: Case, outputs: Outputs) -> dict[str, Any]:
    """Return every output and every gradient of a case, as NumPy's arrays.

    Args:
        case: the problem.
        outputs: computes y, h_n, c_n and the loss from the spec, the arrays that have gradients, all other arrays, and
            the lengths (B,), by name; all time-major.
    """
    axes, case = case.spec.axes, time_major(case)
    inputs = {name: case.arrays[name] for name in case.input_names}
    others = {name: array for name, array in case.arrays.items() if name not in inputs}
    lengths = np.array((case.T,) * case.B if case.lengths is None else case.lengths)
    with jax.enable_x64(case.dtype == "float64"):
        computed: dict[str, Any] = jax.jit(partial(_results, outputs, case.spec))(inputs, others, lengths)
        return in_axes({name: np.asarray(result) for name, result in computed.items()}, axes)


def _results(outputs: Outputs, spec: Spec, inputs: Arrays, others: Arrays, lengths: Any) -> dict[str, Any]:
    """Return every output and every gradient by name, as JAX's arrays."""
    returned, pull = jax.vjp(lambda of: outputs(spec, of, others, lengths), inputs)
    if spec.loss == "none":
        cotangents = {name: others[f"d{name}"] for name in returned}
    else:
        cotangents = {name: (jnp.ones_like if name == "loss" else jnp.zeros_like)(returned[name]) for name in returned}
    (gradients,) = pull(cotangents)
    return {**returned, **{f"d{name}": gradient for name, gradient in gradients.items()}}
