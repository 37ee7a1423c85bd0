"""Reductions, over everything and over rows."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.bench.cases import parts
from torch_complex_subclass.bench.cases.case import Case, Inputs, Shape, normal


def _energy(z: Tensor) -> Tensor:
    return (z.abs() ** 2).sum()


def _energy_by_hand(z: Tensor) -> Tensor:
    return (z * z).sum()


def _energy_in_jax(z: Any) -> Any:
    return (abs(z) ** 2).sum()


def _norm(z: Tensor) -> Tensor:
    norm: Tensor = torch.linalg.vector_norm(z, dim=-1)
    return norm


def _norm_by_hand(z: Tensor) -> Tensor:
    return (z * z).sum((-1, -2)).sqrt()


def _norm_in_jax(z: Any) -> Any:
    import jax.numpy as jnp

    return jnp.linalg.norm(z, axis=-1)


def _softmax(z: Tensor) -> Tensor:
    return z.abs().softmax(-1)


def _softmax_by_hand(z: Tensor) -> Tensor:
    return parts.modulus(parts.split(z)).softmax(-1)


def _softmax_in_jax(z: Any) -> Any:
    import jax

    return jax.nn.softmax(abs(z), axis=-1)


def _moments(z: Tensor) -> tuple[Tensor, Tensor]:
    return z.mean(-1), z.var(-1)


def _moments_by_hand(z: Tensor) -> tuple[Tensor, Tensor]:
    variance = z.var(-2)
    return z.mean(-2), variance[..., 0] + variance[..., 1]


def _moments_in_jax(z: Any) -> Any:
    return z.mean(-1), z.var(-1, ddof=1)


def _rows(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    return (normal(*shape, dtype=dtype, generator=generator),)


_SHAPES = {"tiny": (2, 4), "small": (8, 256), "medium": (64, 1024), "large": (4096, 2048)}

CASES = (
    Case(
        name="energy",
        group="reductions",
        about="sum of squared moduli",
        fn=_energy,
        hand=_energy_by_hand,
        jax=_energy_in_jax,
        inputs=_rows,
        shapes=_SHAPES,
        learned=(0,),
    ),
    Case(
        name="norm",
        group="reductions",
        about="Euclidean norm of each row",
        fn=_norm,
        hand=_norm_by_hand,
        jax=_norm_in_jax,
        inputs=_rows,
        shapes=_SHAPES,
        learned=(0,),
    ),
    Case(
        name="softmax",
        group="reductions",
        about="softmax of the moduli of each row",
        fn=_softmax,
        hand=_softmax_by_hand,
        jax=_softmax_in_jax,
        inputs=_rows,
        shapes=_SHAPES,
        learned=(0,),
    ),
    Case(
        name="moments",
        group="reductions",
        about="mean and variance of each row",
        fn=_moments,
        hand=_moments_by_hand,
        jax=_moments_in_jax,
        inputs=_rows,
        shapes=_SHAPES,
        learned=(0,),
    ),
)
