"""Error-free pieces and scaled primitives that the rules share, with the ranges they hold on.

The error-free pieces rely on round-to-nearest and on no reassociation. Eager has no kernel across
operations. Inductor's C++ is built with `-fno-unsafe-math-optimizations`, and where a user asks
for the unsafe ones `inductor_lowering/cpp_flags.py` keeps the order of sums. Triton contracts
`a * b + c` into one fused operation, and GCC does when it is told to: every product below that
enters a sum is exact, so a contracted sum is the same number. Where subnormal numbers are flushed
to zero, a lower half or an error below `tiny` is lost. Inductor's C++ is also built with
`-fno-signed-zeros`: the sign of a zero is set by `copysign` or by a select, never by a sum.
Inductor's vector code for `expm1` is `exp(x) - 1`; no rule calls it.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import torch
from torch import Tensor


def two_sum(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Rounded sum s and its error e, so a + b = s + e exactly (Knuth, 1969).

    Domain: a + b does not overflow.
    """
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def quick_two_sum(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Rounded sum and its error as in `two_sum`, for |a| >= |b| or a = 0 (Dekker, 1971)."""
    s = a + b
    return s, b - (s - a)


def split(a: Tensor) -> tuple[Tensor, Tensor]:
    """Halves hi + lo = a of at most half of the significand each (Veltkamp, 1968).

    Above `finfo.max / 2**(digits / 2 + 2)` lo is 0 and hi has all digits.
    a (2**k + 1) is formed as a sum with a product that is exact, not as a product: a compiler
    that fuses a product with the sum it enters changes nothing here.
    """
    fi = torch.finfo(a.dtype)
    factor = 2.0 ** math.ceil(-math.log2(fi.eps / 2) / 2)
    c = torch.where(a.abs() < fi.max / (2 * factor + 2), a * factor, 0.0) + a
    hi = c - (c - a)
    return hi, a - hi


@functools.cache
def product_error_op() -> Any:
    library = torch.library.Library("torch_complex_subclass", "FRAGMENT")
    library.define(
        "product_error(Tensor a, Tensor b) -> Tensor", tags=(torch.Tag.pt2_compliant_tag,)
    )
    library.impl("product_error", _product_error, "CompositeExplicitAutograd")
    _libraries.append(library)
    return torch.ops.torch_complex_subclass.product_error.default


_libraries: list[torch.library.Library] = []
"""Ops last as long as the object that defined them."""


def _product_error(a: Tensor, b: Tensor) -> Tensor:
    # The select stands between the product and the difference, so that no compiler fuses the two.
    product = torch.where(b.isnan(), b, a * b)
    (ah, al), (bh, bl) = split(a), split(b)
    return ((ah * bh - product) + (ah * bl + al * bh)) + al * bl


def product_error(a: Tensor, b: Tensor) -> Tensor:
    """Error of the rounded product, so a b = a * b + product_error(a, b) exactly (Dekker, 1971).

    One fused multiply-add in compiled code, which is why it is an op. Domain: as for `split`,
    and the error must not underflow.
    """
    result: Tensor = product_error_op()(a, b)
    return result


def square_terms(a: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Three terms, largest first, whose exact sum is a**2; each is exact.

    Domain: |a| < sqrt(finfo.max), and |a| > sqrt(tiny) / eps for the smaller terms.
    """
    hi, lo = split(a)
    return hi * hi, 2 * hi * lo, lo * lo


def compensated_sum(*groups: tuple[Tensor, ...]) -> Tensor:
    """Sum of all terms as if in twice the precision, then rounded (Ogita, Rump, Oishi, 2005).

    Each group has terms of one order of magnitude, largest group first, so that what cancels
    does so exactly. Errors are summed apart and never fed back: Inductor expands an expression
    used twice twice, and with feedback its work grows exponentially in the number of terms.
    """
    errors: list[Tensor] = []

    def add(a: Tensor, b: Tensor) -> Tensor:
        s, error = two_sum(a, b)
        errors.append(error)
        return s

    total = functools.reduce(add, [functools.reduce(add, group) for group in groups])
    return total + functools.reduce(torch.add, reversed(errors))


def circle_excess(x: Tensor, y: Tensor) -> Tensor:
    """Value of x**2 + y**2 - 1 for |x|, |y| < 2, accurate where it is far below eps.

    The leading half of the larger part m is a multiple of a fixed power of two, so its square
    less 1 is exact; that and the other exact terms are summed in twice the precision.
    Domain: m >= 1/2.
    """
    ax, ay = x.abs(), y.abs()
    m, n = ax.maximum(ay), ax.minimum(ay)
    unit = 2.0 ** (12 if x.dtype == torch.float32 else 26)
    below = m < 1
    hi = torch.round(m * torch.where(below, unit, unit / 2)) * torch.where(
        below, 1 / unit, 2 / unit
    )
    lo = m - hi
    nn, middle, least = square_terms(n)
    return compensated_sum((hi * hi - 1, nn), (2 * hi * lo, middle), (lo * lo, least))


def times_constant(a: Tensor, constant: float, tail: float) -> tuple[Tensor, Tensor]:
    """Product of a and `constant + tail` as hi + lo, to nearly twice the working precision.

    `constant` is a double and `tail` what the double leaves out. Domain: as for `split`, and
    the product must not overflow.
    """
    digits = 12 if a.dtype == torch.float32 else 26
    first = leading(constant, digits)
    rest = (constant - first) + tail
    second = leading(rest, digits)
    third = ((constant - first) - second) + tail
    high, low = split(a)
    # Each factor has half of the digits, so these three products are exact.
    middle, error = two_sum(high * second, low * first)
    hi, lo = quick_two_sum(high * first, middle)
    return hi, lo + (error + (high * third + low * rest))


def leading(value: float, digits: int) -> float:
    unit = 2.0 ** (math.frexp(value)[1] - digits)
    return math.floor(value / unit) * unit


def quarter_scale(size: Tensor) -> tuple[Tensor, Tensor]:
    """Powers of four that bring `size` away from overflow and underflow, with square roots.

    Returns `(scale, root)` with `scale = root**2`. For finite positive `size` the product
    `size * scale` lies in [tiny / eps, max / 8]; multiplication by either factor is exact
    unless its result is subnormal. Domain: size >= 0, finite or not.
    """
    fi = torch.finfo(size.dtype)
    low, high = size < fi.tiny / fi.eps, size > fi.max / 8
    one = torch.ones_like(size)  # keeps the dtype: where() of two floats would be float32
    root = torch.where(low, 1 / fi.eps, torch.where(high, 0.25, one))
    return root * root, root


def square_scale(size: Tensor) -> Tensor:
    """Power of two that makes the square of `size * scale` neither overflow nor underflow.

    It is 1 for sizes within 2**50 of 1 in float32 and 2**400 in float64. A part n of a larger
    size m that scaling down makes subnormal is one whose n / m**2 underflows.
    Domain: size >= 0, finite or not.
    """
    top = round(math.log2(torch.finfo(size.dtype).max))
    bound = 2.0 ** (25 * top // 64)
    one = torch.ones_like(size)
    high = torch.where(size > bound, 2.0 ** (-19 * top // 32), one)
    return torch.where(size < 1 / bound, 2.0 ** (3 * top // 4), high)


# Per dtype: the largest argument whose exponential is finite, rounded down, and a half shift.
_EXP_RANGE = {torch.float32: (88.0, 60.0), torch.float64: (709.0, 512.0)}


def scaled_exp(t: Tensor) -> tuple[Tensor, Tensor]:
    """Factors e and f with exp(t) = e f f, both finite for t > -inf, so (a f) e f is safe.

    Where exp(t) is representable f is 1. Above, f is the exponential of half a shift, and the
    shift is subtracted exactly (Sterbenz); e stops growing where even the smallest positive
    a gives infinity, so a = 0 gives 0 and never 0 * inf.
    """
    top, half = _EXP_RANGE[t.dtype]
    big = t > top
    e = torch.exp(torch.where(big, (t - 2 * half).clamp(max=top), t))
    return e, torch.where(big, math.exp(half), torch.ones_like(t))
