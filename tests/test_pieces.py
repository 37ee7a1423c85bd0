"""Addresses with a break now and then: what is said of them holds for every value."""

from __future__ import annotations

import pytest
import sympy
import torch
from torch import Tensor
from torch.utils._sympy.functions import FloorDiv, ModularIndexing

from torch_complex_subclass.inductor_lowering import pieces
from torch_complex_subclass.testing.compare import assert_compiles

x, y = sympy.symbols("x y", integer=True, nonnegative=True)


def values(index: sympy.Expr, count: int) -> list[int]:
    return [int(index.subs({x: k, y: 3})) for k in range(count)]


ROLLED = [
    2 * ModularIndexing(x + 32, 1, 64) + 128 * y,
    2 * ModularIndexing(x, 1, 20) + 66 * FloorDiv(x, 20),
    2 * ModularIndexing(x + 5, 1, 48) + 1000 * ModularIndexing(x + 5, 48, 7) + 1,
    2 * x + 100 * FloorDiv(x + y, 32),
]


@pytest.mark.parametrize("index", ROLLED, ids=str)
def test_first_and_last_address_tell_of_a_break(index: sympy.Expr) -> None:
    lanes = 16
    assert pieces.slope(index, x, lanes) == 2
    found = values(index, 400)
    for start in range(400 - lanes):
        vector = found[start : start + lanes]
        whole = vector == list(range(vector[0], vector[0] + 2 * lanes, 2))
        assert whole == (vector[-1] - vector[0] == 2 * (lanes - 1))


@pytest.mark.parametrize(
    "index",
    [
        2 * ModularIndexing(x + 3, 1, 15),
        2 * ModularIndexing(x, 1, 64) + 130 * FloorDiv(x + 1, 64),
        2 * ModularIndexing(x, 1, 32) + 64 * ModularIndexing(x, 48, 2),
        2 * ModularIndexing(3 * x, 1, 64),
        2 * x * y + 2 * ModularIndexing(x, 1, 64),
        2 * sympy.Abs(x - 20),
    ],
    ids=str,
)
def test_addresses_that_are_not_described(index: sympy.Expr) -> None:
    assert pieces.slope(index, x, 16) is None


def test_twice_rolled_is_rolled_once() -> None:
    twice = ModularIndexing(ModularIndexing(x + 40, 1, 64) + 40, 1, 64)
    assert pieces.merged(2 * twice) == 2 * ModularIndexing(x + 80, 1, 64)
    other = ModularIndexing(ModularIndexing(x + 40, 1, 64) + 40, 1, 60)
    assert pieces.merged(other) == other


def rolled(z: Tensor, w: Tensor) -> tuple[Tensor, ...]:
    shifted = torch.fft.fftshift(z, dim=(-2, -1))
    return (
        shifted * w,
        torch.fft.ifftshift(shifted * w, dim=(-2, -1)),
        torch.roll(z, (1, 19), (0, 1)).exp() + w,
        (torch.roll(z, 5, 1).abs() + w.real).sum(),
    )


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
@pytest.mark.parametrize("shape", [(4, 64), (3, 41), (2, 16), (5, 7), (40, 33)], ids=str)
def test_rolled_operands(dtype: torch.dtype, shape: tuple[int, int]) -> None:
    z, w = (torch.randn(shape, dtype=dtype) for _ in "zw")
    assert_compiles(
        rolled,
        z,
        w,
        backend="inductor_complex",
        dynamic=False,
        gradient=False,
        rtol=1e-5,
        atol=1e-4,
    )
