"""A Fourier neural operator layer: transform, mix channels on the kept modes, transform back.

The training step is one compiled graph: forward, loss, and the gradient of complex weights.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import torch_complex_subclass as tcs


class SpectralConv2d(nn.Module):
    """Maps `(batch, channels, height, width)` to itself; complex weights for each kept mode."""

    def __init__(self, channels: int, modes: int) -> None:
        super().__init__()
        self.modes = modes
        shape = (2, channels, channels, modes, modes)
        self.weight = nn.Parameter(torch.randn(shape, dtype=torch.complex64) / channels)

    def forward(self, x: Tensor) -> Tensor:
        m, spectrum = self.modes, torch.fft.rfft2(x)
        out = torch.zeros_like(spectrum)
        # Low frequencies lie at both ends of the rows; rfft2 keeps one half of the columns.
        for rows, weight in zip((slice(m), slice(-m, None)), self.weight, strict=True):
            kept = spectrum[..., rows, :m]
            out[..., rows, :m] = torch.einsum("bixy,ioxy->boxy", kept, weight)
        return torch.fft.irfft2(out, s=x.shape[-2:])


class FourierLayer(nn.Module):
    """Spectral convolution beside a pointwise one."""

    def __init__(self, channels: int = 16, modes: int = 8) -> None:
        super().__init__()
        self.spectral = SpectralConv2d(channels, modes)
        self.pointwise = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(self.spectral(x) + self.pointwise(x))


def gradients(layer: FourierLayer, x: Tensor, y: Tensor, compiled: bool) -> list[Tensor]:
    """Run one training step up to the gradients; the loss comes first."""

    def loss(x: Tensor, y: Tensor) -> Tensor:
        return F.mse_loss(layer(x), y)

    layer.zero_grad()
    value = (torch.compile(loss, fullgraph=True) if compiled else loss)(x, y)
    value.backward()
    return [value.detach(), *(p.grad.clone() for p in layer.parameters() if p.grad is not None)]


def main() -> None:
    torch.manual_seed(0)
    tcs.enable()
    layer, x, y = FourierLayer(), torch.randn(4, 16, 32, 32), torch.randn(4, 16, 32, 32)
    ours, eager = (gradients(layer, x, y, compiled) for compiled in (True, False))
    worst = max(((a - b).norm() / b.norm()).item() for a, b in zip(ours, eager, strict=True))
    assert worst <= 1e-5, f"compiled and eager differ by {worst}"
    print(f"Fourier operator: loss and gradients within {worst:.1e} of eager")


if __name__ == "__main__":
    main()
