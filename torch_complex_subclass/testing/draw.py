"""Random numbers that samples of the plane are made of, in float64."""

from __future__ import annotations

import math

import torch
from torch import Tensor

Points = tuple[Tensor, Tensor]


def signs(n: int, g: torch.Generator) -> Tensor:
    return torch.randint(0, 2, (n,), generator=g, dtype=torch.float64) * 2 - 1


def uniform(n: int, g: torch.Generator, low: float, high: float) -> Tensor:
    return low + (high - low) * torch.rand(n, generator=g, dtype=torch.float64)


def log2_uniform(n: int, g: torch.Generator, low: float, high: float) -> Tensor:
    """Values of either sign whose sizes are log-uniform in [2**low, 2**high]."""
    return signs(n, g) * torch.exp2(uniform(n, g, low, high))


def exponents(dtype: torch.dtype) -> tuple[float, float, float]:
    """Binary exponents of the smallest normal, the largest number, and half an ulp of 1."""
    fi = torch.finfo(dtype)
    return math.log2(fi.tiny), math.log2(fi.max) - 1e-9, math.log2(fi.eps) - 1
