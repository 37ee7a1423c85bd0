"""Products along a dimension, of short, long and unknown length."""

import pytest
import torch

from torch_complex_subclass import ComplexTensor, explain
from torch_complex_subclass.testing.compare import assert_compiles
from torch_complex_subclass.testing.eager import assert_matches, each_dtype, random
from torch_complex_subclass.testing.interpret import interpreted

aten = torch.ops.aten
COMPLEX = [torch.complex64, torch.complex128]
SHAPES = [(), (0,), (1,), (2,), (7,), (8,), (2, 3), (4, 0, 2)]


@pytest.mark.parametrize("shape", [*SHAPES, (3, 5)], ids=str)
@pytest.mark.parametrize("dtype", COMPLEX, ids=str)
def test_all(shape, dtype):
    assert_matches(aten.prod.default, random(shape, dtype))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dim", [0, -1])
@each_dtype
def test_along(shape, dim, dtype):
    assert_matches(aten.prod.dim_int, random(shape, dtype), dim)
    assert_matches(aten.cumprod.default, random(shape, dtype), dim)


@pytest.mark.parametrize("op", [aten.prod.dim_int, aten.cumprod.default], ids=str)
def test_wider_result(op):
    assert_matches(op, random((3, 5), torch.complex64), 0, dtype=torch.complex128)


@pytest.mark.filterwarnings("ignore:Casting complex values to real")
def test_real_result_dtype_is_eagers():
    assert_matches(aten.prod.dim_int, random((3,), torch.complex64), 0, dtype=torch.float64)


@pytest.mark.parametrize("length", [7, 8, 9, 16, 17])
@pytest.mark.parametrize("dim", [0, 1])
def test_short_and_long(length, dim):
    """Both sides of the lengths up to which products are written out."""
    shape = (length, 3) if dim == 0 else (3, length)
    assert_matches(aten.prod.dim_int, random(shape, torch.complex128), dim, True)
    assert_matches(aten.cumprod.default, random(shape, torch.complex128), dim)


def test_short_ones_are_fused_and_long_ones_are_not():
    def fallbacks(length):
        return explain(
            lambda z: (z * 2).prod(-1), torch.ones(3, length, dtype=COMPLEX[0])
        ).fallbacks

    assert not fallbacks(8)
    assert fallbacks(9) == {"aten.prod.dim_int": 1}


@pytest.mark.parametrize(
    "values",
    [
        [0, 1 + 1j, 2],
        [1e-40, 1e30j, 1e9],
        [complex("nan"), 2.0],
        [1e-30, 1e-30, 1j],
        [-0.0, 1.0],
    ],
    ids=str,
)
def test_special_values_are_eagers(values):
    z = torch.tensor(values, dtype=torch.complex64)
    assert_matches(aten.prod.default, z)
    assert_matches(aten.cumprod.default, z, 0)


@pytest.mark.parametrize("op", [lambda z: z.prod(-1), lambda z: z.cumprod(0)], ids=["p", "c"])
@pytest.mark.parametrize("dynamic", [False, True])
def test_compiled(op, dynamic):
    assert_compiles(op, random((5, 6), torch.complex64), backend=interpreted, dynamic=dynamic)


def test_first_running_product_is_the_element():
    """Eager multiplies it by one, and infinity times the zero part of one is NaN."""
    z = torch.tensor([complex("inf"), 2.0])
    assert ComplexTensor.from_complex(z).cumprod(0)[0].item() == complex("inf")


@pytest.mark.parametrize("op", [torch.prod, torch.cumprod])
def test_compiled_product_of_real_factors_as_complex(op):
    assert_compiles(
        lambda x: op(x, 1, dtype=torch.complex64),
        torch.randn(2, 3),
        backend=interpreted,
        gradient=False,
    )
