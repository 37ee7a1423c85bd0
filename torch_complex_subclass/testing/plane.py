"""Samples of the complex plane by named region, the same ones at every call."""

from __future__ import annotations

import functools
import math
import zlib
from collections.abc import Callable

import torch
from torch import Tensor

from torch_complex_subclass.testing import vanishing
from torch_complex_subclass.testing.draw import Points, exponents, log2_uniform, signs, uniform


def _everywhere(n: int, g: torch.Generator, dtype: torch.dtype) -> Points:
    """Sizes of both parts log-uniform over the normal numbers."""
    low, high, _ = exponents(dtype)
    return log2_uniform(n, g, low, high), log2_uniform(n, g, low, high)


def _unit(n: int, g: torch.Generator, dtype: torch.dtype) -> Points:
    """Sizes of both parts log-uniform from 1/16 to 8."""
    return log2_uniform(n, g, -4, 3), log2_uniform(n, g, -4, 3)


def _moderate(n: int, g: torch.Generator, dtype: torch.dtype) -> Points:
    """Sizes of both parts log-uniform from 2^-20 to 2^12."""
    return log2_uniform(n, g, -20, 12), log2_uniform(n, g, -20, 12)


def _near_zero(n: int, g: torch.Generator, dtype: torch.dtype) -> Points:
    """Sizes of both parts log-uniform from the smallest normal number to 2^-8."""
    low, _, _ = exponents(dtype)
    return log2_uniform(n, g, low, -8), log2_uniform(n, g, low, -8)


def _subnormal(n: int, g: torch.Generator, dtype: torch.dtype) -> Points:
    """Subnormal parts, and some just above."""
    low, _, eps = exponents(dtype)
    return log2_uniform(n, g, low + eps, low + 2), log2_uniform(n, g, low + eps, low + 2)


def _near_overflow(n: int, g: torch.Generator, dtype: torch.dtype) -> Points:
    """Both parts within a factor of 16 of the largest number."""
    _, high, _ = exponents(dtype)
    return log2_uniform(n, g, high - 4, high), log2_uniform(n, g, high - 4, high)


def _unit_circle(n: int, g: torch.Generator, dtype: torch.dtype) -> Points:
    """Points near |z| = 1, from half an ulp to 1/8 off."""
    _, _, eps = exponents(dtype)
    radius, phi = 1 + log2_uniform(n, g, eps, -3), uniform(n, g, -math.pi, math.pi)
    return radius * phi.cos(), radius * phi.sin()


def _shifted_circle(n: int, g: torch.Generator, dtype: torch.dtype) -> Points:
    """Points near |z + 1| = 1, half of them near 0."""
    _, _, eps = exponents(dtype)
    excess = log2_uniform(n, g, 2 * eps, -3)
    y = log2_uniform(n, g, eps, 0).to(dtype).double()
    side = torch.where(signs(n, g) > 0, 1.0, -1.0)
    root = torch.sqrt(torch.clamp(1 - y * y, min=0))
    near_zero = excess / 2 - y * y / (1 + root)
    return torch.where(side > 0, near_zero, -1 - root + excess), y


def _branch_points(n: int, g: torch.Generator, dtype: torch.dtype) -> Points:
    """Points near 1, -1, i and -i, in each direction from one ulp to 1/8."""
    low, _, eps = exponents(dtype)
    along = signs(n, g) * (1 + log2_uniform(n, g, eps, -3))
    along = torch.where(torch.rand(n, generator=g) < 0.2, along.round(), along)
    across = log2_uniform(n, g, low / 2 if low < -200 else low, -3)
    close = log2_uniform(n, g, eps, -3)
    across = torch.where(torch.rand(n, generator=g) < 0.5, close, across)
    turn = torch.rand(n, generator=g) < 0.5
    return torch.where(turn, across, along), torch.where(turn, along, across)


def _axes(n: int, g: torch.Generator, dtype: torch.dtype) -> Points:
    """Points on an axis: the other part is a zero of either sign."""
    along, zero = log2_uniform(n, g, -12, 6), signs(n, g) * 0.0
    turn = torch.rand(n, generator=g) < 0.5
    return torch.where(turn, zero, along), torch.where(turn, along, zero)


def _near_axes(n: int, g: torch.Generator, dtype: torch.dtype) -> Points:
    """One part from 2^-8 to 2^6, the other from the smallest normal number to 2^-8."""
    low, _, _ = exponents(dtype)
    along, across = log2_uniform(n, g, -8, 6), log2_uniform(n, g, low, -8)
    turn = torch.rand(n, generator=g) < 0.5
    return torch.where(turn, across, along), torch.where(turn, along, across)


def _exp_range(n: int, g: torch.Generator, dtype: torch.dtype) -> Points:
    """Points where an exponential of one part is near overflow or underflow."""
    high = math.log(torch.finfo(dtype).max)
    large = signs(n, g) * high * uniform(n, g, 0.4, 1.2)
    small = log2_uniform(n, g, -30, 4)
    turn = torch.rand(n, generator=g) < 0.5
    return torch.where(turn, small, large), torch.where(turn, large, small)


def _poles(n: int, g: torch.Generator, dtype: torch.dtype) -> Points:
    """Points near multiples of i pi/2 and of pi/2: zeros and poles of the periodic functions."""
    _, _, eps = exponents(dtype)
    multiple = torch.randint(-6, 7, (n,), generator=g).double() * (math.pi / 2)
    along = multiple + log2_uniform(n, g, eps, -3)
    across = log2_uniform(n, g, 2 * eps, -3)
    turn = torch.rand(n, generator=g) < 0.5
    return torch.where(turn, across, along), torch.where(turn, along, across)


def _turns(n: int, g: torch.Generator, dtype: torch.dtype) -> Points:
    """Points whose one part is within a few ulp of a large multiple of pi/2 or of 1/2."""
    _, _, half_ulp = exponents(dtype)
    multiple = log2_uniform(n, g, 3, -half_ulp).round()
    multiple = multiple * torch.where(torch.rand(n, generator=g) < 0.25, 0.5, math.pi / 2)
    along = multiple * (1 + log2_uniform(n, g, half_ulp - 1, half_ulp + 3))
    across = log2_uniform(n, g, -20, 4)
    turn = torch.rand(n, generator=g) < 0.5
    return torch.where(turn, across, along), torch.where(turn, along, across)


def _bits(n: int, g: torch.Generator, dtype: torch.dtype) -> Points:
    """Random bit patterns, of finite numbers: every exponent, subnormal ones too."""
    integer = torch.int32 if dtype == torch.float32 else torch.int64
    info = torch.iinfo(integer)
    drawn = torch.randint(info.min, info.max, (4 * n,), generator=g, dtype=integer).view(dtype)
    finite = drawn[drawn.isfinite()]
    return finite[:n], finite[n : 2 * n]


REGIONS: dict[str, Callable[[int, torch.Generator, torch.dtype], Points]] = {
    "unit": _unit,
    "moderate": _moderate,
    "everywhere": _everywhere,
    "near_zero": _near_zero,
    "subnormal": _subnormal,
    "near_overflow": _near_overflow,
    "unit_circle": _unit_circle,
    "shifted_circle": _shifted_circle,
    "branch_points": _branch_points,
    "axes": _axes,
    "near_axes": _near_axes,
    "exp_range": _exp_range,
    "poles": _poles,
    "turns": _turns,
    "bits": _bits,
}

# The region that depends on the function, and exists for those that have such curves.
VANISHING = "vanishing"

# Points per region that make at least 20,000 in all.
MANY = 1400


def regions(function: str) -> list[str]:
    """Names of the regions that a function is measured on."""
    return [*REGIONS, *([VANISHING] if function in vanishing.CURVES else [])]


@functools.cache
def samples(
    region: str, dtype: torch.dtype, n: int = 64, function: str = ""
) -> tuple[Tensor, Tensor]:
    """Return n points of a region as real and imaginary parts; the same ones at every call.

    The function matters in the region "vanishing" only.
    """
    own = f" {function}" if region == VANISHING else ""
    g = torch.Generator().manual_seed(zlib.crc32(f"{region} {dtype}{own}".encode()))
    if region == VANISHING:
        x, y = vanishing.points(function, n, g, dtype)
    else:
        x, y = REGIONS[region](n, g, dtype)
    return x.to(dtype), y.to(dtype)
