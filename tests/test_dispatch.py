"""Promotion, casts and rounding, which are written once for all rules."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch

from torch_complex_subclass import dispatch
from torch_complex_subclass.decompositions import TABLE, Pair
from torch_complex_subclass.dtypes import complex_dtype, real_dtype, result_dtype

aten = torch.ops.aten

DTYPES = (
    torch.bool,
    torch.int64,
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
    torch.complex32,
    torch.complex64,
    torch.complex128,
)
TENSORS = [torch.ones(shape, dtype=dtype) for dtype in DTYPES for shape in ((), (2,))]
NUMBERS = [True, 2, 2.5, 2 + 1j]


def as_operand(value: Any) -> Any:
    """What dispatch sees: a pair for a complex value."""
    if isinstance(value, torch.Tensor) and value.is_complex():
        return Pair(value.real, value.imag)
    return dispatch.split_number(value)


def describe(value: Any) -> str:
    return f"{value.dtype}{list(value.shape)}" if isinstance(value, torch.Tensor) else repr(value)


@pytest.mark.parametrize("first", TENSORS, ids=describe)
def test_promotion_is_eagers(first: torch.Tensor) -> None:
    for second in itertools.chain(TENSORS, NUMBERS):
        expected = torch.result_type(first, second)
        found = result_dtype([as_operand(first), as_operand(second)])
        assert found == expected, describe(second)


def test_promotion_of_three_operands() -> None:
    operands = [torch.ones(2, dtype=torch.float16), torch.tensor(1.0, dtype=torch.float64), 1j]
    assert result_dtype(map(as_operand, operands)) == torch.complex32


def test_promotion_needs_an_operand() -> None:
    with pytest.raises(TypeError, match="at least one operand"):
        result_dtype([])


def test_dtype_pairs() -> None:
    for dtype in (torch.complex32, torch.complex64, torch.complex128):
        assert complex_dtype(real_dtype(dtype)) == dtype
    with pytest.raises(TypeError, match=r"no complex dtype has parts of torch\.int32; use one of"):
        complex_dtype(torch.int32)


def test_half_parts_are_computed_wide_and_rounded_once() -> None:
    x = torch.tensor([60000.0], dtype=torch.float16)
    size = dispatch.apply(TABLE[aten.abs.default], (Pair(x * 0.5, x * 0.5),), {})
    assert size.dtype == torch.float16
    wide = torch.hypot((x * 0.5).float(), (x * 0.5).float())
    assert torch.equal(size, wide.half())
    terms = dispatch.apply(TABLE[aten.sum.default], (Pair(x.repeat(2), -x.repeat(2)),), {})
    assert torch.equal(terms.re, torch.tensor(torch.inf, dtype=torch.float16))


def test_movement_keeps_the_stored_dtype() -> None:
    x = torch.ones(2, 3, dtype=torch.float16)
    moved = dispatch.apply(TABLE[aten.permute.default], (Pair(x, x), [1, 0]), {})
    assert moved.re.dtype == torch.float16
    assert moved.re.data_ptr() == x.data_ptr()


def test_real_operand_of_a_movement_has_no_imaginary_part() -> None:
    x = torch.tensor([1.0, 2.0])
    joined = dispatch.apply(TABLE[aten.cat.default], ([Pair(x, x), x],), {})
    assert joined.re.tolist() == [1, 2, 1, 2]
    assert joined.im.tolist() == [1, 2, 0, 0]
