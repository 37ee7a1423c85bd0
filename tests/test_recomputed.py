"""Values of much smaller tensors are computed again by each reader."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from torch_complex_subclass.inductor_lowering import recomputed
from torch_complex_subclass.testing.compare import assert_compiles
from torch_complex_subclass.testing.generated import generated_code

SIZES = (48, 80)


def assert_stored(fn: Callable[..., Tensor], *args: Tensor, stored: bool) -> None:
    """Whether the code allocates a buffer of `SIZES`."""
    allocation = f"empty_strided_cpu(({SIZES[0]}, {SIZES[1]})"
    assert (allocation in generated_code(fn, *args)) is stored


def both_sums(table: Tensor, scale: Tensor) -> Tensor:
    """Sums of a table, over rows and over columns."""
    scaled = table * scale
    return torch.cat([scaled.real.sum(0), scaled.imag.sum(1), scaled.imag.sum(0)])


def sums_of_outer(a: Tensor, b: Tensor, scale: Tensor) -> Tensor:
    return both_sums(a[:, None] * b, scale)


def sums_of_slow(a: Tensor, b: Tensor, scale: Tensor) -> Tensor:
    return both_sums((a[:, None] * b).exp(), scale)


def sums_of_gathered(a: Tensor, b: Tensor, scale: Tensor) -> Tensor:
    where = torch.arange(SIZES[1]).flip(0) // 2
    return both_sums(a[:, None] * b[where], scale)


def operands(dtype: torch.dtype = torch.complex64) -> tuple[Tensor, ...]:
    return tuple(torch.randn(n, dtype=dtype) for n in (*SIZES, 1))


def test_outer_product_is_computed_again() -> None:
    assert_stored(sums_of_outer, *operands(), stored=False)


def test_it_would_be_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recomputed, "is_cheaper_than_memory", lambda value: False)
    assert_stored(sums_of_outer, *operands(), stored=True)


def test_values_of_slow_functions_are_stored() -> None:
    assert_stored(sums_of_slow, *operands(), stored=True)


def test_long_values_are_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recomputed, "MOST_OPERATIONS", 2)
    assert_stored(sums_of_outer, *operands(), stored=True)


def test_values_of_large_tensors_are_stored() -> None:
    table = torch.randn(SIZES, dtype=torch.complex64)
    more = torch.randn(SIZES, dtype=torch.complex64)

    def sums(x: Tensor, y: Tensor, scale: Tensor) -> Tensor:
        return both_sums(x * y, scale)

    assert_stored(sums, table, more, operands()[-1], stored=True)


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
@pytest.mark.parametrize("fn", [sums_of_outer, sums_of_slow, sums_of_gathered])
def test_results_and_gradients_are_those_of_eager(
    fn: Callable[..., Tensor], dtype: torch.dtype
) -> None:
    assert_compiles(fn, *operands(dtype), backend="inductor_complex")
