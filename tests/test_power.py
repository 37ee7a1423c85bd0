"""Powers against exact values by region of the plane, and every form of operand."""

from __future__ import annotations

import functools

import pytest
import torch
from torch import Tensor

from torch_complex_subclass.decompositions import power
from torch_complex_subclass.decompositions.registry import Pair
from torch_complex_subclass.testing import plane
from torch_complex_subclass.testing.operations import POWERS, Exact, Operation, operations

DTYPES = [torch.float32, torch.float64]
REGIONS = list(plane.REGIONS)
COMPILED = ["pow(3)", "pow(-2)", "pow(2.5)", "pow((1.5-0.5j))", "pow"]
SMALL, FULL = 16, 1600  # points of a region: 20,800 in all


@functools.cache
def bases(dtype: torch.dtype, n: int) -> Pair:
    """Points of every region but 0."""
    pools = [plane.samples(region, dtype, n) for region in REGIONS]
    x, y = (torch.cat([pool[part] for pool in pools]) for part in (0, 1))
    keep = (x != 0) | (y != 0)
    return Pair(x[keep], y[keep])


@functools.cache
def exponents(dtype: torch.dtype, n: int) -> Pair:
    """Exponents of sizes from 2^-6 to 2^6, some of them with one part 0."""
    g = torch.Generator().manual_seed(n)
    count = len(bases(dtype, n).re)
    u, v = (
        torch.randn(count, generator=g, dtype=torch.float64)
        * torch.exp2(12 * torch.rand(count, generator=g, dtype=torch.float64) - 6)
        for _ in range(2)
    )
    kind = torch.arange(count) % 8
    return Pair(torch.where(kind == 0, 0.0, u).to(dtype), torch.where(kind == 1, 0.0, v).to(dtype))


def operands(operation: Operation, dtype: torch.dtype, n: int) -> tuple[Pair, ...]:
    return (bases(dtype, n), exponents(dtype, n))[: operation.count]


@functools.cache
def exact(name: str, dtype: torch.dtype, n: int) -> Exact:
    operation = operations()[name]
    return operation.exact(operands(operation, dtype, n))


def check(operation: Operation, got: list[Tensor], dtype: torch.dtype, n: int) -> None:
    """Every point whose exact power has its larger part in range is within the bound."""
    points, want = operands(operation, dtype, n), exact(operation.name, dtype, n)
    in_range = want.size <= torch.finfo(dtype).max
    assert in_range.double().mean() > 0.3
    bound = operation.bound(points)
    for part, error in zip(("re", "im"), operation.errors(got, want), strict=True):
        excess = torch.where(in_range, error / bound, 0.0)
        at = int(excess.argmax())
        assert excess[at] <= 1, (
            f"{operation.name} in {dtype}: {part} is {error[at]:.3g} ulp off, bound {bound[at]}, "
            f"at {[(z.re[at].item(), z.im[at].item()) for z in points]}"
        )


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", [*POWERS, "pow", "pow(real)"])
@pytest.mark.parametrize("n", [SMALL, pytest.param(FULL, marks=pytest.mark.slow)])
def test_within_stated_ulp(name: str, dtype: torch.dtype, n: int) -> None:
    operation = operations()[name]
    check(operation, operation(*operands(operation, dtype, n)), dtype, n)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", COMPILED)
def test_compiled_within_stated_ulp(name: str, dtype: torch.dtype) -> None:
    operation = operations()[name]
    check(operation, operation.compiled(*operands(operation, dtype, SMALL)), dtype, SMALL)


def test_bound_of_products_does_not_depend_on_the_base() -> None:
    z = Pair(torch.tensor([1e30, 2.0]), torch.tensor([1.0, 1e-30]))
    assert power.max_ulp(z, 3).tolist() == [13, 13]
    assert power.max_ulp(z, -5.0).tolist() == [19, 19]
    free = power.max_ulp(z, 2.5).tolist()
    assert free[0] > 500 > 20 > free[1]


def test_power_takes_every_operand() -> None:
    x, y = plane.samples("unit", torch.float64)
    z, w = torch.complex(x, y), torch.complex(y, x) / 4
    for ours, theirs in [
        (power.pow(Pair(x, y), Pair(y / 4, x / 4)), z**w),
        (power.pow(x.abs(), Pair(y / 4, x / 4)), x.abs() ** w),
        (power.pow(Pair(x, y), y), z**y),
        (power.pow(Pair(2.0, 1.0), Pair(x, y)), torch.pow(2 + 1j, z)),
        (power.pow(2.0, Pair(x, y)), torch.pow(2.0, z)),
        (power.pow(Pair(x, y), Pair(2.0, 0.0)), z**2),
        (power.pow(Pair(x, y), 0), z**0),
    ]:
        torch.testing.assert_close(torch.complex(*ours), theirs, rtol=1e-12, atol=1e-300)


def test_angle_out_of_range_loses_no_modulus() -> None:
    """An exponent whose product with log z overflows turns by any angle; it gives no NaN."""
    z = Pair(torch.tensor([0.5, 2.0]), torch.tensor([1e-38, 0.0]))
    w = Pair(torch.tensor([0.0, 0.0]), torch.tensor([3e38, -3e38]))
    got = torch.hypot(*power.pow(z, w))
    torch.testing.assert_close(got, torch.exp(-z.im * w.im / z.re))
