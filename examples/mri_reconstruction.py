"""An image from undersampled MRI measurements of several coils, by gradient descent.

Each step is one compiled graph: the transforms are the library's, and the coil sensitivities, the
mask, the residual and the update are fused around them.
"""

from __future__ import annotations

import torch
from torch import Tensor

import torch_complex_subclass as tcs


def measure(image: Tensor, coils: Tensor, mask: Tensor) -> Tensor:
    """Spectra `(coils, height, width)` that the coils measure where the mask is 1."""
    return mask * torch.fft.fft2(coils * image, norm="ortho")


def step(image: Tensor, measured: Tensor, coils: Tensor, mask: Tensor) -> Tensor:
    """Descend along the gradient of |measure(image) - measured|^2 / 2."""
    residual = measure(image, coils, mask) - measured
    return image - (coils.conj() * torch.fft.ifft2(residual, norm="ortho")).sum(0)


def phantom(side: int) -> Tensor:
    """Two discs, with a phase that turns slowly across the image."""
    x = torch.linspace(-1, 1, side)
    discs = (x**2 + x[:, None] ** 2 < 0.7).float() + ((x - 0.3) ** 2 + x[:, None] ** 2 < 0.1)
    return torch.polar(discs, x.expand(side, side).contiguous())


def sensitivities(side: int) -> Tensor:
    """Four coils, one in each corner; their squared moduli sum to 1."""
    x = torch.linspace(-1, 1, side)
    corners = [(x - a) ** 2 + (x[:, None] - b) ** 2 for a in (-1, 1) for b in (-1, 1)]
    size = torch.exp(-torch.stack(corners) / 2)
    phase = torch.arange(4.0)[:, None, None] * x
    return torch.polar(size / size.norm(dim=0), phase)


def main() -> None:
    torch.manual_seed(0)
    side = 64
    image, coils = phantom(side), sensitivities(side)
    mask = (torch.rand(side, side) < 0.5).float()
    measured = measure(image, coils, mask)

    tcs.enable()
    compiled = torch.compile(step, fullgraph=True)
    ours = eager = torch.zeros_like(image)
    for _ in range(30):
        ours, eager = compiled(ours, measured, coils, mask), step(eager, measured, coils, mask)

    difference = ((ours - eager).norm() / eager.norm()).item()
    assert difference <= 1e-5, f"compiled and eager differ by {difference}"
    error = ((ours - image).norm() / image.norm()).item()
    assert error <= 0.05, f"the image is off by {error}"
    print(f"MRI reconstruction: {error:.1%} off after 30 steps, within {difference:.1e} of eager")


if __name__ == "__main__":
    main()
