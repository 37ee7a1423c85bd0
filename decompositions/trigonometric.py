"""Sine, cosine, tangent and their inverses: the hyperbolic functions turned by a quarter."""

from __future__ import annotations

import torch
from torch import Tensor

from torch_complex_subclass.decompositions import hyperbolic
from torch_complex_subclass.decompositions.registry import Pair, unary

aten = torch.ops.aten


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


@unary(aten.tan.default, max_ulp=4)
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
