"""W5: images from part of their spectrum (MRI), and from its modulus (phase retrieval)."""

from __future__ import annotations

import torch
from torch import Tensor

from torch_complex_subclass.bench.workloads.normalization import modrelu


def measure(image: Tensor, coils: Tensor, mask: Tensor) -> Tensor:
    """What each coil measures: image `(b, h, w)`, coils `(b, c, h, w)`, mask `(h, w)`, 0 or 1."""
    spectrum: Tensor = torch.fft.fft2(coils * image[:, None], norm="ortho")
    return mask * spectrum


def combine(spectrum: Tensor, coils: Tensor, mask: Tensor) -> Tensor:
    """Adjoint of `measure`."""
    images: Tensor = torch.fft.ifft2(mask * spectrum, norm="ortho")
    return (coils.conj() * images).sum(1)


def reconstruct(
    measured: Tensor, coils: Tensor, mask: Tensor, rates: Tensor, thresholds: Tensor
) -> Tensor:
    """Image of the measured spectra, by a gradient step and a soft threshold for each rate.

    Shapes: measured and coils `(b, c, h, w)`, mask `(h, w)`, the real rates and thresholds `(s,)`.
    """
    image = combine(measured, coils, mask)
    for rate, threshold in zip(rates, thresholds, strict=True):
        residual = measure(image, coils, mask) - measured
        image = modrelu(image - rate * combine(residual, coils, mask), -threshold)
    return image


def retrieve_phases(image: Tensor, masks: Tensor, moduli: Tensor, steps: int = 4) -> Tensor:
    """Bring an image closer to one with these moduli of its masked spectra.

    Each step takes the measured moduli with the phases at hand, transforms back, and removes the
    masks (Gerchberg and Saxton, 1972). Shapes: image `(h, w)`, masks `(k, h, w)` of modulus 1,
    moduli `(k, h, w)`.
    """
    for _ in range(steps):
        spectra = torch.fft.fft2(masks * image)
        image = (masks.conj() * torch.fft.ifft2(moduli * torch.sgn(spectra))).mean(0)
    return image
