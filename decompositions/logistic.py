"""The logistic function and its product with the argument."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.double_word import where
from torch_complex_subclass.decompositions.doubled import circle, growth, word_of
from torch_complex_subclass.decompositions.registry import Pair, unary

aten = torch.ops.aten


class _Terms(NamedTuple):
    """Terms of 1 / (1 + e^-z) = (p + iq) g h / d, where only g h is small."""

    p: Any
    q: Any
    d: Tensor
    g: Tensor
    h: Tensor
    sin: Tensor
    """Sine of y, whose sign is that of q, for the sign of a zero."""


def _terms(x: Tensor, y: Tensor) -> _Terms:
    """Terms of the logistic function of z = x + iy.

    With e = e^-|x| the denominator d is |1 + e^(-|x| - iy)|^2 = (1 - e)^2 + 2 e (1 + cos y). The
    numerators are 1 + e cos y and e sin y on the right, and e + cos y and sin y with g h = e on
    the left. p vanishes on a curve, so p and q are formed in twice the digits, and from 1 - e
    and 1 + cos y, which keep theirs near the poles i pi (2n + 1). Nothing overflows.
    """
    left = x < 0
    e, less = growth(-x.abs())
    sin, cos, _, more = circle(y)
    # The sum (e - 1) + (1 + cos y) cancels where e and cos y are both small.
    p = where(left, where(word_of(cos).abs() < 0.5, e + cos, less + more), e * more - less)
    q = where(left, sin, e * sin)
    size, rise = word_of(e), word_of(less)
    d = rise * rise + 2 * size * word_of(more)
    g, h = torch.where(left, size, 1.0), torch.ones_like(size)
    if x.dtype == torch.float64:  # e itself loses digits near underflow
        far, root = x < -600, torch.exp(-0.5 * x.abs())
        g, h = torch.where(far, root, g), torch.where(far, root, h)
    return _Terms(p, q, d, g, h, word_of(sin))


@unary(aten.sigmoid.default, max_ulp=4)
def sigmoid(x: Tensor, y: Tensor) -> Pair:
    """Logistic function 1 / (1 + e^-z); see `_terms`.

    The real part vanishes on the curve e^x + cos y = 0; the bound holds where it is at least
    8 eps times the modulus.

    Special values: Re(z) = inf gives 1 and -inf gives 0, for any imaginary part, where eager
    gives NaN at -inf.
    """
    terms = _terms(x, y)
    inverse = terms.g / terms.d
    re, im = ((word_of(part) * inverse * terms.h).to(x.dtype) for part in (terms.p, terms.q))
    im = im.copysign(terms.sin.to(x.dtype))  # sums of two words lose the sign of zero
    lost = (x.abs() == torch.inf) & ~(y.abs() < torch.inf)
    re, im = torch.where(lost, 0.0, re), torch.where(lost, 0.0, im)
    return Pair(torch.where(x == torch.inf, 1.0, re), torch.where(y == 0, y, im))


SLOPE_ZERO = -1.278464542761074
"""Where the derivative of x / (1 + e^-x) is 0."""


@unary(aten.silu.default, max_ulp=4)
def silu(x: Tensor, y: Tensor) -> Pair:
    """Product z sigmoid(z); z enters before the small factor, which can be subnormal by itself.

    Both parts vanish on curves; the bound holds where they are at least 8 eps times the
    modulus. Regions: parts near overflow are scaled by a power of two, so that their products
    with words are exact; for Re(z) > 800 the value is z.
    Special values: Re(z) = inf gives z, and -inf gives 0 for finite Im(z), where eager gives NaN.
    On the real axis the imaginary part is a zero with the sign of y times the slope there.
    """
    p, q, d, g, h, _ = _terms(x, y)
    top = torch.finfo(x.dtype).max
    u, v = x.double().clamp(-top, top), y.double()
    shrink = torch.where(u.abs().maximum(v.abs()) > 2.0**900, 2.0**-200, torch.ones_like(u))
    u, v = u * shrink, v * shrink
    re, im = (word_of(part) / d * g / shrink * h for part in (p * u - q * v, q * u + p * v))
    re, im = re.to(x.dtype), im.to(x.dtype)
    # Sums of two words lose the sign of zero.
    re = torch.where((x == 0) & (y == 0), x, re)
    im = torch.where(y == 0, torch.where(x < SLOPE_ZERO, -y, y), im)
    one = (x > 800) & ((y.abs() < torch.inf) | (x == torch.inf))
    return Pair(torch.where(one, x, re), torch.where(one, y, im))
