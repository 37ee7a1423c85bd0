"""gradcheck and gradgradcheck through the subclass, in complex128.

The function takes plain leaves, wraps them, calls the op and unwraps the result, so that the ways
in and out are differentiated as well.
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

# One or more for each family of rules.
NAMES = {
    "__rpow__",
    "abs",
    "add",
    "addcdiv",
    "addcmul",
    "addmm",
    "addmv",
    "addr",
    "angle",
    "baddbmm",
    "bmm",
    "cat",
    "clone",
    "conj",
    "conj_physical",
    "cos",
    "cosh",
    "cumsum",
    "diag_embed",
    "diagonal",
    "div.no_rounding_mode",
    "dot",
    "einsum",
    "exp",
    "expand",
    "fft.fft",
    "fft.irfft",
    "flip",
    "gather",
    "index_add",
    "index_put",
    "index_select",
    "lerp",
    "linalg.inv",
    "linalg.vector_norm",
    "log",
    "masked_fill",
    "masked_select",
    "matmul",
    "mean",
    "mm",
    "mul",
    "mv",
    "neg",
    "permute",
    "pow",
    "prod",
    "real",
    "reciprocal",
    "repeat",
    "reshape",
    "roll",
    "rsub",
    "scatter_add",
    "sgn",
    "sigmoid",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "stack",
    "std",
    "sub",
    "sum",
    "take_along_dim",
    "tan",
    "tanh",
    "tril",
    "unbind",
    "var",
    "vdot",
    "where",
}

SECOND_ORDER_EXPECTED_TO_FAIL: dict[str, str] = {}

opinfo.check_names(NAMES)
opinfo.check_names(SECOND_ORDER_EXPECTED_TO_FAIL)
OPS = [op for op in opinfo.complex_ops() if opinfo.full_name(op) in NAMES]
TWICE = [op for op in OPS if op.supports_gradgrad]

MAX_ELEMENTS = 2000


def is_leaf(value):
    return isinstance(value, torch.Tensor) and value.requires_grad


def cases(op):
    """Small samples as a function of their leaves; two of them."""
    found = 0
    for sample in opinfo.samples(op, torch.complex128, requires_grad=True):
        values, spec = pytree.tree_flatten((sample.input, sample.args, sample.kwargs))
        leaves = [v for v in values if is_leaf(v)]
        if not 0 < sum(v.numel() for v in leaves) <= MAX_ELEMENTS or found == 2:
            continue
        found += 1

        def function(*inputs, sample=sample, values=values, spec=spec):
            new = iter(inputs)
            filled = [next(new) if is_leaf(v) else v for v in values]
            first, args, kwargs = opinfo.wrap(pytree.tree_unflatten(filled, spec))
            output = sample.output_process_fn_grad(op(first, *args, **kwargs))
            results = pytree.tree_leaves(opinfo.unwrap(output))
            return tuple(r for r in results if is_leaf(r))

        yield function, leaves
    assert found


class TestGrad(TestCase):
    @ops(OPS, allowed_dtypes=(torch.complex128,))
    def test_first_order(self, device, dtype, op):
        for function, leaves in cases(op):
            assert gradcheck(function, leaves, fast_mode=True)

    @ops(TWICE, allowed_dtypes=(torch.complex128,))
    def test_second_order(self, device, dtype, op):
        for function, leaves in cases(op):
            if opinfo.full_name(op) in SECOND_ORDER_EXPECTED_TO_FAIL:
                with pytest.raises((RuntimeError, NotImplementedError)):
                    gradgradcheck(function, leaves, fast_mode=True)
            else:
                assert gradgradcheck(function, leaves, fast_mode=True)


instantiate_device_type_tests(TestGrad, globals(), only_for="cpu")

if __name__ == "__main__":
    run_tests()
