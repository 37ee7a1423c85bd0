"""Parts of neural networks: complex layers with modReLU, rotary embedding."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from torch_complex_subclass.bench.cases import parts
from torch_complex_subclass.bench.cases.case import Case, Inputs, Shape, normal

_EPSILON = 1e-3


def _modrelu(z: Tensor, bias: Tensor) -> Tensor:
    size = z.abs()
    return z * F.relu(size + bias) / (size + _EPSILON)


def _perceptron(
    x: Tensor, target: Tensor, w1: Tensor, b1: Tensor, bias: Tensor, w2: Tensor, b2: Tensor
) -> Tensor:
    return F.linear(_modrelu(F.linear(x, w1, b1), bias), w2, b2) - target


def _perceptron_by_hand(
    x: Tensor, target: Tensor, w1: Tensor, b1: Tensor, bias: Tensor, w2: Tensor, b2: Tensor
) -> Tensor:
    z = parts.matmul_transposed(x, parts.split(w1)) + b1
    size = parts.modulus(parts.split(z))
    scale = F.relu(size + bias) / (size + _EPSILON)
    return parts.matmul_transposed(z * scale[..., None], parts.split(w2)) + b2 - target


def _perceptron_in_jax(x: Any, target: Any, w1: Any, b1: Any, bias: Any, w2: Any, b2: Any) -> Any:
    import jax

    z = x @ w1.T + b1
    size = abs(z)
    z = z * jax.nn.relu(size + bias) / (size + _EPSILON)
    return z @ w2.T + b2 - target


def _perceptron_inputs(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    batch, width = shape

    scale = 1 / math.sqrt(width)

    def weights(*size: int) -> Tensor:
        return normal(*size, dtype=dtype, generator=generator) * scale

    bias = normal(width, dtype=dtype.to_real(), generator=generator) / 4
    x, target = (normal(batch, width, dtype=dtype, generator=generator) for _ in range(2))
    first, second = weights(width, width), weights(width, width)
    return x, target, first, weights(width), bias, second, weights(width)


def _perceptron_flops(shape: Shape) -> int:
    batch, width = shape
    return 2 * 8 * batch * width**2


def _rotary(x: Tensor, angles: Tensor) -> Tensor:
    phases = torch.polar(torch.ones_like(angles), angles)
    z = torch.view_as_complex(x.unflatten(-1, (-1, 2)))
    return torch.view_as_real(z * phases[:, None, :]).flatten(-2)


def _rotary_by_hand(x: Tensor, angles: Tensor) -> Tensor:
    phases = torch.cos(angles)[:, None, :], torch.sin(angles)[:, None, :]
    return parts.join(parts.mul(parts.split(x.unflatten(-1, (-1, 2))), phases)).flatten(-2)


def _rotary_in_jax(x: Any, angles: Any) -> Any:
    import jax
    import jax.numpy as jnp

    z = jax.lax.complex(x[..., ::2], x[..., 1::2]) * jnp.exp(1j * angles)[:, None, :]
    return jnp.stack((z.real, z.imag), axis=-1).reshape(x.shape)


def _rotary_inputs(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    batch, length, heads, width = shape
    real = dtype.to_real()
    x = normal(batch, length, heads, width, dtype=real, generator=generator)
    rates = 100.0 ** (-torch.arange(0, width, 2, dtype=real) / width)
    return x, torch.outer(torch.arange(length, dtype=real) % 64, rates)


CASES = (
    Case(
        name="perceptron",
        group="networks",
        about="two complex linear layers, modReLU between them; training ends with Adam",
        fn=_perceptron,
        hand=_perceptron_by_hand,
        jax=_perceptron_in_jax,
        inputs=_perceptron_inputs,
        shapes={"tiny": (2, 4), "small": (16, 32), "medium": (512, 64), "large": (16384, 64)},
        learned=(2, 3, 4, 5, 6),
        adam=True,
        flops=_perceptron_flops,
    ),
    Case(
        name="rotary",
        group="networks",
        about="rotary embedding of real queries by complex phases",
        fn=_rotary,
        hand=_rotary_by_hand,
        jax=_rotary_in_jax,
        inputs=_rotary_inputs,
        shapes={
            "tiny": (1, 2, 2, 4),
            "small": (4, 1, 16, 64),
            "medium": (4, 64, 16, 64),
            "large": (4, 2048, 16, 64),
        },
        learned=(0,),
    ),
)
