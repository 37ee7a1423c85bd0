"""The logistic function and its product with the argument."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.double_word import where
from torch_complex_subclass.decompositions.doubled import circle, growth, word_of
from torch_complex_subclass.decompositions.registry import Pair, unary

aten = torch.ops.aten


def _logistic_parts(x: Tensor, y: Tensor) -> tuple[Any, Any, Tensor, Tensor]:
    """Terms (p, q, d, g) with 1 / (1 + e^-z) = (p + iq) g^2 / d, where g^2 <= 1 alone is small.

    With e = e^-|x| the denominator d is |1 + e^(-|x| - iy)|^2 = (1 - e)^2 + 2 e (1 + cos y). The
    numerators are 1 + e cos y and e sin y on the right, and e + cos y and sin y with g^2 = e on
    the left. p vanishes on a curve, so p and q are formed in twice the digits, and from 1 - e
    and 1 + cos y, which keep theirs near the poles i pi (2n + 1). Nothing overflows.
    """
    left = x < 0
    e, less = growth(-x.abs())
    sin, cos, _, more = circle(y)
    p = where(left, where(word_of(cos).abs() < 0.5, e + cos, less + more), e * more - less)
    q = where(left, sin, e * sin)
    g = torch.where(left, torch.exp(-0.5 * x.abs().double()), 1.0)
    rise = word_of(less)
    return p, q, rise * rise + 2 * word_of(e) * word_of(more), g


@unary(aten.sigmoid.default, max_ulp=4)
def sigmoid(x: Tensor, y: Tensor) -> Pair:
    """Logistic function 1 / (1 + e^-z); see `_logistic_parts`.

    The real part vanishes on the curve e^x + cos y = 0; the bound holds where it is at least
    8 eps times the modulus.

    Special values: Re(z) = inf gives 1 and -inf gives 0, for any imaginary part, where eager
    gives NaN at -inf.
    """
    p, q, d, g = _logistic_parts(x, y)
    re, im = ((word_of(part) / d * g * g).to(x.dtype) for part in (p, q))
    re = torch.where(x.isinf(), torch.where(x > 0, 1.0, torch.zeros_like(x)), re)
    im = torch.where(x.isinf(), torch.zeros_like(y).copysign(torch.sin(y)), im)
    return Pair(re, torch.where(y == 0, y, im))


@unary(aten.silu.default, max_ulp=4)
def silu(x: Tensor, y: Tensor) -> Pair:
    """Product z sigmoid(z); z enters before the small factor, which can be subnormal by itself.

    Both parts vanish on curves; the bound holds where they are at least 8 eps times the
    modulus. Regions: parts near overflow are scaled by a power of two, so that their products
    with words are exact.
    Special values: Re(z) = inf gives z and -inf gives 0 for finite Im(z), where eager gives NaN.
    """
    p, q, d, g = _logistic_parts(x, y)
    top = torch.finfo(x.dtype).max
    u, v = x.double().clamp(-top, top), y.double()
    shrink = torch.where(u.abs().maximum(v.abs()) > 2.0**900, 2.0**-200, torch.ones_like(u))
    u, v = u * shrink, v * shrink
    re, im = (word_of(part) / d * g / shrink * g for part in (p * u - q * v, q * u + p * v))
    re = torch.where((x == torch.inf) & y.isfinite(), torch.inf, re)
    # Sums of two words lose the sign of zero.
    re, im = torch.where((x == 0) & (y == 0), u, re), torch.where(y == 0, v, im)
    return Pair(re.to(x.dtype), im.to(x.dtype))
