"""New tensors, copies and conversions against eager."""

import pytest
import torch

from torch_complex_subclass import ComplexTensor
from torch_complex_subclass.testing.eager import (
    assert_matches,
    assert_rule_matches,
    each_dtype,
    random,
)

aten = torch.ops.aten
prims = torch.ops.prims


@pytest.mark.parametrize("dtype", [None, torch.complex128, torch.float64], ids=str)
def test_like(dtype):
    z = random((2, 3), torch.complex64).t()
    assert_matches(aten.zeros_like.default, z, dtype=dtype)
    assert_matches(aten.ones_like.default, z, dtype=dtype)
    assert_matches(aten.full_like.default, z, 2.5, dtype=dtype)
    assert_matches(aten.new_zeros.default, z, [4], dtype=dtype)
    assert_matches(aten.new_ones.default, z, [4], dtype=dtype)
    assert_matches(aten.new_full.default, z, [4], -1, dtype=dtype)


def test_filled_with_a_complex_number():
    z = random((2, 3), torch.complex64)
    assert_matches(aten.full_like.default, z, 1 - 2j)
    assert_matches(aten.new_full.default, z, [4], 1 - 2j)
    assert_matches(aten.fill.Scalar, z, 1 - 2j)
    assert_matches(aten.fill.Scalar, z, 2)
    assert_matches(aten.fill.Tensor, z, torch.tensor(1 - 2j))
    assert_matches(aten.fill.Tensor, z, torch.tensor(2.0))


@pytest.mark.parametrize("dtype", [None, torch.complex128, torch.float64], ids=str)
def test_uninitialised(dtype):
    z = ComplexTensor.from_complex(random((2, 3), torch.complex64))
    for got, shape in (
        (torch.empty_like(z, dtype=dtype), (2, 3)),
        (z.new_empty((4, 5), dtype=dtype), (4, 5)),
        (z.new_empty_strided((4, 5), (1, 4), dtype=dtype), (4, 5)),
    ):
        assert (got.shape, got.dtype) == (shape, dtype or torch.complex64)
        assert isinstance(got, ComplexTensor) == got.is_complex()
    assert z.new_empty_strided((4, 5), (1, 4)).stride() == (1, 4)


@pytest.mark.parametrize("value", [1 - 2j, 3.0], ids=str)
def test_from_nothing(value):
    assert_rule_matches(aten.full.default, [2, 3], value, dtype=torch.complex128)
    assert_rule_matches(aten.scalar_tensor.default, value, dtype=torch.complex64)
    assert_rule_matches(aten.zeros.default, [2], dtype=torch.complex64)
    assert_rule_matches(aten.ones.default, [2], dtype=torch.complex64)


def test_from_real_parts():
    re, im = random((2, 3), torch.float32), random((3,), torch.float32)
    assert_rule_matches(aten.complex.default, re, im)
    assert_rule_matches(aten.polar.default, re.abs(), im)
    assert_rule_matches(aten.view_as_complex.default, random((3, 2), torch.float32))


@pytest.mark.filterwarnings("ignore:Casting complex values to real")
@each_dtype
@pytest.mark.parametrize(
    "to", [torch.complex64, torch.complex128, torch.float64, torch.int32, torch.bool], ids=str
)
def test_conversion(dtype, to):
    z = random((2, 3), dtype) * 3
    z[0, 0] = 0
    got = ComplexTensor.from_complex(z).to(to)
    assert got.dtype == to
    assert isinstance(got, ComplexTensor) == to.is_complex
    torch.testing.assert_close(got.to_complex() if to.is_complex else got, z.to(to))
    if dtype != torch.complex32:
        assert_rule_matches(prims.convert_element_type.default, z, to)


@pytest.mark.parametrize(
    "memory_format", [torch.contiguous_format, torch.preserve_format, torch.channels_last], ids=str
)
def test_clone(memory_format):
    z = random((2, 3, 4, 5), torch.complex64).transpose(1, 3)
    got = assert_matches(aten.clone.default, z, memory_format=memory_format)
    assert got.stride() == z.clone(memory_format=memory_format).stride()


def test_device():
    z = ComplexTensor.from_complex(random((2, 3), torch.complex64))
    meta = z.to("meta")
    assert isinstance(meta, ComplexTensor)
    assert (meta.device.type, meta.shape, meta.dtype) == ("meta", (2, 3), torch.complex64)
    assert (meta * meta).abs().device.type == "meta"
    assert torch.equal(z.to("cpu").to_complex(), z.to_complex())
    assert_matches(lambda t: prims.device_put.default(t, torch.device("cpu")), z.to_complex())


@pytest.mark.filterwarnings("ignore:Casting complex values to real")
def test_copy_converts_to_the_target():
    z, w = random((2, 3), torch.complex64), random((3,), torch.complex128)
    assert_matches(aten.copy.default, z, w)
    assert_matches(aten.copy.default, z, w.real)
