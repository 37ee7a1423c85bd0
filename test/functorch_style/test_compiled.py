"""Every complex entry of torch's op database, compiled, against eager.

The graph is rewritten as for Inductor and interpreted: this checks the rules and the pass. Code
generation is checked in tests/.
"""

import pytest
import torch
from torch._dynamo.exc import InternalTorchDynamoError, Unsupported
from torch.testing._internal.common_device_type import instantiate_device_type_tests, ops
from torch.testing._internal.common_utils import TestCase, run_tests
from torch.utils import _pytree as pytree

from torch_complex_subclass.testing import opinfo
from torch_complex_subclass.testing.compare import duplicate
from torch_complex_subclass.testing.interpret import interpreted

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


# Entries without a case, and why there is none.
NO_CASE = {
    **opinfo.GPU_ONLY,
    "sparse.sampled_addmm": "takes a sparse operand, which Dynamo does not trace",
    "empty": "eager leaves the values undefined",
    "empty_like": "eager leaves the values undefined",
    "empty_permuted": "eager leaves the values undefined",
    "empty_strided": "eager leaves the values undefined",
    "new_empty": "eager leaves the values undefined",
    "new_empty_strided": "eager leaves the values undefined",
}

# Dynamo or AOTAutograd refuse these before the pass sees a graph, for real tensors too.
DATA_DEPENDENT = "its result, or a check inside it, depends on the data"
GENERATOR = "the entry passes a random generator, which Dynamo does not trace"
REFUSED = {
    "allclose": DATA_DEPENDENT,
    "combinations": DATA_DEPENDENT,
    "corrcoef": DATA_DEPENDENT,
    "cov": DATA_DEPENDENT,
    "equal": DATA_DEPENDENT,
    "item": "Dynamo does not return Python complex numbers in one graph",
    "linalg.lstsq": DATA_DEPENDENT,
    "linalg.lstsq.grad_oriented": DATA_DEPENDENT,
    "nn.functional.feature_alpha_dropout.without_train": GENERATOR,
    "normal.in_place": GENERATOR,
    "pca_lowrank": GENERATOR,
    "rand_like": GENERATOR,
    "randn": GENERATOR,
    "randn_like": GENERATOR,
    "resize_": "Dynamo does not trace it",
    "resize_as_": "Dynamo does not trace it",
    "svd_lowrank": GENERATOR,
    "to_sparse": "Dynamo does not trace sparse tensors",
    "uniform": GENERATOR,
}

# AOTAutograd's own graph is wrong, on every backend (pytorch issue 197084).
WRONG_GRAPH = {"linalg.pinv": "issue 197084", "pinverse": "issue 197084"}

REFUSED_GRADIENT = {"linalg.svd": DATA_DEPENDENT, "svd": DATA_DEPENDENT}

NO_GRADIENT = {"to_sparse": "eager refuses its gradient"}

for names in (NO_GRADIENT, NO_CASE, REFUSED, WRONG_GRAPH, REFUSED_GRADIENT):
    opinfo.check_names(names)

OPS = opinfo.complex_ops(NO_CASE)
DIFFERENTIABLE = [
    op for op in OPS if op.supports_autograd and opinfo.full_name(op) not in NO_GRADIENT
]


def chosen(op, dtype, requires_grad=False):
    """First and last of the samples."""
    found = list(opinfo.samples(op, dtype, requires_grad=requires_grad))
    return found[:1] + found[1:][-1:]


def run(op, sample, compiled):
    """Results, and gradients of the leaves that need them for fixed gradients of the results."""

    def call(value, args, kwargs):
        return op.op(value, *args, **kwargs)

    fn = torch.compile(call, fullgraph=True, backend=interpreted) if compiled else call
    copies = pytree.tree_map(duplicate, (sample.input, sample.args, sample.kwargs))
    torch.manual_seed(5)
    output = fn(*copies)
    leaves = [
        t for t in pytree.tree_leaves(copies) if isinstance(t, torch.Tensor) and t.requires_grad
    ]
    if not leaves:
        return output, []
    checked = sample.output_process_fn_grad(output)
    results = [
        t for t in pytree.tree_leaves(checked) if isinstance(t, torch.Tensor) and t.requires_grad
    ]
    generator = torch.Generator().manual_seed(0)
    seeds = [torch.randn(t.shape, dtype=t.dtype, generator=generator) for t in results]
    found = torch.autograd.grad(results, leaves, seeds, allow_unused=True) if results else []
    return output, list(found)


def compare(op, dtype, requires_grad):
    for sample in chosen(op, dtype, requires_grad):
        want, want_gradients = run(op, sample, compiled=False)
        torch._dynamo.reset()
        got, got_gradients = run(op, sample, compiled=True)
        opinfo.assert_no_further(
            got, want, lambda sample=sample: opinfo.call(op, sample, opinfo.widen)
        )
        torch.testing.assert_close(got_gradients, want_gradients, equal_nan=True)


def strict(op, failing, dtype, requires_grad):
    """Check an op; one that is expected to fail has to."""
    if opinfo.full_name(op) not in failing:
        compare(op, dtype, requires_grad)
        return
    # A wrong value where a refusal is listed, or the reverse, is a failure.
    wrong = opinfo.full_name(op) in WRONG_GRAPH
    expected = AssertionError if wrong else (Unsupported, InternalTorchDynamoError)
    with pytest.raises(expected):
        compare(op, dtype, requires_grad)


class TestCompiled(TestCase):
    @ops(OPS, allowed_dtypes=(torch.complex64,))
    def test_forward(self, device, dtype, op):
        strict(op, REFUSED | WRONG_GRAPH, dtype, requires_grad=False)

    @ops(DIFFERENTIABLE, allowed_dtypes=(torch.complex128,))
    def test_gradient(self, device, dtype, op):
        strict(op, REFUSED | WRONG_GRAPH | REFUSED_GRADIENT, dtype, requires_grad=True)


instantiate_device_type_tests(TestCompiled, globals(), only_for="cpu")

if __name__ == "__main__":
    run_tests()
