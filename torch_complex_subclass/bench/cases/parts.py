"""Complex arithmetic on interleaved real tensors, as the hand-written versions need it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Parts = tuple[Tensor, Tensor]


def split(z: Tensor) -> Parts:
    """Real and imaginary part of `(..., 2)`."""
    re, im = z.unbind(-1)
    return re, im


def join(z: Parts) -> Tensor:
    """Interleave both parts to `(..., 2)`."""
    return torch.stack(z, dim=-1)


def mul(z: Parts, w: Parts) -> Parts:
    """Product."""
    return z[0] * w[0] - z[1] * w[1], z[0] * w[1] + z[1] * w[0]


def conj(z: Parts) -> Parts:
    """Conjugate."""
    return z[0], -z[1]


def add(z: Parts, w: Parts) -> Parts:
    """Sum."""
    return z[0] + w[0], z[1] + w[1]


def div(z: Parts, w: Parts) -> Parts:
    """Quotient z conj(w) / |w|^2."""
    size = w[0] * w[0] + w[1] * w[1]
    re, im = mul(z, conj(w))
    return re / size, im / size


def exp(z: Parts) -> Parts:
    """Exponential."""
    size = torch.exp(z[0])
    return size * torch.cos(z[1]), size * torch.sin(z[1])


def modulus(z: Parts) -> Tensor:
    """Modulus."""
    return torch.sqrt(z[0] * z[0] + z[1] * z[1])


def matmul_transposed(x: Tensor, w: Parts) -> Tensor:
    """`x @ w.mT` for `x (..., k, 2)` and `w (m, k)`, as `(..., m, 2)`.

    One real product of twice the width: it reads and writes interleaved memory as it is.
    """
    re, im = w
    rows = torch.stack((torch.stack((re, -im), -1), torch.stack((im, re), -1)), dim=1)
    out = x.flatten(-2) @ rows.reshape(2 * re.shape[0], 2 * re.shape[1]).mT
    return out.reshape(*x.shape[:-2], re.shape[0], 2)


def doubled(w: Tensor) -> Tensor:
    """`[[re, -im], [im, re]]` along the first two dimensions of `w (m, k, ..., 2)`.

    What maps both parts, one after the other, as w maps complex numbers.
    """
    re, im = split(w)
    return torch.cat((torch.cat((re, -im), 1), torch.cat((im, re), 1)))


def by_library(fn: Callable[..., Tensor], z: Tensor, **options: Any) -> Tensor:
    """A complex kernel of the library on interleaved memory."""
    return torch.view_as_real(fn(torch.view_as_complex(z), **options))
