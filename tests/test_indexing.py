"""Reading, writing and selecting against eager."""

import pytest
import torch

from torch_complex_subclass.testing.eager import assert_matches, each_dtype, random

aten = torch.ops.aten
ROWS = torch.tensor([2, 0])
MASK = torch.tensor([[True, False, True], [False, False, True], [True, True, False]])
PLACES = torch.tensor([[0, 2, 1], [1, 1, 0]])

READS = [
    (aten.gather.default, (0, PLACES)),
    (aten.index.Tensor, ([ROWS],)),
    (aten.index.Tensor, ([None, ROWS],)),
    (aten.index.Tensor, ([MASK],)),
    (aten._unsafe_index.Tensor, ([ROWS],)),
    (aten.index_select.default, (1, ROWS)),
    (aten.masked_select.default, (MASK,)),
    (aten.take.default, (PLACES,)),
    (aten.take_along_dim.default, (PLACES, 0)),
]


@pytest.mark.parametrize(("op", "args"), READS, ids=lambda v: str(v)[:40])
@each_dtype
def test_read(op, args, dtype):
    assert_matches(op, random((3, 3), dtype), *args)


WRITES = [
    (aten.diagonal_scatter.default, (), (3,), ()),
    (aten.select_scatter.default, (), (3,), (0, 1)),
    (aten.slice_scatter.default, (), (2, 3), (0, 1)),
    (aten.scatter.src, (0, PLACES), (2, 3), ()),
    (aten.scatter_add.default, (0, PLACES), (2, 3), ()),
    (aten.index_put.default, ([ROWS],), (2, 3), ()),
    (aten.index_put.default, ([ROWS],), (2, 3), (True,)),
    (aten._unsafe_index_put.default, ([ROWS],), (2, 3), ()),
    (aten.index_copy.default, (0, ROWS), (2, 3), ()),
    (aten.index_add.default, (0, ROWS), (2, 3), ()),
    (aten.masked_scatter.default, (MASK,), (3, 3), ()),
]


@pytest.mark.parametrize(("op", "before", "shape", "after"), WRITES, ids=lambda v: str(v)[:40])
@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
def test_write(op, before, shape, after, dtype):
    assert_matches(op, random((3, 3), dtype), *before, random(shape, dtype), *after)


@pytest.mark.parametrize("alpha", [2, 0.5, 1 - 2j], ids=str)
def test_index_add_scaled(alpha):
    z, rows = random((3, 3), torch.complex64), random((2, 3), torch.complex64)
    assert_matches(aten.index_add.default, z, 0, ROWS, rows, alpha=alpha)


@pytest.mark.parametrize("value", [2, -0.5, 1 - 2j], ids=str)
@each_dtype
def test_fill(value, dtype):
    z = random((3, 3), dtype)
    tensor = torch.tensor(value, dtype=dtype)
    assert_matches(aten.masked_fill.Scalar, z, MASK, value)
    assert_matches(aten.masked_fill.Tensor, z, MASK, tensor)
    assert_matches(aten.index_fill.int_Scalar, z, 0, ROWS, value)
    assert_matches(aten.index_fill.int_Tensor, z, 0, ROWS, tensor)
    assert_matches(aten.scatter.value, z, 0, PLACES, value)


@pytest.mark.parametrize("other", [torch.complex128, torch.complex64, torch.float64], ids=str)
def test_where(other):
    z, w = random((3, 3), torch.complex64), random((3, 1), other)
    assert_matches(aten.where.self, MASK, z, w)
    assert_matches(aten.where.self, MASK, w, z)
    assert_matches(aten.where.ScalarOther, MASK, z, 1.5)
    assert_matches(aten.where.ScalarSelf, MASK, 1j, z)


@pytest.mark.filterwarnings("ignore:The reduce argument of torch.scatter:UserWarning")
@pytest.mark.parametrize("reduce", ["add", "multiply"])
def test_scatter_that_combines(reduce):
    """Sums by the rule; products by the library's kernel."""
    z, w = random((3, 3), torch.complex64), random((2, 3), torch.complex64)
    assert_matches(aten.scatter.reduce, z, 0, PLACES, w, reduce=reduce)
    assert_matches(aten.scatter.value_reduce, z, 0, PLACES, 1 - 2j, reduce=reduce)
    assert_matches(aten.scatter.value_reduce, z, 0, PLACES, 0.5, reduce=reduce)


@pytest.mark.filterwarnings("ignore:scatter_reduce.. is in beta:UserWarning")
@pytest.mark.parametrize("reduce", ["sum", "mean", "prod"])
@pytest.mark.parametrize("include_self", [True, False])
def test_scatter_reduce(reduce, include_self):
    z, w = random((3, 3), torch.complex64), random((2, 3), torch.complex64)
    op = aten.scatter_reduce.two
    assert_matches(op, z, 0, PLACES, w, reduce, include_self=include_self)


@each_dtype
def test_embedding(dtype):
    assert_matches(aten.embedding.default, random((3, 4), dtype), PLACES)


@each_dtype
def test_nonzero_static(dtype):
    z = torch.where(MASK, random((3, 3), dtype), 0)
    assert_matches(aten.nonzero_static.default, z, size=7)
    assert_matches(aten.nonzero_static.default, z, size=2, fill_value=9)


def test_pieces_of_a_tensor():
    z = random((3, 3), torch.complex64)
    for index in (1, slice(1, None), (..., 0), None, ROWS, MASK, (slice(None), ROWS)):
        assert_matches(lambda t, index=index: t[index], z)
