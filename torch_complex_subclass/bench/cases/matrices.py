"""Matrix products."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.bench.cases import parts
from torch_complex_subclass.bench.cases.case import Case, Inputs, Shape, normal


def _product(a: Tensor, b: Tensor) -> Tensor:
    return a @ b.mH


def _product_by_hand(a: Tensor, b: Tensor) -> Tensor:
    return parts.matmul_transposed(a, parts.conj(parts.split(b)))


def _product_in_jax(a: Any, b: Any) -> Any:
    return a @ b.conj().T


def _square(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    return tuple(normal(*shape, *shape, dtype=dtype, generator=generator) for _ in range(2))


def _form(x: Tensor, w: Tensor) -> Tensor:
    hermitian = (w + w.mH) / 2
    return torch.einsum("bi,ij,bj->b", x.conj(), hermitian, x)


def _form_by_hand(x: Tensor, w: Tensor) -> Tensor:
    (re, im), (adjoint_re, adjoint_im) = parts.split(w), parts.split(w.transpose(0, 1))
    hermitian = (re + adjoint_re) / 2, (im - adjoint_im) / 2
    product = parts.split(parts.matmul_transposed(x, hermitian))
    re, im = parts.mul(parts.conj(parts.split(x)), product)
    return parts.join((re.sum(-1), im.sum(-1)))


def _form_in_jax(x: Any, w: Any) -> Any:
    import jax.numpy as jnp

    return jnp.einsum("bi,ij,bj->b", x.conj(), (w + w.conj().T) / 2, x)


def _form_inputs(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    batch, width = shape
    x = normal(batch, width, dtype=dtype, generator=generator)
    return x, normal(width, width, dtype=dtype, generator=generator) / width


CASES = (
    Case(
        name="matmul",
        group="matrices",
        about="a matrix times the adjoint of another",
        fn=_product,
        hand=_product_by_hand,
        jax=_product_in_jax,
        inputs=_square,
        shapes={"tiny": (4,), "small": (128,), "medium": (512,), "large": (1024,)},
        learned=(0, 1),
        library=True,
        flops=lambda shape: 8 * shape[0] ** 3,
    ),
    Case(
        name="quadratic_form",
        group="matrices",
        about="x* A x of many vectors by einsum, with a learned Hermitian A",
        fn=_form,
        hand=_form_by_hand,
        jax=_form_in_jax,
        inputs=_form_inputs,
        shapes={"tiny": (2, 4), "small": (64, 32), "medium": (2048, 64), "large": (65536, 64)},
        learned=(1,),
        library=True,
        flops=lambda shape: 8 * shape[0] * shape[1] ** 2,
    ),
)
