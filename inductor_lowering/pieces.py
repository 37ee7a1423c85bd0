"""Addresses that are contiguous but for a break, as those of rolled or flattened tensors.

The address `2 * ((x + 32) % 64)` grows by two from each x to the next, but for one x in 64. The
numbers from x on fill a vector unless the break lies among them, so they are loaded as one where
the addresses of the first and the last say so, and one by one where not.
"""

from __future__ import annotations

import sympy
from torch.utils._sympy.functions import FloorDiv, ModularIndexing


def merged(index: sympy.Expr) -> sympy.Expr:
    """Take remainders of remainders by one modulus together: twice rolled is rolled once."""

    def merge(base: sympy.Expr, divisor: sympy.Expr, modulus: sympy.Expr) -> sympy.Expr:
        terms = (_without_modulus(term, divisor, modulus) for term in sympy.Add.make_args(base))
        return ModularIndexing(sum(terms), divisor, modulus)

    return index.replace(ModularIndexing, merge)


def _without_modulus(term: sympy.Expr, divisor: sympy.Expr, modulus: sympy.Expr) -> sympy.Expr:
    if isinstance(term, ModularIndexing) and term.args[1:] == (1, modulus) and divisor == 1:
        return term.args[0]
    return term


def slope(index: sympy.Expr, var: sympy.Symbol, lanes: int) -> int | None:
    """Growth of the index from one value of var to the next, but for breaks.

    None unless at most one break lies in any `lanes` successive values: then the first and last of
    them are as far apart as without a break only where there is none.
    """
    growth, inner, periods = 0, set(), set()
    for term in sympy.Add.make_args(sympy.expand(index)):
        if var not in term.free_symbols:
            continue
        coefficient, rest = term.as_coeff_Mul()
        if not isinstance(coefficient, sympy.Integer):
            return None
        if rest == var:
            growth += int(coefficient)
            continue
        found = _breaks(rest, var)
        if found is None:
            return None
        inner.add(found[0])
        periods.add(found[1])
        growth += int(coefficient) * found[2]
    shortest = min(periods, default=0)
    one_lattice = len(inner) == 1 and all(period % shortest == 0 for period in periods)
    return growth if one_lattice and shortest >= lanes else None


def _breaks(term: sympy.Expr, var: sympy.Symbol) -> tuple[sympy.Expr, int, int] | None:
    """What a quotient or remainder is of, the distance of its breaks, and its growth between."""
    if isinstance(term, FloorDiv):
        base, period = term.args
        growth = 0
    elif isinstance(term, ModularIndexing):
        base, divisor, modulus = term.args
        growth = int(divisor == 1)
        period = modulus if growth else divisor
    else:
        return None
    if not isinstance(period, sympy.Integer) or var in (base - var).free_symbols:
        return None
    return base, int(period), growth
