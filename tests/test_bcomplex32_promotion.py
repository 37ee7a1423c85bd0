"""Promotion of bcomplex32 with every dtype, and what in-place ops make of it."""

from __future__ import annotations

import itertools
import operator
from typing import Any

import pytest
import torch
from torch import Tensor

import torch_complex_subclass as tcs
from torch_complex_subclass import ComplexTensor, bcomplex32
from torch_complex_subclass.bfloat16_parts import has_bfloat16_parts
from torch_complex_subclass.dtypes import Dtype, result_dtype
from torch_complex_subclass.testing.eager import result_type, split

B, C32, C64, C128 = bcomplex32, torch.complex32, torch.complex64, torch.complex128

INTEGERS = (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
SAME_WEIGHT: dict[Dtype, Dtype] = {
    **dict.fromkeys(INTEGERS, B),
    torch.bfloat16: B,
    torch.float16: C64,
    torch.float32: C64,
    torch.float64: C128,
    bcomplex32: B,
    torch.complex32: C64,
    torch.complex64: C64,
    torch.complex128: C128,
}
"""With another tensor, both with dimensions or both without."""

WITHOUT_DIMENSIONS: dict[Dtype, Dtype] = {
    **SAME_WEIGHT,
    torch.float16: C32,
    torch.complex32: C32,
}
"""A tensor with dimensions, with a bcomplex32 that has none."""

NUMBERS = [True, 2, 0.5, 1j, 1e300]
OPS = [operator.add, operator.mul]


def tensor(dtype: Dtype, shape: tuple[int, ...]) -> Tensor:
    return tcs.full(shape, 1, dtype=dtype)


def operand(value: Any) -> Any:
    """What dispatch is given for a tensor."""
    if isinstance(value, ComplexTensor):
        return (value.re, value.im)
    return split(value) if value.is_complex() else value


def check(a: Any, b: Any, wanted: Dtype) -> None:
    for (x, y), op in itertools.product(((a, b), (b, a)), OPS):
        result = op(x, y)
        assert isinstance(result, ComplexTensor)
        assert tcs.dtype_of(result) is wanted


@pytest.mark.parametrize("dtype", SAME_WEIGHT, ids=str)
class TestTensors:
    @pytest.mark.parametrize("shape", [(), (2,)], ids=["0d", "1d"])
    def test_of_the_same_weight(self, dtype: Dtype, shape: tuple[int, ...]) -> None:
        check(tensor(B, shape), tensor(dtype, shape), SAME_WEIGHT[dtype])

    def test_one_without_dimensions_does_not_widen(self, dtype: Dtype) -> None:
        check(tensor(B, (2,)), tensor(dtype, ()), B)

    def test_one_without_dimensions_is_not_wide(self, dtype: Dtype) -> None:
        check(tensor(B, ()), tensor(dtype, (2,)), WITHOUT_DIMENSIONS[dtype])

    def test_table_of_dispatch(self, dtype: Dtype) -> None:
        ours, other = operand(tensor(B, (2,))), operand(tensor(dtype, (2,)))
        assert result_dtype([ours, other]) is result_dtype([other, ours]) is SAME_WEIGHT[dtype]

    def test_wide_numbers_do_not_matter(self, dtype: Dtype) -> None:
        result = torch.add(tensor(B, (2,)), tensor(dtype, (2,)), alpha=2)
        assert tcs.dtype_of(result) is SAME_WEIGHT[dtype]


@pytest.mark.parametrize("number", NUMBERS, ids=str)
@pytest.mark.parametrize("shape", [(), (2,)], ids=["0d", "1d"])
def test_numbers(number: Any, shape: tuple[int, ...]) -> None:
    check(tensor(B, shape), number, B)


@pytest.mark.parametrize("default", [torch.float64, torch.float16, torch.bfloat16], ids=str)
def test_default_dtype_does_not_matter(default: torch.dtype) -> None:
    before = torch.get_default_dtype()
    torch.set_default_dtype(default)
    try:
        check(tensor(B, (2,)), 1j, B)
        # A number and a real tensor alone make no bcomplex32.
        assert result_type(torch.ones(2, dtype=torch.bfloat16), 1j) == torch.complex64
        assert result_dtype([torch.ones(2, dtype=torch.bfloat16), (0.0, 1.0)]) == torch.complex64
    finally:
        torch.set_default_dtype(before)


def test_three_operands() -> None:
    z, x, w = tensor(B, (2,)), torch.ones(2, dtype=torch.bfloat16), tensor(B, (2,))
    assert tcs.dtype_of(torch.addcmul(z, x, w)) is B
    assert tcs.dtype_of(torch.addcmul(z, x.double(), w)) is C128
    assert tcs.dtype_of(torch.cat([z, x, w.to(C64)])) is C64


@pytest.mark.parametrize("name", ["add_", "mul_", "copy_"])
@pytest.mark.parametrize("dtype", SAME_WEIGHT, ids=str)
class TestInPlace:
    def test_into_bcomplex32_rounds(self, dtype: Dtype, name: str) -> None:
        for shape in ((), (2,)):
            z = tensor(B, (2,))
            assert getattr(z, name)(tensor(dtype, shape)) is z
            assert has_bfloat16_parts(z)

    def test_from_bcomplex32(self, dtype: Dtype, name: str) -> None:
        target, z = tensor(dtype, (2,)), tensor(B, (2,))
        if dtype.is_complex or name == "copy_":
            assert getattr(target, name)(z) is target
            assert tcs.dtype_of(target) is dtype
        else:
            text = r"result type torch.* can't be cast to the desired output type"
            with pytest.raises(RuntimeError, match=text):
                getattr(target, name)(z)


def test_in_place_rounds_once() -> None:
    """A product that lies in the middle between two bfloat16, but for a bit beyond float32."""
    z = tensor(B, (1,))
    z.copy_(torch.tensor([1 + 2.0**-8 + 2.0**-40], dtype=C128))
    assert z.real.item() == 1 + 2.0**-7


def test_refusal_names_the_dtype() -> None:
    with pytest.raises(RuntimeError, match=r"result type torch_complex_subclass\.bcomplex32 can't"):
        torch.ones(2, dtype=torch.bfloat16).mul_(tensor(B, (2,)))
