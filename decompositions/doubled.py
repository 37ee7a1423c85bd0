"""Elementary functions in twice the digits of the dtype they are called with.

A part of expm1, sigmoid, silu or sinc vanishes on a curve that no identity removes: near it, digits
of an exponential cancel against digits of a cosine. So both are computed in twice the digits:
float64 for float32 parts, double words for float64 parts. Both kinds of number add and multiply by
operators; `word_of` is what is left of them, a float64 in both cases.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, NamedTuple

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.compensated import quick_two_sum, two_sum
from torch_complex_subclass.decompositions.double_word import (
    Constant,
    DoubleWord,
    divide,
    polynomial,
    square_root,
    where,
    word,
)
from torch_complex_subclass.decompositions.quarter_turns import LOG_2, PI, reduced


class Series(NamedTuple):
    """Taylor coefficients in r^2, from two words on and then in one."""

    leads: list[Constant]
    tail: list[float]


def _taylor(sign: int, leads: int, terms: int) -> Series:
    found = [Fraction(sign**j, math.factorial(2 * j + 1)) for j in range(terms)]
    return Series([Constant.nearest(c) for c in found[:leads]], [float(c) for c in found[leads:]])


# Of sin(r)/r for |r| <= pi/4 and of sinh(r)/r for |r| <= ln(2)/2: the tail is below half of the
# digits, and what is left out below all of them.
_SINE, _HYPERBOLIC_SINE = _taylor(-1, 8, 15), _taylor(1, 6, 12)


def _sines(r: DoubleWord, sign: int) -> tuple[DoubleWord, DoubleWord]:
    """(sin r, 1 - cos r) for sign -1, |r| <= pi/4; (sinh r, cosh r - 1) for 1, |r| <= ln(2)/2.

    The second is s^2 / (1 + c) with c = sqrt(1 -+ s^2), which keeps all digits near 0.
    """
    s = r * polynomial(r * r, *(_SINE if sign < 0 else _HYPERBOLIC_SINE))
    square = s * s
    c = square_root((square if sign > 0 else -square) + 1.0)
    return s, divide(square, c + 1.0)


def widened(a: Tensor) -> Any:
    """A number in twice the digits of its dtype."""
    return a.double() if a.dtype == torch.float32 else word(a)


def root(value: Any) -> Any:
    """Square root of a positive number."""
    return square_root(value) if isinstance(value, DoubleWord) else torch.sqrt(value)


def word_of(value: Any) -> Tensor:
    """The value rounded to one float64 word."""
    return value.hi if isinstance(value, DoubleWord) else value


# ---------------------------------------------------------------- circular functions


class Circle(NamedTuple):
    """Functions of an angle, each to all digits wherever it vanishes.

    Of float32 the cosine alone has an absolute error.
    """

    sin: Any
    cos: Any
    less: Any
    """1 - cos."""
    more: Any
    """1 + cos."""


def turned(turns: Tensor, s: Any, c: Any) -> tuple[Any, Any]:
    """Sine and cosine of an angle of `turns` quarter turns and a rest with sine s, cosine c."""
    quarter = turns - 4 * torch.floor(0.25 * turns)
    odd = (quarter == 1) | (quarter == 3)
    sin, cos = where(odd, c, s), where(odd, s, c)
    left = (quarter == 1) | (quarter == 2)
    return where(quarter >= 2, -sin, sin), where(left, -cos, cos)


def circle(y: Tensor) -> Circle:
    """Functions of the angle y, of any size."""
    if y.dtype == torch.float32:
        t = torch.tan(0.5 * y.double())
        square = t * t
        more = 2 / (1 + square)
        return Circle(t * more, 0.5 * (1 - t) * (1 + t) * more, square * more, more)
    turns, rest = reduced(y)
    sine, v = _sines(rest, -1)
    sin, cos = turned(turns, sine, 1.0 - v)
    # Where the angle is near a multiple of pi, one of both is the series and the other near 2.
    ahead = turns == 2 * torch.round(0.5 * turns)
    right = cos.hi > 0
    near, far = where(ahead, v, 1.0 - cos), where(ahead, 2.0 - v, 1.0 + cos)
    return Circle(sin, cos, where(ahead & ~right, far, near), where(ahead & ~right, near, far))


def circle_of_half_turns(x: Tensor) -> tuple[Any, Any]:
    """Sine and cosine of the angle pi x, of any size; exact zeros where they are."""
    whole = torch.round(x)
    rest = x - whole
    turn = torch.round(2 * rest)
    turns = 2 * (whole - 2 * torch.floor(0.5 * whole)) + turn
    rest = rest - 0.5 * turn
    if x.dtype == torch.float32:
        angle = rest.double() * math.pi
        return turned(turns, torch.sin(angle), torch.cos(angle))
    s, v = _sines(word(rest) * _PI, -1)
    return turned(turns, s, 1.0 - v)


# ---------------------------------------------------------------- exponential functions


_PI = Constant.nearest(PI)


def _log_2_words() -> tuple[float, float, float]:
    """ln 2 in two words of 40 digits, which an exponent multiplies exactly, and a rest."""
    first = Fraction(math.floor(LOG_2 * 2**40), 2**40)
    second = Fraction(math.floor((LOG_2 - first) * 2**80), 2**80)
    return float(first), float(second), float(LOG_2 - first - second)


_LOG_2_WORDS = _log_2_words()


def _whole_exponents(x: DoubleWord) -> tuple[Tensor, DoubleWord]:
    """Integer k and r with x = k ln 2 + r, |r| <= ln(2)/2, for |x| < 2^12; exact but for r.lo."""
    first, second, third = _LOG_2_WORDS
    k = torch.round(x.hi * (1 / math.log(2)))
    s, e = two_sum(x.hi, -k * first)
    s, f = two_sum(s, -k * second)
    return k, DoubleWord(*quick_two_sum(s, f + (e + (x.lo - k * third))))


def _exp_less_one(x: Tensor) -> Tensor:
    """Taylor polynomial of e^x - 1 to 48 digits, for |x| < 1/16."""
    total = torch.full_like(x, 1 / math.factorial(8))
    for j in range(7, 0, -1):
        total = total * x + 1 / math.factorial(j)
    return x * total


def growth(x: Tensor) -> tuple[Any, Any]:
    """Values of e^x and e^x - 1.

    x is held within [-300, 300] for float32, far outside its range and well inside that of
    float64, and within [-800, 700] for float64.
    """
    if x.dtype == torch.float32:
        wide = x.double().clamp(-300, 300)
        e = torch.exp(wide)
        return e, torch.where(wide.abs() < 2.0**-4, _exp_less_one(wide), e - 1)
    k, r = _whole_exponents(word(x.clamp(-800, 700)))
    sinh, cosh = _sines(r, 1)
    power = torch.exp2(k)
    part = sinh + cosh
    less = where(k == 0, part, word(power) - 1.0 + part.scaled(power))
    # The series underflows at numbers whose square does.
    less = where(x.abs() < 2.0**-60, DoubleWord(x, 0.5 * x * x), less)
    return (part + 1.0).scaled(power), less


def hyperbola_of_pi(y: Tensor) -> tuple[Any, Any, Tensor]:
    """Factors (s, c, k) with sinh(pi y) = s 2^k and cosh(pi y) = c 2^k.

    |y| < 200 for float32, where k is 0, and |y| < 1000 for float64.
    """
    if y.dtype == torch.float32:
        h = y.double() * math.pi
        return torch.sinh(h), torch.cosh(h), torch.zeros_like(h)
    k, r = _whole_exponents(word(y.abs()) * _PI)
    sinh, cosh = _sines(r, 1)
    cosh = cosh + 1.0
    ratio = torch.exp2(-2 * k)
    plus, minus = (DoubleWord(*two_sum(torch.ones_like(k), part)) for part in (ratio, -ratio))
    s, c = minus * cosh + plus * sinh, plus * cosh + minus * sinh
    return where(y < 0, -s, s), c, k - 1
