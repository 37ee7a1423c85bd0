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

    Regions: below 2^-6 by `_near_zero`. A part below 2^-500 is raised, as each imaginary part is
    linear in it there and its share of the real one is lost. The hyperbolic functions stay
    where they are once the result is out of range whatever x is, and |z| enters as a power of
    two times a number near 1.
    Special values: infinite x gives NaN, as in eager; infinite y gives the limit, where eager
    gives NaN. The imaginary part is 0 on both axes.
    """
    limit, top = 120.0 if x.dtype == torch.float32 else 960.0, torch.finfo(x.dtype).max
    y = y.clamp(-top, top)
    (u, raised_x), (v, raised_y) = _raised(x.double()), _raised(y.double())
    s, c = circle_of_half_turns(u.to(x.dtype))
    sinh, cosh, k = hyperbola_of_pi(v.to(x.dtype).clamp(-limit, limit))
    exponent = binary_exponent(u.abs().maximum(v.abs()))
    u, v = u * torch.exp2(-exponent), v * torch.exp2(-exponent)
    a, b = s * cosh, c * sinh
    d = math.pi * (u * u + v * v)
    k = k - exponent
    re = _times_power(word_of(a * u + b * v) / d, k)
    im = _times_power(word_of(b * u - a * v) / d, k - raised_x - raised_y)
    return _at_edges(x.double(), y.double(), Pair(re, im), x.dtype)


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
    """Taylor polynomial 1 - t/6 + t^2/120 - ... in t = (pi z)^2, four terms, for |z|^2 < 2^-11.

    The imaginary part is that of t, 2 pi^2 x y, times a factor near -1/6.
    """
    t = Pair(math.pi**2 * (x - y) * (x + y), 2 * math.pi**2 * (x * y))
    total = Pair(torch.full_like(x, 1 / 362880), torch.zeros_like(x))
    for c in (-1 / 5040, 1 / 120, -1 / 6, 1.0):
        re, im = mul(t, total)
        total = Pair(re + c, im)
    return total


def _at_edges(x: Tensor, y: Tensor, value: Pair, dtype: torch.dtype) -> Pair:
    series = _near_zero(x, y)
    near = x.abs().maximum(y.abs()) < 2.0**-6
    re, im = (torch.where(near, a, b) for a, b in zip(series, value, strict=True))
    im = torch.where((x == 0) | (y == 0), torch.zeros_like(im), im)
    return Pair(re.to(dtype), im.to(dtype))
