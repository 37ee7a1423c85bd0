"""Powers."""

from __future__ import annotations

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.arithmetic import mul, reciprocal, square
from torch_complex_subclass.decompositions.compensated import circle_excess
from torch_complex_subclass.decompositions.exponential import (
    half_angle,
    log_modulus,
    rsqrt,
    sqrt,
)
from torch_complex_subclass.decompositions.operands import as_pair
from torch_complex_subclass.decompositions.registry import Operand, Pair, elementwise

aten = torch.ops.aten

LARGEST_PRODUCT_EXPONENT = 64
"""Largest integer exponent that `pow` computes by products."""


def _integer_power(z: Pair, n: int) -> Pair:
    """Value of z^n for n >= 1 by squaring."""
    result: Pair | None = None
    while True:
        if n & 1:
            result = z if result is None else mul(result, z)
        n >>= 1
        if n == 0:
            assert result is not None
            return result
        z = square(*z)


def _general_power(z: Operand, w: Operand) -> Pair:
    """Value of exp(w log z) for z not 0, with the modulus as a real power.

    With w = u + iv the modulus is h^2 for h = sqrt(|z|)^u e^(-v arg(z) / 2): the two factors h
    overflow only where the result does.
    """
    x, y = as_pair(z)
    u, v = as_pair(w)
    _, _, modulus, root = half_angle(x, y)
    theta = torch.atan2(y, x)
    h = torch.pow(torch.sqrt(modulus) / root, u)
    phi = u * theta
    if isinstance(v, Tensor) or v != 0:
        h = h * torch.exp(-0.5 * v * theta)
        phi = phi + v * log_modulus(x, y, circle_excess(x, y))
    return Pair(torch.cos(phi) * h * h, torch.sin(phi) * h * h)


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

    The error is normwise: at most (4 + 3 n) ulp for an integer n, and otherwise
    (4 + 3 |w| (1 + |log z|)) ulp, the growth with |w log z| being that of the angle.
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
        if w == int(w) and abs(w) <= LARGEST_PRODUCT_EXPONENT:
            return _integer_power(z if w > 0 else reciprocal(*z), abs(int(w)))
    z = _tensor_like(z, w)
    re, im = _general_power(z, w)
    u, v = as_pair(w)
    return _at_zero_base(z, _tensor_like(Pair(u, v), z), Pair(re, im))


def _at_zero_base(z: Pair, w: Pair, value: Pair) -> Pair:
    """Replace `value` where z or w is 0."""
    base = (z.re == 0) & (z.im == 0)
    none = (w.re == 0) & (w.im == 0)
    re = torch.where(base, torch.where(w.re > 0, 0.0, torch.nan), value.re)
    im = torch.where(base, torch.where(w.re > 0, 0.0, torch.nan), value.im)
    re = torch.where(base & (w.re < 0), torch.inf, re)
    return Pair(torch.where(none, 1.0, re), torch.where(none, 0.0, im))
