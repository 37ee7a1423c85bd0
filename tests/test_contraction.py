"""Rules keep their bounds when every product is fused into the sum it enters, as Triton does."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from torch import Tensor

from torch_complex_subclass.decompositions.registry import Pair
from torch_complex_subclass.testing import plane, ulp, unary
from torch_complex_subclass.testing.contraction import contracted, fused_multiply_add
from torch_complex_subclass.testing.exact import reference
from torch_complex_subclass.testing.operations import operations

RULES = unary.rules_by_name()
SINGLE = torch.float32

CASES = [(name, region) for name in RULES for region in plane.REGIONS]


@pytest.mark.parametrize("prefer", [0, 1])
@pytest.mark.parametrize(("name", "region"), CASES)
def test_within_stated_ulp(name: str, region: str, prefer: int) -> None:
    rule = RULES[name]
    assert rule.fn is not None
    assert rule.max_ulp is not None
    at = plane.samples(region, SINGLE)
    got, fused = contracted(rule.fn, *at, prefer=prefer)
    assert fused or name not in ("log", "log1p", "asin")
    want = reference(name, region, SINGLE)
    unit = ulp.normwise_unit(want, SINGLE) if rule.normwise else None
    for part, a, b in zip(("re", "im"), got, want, strict=False):
        label = f"contracted {name} on {region}"
        ulp.assert_ulp(a, b, rule.max_ulp, at=at, part=part, label=label, unit=unit)


@pytest.mark.parametrize("prefer", [0, 1])
@pytest.mark.parametrize(
    "name", ["mul", "div", "addcmul", "addcdiv", "lerp", "logaddexp", "pow(3)", "pow(-5)", "pow"]
)
def test_operations_of_several_operands(name: str, prefer: int) -> None:
    operation = operations()[name]
    regions = ("moderate", "unit_circle", "near_axes")[: operation.count]
    operands = [Pair(*plane.samples(region, SINGLE)) for region in regions]

    def flat(*parts: Tensor) -> list[Tensor]:
        return operation(*(Pair(*parts[2 * k : 2 * k + 2]) for k in range(operation.count)))

    got, fused = contracted(flat, *(part for z in operands for part in z), prefer=prefer)
    assert fused > 0
    exact, bound = operation.exact(operands), operation.bound(operands)
    in_range = exact.size <= torch.finfo(SINGLE).max
    assert in_range.double().mean() > 0.5
    for error in operation.errors(got, exact):
        assert (error[in_range] <= bound[in_range]).all(), error[in_range].max()


def test_fused_operation_rounds_once() -> None:
    g = torch.Generator().manual_seed(3)
    a, b = (torch.randn(2000, generator=g) for _ in range(2))
    # Sums that cancel, sums half way between two numbers, and sums of any size.
    c = torch.cat([-(a * b)[:500], (a * b)[500:1000] * 2**24, torch.randn(1000, generator=g)])
    got = fused_multiply_add(a, b, c)
    for x, y, z, value in zip(*(t.tolist() for t in (a, b, c, got)), strict=True):
        exact = Fraction(x) * Fraction(y) + Fraction(z)
        down, up = (
            torch.nextafter(torch.tensor(value), torch.tensor(end)).item()
            for end in (-torch.inf, torch.inf)
        )
        error = abs(Fraction(value) - exact)
        assert error <= min(abs(Fraction(down) - exact), abs(Fraction(up) - exact))


def test_a_formula_that_contraction_breaks_is_found() -> None:
    """The error of a rounded product, by a difference that is 0 unless it is fused."""

    def excess(a: Tensor) -> Tensor:
        square = a * a
        return a * a - square

    a = torch.tensor([1.0 + 2**-12])
    assert excess(a).item() == 0
    (got,), fused = contracted(excess, a)
    assert fused == 1
    assert got.item() == 2**-24
