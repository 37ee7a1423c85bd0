"""Products, norms, means and spreads against exact values."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import pytest
import torch
from mpmath import mp
from torch import Tensor

from torch_complex_subclass import ComplexTensor
from torch_complex_subclass.testing import plane

INF = math.inf
COMPLEX = [torch.complex64, torch.complex128]
each_dtype = pytest.mark.parametrize("dtype", COMPLEX, ids=str)
COUNT, LENGTH = 40, 8


def values(dtype: torch.dtype) -> Tensor:
    real = torch.float32 if dtype == torch.complex64 else torch.float64
    x, y = plane.samples("unit", real, COUNT * LENGTH)
    return torch.complex(x, y).reshape(COUNT, LENGTH)


def exact_rows(z: Tensor, fn: Callable[[list[Any]], Any]) -> list[Any]:
    with mpmath.workprec(200):
        return [fn([mp.mpc(v) for v in row]) for row in z.tolist()]


def assert_near(got: Tensor, want: list[Any], max_ulp: float) -> None:
    """Assert that results are within some ulp of the larger part of the exact ones."""
    eps = torch.finfo(got.dtype).eps
    for value, exact in zip(got.tolist(), want, strict=True):
        size = max(abs(exact.real), abs(exact.imag))
        unit = mp.mpf(eps) * mp.mpf(2) ** (mp.frexp(size)[1] - 1)
        off = mp.mpc(value) - exact
        assert max(abs(off.real), abs(off.imag)) <= max_ulp * unit


@each_dtype
def test_product(dtype: torch.dtype) -> None:
    """3 ulp for each of the multiplications, which turn errors but do not enlarge them."""
    z = values(dtype)
    got = ComplexTensor.from_complex(z).prod(1).to_complex()
    assert_near(got, exact_rows(z, mp.fprod), 3 * (LENGTH - 1))


@each_dtype
def test_running_product(dtype: torch.dtype) -> None:
    z = values(dtype)
    got = ComplexTensor.from_complex(z).cumprod(1).to_complex()
    for k in range(LENGTH):
        assert_near(got[:, k], exact_rows(z[:, : k + 1], mp.fprod), 3 * k)


def norm(order: float) -> Callable[[list[Any]], Any]:
    def exact(row: list[Any]) -> Any:
        sizes = [abs(v) for v in row]
        if math.isinf(order):
            return max(sizes) if order > 0 else min(sizes)
        if order == 0:
            return mp.mpf(sum(v != 0 for v in row))
        return sum(s**order for s in sizes) ** (1 / mp.mpf(order))

    return exact


@each_dtype
@pytest.mark.parametrize("order", [0, 1, 2, 3, 0.5, -1, -2, INF, -INF], ids=str)
def test_norm(order: float, dtype: torch.dtype) -> None:
    """1 ulp of each modulus, and half of one for each of the sums."""
    z = values(dtype)
    got = torch.linalg.vector_norm(ComplexTensor.from_complex(z), order, 1)
    # A root of order 1/2 is a square of the sum, and doubles its error.
    assert_near(got, exact_rows(z, norm(order)), 2 * LENGTH if order == 0.5 else LENGTH)


@pytest.mark.parametrize("size", [1e-44, 1e-30, 1e30, 2e38])
@pytest.mark.parametrize("order", [0, 1, 2, 3, 0.5, -1, INF, -INF], ids=str)
def test_norm_keeps_its_range_where_eager_does(order: float, size: float) -> None:
    """Squares overflow in the library's sum, here as there; a modulus overflows in neither."""
    z = torch.full((5,), complex(0.6 * size, 0.5 * size), dtype=torch.complex64)
    got = torch.linalg.vector_norm(ComplexTensor.from_complex(z), order).item()
    eager = torch.linalg.vector_norm(z, order).item()
    kept = math.isfinite(eager) and eager != 0
    assert got == pytest.approx(eager, rel=1e-6) or not kept


def mean(row: list[Any]) -> Any:
    return mp.fsum(row) / len(row)


def variance(row: list[Any]) -> Any:
    centre = mean(row)
    return mp.fsum(abs(v - centre) ** 2 for v in row) / (len(row) - 1)


@each_dtype
def test_spread(dtype: torch.dtype) -> None:
    z = values(dtype)
    ours = ComplexTensor.from_complex(z)
    assert_near(torch.var(ours, 1), exact_rows(z, variance), LENGTH)
    assert_near(torch.std(ours, 1), exact_rows(z, lambda row: mp.sqrt(variance(row))), LENGTH)


@each_dtype
def test_mean(dtype: torch.dtype) -> None:
    """Relative to the sum of sizes: terms of a mean cancel."""
    z = values(dtype)
    got = ComplexTensor.from_complex(z).mean(1).to_complex()
    eps = Fraction(torch.finfo(dtype).eps)
    for value, row in zip(got.tolist(), z.tolist(), strict=True):
        for part in ("real", "imag"):
            terms = [Fraction(getattr(v, part)) for v in row]
            off = abs(Fraction(getattr(value, part)) - sum(terms) / LENGTH)
            assert off <= eps / 2 * sum(map(abs, terms))


@each_dtype
def test_logarithm_of_a_sum(dtype: torch.dtype) -> None:
    """logsumexp, relative to 1 over the size of the sum of exponentials that cancel."""
    z = values(dtype)
    got = torch.logsumexp(ComplexTensor.from_complex(z), 1).to_complex()
    eps = torch.finfo(dtype).eps
    for value, row in zip(got.tolist(), z.tolist(), strict=True):
        with mpmath.workprec(200):
            powers = [mp.exp(mp.mpc(v)) for v in row]
            total = mp.fsum(powers)
            exact = mp.log(total)
            spread = sum(abs(p) for p in powers) / abs(total) * max(1 + abs(v) for v in row)
        off = mp.exp(mp.mpc(value) - exact) - 1  # the branch of the imaginary part is free
        assert abs(off) <= 4 * eps * (spread + abs(exact))


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_is_refused_as_in_eager(name: str) -> None:
    z = values(torch.complex64)
    for operand in (z, ComplexTensor.from_complex(z)):
        with pytest.raises(RuntimeError, match="softmax"):
            getattr(torch, name)(operand, 1)
