"""Numbers of two words: an unevaluated sum hi + lo with |lo| <= ulp(hi) / 2.

Each operation has a relative error of a few u^2, u half an ulp of 1, where no part of it
underflows. The words are float64.
Reference: Dekker (1971); Joldes, Muller, Popescu (2017), whose names are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.compensated import quick_two_sum, two_product, two_sum


class Constant(NamedTuple):
    """Number hi + lo."""

    hi: float
    lo: float

    @classmethod
    def nearest(cls, value: Fraction) -> Constant:
        """The constant nearest to an exact number."""
        hi = float(value)
        return cls(hi, float(value - Fraction(hi)))


@dataclass(frozen=True, slots=True)
class DoubleWord:
    """Value hi + lo; adds and multiplies with its like, with one word and with constants."""

    hi: Tensor
    lo: Tensor

    def __add__(self, other: DoubleWord | Tensor | float) -> DoubleWord:
        """Sum; relative error 3 u^2 (AccurateDWPlusDW), with one word 2 u^2 (DWPlusFP)."""
        if not isinstance(other, DoubleWord):
            added = other if isinstance(other, Tensor) else torch.full_like(self.hi, other)
            s, e = two_sum(self.hi, added)
            return DoubleWord(*quick_two_sum(s, self.lo + e))
        s, e = two_sum(self.hi, other.hi)
        t, f = two_sum(self.lo, other.lo)
        s, e = quick_two_sum(s, e + t)
        return DoubleWord(*quick_two_sum(s, f + e))

    def __neg__(self) -> DoubleWord:
        return DoubleWord(-self.hi, -self.lo)

    def __sub__(self, other: DoubleWord | Tensor | float) -> DoubleWord:
        return self + (-other)

    def __rsub__(self, other: DoubleWord | Tensor | float) -> DoubleWord:
        return -self + other

    def __mul__(self, other: DoubleWord | Constant | Tensor) -> DoubleWord:
        """Product; relative error 5 u^2 (DWTimesDW1)."""
        if isinstance(other, Tensor):
            hi, lo = other, torch.zeros_like(other)
        elif isinstance(other, Constant):
            hi, lo = (torch.full_like(self.hi, part) for part in other)
        else:
            hi, lo = other.hi, other.lo
        product, error = two_product(self.hi, hi)
        cross = self.hi * lo + self.lo * hi
        return DoubleWord(*quick_two_sum(product, error + cross))

    def scaled(self, factor: Tensor | float) -> DoubleWord:
        """Product with a power of two; exact."""
        return DoubleWord(self.hi * factor, self.lo * factor)

    __radd__ = __add__


def word(a: Tensor) -> DoubleWord:
    """One word as two."""
    return DoubleWord(a, torch.zeros_like(a))


def square_root(x: DoubleWord) -> DoubleWord:
    """Square root of x > 0; relative error 4 u^2, by one step of Newton's iteration."""
    root = torch.sqrt(x.hi)
    square, error = two_product(root, root)
    rest = ((x.hi - square) - error) + x.lo
    return DoubleWord(*quick_two_sum(root, rest / (root + root)))


def divide(x: DoubleWord, y: DoubleWord) -> DoubleWord:
    """Quotient; relative error 10 u^2, by one correction of the quotient of the first words."""
    q = x.hi / y.hi
    product, error = two_product(q, y.hi)
    rest = ((x.hi - product) - error) + (x.lo - q * y.lo)
    return DoubleWord(*quick_two_sum(q, rest / y.hi))


def where(condition: Tensor, x: Any, y: Any) -> Any:
    """`torch.where` for tensors and, word by word, for double words."""
    if isinstance(x, DoubleWord):
        return DoubleWord(torch.where(condition, x.hi, y.hi), torch.where(condition, x.lo, y.lo))
    return torch.where(condition, x, y)


def polynomial(t: DoubleWord, leads: list[Constant], tail: list[float]) -> DoubleWord:
    """Value of leads[0] + leads[1] t + ... + tail[0] t^n + ..., by Horner's rule.

    Each term must be larger than the sum of those after it; the tail is summed in one word.
    """
    rest = torch.full_like(t.hi, tail[-1])
    for c in reversed(tail[:-1]):
        rest = rest * t.hi + c
    hi, lo = rest, torch.zeros_like(rest)
    for lead in reversed(leads):
        product, below = two_product(hi, t.hi)
        below = below + (hi * t.lo + lo * t.hi)
        hi, error = quick_two_sum(torch.full_like(t.hi, lead.hi), product)
        lo = error + (lead.lo + below)
    return DoubleWord(*quick_two_sum(hi, lo))
