"""W4: bilinear forms of spinors, Christoffel symbols, conjugation in place."""

from __future__ import annotations

import functools

import torch
from torch import Tensor


def dirac_matrices(dimension: int, dtype: torch.dtype) -> Tensor:
    """Hermitian gamma matrices `(d, s, s)`, s = 2^(d/2), for an even d.

    gamma_m gamma_n + gamma_n gamma_m = 2 delta_mn. Two for each pair of dimensions: a Pauli x or
    y in one place, Pauli z before it, the identity after it (Jordan and Wigner, 1928).
    """
    x = torch.tensor([[0, 1], [1, 0]], dtype=dtype)
    y = torch.tensor([[0, -1j], [1j, 0]], dtype=dtype)
    z, one = torch.diag(torch.tensor([1, -1], dtype=dtype)), torch.eye(2, dtype=dtype)
    half = dimension // 2
    rows = [[z] * k + [pauli] + [one] * (half - k - 1) for k in range(half) for pauli in (x, y)]
    return torch.stack([functools.reduce(torch.kron, row) for row in rows])


def commutators(gamma: Tensor) -> Tensor:
    """[gamma_m, gamma_n] of `(d, s, s)` as `(d, d, s, s)`."""
    products = gamma[:, None] @ gamma
    return products - products.transpose(0, 1)


def anticommutators(gamma: Tensor) -> Tensor:
    """{gamma_m, gamma_n} of `(d, s, s)` as `(d, d, s, s)`."""
    products = gamma[:, None] @ gamma
    return products + products.transpose(0, 1)


def k1_wedge(psi: Tensor, gamma: Tensor) -> Tensor:
    """Phi_mn = sum_ij psi_i [gamma_m, gamma_n]_ij psi_j, by one einsum.

    Shapes: psi `(..., s)`, gamma `(d, s, s)`, result `(..., d, d)`.
    """
    return torch.einsum("...i,mnij,...j->...mn", psi, commutators(gamma), psi)


def k1_wedge_loops(psi: Tensor, gamma: Tensor) -> Tensor:
    """`k1_wedge` with a loop over each index."""
    return _looped(psi, commutators(gamma), sign=-1)


def k2_tensor(psi: Tensor, gamma: Tensor) -> Tensor:
    """Phi_mn = sum_ij psi_i {gamma_m, gamma_n}_ij psi_j, by one einsum; shapes as `k1_wedge`."""
    return torch.einsum("...i,mnij,...j->...mn", psi, anticommutators(gamma), psi)


def k2_tensor_loops(psi: Tensor, gamma: Tensor) -> Tensor:
    """`k2_tensor` with a loop over each index."""
    return _looped(psi, anticommutators(gamma), sign=1)


def _looped(psi: Tensor, brackets: Tensor, sign: int) -> Tensor:
    """Phi element by element; Phi_nm is `sign` times Phi_mn."""
    d = brackets.shape[0]
    phi: dict[tuple[int, int], Tensor] = {}
    for m in range(d):
        for n in range(m, d):
            phi[m, n] = (psi @ brackets[m, n] * psi).sum(-1)
            phi[n, m] = sign * phi[m, n]
    rows = [torch.stack([phi[m, n] for n in range(d)], dim=-1) for m in range(d)]
    return torch.stack(rows, dim=-2)


def christoffel(inverse: Tensor, slopes: Tensor) -> Tensor:
    """Gamma^l_mn from the inverse of a complex metric and its slopes.

    Shapes: inverse `(..., d, d)`; slopes `(..., d, d, d)`, where [r, m, n] is d_r g_mn; result
    `(..., d, d, d)`.
    """
    # combo[..., m, n, r] = d_m g_nr + d_n g_mr - d_r g_mn
    combo = slopes + slopes.transpose(-3, -2) - slopes.movedim(-3, -1)
    return 0.5 * torch.einsum("...lr,...mnr->...lmn", inverse, combo)


def conjugate_and_pair(x: Tensor, y: Tensor) -> Tensor:
    """Conjugate x in place, all components but the first, and return sum_k x_k y_k.

    Shapes: x and y `(..., k)`, result `(...)`.
    """
    x[..., 1:].neg_()
    return (x * y).sum(-1)
