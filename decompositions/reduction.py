"""Sums, means, norms, and logical reductions.

Sums are summed part by part, in float32 for half types; the error bound is that of the real
reduction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.comparison import nonzero_mask
from torch_complex_subclass.decompositions.registry import Pair, componentwise, reduction
from torch_complex_subclass.decompositions.scaling import modulus, squared_modulus
from torch_complex_subclass.dtypes import real_dtype

aten = torch.ops.aten

Dims = Sequence[int] | None


def _real(dtype: torch.dtype | None) -> torch.dtype | None:
    return None if dtype is None else real_dtype(dtype)


@reduction(aten.sum.default)
def sum_all(z: Pair, *, dtype: torch.dtype | None = None) -> Any:
    """Sum of all elements."""
    if dtype is not None and not dtype.is_complex:
        return NotImplemented
    return Pair(z.re.sum(dtype=_real(dtype)), z.im.sum(dtype=_real(dtype)))


@reduction(aten.sum.dim_IntList)
def sum_dims(z: Pair, dim: Dims, keepdim: bool = False, *, dtype: torch.dtype | None = None) -> Any:
    """Sum over `dim`; over all of them when it is None or empty."""
    if dtype is not None and not dtype.is_complex:
        return NotImplemented
    re, im = (aten.sum.dim_IntList(part, dim, keepdim, dtype=_real(dtype)) for part in z)
    return Pair(re, im)


@reduction(aten.mean.default)
def mean_all(z: Pair, *, dtype: torch.dtype | None = None) -> Any:
    """Mean of all elements."""
    if dtype is not None and not dtype.is_complex:
        return NotImplemented
    return Pair(z.re.mean(dtype=_real(dtype)), z.im.mean(dtype=_real(dtype)))


@reduction(aten.mean.dim)
def mean_dims(
    z: Pair, dim: Dims, keepdim: bool = False, *, dtype: torch.dtype | None = None
) -> Any:
    """Mean over `dim`; over all of them when it is None or empty."""
    if dtype is not None and not dtype.is_complex:
        return NotImplemented
    re, im = (aten.mean.dim(part, dim, keepdim, dtype=_real(dtype)) for part in z)
    return Pair(re, im)


# Linear with real coefficients.
componentwise(aten.cumsum.default, sums=True)


@reduction(aten.var.correction)
def var(
    z: Pair, dim: Dims = None, *, correction: float | None = None, keepdim: bool = False
) -> Tensor:
    """Variance E|z - E z|^2, real: the sum of the variances of both parts."""
    re, im = (aten.var.correction(p, dim, correction=correction, keepdim=keepdim) for p in z)
    return torch.add(re, im)


@reduction(aten.std.correction)
def std(
    z: Pair, dim: Dims = None, *, correction: float | None = None, keepdim: bool = False
) -> Tensor:
    """Standard deviation, real: the square root of the variance."""
    return torch.sqrt(var(z, dim, correction=correction, keepdim=keepdim))


@reduction(aten.var_mean.correction)
def var_mean(
    z: Pair, dim: Dims = None, *, correction: float | None = None, keepdim: bool = False
) -> tuple[Tensor, Pair]:
    """Variance (real) and mean (complex)."""
    spread = var(z, dim, correction=correction, keepdim=keepdim)
    return spread, mean_dims(z, dim, keepdim)


@reduction(aten.linalg_vector_norm.default)
def vector_norm(
    z: Pair,
    ord: float = 2,
    dim: Dims = None,
    keepdim: bool = False,
    *,
    dtype: torch.dtype | None = None,
) -> Any:
    """Norm of order `ord` of the moduli, real.

    A modulus overflows and underflows only where it is out of range itself. The library sums
    the powers of the moduli unscaled, here as in eager: the 2-norm is infinite for moduli beyond
    the root of the largest number, and 0 below that of the smallest.
    """
    if ord == 2:
        return _euclidean_norm(z, dim, keepdim, _real(dtype))
    size = modulus(z.re, z.im)
    return aten.linalg_vector_norm.default(size, ord, dim, keepdim, dtype=_real(dtype))


def _euclidean_norm(z: Pair, dim: Dims, keepdim: bool, dtype: torch.dtype | None) -> Tensor:
    """Root of the sum of squares of parts; infinite for an element with an infinite part."""
    x, y = z if dtype is None else (part.to(dtype) for part in z)
    total: Tensor = aten.sum.dim_IntList(squared_modulus(x, y), dim, keepdim)
    return total.sqrt()


@reduction(aten.any.default, aten.any.dim, aten.any.dims)
def any_nonzero(z: Pair, *args: Any, **kwargs: Any) -> Tensor:
    """True where some element is not zero."""
    return torch.any(nonzero_mask(z), *args, **kwargs)


@reduction(aten.all.default, aten.all.dim, aten.all.dims)
def all_nonzero(z: Pair, *args: Any, **kwargs: Any) -> Tensor:
    """True where no element is zero."""
    return torch.all(nonzero_mask(z), *args, **kwargs)
