"""Exponentials, logarithms and roots."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.compensated import (
    EXP_RANGE,
    circle_excess,
    leading,
    scaled_exp,
    sum_of_squares,
)
from torch_complex_subclass.decompositions.doubled import (
    circle,
    growth,
    root,
    turned,
    widened,
    word_of,
)
from torch_complex_subclass.decompositions.quarter_turns import reduced_binary
from torch_complex_subclass.decompositions.registry import Pair, unary
from torch_complex_subclass.decompositions.rule_ops import ordinarily
from torch_complex_subclass.decompositions.scaling import is_infinite, scaled

aten = torch.ops.aten


def _on_circle(x: Tensor, y: Tensor, c: Tensor, s: Tensor) -> Pair:
    """Cosine and sine of y as factors of exp(x): bounded where exp(x) settles the product.

    For infinite x and a y that is not finite the cosine counts as 1 and, for x = -inf, the sine
    as 0, which gives exp(inf + i inf) = inf + i NaN and exp(-inf + i inf) = 0.
    """
    lost = x.isinf() & ~y.isfinite()
    return Pair(torch.where(lost, 1.0, c), torch.where(lost & (x < 0), 0.0, s))


@unary(aten.exp.default, max_ulp=4)
def exp(x: Tensor, y: Tensor) -> Pair:
    """Exponential e^x (cos y + i sin y).

    Regions: near overflow of e^x it enters as three factors, for a small sine or cosine can
    bring the product back into range.
    Special values: C23 G.6.3.1.
    """
    cos, sin = torch.cos(y), torch.sin(y)

    def anywhere() -> Pair:
        e, f = scaled_exp(x)
        c, s = _on_circle(x, y, cos, sin)
        return Pair((c * f) * e * f, torch.where(y == 0, y, (s * f) * e * f))

    def in_range() -> Pair:
        e = torch.exp(x)
        return Pair(cos * e, sin * e)

    def ordinary() -> Tensor:
        return (x <= EXP_RANGE[x.dtype][0]) & (y.abs() < torch.inf)

    return Pair(*ordinarily(ordinary, in_range, anywhere))


@unary(aten.exp2.default, max_ulp=4)
def exp2(x: Tensor, y: Tensor) -> Pair:
    """Power 2^z = 2^x (cos(y ln 2) + i sin(y ln 2)).

    The angle is reduced by quarter turns with as many digits of ln 2 as it takes, so that its
    size does not matter; rounded once, it would cost |y| half ulps. The lower word of what is
    left enters by the addition theorem.
    Regions and special values: as exp.
    """
    turns, hi, lo = reduced_binary(y)
    c, s = torch.cos(hi), torch.sin(hi)
    s, c = (part.to(y.dtype) for part in turned(turns, s + c * lo, c - s * lo))
    top, half = (127.0, 88.0) if x.dtype == torch.float32 else (1023.0, 768.0)
    big = x > top
    e = torch.exp2(torch.where(big, (x - 2 * half).clamp(max=top), x))
    f = torch.where(big, 2.0**half, torch.ones_like(x))
    c, s = _on_circle(x, y, c, s)
    return Pair((c * f) * e * f, torch.where(y == 0, y, (s * f) * e * f))


@unary(aten.expm1.default, max_ulp=4)
def expm1(x: Tensor, y: Tensor) -> Pair:
    """Exponential less one, e^z - 1.

    The real part is (e^x - 1) cos y - (1 - cos y), whose terms keep their digits near z = 0,
    where e^x cos y - 1 keeps none. The terms cancel on the curve e^x cos y = 1, so they are
    formed in twice the digits; the bound holds where the real part is at least 8 eps.
    The imaginary part is that of exp.

    Regions: for |x| > 64 the real part is that of exp less 1, as e^x enters by its factors; a
    cosine is never small enough to cancel there.
    Special values: C23 has none; those of exp, less one. expm1(+-0 +- 0i) = +-0 +- 0i, where
    eager loses the sign.
    """
    sin, cos, versine, _ = circle(y)
    _, less = growth(x)
    near = word_of(less * cos - versine).to(x.dtype)
    e, f = scaled_exp(x)
    c, s = _on_circle(x, y, word_of(cos).to(x.dtype), word_of(sin).to(x.dtype))
    far = x.abs() > 64
    re = torch.where(far, (c * f) * e * f - 1, near)
    real = torch.where(far, e * f * f - 1, word_of(less).to(x.dtype))
    re = torch.where(y == 0, torch.where(x == 0, x, real), re)
    return Pair(re, torch.where(y == 0, y, (s * f) * e * f))


def log_modulus(
    x: Tensor,
    y: Tensor,
    excess: Tensor,
    log: Callable[[Tensor], Tensor] = torch.log,
    unit: float = 1.0,
) -> Tensor:
    """Logarithm of |z|; `unit` is the natural logarithm of the base of `log`.

    It is half of log(s) with s = |z|^2, at a scale where squares neither overflow nor underflow.
    For s in [1/4, 4], where the rounding of s shows, s = 1 + t with `excess` for t, which is
    accurate there: log(w) + (t - (w - 1)) / w with w = 1 + t rounded (Kahan's log1p).
    """
    sx, sy, scale = scaled(x, y)
    near = (excess - 1.125).abs() <= 1.875
    w = torch.where(near, 1 + excess, sx * sx + sy * sy)
    lost = torch.where(near, (excess - (w - 1)) / w, 0.0)
    exponent = torch.where(near, 0.0, scale.exponent)
    head, tail = _log_2_in(unit)
    result = (0.5 * (log(w) + lost * (1 / unit)) - exponent * tail) - exponent * head
    return torch.where(is_infinite(x, y), torch.inf, result)


def _log_2_in(unit: float) -> tuple[float, float]:
    """Logarithm of 2 as a number of 12 digits, which an exponent multiplies exactly, and a rest."""
    value = math.log(2) / unit
    head = leading(value, 12)
    return head, value - head


@unary(aten.log.default, max_ulp=4)
def log(x: Tensor, y: Tensor) -> Pair:
    """Principal logarithm log|z| + i arg z; imaginary part in [-pi, pi].

    Cut: the negative real axis; the sign of y picks the side.

    Regions: for |z|^2 in [1/4, 4] the real part is log1p(x^2 + y^2 - 1) / 2 with the squares
    and the sum in twice the precision, because log|z| loses all digits at |z| = 1.
    Special values: C23 G.6.3.2. Reference: Kahan (1987), procedure CLOG, where the extra
    precision is the format's.
    """
    return Pair(log_modulus(x, y, circle_excess(x, y)), torch.atan2(y, x))


@unary(aten.log10.default, max_ulp=4)
def log10(x: Tensor, y: Tensor) -> Pair:
    """Logarithm to base 10; as log, with the real logarithm to that base."""
    re = log_modulus(x, y, circle_excess(x, y), torch.log10, math.log(10))
    return Pair(re, torch.atan2(y, x) * (1 / math.log(10)))


@unary(aten.log2.default, max_ulp=4)
def log2(x: Tensor, y: Tensor) -> Pair:
    """Logarithm to base 2; as log, with the real logarithm to that base."""
    re = log_modulus(x, y, circle_excess(x, y), torch.log2, math.log(2))
    return Pair(re, torch.atan2(y, x) * (1 / math.log(2)))


@unary(aten.log1p.default, max_ulp=4)
def log1p(x: Tensor, y: Tensor) -> Pair:
    """Principal logarithm of 1 + z.

    Cut: the real axis left of -1; the sign of y picks the side.

    Regions: for |1 + z|^2 in [1/4, 4] the real part is log1p(2x + x^2 + y^2) / 2, the sum in
    twice the precision, because it cancels on the circle |1 + z| = 1, which passes through 0.
    Left of -1/2 the sum is that of log, for 1 + x is exact there.
    Elsewhere it is the real part of log(1 + z), where the rounding of 1 + x is harmless.
    Special values: as log at 1 + z; the sign of zero is kept at z = 0.
    """
    left = x < -0.5
    total = sum_of_squares(torch.where(left, 1 + x, x), y, torch.where(left, -1.0, 2 * x))
    re = log_modulus(1 + x, y, total)
    # On the axis the square of x can underflow, and the zero has a sign.
    real = (y == 0) & (x > -0.25) & (x < 0.25)
    return Pair(torch.where(real, torch.log1p(x), re), torch.atan2(y, 1 + x))


@unary(aten.sqrt.default, max_ulp=4)
def sqrt(x: Tensor, y: Tensor) -> Pair:
    """Principal square root of z = x + iy, so Re(result) >= 0.

    Cut: the negative real axis; the sign of y picks the side,
    sqrt(-4 + 0i) = 2i and sqrt(-4 - 0i) = -2i.

    With u = sqrt((|z| + |x|) / 2) the other part is |y| / (2u). Neither subtracts, so nothing
    cancels where the textbook form has |z| - |x|.

    Regions: |z| + |x| is formed at a scale that is a power of four, where squares neither overflow
    nor underflow.
    Special values: C23 G.6.4.2. Reference: Kahan (1987), procedure CSQRT.
    """
    sx, sy, scale = scaled(x, y)
    u = torch.sqrt(0.5 * torch.sqrt(sx * sx + sy * sy) + 0.5 * sx.abs())
    u = torch.where(is_infinite(x, y), torch.inf, u * scale.unroot)
    top = y.abs() == torch.inf
    v = torch.where(top, torch.inf, y.abs() / torch.where(u == 0, 1.0, u + u))
    return Pair(torch.where(x < 0, v, u), torch.where(x < 0, u, v).copysign(y))


@unary(aten.rsqrt.default, max_ulp=4)
def rsqrt(x: Tensor, y: Tensor) -> Pair:
    """Reciprocal square root, conj(sqrt(z)) / |z|; Re(result) >= 0.

    Cut: the negative real axis; the sign of y picks the side, opposite to that of sqrt.
    With u as in sqrt the parts are u/|z| and |y| / (2u|z|): three roots and quotients one after the
    other, so u and |z| are computed in twice the digits.
    Regions: as sqrt.
    Special values: infinite parts give 0, where eager gives NaN for an infinite y; 0 gives
    inf + i NaN, as in eager.
    """
    sx, sy, scale = scaled(x.abs(), y.abs())
    a, b = widened(sx * 0.5), widened(sy * 0.5)
    half = root(a * a + b * b)  # of the modulus
    u = root(half + a)
    product = (word_of(u * half) * 4).to(x.dtype)
    modulus = (word_of(half) * 2).to(x.dtype)
    infinite, unroot = is_infinite(x, y), scale.unroot
    v = torch.where(infinite, 0.0, sy / product / unroot)
    u = torch.where(infinite, 0.0, word_of(u).to(x.dtype) / modulus / unroot)
    re, im = torch.where(x < 0, v, u), torch.where(x < 0, u, v).copysign(-y)
    zero = (x == 0) & (y == 0)
    return Pair(torch.where(zero, torch.inf, re), torch.where(zero, torch.nan, im))
