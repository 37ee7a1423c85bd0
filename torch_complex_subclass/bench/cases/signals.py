"""Signal processing: a mask on a short-time spectrum, a filter between pointwise work."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.bench.cases import parts
from torch_complex_subclass.bench.cases.case import Case, Inputs, Shape, normal


def _stft(x: Tensor, window: Tensor, mask: Tensor) -> Tensor:
    n = window.shape[0]
    spectrum = torch.stft(x, n, n // 4, window=window, return_complex=True)
    return torch.istft(spectrum * mask, n, n // 4, window=window, length=x.shape[-1])


def _stft_by_hand(x: Tensor, window: Tensor, mask: Tensor) -> Tensor:
    n = window.shape[0]
    spectrum = torch.view_as_real(torch.stft(x, n, n // 4, window=window, return_complex=True))
    masked = parts.join(parts.mul(parts.split(spectrum), parts.split(mask)))
    # What the parts are joined to has to be dense in memory, and Inductor chooses its layout.
    z = torch.view_as_complex(masked.contiguous())
    return torch.istft(z, n, n // 4, window=window, length=x.shape[-1])


def _stft_in_jax(x: Any, window: Any, mask: Any) -> Any:
    import jax.numpy as jnp

    n, length = window.shape[0], x.shape[-1]
    padded = jnp.pad(x, ((0, 0), (n // 2, n // 2)), mode="reflect")
    starts = jnp.arange(0, padded.shape[-1] - n + 1, n // 4)
    where = starts[:, None] + jnp.arange(n)
    spectrum = jnp.fft.rfft(padded[:, where] * window) * mask.T
    frames = jnp.fft.irfft(spectrum, n) * window
    total = jnp.zeros_like(padded).at[:, where].add(frames)
    weight = jnp.zeros_like(padded[0]).at[where].add(window**2)
    inside = slice(n // 2, n // 2 + length)
    return total[:, inside] / weight[inside]


def _stft_inputs(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    batch, length, n = shape
    real = dtype.to_real()
    x = normal(batch, length, dtype=real, generator=generator)
    mask = normal(n // 2 + 1, length // (n // 4) + 1, dtype=dtype, generator=generator)
    return x, torch.hann_window(n, dtype=real), mask


def _filter(z: Tensor, chirp: Tensor, response: Tensor) -> Tensor:
    y: Tensor = torch.fft.ifft(torch.fft.fft(z * torch.exp(1j * chirp)) * response)
    return y / (y.abs() + 1)


def _filter_by_hand(z: Tensor, chirp: Tensor, response: Tensor) -> Tensor:
    turned = parts.join(parts.mul(parts.split(z), (torch.cos(chirp), torch.sin(chirp))))
    spectrum = torch.view_as_real(torch.fft.fft(torch.view_as_complex(turned)))
    weighted = parts.join(parts.mul(parts.split(spectrum), parts.split(response)))
    y = torch.view_as_real(torch.fft.ifft(torch.view_as_complex(weighted)))
    return y / (parts.modulus(parts.split(y)) + 1)[..., None]


def _filter_in_jax(z: Any, chirp: Any, response: Any) -> Any:
    import jax.numpy as jnp

    y = jnp.fft.ifft(jnp.fft.fft(z * jnp.exp(1j * chirp)) * response)
    return y / (abs(y) + 1)


def _filter_inputs(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    batch, length = shape
    z = normal(batch, length, dtype=dtype, generator=generator)
    chirp = 20 * torch.linspace(-1, 1, length, dtype=dtype.to_real()) ** 2
    return z, chirp, normal(length, dtype=dtype, generator=generator)


CASES = (
    Case(
        name="stft_mask",
        group="signals",
        about="complex mask on a short-time Fourier transform, and back",
        fn=_stft,
        hand=_stft_by_hand,
        jax=_stft_in_jax,
        inputs=_stft_inputs,
        shapes={
            "tiny": (1, 32, 8),
            "small": (1, 1024, 64),
            "medium": (2, 2**15, 256),
            "large": (8, 2**18, 512),
        },
        learned=(2,),
        library=True,
    ),
    Case(
        name="filter",
        group="signals",
        about="chirp, FFT, response, inverse FFT, soft limit of the modulus",
        fn=_filter,
        hand=_filter_by_hand,
        jax=_filter_in_jax,
        inputs=_filter_inputs,
        shapes={"tiny": (1, 8), "small": (2, 512), "medium": (16, 4096), "large": (512, 8192)},
        learned=(2,),
    ),
)
