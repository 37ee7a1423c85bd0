"""Sine, cosine, tangent and their inverses."""

from __future__ import annotations

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.registry import Pair, unary

aten = torch.ops.aten


@unary(aten.sin.default, max_ulp=4)
def sin(x: Tensor, y: Tensor) -> Pair:
    """Sine."""
    return Pair(torch.sin(x) * torch.cosh(y), torch.cos(x) * torch.sinh(y))


@unary(aten.cos.default, max_ulp=4)
def cos(x: Tensor, y: Tensor) -> Pair:
    """Cosine."""
    return Pair(torch.cos(x) * torch.cosh(y), -torch.sin(x) * torch.sinh(y))
