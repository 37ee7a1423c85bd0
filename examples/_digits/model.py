"""A complex-valued network in the Fourier domain, written with complex tensors throughout."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ComplexLinear(nn.Module):
    """Affine map `(..., n)` to `(..., m)` with native complex parameters."""

    def __init__(self, n: int, m: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(m, n, dtype=torch.complex64) / n**0.5)
        self.bias = nn.Parameter(torch.zeros(m, dtype=torch.complex64))

    def forward(self, z: Tensor) -> Tensor:
        return F.linear(z, self.weight, self.bias)


class ComplexRMSNorm(nn.Module):
    """Scales each sample to mean square modulus 1, then each feature by a complex gain."""

    def __init__(self, n: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(n, dtype=torch.complex64))
        self.eps = eps

    def forward(self, z: Tensor) -> Tensor:
        power = z.abs().square().mean(-1, keepdim=True)
        return z * torch.rsqrt(power + self.eps) * self.gain


class ModReLU(nn.Module):
    """ReLU of the modulus plus a bias, at unchanged phase: z relu(|z| + b) / |z|."""

    def __init__(self, n: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.full((n,), -0.1))
        self.eps = eps

    def forward(self, z: Tensor) -> Tensor:
        modulus = z.abs()
        # The floor keeps 0 / 0 out of value and gradient at z = 0.
        return z * (F.relu(modulus + self.bias) / modulus.clamp_min(self.eps))


class Block(nn.Module):
    """Residual block: z + linear(modrelu(norm(z)))."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.norm = ComplexRMSNorm(n)
        self.activation = ModReLU(n)
        self.linear = ComplexLinear(n, n)

    def forward(self, z: Tensor) -> Tensor:
        return z + self.linear(self.activation(self.norm(z)))


class FourierClassifier(nn.Module):
    """Images `(n, side, side)` to logits `(n, classes)`; everything between is complex."""

    def __init__(self, side: int, classes: int, width: int = 128, depth: int = 6) -> None:
        super().__init__()
        self.lift = ComplexLinear(side * side, width)
        self.blocks = nn.Sequential(*(Block(width) for _ in range(depth)))
        self.norm = ComplexRMSNorm(width)
        self.head = ComplexLinear(width, classes)

    def forward(self, images: Tensor) -> Tensor:
        spectrum = torch.fft.fft2(images, norm="ortho").flatten(1)
        z = self.blocks(self.lift(spectrum))
        return self.head(self.norm(z)).abs()
