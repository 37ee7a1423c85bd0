"""Exponentials, logarithms, roots and powers."""

from __future__ import annotations

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.compensated import quarter_scale
from torch_complex_subclass.decompositions.registry import Pair, unary

aten = torch.ops.aten


@unary(aten.exp.default, max_ulp=4)
def exp(x: Tensor, y: Tensor) -> Pair:
    """Exponential."""
    r = torch.exp(x)
    return Pair(r * torch.cos(y), r * torch.sin(y))


@unary(aten.log.default, max_ulp=4)
def log(x: Tensor, y: Tensor) -> Pair:
    """Logarithm."""
    return Pair(torch.log(torch.hypot(x, y)), torch.atan2(y, x))


@unary(aten.sqrt.default, max_ulp=4)
def sqrt(x: Tensor, y: Tensor) -> Pair:
    """Principal square root."""
    ax, ay = x.abs(), y.abs()
    scale, root = quarter_scale(ax.maximum(ay))
    sx, sy = ax * scale, ay * scale
    u = torch.sqrt((torch.hypot(sx, sy) + sx) / 2) / root
    u = torch.where(ay.isinf(), torch.inf, u)
    v = torch.where(ay.isinf() | (u == 0), ay, ay / u / 2)
    return Pair(torch.where(x < 0, v, u), torch.where(x < 0, u, v).copysign(y))
