"""Signs of zero on the axes, as limits: a zero of the argument says from which side.

The exact value at a point beside the axis tells the sign of a part that is 0 on it, and which side
of a cut the point on the axis belongs to.
"""

from __future__ import annotations

import functools
import math

import mpmath
from mpmath import mp

from torch_complex_subclass.testing.references import REFERENCES
from torch_complex_subclass.testing.special_rows import Case, Part

# Poles and branch points are among them; the tables have those at 0, 1 and -1.
_SIZES = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
POINTS = tuple(
    point
    for a in (*_SIZES, *(-size for size in _SIZES))
    for zero in (0.0, -0.0)
    for point in ((a, zero), (zero, a))
)

_BESIDE, _ZERO = 600, 250
"""Binary exponents: how far beside the axis, and below what a part is 0 on the axis."""


def _part(value: mpmath.mpf) -> Part:
    if abs(value) < mp.mpf(2) ** -_ZERO:
        return Part(math.copysign(0.0, mp.sign(value)))
    return Part(math.inf * mp.sign(value) if abs(value) > 2**_ZERO else float(value))


def _case(name: str, x: float, y: float) -> Case:
    with mpmath.workprec(4000):
        beside = mp.mpf(2) ** -_BESIDE
        at = [mp.mpf(a) if a else math.copysign(1, a) * beside for a in (x, y)]
        re, im = map(_part, REFERENCES[name](at[0], abs(at[1])))
    return Case(x, y, re, im if y > 0 or math.copysign(1, y) > 0 else -im)


def _as_returned(name: str, case: Case) -> Case:
    """The case in the parts that the rule returns, and with the signs that are free."""
    if name == "abs":
        return case._replace(im=Part(0.0))
    if name == "angle":
        return case._replace(re=case.im, im=Part(0.0))
    if name == "sinc" and case.re.value == 0:  # at integers, where the limit comes with y^2
        return case._replace(re=Part(0.0, signed=False))
    return case


@functools.cache
def limits(name: str) -> tuple[Case, ...]:
    """Cases on the axes; singular points, which the tables have, are left out."""
    found = [_case(name, x, y) for x, y in POINTS]
    regular = [case for case in found if max(abs(part.value) for part in case[2:]) < 100]
    return tuple(_as_returned(name, case) for case in regular)
