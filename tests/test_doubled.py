"""Elementary functions in twice the digits, and the reduction of angles, against mpmath."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from mpmath import mp, mpf
from torch import Tensor

from torch_complex_subclass.decompositions import doubled, quarter_turns
from torch_complex_subclass.decompositions.double_word import DoubleWord

SINGLE, DOUBLE = torch.float32, torch.float64
each_dtype = pytest.mark.parametrize("dtype", [SINGLE, DOUBLE], ids=str)
COUNT = 200

# Double words keep 98 bits and more of float64 arguments, float64 50 of float32 ones.
UNIT = {SINGLE: 2.0**-50, DOUBLE: 2.0**-98}


def spread(dtype: torch.dtype, low: float, high: float) -> Tensor:
    """Values of both signs, log-uniform between 2**low and 2**high."""
    g = torch.Generator().manual_seed(1)
    size = torch.exp2(low + (high - low) * torch.rand(COUNT, generator=g, dtype=DOUBLE))
    return (size * (torch.randint(0, 2, (COUNT,), generator=g) * 2 - 1)).to(dtype)


def value(got: Any, i: int) -> Any:
    words = [got.hi, got.lo] if isinstance(got, DoubleWord) else [got]
    return mp.fsum(mpf(part[i].item()) for part in words)


def check(
    got: Any, at: Tensor, exact: Callable[[Any], Any], bound: float, absolute: bool = False
) -> None:
    """Each value is within `bound`, relative to itself or to 1."""
    with mp.workprec(1300):
        for i, x in enumerate(at.tolist()):
            want = exact(mpf(x))
            unit = mpf(1) if absolute else abs(want)
            assert abs(value(got, i) - want) <= bound * unit, (x, value(got, i), want)


ANGLES = {
    "small": (-100.0, 0.0),
    "middle": (-3.0, 14.0),
    "large": (14.0, 120.0),
}


@each_dtype
@pytest.mark.parametrize("sizes", ANGLES)
def test_circle(dtype: torch.dtype, sizes: str) -> None:
    y = spread(dtype, *ANGLES[sizes])
    found, unit = doubled.circle(y), UNIT[dtype]
    check(found.less, y, lambda v: 2 * mp.sin(v / 2) ** 2, unit)
    check(found.more, y, lambda v: 2 * mp.cos(v / 2) ** 2, unit)
    check(found.sin, y, mp.sin, unit)
    check(found.cos, y, mp.cos, unit, absolute=True)


def test_circle_of_the_largest_angles() -> None:
    y = spread(DOUBLE, 900, 1023.9)
    found = doubled.circle(y)
    check(found.sin, y, mp.sin, UNIT[DOUBLE])
    check(found.cos, y, mp.cos, UNIT[DOUBLE])


@each_dtype
@pytest.mark.parametrize("sizes", ANGLES)
def test_circle_of_half_turns(dtype: torch.dtype, sizes: str) -> None:
    x = spread(dtype, *ANGLES[sizes])
    sin, cos = doubled.circle_of_half_turns(x)
    check(sin, x, mp.sinpi, UNIT[dtype])
    check(cos, x, mp.cospi, UNIT[dtype])


@each_dtype
@pytest.mark.parametrize("high", [2.0, 6.0])
def test_growth(dtype: torch.dtype, high: float) -> None:
    x = spread(dtype, -80, high)
    e, less = doubled.growth(x)
    check(e, x, mp.exp, UNIT[dtype])
    check(less, x, mp.expm1, 4 * UNIT[dtype])


@each_dtype
def test_hyperbola_of_pi(dtype: torch.dtype) -> None:
    y = spread(dtype, -60, 7)
    s, c, k = doubled.hyperbola_of_pi(y)
    scale = dict(zip(y.tolist(), k.tolist(), strict=True))
    unit = 256 * UNIT[dtype]  # pi y rounded, of up to 400
    check(s, y, lambda v: mp.ldexp(mp.sinh(mp.pi * v), -int(scale[float(v)])), unit)
    check(c, y, lambda v: mp.ldexp(mp.cosh(mp.pi * v), -int(scale[float(v)])), unit)


BINARY = [0.5, math.nextafter(0.5, 1), 0.5000002, 1.0, math.nextafter(1.0, 0), 1.9999999]


@each_dtype
def test_reduced_binary(dtype: torch.dtype) -> None:
    """Among them the numbers next to powers of two, where the exponent could be off by one."""
    y = torch.cat([spread(dtype, -30, 100), torch.tensor(BINARY, dtype=dtype)])
    turns, hi, lo = quarter_turns.reduced_binary(y)
    assert (turns == turns.round()).all()
    unit = 2.0**-50 if dtype == SINGLE else 2.0**-95
    with mp.workprec(1300):
        for v, n, a, b in zip(*(t.tolist() for t in (y, turns, hi, lo)), strict=True):
            rest = mpf(a) + mpf(b)
            missing = mpf(v) * mp.ln2 - n * mp.pi / 2 - rest
            missing -= mp.nint(missing / (2 * mp.pi)) * 2 * mp.pi
            assert abs(missing) <= unit * max(1, abs(rest)), v
            assert abs(rest) < 0.8, v


def test_exponents() -> None:
    """|x| / 2^e is in [1/2, 1], or just above 1 where the logarithm rounds up."""
    ends = torch.exp2(torch.arange(-1000, 1001, 50, dtype=DOUBLE))
    for x in (ends, ends * (1 - 2.0**-53), ends * (1 + 2.0**-52), spread(DOUBLE, -1000, 1000)):
        ratio = x.abs() / torch.exp2(quarter_turns.binary_exponent(x))
        assert ratio.min() >= 0.5
        assert ratio.max() <= 1 + 2.0**-19


def test_scalars_and_nan_are_looked_up() -> None:
    for y in (torch.tensor(3.0e20), torch.tensor(torch.nan), torch.tensor(torch.inf)):
        turns, hi, _ = quarter_turns.reduced_binary(y)
        assert turns.shape == hi.shape == ()
        assert hi.isfinite() == y.isfinite()
