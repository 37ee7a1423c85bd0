"""The forms of `w4_geometry` by hand with real tensors, and in JAX."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.bench.cases import parts

# By hand.


def _brackets(gamma: Tensor, sign: int) -> Tensor:
    """gamma_m gamma_n + sign gamma_n gamma_m of `(d, s, s, 2)`, by one product."""
    d, s = gamma.shape[:2]
    columns = gamma.transpose(1, 2).reshape(d * s, s, 2)
    products = parts.matmul_transposed(gamma.reshape(d * s, s, 2), parts.split(columns))
    products = products.reshape(d, s, d, s, 2).transpose(1, 2)
    return products + sign * products.transpose(0, 1)


def form(psi: Tensor, gamma: Tensor, sign: int) -> Tensor:
    """Form of the commutators (sign -1) or anticommutators (1): products of components first."""
    d, s = gamma.shape[:2]
    re, im = parts.split(psi)
    outer = parts.mul((re[..., None], im[..., None]), (re[..., None, :], im[..., None, :]))
    rows = _brackets(gamma, sign).reshape(d * d, s * s, 2)
    phi = parts.matmul_transposed(parts.join(outer).flatten(-3, -2), parts.split(rows))
    result: Tensor = phi.unflatten(-2, (d, d))
    return result


def looped_form(psi: Tensor, gamma: Tensor, sign: int) -> Tensor:
    """The same, element by element."""
    d, brackets, z = gamma.shape[0], _brackets(gamma, sign), parts.split(psi)
    phi: dict[tuple[int, int], Tensor] = {}
    for m in range(d):
        for n in range(m, d):
            columns = parts.split(brackets[m, n].transpose(0, 1))
            re, im = parts.mul(parts.split(parts.matmul_transposed(psi, columns)), z)
            phi[m, n] = parts.join((re.sum(-1), im.sum(-1)))
            phi[n, m] = sign * phi[m, n]
    rows = [torch.stack([phi[m, n] for n in range(d)], dim=-2) for m in range(d)]
    return torch.stack(rows, dim=-3)


def christoffel(inverse: Tensor, slopes: Tensor) -> Tensor:
    """Gamma^l_mn, by one real product for each point."""
    d = inverse.shape[-2]
    combo = slopes + slopes.transpose(-4, -3) - slopes.movedim(-4, -2)
    combo_re, combo_im = parts.split(combo.flatten(-4, -3))  # (..., mn, r)
    re, im = parts.split(inverse / 2)
    left = torch.cat((torch.cat((re, -im), -1), torch.cat((im, re), -1)), -2)
    both = left @ torch.cat((combo_re, combo_im), -1).mT
    real, imaginary = both.unflatten(-1, (d, d)).chunk(2, -3)
    return parts.join((real, imaginary))


def conjugate_and_pair(x: Tensor, y: Tensor) -> Tensor:
    """Conjugate in place, then pair."""
    x[..., 1:, :].neg_()
    re, im = parts.mul(parts.split(x), parts.split(y))
    return parts.join((re.sum(-1), im.sum(-1)))


# In JAX.


def _brackets_in_jax(gamma: Any, sign: int) -> Any:
    import jax.numpy as jnp

    products = gamma[:, None] @ gamma
    return products + sign * jnp.swapaxes(products, 0, 1)


def form_in_jax(psi: Any, gamma: Any, sign: int) -> Any:
    """Form of the commutators (sign -1) or anticommutators (1)."""
    import jax.numpy as jnp

    return jnp.einsum("...i,mnij,...j->...mn", psi, _brackets_in_jax(gamma, sign), psi)


def looped_form_in_jax(psi: Any, gamma: Any, sign: int) -> Any:
    """The same, element by element."""
    import jax.numpy as jnp

    d, brackets = gamma.shape[0], _brackets_in_jax(gamma, sign)
    phi: dict[tuple[int, int], Any] = {}
    for m in range(d):
        for n in range(m, d):
            phi[m, n] = (psi @ brackets[m, n] * psi).sum(-1)
            phi[n, m] = sign * phi[m, n]
    rows = [jnp.stack([phi[m, n] for n in range(d)], axis=-1) for m in range(d)]
    return jnp.stack(rows, axis=-2)


def christoffel_in_jax(inverse: Any, slopes: Any) -> Any:
    """Gamma^l_mn."""
    import jax.numpy as jnp

    combo = slopes + jnp.swapaxes(slopes, -3, -2) - jnp.moveaxis(slopes, -3, -1)
    return 0.5 * jnp.einsum("...lr,...mnr->...lmn", inverse, combo)


def conjugate_and_pair_in_jax(x: Any, y: Any) -> Any:
    """Conjugate, then pair; x stays as it is, since arrays of JAX do not change."""
    return (x.at[..., 1:].multiply(-1) * y).sum(-1)
