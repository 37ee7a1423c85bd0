"""Compares values at special points with the tables, part by part, and names what differs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from torch_complex_subclass.testing import unary
from torch_complex_subclass.testing.annex_g import ANNEX_G
from torch_complex_subclass.testing.own_values import OWN
from torch_complex_subclass.testing.special_rows import Case, Part

TABLES: dict[str, tuple[Case, ...]] = ANNEX_G | OWN


def _far(a: float) -> bool:
    """True where a rule takes e^-|a| for 0."""
    return math.isfinite(a) and abs(a) > 50


def _minus_zero(part: Part) -> bool:
    return part.signed and part.value == 0 and math.copysign(1, part.value) < 0


class Shortfall(NamedTuple):
    """The points, of those a test looks at, where a rule misses what is listed for it."""

    at: str
    where: Callable[[Case], bool]
    reason: str


# Zeros on the real axis that get the other sign.
_SILU_ZEROS = {"-0.0 -0.0", "-0.25 -0.0", "-0.5 -0.0", "-1.0 -0.0"} | {
    f"{x} 0.0" for x in (-1.5, -2.0, -3.0)
}

FALLS_SHORT: dict[str, Shortfall] = {
    "tanh": Shortfall(
        "\\|Re z\\| large, Im z infinite or nan",
        lambda case: _far(case.x) and not math.isfinite(case.y),
        "real part 1 or -1, where C23 has NaN",
    ),
    "tan": Shortfall(
        "\\|Im z\\| large, Re z infinite or nan",
        lambda case: _far(case.y) and not math.isfinite(case.x),
        "imaginary part 1 or -1, where C23 has NaN",
    ),
    "sigmoid": Shortfall(
        "Re z = -inf with cos(Im z) < 0; nan on the real axis",
        lambda case: (
            (case.x == -math.inf and _minus_zero(case.re)) or (math.isnan(case.x) and case.y == 0)
        ),
        "real part +0 for -0; imaginary part nan for a zero",
    ),
    "silu": Shortfall(
        "Re z infinite; nan on the real axis; zeros on the real axis",
        lambda case: (
            (math.isinf(case.x) and not math.isnan(case.re.value))
            or (math.isnan(case.x) and case.y == 0)
            or f"{case.x} {case.y}" in _SILU_ZEROS
        ),
        "nan for the limit; imaginary part nan for a zero; the other sign of zero",
    ),
    "sinc": Shortfall(
        "Re z infinite; Im z infinite over integers and half integers; zeros on the axes",
        lambda case: (
            (math.isinf(case.x) and not math.isnan(case.re.value))
            or (math.isinf(case.y) and case.x % 0.5 == 0 and case.x != 0 and case.re.signed)
            or _minus_zero(case.im)
        ),
        "nan for 0; a zero for an infinity; imaginary part +0 for -0",
    ),
}


def columns(cases: Iterable[Case], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Real and imaginary parts of the points."""
    points = [(case.x, case.y) for case in cases]
    x, y = (torch.tensor([point[i] for point in points], dtype=dtype) for i in (0, 1))
    return x, y


def both_parts(result: object) -> tuple[Tensor, Tensor]:
    """Parts of a result; that of a real one is the first, beside zeros."""
    first, *rest = unary.parts_of(result)
    return first, rest[0] if rest else torch.zeros_like(first)


def fits(got: float, want: Part, max_ulp: float, eps: float) -> bool:
    """True for the value with its sign, zeros included; a finite one within the rule's bound."""
    value = want.value
    if math.isnan(value):
        return math.isnan(got)
    if not want.signed:
        got, value = abs(got), abs(value)
    if value == 0 or math.isinf(value):
        return got == value and math.copysign(1, got) == math.copysign(1, value)
    return abs(got - value) <= max_ulp * math.ldexp(eps, math.frexp(value)[1] - 1)


def misses(name: str, cases: Iterable[Case], parts: tuple[Tensor, Tensor]) -> dict[str, str]:
    """What computed parts miss of the values in `cases`: a line for each point."""
    bound = unary.rules_by_name()[name].max_ulp
    assert bound is not None
    eps = torch.finfo(parts[0].dtype).eps
    found = {}
    for case, re, im in zip(cases, parts[0].tolist(), parts[1].tolist(), strict=True):
        if not (fits(re, case.re, bound, eps) and fits(im, case.im, bound, eps)):
            want = " ".join(("" if p.signed else "+-") + str(p.value) for p in (case.re, case.im))
            point = f"{case.x} {case.y}"
            found[point] = f"{name}({point}) is {re} {im}, not {want}"
    return found


def check(name: str, cases: Sequence[Case], parts: tuple[Tensor, Tensor]) -> None:
    """Raise AssertionError where parts miss their values; and where a named shortfall does not."""
    found = misses(name, cases, parts)
    short = FALLS_SHORT.get(name)
    expected = {f"{case.x} {case.y}" for case in cases if short and short.where(case)}
    unexpected = [line for point, line in found.items() if point not in expected]
    assert not unexpected, "\n".join(unexpected)
    stale = sorted(expected - found.keys())
    assert not stale, f"{name} no longer falls short at {', '.join(stale)}"


def rule(name: str) -> Callable[[Tensor, Tensor], object]:
    """The rule of that name."""
    fn = unary.rules_by_name()[name].fn
    assert fn is not None
    return fn
