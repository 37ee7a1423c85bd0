"""Elementwise chains."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.bench.cases import parts
from torch_complex_subclass.bench.cases.case import Case, Inputs, Shape, normal


def _chain(a: Any, b: Any, c: Any) -> Any:
    z = a * b.conj()
    z = z + c
    z = z * z
    z = z - a * 0.5
    z = z * (1 + 2j)
    z = z / (b + 2)
    z = z.conj() * a
    z = -z + 1j
    return z * c + b


def _chain_by_hand(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    u, v, w = parts.split(a), parts.split(b), parts.split(c)
    re, im = parts.mul(u, parts.conj(v))
    re, im = re + w[0], im + w[1]
    re, im = re * re - im * im, 2 * re * im
    re, im = re - 0.5 * u[0], im - 0.5 * u[1]
    re, im = re - 2 * im, im + 2 * re
    re, im = parts.div((re, im), (v[0] + 2, v[1]))
    re, im = parts.mul((re, -im), u)
    re, im = parts.mul((-re, 1 - im), w)
    return parts.join((re + v[0], im + v[1]))


def _vectors(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    return tuple(normal(*shape, dtype=dtype, generator=generator) for _ in range(3))


def _half_phase(z: Tensor) -> Tensor:
    return (z.abs() * torch.exp(0.5j * z.angle())).exp()


def _half_phase_by_hand(z: Tensor) -> Tensor:
    re, im = parts.split(z)
    size, angle = parts.modulus((re, im)), 0.5 * torch.atan2(im, re)
    return parts.join(parts.exp((size * torch.cos(angle), size * torch.sin(angle))))


def _half_phase_in_jax(z: Any) -> Any:
    import jax.numpy as jnp

    return jnp.exp(jnp.abs(z) * jnp.exp(0.5j * jnp.angle(z)))


def _vector(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    return (normal(*shape, dtype=dtype, generator=generator),)


CASES = (
    Case(
        name="arithmetic",
        group="elementwise",
        about="ten sums, products and a quotient of three vectors",
        fn=_chain,
        hand=_chain_by_hand,
        jax=_chain,
        inputs=_vectors,
        shapes={"tiny": (8,), "small": (2**9,), "medium": (2**16,), "large": (2**22,)},
        learned=(0, 1, 2),
    ),
    Case(
        name="transcendental",
        group="elementwise",
        about="modulus, angle and two exponentials",
        fn=_half_phase,
        hand=_half_phase_by_hand,
        jax=_half_phase_in_jax,
        inputs=_vector,
        shapes={"tiny": (8,), "small": (2**10,), "medium": (2**16,), "large": (2**22,)},
        learned=(0,),
    ),
)
