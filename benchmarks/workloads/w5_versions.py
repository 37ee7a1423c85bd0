"""The networks and images of W5 by hand with real tensors, and in JAX."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from torch_complex_subclass.bench.cases import parts
from torch_complex_subclass.bench.cases.parts import Parts
from torch_complex_subclass.bench.cases.spectral import s4d_kernel_by_hand, s4d_kernel_in_jax
from torch_complex_subclass.bench.workloads import normalization_versions as normalization

# By hand.


def s4d_layer(
    u: Tensor, skip: Tensor, c: Tensor, log_dt: Tensor, log_rate: Tensor, frequency: Tensor
) -> Tensor:
    """Causal convolution of real sequences with the kernel."""
    length = u.shape[-1]
    steps = torch.arange(length, dtype=u.dtype, device=u.device)
    kernel = s4d_kernel_by_hand(c, log_dt, log_rate, frequency, steps)
    spectra = (parts.split(torch.view_as_real(torch.fft.rfft(t, 2 * length))) for t in (u, kernel))
    product = torch.view_as_complex(parts.join(parts.mul(*spectra)))
    convolved: Tensor = torch.fft.irfft(product, 2 * length)
    return convolved[..., :length] + skip[:, None] * u


def _block(z: Tensor, kernel: Tensor, scale: Tensor, shift: Tensor, bias: Tensor) -> Tensor:
    """A layer on both parts, one after the other along the channels."""
    re, im = F.conv2d(z, parts.doubled(kernel), stride=2, padding=1).chunk(2, 1)
    white = normalization.whiten((re, im), (0, -2, -1))
    scaled = normalization.scale_and_shift(white, scale, shift)
    return torch.cat(normalization.modrelu(scaled, bias[:, None, None]), 1)


def convolutional_network(x: Tensor, target: Tensor, weight: Tensor, *layers: Tensor) -> Tensor:
    """Scores less their target, by real convolutions of twice the channels."""
    z = torch.cat(parts.split(x), 1)
    for first in range(0, len(layers), 4):
        z = _block(z, *layers[first : first + 4])
    re, im = z.mean((-2, -1)).chunk(2, 1)
    return F.linear(parts.modulus((re, im)), weight) - target


def _combined(spectrum: Tensor, coils: Parts, mask: Tensor) -> Parts:
    images = parts.by_library(torch.fft.ifft2, mask[..., None] * spectrum, norm="ortho")
    re, im = parts.mul(parts.conj(coils), parts.split(images))
    return re.sum(1), im.sum(1)


def reconstruct(
    measured: Tensor, coils: Tensor, mask: Tensor, rates: Tensor, thresholds: Tensor
) -> Tensor:
    """Image of the measured spectra."""
    weights = parts.split(coils)
    image = _combined(measured, weights, mask)
    for rate, threshold in zip(rates, thresholds, strict=True):
        seen = parts.join(parts.mul(weights, (image[0][:, None], image[1][:, None])))
        spectrum = parts.by_library(torch.fft.fft2, seen, norm="ortho")
        step = _combined(mask[..., None] * spectrum - measured, weights, mask)
        moved = image[0] - rate * step[0], image[1] - rate * step[1]
        image = normalization.modrelu(moved, -threshold)
    return parts.join(image)


def retrieve_phases(image: Tensor, masks: Tensor, moduli: Tensor, steps: int = 4) -> Tensor:
    """Image nearer to the measured moduli."""
    factors = parts.split(masks)
    for _ in range(steps):
        masked = parts.join(parts.mul(factors, parts.split(image)))
        re, im = parts.split(parts.by_library(torch.fft.fft2, masked))
        size = parts.modulus((re, im))
        scale = moduli / torch.where(size == 0, 1, size)
        seen = parts.by_library(torch.fft.ifft2, parts.join((re * scale, im * scale)))
        re, im = parts.mul(parts.conj(factors), parts.split(seen))
        image = parts.join((re.mean(0), im.mean(0)))
    return image


# In JAX.


def s4d_layer_in_jax(u: Any, skip: Any, c: Any, log_dt: Any, log_rate: Any, frequency: Any) -> Any:
    """Causal convolution of real sequences with the kernel."""
    import jax.numpy as jnp

    length = u.shape[-1]
    steps = jnp.arange(length, dtype=u.dtype)
    kernel = s4d_kernel_in_jax(c, log_dt, log_rate, frequency, steps)
    product = jnp.fft.rfft(u, 2 * length) * jnp.fft.rfft(kernel, 2 * length)
    return jnp.fft.irfft(product, 2 * length)[..., :length] + skip[:, None] * u


def _block_in_jax(z: Any, kernel: Any, scale: Any, shift: Any, bias: Any) -> Any:
    import jax

    scale, shift, bias = (t[:, None, None] for t in (scale, shift, bias))
    z = jax.lax.conv_general_dilated(z, kernel, (2, 2), ((1, 1), (1, 1)))
    z = normalization.whiten_in_jax(z, (0, -2, -1)) * scale + shift
    return normalization.modrelu_in_jax(z, bias)


def convolutional_network_in_jax(x: Any, target: Any, weight: Any, *layers: Any) -> Any:
    """Scores less their target."""
    z = x
    for first in range(0, len(layers), 4):
        z = _block_in_jax(z, *layers[first : first + 4])
    return abs(z.mean((-2, -1))) @ weight.T - target


def reconstruct_in_jax(measured: Any, coils: Any, mask: Any, rates: Any, thresholds: Any) -> Any:
    """Image of the measured spectra."""
    import jax.numpy as jnp

    def combined(spectrum: Any) -> Any:
        return (coils.conj() * jnp.fft.ifft2(mask * spectrum, norm="ortho")).sum(1)

    image = combined(measured)
    for rate, threshold in zip(rates, thresholds, strict=True):
        seen = mask * jnp.fft.fft2(coils * image[:, None], norm="ortho")
        image = image - rate * combined(seen - measured)
        image = normalization.modrelu_in_jax(image, -threshold)
    return image


def retrieve_phases_in_jax(image: Any, masks: Any, moduli: Any, steps: int = 4) -> Any:
    """Image nearer to the measured moduli."""
    import jax.numpy as jnp

    for _ in range(steps):
        spectra = jnp.fft.fft2(masks * image)
        image = (masks.conj() * jnp.fft.ifft2(moduli * jnp.sign(spectra))).mean(0)
    return image
