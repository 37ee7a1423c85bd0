"""Random bit patterns: no NaN, infinity or zero where the exact value is a number."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from torch_complex_subclass.decompositions.registry import Pair
from torch_complex_subclass.testing.bit_patterns import Findings, random_numbers, search
from torch_complex_subclass.testing.operations import Operation, operations

PATTERNS = 20_000


def run(operation: Operation, patterns: int = PATTERNS) -> Findings:
    *_, found = search(operation, patterns, seed=1, samples=40)
    return found


@pytest.mark.parametrize("name", list(operations()))
def test_no_number_is_lost(name: str) -> None:
    found = run(operations()[name])
    assert found.patterns == PATTERNS
    assert found.defects <= found.excused, found.worst


def test_patterns_cover_every_exponent() -> None:
    values = random_numbers(2**16, torch.Generator().manual_seed(0))
    assert values.isfinite().all()
    bits = values.view(torch.int32)
    assert sorted((bits >> 23 & 255).unique().tolist()) == list(range(255))
    assert 0.49 < (bits < 0).double().mean() < 0.51
    assert (bits & 2**23 - 1).unique().numel() > 60_000


def altered(change: Callable[[Tensor], Tensor]) -> Operation:
    """Quotient whose real part is changed where the divisor is large."""
    true = operations()["div"]

    def rule(z: Pair, w: Pair) -> Pair:
        re, im = true.rule(z, w)
        return Pair(torch.where(w.re.abs() > 1e30, change(re), re), im)

    return dataclasses.replace(true, rule=rule)


@pytest.mark.parametrize("value", [0.0, torch.inf, torch.nan])
def test_a_lost_number_is_found(value: float) -> None:
    single = torch.float32
    found = run(altered(lambda re: torch.full_like(re, value) if re.dtype == single else re))
    assert found.defects > 100
    assert found.decided >= found.defects
    assert "exact" in found.worst


def test_a_double_precision_form_that_is_as_wrong_hides_nothing() -> None:
    """The sample that mpmath decides anyway has the defects too."""
    found = run(altered(torch.zeros_like))
    assert found.missed > 0
