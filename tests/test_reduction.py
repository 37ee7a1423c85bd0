"""Sums, means, norms and logical reductions against eager."""

import pytest
import torch

from torch_complex_subclass.testing.eager import assert_matches, each_dtype, random

aten = torch.ops.aten

SHAPES = [(), (4,), (2, 3), (3, 2, 4), (0, 3)]
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
# Mean and variance of nothing are NaN in eager, with a warning.
pytestmark = pytest.mark.filterwarnings("ignore:.*degrees of freedom:UserWarning")

FULL = [aten.sum.default, aten.mean.default, aten.any.default, aten.all.default]
ALONG = [aten.sum.dim_IntList, aten.mean.dim]


@pytest.mark.parametrize("op", FULL, ids=str)
@each_dtype
@each_shape
def test_full(op, dtype, shape):
    assert_matches(op, random(shape, dtype))


@pytest.mark.parametrize("op", ALONG, ids=str)
@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", [None, [], [0], [-1], [0, 2]], ids=str)
@each_dtype
def test_along(op, keepdim, dim, dtype):
    assert_matches(op, random((3, 2, 4), dtype), dim, keepdim)


@pytest.mark.parametrize("op", [aten.sum.default, aten.mean.default], ids=str)
@pytest.mark.parametrize("dtype", [torch.complex128, torch.complex64], ids=str)
def test_result_dtype(op, dtype):
    assert_matches(op, random((3, 2), torch.complex64), dtype=dtype)


@pytest.mark.filterwarnings("ignore:Casting complex values to real")
@pytest.mark.parametrize("op", [torch.sum, torch.cumsum], ids=["sum", "cumsum"])
def test_real_result_dtype_drops_the_imaginary_part(op):
    assert_matches(lambda z: op(z, 0, dtype=torch.float64), random((3, 2), torch.complex64))


@pytest.mark.parametrize("dtype", [None, torch.complex128], ids=str)
@each_shape
def test_cumsum(dtype, shape):
    assert_matches(aten.cumsum.default, random(shape, torch.complex64), 0, dtype=dtype)


@pytest.mark.parametrize("op", [aten.var, aten.std, aten.var_mean], ids=str)
@pytest.mark.parametrize("correction", [None, 0, 1, 0.5], ids=str)
@pytest.mark.parametrize("dim", [None, [0], [0, 1]], ids=str)
@pytest.mark.parametrize("keepdim", [False, True])
def test_spread(op, correction, dim, keepdim):
    z = random((4, 5), torch.complex64)
    assert_matches(op.correction, z, dim, correction=correction, keepdim=keepdim)


@pytest.mark.parametrize("order", [0, 1, 2, 3, 0.5, -1, float("inf"), -float("inf")], ids=str)
@pytest.mark.parametrize("dim", [None, [0], [0, 1]], ids=str)
def test_vector_norm(order, dim):
    assert_matches(aten.linalg_vector_norm.default, random((4, 5), torch.complex64), order, dim)


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
def test_vector_norm_dtype(dtype):
    z = random((4,), torch.complex64)
    assert_matches(aten.linalg_vector_norm.default, z, 2, dtype=dtype)


@pytest.mark.parametrize("op", [aten.any, aten.all], ids=str)
@pytest.mark.parametrize("keepdim", [False, True])
def test_logical(op, keepdim):
    z = torch.tensor([[0, 1j, 0], [2, 3, 0]], dtype=torch.complex64)
    assert_matches(op.dim, z, 1, keepdim)
    assert_matches(op.dims, z, [0, 1], keepdim)


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
def test_products_keep_their_kernel(dtype):
    z = random((3, 2), dtype)
    assert_matches(aten.prod.default, z)
    assert_matches(aten.prod.dim_int, z, 0)
    assert_matches(aten.cumprod.default, z, 1)
    assert_matches(aten.logcumsumexp.default, z, 1)
