"""gradcheck and gradgradcheck through the subclass, in complex128.

The function takes plain leaves, wraps them, calls the op and unwraps the result, so that the ways
in and out are differentiated as well. What is checked of an entry is what it says it supports, as
in torch's own gradient tests: reverse and forward mode, one of each over the other, and batches.
"""

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch.testing._internal.common_device_type import instantiate_device_type_tests, ops
from torch.testing._internal.common_utils import TestCase, run_tests
from torch.utils import _pytree as pytree

from torch_complex_subclass.testing import opinfo

# Samples include deprecated calls.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

# What fails is what fails on plain complex tensors as well.
NARROW = "finite differences do not resolve the narrower result"
SPARSE = "gradcheck takes no sparse result, and the subclass holds strided tensors only"
FORWARD = "torch's forward formula is wrong for complex tensors"
FIRST_ORDER_FAILS = {
    "as_strided.partial_views": "torch batches no as_strided that leaves the memory of its base",
    "as_strided_scatter": "torch's gradient reaches the elements that the op overwrites",
    "bfloat16": NARROW,
    "cfloat": NARROW,
    "chalf": NARROW,
    "float": NARROW,
    "half": NARROW,
    "logcumsumexp": FORWARD,
    "sparse.sampled_addmm": SPARSE,
}
SECOND_ORDER_FAILS = {
    "bfloat16": NARROW,
    "cfloat": NARROW,
    "chalf": NARROW,
    "float": NARROW,
    "half": NARROW,
    "linalg.norm.subgradients_at_zero": "torch's second derivative at zero is NaN",
    "logcumsumexp": FORWARD,
    "sparse.sampled_addmm": SPARSE,
    "triangular_solve": FORWARD,
}

# Torch's formula of the gradient loops over elements: more than a minute.
SLOW = {"cumprod"}

for names in (FIRST_ORDER_FAILS, SECOND_ORDER_FAILS, SLOW):
    opinfo.check_names(names)

OPS = [
    op
    for op in opinfo.complex_ops(opinfo.GPU_ONLY)
    if op.supports_autograd and torch.complex128 in op.supported_backward_dtypes("cpu")
]
TWICE = [op for op in OPS if op.supports_gradgrad]

MAX_ELEMENTS = 2000
MAX_SAMPLES = 2


def is_leaf(value):
    return isinstance(value, torch.Tensor) and value.requires_grad


def function_of(op, sample):
    """A sample as a function of its leaves, and these leaves."""
    values, spec = pytree.tree_flatten((sample.input, sample.args, sample.kwargs))

    def function(*inputs):
        new = iter(inputs)
        filled = [next(new) if is_leaf(v) else v for v in values]
        first, args, kwargs = opinfo.wrap(pytree.tree_unflatten(filled, spec))
        output = op.gradcheck_wrapper(op.get_op(), first, *args, **kwargs)
        results = pytree.tree_leaves(opinfo.unwrap(sample.output_process_fn_grad(output)))
        return tuple(r for r in results if is_leaf(r))

    return function, [v for v in values if is_leaf(v)]


def cases(op):
    """The first small samples as functions of their leaves.

    From all of them: the svd entries begin with 32 empty ones.
    """
    found = 0
    for sample in op.sample_inputs("cpu", torch.complex128, requires_grad=True):
        function, leaves = function_of(op, sample)
        if 0 < sum(v.numel() for v in leaves) <= MAX_ELEMENTS:
            found += 1
            yield function, leaves
        if found == MAX_SAMPLES:
            return
    assert found


def first_order(op, forward=True):
    for function, leaves in cases(op):
        assert gradcheck(
            function,
            leaves,
            fast_mode=op.gradcheck_fast_mode is not False,
            nondet_tol=op.gradcheck_nondet_tol,
            check_grad_dtypes=True,
            check_batched_grad=op.check_batched_grad,
            check_forward_ad=forward and op.supports_forward_ad,
            check_batched_forward_grad=(
                forward and op.supports_forward_ad and op.check_batched_forward_grad
            ),
        )


def second_order(op, forward=True):
    for function, leaves in cases(op):
        assert gradgradcheck(
            function,
            leaves,
            fast_mode=op.gradcheck_fast_mode is not False,
            nondet_tol=op.gradcheck_nondet_tol,
            check_grad_dtypes=True,
            check_batched_grad=op.check_batched_gradgrad,
            check_fwd_over_rev=forward and op.supports_fwgrad_bwgrad,
        )


def strict(check, failing, op):
    """Check an op; one that is expected to fail has to, and in the mode that is named only."""
    reason = failing.get(opinfo.full_name(op))
    if reason is None:
        check(op)
        return
    # GradcheckError and NotImplementedError are RuntimeErrors.
    with pytest.raises(RuntimeError):
        check(op)
    if reason == FORWARD:
        check(op, forward=False)


class TestGrad(TestCase):
    @ops(OPS, allowed_dtypes=(torch.complex128,))
    def test_first_order(self, device, dtype, op):
        strict(first_order, FIRST_ORDER_FAILS, op)

    @ops(
        [op for op in TWICE if opinfo.full_name(op) not in SLOW], allowed_dtypes=(torch.complex128,)
    )
    def test_second_order(self, device, dtype, op):
        strict(second_order, SECOND_ORDER_FAILS, op)

    @pytest.mark.slow
    @ops([op for op in TWICE if opinfo.full_name(op) in SLOW], allowed_dtypes=(torch.complex128,))
    def test_second_order_slow(self, device, dtype, op):
        strict(second_order, SECOND_ORDER_FAILS, op)


instantiate_device_type_tests(TestGrad, globals(), only_for="cpu")

if __name__ == "__main__":
    run_tests()
