"""vmap of every complex entry of torch's op database, over batches of the subclass.

The reference is a Python loop over the batch on plain complex tensors.
"""

import pytest
import torch
from torch import func
from torch.testing._internal.common_device_type import instantiate_device_type_tests, ops
from torch.testing._internal.common_utils import TestCase, run_tests
from torch.utils import _pytree as pytree

from torch_complex_subclass.testing import opinfo

# Samples include deprecated calls, and torch says of some ops that it batches them by a loop.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

NO_OPERAND = "no sample has a complex tensor to batch"
NO_TENSOR = "its result is no tensor, which vmap does not return"
RANDOM = "the loop draws other numbers than the batch"
UNDEFINED = "eager leaves the values undefined"
NO_CASE = {
    **opinfo.GPU_ONLY,
    "allclose": NO_TENSOR,
    "empty": NO_OPERAND,
    "empty_like": UNDEFINED,
    "empty_permuted": NO_OPERAND,
    "empty_strided": NO_OPERAND,
    "equal": NO_TENSOR,
    "eye": NO_OPERAND,
    "full": NO_OPERAND,
    "item": NO_TENSOR,
    "linspace": NO_OPERAND,
    "linspace.tensor_overload": NO_OPERAND,
    "logspace": NO_OPERAND,
    "logspace.tensor_overload": NO_OPERAND,
    "new_empty": UNDEFINED,
    "new_empty_strided": UNDEFINED,
    "normal.in_place": RANDOM,
    "ones": NO_OPERAND,
    "pca_lowrank": RANDOM,
    "rand_like": RANDOM,
    "randn": NO_OPERAND,
    "randn_like": RANDOM,
    "scalar_tensor": NO_OPERAND,
    "svd_lowrank": RANDOM,
    "uniform": RANDOM,
    "zeros": NO_OPERAND,
}

# What fails is what fails on plain complex tensors as well.
MEMORY = "strides count elements of memory, which a batch lays out in another way"
NO_RULE = "torch has no batching rule for it"
SHAPE = "the shape of its result depends on the data"
SPARSE = "sparse tensors are not batched"
FAILS = {
    "_chunk_cat": NO_RULE,
    "as_strided": MEMORY,
    "as_strided.partial_views": MEMORY,
    "as_strided_copy": MEMORY,
    "as_strided_scatter": NO_RULE,
    "column_stack": NO_RULE,
    "index_fill": "torch fills an unbatched scalar with one value of the batch",
    "index_put": SHAPE,
    "linalg.lstsq": "torch's batching rule returns residuals of a wrong shape",
    "linalg.lstsq.grad_oriented": "torch's batching rule returns residuals of a wrong shape",
    "masked_select": SHAPE,
    "narrow": NO_RULE,
    "nonzero": SHAPE,
    "resize_": "it changes the memory in place",
    "resize_as_": "it changes the memory in place",
    "sparse.sampled_addmm": SPARSE,
    "tensor_split": NO_RULE,
    "to": "the batch has one dimension too many for a sample's memory format",
    "to_sparse": SPARSE,
}

for names in (NO_CASE, FAILS):
    opinfo.check_names(names)

OPS = opinfo.complex_ops(NO_CASE)

MAX_SAMPLES = 2


def is_tensor(value):
    return isinstance(value, torch.Tensor)


def batched(leaf, dim):
    """Two values along a new dimension: `leaf` and its half, integers twice the same.

    Half of a triangular or positive definite matrix is one again.
    """
    second = leaf * 0.5 if leaf.is_complex() or leaf.is_floating_point() else leaf
    return torch.stack([leaf, second], dim)


def layouts(leaves):
    """Where the leaves' batch dimension is, and the results': first, last, one leaf only."""
    yield [0] * len(leaves), 0
    yield [leaf.dim() for leaf in leaves], -1
    if len(leaves) > 1:
        yield [0] + [None] * (len(leaves) - 1), 0
        yield [None] + [0] * (len(leaves) - 1), 0


def function_of(op, sample):
    """A sample as a function of all its tensors, and these tensors."""
    values, spec = pytree.tree_flatten((sample.input, sample.args, sample.kwargs))

    def function(*tensors):
        new = iter(tensors)
        filled = [next(new) if is_tensor(v) else v for v in values]
        first, args, kwargs = pytree.tree_unflatten(filled, spec)
        return sample.output_process_fn_grad(op(first, *args, **kwargs))

    return function, [v.detach() for v in values if is_tensor(v)]


def looped(function, inputs, in_dims, out_dim):
    """What vmap has to return."""
    results = []
    for i in range(2):
        pairs = zip(inputs, in_dims, strict=True)
        results.append(function(*(t if d is None else t.select(d, i) for t, d in pairs)))
    return pytree.tree_map(lambda *each: torch.stack(each, out_dim), *results)


def compare(op):
    """Compare every layout of the first samples that have a complex tensor and elements."""
    found = 0
    for sample in op.sample_inputs("cpu", torch.complex128, requires_grad=False):
        function, leaves = function_of(op, sample)
        if not any(t.is_complex() and t.numel() for t in leaves):
            continue
        for in_dims, out_dim in layouts(leaves):
            pairs = zip(leaves, in_dims, strict=True)
            inputs = [t if d is None else batched(t, d) for t, d in pairs]
            want = looped(function, inputs, in_dims, out_dim)
            mapped = func.vmap(function, tuple(in_dims), out_dim)
            got = opinfo.unwrap(mapped(*opinfo.wrap(inputs)))
            torch.testing.assert_close(got, want, equal_nan=True)
        found += 1
        if found == MAX_SAMPLES:
            return
    assert found


def strict(op):
    """Check an op; one that is expected to fail has to."""
    if opinfo.full_name(op) not in FAILS:
        compare(op)
        return
    with pytest.raises((AssertionError, RuntimeError)):
        compare(op)


class TestVmap(TestCase):
    @ops(OPS, allowed_dtypes=(torch.complex128,))
    def test_loop(self, device, dtype, op):
        strict(op)


instantiate_device_type_tests(TestVmap, globals(), only_for="cpu")

if __name__ == "__main__":
    run_tests()
