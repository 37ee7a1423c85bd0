"""Compiled single precision against the rule in double precision, at millions of points.

The sampler's points are compared with mpmath, and are some tens of thousands. Where the worst error
of a function is rare, they miss it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from torch_complex_subclass.decompositions import Rule
from torch_complex_subclass.testing import unary

LENGTH, ROUNDS = 2**19, 8
RULES = unary.rules_by_name()
NAMES = [name for name, rule in RULES.items() if rule.max_ulp and rule.fn]
EPS, LARGEST = torch.finfo(torch.float32).eps, torch.finfo(torch.float32).max
SMALLEST = -125


def draws() -> Iterator[tuple[Tensor, Tensor]]:
    """Parts of sizes from 2^-20 to 30, of one or of several orders of magnitude."""
    g = torch.Generator().manual_seed(5)
    for k in range(ROUNDS):
        x, y = torch.randn(2, LENGTH, generator=g)
        if k % 4 == 3:
            x = x * torch.exp2(-20 * torch.rand(LENGTH, generator=g))
        yield x * (3 if k % 2 else 0.2), y * (1 if k % 3 else 10)


def in_units(rule: Rule, got: list[Tensor], want: list[Tensor]) -> Iterator[Tensor]:
    """Errors in ulp of the parts that the bound holds for."""
    size = torch.stack([part.abs() for part in want]).amax(0)
    for a, b in zip(got, want, strict=True):
        measure = size if rule.normwise else b
        unit = torch.exp2((torch.frexp(measure)[1].clamp(min=SMALLEST) - 24).double())
        judged = (b.abs() >= 8 * EPS * size) & (b.abs() < LARGEST)
        yield ((a.double() - b) / unit)[judged]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_compiled_within_stated_ulp(name: str) -> None:
    rule = RULES[name]
    assert rule.fn is not None
    assert rule.max_ulp is not None
    run = torch.compile(lambda z: rule.op(z), fullgraph=True, backend="inductor_complex")
    for x, y in draws():
        got = unary.parts_of(run(torch.complex(x, y)))
        want = unary.parts_of(rule.fn(x.double(), y.double()))
        for error in in_units(rule, got, want):
            assert error.numel() > LENGTH / 4
            assert error.abs().max() <= rule.max_ulp
