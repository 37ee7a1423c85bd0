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
SINGLE, DOUBLE = torch.float32, torch.float64

CASES = [(name, region) for name in RULES for region in plane.REGIONS]


def check(name: str, region: str, dtype: torch.dtype, prefer: int) -> None:
    rule = RULES[name]
    assert rule.fn is not None
    assert rule.max_ulp is not None
    at = plane.samples(region, dtype)
    got, fused = contracted(rule.fn, *at, prefer=prefer)
    assert fused or name not in ("log", "log1p", "asin", "expm1")
    want = reference(name, region, dtype)
    unit = ulp.normwise_unit(want, dtype) if rule.normwise else None
    for part, a, b in zip(("re", "im"), got, want, strict=False):
        label = f"contracted {name} on {region} in {dtype}"
        ulp.assert_ulp(a, b, rule.max_ulp, at=at, part=part, label=label, unit=unit)


@pytest.mark.parametrize("prefer", [0, 1])
@pytest.mark.parametrize(("name", "region"), CASES)
def test_within_stated_ulp(name: str, region: str, prefer: int) -> None:
    check(name, region, SINGLE, prefer)


@pytest.mark.parametrize("name", RULES)
def test_double_precision_within_stated_ulp(name: str) -> None:
    for region in ("unit", "unit_circle", "shifted_circle", "poles"):
        check(name, region, DOUBLE, 0)


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


@pytest.mark.parametrize("dtype", [SINGLE, DOUBLE], ids=str)
def test_fused_operation_rounds_once(dtype: torch.dtype) -> None:
    g = torch.Generator().manual_seed(3)
    a, b, other = (torch.randn(2000, generator=g, dtype=dtype) for _ in range(3))
    # Sums that cancel, sums half way between two numbers, and sums of any size.
    digits = 2 / torch.finfo(dtype).eps
    c = torch.cat([-(a * b)[:500], (a * b)[500:1000] * digits, other[1000:]])
    got = fused_multiply_add(a, b, c)
    for x, y, z, value in zip(*(t.tolist() for t in (a, b, c, got)), strict=True):
        exact = Fraction(x) * Fraction(y) + Fraction(z)
        down, up = (
            torch.tensor(value, dtype=dtype).nextafter(torch.tensor(end, dtype=dtype)).item()
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
