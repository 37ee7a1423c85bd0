"""Spectral operators: the layer of a Fourier neural operator, the kernel of S4D."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.bench.cases import parts
from torch_complex_subclass.bench.cases.case import Case, Inputs, Shape, normal


def _fno(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    modes = low.shape[-1]
    spectrum = torch.fft.rfft2(x)
    out = torch.zeros_like(spectrum)
    out[:, :, :modes, :modes] = torch.einsum("bixy,ioxy->boxy", spectrum[:, :, :modes, :modes], low)
    out[:, :, -modes:, :modes] = torch.einsum(
        "bixy,ioxy->boxy", spectrum[:, :, -modes:, :modes], high
    )
    result: Tensor = torch.fft.irfft2(out, s=x.shape[-2:])
    return result


def mix_by_hand(z: Tensor, weight: Tensor) -> Tensor:
    """Mix channels of each mode: z `(b, i, x, y, 2)`, weight `(i, o, x, y, 2)`."""
    (re, im), (w_re, w_im) = parts.split(z), parts.split(weight)

    def mix(a: Tensor, b: Tensor) -> Tensor:
        return torch.einsum("bixy,ioxy->boxy", a, b)

    return parts.join((mix(re, w_re) - mix(im, w_im), mix(re, w_im) + mix(im, w_re)))


def _fno_by_hand(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    modes = low.shape[3]
    spectrum = torch.view_as_real(torch.fft.rfft2(x))
    out = torch.zeros_like(spectrum)
    out[:, :, :modes, :modes] = mix_by_hand(spectrum[:, :, :modes, :modes], low)
    out[:, :, -modes:, :modes] = mix_by_hand(spectrum[:, :, -modes:, :modes], high)
    result: Tensor = torch.fft.irfft2(torch.view_as_complex(out), s=x.shape[-2:])
    return result


def _fno_in_jax(x: Any, low: Any, high: Any) -> Any:
    import jax.numpy as jnp

    modes = low.shape[-1]
    spectrum = jnp.fft.rfft2(x)
    mixed = jnp.einsum("bixy,ioxy->boxy", spectrum[:, :, :modes, :modes], low)
    out = jnp.zeros_like(spectrum).at[:, :, :modes, :modes].set(mixed)
    mixed = jnp.einsum("bixy,ioxy->boxy", spectrum[:, :, -modes:, :modes], high)
    out = out.at[:, :, -modes:, :modes].set(mixed)
    return jnp.fft.irfft2(out, s=x.shape[-2:])


def _fno_inputs(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    batch, channels, side, modes = shape
    x = normal(batch, channels, side, side, dtype=dtype.to_real(), generator=generator)
    size = (channels, channels, modes, modes)
    low, high = (normal(*size, dtype=dtype, generator=generator) for _ in range(2))
    return x, low / channels, high / channels


def s4d_kernel(
    c: Tensor, log_dt: Tensor, log_rate: Tensor, frequency: Tensor, steps: Tensor
) -> Tensor:
    """Convolution kernel `(h, l)` of a diagonal state-space model at real times `(l,)`.

    Shapes: the complex c, and log_rate and frequency `(h, n)`, log_dt `(h,)`.
    """
    a = -torch.exp(log_rate) + 1j * frequency
    dt_a = a * torch.exp(log_dt)[:, None]
    scaled = c * (torch.exp(dt_a) - 1) / a
    return 2 * torch.einsum("hn,hnl->hl", scaled, torch.exp(dt_a[..., None] * steps)).real


def s4d_kernel_by_hand(
    c: Tensor, log_dt: Tensor, log_rate: Tensor, frequency: Tensor, steps: Tensor
) -> Tensor:
    """`s4d_kernel` with c as `(h, n, 2)`."""
    a = -torch.exp(log_rate), frequency
    dt = torch.exp(log_dt)[:, None]
    dt_a = a[0] * dt, a[1] * dt
    re, im = parts.exp(dt_a)
    re, im = parts.div(parts.mul(parts.split(c), (re - 1, im)), a)
    decay = torch.exp(dt_a[0][..., None] * steps)
    angle = dt_a[1][..., None] * steps
    real_part = re[..., None] * torch.cos(angle) - im[..., None] * torch.sin(angle)
    return 2 * (decay * real_part).sum(1)


def s4d_kernel_in_jax(c: Any, log_dt: Any, log_rate: Any, frequency: Any, steps: Any) -> Any:
    """`s4d_kernel`."""
    import jax.numpy as jnp

    a = -jnp.exp(log_rate) + 1j * frequency
    dt_a = a * jnp.exp(log_dt)[:, None]
    scaled = c * (jnp.exp(dt_a) - 1) / a
    return 2 * jnp.einsum("hn,hnl->hl", scaled, jnp.exp(dt_a[..., None] * steps)).real


def s4d_inputs(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    """Parameters and times of `s4d_kernel` for a shape `(h, n, l)`."""
    channels, states, length = shape
    real = dtype.to_real()
    c = normal(channels, states, dtype=dtype, generator=generator)
    log_dt = torch.rand(channels, dtype=real, generator=generator) - 6
    log_rate = torch.full((channels, states), 0.5, dtype=real).log()
    frequency = torch.pi * torch.arange(states, dtype=real).expand(channels, -1).contiguous()
    return c, log_dt, log_rate, frequency, torch.arange(length, dtype=real)


CASES = (
    Case(
        name="fno",
        group="spectral",
        about="layer of a Fourier neural operator: rfft2, weights on low modes, irfft2",
        fn=_fno,
        hand=_fno_by_hand,
        jax=_fno_in_jax,
        inputs=_fno_inputs,
        shapes={
            "tiny": (1, 2, 8, 2),
            "small": (1, 4, 16, 4),
            "medium": (4, 16, 64, 12),
            "large": (16, 32, 128, 16),
        },
        learned=(0, 1, 2),
        library=True,
    ),
    Case(
        name="s4d",
        group="spectral",
        about="convolution kernel of a diagonal state-space model",
        fn=s4d_kernel,
        hand=s4d_kernel_by_hand,
        jax=s4d_kernel_in_jax,
        inputs=s4d_inputs,
        shapes={
            "tiny": (2, 2, 4),
            "small": (4, 8, 64),
            "medium": (32, 32, 256),
            "large": (256, 64, 1024),
        },
        learned=(0, 1, 2, 3),
    ),
)
