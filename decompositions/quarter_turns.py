"""Angles of any size as a whole number of quarter turns and a rest.

An angle y times a constant C (2/pi for radians, 2 ln 2/pi for the angle of 2^(iy)) is reduced
modulo 4 as in Payne and Hanek (1983): y = M 2^k with an integer M, and C 2^k mod 4 is looked up by
k in a table of short words whose products with M, or with halves of M, are exact.
"""

from __future__ import annotations

import functools
import itertools
import math
from fractions import Fraction
from typing import NamedTuple

import torch
from torch import Tensor

from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.decompositions.compensated import split, two_sum
from torch_complex_subclass.decompositions.double_word import Constant, DoubleWord, where, word

aten = torch.ops.aten

_BITS = 1400
"""Digits of the constants below the point: the exponent range of float64 and 300 more."""

_ONE = 1 << _BITS


def _inverse_tangent(n: int, sign: int) -> int:
    """Value of atan(1/n) for sign -1 and of atanh(1/n) for sign 1, times 2^_BITS."""
    total, power, k = 0, _ONE // n, 1
    while power:
        total += power // k * (sign if k % 4 == 3 else 1)
        power //= n * n
        k += 2
    return total


PI = Fraction(4 * (4 * _inverse_tangent(5, -1) - _inverse_tangent(239, -1)), _ONE)
"""Pi to 1400 binary digits, by Machin's formula."""

LOG_2 = Fraction(2 * _inverse_tangent(3, 1), _ONE)
"""Natural logarithm of 2 to as many."""

_HALF_PI, _LOG_2 = Constant.nearest(PI / 2), Constant.nearest(LOG_2)


class Format(NamedTuple):
    """How a dtype's angles are multiplied: digits of M and of a word, words, exponents."""

    digits: int
    width: int
    words: int
    exponents: int


FLOAT32 = Format(24, 29, 3, 128)
FLOAT64 = Format(53, 26, 7, 1024)


@functools.cache
def _table(binary: bool, form: Format) -> Tensor:
    """Words of C 2^(e - digits) modulo 4, for e = -1, 0, 1, ...; shape (words, exponents + 2).

    Word j, from 0, is a multiple of 2^(2 - width (j + 1)), at most half of that of word j - 1.
    """
    factor = math.floor(2 * (LOG_2 if binary else 1) / PI * _ONE)
    rows = []
    for e in range(-1, form.exponents + 1):
        rest = (factor << (e + 1) >> (form.digits + 1)) & (4 * _ONE - 1)
        rest = rest - 4 * _ONE if rest > 2 * _ONE else rest
        row = []
        for j in range(form.words):
            shift = _BITS + 2 - form.width * (j + 1)
            digits = (rest + (1 << (shift - 1))) >> shift
            row.append(math.ldexp(digits, shift - _BITS))
            rest -= digits << shift
        rows.append(row)
    # It is kept, so it must not be a fake tensor of the trace that is the first to ask for it.
    with compat.no_dispatch_modes():
        return torch.tensor(rows, dtype=torch.float64).T.contiguous()


def binary_exponent(x: Tensor) -> Tensor:
    """Integer e, in x's dtype, with |x| / 2^e in [1/2, 1], or in [1, 1 + 2^-19] now and then.

    Held within [-1100, 1024]; Inductor's vector code for `frexp` does not compile for float64.
    """
    return torch.floor(torch.log2(x.abs()).clamp(-1100, 1023.5) - 2.0**-20) + 1


def _look_up(y: Tensor, binary: bool, form: Format) -> tuple[Tensor, list[Tensor]]:
    """The integer M and the words of its table row, for finite |y| >= 1/2."""
    exponent = binary_exponent(y)
    table = aten.lift_fresh.default(_table(binary, form)).to(y.device)
    known = torch.where(exponent.isnan(), 0.0, exponent)
    row = (known.clamp(-1, form.exponents) + 1).long()
    m = y * torch.exp2(form.digits - exponent)
    # Subscription by a tensor without dimensions would ask for its value.
    return m, [aten.index.Tensor(table[j], [row]) for j in range(form.words)]


def _modulo_4(turns: Tensor) -> Tensor:
    """Remainder of a multiple of 4 nearest to `turns`; exact."""
    return turns - 4 * torch.round(0.25 * turns)


def _narrow_turns(y: Tensor) -> tuple[Tensor, Tensor]:
    """Quarter turns and rest, in quarter turns, of y ln 2 for a float64 with a float32's digits."""
    m, (first, second, third) = _look_up(y, True, FLOAT32)
    whole = _modulo_4(m * first)
    turns = torch.round(whole + m * second)
    return turns, ((whole - turns) + m * second) + m * third


def _wide_turns(y: Tensor, binary: bool) -> tuple[Tensor, DoubleWord]:
    """Quarter turns and rest, in quarter turns, of a float64.

    Products of the halves of M with words of one order are multiples of one power of two and
    small enough for exact sums; that of the upper half with the first word is a multiple of 4.
    """
    m, words = _look_up(y, binary, FLOAT64)
    high, low = split(m)
    orders = [low * a + high * b for a, b in itertools.pairwise(words[2:])]
    first = _modulo_4(low * words[0]) + _modulo_4(high * words[1])
    first = first + (_modulo_4(low * words[1]) + _modulo_4(high * words[2]))
    turns = torch.round(first)
    rest = DoubleWord(*two_sum(first - turns, orders[0]))
    return turns, rest + DoubleWord(orders[1], orders[2] + orders[3])


def reduced(y: Tensor) -> tuple[Tensor, DoubleWord]:
    """Whole quarter turns nearest to the float64 angle y, and the rest in radians."""
    turns, rest = _wide_turns(y, binary=False)
    small = y.abs() < 0.5
    return torch.where(small, 0.0, turns), where(small, word(y), rest * _HALF_PI)


def reduced_binary(y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The same for the angle y ln 2 of a float32 or float64 y; the rest in two words."""
    wide = y.double()
    small = wide.abs() < 0.5
    if y.dtype == torch.float32:
        turns, part = _narrow_turns(wide)
        rest = torch.where(small, wide * _LOG_2.hi, part * _HALF_PI.hi)
        return torch.where(small, 0.0, turns), rest, torch.zeros_like(rest)
    turns, words = _wide_turns(wide, binary=True)
    both = where(small, word(wide) * _LOG_2, words * _HALF_PI)
    return torch.where(small, 0.0, turns), both.hi, both.lo
