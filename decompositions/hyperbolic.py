"""Hyperbolic functions and their inverses."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.compensated import scaled_exp
from torch_complex_subclass.decompositions.registry import Pair, unary
from torch_complex_subclass.decompositions.scaling import is_infinite

aten = torch.ops.aten


def _even_series(t: Tensor, first: int, terms: int) -> Tensor:
    """Taylor series 1/first! + t/(first + 2)! + t^2/(first + 4)! + ..."""
    total = torch.full_like(t, 1 / math.factorial(first + 2 * terms - 2))
    for j in reversed(range(terms - 1)):
        total = total * t + 1 / math.factorial(first + 2 * j)
    return total


def sinh_cosh(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Factors (s, c, f) with sinh x = s f f and cosh x = c f f; f is 1 but near overflow."""
    ax = x.abs()
    e, f = scaled_exp(ax)
    terms = 6 if x.dtype == torch.float32 else 10
    half, other = 0.5 * e, torch.where(f == 1, 0.5 / e, 0.0)
    s = torch.where(ax < 1, ax * _even_series(ax * ax, 1, terms), half - other)
    return s.copysign(x), half + other, f


@unary(aten.sinh.default, max_ulp=4)
def sinh(x: Tensor, y: Tensor) -> Pair:
    """Hyperbolic sine, sinh x cos y + i cosh x sin y.

    Regions: where sinh x is out of range it enters as three factors, for a small sine or cosine
    can bring the product back.
    Special values: C23 G.6.2.5.
    """
    s, c, f = sinh_cosh(x)
    settled = (x + x == x) & ~(y.abs() < torch.inf)  # the sign of a zero or infinite sinh x alone
    re = torch.where(settled, 1.0, torch.cos(y)) * f * s * f
    return Pair(re, torch.where(y == 0, y, torch.sin(y) * f * c * f))


@unary(aten.cosh.default, max_ulp=4)
def cosh(x: Tensor, y: Tensor) -> Pair:
    """Hyperbolic cosine, cosh x cos y + i sinh x sin y.

    Regions: as sinh. Special values: C23 G.6.2.4.
    """
    s, c, f = sinh_cosh(x)
    lost = x.isinf() & ~y.isfinite()
    re = torch.where(lost, 1.0, torch.cos(y)) * f * c * f
    im = torch.sin(y) * f * s * f
    lost = im.isnan() & ((x == 0) | (y == 0))
    return Pair(re, torch.where(lost, 0.0, im))


def _double_angle(ax: Tensor, e: Tensor, terms: int) -> tuple[Tensor, Tensor]:
    """Products sinh(x) cosh(x) and sinh(x)^2 for x = ax >= 0 and e = e^(2x)."""
    inverse, square = 1 / e, 4 * ax * ax
    product = torch.where(ax < 1, ax * _even_series(square, 1, terms), 0.25 * (e - inverse))
    near = 0.5 * square * _even_series(square, 2, terms)
    return product, torch.where(ax < 1, near, 0.25 * (e + inverse) - 0.5)


def _turn(y: Tensor) -> tuple[Tensor, Tensor]:
    """Products sin y cos y and cos(y)^2 in float64; of float32, to more digits than it has.

    A float32 sine in vector code can be an ulp off, which takes too much of the bound.
    """
    if y.dtype == torch.float64:
        s, c = torch.sin(y), torch.cos(y)
        return s * c, c * c
    t = torch.tan(y.double())
    square = 1 / (1 + t * t)
    return t * square, square


@unary(aten.tanh.default, max_ulp=4)
def tanh(x: Tensor, y: Tensor) -> Pair:
    """Hyperbolic tangent, (sinh x cosh x + i sin y cos y) / (sinh(x)^2 + cos(y)^2).

    No sum subtracts, so both parts keep their digits near the poles i (pi/2 + n pi). Of float32
    all but the exponential is in float64.

    Regions: where e^(-2|x|) < eps/4 the real part is +-1 and the imaginary part
    4 e^(-2|x|) sin y cos y, multiplied twice because e^(-2|x|) underflows at half of the range.
    Special values: C23 G.6.2.6. Reference: Kahan (1987), procedure CTANH, which divides by
    cos(y)^2 and sets the imaginary part to 0 at large |x|.
    """
    ax, terms = x.abs(), 8 if x.dtype == torch.float32 else 13
    large = ax > 0.5 * math.log(4 / torch.finfo(x.dtype).eps)
    near = torch.where(large, 0.0, ax)
    e = torch.exp(torch.where(large, -ax, 2 * ax)).double()
    across, along = _turn(y)
    product, square = _double_angle(near.double(), e, terms)
    size = square + along
    # y - y is 0, or NaN where C23 has it, which is where Re z is finite.
    one = 1 + torch.where(x.isinf(), 0.0, y - y)
    re = torch.where(large, one, (product / size).to(x.dtype)).copysign(x)
    im = torch.where(large, (2 * e) * across * (2 * e), across / size).to(x.dtype)
    im = torch.where(x.isinf(), torch.zeros_like(y).copysign(im), im)
    return Pair(torch.where(x == 0, x, re), torch.where(y == 0, y, im))


def inverse_sine_parts(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """For x, y >= 0: (d, im) with Re asin(x + iy) = atan2(x, d) and im = Im asin(x + iy) >= 0.

    With r = |z + 1|, s = |z - 1| and a = (r + s)/2 they are d = sqrt((a - x)(a + x)) and
    im = log1p((a - 1) + sqrt((a - 1)(a + 1))). The differences a - x and a - 1 are built from
    r - (x+1) = y^2/(r + x+1) and s - |x-1| = y^2/(s + |x-1|), so they never cancel.

    Regions: |z| near sqrt(max), where squares overflow: d = y and im = log(2|z|), with |z| at a
    smaller scale. For y < 4 sqrt(tiny) and x < 1 the square y^2 underflows: a - 1 and its root,
    which is im, are formed at a larger scale.
    Reference: Hull, Fairgrieve, Tang (1997).
    """
    fi = torch.finfo(x.dtype)
    half_range = round(math.log2(fi.max)) // 2
    up, down = 2.0**half_range / fi.eps, 2.0 ** -(half_range + 2)
    huge = x.maximum(y) > math.sqrt(fi.max) / 8
    inner = x < 1
    tiny = (y < 4 * math.sqrt(fi.tiny)) & inner
    inside = x <= 1

    xp, xm, yy = x + 1, (x - 1).abs(), y * y
    r, s = torch.sqrt(xp * xp + yy), torch.sqrt(xm * xm + yy)
    s = torch.where(x == 1, y, s)  # elsewhere xm is not so small that its square underflows
    a = 0.5 * (r + s)
    outer, lower = 1 / (r + xp), s + xm
    unlower = 1 / lower
    d = torch.where(inside, yy * outer + lower, outer + unlower)
    d = torch.sqrt(0.5 * (a + x) * d) * torch.where(inside, 1.0, y)

    yy = torch.where(tiny, y * up, y) ** 2
    excess = 0.5 * (yy * outer + torch.where(inner, yy * unlower, lower))
    u, v = torch.where(huge, x * down, 1.0), torch.where(huge, y * down, 1.0)
    size = u * u + v * v
    root = torch.sqrt(torch.where(huge, size, excess * (a + 1)))
    t = torch.log1p(torch.where(huge, root * (0.25 / down), excess + root))
    im = torch.where(huge, t + 3 * math.log(2), torch.where(tiny, root * (1 / up), t))
    infinite = is_infinite(x, y)
    return torch.where(huge, y, d), torch.where(infinite, torch.inf, im)


@unary(aten.asinh.default, max_ulp=4)
def asinh(x: Tensor, y: Tensor) -> Pair:
    """Inverse hyperbolic sine; imaginary part in [-pi/2, pi/2].

    Cut: the imaginary axis above i and below -i; the sign of x picks the side.
    Computed as -i asin(iz); see `inverse_sine_parts`. Special values: C23 G.6.2.2.
    """
    d, re = inverse_sine_parts(y.abs(), x.abs())
    im = torch.where(y == 0, y, torch.atan2(y, d))
    return Pair(re.copysign(x), im)


@unary(aten.acosh.default, max_ulp=4)
def acosh(x: Tensor, y: Tensor) -> Pair:
    """Inverse hyperbolic cosine; real part >= 0, imaginary part in [-pi, pi].

    Cut: the real axis left of 1; the sign of y picks the side.
    Computed as +-i acos(z); see `inverse_sine_parts`. Special values: C23 G.6.2.1.
    """
    d, re = inverse_sine_parts(x.abs(), y.abs())
    im = torch.where(x == 0, math.pi / 2, torch.atan2(d, x))
    return Pair(re, im.copysign(y))


@unary(aten.atanh.default, max_ulp=4)
def atanh(x: Tensor, y: Tensor) -> Pair:
    """Inverse hyperbolic tangent; imaginary part in [-pi/2, pi/2].

    Cut: the real axis beyond -1 and 1; the sign of y picks the side.

    The real part is log1p(4|x| / ((1-|x|)^2 + y^2)) / 4 and the imaginary part half of the
    angle of (1-|x|)(1+|x|) - y^2 + 2iy; the first never cancels, and the second only where
    2y dominates.

    Regions: beyond 16/eps the quotient is 4 (|x|/m) / m / (1 + (n/m)^2) for the larger part m
    and the smaller n, and the angle is pi. Within sqrt(tiny)/eps of 1 the square of the
    distance h underflows, and the real part is log(sqrt(2/h)).
    Special values: C23 G.6.2.3. Reference: Kahan (1987), procedure CATANH.
    """
    fi = torch.finfo(x.dtype)
    ax, ay = x.abs(), y.abs()
    m, n = ax.maximum(ay), ax.minimum(ay)
    far = m > 16 / fi.eps
    gap = 1 - ax
    at_pole = (gap == 0) & (ay < math.sqrt(fi.tiny) / fi.eps)

    ratio = n / m
    quotient = torch.where(far, 4 * (ax / m) / m / (1 + ratio * ratio), 4 * ax / (gap**2 + ay**2))
    t = torch.log1p(torch.where(at_pole, math.sqrt(2) / torch.sqrt(ay), quotient))
    re = torch.where(at_pole, t, 0.25 * t)
    re = torch.where(ax.isinf() | ay.isinf(), 0.0, torch.where(x == 0, 0.0, re))

    across = torch.where(far, -1.0, gap * (1 + ax) - ay * ay)
    im = 0.5 * torch.atan2(torch.where(far, 0.0, 2 * ay), across)
    im = torch.where(ay.isinf(), math.pi / 2, im)
    lost = y.isnan() | (x.isnan() & ~y.isinf())
    return Pair(re.copysign(x), torch.where(lost, torch.nan, im.copysign(y)))
