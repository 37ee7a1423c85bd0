"""The stochastic operator of W3 by hand, on both parts of a field, and in JAX."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from torch_complex_subclass.bench.cases import parts
from torch_complex_subclass.bench.cases.parts import Parts
from torch_complex_subclass.bench.cases.spectral import mix_by_hand
from torch_complex_subclass.bench.workloads import normalization_versions as normalization
from torch_complex_subclass.bench.workloads.random_keys import random_key


def _pointwise(z: Parts, weight: Tensor) -> Parts:
    re, im = torch.einsum("oi,bihw->bohw", parts.doubled(weight), torch.cat(z, 1)).chunk(2, 1)
    return re, im


def _spectral_convolution(z: Parts, weight: Tensor) -> Parts:
    channels, modes = weight.shape[3:5]
    spectrum = parts.by_library(torch.fft.fft2, parts.join(z))
    out = spectrum.new_zeros(spectrum.shape[0], channels, *spectrum.shape[2:])
    ends = slice(modes), slice(-modes, None)
    for rows, row_weight in zip(ends, weight, strict=True):
        for columns, corner in zip(ends, row_weight, strict=True):
            out[:, :, rows, columns] = mix_by_hand(spectrum[:, :, rows, columns], corner)
    return parts.split(parts.by_library(torch.fft.ifft2, out))


def _dropout(z: Parts, rate: float) -> Parts:
    kept = F.dropout(torch.ones_like(z[0]), rate)
    return z[0] * kept, z[1] * kept


def _gaussian_noise(z: Parts, deviation: float) -> Parts:
    re, im = (part + deviation / math.sqrt(2) * torch.randn_like(part) for part in z)
    return re, im


def stochastic_operator(
    x: Tensor,
    lift: Tensor,
    spectral: Tensor,
    mix: Tensor,
    scale: Tensor,
    shift: Tensor,
    bias: Tensor,
    project: Tensor,
    rate: float = 0.1,
    deviation: float = 0.05,
) -> Tensor:
    """Sample the operator."""
    z = _pointwise(parts.split(x), lift)
    for layer in range(mix.shape[0]):
        z = parts.add(_spectral_convolution(z, spectral[layer]), _pointwise(z, mix[layer]))
        z = normalization.whiten(z, (-2, -1))
        z = normalization.scale_and_shift(z, scale[layer], shift[layer])
        z = normalization.modrelu(z, bias[layer][:, None, None])
        z = _gaussian_noise(_dropout(z, rate), deviation)
    return parts.join(_pointwise(z, project))


def _spectral_convolution_in_jax(z: Any, weight: Any) -> Any:
    import jax.numpy as jnp

    modes = weight.shape[-1]
    spectrum = jnp.fft.fft2(z)
    out = jnp.zeros((z.shape[0], weight.shape[3], *z.shape[2:]), spectrum.dtype)
    ends = slice(modes), slice(-modes, None)
    for rows, row_weight in zip(ends, weight, strict=True):
        for columns, corner in zip(ends, row_weight, strict=True):
            mixed = jnp.einsum("bixy,ioxy->boxy", spectrum[:, :, rows, columns], corner)
            out = out.at[:, :, rows, columns].set(mixed)
    return jnp.fft.ifft2(out)


def _disturbed_in_jax(z: Any, key: Any, rate: float, deviation: float) -> Any:
    """Dropout and noise."""
    import jax

    first, second = jax.random.split(key)
    kept = jax.random.bernoulli(first, 1 - rate, z.shape) / (1 - rate)
    return z * kept.astype(z.real.dtype) + deviation * jax.random.normal(second, z.shape, z.dtype)


def stochastic_operator_in_jax(
    x: Any,
    lift: Any,
    spectral: Any,
    mix: Any,
    scale: Any,
    shift: Any,
    bias: Any,
    project: Any,
    rate: float = 0.1,
    deviation: float = 0.05,
) -> Any:
    """Sample the operator."""
    import jax
    import jax.numpy as jnp

    def pointwise(z: Any, weight: Any) -> Any:
        return jnp.einsum("oi,bihw->bohw", weight, z)

    def per_channel(t: Any) -> Any:
        return t[:, None, None]

    z = pointwise(x, lift)
    for layer, key in enumerate(jax.random.split(random_key(x), mix.shape[0])):
        z = _spectral_convolution_in_jax(z, spectral[layer]) + pointwise(z, mix[layer])
        z = normalization.whiten_in_jax(z, (-2, -1))
        z = z * per_channel(scale[layer]) + per_channel(shift[layer])
        z = normalization.modrelu_in_jax(z, per_channel(bias[layer]))
        z = _disturbed_in_jax(z, key, rate, deviation)
    return pointwise(z, project)
