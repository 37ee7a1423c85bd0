"""Every rule that torch's op database reaches, in bcomplex32 against complex64, rounded once.

Each overload is compared by itself, with the operands it meets: a function made of several
rounds after each of them, and may end up further away.
"""

import pytest
import torch
from torch.testing._internal.common_device_type import instantiate_device_type_tests, ops
from torch.testing._internal.common_utils import TestCase, run_tests
from torch.utils import _pytree as pytree

from torch_complex_subclass.testing import narrow, opinfo

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

NO_CASE = {
    **opinfo.GPU_ONLY,
    "as_strided.partial_views": "its samples see memory that a converted operand has not",
    "sparse.sampled_addmm": "the subclass holds strided tensors only",
    **dict.fromkeys(
        ("eye", "linspace", "linspace.tensor_overload", "logspace", "logspace.tensor_overload"),
        "makes a plain complex32, which is not ours",
    ),
}

# Torch's own code in front of the kernels looks at the outer dtype.
LOW_PRECISION = "refuses complex32"
SPLITS = "makes a plain complex tensor of bfloat16 parts"
REFUSED = {
    "corrcoef": SPLITS,
    "cov": SPLITS,
    "istft": SPLITS,
    "linalg.matrix_norm": LOW_PRECISION,
    "linalg.matrix_power": LOW_PRECISION,
    "linalg.matrix_rank": LOW_PRECISION,
    "linalg.matrix_rank.hermitian": LOW_PRECISION,
    "linalg.vander": LOW_PRECISION,
    "logdet": LOW_PRECISION,
    "nn.functional.rms_norm": LOW_PRECISION,
    "norm.nuc": LOW_PRECISION,
    "resize_": "the parts would have to be reallocated under their aliases",
    "resize_as_": "the parts would have to be reallocated under their aliases",
    "to_sparse": "the subclass holds strided tensors only",
}

REAL_GRADIENT = "views a gradient in bfloat16 as complex, or transforms it"
GRADIENT_REFUSED = REFUSED | {
    **dict.fromkeys(
        [
            *("fft.hfft", "fft.hfft2", "fft.hfftn", "fft.irfft", "fft.irfft2", "fft.irfftn"),
            *("imag", "real", "stft", "view_as_real"),
            *(f"nn.functional.conv{n}d" for n in (1, 2, 3)),
            *(f"nn.functional.conv_transpose{n}d" for n in (1, 2, 3)),
        ],
        REAL_GRADIENT,
    ),
    "linalg.det": LOW_PRECISION,
    "logcumsumexp": LOW_PRECISION,
    "renorm": LOW_PRECISION,
}

# Overloads whose results float32 does not decide.
UNDECIDED = {
    "aten.linalg_lstsq.default": "the residual is what is left of a difference",
    "aten.linalg_pinv.atol_rtol_tensor": "samples are singular but for rounding",
}

# Samples of an entry, for time; all of one that is refused, since a single one may be.
FEW = 5

for names in (NO_CASE, REFUSED, GRADIENT_REFUSED):
    opinfo.check_names(names)

OPS = opinfo.complex_ops(NO_CASE)
DIFFERENTIABLE = [op for op in OPS if op.supports_autograd]


def convert(tree):
    return pytree.tree_map(narrow.narrow, tree)


def forward(op, sample):
    return opinfo.call(op, sample, convert)


def backward(op, sample):
    output = sample.output_process_fn_grad(opinfo.call(op, sample, convert))
    roots = [t for t in pytree.tree_leaves(output) if isinstance(t, torch.Tensor)]
    roots = [t for t in roots if t.requires_grad]
    if roots:
        torch.autograd.backward(roots, [torch.ones_like(t) for t in roots])


def check(op, samples, run, refused):
    """Compare every overload that the samples call; one that is listed as refused has to raise."""
    raised = []
    with narrow.RoundedOnce() as compared:
        for sample in samples:
            try:
                run(op, sample)
            except (RuntimeError, TypeError) as error:
                raised.append(error)
    if raised and opinfo.full_name(op) not in refused:
        raise raised[0]
    assert bool(raised) == (opinfo.full_name(op) in refused)
    assert compared.kinds == {}
    far = {str(f): worst for f, worst in compared.worst.items() if worst > 1}
    assert {f: worst for f, worst in far.items() if f not in UNDECIDED} == {}


class TestBComplex32(TestCase):
    @ops(OPS, allowed_dtypes=(torch.complex64,))
    def test_forward(self, device, dtype, op):
        count = opinfo.MAX_SAMPLES if opinfo.full_name(op) in REFUSED else FEW
        check(op, opinfo.samples(op, dtype, count=count), forward, REFUSED)

    @ops(DIFFERENTIABLE, allowed_dtypes=(torch.complex64,))
    def test_gradient(self, device, dtype, op):
        choose = opinfo.samples if opinfo.full_name(op) in GRADIENT_REFUSED else opinfo.ends
        check(op, choose(op, dtype, requires_grad=True), backward, GRADIENT_REFUSED)


instantiate_device_type_tests(TestBComplex32, globals(), only_for="cpu")

if __name__ == "__main__":
    run_tests()
