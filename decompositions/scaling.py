"""Powers of two that bring a number to the middle of the range, from the bits of its exponent.

Reading the bits takes a few integer operations for each number; comparing it with bounds takes a
select for each range and for each factor that is needed.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import torch
from torch import Tensor


class _Layout(NamedTuple):
    """Where a format keeps the exponent."""

    integer: torch.dtype
    digits: int
    """Bits of the fraction."""
    bias: int
    """Field of the exponent of 1."""


_LAYOUTS = {
    torch.float32: _Layout(torch.int32, 23, 127),
    torch.float64: _Layout(torch.int64, 52, 1023),
}


def _largest_field(parts: tuple[Tensor, ...], mask: int) -> Tensor:
    """Exponent field of the largest part, where it is kept and as far as the mask has its bits."""
    integer, digits, _ = _LAYOUTS[parts[0].dtype]
    return functools.reduce(torch.maximum, [p.view(integer) & (mask << digits) for p in parts])


class SquareScale:
    """Power of four that brings the larger of some numbers to about 1, so squares are in range.

    For the largest size m of finite numbers the product with `factor` lies in [1/2, 2), or below 4
    where m is above half of the largest number, or above sqrt(tiny) where m is subnormal. It is
    1 for m in [1/2, 2). A part n that scaling down makes subnormal is one whose n / m**2
    underflows. Infinity and NaN are scaled down as the largest number is.
    """

    def __init__(self, *parts: Tensor) -> None:
        self._dtype = parts[0].dtype
        self._layout = _LAYOUTS[self._dtype]
        _, digits, bias = self._layout
        # The largest field would give a factor below the normal numbers.
        self._field = _largest_field(parts, 2 * bias).clamp(max=(2 * bias - 2) << digits)

    @property
    def factor(self) -> Tensor:
        """The power of four."""
        _, digits, bias = self._layout
        return (((2 * bias - 1) << digits) - self._field).view(self._dtype)

    @property
    def unroot(self) -> Tensor:
        """Power of two whose square undoes the factor."""
        _, digits, bias = self._layout
        return ((self._field >> 1) + ((bias + 1) // 2 << digits)).view(self._dtype)

    @property
    def exponent(self) -> Tensor:
        """Binary logarithm of the factor."""
        _, digits, bias = self._layout
        # As the fraction of a number, the field is read without a conversion of integers, which
        # vector code does one by one.
        number = (self._field >> digits) + ((bias + digits) << digits)
        return (2.0**digits + bias - 1) - number.view(self._dtype)


def scaled(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, SquareScale]:
    """Parts brought to a range where squares neither overflow nor underflow, and the scale."""
    scale = SquareScale(x, y)
    factor = scale.factor
    return x * factor, y * factor, scale


def edge_scale(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Power of two that brings the larger part away from overflow and underflow, and its inverse.

    The factor is 1 but within 16 of overflow, where it is at least 1/32, and for parts below about
    sqrt(tiny), which it brings there; subnormal ones come within 1/eps of that.
    """
    _, digits, bias = _LAYOUTS[x.dtype]
    field = _largest_field((x, y), 2 * bias + 1)
    raised = (((bias // 2) << digits) - field).clamp(min=0)
    shift = raised - (field - ((2 * bias - 4) << digits)).clamp(min=0)
    one = bias << digits
    return (one + shift).view(x.dtype), (one - shift).view(x.dtype)


def is_infinite(x: Tensor, y: Tensor) -> Tensor:
    """True where a part is infinite, also beside NaN."""
    return (x.abs() == torch.inf) | (y.abs() == torch.inf)


def modulus(x: Tensor, y: Tensor) -> Tensor:
    """Value of sqrt(x^2 + y^2) with a relative error of eps; infinite where a part is."""
    sx, sy, scale = scaled(x, y)
    unroot = scale.unroot
    return torch.where(
        is_infinite(x, y), torch.inf, torch.sqrt(sx * sx + sy * sy) * unroot * unroot
    )


def squared_modulus(x: Tensor, y: Tensor) -> Tensor:
    """Value of x^2 + y^2, unscaled, within 3 half ulp; infinite where a part is."""
    return torch.where(is_infinite(x, y), torch.inf, x * x + y * y)
