"""`normalization` by hand, on both parts, and in JAX."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.bench.cases import parts
from torch_complex_subclass.bench.cases.parts import Parts
from torch_complex_subclass.bench.workloads.normalization import EPSILON


def whiten(z: Parts, dims: tuple[int, ...]) -> Parts:
    """Whiten by the inverse square root of the covariance of both parts."""
    re, im = (part - part.mean(dims, keepdim=True) for part in z)
    rr = (re * re).mean(dims, keepdim=True) + EPSILON
    ii = (im * im).mean(dims, keepdim=True) + EPSILON
    ri = (re * im).mean(dims, keepdim=True)
    root = torch.sqrt(rr * ii - ri * ri)
    scale = 1 / (root * torch.sqrt(rr + ii + 2 * root))
    return ((ii + root) * re - ri * im) * scale, ((rr + root) * im - ri * re) * scale


def scale_and_shift(z: Parts, scale: Tensor, shift: Tensor) -> Parts:
    """By complex numbers `(c, 2)` for each channel of `(b, c, h, w)`."""
    scales, shifts = (parts.split(t[:, None, None]) for t in (scale, shift))
    return parts.add(parts.mul(z, scales), shifts)


def modrelu(z: Parts, bias: Tensor) -> Parts:
    """Shrink or stretch the modulus."""
    size = parts.modulus(z)
    factor = torch.relu(size + bias) / (size + EPSILON)
    return z[0] * factor, z[1] * factor


def whiten_in_jax(z: Any, axes: tuple[int, ...]) -> Any:
    """Whiten by u z + v conj(z)."""
    import jax.numpy as jnp

    z = z - z.mean(axes, keepdims=True)
    power = (abs(z) ** 2).mean(axes, keepdims=True) + 2 * EPSILON
    pseudo = (z**2).mean(axes, keepdims=True)
    root = jnp.sqrt(power**2 - abs(pseudo) ** 2) / 2
    trace = jnp.sqrt(power + 2 * root)
    return (trace * z - pseudo / trace * z.conj()) / (2 * root)


def modrelu_in_jax(z: Any, bias: Any) -> Any:
    """Shrink or stretch the modulus."""
    import jax

    size = abs(z)
    return z * jax.nn.relu(size + bias) / (size + EPSILON)
