"""Values of much smaller tensors are computed again by each reader."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from torch_complex_subclass.inductor_lowering import recomputed
from torch_complex_subclass.testing.compare import assert_compiles
from torch_complex_subclass.testing.generated import generated_code

SIZES = (48, 81)


def largest_buffer(fn: Callable[..., Tensor], *args: Tensor) -> int:
    """Elements of the largest buffer that the generated code allocates."""
    shapes = re.findall(r"empty_strided_cpu\(\(([\d, ]*)\)", generated_code(fn, *args))
    return max(int(torch.Size(map(int, re.findall(r"\d+", shape))).numel()) for shape in shapes)


def assert_stored(fn: Callable[..., Tensor], *args: Tensor, stored: bool, elements: int) -> None:
    """Whether a value of so many elements is stored, in whatever shape."""
    assert (largest_buffer(fn, *args) >= elements) is stored


def both_sums(table: Tensor, scale: Tensor) -> Tensor:
    """Sums of a table, over rows and over columns."""
    scaled = table * scale
    return torch.cat([scaled.real.sum(0), scaled.imag.sum(1), scaled.imag.sum(0)])


def sums_of_outer(a: Tensor, b: Tensor, scale: Tensor) -> Tensor:
    return both_sums(a[:, None] * b, scale)


def sums_of_slow(a: Tensor, b: Tensor, scale: Tensor) -> Tensor:
    return both_sums((a[:, None] * b).exp(), scale)


def sums_of_gathered(a: Tensor, b: Tensor, scale: Tensor) -> Tensor:
    where = (torch.arange(SIZES[1], device=b.device) * 7) % 5
    return both_sums(a[:, None] * b[where[where]], scale)


def sums_of_folded(a: Tensor, b: Tensor, scale: Tensor) -> Tensor:
    """By one index, from which each reader would have to find the row and the column."""
    flat = (a[:, None] * b * scale).reshape(-1)
    return torch.stack([flat.real.sum(), flat.imag.sum(), flat.real.amax()])


def sums_of_copies(a: Tensor, b: Tensor, scale: Tensor) -> Tensor:
    """Each column is read as often as there are rows."""
    outer = a[:, None] * b * scale
    return torch.cat([outer.sum(0), (outer[:, :, None] * a).sum((0, 1))])


def sums_of_turned(a: Tensor, b: Tensor, scale: Tensor) -> Tensor:
    """A view with several readers."""
    outer = (a[:, None] * b * scale).real
    return torch.cat([outer.sum(0), outer.mT.sum(0), outer.mT.amax(0)])


def operands(dtype: torch.dtype = torch.complex64) -> tuple[Tensor, ...]:
    return tuple(torch.randn(n, dtype=dtype) for n in (*SIZES, 1))


KEPT = [sums_of_slow, sums_of_gathered, sums_of_folded, sums_of_copies]
AGAIN = [sums_of_outer, sums_of_turned]
ELEMENTS = SIZES[0] * SIZES[1]


@pytest.mark.parametrize("fn", AGAIN)
def test_outer_product_is_computed_again(fn: Callable[..., Tensor]) -> None:
    assert_stored(fn, *operands(), stored=False, elements=ELEMENTS)


def test_it_would_be_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recomputed, "is_cheaper_than_memory", lambda value: False)
    assert_stored(sums_of_outer, *operands(), stored=True, elements=ELEMENTS)


@pytest.mark.parametrize("fn", KEPT)
def test_other_values_are_stored(fn: Callable[..., Tensor]) -> None:
    assert_stored(fn, *operands(), stored=True, elements=ELEMENTS)


def test_long_values_are_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recomputed, "MOST_OPERATIONS", 2)
    assert_stored(sums_of_outer, *operands(), stored=True, elements=ELEMENTS)


@pytest.mark.parametrize(("copies", "stored"), [(12, True), (24, False)])
def test_how_much_smaller_is_small(copies: int, stored: bool) -> None:
    """Both parts of a table are read for each part of so many copies: a sixth, and a twelfth."""
    table, scale = torch.randn(SIZES, dtype=torch.complex64), operands()[-1]
    factors = torch.randn(copies, dtype=torch.complex64)

    def fn(table: Tensor, factors: Tensor, scale: Tensor) -> Tensor:
        scaled = table * factors[:, None, None] * scale
        return torch.cat(
            [scaled.real.sum((1, 2)), scaled.imag.sum((0, 1)), scaled.imag.sum((0, 2))]
        )

    assert_stored(fn, table, factors, scale, stored=stored, elements=copies * ELEMENTS)


def test_sizes_that_are_not_known() -> None:
    def fn(mask: Tensor, z: Tensor) -> tuple[Tensor, ...]:
        places = torch.nonzero(mask).float()
        mixed = places[:, 0] * places[:, 1] + places[:, 2] * places[:, 3] + places[:, 4]
        return mixed.sum(), mixed * z, mixed.amax()

    with torch._dynamo.config.patch(capture_dynamic_output_shape_ops=True):
        mask = torch.rand(3, 3, 3, 3, 3) > 0.5
        assert_compiles(fn, mask, torch.randn(1, dtype=torch.complex64), backend="inductor_complex")


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
@pytest.mark.parametrize("fn", [*AGAIN, *KEPT])
def test_results_and_gradients_are_those_of_eager(
    fn: Callable[..., Tensor], dtype: torch.dtype
) -> None:
    assert_compiles(fn, *operands(dtype), backend="inductor_complex")
