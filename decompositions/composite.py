"""Ops that are made of other ops on the complex tensors themselves.

Functions take and return complex tensors, plain or not; what they call has rules of its own.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.registry import composite
from torch_complex_subclass.dtypes import real_dtype
from torch_complex_subclass.torch_compat import overloads_of_some_versions

aten = torch.ops.aten


@composite(aten.addbmm.default)
def addbmm(z: Tensor, a: Tensor, b: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """Sum beta z + alpha sum_i a_i b_i, as one product of (n, b k) by (b k, m)."""
    rows = a.transpose(0, 1).flatten(1)
    return torch.addmm(z, rows, b.flatten(0, 1), beta=beta, alpha=alpha)


def _part_dtype(z: Tensor) -> torch.dtype:
    """The dtype of the parts; only they tell bcomplex32 from complex32."""
    is_half = z.dtype == torch.complex32
    return torch.real(z).dtype if is_half else real_dtype(z.dtype)


@composite(aten.ldexp.Tensor)
def ldexp(z: Tensor, exponent: Tensor) -> Tensor:
    """Product z 2**exponent, where the power of an integer is one of the dtype of z."""
    if not (exponent.is_complex() or exponent.is_floating_point()):
        exponent = exponent.to(_part_dtype(z))
    return z * torch.pow(2.0, exponent)


def _tolerance(largest: Tensor, z: Tensor, atol: Any, rtol: Any) -> Tensor:
    """Singular values up to this are taken for zero."""
    if rtol is None:
        rtol = torch.finfo(z.dtype).eps * max(z.shape[-2:])
        if atol is not None:
            rtol = torch.where(atol > 0.0, 0.0, rtol)
    tolerance = rtol * largest
    return tolerance if atol is None else torch.maximum(atol, tolerance)


@composite(aten.linalg_pinv.atol_rtol_tensor)
def linalg_pinv(
    z: Tensor, *, atol: Any = None, rtol: Any = None, hermitian: bool = False
) -> Tensor:
    """Pseudo-inverse (..., m, n) of (..., n, m) by its singular values, or eigenvalues.

    The kernel of torch is made of products with lazy conjugates, which a dispatch mode that is
    active while it runs loses (pytorch issue 197084); here they are part of the graph.
    """
    if z.numel() == 0:
        return z.new_empty([*z.shape[:-2], z.shape[-1], z.shape[-2]])
    if hermitian:
        values, right = torch.linalg.eigh(z)
        sizes, left = values.abs(), right
    else:
        left, values, rows = torch.linalg.svd(z, full_matrices=False)
        sizes, right = values, rows.mH
    limit = _tolerance(sizes.amax(-1, keepdim=True), z, *(_as_column(t) for t in (atol, rtol)))
    inverse = torch.where(sizes > limit, values.reciprocal(), 0.0)
    inverted: Tensor = (right * inverse.unsqueeze(-2)) @ left.mH
    return inverted


def _as_column(tolerance: Any) -> Any:
    """Tolerances are given per matrix, and compared with every value of it."""
    return tolerance.unsqueeze(-1) if isinstance(tolerance, Tensor) else tolerance


# The kernels of these two lose their lazy conjugates as that of linalg_pinv does.


def _linalg_matrix_sqrth(z: Tensor) -> Tensor:
    """Principal square root of Hermitian positive-definite (..., n, n), by its eigenvalues."""
    values, vectors = torch.linalg.eigh(z)
    root: Tensor = (vectors * values.sqrt().unsqueeze(-2)) @ vectors.mH
    return root


def _linalg_polar(z: Tensor) -> tuple[Tensor, Tensor]:
    """Factors of (..., m, n): orthonormal columns (..., m, n), Hermitian (..., n, n)."""
    left, values, rows = torch.linalg.svd(z, full_matrices=False)
    return left @ rows, (rows.mH * values.unsqueeze(-2)) @ rows


for _op in overloads_of_some_versions("linalg_matrix_sqrth.default"):
    composite(_op)(_linalg_matrix_sqrth)
for _op in overloads_of_some_versions("linalg_polar.default"):
    composite(_op)(_linalg_polar)
