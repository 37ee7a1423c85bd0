"""Products, quotients and what is made of them, against exact values by region of the plane."""

from __future__ import annotations

import functools

import pytest
import torch
from torch import Tensor

from torch_complex_subclass.decompositions.registry import Pair
from torch_complex_subclass.testing import plane
from torch_complex_subclass.testing.operations import Exact, Operation, operations

DTYPES = [torch.float32, torch.float64]
NAMES = ["mul", "div", "addcmul", "addcdiv", "lerp", "logaddexp"]
COMPILED = ["mul", "div", "addcdiv", "lerp", "logaddexp"]
REGIONS = list(plane.REGIONS)
FULL = 20_000


@functools.cache
def operands(name: str, dtype: torch.dtype, n: int) -> tuple[Pair, ...]:
    """Operands whose regions are all pairs of the sampler's, equally many points of each."""
    count = operations()[name].count
    parts: list[list[Tensor]] = [[] for _ in range(2 * count)]
    each = -(-n // len(REGIONS) ** 2)
    for i in range(len(REGIONS) ** 2):
        for k in range(count):
            region = REGIONS[(i // len(REGIONS) ** k) % len(REGIONS)]
            pool = plane.samples(region, dtype, 64 if n < FULL else 1024)
            # Other points at every use of a region, the same in every run.
            g = torch.Generator().manual_seed(i * 3 + k)
            index = torch.randint(0, len(pool[0]), (each,), generator=g)
            parts[2 * k].append(pool[0][index])
            parts[2 * k + 1].append(pool[1][index])
    flat = [torch.cat(part) for part in parts]
    return regular(name, tuple(Pair(*flat[2 * k : 2 * k + 2]) for k in range(count)))


def regular(name: str, points: tuple[Pair, ...]) -> tuple[Pair, ...]:
    """Points where the operation has a value: no quotient by 0."""
    last = points[-1]
    keep = (last.re != 0) | (last.im != 0) if name in ("div", "addcdiv") else last.re == last.re
    return tuple(Pair(z.re[keep], z.im[keep]) for z in points)


@functools.cache
def exact(name: str, dtype: torch.dtype, n: int) -> Exact:
    return operations()[name].exact(operands(name, dtype, n))


def check(operation: Operation, got: list[Tensor], dtype: torch.dtype, n: int) -> None:
    points, want = operands(operation.name, dtype, n), exact(operation.name, dtype, n)
    judged = within_range(operation, want, dtype)
    bound = operation.bound(points)
    for part, error in zip(("re", "im"), operation.errors(got, want), strict=True):
        excess = torch.where(judged, error / bound, 0.0)
        at = int(excess.argmax())
        assert excess[at] <= 1, (
            f"{operation.name} in {dtype}: {part} is {error[at]:.3g} ulp off, bound {bound[at]}, "
            f"at {[(z.re[at].item(), z.im[at].item()) for z in points]}"
        )


def within_range(operation: Operation, want: Exact, dtype: torch.dtype) -> Tensor:
    """Points where a normwise bound speaks: the larger part is in range.

    The plain formulas are judged where no term that they form can overflow either.
    """
    top = torch.finfo(dtype).max
    return want.size <= (top / 4 if operation.plain else top)


def test_most_points_are_judged() -> None:
    for name in NAMES:
        for dtype in DTYPES:
            judged = within_range(operations()[name], exact(name, dtype, 169), dtype)
            assert judged.double().mean() > 0.6, name


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [1000, pytest.param(FULL, marks=pytest.mark.slow)])
def test_within_stated_ulp(name: str, dtype: torch.dtype, n: int) -> None:
    operation = operations()[name]
    check(operation, operation(*operands(name, dtype, n)), dtype, n)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", COMPILED)
def test_compiled_within_stated_ulp(name: str, dtype: torch.dtype) -> None:
    operation = operations()[name]
    check(operation, operation.compiled(*operands(name, dtype, 1000)), dtype, 1000)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_quotient_is_no_worse_than_eagers(dtype: torch.dtype) -> None:
    """Points that eager gets right to the bound are right here; and here there are no others."""
    operation = operations()["div"]
    points, want = operands("div", dtype, 1000), exact("div", dtype, 1000)
    theirs = torch.div(*(torch.complex(*z) for z in points))
    judged = within_range(operation, want, dtype)
    ours_off, eager_off = (
        int((torch.maximum(*operation.errors(got, want))[judged] > 6).sum())
        for got in (operation(*points), [theirs.real, theirs.imag])
    )
    assert ours_off == 0
    assert eager_off > 0
