"""Hard points where a gradient cannot be had, because of the formula that autograd applies.

The formulas are torch's own and are in the graph before any rule of ours: autograd squares,
subtracts from 1, or keeps the result alone. `where` selects from `hard_points.POINTS`; every
point it selects has to fall short.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class GradientShortfall(NamedTuple):
    """Points where the gradient of a function misses its bound: in words, and as a predicate."""

    at: str
    where: Callable[[complex], bool]
    gives: str
    reason: str


def _shares_size(z: complex, low: float, high: float) -> bool:
    return low < max(abs(z.real), abs(z.imag)) < high


_BEYOND_ROOT = GradientShortfall(
    "\\|z\\| above 2e19",
    lambda z: _shares_size(z, 1.8e19, 4e38),
    "0",
    "z^2 overflows in rsqrt(1 - z^2)",
)
_SUBNORMAL = GradientShortfall(
    "\\|z\\| above 2e19",
    # Beyond 1e23 the exact gradient is 0 in float32 as well.
    lambda z: _shares_size(z, 1.8e19, 1e23),
    "0",
    "z^2 overflows in the divisor; the exact gradient is subnormal",
)

SHORT: dict[str, tuple[GradientShortfall, ...]] = {
    "angle": (
        GradientShortfall(
            "\\|z\\| below 1e-20, not 0",
            lambda z: _shares_size(z, 1e-40, 1e-25),
            "nan",
            "divides by the square of the modulus, which underflows",
        ),
        GradientShortfall(
            "\\|z\\| above 2e19",
            lambda z: _shares_size(z, 1.8e19, 4e38),
            "0",
            "divides by the square of the modulus, which overflows",
        ),
    ),
    "sgn": (
        GradientShortfall(
            "\\|z\\| above 1.7e38",
            lambda z: abs(z.imag) > 1e38,
            "0",
            "divides by twice the modulus; the exact gradient is subnormal",
        ),
    ),
    "log10": (
        GradientShortfall(
            "\\|z\\| above 1.4e38",
            lambda z: _shares_size(z, 1.4e38, 4e38),
            "0",
            "divides by z ln 10, which overflows; the exact gradient is subnormal",
        ),
    ),
    "expm1": (
        GradientShortfall(
            "Re z below -16",
            lambda z: -90 < z.real <= -20,
            "0 for the real part",
            "adds 1 to the result, which is -1 there",
        ),
    ),
    "tan": (
        GradientShortfall(
            "\\|Im z\\| above 8",
            lambda z: abs(z.imag) == 20,
            "0 for a part",
            "1 + tan(z)^2, where tan(z) is i or -i",
        ),
    ),
    "tanh": (
        GradientShortfall(
            "\\|Re z\\| above 8",
            lambda z: abs(z.real) == 20,
            "0 for a part",
            "1 - tanh(z)^2, where tanh(z) is 1 or -1; so is the real function's",
        ),
    ),
    "sigmoid": (
        GradientShortfall(
            "Re z above 16",
            lambda z: 20 <= z.real < 90,
            "0 for a part",
            "1 less the result, which is 1 there; so is the real function's",
        ),
    ),
    "asin": (_BEYOND_ROOT,),
    "acos": (_BEYOND_ROOT,),
    "asinh": (
        _BEYOND_ROOT,
        GradientShortfall(
            "\\|z - i\\|, \\|z + i\\| below 1e-5",
            lambda z: abs(abs(z.imag) - 1) < 1e-6 and 1e-7 < abs(z.real) < 1e-5,
            "3 percent off",
            "1 + z^2 cancels",
        ),
    ),
    "atan": (_SUBNORMAL,),
    "atanh": (
        _SUBNORMAL,
        GradientShortfall(
            "\\|z - 1\\|, \\|z + 1\\| below 1e-5",
            lambda z: abs(abs(z.real) - 1) < 1e-6 and 1e-7 < abs(z.imag) < 1e-5,
            "3 percent off",
            "1 - z^2 cancels",
        ),
    ),
    "sinc": (
        GradientShortfall(
            "\\|z\\| below 1e-3, not 0",
            lambda z: 0 < abs(z) < 1e-10,
            "0 or cancelled",
            "the difference of two terms over z^2",
        ),
        GradientShortfall(
            "\\|Re z\\| above 2^20",
            lambda z: abs(z.real) > 1e17 and abs(z.imag) <= 1,
            "another angle; nan where pi z overflows",
            "takes the sine of pi z rounded",
        ),
    ),
}


class KnownNaN(NamedTuple):
    """Operands for which the gradient of one is NaN, though the exact one is 0 or finite."""

    fn: Callable[..., Tensor]
    operands: list[list[complex]]
    argument: int
    reason: str


_LOW = complex(-torch.inf, 0)

KNOWN_NAN: dict[str, KnownNaN] = {
    "addcdiv with a divisor below 1e-19": KnownNaN(
        torch.addcdiv, [[1], [1e-38], [2e-38]], 2, "divides by the square of the divisor"
    ),
    "0 to a complex exponent, by the exponent": KnownNaN(
        torch.pow, [[0], [1 + 1j]], 1, "multiplies by log(0) unless the exponent is real"
    ),
    "logcumsumexp with -inf": KnownNaN(
        lambda z: torch.logcumsumexp(z, 0), [[_LOW, 1 + 1j]], 0, "subtracts infinities"
    ),
    "polar(\\|z\\|, angle(z)) with \\|z\\| below 1e-20": KnownNaN(
        lambda z: torch.polar(z.abs(), z.angle()), [[1e-30]], 0, "that of angle"
    ),
}
