"""Modulus, argument, phase, conjugation, and the ways between complex and real tensors."""

from __future__ import annotations

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.registry import (
    Pair,
    componentwise,
    creation,
    elementwise,
    unary,
)
from torch_complex_subclass.decompositions.scaling import SquareScale, modulus

aten = torch.ops.aten


@unary(aten.abs.default, max_ulp=1.5)
def abs(x: Tensor, y: Tensor) -> Tensor:
    """Modulus sqrt(x^2 + y^2), in [0, inf]; no square overflows or underflows.

    The sum has a relative error of 2u, u half an ulp of 1, of which the root keeps half, at most
    1 ulp; the root is rounded once more.
    Regions: both parts are scaled by a power of four that brings the larger to about 1.

    An infinite part gives infinity even when the other is NaN (C23 G.6.4.1 and F.10.4.4).
    """
    return modulus(x, y)


@unary(aten.angle.default, max_ulp=2)
def angle(x: Tensor, y: Tensor) -> Tensor:
    """Argument in [-pi, pi].

    Cut: the negative real axis; the sign of y picks the side, angle(-1 + 0i) = pi and
    angle(-1 - 0i) = -pi. Special values: C23 F.10.1.4 (atan2); NaN when a part is.
    """
    return torch.atan2(y, x)


@unary(aten.sgn.default, max_ulp=4)
def sgn(x: Tensor, y: Tensor) -> Pair:
    """Phase z / |z| on the unit circle; a zero is its own phase.

    Regions: where the square of |z| would underflow, both parts are scaled up first. Where it
    would overflow, |z| is formed at a smaller scale, which the quotients are brought to.
    Special values: those of cis(carg(z)), so an infinite part counts as 1 and a finite one beside
    it as 0; NaN where a part is NaN. Eager gives NaN for infinite parts too.
    """
    m = x.abs().maximum(y.abs())
    edge = m == torch.inf  # false where a part is NaN
    one, nil = torch.ones_like(m), torch.zeros_like(m)
    x, y = (
        torch.where(edge, torch.where(part.isinf(), one, nil).copysign(part), part)
        for part in (x, y)
    )
    scale = SquareScale(torch.where(edge, one, m)).factor
    up, down = scale.clamp(min=1), scale.clamp(max=1)
    x, y = x * up, y * up
    sx, sy = x * down, y * down
    size = torch.sqrt(sx * sx + sy * sy)
    zero = m == 0
    return Pair(*(torch.where(zero, part, part / size * down) for part in (x, y)))


@unary(
    aten._conj.default,
    aten._conj_copy.default,
    aten._conj_physical.default,
    aten.conj_physical.default,
    max_ulp=0,
    exact=True,
)
def conj(x: Tensor, y: Tensor) -> Pair:
    """Conjugate; exact."""
    return Pair(x, -y)


# Pairs never carry the conj or neg bit.
componentwise(aten.resolve_conj.default, aten.resolve_neg.default)


@elementwise(aten.complex.default, data=("real", "imag"))
def make_complex(re: Tensor, im: Tensor) -> Pair:
    """Join two real tensors, broadcast against each other."""
    re, im = torch.broadcast_tensors(re, im)
    return Pair(re, im)


@elementwise(aten.polar.default, data=("abs", "angle"))
def polar(r: Tensor, phi: Tensor) -> Pair:
    """Value r cos(phi) + i r sin(phi); each part within 2 ulp when the angle is below 1e4."""
    return Pair(r * torch.cos(phi), r * torch.sin(phi))


@creation(aten.view_as_real.default)
def view_as_real(z: Pair) -> Tensor:
    """Parts of complex `(...)` as real `(..., 2)`."""
    return torch.cat([z.re.unsqueeze(-1), z.im.unsqueeze(-1)], -1)


@creation(aten.view_as_complex.default)
def view_as_complex(t: Tensor) -> Pair:
    """Real `(..., 2)` as complex `(...)`."""
    return Pair(t.select(-1, 0), t.select(-1, 1))
