"""W5: a diagonal state-space layer (S4D), applied to whole sequences by FFT."""

from __future__ import annotations

import torch
from torch import Tensor

from torch_complex_subclass.bench.cases.spectral import s4d_kernel


def s4d_layer(
    u: Tensor, skip: Tensor, c: Tensor, log_dt: Tensor, log_rate: Tensor, frequency: Tensor
) -> Tensor:
    """Convolve real sequences `(b, h, l)` with the kernel of the layer, causally, and add a skip.

    Shapes: skip and log_dt `(h,)`, the complex c, and log_rate and frequency `(h, n)`.
    """
    length = u.shape[-1]
    steps = torch.arange(length, dtype=u.dtype, device=u.device)
    kernel = s4d_kernel(c, log_dt, log_rate, frequency, steps)
    # Of twice the length, so that the end does not come round to the start.
    spectrum = torch.fft.rfft(u, 2 * length) * torch.fft.rfft(kernel, 2 * length)
    convolved: Tensor = torch.fft.irfft(spectrum, 2 * length)
    return convolved[..., :length] + skip[:, None] * u
