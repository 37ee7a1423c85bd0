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


def _turned(x: Tensor, phases: Tensor) -> Tensor:
    z = torch.view_as_complex(x.float().reshape(*x.shape[:-1], -1, 2))
    return torch.view_as_real(z * phases).flatten(-2).to(x.dtype)


def _rotary_bfloat16(queries: Tensor, keys: Tensor, angles: Tensor) -> tuple[Tensor, Tensor]:
    phases = torch.polar(torch.ones_like(angles), angles)[:, None, :]
    return _turned(queries, phases), _turned(keys, phases)


def _turned_by_hand(x: Tensor, phases: parts.Parts) -> Tensor:
    z = parts.split(x.float().unflatten(-1, (-1, 2)))
    return parts.join(parts.mul(z, phases)).flatten(-2).to(x.dtype)


def _rotary_bfloat16_by_hand(
    queries: Tensor, keys: Tensor, angles: Tensor
) -> tuple[Tensor, Tensor]:
    phases = torch.cos(angles)[:, None, :], torch.sin(angles)[:, None, :]
    return _turned_by_hand(queries, phases), _turned_by_hand(keys, phases)


def _rotary_bfloat16_in_jax(queries: Any, keys: Any, angles: Any) -> Any:
    import jax.numpy as jnp

    return tuple(
        _rotary_in_jax(x.astype(jnp.float32), angles).astype(x.dtype) for x in (queries, keys)
    )


def _rotary_inputs(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    batch, length, heads, width = shape
    real = dtype.to_real()
    x = normal(batch, length, heads, width, dtype=real, generator=generator)
    rates = 100.0 ** (-torch.arange(0, width, 2, dtype=real) / width)
    return x, torch.outer(torch.arange(length, dtype=real) % 64, rates)


def _rotary_bfloat16_inputs(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    queries, angles = _rotary_inputs(shape, dtype, generator)
    keys = torch.randn(shape, dtype=queries.dtype, generator=generator)
    return queries.bfloat16(), keys.bfloat16(), angles


_ROTARY_SHAPES = {
    "tiny": (1, 2, 2, 4),
    "small": (4, 1, 16, 64),
    "medium": (4, 64, 16, 64),
    "large": (4, 2048, 16, 64),
}

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
        shapes=_ROTARY_SHAPES,
        learned=(0,),
    ),
    Case(
        name="rotary_bfloat16",
        group="networks",
        about="rotary embedding of bfloat16 queries and keys, by complex64 as in Llama",
        fn=_rotary_bfloat16,
        hand=_rotary_bfloat16_by_hand,
        jax=_rotary_bfloat16_in_jax,
        inputs=_rotary_bfloat16_inputs,
        shapes=_ROTARY_SHAPES,
        learned=(0, 1),
        # The program says float32, whatever is asked for.
        dtypes=(torch.complex64,),
    ),
)
