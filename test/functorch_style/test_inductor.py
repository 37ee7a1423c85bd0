"""Entries of torch's op database through Inductor's code generation, against eager.

`make test` takes one or more entries of each family of rules, `make test-full` all of them.
"""

import pytest
import torch
from torch.testing._internal.common_device_type import instantiate_device_type_tests, ops
from torch.testing._internal.common_utils import TestCase, run_tests

from torch_complex_subclass.testing import compiled, entries, opinfo

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

BACKEND = "inductor_complex"

SHARE = {
    "acosh",
    "addbmm",
    "as_strided_scatter",
    "cumprod",
    "cumsum",
    "diagonal_copy",
    "div.no_rounding_mode",
    "einsum",
    "fft.irfft2",
    "gather",
    "index_put",
    "linalg.lu_solve",
    "linalg.pinv",
    "linalg.vector_norm",
    "masked_select",
    "narrow",
    "nn.functional.conv2d",
    "nn.functional.pad.circular",
    "prod",
    "renorm",
    "scatter_add",
    "std",
    "svd",
    "unfold",
    "view_as_real",
    "where",
}
opinfo.check_names(SHARE)

IN_SHARE = [op for op in entries.OPS if opinfo.full_name(op) in SHARE]
REST = [op for op in entries.OPS if opinfo.full_name(op) not in SHARE]


def check(op, requires_grad):
    outcome = compiled.check(op, opinfo.ends(op, torch.complex64, requires_grad), BACKEND)
    assert not outcome.refused or opinfo.full_name(op) in entries.REFUSED


class TestInductor(TestCase):
    @ops(IN_SHARE, dtypes=(torch.complex64,))
    def test_share(self, device, dtype, op):
        check(op, requires_grad=op in entries.DIFFERENTIABLE)

    @pytest.mark.slow
    @ops(REST, dtypes=(torch.complex64,))
    def test_forward(self, device, dtype, op):
        check(op, requires_grad=False)

    @pytest.mark.slow
    @ops([op for op in REST if op in entries.DIFFERENTIABLE], dtypes=(torch.complex64,))
    def test_gradient(self, device, dtype, op):
        check(op, requires_grad=True)


instantiate_device_type_tests(TestInductor, globals(), only_for="cpu")

if __name__ == "__main__":
    run_tests()
