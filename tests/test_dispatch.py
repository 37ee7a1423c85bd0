"""Promotion, compute dtypes and the calling of rules."""

import itertools

import pytest
import torch

from torch_complex_subclass import ComplexTensor, dispatch
from torch_complex_subclass.decompositions.registry import TABLE, Kind, Pair, Rule
from torch_complex_subclass.dtypes import COMPLEX_OF, complex_dtype, real_dtype, result_dtype
from torch_complex_subclass.testing.eager import random, result_type, split

aten = torch.ops.aten

DTYPES = [
    torch.bool,
    torch.int64,
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
    torch.complex32,
    torch.complex64,
    torch.complex128,
]
OPERANDS = {
    **{f"{d}-{n}d".removeprefix("torch."): torch.ones((2,) * n, dtype=d)
       for d in DTYPES for n in (0, 1)},
    **{type(v).__name__: v for v in (True, 2, 0.5, 1j)},
}  # fmt: skip


def is_complex(value):
    return isinstance(value, torch.Tensor) and value.is_complex()


PAIRS = [
    (a, b)
    for a, b in itertools.product(OPERANDS, OPERANDS)
    if isinstance(OPERANDS[a], torch.Tensor) or isinstance(OPERANDS[b], torch.Tensor)
]
WITH_COMPLEX = [pair for pair in PAIRS if any(is_complex(OPERANDS[name]) for name in pair)]


def as_operand(value):
    if is_complex(value):
        return split(value)
    return dispatch.split_number(value)


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_promotion_table(a, b):
    a, b = OPERANDS[a], OPERANDS[b]
    assert result_dtype([as_operand(a), as_operand(b)]) == result_type(a, b)


@pytest.mark.parametrize(("a", "b"), WITH_COMPLEX)
def test_promotion_of_a_product(a, b):
    a, b = OPERANDS[a], OPERANDS[b]
    operands = [ComplexTensor.from_complex(v) if is_complex(v) else v for v in (a, b)]
    got = torch.mul(*operands) if isinstance(operands[0], torch.Tensor) else a * operands[1]
    assert isinstance(got, ComplexTensor)
    assert got.dtype == result_type(a, b)


@pytest.mark.parametrize("default", [torch.float32, torch.float64], ids=str)
def test_default_dtype_decides_for_a_complex_number(default):
    before = torch.get_default_dtype()
    torch.set_default_dtype(default)
    try:
        x = torch.ones(2, dtype=torch.int64)
        assert result_dtype([x, Pair(0.0, 1.0)]) == torch.result_type(x, 1j)
    finally:
        torch.set_default_dtype(before)


def test_three_operands():
    z, x, w = (torch.ones(2, dtype=d) for d in (torch.complex64, torch.float64, torch.complex64))
    got = torch.addcmul(ComplexTensor.from_complex(z), x, w, value=2)
    assert got.dtype == torch.complex128


def test_no_operand_is_an_error():
    with pytest.raises(TypeError, match="at least one operand"):
        result_dtype([])


@pytest.mark.parametrize("real", list(COMPLEX_OF), ids=str)
def test_dtype_pairs(real):
    assert real_dtype(complex_dtype(real)) == real
    assert complex_dtype(complex_dtype(real)) == complex_dtype(real)


def test_dtype_without_a_complex_one():
    with pytest.raises(TypeError, match=r"no complex dtype has parts of torch\.int64; use one of"):
        complex_dtype(torch.int64)


def test_half_parts_are_computed_in_float32_and_rounded_once():
    seen = []

    def record(z, w):
        seen.append((z.re.dtype, w.dtype))
        return Pair(z.re * w, z.im * w)

    rule = Rule(aten.mul.Tensor, Kind.ELEMENTWISE, record, data=("self", "other"))
    half = torch.full((2,), 300.0, dtype=torch.float16)
    got = dispatch.apply(rule, (Pair(half, half), half / 300), {})
    assert seen == [(torch.float32, torch.float32)]
    assert got.re.dtype == got.im.dtype == torch.float16


def test_movements_keep_half_parts():
    half = torch.ones(2, 3, dtype=torch.float16)
    view = dispatch.apply(TABLE[aten.t.default], (Pair(half, half),), {})
    assert view.re.data_ptr() == half.data_ptr()


def test_boolean_results_are_not_rounded():
    half = torch.ones(2, dtype=torch.float16)
    got = dispatch.apply(TABLE[aten.eq.Tensor], (Pair(half, half), Pair(half, half)), {})
    assert got.dtype == torch.bool


def test_real_argument_of_a_movement_has_a_zero_imaginary_part():
    z, x = split(random((2, 3), torch.complex64)), random((1, 3), torch.float32)
    got = dispatch.apply(TABLE[aten.cat.default], ([z, x],), {})
    assert torch.equal(got.im[2], torch.zeros(3))


def test_data_arguments_by_keyword():
    z, w = (split(random((3,), torch.complex64)) for _ in range(2))
    got = dispatch.apply(TABLE[aten.add.Tensor], (z,), {"other": w, "alpha": 2})
    assert torch.equal(got.re, z.re + 2 * w.re)


def test_not_implemented_for_arguments_that_a_rule_does_not_cover():
    z = split(random((3,), torch.complex64))
    assert dispatch.apply(TABLE[aten.sum.default], (z,), {"dtype": torch.float32}) is NotImplemented
    assert dispatch.apply(TABLE[aten.exp.default], (z.re,), {}) is NotImplemented


def test_trees():
    pair = Pair(1.0, 2.0)
    assert dispatch.leaves([pair, (3, {"a": pair})]) == [pair, 3, pair]
    assert dispatch.tree_map(lambda v: v, {"a": [pair]}) == {"a": [pair]}


def test_lookup():
    assert dispatch.lookup(aten.add.Tensor).op is aten.add.Tensor
    assert dispatch.lookup(aten.add) is None
    assert not dispatch.has_function(None)
    assert not dispatch.has_function(dispatch.lookup(aten._fft_c2c.default))
