"""Comparison and classification; results are boolean."""

from __future__ import annotations

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.operands import as_pair
from torch_complex_subclass.decompositions.registry import (
    Operand,
    componentwise,
    elementwise,
    unary,
    unsupported,
)

aten = torch.ops.aten


def nonzero_mask(z: Operand) -> Tensor:
    """True where a value is not zero; NaN counts as not zero."""
    z = as_pair(z)
    return torch.ne(z.re, 0) | torch.ne(z.im, 0)


@elementwise(aten.eq.Tensor, aten.eq.Scalar)
def eq(z: Operand, w: Operand) -> Tensor:
    """True where both parts are equal."""
    z, w = as_pair(z), as_pair(w)
    return torch.eq(z.re, w.re) & torch.eq(z.im, w.im)


@elementwise(aten.ne.Tensor, aten.ne.Scalar)
def ne(z: Operand, w: Operand) -> Tensor:
    """True where a part differs; NaN differs from everything."""
    z, w = as_pair(z), as_pair(w)
    return torch.ne(z.re, w.re) | torch.ne(z.im, w.im)


@unary(aten.isnan.default, max_ulp=0)
def isnan(x: Tensor, y: Tensor) -> Tensor:
    """True where a part is NaN."""
    return torch.isnan(x) | torch.isnan(y)


@unary(aten.isinf.default, max_ulp=0)
def isinf(x: Tensor, y: Tensor) -> Tensor:
    """True where a part is infinite, even if the other is NaN."""
    return torch.isinf(x) | torch.isinf(y)


@elementwise(aten.logical_and.default)
def logical_and(z: Operand, w: Operand) -> Tensor:
    """True where both values are not zero."""
    return nonzero_mask(z) & nonzero_mask(w)


@elementwise(aten.logical_or.default)
def logical_or(z: Operand, w: Operand) -> Tensor:
    """True where a value is not zero."""
    return nonzero_mask(z) | nonzero_mask(w)


@elementwise(aten.logical_xor.default)
def logical_xor(z: Operand, w: Operand) -> Tensor:
    """True where exactly one value is not zero."""
    return nonzero_mask(z) ^ nonzero_mask(w)


@elementwise(aten.logical_not.default)
def logical_not(z: Operand) -> Tensor:
    """True where the value is zero."""
    return ~nonzero_mask(z)


componentwise(aten.nan_to_num.default)

# Eager raises for these as well.
unsupported(
    aten.amax.default,
    aten.amin.default,
    aten.argmax.default,
    aten.argmin.default,
    aten.argsort.default,
    aten.argsort.stable,
    aten.clamp.default,
    aten.clamp.Tensor,
    aten.clamp_max.default,
    aten.clamp_max.Tensor,
    aten.clamp_min.default,
    aten.clamp_min.Tensor,
    aten.cummax.default,
    aten.cummin.default,
    aten.fmax.default,
    aten.fmin.default,
    aten.ge.Scalar,
    aten.ge.Tensor,
    aten.gt.Scalar,
    aten.gt.Tensor,
    aten.kthvalue.default,
    aten.le.Scalar,
    aten.le.Tensor,
    aten.lt.Scalar,
    aten.lt.Tensor,
    aten.max.default,
    aten.max.dim,
    aten.maximum.default,
    aten.median.default,
    aten.median.dim,
    aten.min.default,
    aten.min.dim,
    aten.minimum.default,
    aten.mode.default,
    aten.relu.default,
    aten.sign.default,
    aten.sort.default,
    aten.sort.stable,
    aten.topk.default,
    reason="complex numbers have no order",
)
unsupported(
    aten.ceil.default,
    aten.floor.default,
    aten.floor_divide.default,
    aten.fmod.Scalar,
    aten.fmod.Tensor,
    aten.frac.default,
    aten.remainder.Scalar,
    aten.remainder.Tensor,
    aten.round.default,
    aten.trunc.default,
    reason="rounding is not defined for complex numbers",
)
