"""Tensors that programs are called with: few-digit numbers, the same in every dtype."""

from __future__ import annotations

import torch
from torch import Tensor

# Numbers are multiples of this, so that single precision holds them exactly.
_STEP = 1 / 1024
_HARD = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.0, 3.0)


def _parts(shape: tuple[int, ...], generator: torch.Generator, values: str) -> Tensor:
    """Real numbers in float64: between -2 and 2, or of the few that are hard for many functions."""
    if values == "hard":
        chosen = torch.randint(0, len(_HARD), shape, generator=generator)
        return torch.tensor(_HARD, dtype=torch.float64)[chosen]
    whole = torch.randint(-2048, 2049, shape, generator=generator)
    return whole.to(torch.float64) * _STEP


def make(
    shape: tuple[int, ...],
    dtype: torch.dtype,
    seed: int,
    values: str = "grid",
    requires_grad: bool = False,
) -> Tensor:
    """Return a contiguous tensor of random numbers, with the same values in every dtype.

    `values` is "grid" (between -2 and 2) or "hard" (zeros of both signs and small whole numbers).
    Integers are between 0 and 4.
    """
    generator = torch.Generator().manual_seed(seed)
    if dtype == torch.bool:
        return torch.randint(0, 2, shape, generator=generator).to(dtype)
    if not dtype.is_floating_point and not dtype.is_complex:
        return torch.randint(0, 5, shape, generator=generator).to(dtype)
    made = _parts(shape, generator, values)
    if dtype.is_complex:
        made = torch.complex(made, _parts(shape, generator, values))
    return made.to(dtype).requires_grad_(requires_grad)
