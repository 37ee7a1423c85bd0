"""Normal numbers for tests, by names short enough for tables of cases."""

from __future__ import annotations

import torch
from torch import Tensor

C64, C128 = torch.complex64, torch.complex128


def z(*shape: int, dtype: torch.dtype = C64) -> Tensor:
    """Complex numbers of mean square 1."""
    return torch.randn(shape, dtype=dtype)


def r(*shape: int) -> Tensor:
    """Real numbers of mean square 1."""
    return torch.randn(shape)
