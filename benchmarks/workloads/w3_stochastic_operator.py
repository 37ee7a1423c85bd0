"""W3: a stochastic neural operator on complex fields, random numbers included.

Each layer mixes channels on the kept Fourier modes and, beside that, at each point; complex
instance norm, modReLU, dropout and Gaussian noise follow. A call is one sample of the operator.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from torch_complex_subclass.bench.cases import Case, Inputs
from torch_complex_subclass.bench.cases.case import Shape, normal
from torch_complex_subclass.bench.workloads import w3_versions
from torch_complex_subclass.bench.workloads.normalization import modrelu, whiten
from torch_complex_subclass.bench.workloads.system import System


def spectral_convolution(z: Tensor, weight: Tensor) -> Tensor:
    """Mix channels of the lowest modes, of either sign in both directions; others become 0.

    Shapes: z `(b, i, h, w)`, weight `(2, 2, i, o, m, m)` with m kept modes of each sign, result
    `(b, o, h, w)`.
    """
    *_, channels, modes, _ = weight.shape
    spectrum = torch.fft.fft2(z)
    out = spectrum.new_zeros(z.shape[0], channels, *z.shape[2:])
    ends = slice(modes), slice(-modes, None)
    for rows, row_weight in zip(ends, weight, strict=True):
        for columns, corner in zip(ends, row_weight, strict=True):
            kept = spectrum[..., rows, columns]
            out[..., rows, columns] = torch.einsum("bixy,ioxy->boxy", kept, corner)
    result: Tensor = torch.fft.ifft2(out)
    return result


def pointwise(z: Tensor, weight: Tensor) -> Tensor:
    """Mix channels at each point: z `(b, i, h, w)`, weight `(o, i)`, result `(b, o, h, w)`."""
    return torch.einsum("oi,bihw->bohw", weight, z)


def instance_norm(z: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Whiten each channel of each sample, then scale and shift it; both are complex, `(c,)`."""
    return whiten(z, (-2, -1)) * scale[:, None, None] + shift[:, None, None]


def dropout(z: Tensor, rate: float) -> Tensor:
    """Zero elements, both parts together, with probability `rate`; keep the mean."""
    return z * F.dropout(torch.ones_like(z.real), rate)


def gaussian_noise(z: Tensor, deviation: float) -> Tensor:
    """Add circular complex normal numbers of mean square `deviation`^2."""
    return z + deviation * torch.randn_like(z)


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
    """Sample the operator on fields x `(b, i, h, w)`; all but the real `bias` are complex.

    Shapes: lift `(c, i)`, for layer l spectral `(l, 2, 2, c, c, m, m)`, mix `(l, c, c)`, scale,
    shift and bias `(l, c)`, and project `(o, c)`.
    """
    z = pointwise(x, lift)
    for layer in range(mix.shape[0]):
        z = spectral_convolution(z, spectral[layer]) + pointwise(z, mix[layer])
        z = instance_norm(z, scale[layer], shift[layer])
        z = modrelu(z, bias[layer][:, None, None])
        z = gaussian_noise(dropout(z, rate), deviation)
    return pointwise(z, project)


def _inputs(shape: Shape, dtype: torch.dtype, generator: torch.Generator) -> Inputs:
    batch, fields, side, channels, layers, modes = shape

    def weights(*size: int, summed: int) -> Tensor:
        return normal(*size, dtype=dtype, generator=generator) / math.sqrt(summed)

    corners = 2, 2, channels, channels, modes, modes
    return (
        normal(batch, fields, side, side, dtype=dtype, generator=generator),
        weights(channels, fields, summed=fields),
        weights(layers, *corners, summed=channels),
        weights(layers, channels, channels, summed=channels),
        weights(layers, channels, summed=1),
        weights(layers, channels, summed=16),
        normal(layers, channels, dtype=dtype.to_real(), generator=generator) / 4,
        weights(fields, channels, summed=channels),
    )


# Dropout at other places changes norms by a few percent, in the smallest gradients by more.
_SPREAD = 0.3


def _norms_differ(got: Sequence[Tensor], want: Sequence[Tensor]) -> str | None:
    """Compare two samples of results by their norms."""
    for i, (a, b) in enumerate(zip(got, want, strict=True)):
        ratio = float(a.norm() / b.norm())
        if a.shape != b.shape or not abs(ratio - 1) <= _SPREAD:
            return f"result {i} has a norm of {ratio:.2f} times eager's, allowed 1 +- {_SPREAD}"
    return None


SYSTEM = System(
    name="w3",
    title="Stochastic neural operator",
    about=(
        "Four layers on complex fields: Fourier modes, pointwise mixing, whitening instance norm, "
        "modReLU, dropout, Gaussian noise. The random numbers are drawn inside the one compiled "
        "graph, in inference and in training. With torch's `fallback_random` they are the ones "
        "that eager draws from the same seed; without it dropout uses Inductor's generator, and "
        "results are compared by their norms. The size large is the published one: 64 channels, "
        "input 5 x 3 x 128 x 128."
    ),
    source="a real-valued operator of this shape, compiled with max-autotune: 38.4 to 35.2 ms",
    published={"w3_operator": 1.09},
    cases=(
        Case(
            name="w3_operator",
            group="w3",
            about="spectral convolutions with dropout and noise, in one graph",
            fn=stochastic_operator,
            hand=w3_versions.stochastic_operator,
            jax=w3_versions.stochastic_operator_in_jax,
            inputs=_inputs,
            shapes={
                "tiny": (1, 1, 8, 2, 1, 2),
                "small": (2, 3, 16, 8, 2, 4),
                "medium": (2, 3, 64, 16, 4, 8),
                "large": (5, 3, 128, 64, 4, 16),
            },
            learned=(1, 2, 3, 4, 5, 6, 7),
            differs=_norms_differ,
        ),
    ),
)
