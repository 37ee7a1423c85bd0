"""Every complex entry of torch's op database, on the subclass against eager."""

import pytest
import torch
from torch.testing._internal.common_device_type import instantiate_device_type_tests, ops
from torch.testing._internal.common_utils import TestCase, run_tests
from torch.utils import _pytree as pytree

from torch_complex_subclass.testing import opinfo

# Samples include deprecated calls, and reductions that leave no degree of freedom.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

DTYPES = (torch.complex64, torch.complex128)

# Entries without a case, and why there is none.
NO_CASE = opinfo.GPU_ONLY

EXPECTED_TO_FAIL = {
    "resize_": "the parts would have to be reallocated under their aliases",
    "resize_as_": "the parts would have to be reallocated under their aliases",
    "sparse.sampled_addmm": "the subclass holds strided tensors only",
    "to_sparse": "the subclass holds strided tensors only",
}

GRADIENT_EXPECTED_TO_FAIL: dict[str, str] = {}

for names in (NO_CASE, EXPECTED_TO_FAIL, GRADIENT_EXPECTED_TO_FAIL):
    opinfo.check_names(names)

OPS = opinfo.complex_ops(NO_CASE)
DIFFERENTIABLE = [op for op in OPS if op.supports_autograd]


def strict(case, check, failing, op, dtype):
    """Check an op; one that is expected to fail has to."""
    if opinfo.full_name(op) not in failing:
        check(case, op, dtype)
        return
    with pytest.raises(RuntimeError):
        check(case, op, dtype)


def described(tree):
    return pytree.tree_map(lambda t: (t.shape, t.dtype) if isinstance(t, torch.Tensor) else t, tree)


def plain(tree):
    return tree


def forward(self, op, dtype):
    """Compare the results of every sample."""
    if opinfo.full_name(op) in opinfo.DOUBLE_ONLY and dtype == torch.complex64:
        self.skipTest("the samples have no stable result in complex64")
    for sample in opinfo.samples(op, dtype):
        with torch.no_grad():
            want = opinfo.call(op, sample, plain)
            got = opinfo.unwrap(opinfo.call(op, sample, opinfo.wrap))
        if opinfo.full_name(op) in opinfo.UNDEFINED_VALUES:
            assert described(got) == described(want)
        else:
            opinfo.assert_no_further(
                got, want, lambda sample=sample: opinfo.call(op, sample, opinfo.widen)
            )


def first_order(self, op, dtype):
    """Compare the gradients of every sample; they are those of plain leaves."""
    compared = 0
    for sample in opinfo.samples(op, dtype, requires_grad=True):
        want = opinfo.gradients(op, sample, plain)
        got = [opinfo.unwrap(g) for g in opinfo.gradients(op, sample, opinfo.wrap)]
        torch.testing.assert_close(got, want, equal_nan=True)
        compared += len(want)
    assert compared > 0


class TestOps(TestCase):
    @ops(OPS, allowed_dtypes=DTYPES)
    def test_forward(self, device, dtype, op):
        strict(self, forward, EXPECTED_TO_FAIL, op, dtype)

    @ops(DIFFERENTIABLE, allowed_dtypes=(torch.complex128,))
    def test_gradient(self, device, dtype, op):
        strict(self, first_order, GRADIENT_EXPECTED_TO_FAIL | EXPECTED_TO_FAIL, op, dtype)


instantiate_device_type_tests(TestOps, globals(), only_for="cpu")

if __name__ == "__main__":
    run_tests()
