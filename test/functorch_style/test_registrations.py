"""Each rule that computes is called by some sample of torch's op database, or says why not."""

import functools

import pytest
import torch

from torch_complex_subclass import dispatch
from torch_complex_subclass.decompositions.registry import TABLE
from torch_complex_subclass.testing import opinfo

aten = torch.ops.aten
prims = torch.ops.prims

# Samples include deprecated calls, and reductions that leave no degree of freedom.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

NO_CASE = {
    "jiterator_2inputs_2outputs",
    "jiterator_4inputs_with_extra_args",
    "jiterator_binary",
    "jiterator_binary_return_by_ref",
    "jiterator_unary",
    "resize_",
    "resize_as_",
    "sparse.sampled_addmm",
    "to_sparse",
}

COMPOSITE = "torch makes it of other ops before the subclass sees it; a graph can hold it"
NO_OPERAND = "no operand of it is complex, so no ComplexTensor reaches it"
IN_GRAPHS = "it occurs in graphs: functionalization and Inductor's passes make it"
NO_ENTRY = "the op database has no complex entry that calls it"

# tests/ calls each of these by its overload.
NOT_CALLED = {
    aten._conj_copy.default: IN_GRAPHS,
    aten._lazy_clone.default: NO_ENTRY,
    aten._neg_view_copy.default: IN_GRAPHS,
    aten._reshape_alias.default: IN_GRAPHS,
    aten._reshape_copy.default: IN_GRAPHS,
    aten._stack.default: NO_ENTRY,
    aten._unsafe_index.Tensor: IN_GRAPHS,
    aten._unsafe_index_put.default: IN_GRAPHS,
    aten.complex.default: NO_OPERAND,
    aten.conj_physical.default: COMPOSITE,
    aten.copy.default: IN_GRAPHS,
    aten.detach_copy.default: IN_GRAPHS,
    aten.div.Scalar_mode: NO_ENTRY,
    aten.div.Tensor_mode: NO_ENTRY,
    aten.embedding.default: NO_ENTRY,
    aten.empty.memory_format: NO_OPERAND,
    aten.empty_strided.default: NO_OPERAND,
    aten.fill.Tensor: NO_ENTRY,
    aten.full.default: NO_OPERAND,
    aten.index_select_backward.default: COMPOSITE,
    aten.lift.default: IN_GRAPHS,
    aten.lift_fresh.default: IN_GRAPHS,
    aten.lift_fresh_copy.default: IN_GRAPHS,
    aten.movedim.int: COMPOSITE,
    aten.movedim.intlist: COMPOSITE,
    aten.nan_to_num.default: NO_ENTRY,
    aten.narrow.default: COMPOSITE,
    aten.ne.Scalar: NO_ENTRY,
    aten.ones.default: NO_OPERAND,
    aten.polar.default: NO_OPERAND,
    aten.positive.default: COMPOSITE,
    aten.reshape.default: COMPOSITE,
    aten.resolve_conj.default: COMPOSITE,
    aten.resolve_neg.default: COMPOSITE,
    aten.rsub.Scalar: COMPOSITE,
    aten.scalar_tensor.default: NO_OPERAND,
    aten.scatter.reduce: NO_ENTRY,
    aten.scatter.value_reduce: NO_ENTRY,
    aten.scatter_reduce.two: NO_ENTRY,
    aten.select_copy.int: IN_GRAPHS,
    aten.select_scatter.default: NO_ENTRY,
    aten.slice_copy.Tensor: IN_GRAPHS,
    aten.slice_scatter.default: NO_ENTRY,
    aten.split_copy.Tensor: IN_GRAPHS,
    aten.square.default: COMPOSITE,
    aten.squeeze_copy.dims: IN_GRAPHS,
    aten.take_along_dim.default: COMPOSITE,
    aten.view_as_complex.default: NO_OPERAND,
    aten.where.Scalar: NO_OPERAND,
    aten.where.ScalarOther: COMPOSITE,
    aten.where.ScalarSelf: COMPOSITE,
    aten.zeros.default: NO_OPERAND,
    prims.convert_element_type.default: IN_GRAPHS,
    prims.device_put.default: IN_GRAPHS,
}


@functools.cache
def called():
    """Overloads with a rule that the samples call, forward and backward."""
    found = set()
    for op in opinfo.complex_ops(NO_CASE):
        found |= opinfo.overloads_of(op)
    return frozenset(found)


def test_every_rule_is_called():
    missed = {op for op, rule in TABLE.items() if dispatch.has_function(rule)} - called()
    unexplained = sorted(str(op) for op in missed - set(NOT_CALLED))
    assert not unexplained, f"add a case, or a reason to NOT_CALLED: {unexplained}"


def test_no_reason_is_stale():
    stale = sorted(str(op) for op in set(NOT_CALLED) & called())
    assert not stale, f"samples call these now; take them out of NOT_CALLED: {stale}"
    assert set(NOT_CALLED) <= set(TABLE)
