"""Error-free transformations: exact by rational arithmetic, and kept by every compiler setting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._inductor import config
from torch.fx.experimental.proxy_tensor import make_fx

from torch_complex_subclass.decompositions import compensated
from torch_complex_subclass.testing.contraction import contracted

SINGLE, DOUBLE = torch.float32, torch.float64
each_dtype = pytest.mark.parametrize("dtype", [SINGLE, DOUBLE], ids=str)
COUNT = 400


def fractions(*columns: Tensor) -> Iterator[tuple[Fraction, ...]]:
    """Rows of exact values."""
    for row in zip(*(column.double().tolist() for column in columns), strict=True):
        yield tuple(map(Fraction, row))


def spread(dtype: torch.dtype, low: float, high: float, seed: int) -> Tensor:
    """Values of both signs, log-uniform between 2**low and 2**high, with all digits random."""
    g = torch.Generator().manual_seed(seed)
    size = low + (high - low) * torch.rand(COUNT, generator=g, dtype=DOUBLE)
    sign = torch.randint(0, 2, (COUNT,), generator=g) * 2 - 1
    return (torch.exp2(size) * sign).to(dtype)


def pairs(dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Summands of every order of magnitude, among them equal ones and opposite ones."""
    # The unsafe settings flush subnormal numbers to zero, so there the digits are normal ones.
    top = 100.0 if dtype == SINGLE else 960.0 if config.cpp.enable_unsafe_math_opt_flag else 1000.0
    a, b = spread(dtype, -top, top, 1), spread(dtype, -top, top, 2)
    near = a * (1 + spread(dtype, -20, -1, 3))
    kind = torch.arange(COUNT) % 3
    return a, torch.where(kind == 0, b, torch.where(kind == 1, near, -near))


def assert_sum(a: Tensor, b: Tensor, s: Tensor, e: Tensor) -> None:
    for x, y, total, error in fractions(a, b, s, e):
        assert x + y == total + error
    torch.testing.assert_close(s, a + b, rtol=0, atol=0)


def check_two_sum(run: Callable[..., Any], dtype: torch.dtype) -> None:
    a, b = pairs(dtype)
    assert_sum(a, b, *run(compensated.two_sum, a, b))


def check_quick_two_sum(run: Callable[..., Any], dtype: torch.dtype) -> None:
    a, b = pairs(dtype)
    large, small = torch.where(a.abs() >= b.abs(), a, b), torch.where(a.abs() >= b.abs(), b, a)
    assert_sum(large, small, *run(compensated.quick_two_sum, large, small))


def check_split(run: Callable[..., Any], dtype: torch.dtype) -> None:
    # Lower halves are not subnormal: the unsafe settings flush those to zero.
    top = 95 if dtype == SINGLE else 960
    a = spread(dtype, -top, top, 4)
    hi, lo = run(compensated.split, a)
    half = Fraction(1, 2**12 if dtype == SINGLE else 2**26)
    for x, high, low in fractions(a, hi, lo):
        assert x == high + low
        assert abs(low) <= half * abs(high)
    # Each half has half of the digits, so that products of halves are exact.
    for high, low in fractions(hi, lo):
        for part in (high, low):
            numerator = abs(part.numerator)
            digits = numerator.bit_length() - (
                (numerator & -numerator).bit_length() - 1 if part else 0
            )
            assert digits <= (12 if dtype == SINGLE else 26)


def check_compensated_sum(run: Callable[..., Any], dtype: torch.dtype) -> None:
    """Five terms, the first of which cancel to the size of the last."""
    fi = torch.finfo(dtype)
    a, small = spread(dtype, -1, 1, 6), spread(dtype, -20, -15, 7)
    b = -(a + small)
    tail, least = spread(dtype, -30, -25, 8), spread(dtype, -60, -50, 9)

    def total(*terms: Tensor) -> Tensor:
        return compensated.compensated_sum(terms[:2], terms[2:3], terms[3:])

    got = run(total, a, b, small, tail, least)
    for value, *terms in fractions(got, a, b, small, tail, least):
        exact = sum(terms)
        size = sum(map(abs, terms))
        eps = Fraction(fi.eps)
        assert abs(value - exact) <= eps * abs(exact) + 8 * eps**2 * size


def circle(dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Points from far off the unit circle to within an ulp of it."""
    eps = torch.finfo(dtype).eps
    g = torch.Generator().manual_seed(10)
    phi = torch.rand(COUNT, generator=g, dtype=DOUBLE) * 6.28
    off = spread(DOUBLE, torch.tensor(eps).log2().item(), -2, 11)
    return (phi.cos() * (1 + off)).to(dtype), (phi.sin() * (1 + off)).to(dtype)


def check_circle_excess(run: Callable[..., Any], dtype: torch.dtype) -> None:
    x, y = circle(dtype)
    eps = Fraction(torch.finfo(dtype).eps)
    for a, b, value in fractions(x, y, run(compensated.circle_excess, x, y)):
        exact = a * a + b * b - 1
        assert abs(value - exact) <= eps * abs(exact) + 8 * eps**2


def check_two_product(run: Callable[..., Any], dtype: torch.dtype) -> None:
    top = 40 if dtype == SINGLE else 300
    a, b = spread(dtype, -top, top, 12), spread(dtype, -top, top, 13)

    for x, y, rounded, error in fractions(a, b, *run(compensated.two_product, a, b)):
        assert x * y == rounded + error


CHECKS = [
    check_two_sum,
    check_quick_two_sum,
    check_split,
    check_compensated_sum,
    check_circle_excess,
    check_two_product,
]
each_check = pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__[6:])


def eager(fn: Callable[..., Any], *operands: Tensor) -> Any:
    return fn(*operands)


def vector(fn: Callable[..., Any], *operands: Tensor) -> Any:
    """Inductor's code, as it is generated for complex programs."""
    torch._dynamo.reset()
    traced = make_fx(fn)(*operands)  # Dynamo does not trace the registration of an op
    return torch.compile(traced, fullgraph=True, backend="inductor_complex")(*operands)


def scalar(fn: Callable[..., Any], *operands: Tensor) -> Any:
    """The same without vector intrinsics, where GCC has all of the say."""
    with config.patch({"cpp.simdlen": 1}):
        return vector(fn, *operands)


CONTRACTING = {"cpp.enable_floating_point_contract_flag": "fast"}
UNSAFE = {"cpp.enable_unsafe_math_opt_flag": True}
SETTINGS = [
    pytest.param(vector, {}, SINGLE, id="default"),
    pytest.param(scalar, CONTRACTING, SINGLE, id="contracting-scalar"),
    pytest.param(vector, UNSAFE | CONTRACTING, SINGLE, id="unsafe"),
    *(
        pytest.param(run, setting, dtype, id=f"{name}-{run.__name__}-{dtype}", marks=marks)
        for marks in [pytest.mark.slow]
        for run in (vector, scalar)
        for name, setting in (("contracting", CONTRACTING), ("unsafe", UNSAFE))
        for dtype in (SINGLE, DOUBLE)
    ),
]


@pytest.fixture(autouse=True)
def keep_subnormal_numbers() -> Iterator[None]:
    """Loading a library built with the unsafe setting makes the thread flush them to zero."""
    yield
    torch.set_flush_denormal(False)


@each_check
@each_dtype
def test_exact(check: Any, dtype: torch.dtype) -> None:
    check(eager, dtype)


@each_check
@pytest.mark.parametrize("prefer", [0, 1])
def test_contracted(check: Any, prefer: int) -> None:
    """Every product fused into its sum, as Triton does."""

    def run(fn: Callable[..., Any], *operands: Tensor) -> Any:
        results, _ = contracted(fn, *operands, prefer=prefer)
        return results if len(results) > 1 else results[0]

    check(run, SINGLE)


@pytest.mark.parametrize("prefer", [0, 1])
@each_dtype
def test_error_by_halves_contracted(dtype: torch.dtype, prefer: int) -> None:
    """What stands for the op in exported programs."""

    def by_halves(_: Any, a: Tensor, b: Tensor) -> Any:
        results, fused = contracted(compensated.product_error_by_halves, a, b, prefer=prefer)
        assert fused > 0
        return a * b, results[0]

    check_two_product(by_halves, dtype)


@each_check
@pytest.mark.parametrize(("run", "setting", "dtype"), SETTINGS)
def test_compiled(check: Any, run: Any, setting: dict[str, Any], dtype: torch.dtype) -> None:
    with config.patch(setting):
        check(run, dtype)


def test_checks_notice_reordered_sums() -> None:
    """What GCC makes of the sum and its error when it may reorder: s - a is b, so there is none."""

    def reordered(fn: Callable[..., Any], a: Tensor, b: Tensor) -> Any:
        return a + b, torch.zeros_like(a)

    with pytest.raises(AssertionError):
        check_two_sum(reordered, SINGLE)
    a, b = pairs(SINGLE)
    lost = [x + y != s for x, y, s in fractions(a, b, a + b)]
    assert sum(lost) > COUNT / 3


def test_checks_notice_contracted_products() -> None:
    """Halves by the textbook product a (2**12 + 1): fused into the difference it has no error."""

    def textbook(fn: Callable[..., Any], a: Tensor) -> Any:
        c = a * 4097.0
        hi = c - (c - a)
        return hi, a - hi

    check_split(textbook, SINGLE)

    def fused(fn: Callable[..., Any], a: Tensor) -> Any:
        results, count = contracted(lambda value: textbook(fn, value), a)
        assert count == 2
        return results

    with pytest.raises(AssertionError):
        check_split(fused, SINGLE)


def test_stock_code_reorders_sums_when_told_to() -> None:
    """Without our hooks the flag breaks them, which is what the hook is for."""

    def stock(fn: Callable[..., Any], *operands: Tensor) -> Any:
        torch._dynamo.reset()
        return torch.compile(fn, fullgraph=True)(*operands)

    with config.patch(UNSAFE), pytest.raises(AssertionError):
        check_two_sum(stock, SINGLE)
