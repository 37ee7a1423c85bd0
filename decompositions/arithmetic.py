"""Sums, products and quotients.

A real operand is not widened to a complex one: its product acts on each part (C23 G.5.1), which
saves half of the work, keeps the sign of zero, and gives no NaN where an infinite part meets a
zero that was never there. Eager widens, so results differ for infinities and signed zeros only.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.operands import as_pair, broadcast, is_number
from torch_complex_subclass.decompositions.registry import Operand, Pair, elementwise, unary
from torch_complex_subclass.decompositions.scaling import edge_scale, is_infinite, scaled

aten = torch.ops.aten


def scale(z: Operand, factor: Operand) -> Operand:
    """Return `factor * z` for the `alpha=` and `value=` arguments of aten ops."""
    if isinstance(factor, Pair):
        return mul(z, factor)
    if factor == 1:
        return z
    if isinstance(z, Pair):
        return Pair(z.re * factor, z.im * factor)
    return z * factor


@elementwise(aten.add.Tensor, aten.add.Scalar)
def add(z: Operand, w: Operand, alpha: Operand = 1) -> Pair:
    """Sum `z + alpha * w`, each part rounded once when alpha is 1."""
    w = scale(w, alpha)
    if not isinstance(w, Pair):
        z = as_pair(z)
        return broadcast(z.re + w, z.im)
    if not isinstance(z, Pair):
        return broadcast(z + w.re, w.im)
    return Pair(z.re + w.re, z.im + w.im)


@elementwise(aten.sub.Tensor, aten.sub.Scalar)
def sub(z: Operand, w: Operand, alpha: Operand = 1) -> Pair:
    """Difference `z - alpha * w`, each part rounded once when alpha is 1."""
    w = scale(w, alpha)
    if not isinstance(w, Pair):
        z = as_pair(z)
        return broadcast(z.re - w, z.im)
    if not isinstance(z, Pair):
        return broadcast(z - w.re, 0.0 - w.im)
    return Pair(z.re - w.re, z.im - w.im)


@elementwise(aten.rsub.Scalar, aten.rsub.Tensor)
def rsub(z: Operand, w: Operand, alpha: Operand = 1) -> Pair:
    """Difference `w - alpha * z`."""
    return sub(w, scale(z, alpha))


@elementwise(aten.mul.Tensor, aten.mul.Scalar, max_ulp=3, normwise=True)
def mul(z: Operand, w: Operand) -> Pair:
    """Product by the textbook formula, as eager computes it.

    The error is normwise: |computed - exact| <= sqrt(5) u |exact| (Brent, Percival, Zimmermann,
    2007), u half an ulp; a part alone loses accuracy where its two terms cancel. A real factor
    costs each part one rounding.
    Regions: one of two terms can overflow where their difference does not, within a factor of
    sqrt(2) of the largest number; eager's formula does the same.
    """
    if not isinstance(w, Pair):
        z = as_pair(z)
        return Pair(z.re * w, z.im * w)
    if not isinstance(z, Pair):
        return Pair(z * w.re, z * w.im)
    return Pair(z.re * w.re - z.im * w.im, z.re * w.im + z.im * w.re)


@unary(aten.square.default, max_ulp=4)
def square(x: Tensor, y: Tensor) -> Pair:
    """Square, (|x| - |y|)(|x| + |y|) + 2ixy: neither part cancels, where x^2 - y^2 does.

    Overflows only where the result does. Special values: as the product z z in eager, except
    that two equal parts near overflow give 0 instead of inf - inf.
    """
    ax, ay = x.abs(), y.abs()
    return Pair((ax - ay) * (0.5 * ax + 0.5 * ay) * 2, 2 * (x * y))


def _unit_if_infinite(part: Tensor) -> Tensor:
    one = torch.ones_like(part)
    return torch.where(part.isinf(), one, torch.zeros_like(part)).copysign(part)


@elementwise(aten.div.Tensor, aten.div.Scalar, max_ulp=6, normwise=True)
def div(z: Operand, w: Operand) -> Pair:
    """Quotient; neither overflows nor underflows unless the result does.

    The product z conj(w) times the reciprocal of |w|^2, one division in all. The numerators can
    cancel, so the error is normwise: (sqrt(5) + 4) u |exact|, u half an ulp.

    Regions: w is brought to a size of about 1 by a power of four, where squares are in range, and z
    away from overflow and underflow by a power of two; both are undone one after the other, for
    their product can be out of range.
    Special values: a divisor of two zeros of any sign divides each part by +0, as in eager. Finite
    over infinite is 0 even where the other part of the divisor is infinite or NaN (C23 G.5.2),
    where eager gives NaN: the gradient of `logaddexp` is such a quotient.
    Reference: Baudin and Smith (2012) for what goes wrong without a scale.
    """
    if not isinstance(w, Pair):
        z = as_pair(z)
        return Pair(z.re / w, z.im / w)
    if is_number(w):  # divided as complex numbers: the pair of floats has no `where`
        z = as_pair(z)
        w = Pair(torch.full_like(z.re, w.re), torch.full_like(z.re, w.im))
    a, b = as_pair(z)
    c, d = w
    if not isinstance(a, Tensor):
        a, b = torch.full_like(c, a), torch.full_like(c, b)

    above, unscale = edge_scale(a, b)
    a, b = a * above, b * above
    infinite, pole = is_infinite(c, d), (c == 0) & (d == 0)
    # An infinite divisor counts as one of size 1, and the quotient as one times 0.
    units = _unit_if_infinite(c), _unit_if_infinite(d)
    c, d, scale = scaled(c, d)
    c, d = (torch.where(infinite, *chosen) for chosen in zip(units, (c, d), strict=True))
    inverse = 1 / (c * c + d * d)
    below = torch.where(infinite, 0.0, scale.factor)
    re = torch.where(pole, a, a * c + b * d)
    im = torch.where(pole, b, b * c - a * d)
    return Pair(re * inverse * below * unscale, im * inverse * below * unscale)


@elementwise(
    aten.div.Tensor_mode,
    aten.div.Scalar_mode,
    reason="complex numbers have no order to round by: eager refuses",
)
def div_mode(z: Operand, w: Operand, *, rounding_mode: str | None) -> Any:
    """Quotient, for `rounding_mode=None`."""
    return div(z, w) if rounding_mode is None else NotImplemented


@unary(aten.reciprocal.default, max_ulp=4)
def reciprocal(x: Tensor, y: Tensor) -> Pair:
    """Reciprocal conj(z) / |z|^2; neither part cancels.

    Regions: |z|^2 is formed at a scale that is a power of four, where it is in range.
    Special values: an infinite part gives 0, where eager gives NaN for two; 0 gives
    inf + i NaN, as in eager.
    """
    sx, sy, scale = scaled(x, y)
    inverse = 1 / (sx * sx + sy * sy)  # one division instead of two
    infinite, zero = is_infinite(x, y), torch.zeros_like(x)
    re = torch.where(infinite, zero.copysign(x), sx * inverse * scale.factor)
    im = torch.where(infinite, zero.copysign(-y), -sy * inverse * scale.factor)
    return Pair(torch.where((x == 0) & (y == 0), torch.inf, re), im)


@unary(aten._neg_view_copy.default, aten.neg.default, max_ulp=0)
def neg(x: Tensor, y: Tensor) -> Pair:
    """Negation of both parts; exact."""
    return Pair(-x, -y)


@unary(aten.positive.default, max_ulp=0)
def positive(x: Tensor, y: Tensor) -> Pair:
    """The value itself."""
    return Pair(x, y)


@elementwise(aten.addcmul.default, data=("self", "tensor1", "tensor2"), max_ulp=4, normwise=True)
def addcmul(z: Operand, u: Operand, v: Operand, value: Operand = 1) -> Pair:
    """Sum z + value * u * v.

    The error is in ulp of the larger of the two terms: the sum can cancel.
    """
    return add(z, mul(scale(u, value), v))


@elementwise(aten.addcdiv.default, data=("self", "tensor1", "tensor2"), max_ulp=7, normwise=True)
def addcdiv(z: Operand, u: Operand, v: Operand, value: Operand = 1) -> Pair:
    """Sum z + value * u / v.

    The error is in ulp of the larger of the two terms: the sum can cancel.
    """
    return add(z, div(scale(u, value), v))


@elementwise(
    aten.lerp.Tensor,
    aten.lerp.Scalar,
    data=("self", "end", "weight"),
    max_ulp=6,
    normwise=True,
)
def lerp(start: Operand, end: Operand, weight: Operand) -> Pair:
    """Interpolation start + weight (end - start), from the end when |weight| >= 1/2.

    The second form returns `end` exactly at weight 1.
    The error is in ulp of the larger of the two terms that the form adds.
    Regions: where a part exceeds 1, at a quarter of the scale, so that neither the difference
    nor one term of the product overflows where the result does not.
    """
    start, end = as_pair(start), as_pair(end)
    size = functools.reduce(torch.maximum, [part.abs() for part in (*start, *end)])
    quarter = torch.where(size > 1, 0.25, torch.ones_like(size))
    start, end = (Pair(z.re * quarter, z.im * quarter) for z in (start, end))
    step = sub(end, start)
    near_start = add(start, mul(weight, step))
    near_end = sub(end, mul(sub(1.0, weight), step))
    w = as_pair(weight)
    if is_number(weight):
        re, im = near_end if abs(complex(w.re, w.im)) >= 0.5 else near_start
    else:
        far = w.re * w.re + w.im * w.im >= 0.25
        re = torch.where(far, near_end.re, near_start.re)
        im = torch.where(far, near_end.im, near_start.im)
    return Pair(re / quarter, im / quarter)
