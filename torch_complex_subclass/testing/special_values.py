"""Compares values at special points with the tables, part by part, and names what differs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from torch_complex_subclass.testing import unary
from torch_complex_subclass.testing.annex_g import ANNEX_G
from torch_complex_subclass.testing.own_values import OWN
from torch_complex_subclass.testing.special_rows import Case, Part

TABLES: dict[str, tuple[Case, ...]] = ANNEX_G | OWN


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
    """Raise AssertionError where parts miss their values."""
    found = misses(name, cases, parts)
    assert not found, "\n".join(found.values())


def rule(name: str) -> Callable[[Tensor, Tensor], object]:
    """The rule of that name."""
    fn = unary.rules_by_name()[name].fn
    assert fn is not None
    return fn
