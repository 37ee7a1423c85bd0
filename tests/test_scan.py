"""Products along a dimension: values, range, and lengths that are not known."""

import math

import mpmath
import pytest
import torch

from torch_complex_subclass import ComplexTensor
from torch_complex_subclass.testing.compare import assert_compiles
from torch_complex_subclass.testing.eager import assert_matches, each_dtype, random
from torch_complex_subclass.testing.interpret import interpreted

aten = torch.ops.aten
COMPLEX = [torch.complex64, torch.complex128]
SHAPES = [(), (0,), (1,), (2,), (7,), (8,), (3, 5), (4, 0, 2)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@each_dtype
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


def exact_prefixes(z):
    """Running products in 60 digits."""
    products, found = mpmath.mpc(1), []
    with mpmath.workdps(60):
        for value in z.tolist():
            products = products * mpmath.mpc(value)
            found.append(products)
    return found


@pytest.mark.parametrize("dtype", COMPLEX, ids=str)
def test_error_grows_with_the_logarithm_of_the_length(dtype):
    length = 1000
    z = torch.polar(
        torch.rand(length, dtype=torch.float64) + 0.5, 6 * torch.rand(length, dtype=torch.float64)
    ).to(dtype)
    bound = math.ceil(math.log2(length)) * math.sqrt(5) * torch.finfo(dtype).eps / 2
    # Up and down a tree for the running products, up for the last one.
    got = assert_matches(aten.cumprod.default, z, 0).to_complex().tolist()
    for value, exact in zip(got, exact_prefixes(z), strict=True):
        assert abs(mpmath.mpc(value) - exact) <= 2 * bound * abs(exact)
    total = assert_matches(aten.prod.default, z).to_complex().item()
    assert abs(mpmath.mpc(total) - exact) <= bound * abs(exact)


@pytest.mark.parametrize("dtype", COMPLEX, ids=str)
def test_nothing_is_lost_on_the_way(dtype):
    """Partial products leave the range; the product does not."""
    fi = torch.finfo(dtype)
    big, small = complex(fi.max / 2, fi.max / 4), complex(0, fi.tiny)
    z = torch.tensor([big, big, big, small, small, small], dtype=dtype)
    exact = complex(exact_prefixes(z)[-1])
    wrapped = ComplexTensor.from_complex(z)
    for got in (wrapped.prod(), wrapped.cumprod(0)[-1], wrapped.flip(0).prod(0)):
        assert abs(got.item() - exact) <= 20 * fi.eps * abs(exact)
    assert not torch.isfinite(z.prod())


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
