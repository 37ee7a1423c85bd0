"""Sine, cosine, tangent and their inverses: the hyperbolic functions turned by a quarter."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from torch_complex_subclass.decompositions import hyperbolic
from torch_complex_subclass.decompositions.compensated import times_constant
from torch_complex_subclass.decompositions.registry import Pair, unary

aten = torch.ops.aten

PI_TAIL = 1.2246467991473532e-16
"""pi less its double."""


@unary(aten.sin.default, max_ulp=4)
def sin(x: Tensor, y: Tensor) -> Pair:
    """Sine, -i sinh(iz): sin x cosh y + i cos x sinh y. Special values: those of sinh."""
    im, re = hyperbolic.sinh(y, x)
    return Pair(re, im)


@unary(aten.cos.default, max_ulp=4)
def cos(x: Tensor, y: Tensor) -> Pair:
    """Cosine, cosh(iz): cos x cosh y - i sin x sinh y. Special values: those of cosh."""
    re, im = hyperbolic.cosh(y, x)
    return Pair(re, -im)


@unary(aten.tan.default, max_ulp=6)
def tan(x: Tensor, y: Tensor) -> Pair:
    """Tangent, -i tanh(iz). Special values: those of tanh."""
    im, re = hyperbolic.tanh(y, x)
    return Pair(re, im)


@unary(aten.asin.default, max_ulp=4)
def asin(x: Tensor, y: Tensor) -> Pair:
    """Inverse sine; real part in [-pi/2, pi/2].

    Cut: the real axis beyond -1 and 1; the sign of y picks the side.
    Computed by `hyperbolic.inverse_sine_parts`. Special values: those of asinh(iz) / i.
    """
    im, re = hyperbolic.asinh(y, x)
    return Pair(re, im)


@unary(aten.acos.default, max_ulp=4)
def acos(x: Tensor, y: Tensor) -> Pair:
    """Inverse cosine; real part in [0, pi].

    Cut: the real axis beyond -1 and 1; the sign of y picks the side.
    Computed by `hyperbolic.inverse_sine_parts`, not from asin, whose difference from pi/2
    cancels near 1. Special values: C23 G.6.1.1.
    """
    im, re = hyperbolic.acosh(x, y)
    return Pair(re.abs(), im.copysign(-y))


@unary(aten.atan.default, max_ulp=4)
def atan(x: Tensor, y: Tensor) -> Pair:
    """Inverse tangent, -i atanh(iz); real part in [-pi/2, pi/2].

    Cut: the imaginary axis beyond -i and i; the sign of x picks the side.
    Special values: those of atanh.
    """
    im, re = hyperbolic.atanh(y, x)
    return Pair(re, im)


def _sine_of_pi(x: Tensor) -> Tensor:
    """Value of sin(pi x) for |x| <= 1, exact 0 at -1, 0 and 1."""
    ax = x.abs()
    folded = torch.where(ax > 0.5, 1 - ax, ax)  # exact for ax in [1/2, 1]
    return torch.sin(math.pi * folded).copysign(x)


@unary(aten.sinc.default, max_ulp=6, normwise=True)
def sinc(x: Tensor, y: Tensor) -> Pair:
    """Normalised sine cardinal sin(pi z) / (pi z); 1 at 0.

    x is reduced by a multiple of 2 and folded to [-1/2, 1/2], exactly, before it is multiplied
    by pi, so zeros at integers are exact and large x keep their digits. pi y is formed in
    twice the precision: rounded once it would cost pi |y| half ulps.
    The error is normwise: 6 ulp of the larger part.

    Special values: infinite x gives NaN, as in eager; infinite y gives the limit, where eager
    gives NaN.
    """
    period = x - 2 * torch.round(0.5 * x)
    s = _sine_of_pi(period)
    c = _sine_of_pi(0.5 - period.abs())
    limit = 0.75 * math.log(torch.finfo(x.dtype).max)
    hi, lo = times_constant(y.clamp(-limit, limit), math.pi, PI_TAIL)
    sinh, cosh, f = hyperbolic.sinh_cosh(hi)
    # Beyond the limit a part that is not 0 is infinite, whatever it is divided by.
    beyond = y.abs() >= limit
    swap = x.abs() < y.abs()
    large, small = torch.where(swap, y, x), torch.where(swap, x, y)
    divisor = torch.where(beyond, torch.ones_like(large).copysign(large), large)
    # Where z is so large that x is an integer, the quotient can underflow before f enters.
    early = torch.where(divisor.abs() > 1 / torch.finfo(x.dtype).eps, f, torch.ones_like(f))
    re = s * early / divisor * (cosh + lo * sinh)
    im = c * early / divisor * (sinh + lo * cosh)
    # f enters twice in all.
    late = f / early / math.pi
    f = torch.where(beyond, torch.inf, f)
    re, im = (
        torch.where(part == 0, part, part * late * f) for part in _turn(re, im, small / large, swap)
    )
    return _near_zero(x, y, Pair(re, im))


def _turn(re: Tensor, im: Tensor, ratio: Tensor, swap: Tensor) -> Pair:
    """Quotient (re + i im) / (1 + i ratio), or over (ratio + i) where swapped."""
    scale = 1 / (1 + ratio * ratio)
    along = torch.where(swap, re * ratio + im, re + im * ratio) * scale
    across = torch.where(swap, im * ratio - re, im - re * ratio) * scale
    return Pair(along, across)


def _near_zero(x: Tensor, y: Tensor, value: Pair) -> Pair:
    """Replace sinc by 1 - i pi^2 xy / 3 where |z|^2 < eps / 8, and set exact zeros on the axes."""
    near = x.abs().maximum(y.abs()) < math.sqrt(torch.finfo(x.dtype).eps) / 4
    re = torch.where(near, 1.0, value.re)
    im = torch.where(near, (-(math.pi**2) / 3) * x * y, value.im)
    return Pair(re, torch.where((x == 0) | (y == 0), torch.zeros_like(im), im))
