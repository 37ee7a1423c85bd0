"""Factorisations, solvers and what is computed through them: library calls.

LAPACK reads and writes interleaved memory; what comes before and after is fused around the call.
"""

from __future__ import annotations

import torch

from torch_complex_subclass.decompositions.registry import native
from torch_complex_subclass.torch_compat import overloads_of_some_versions

aten = torch.ops.aten

native(
    aten._cholesky_solve_helper.default,
    aten._linalg_eigh.default,
    aten._linalg_eigvals.default,
    aten._linalg_svd.default,
    aten.cholesky_inverse.default,
    aten.cholesky_solve.default,
    aten.geqrf.default,
    aten.linalg_cholesky_ex.default,
    aten.linalg_eig.default,
    aten.linalg_eigvals.default,
    aten.linalg_householder_product.default,
    aten.linalg_ldl_factor_ex.default,
    aten.linalg_lu.default,
    aten.linalg_lu_factor_ex.default,
    aten.linalg_qr.default,
    aten.lu_unpack.default,
    aten.ormqr.default,
    *overloads_of_some_versions("cholesky.default"),
    reason="a factorisation of the linear algebra library",
)

native(
    aten._linalg_det.default,
    aten._linalg_slogdet.default,
    aten._linalg_solve_ex.default,
    aten.linalg_inv_ex.default,
    aten.linalg_ldl_solve.default,
    aten.linalg_lstsq.default,
    aten.linalg_lu_solve.default,
    aten.linalg_solve_triangular.default,
    aten.triangular_solve.default,
    reason="a solver of the linear algebra library",
)

native(
    aten.linalg_matrix_exp.default,
    reason="the norm of the matrix, known at run time, decides the polynomial and the squarings",
)
