"""The sine cardinal."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.arithmetic import mul
from torch_complex_subclass.decompositions.doubled import (
    circle_of_half_turns,
    hyperbola_of_pi,
    word_of,
)
from torch_complex_subclass.decompositions.quarter_turns import binary_exponent
from torch_complex_subclass.decompositions.registry import Pair, unary

aten = torch.ops.aten


@unary(aten.sinc.default, max_ulp=4)
def sinc(x: Tensor, y: Tensor) -> Pair:
    """Normalised sine cardinal sin(pi z) / (pi z); 1 at 0.

    With a = sin(pi x) cosh(pi y) and b = cos(pi x) sinh(pi y) the parts are (a x + b y) / d and
    (b x - a y) / d, d = pi |z|^2. Both vanish on curves, so they are formed in twice the
    digits; the bound holds where they are at least 8 eps times the modulus. The angle is
    reduced before it is multiplied by pi, so zeros at integers are exact.

    Regions: below 2^-6 by `_near_zero`. A part below 2^-500 is raised: the imaginary part is
    linear in it there, and its share of the real one quadratic. The hyperbolic functions stay
    where they are once the result is out of range whatever x is, and |z| enters as a power of
    two times a number near 1.
    Special values: 0 at infinite x and finite y; infinite y gives the limit. Eager gives NaN for
    both. On the axes the imaginary part is a zero with the sign of the limit.
    """
    dtype, end = x.dtype, x.isinf() & y.isfinite()
    limit, top = 120.0 if dtype == torch.float32 else 960.0, torch.finfo(dtype).max
    y = y.clamp(-top, top)
    (u, raised_x), (v, raised_y) = _raised(x.double()), _raised(y.double())
    s, c = circle_of_half_turns(u.to(dtype))
    sinh, cosh, k = hyperbola_of_pi(v.to(dtype).clamp(-limit, limit))
    exponent = binary_exponent(u.abs().maximum(v.abs()))
    u, v = u * torch.exp2(-exponent), v * torch.exp2(-exponent)
    a, b = s * cosh, c * sinh
    d = math.pi * (u * u + v * v)
    k = k - exponent
    re = a * (u * torch.exp2(-2 * raised_x)) + b * (v * torch.exp2(-2 * raised_y))
    re = _times_power(word_of(re) / d, k)
    im = _times_power(word_of(b * u - a * v) / d, k - raised_x - raised_y)
    x, y = x.double(), y.double()
    re, im = _at_edges(x, y, Pair(re, im), end, math.pi * x * word_of(c) - word_of(s))
    return Pair(re.to(dtype), im.to(dtype))


def _raised(part: Tensor) -> tuple[Tensor, Tensor]:
    """A part below 2^-500 times 2^200, and the exponent of that factor."""
    exponent = torch.where(part.abs() < 2.0**-500, 200.0, torch.zeros_like(part))
    return part * torch.exp2(exponent), exponent


def _times_power(part: Tensor, k: Tensor) -> Tensor:
    """Product with 2^k for |k| < 5000, in steps, as 2^k alone can be out of range."""
    for _ in range(5):
        step = k.clamp(-1000, 1000)
        part, k = part * torch.exp2(step), k - step
    return part


def _near_zero(x: Tensor, y: Tensor) -> Pair:
    """Taylor polynomial 1 - t/6 + t^2/120 - ... in t = (pi z)^2, five terms, for |z|^2 < 2^-11.

    The imaginary part is that of t, 2 pi^2 x y, times a factor near -1/6.
    """
    t = Pair(math.pi**2 * (x - y) * (x + y), 2 * math.pi**2 * (x * y))
    total = Pair(torch.full_like(x, 1 / 362880), torch.zeros_like(x))
    for c in (-1 / 5040, 1 / 120, -1 / 6, 1.0):
        re, im = mul(t, total)
        total = Pair(re + c, im)
    return total


def _at_edges(x: Tensor, y: Tensor, value: Pair, end: Tensor, slope: Tensor) -> Pair:
    """Value near 0, at the `end` of x, and the signs of zero; `slope` is that of sinc at x."""
    near = x.abs().maximum(y.abs()) < 2.0**-6
    re, im = (
        torch.where(end, 0.0, torch.where(near, a, b))
        for a, b in zip(_near_zero(x, y), value, strict=True)
    )
    slope = torch.where(near, -x, slope)  # which is the noise of a difference there
    im = torch.where(y == 0, torch.where(slope < 0, -y, y), im)
    im = torch.where(x == 0, torch.where(y.signbit(), x, -x), im)
    return Pair(re, im)
