"""Sums, products and quotients against eager."""

import itertools

import pytest
import torch

from torch_complex_subclass import ComplexTensor
from torch_complex_subclass.decompositions.registry import TABLE, Kind
from torch_complex_subclass.testing.eager import (
    DTYPES,
    LAYOUTS,
    assert_matches,
    each_dtype,
    each_layout,
    random,
)

aten = torch.ops.aten


def fits(a, b):
    """True when the shapes broadcast."""
    return all(1 in (m, n) or m == n for m, n in zip(reversed(a), reversed(b), strict=False))


BINARY = [aten.add.Tensor, aten.sub.Tensor, aten.mul.Tensor, aten.div.Tensor]
SCALAR = [aten.add.Scalar, aten.sub.Scalar, aten.mul.Scalar, aten.div.Scalar, aten.rsub.Scalar]
SHAPES = [(), (3,), (2, 1), (2, 3), (0, 3)]
BROADCAST = [(a, b) for a, b in itertools.product(SHAPES, SHAPES) if fits(a, b)]
NUMBERS = [2, -1.5, 0.5 - 2j]
UNARY = [rule.op for rule in TABLE.values() if rule.kind is Kind.UNARY]

each_binary = pytest.mark.parametrize("op", BINARY, ids=str)


# Torch makes it of pow before any rule, and pow has no complex32 kernel.
NOT_IN_HALF = [aten.square.default]
UNARY_CASES = [
    (op, dtype)
    for op in UNARY
    for dtype in DTYPES
    if not (op in NOT_IN_HALF and dtype == torch.complex32)
]


@pytest.mark.parametrize(("op", "dtype"), UNARY_CASES, ids=str)
@each_layout
def test_unary(op, dtype, layout):
    if op is aten._conj_physical.default:
        op = torch.conj_physical  # the overload itself is refused on plain tensors
    assert_matches(op, LAYOUTS[layout](dtype))


@each_binary
@each_dtype
@each_layout
def test_binary(op, dtype, layout):
    assert_matches(op, LAYOUTS[layout](dtype), LAYOUTS[layout](dtype))


@each_binary
@pytest.mark.parametrize("shapes", BROADCAST, ids=str)
def test_broadcasting(op, shapes):
    a, b = (random(shape, torch.complex64) for shape in shapes)
    assert_matches(op, a, b)


@each_binary
@pytest.mark.parametrize("shapes", [((2, 3), (3,)), ((3,), (2, 3)), ((), (2,)), ((2,), ())])
def test_real_operand(op, shapes):
    a, b = shapes
    assert_matches(op, random(a, torch.complex64), random(b, torch.float32))
    assert_matches(op, random(a, torch.float32), random(b, torch.complex64))
    assert_matches(op, random(a, torch.complex64), torch.randint(1, 9, b))


@each_binary
@each_dtype
@pytest.mark.parametrize("number", NUMBERS, ids=str)
def test_number(op, dtype, number):
    assert_matches(op, random((2, 3), dtype), number)
    assert_matches(op, random((), dtype), number)


@pytest.mark.parametrize("op", SCALAR, ids=str)
@pytest.mark.parametrize("number", NUMBERS, ids=str)
def test_scalar_overload(op, number):
    assert_matches(op, random((2, 3), torch.complex64), number)


@pytest.mark.parametrize("op", [aten.add.Tensor, aten.sub.Tensor, aten.rsub.Tensor], ids=str)
@pytest.mark.parametrize("alpha", NUMBERS, ids=str)
def test_alpha(op, alpha):
    z, w = random((2, 3), torch.complex64), random((3,), torch.complex64)
    assert_matches(op, z, w, alpha=alpha)


@pytest.mark.parametrize("op", [aten.addcmul.default, aten.addcdiv.default], ids=str)
@pytest.mark.parametrize("value", NUMBERS, ids=str)
@each_dtype
def test_fused(op, value, dtype):
    assert_matches(op, *(random((2, 3), dtype) for _ in range(3)), value=value)


@each_dtype
def test_lerp(dtype):
    start, end, weight = (random((2, 3), dtype) for _ in range(3))
    assert_matches(aten.lerp.Tensor, start, end, weight)
    for number in NUMBERS:
        assert_matches(aten.lerp.Scalar, start, end, number)


def test_real_factor_acts_on_each_part():
    """C23 G.5.1: no NaN of infinity times a zero that was never there; eager has one."""
    z = ComplexTensor(torch.tensor([float("inf"), -0.0]), torch.tensor([1.0, -0.0]))
    got = z * torch.tensor([2.0, 3.0])
    assert got.real.tolist() == [float("inf"), 0.0]
    assert got.imag.tolist() == [2.0, 0.0]
    assert torch.signbit(got.real).tolist() == [False, True]
    assert torch.signbit(got.imag).tolist() == [False, True]


def test_quotient_without_rounding_mode():
    z, w = random((3,), torch.complex64), random((3,), torch.complex64)
    assert_matches(aten.div.Tensor_mode, z, w, rounding_mode=None)
    assert_matches(aten.div.Scalar_mode, z, 2j, rounding_mode=None)


@pytest.mark.parametrize("mode", ["floor", "trunc"])
def test_quotient_with_rounding_mode_is_refused_as_in_eager(mode):
    z = random((3,), torch.complex64)
    for argument in (z, ComplexTensor.from_complex(z)):
        with pytest.raises(RuntimeError, match="not implemented for 'Complex"):
            torch.div(argument, z, rounding_mode=mode)
