"""Error-free pieces and scaled primitives that the rules share, with the ranges they hold on.

The error-free pieces rely on round-to-nearest and on no reassociation. Eager has no kernel across
operations. Inductor's C++ is built with `-fno-unsafe-math-optimizations`, and where a user asks
for the unsafe ones `inductor_lowering/cpp_flags.py` keeps the order of sums. Triton contracts
`a * b + c` into one fused operation, and GCC does when it is told to: in the error-free pieces a
product that enters a sum is exact, so a contracted sum is the same number, or is kept apart by a
select; elsewhere a contracted sum is at least as accurate. Where subnormal numbers are flushed to
zero, a lower half or an error below `tiny` is lost. Inductor's C++ is also built with
`-fno-signed-zeros`: the sign of a zero is set by `copysign` or by a select, never by a sum.
Inductor's vector code for `expm1` is `exp(x) - 1`; no rule calls it.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass.decompositions.rule_ops import RuleOp


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

    Above about `finfo.max / 2**(digits / 2 + 1)` lo is 0 and hi has all digits.
    a (2**k + 1), where 2**k is `factor`, is formed as a sum with a product that is exact, not as a
    product: a compiler that fuses a product with the sum it enters changes nothing here.
    """
    fi = torch.finfo(a.dtype)
    factor = 2.0 ** math.ceil(-math.log2(fi.eps / 2) / 2)
    c = torch.where(a.abs() < fi.max / (2 * factor + 2), a * factor, 0.0) + a
    hi = c - (c - a)
    return hi, a - hi


def product_error_by_halves(a: Tensor, b: Tensor) -> Tensor:
    """What `product_error` returns, in sums and products (Dekker, 1971)."""
    product = _kept_product(a, b)
    (ah, al), (bh, bl) = split(a), split(b)
    return ((ah * bh - product) + (ah * bl + al * bh)) + al * bl


_product_error = RuleOp("product_error(Tensor a, Tensor b) -> Tensor", product_error_by_halves)


def product_error_op() -> Any:
    """The op behind `product_error`."""
    return _product_error.overload


def product_error(a: Tensor, b: Tensor) -> Tensor:
    """Error of the rounded product, so a b = a * b + product_error(a, b) exactly.

    One fused multiply-add in compiled code, which is why it is an op. Domain: as for `split`,
    and the error must not underflow.
    """
    return _product_error(a, b)


def two_product(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Rounded product p and its error e, so a b = p + e exactly; domain as for `product_error`."""
    return _kept_product(a, b), product_error(a, b)


def _kept_product(a: Tensor, b: Tensor) -> Tensor:
    # The select stands between the product and what is added, so that no compiler fuses the two.
    return torch.where(b == b, a * b, b)


def compensated_sum(*groups: tuple[Tensor, ...]) -> Tensor:
    """Sum of all terms as if in twice the precision, then rounded (Ogita, Rump, Oishi, 2005).

    Each group has terms of one order of magnitude, largest group first, so that what cancels
    does so exactly. The errors are summed apart.
    """
    errors: list[Tensor] = []

    def add(a: Tensor, b: Tensor) -> Tensor:
        s, error = two_sum(a, b)
        errors.append(error)
        return s

    total = functools.reduce(add, [functools.reduce(add, group) for group in groups])
    return total + functools.reduce(torch.add, reversed(errors))


def circle_excess(x: Tensor, y: Tensor) -> Tensor:
    """Value of x**2 + y**2 - 1, accurate where it is far below eps.

    With m the larger part, m**2 - 1 is exact for m**2 >= 1/2 and has -1 for the larger term below.
    Of what follows only sums that do not cancel are rounded without keeping the error.
    Domain: |x|, |y| < 4. A square below tiny / eps enters rounded, which is below the error.
    """
    (mm, upper), (nn, lower) = _squares(x, y)
    s, below = quick_two_sum(torch.full_like(mm, -1.0), mm)
    s, rest = two_sum(s, nn)
    errors, least = two_sum(upper, lower)
    return (s + errors) + (least + (below + rest))


def sum_of_squares(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    """Value of x**2 + y**2 + z, as if in twice the precision where z cancels the larger square.

    Domain: as for `product_error`.
    """
    (mm, upper), (nn, lower) = _squares(x, y)
    return compensated_sum((z, mm, nn), (upper, lower))


def _squares(x: Tensor, y: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Squares, the larger first, each with its error."""
    ax, ay = x.abs(), y.abs()
    m, n = ax.maximum(ay), ax.minimum(ay)
    return two_product(m, m), two_product(n, n)


def leading(value: float, digits: int) -> float:
    """Value rounded down to so many binary digits; `value` is positive."""
    unit = 2.0 ** (math.frexp(value)[1] - digits)
    return math.floor(value / unit) * unit


# Per dtype: the largest argument whose exponential is finite, rounded down, and a half shift.
EXP_RANGE = {torch.float32: (88.0, 60.0), torch.float64: (709.0, 512.0)}


def scaled_exp(t: Tensor) -> tuple[Tensor, Tensor]:
    """Factors e and f with exp(t) = e f f, both finite for t > -inf, so (a f) e f is safe.

    Up to t = 88 in float32 and 709 in float64, just below overflow, f is 1. Above, f is the
    exponential of half a shift, and the shift is subtracted exactly (Sterbenz); e stops growing
    where even the smallest positive a gives infinity, so a = 0 gives 0 and never 0 * inf.
    """
    top, half = EXP_RANGE[t.dtype]
    big = t > top
    e = torch.exp(torch.where(big, (t - 2 * half).clamp(max=top), t))
    return e, torch.where(big, math.exp(half), torch.ones_like(t))
