"""Products along a dimension.

Short ones are written out, factor by factor as eager's kernel does, and fuse with what is around
them. The library's kernel walks a long dimension several times faster than generated code does.
"""

from __future__ import annotations

import functools
import itertools
from typing import Any

import torch

from torch_complex_subclass.decompositions.arithmetic import mul
from torch_complex_subclass.decompositions.operands import as_pair
from torch_complex_subclass.decompositions.registry import Operand, Pair, native, reduction
from torch_complex_subclass.dtypes import real_dtype

aten = torch.ops.aten

WRITTEN_OUT = {True: 8, False: 16}
"""Longest product that is written out: along the last dimension, whose elements no vector load
takes together, and along others. Measured on complex64 with one elementwise op in front."""

LONG = "the library's kernel walks a long or unknown number of factors faster"


def _prepare(z: Operand, dim: int, dtype: torch.dtype | None) -> list[Pair] | None:
    """Factors along `dim` in the dtype that is asked for; None where there are too many."""
    z = as_pair(z)
    if dtype is not None and not dtype.is_complex:
        return None
    length = z.re.shape[dim] if z.re.dim() else 1
    is_last = dim in (-1, z.re.dim() - 1)
    if not isinstance(length, int) or not 0 < length <= WRITTEN_OUT[is_last]:
        return None
    if dtype is not None and real_dtype(dtype) != z.re.dtype:
        z = Pair(z.re.to(real_dtype(dtype)), z.im.to(real_dtype(dtype)))
    if length == 1:  # the result is no view of the operand
        z = Pair(z.re.clone(), z.im.clone())
    if not z.re.dim():
        return [z]
    return [Pair(re, im) for re, im in zip(z.re.unbind(dim), z.im.unbind(dim), strict=True)]


@reduction(aten.prod.default, reason=LONG)
def prod_all(z: Operand, *, dtype: torch.dtype | None = None) -> Any:
    """Product of all elements.

    The error is normwise: the bound of `mul` for each of the multiplications, as in eager.
    """
    z = as_pair(z)
    factors = _prepare(Pair(z.re.reshape(-1), z.im.reshape(-1)), 0, dtype)
    return NotImplemented if factors is None else functools.reduce(mul, factors)


@reduction(aten.prod.dim_int, reason=LONG)
def prod_dim(
    z: Operand, dim: int, keepdim: bool = False, *, dtype: torch.dtype | None = None
) -> Any:
    """Product along `dim`; errors as for the product of all elements."""
    factors = _prepare(z, dim, dtype)
    if factors is None:
        return NotImplemented
    result = functools.reduce(mul, factors)
    if keepdim and factors[0].re.dim() < as_pair(z).re.dim():
        return Pair(result.re.unsqueeze(dim), result.im.unsqueeze(dim))
    return result


@reduction(aten.cumprod.default, reason=LONG)
def cumprod(z: Operand, dim: int, *, dtype: torch.dtype | None = None) -> Any:
    """Running product along `dim`; errors as for the product of all elements.

    Special values: the first element is the element itself, where eager multiplies it by one.
    """
    factors = _prepare(z, dim, dtype)
    if factors is None:
        return NotImplemented
    if not as_pair(z).re.dim():
        return factors[0]
    products = list(itertools.accumulate(factors, mul))
    re, im = (torch.stack(parts, dim) for parts in zip(*products, strict=True))
    return Pair(re, im)


native(
    aten.logcumsumexp.default,
    reason="each imaginary part continues from the one before it, so the terms go in order",
)
