"""Powers."""

from __future__ import annotations

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.arithmetic import mul, reciprocal, square
from torch_complex_subclass.decompositions.compensated import circle_excess
from torch_complex_subclass.decompositions.exponential import log_modulus, rsqrt, sqrt
from torch_complex_subclass.decompositions.operands import as_pair
from torch_complex_subclass.decompositions.registry import Operand, Pair, elementwise
from torch_complex_subclass.decompositions.scaling import scaled

aten = torch.ops.aten

LARGEST_PRODUCT_EXPONENT = 64
"""Largest integer exponent that `pow` computes by products."""


def _safe_product(z: Pair, w: Pair) -> Pair:
    """Product of powers of one number, at half scale where they are large.

    One of two terms whose difference is representable can overflow where the modulus, up to
    sqrt(2) times the larger part, does.
    """
    half = torch.where(z.re.abs().maximum(z.im.abs()) > 1, 0.5, torch.ones_like(z.re))
    re, im = mul(Pair(z.re * half, z.im * half), w)
    return Pair(re / half, im / half)


def _integer_power(z: Pair, n: int) -> Pair:
    """Value of z^n for n >= 1 by squaring."""
    result: Pair | None = None
    while True:
        if n & 1:
            result = z if result is None else _safe_product(result, z)
        n >>= 1
        if n == 0:
            assert result is not None
            return result
        z = square(*z)


def _is_product(w: Operand) -> bool:
    """True for a number that `pow` takes as a product."""
    return (
        isinstance(w, int | float) and float(w).is_integer() and abs(w) <= LARGEST_PRODUCT_EXPONENT
    )


def _general_power(z: Operand, w: Operand) -> Pair:
    """Value of exp(w log z) for z not 0, as h^2 times a point of the unit circle.

    The two factors h overflow only where the result does. For a real exponent u, h is the real
    power sqrt(|z|)^u. Otherwise it is an exponential, for the two terms of Re(w log z) can
    cancel where the exponential of either is out of range.
    log z enters divided by `unit`, which brings it below 1, so that no product overflows.
    """
    x, y = as_pair(z)
    u, v = as_pair(w)
    unit = 128.0 if x.dtype == torch.float32 else 1024.0
    theta = torch.atan2(y, x) / unit
    if not isinstance(v, Tensor) and v == 0:
        sx, sy, scale = scaled(x, y)
        root = torch.sqrt(torch.sqrt(sx * sx + sy * sy)) * scale.unroot
        return _turned(torch.pow(root, u), u * theta, unit)
    length = log_modulus(x, y, circle_excess(x, y)) / unit
    h = torch.exp((u * length - v * theta) * (unit / 2))
    return _turned(h, u * theta + v * length, unit)


def _turned(h: Tensor, angle: Tensor, unit: float) -> Pair:
    """Value of h^2 exp(i unit angle); h enters twice, for its square can overflow.

    An angle that overflows has no digit left: any finite one is as good, and NaN is not.
    """
    angle = torch.where(angle.abs() > torch.finfo(h.dtype).max / unit, angle, angle * unit)
    return Pair(torch.cos(angle) * h * h, torch.sin(angle) * h * h)


def _tensor_like(number: Operand, other: Operand) -> Pair:
    """Pair of tensors from a number or a real tensor, in the shape and dtype of `other`."""
    re, im = as_pair(number)
    if isinstance(re, Tensor):
        return Pair(re, im)
    like = as_pair(other).re
    return Pair(torch.full_like(like, re), torch.full_like(like, im))


@elementwise(
    aten.pow.Tensor_Tensor, aten.pow.Tensor_Scalar, aten.pow.Scalar, data=("self", "exponent")
)
def pow(z: Operand, w: Operand) -> Pair:
    """Principal power z^w = exp(w log z).

    Integer exponents up to 64 in size are products, 1/2 and -1/2 roots: no logarithm, and
    exact where the products are. A negative exponent is the power of the reciprocal, which
    underflows to 0 instead of dividing by an overflown power.

    The error is normwise; `max_ulp` is its bound.
    Regions: products of large factors are formed at half scale. Of w log z the two terms of the
    real part are added before the exponential is taken.
    Special values: 0^w is 0 for Re(w) > 0, inf + i NaN for Re(w) < 0 and NaN on the imaginary axis,
    as in eager; z^0 = 1 always, where eager gives NaN for 0^0 with a tensor exponent.
    """
    if isinstance(w, Pair) and not isinstance(w.re, Tensor) and w.im == 0:
        w = w.re
    if isinstance(w, int | float):
        z = as_pair(z)
        if w == 0:
            return Pair(torch.ones_like(z.re), torch.zeros_like(z.re))
        if w in (0.5, -0.5):
            return sqrt(*z) if w > 0 else rsqrt(*z)
        if _is_product(w):
            return _integer_power(z if w > 0 else reciprocal(*z), abs(int(w)))
    z = _tensor_like(z, w)
    re, im = _general_power(z, w)
    u, v = as_pair(w)
    return _at_zero_base(z, _tensor_like(Pair(u, v), z), Pair(re, im))


def max_ulp(z: Operand, w: Operand) -> Tensor:
    """Bound on the error of `pow(z, w)`, in ulp of the larger part of the result, by point.

    4 + 3 |n| for an exponent n that `pow` takes as a product; 4 + 3 |w| (1 + |log z|) for
    others, for an angle of size |w log z| is known to that many ulp of a radian.
    """
    x, y = (_double(part) for part in as_pair(z))
    u, v = (_double(part) for part in as_pair(w))
    growth = 3 * torch.hypot(u, v)
    if not _is_product(w):
        m, n = x.abs().maximum(y.abs()), x.abs().minimum(y.abs())
        length = m.log() + 0.5 * torch.log1p((n / m) ** 2)
        growth = 3 * torch.hypot(u, v) * (1 + torch.hypot(length, torch.atan2(y, x)))
    return 4 + growth.expand(torch.broadcast_shapes(x.shape, u.shape))


def _double(part: Operand) -> Tensor:
    return torch.as_tensor(part, dtype=torch.float64)


def _at_zero_base(z: Pair, w: Pair, value: Pair) -> Pair:
    """Replace `value` where z or w is 0."""
    base = (z.re == 0) & (z.im == 0)
    none = (w.re == 0) & (w.im == 0)
    re = torch.where(base, torch.where(w.re > 0, 0.0, torch.nan), value.re)
    im = torch.where(base, torch.where(w.re > 0, 0.0, torch.nan), value.im)
    re = torch.where(base & (w.re < 0), torch.inf, re)
    return Pair(torch.where(none, 1.0, re), torch.where(none, 0.0, im))
