"""W1: a quadratic form in a complex state, with complex parameters."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.bench.cases import Case, Inputs, parts
from torch_complex_subclass.bench.cases.case import Shape, normal
from torch_complex_subclass.bench.workloads.system import System


def native(x: Tensor, psi: Tensor, form: Tensor) -> Tensor:
    """`out[t, k] = Re sum_ija conj(psi[i]) form[k, i, j, a] x[t, a] psi[j]`.

    Shapes: x real `(t, a)`, psi complex `(i,)`, form complex `(k, i, i, a)`; result `(t, k)`.
    """
    return torch.einsum("i,kija,ta,j->tk", psi.conj(), form, x.to(psi.dtype), psi).real


def by_hand(x: Tensor, psi: Tensor, form: Tensor) -> Tensor:
    """The same on interleaved memory, psi `(i, 2)` and form `(k, i, i, a, 2)`."""
    re, im = parts.split(psi)
    outer = torch.outer(re, re) + torch.outer(im, im), torch.outer(re, im) - torch.outer(im, re)
    # Re(outer form); the minus is in the product of the imaginary parts.
    signed = torch.stack((outer[0], -outer[1]), dim=-1)
    weights = (form * signed[None, :, :, None, :]).sum((1, 2, 4))
    return x @ weights.mT


def _in_jax(x: Any, psi: Any, form: Any) -> Any:
    import jax.numpy as jnp

    return jnp.einsum("i,kija,ta,j->tk", psi.conj(), form, x, psi, optimize=True).real


def _inputs(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    batch, features, classes, states = shape
    x = normal(batch, features, dtype=dtype.to_real(), generator=generator)
    psi = normal(states, dtype=dtype, generator=generator)
    form = normal(classes, states, states, features, dtype=dtype, generator=generator)
    return x, psi, form


_SHAPES = {
    "tiny": (2, 3, 2, 2),
    "small": (1000, 100, 10, 10),
    "medium": (10000, 100, 10, 10),
    "large": (10000, 100, 100, 20),
}

SYSTEM = System(
    name="w1",
    title="One quadratic form with complex parameters",
    about="",
    cases=(
        Case(
            name="w1_native",
            group="w1",
            about="complex parameters, one einsum",
            fn=native,
            hand=by_hand,
            jax=_in_jax,
            inputs=_inputs,
            shapes=_SHAPES,
            learned=(1, 2),
        ),
    ),
)
