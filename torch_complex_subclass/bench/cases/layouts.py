"""Operands that are broadcast, transposed, or every second element of memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.bench.cases import parts
from torch_complex_subclass.bench.cases.case import Case, Inputs, Shape, normal


def _outer(a: Any, b: Any) -> Any:
    return a[:, None] * b[None, :].conj()


def _outer_by_hand(a: Tensor, b: Tensor) -> Tensor:
    u, v = parts.split(a[:, None]), parts.split(b[None, :])
    return parts.join(parts.mul(u, parts.conj(v)))


def _two_vectors(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    return tuple(normal(n, dtype=dtype, generator=generator) for n in shape)


def _transposed(a: Any, b: Any) -> Any:
    return a + b.mT.conj()


def _transposed_by_hand(a: Tensor, b: Tensor) -> Tensor:
    (re, im), (other_re, other_im) = parts.split(a), parts.split(b.transpose(0, 1))
    return parts.join((re + other_re, im - other_im))


def _two_matrices(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    return tuple(normal(*shape, dtype=dtype, generator=generator) for _ in range(2))


def _neighbours(z: Any) -> Any:
    return z[::2] * z[1::2].conj()


def _neighbours_by_hand(z: Tensor) -> Tensor:
    return parts.join(parts.mul(parts.split(z[::2]), parts.conj(parts.split(z[1::2]))))


def _vector(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    return (normal(*shape, dtype=dtype, generator=generator),)


CASES = (
    Case(
        name="outer",
        group="layouts",
        about="outer product of two vectors by broadcasting",
        fn=_outer,
        hand=_outer_by_hand,
        jax=_outer,
        inputs=_two_vectors,
        shapes={"tiny": (2, 4), "small": (32, 64), "medium": (256, 256), "large": (2048, 4096)},
        learned=(0, 1),
    ),
    Case(
        name="transposed",
        group="layouts",
        about="a matrix plus the adjoint of another",
        fn=_transposed,
        hand=_transposed_by_hand,
        jax=_transposed,
        inputs=_two_matrices,
        shapes={"tiny": (4, 4), "small": (36, 36), "medium": (256, 256), "large": (2048, 2048)},
        learned=(0, 1),
    ),
    Case(
        name="slices",
        group="layouts",
        about="each even element times its neighbour's conjugate",
        fn=_neighbours,
        hand=_neighbours_by_hand,
        jax=_neighbours,
        inputs=_vector,
        shapes={"tiny": (8,), "small": (2**11,), "medium": (2**17,), "large": (2**23,)},
        learned=(0,),
    ),
)
