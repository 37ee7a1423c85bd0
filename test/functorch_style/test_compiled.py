"""Every complex entry of torch's op database, compiled, against eager.

The graph is rewritten as for Inductor and interpreted: this checks the rules and the pass. Code
generation is checked in tests/. `make test` takes the first and the last sample of each entry,
`make test-full` all of them, in each dtype.
"""

import pytest
import torch
from torch.testing._internal.common_device_type import instantiate_device_type_tests, ops
from torch.testing._internal.common_utils import TestCase, run_tests

from torch_complex_subclass.testing import compiled, opinfo

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

DTYPES = (torch.complex64, torch.complex128)

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

# Dynamo or AOTAutograd refuse samples of these before the pass sees a graph.
DATA_DEPENDENT = "its result, or a check inside it, depends on the data"
GENERATOR = "a sample passes a random generator, which Dynamo does not trace"
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

# Compiled for real tensors all the same.
REFUSED_COMPLEX_ONLY = {"item"}

NO_GRADIENT = {"to_sparse": "eager refuses its gradient"}

for names in (NO_GRADIENT, NO_CASE, REFUSED, REFUSED_COMPLEX_ONLY):
    opinfo.check_names(names)

OPS = opinfo.complex_ops(NO_CASE)
DIFFERENTIABLE = [
    op for op in OPS if op.supports_autograd and opinfo.full_name(op) not in NO_GRADIENT
]
REFUSED_FOR_REAL = [op for op in OPS if opinfo.full_name(op) in set(REFUSED) - REFUSED_COMPLEX_ONLY]


def samples(op, dtype, requires_grad, every):
    """All samples, or the first and the last of the first few."""
    if every:
        return list(op.sample_inputs("cpu", dtype, requires_grad))
    found = list(opinfo.samples(op, dtype, requires_grad))
    return found[:1] + found[1:][-1:]


def check(op, dtype, requires_grad=False, every=False):
    """Right wherever Dynamo takes the sample; entries with one that it does not are listed."""
    refused = compiled.check_all(op, samples(op, dtype, requires_grad, every))
    assert bool(refused) == (opinfo.full_name(op) in REFUSED)


class TestCompiled(TestCase):
    @ops(OPS, allowed_dtypes=(torch.complex64,))
    def test_forward(self, device, dtype, op):
        check(op, dtype)

    @ops(DIFFERENTIABLE, allowed_dtypes=(torch.complex128,))
    def test_gradient(self, device, dtype, op):
        check(op, dtype, requires_grad=True)

    @ops(REFUSED_FOR_REAL, dtypes=(torch.float32,))
    def test_real_tensors_are_refused_too(self, device, dtype, op):
        assert compiled.is_refused(op, op.sample_inputs("cpu", dtype, False))


class TestEverySample(TestCase):
    @pytest.mark.slow
    @pytest.mark.timeout(3600)
    @ops(OPS, allowed_dtypes=(*DTYPES, torch.complex32))
    def test_forward(self, device, dtype, op):
        check(op, dtype, every=True)

    @pytest.mark.slow
    @pytest.mark.timeout(3600)
    @ops(DIFFERENTIABLE, allowed_dtypes=DTYPES)
    def test_gradient(self, device, dtype, op):
        check(op, dtype, requires_grad=True, every=True)


instantiate_device_type_tests(TestCompiled, globals(), only_for="cpu")
instantiate_device_type_tests(TestEverySample, globals(), only_for="cpu")

if __name__ == "__main__":
    run_tests()
