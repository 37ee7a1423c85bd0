"""Texts of errors, and refusals that agree with eager."""

import pytest
import torch

from torch_complex_subclass import ComplexTensor
from torch_complex_subclass.decompositions.registry import TABLE, Kind
from torch_complex_subclass.errors import UnsupportedOperationError, describe
from torch_complex_subclass.testing.eager import random

aten = torch.ops.aten

REFUSED = [rule.op for rule in TABLE.values() if rule.kind is Kind.UNSUPPORTED]

# What each argument name is given, after the tensor.
VALUES = {"dim": 0, "k": 1, "min": 0.5, "max": 0.5, "stable": True, "other": 2}


def arguments(op, z):
    values = []
    for argument in op._schema.arguments:
        if argument.kwarg_only or (argument.has_default_value() and argument.name != "min"):
            continue
        is_tensor = "Tensor" in str(argument.type)
        values.append(z if is_tensor else VALUES[argument.name])
    keywords = {a.name: VALUES[a.name] for a in op._schema.arguments
                if a.kwarg_only and not a.has_default_value()}  # fmt: skip
    return values, keywords


@pytest.mark.parametrize("op", REFUSED, ids=str)
def test_refused_as_in_eager(op):
    plain = random((3, 3), torch.complex64)
    args, kwargs = arguments(op, plain)
    # RuntimeError up to torch 2.13, TypeError in 2.15.
    with pytest.raises((RuntimeError, TypeError, ValueError)):
        op(*args, **kwargs)
    args, kwargs = arguments(op, ComplexTensor.from_complex(plain))
    with pytest.raises(UnsupportedOperationError, match=TABLE[op].reason):
        op(*args, **kwargs)


def test_text_names_op_arguments_and_advice():
    z = ComplexTensor.from_complex(random((2, 3), torch.complex64))
    with pytest.raises(UnsupportedOperationError) as caught:
        _ = z < 1.5
    assert str(caught.value) == (
        "aten.lt.Scalar is not supported on ComplexTensor: complex numbers have no order.\n"
        "  arguments: complex64[2, 3], 1.5\n"
        "  Apply it to z.abs(), z.real or z.imag instead."
    )


def test_text_of_an_op_that_no_pair_can_do():
    z = ComplexTensor.from_complex(random((2, 3), torch.complex64))
    with pytest.raises(UnsupportedOperationError) as caught:
        torch._neg_view(z)
    assert str(caught.value) == (
        "aten._neg_view.default is not supported on ComplexTensor: its result would have to alias "
        "both parts.\n"
        "  arguments: complex64[2, 3]\n"
        "  Convert with z.to_complex(), call the op on the plain complex tensor, and wrap the "
        "result with ComplexTensor.from_complex(...)."
    )


def test_error_of_the_kernel_reaches_the_user():
    z = ComplexTensor.from_complex(random((2, 3), torch.complex64))
    with pytest.raises(RuntimeError, match="must be batches of square matrices"):
        torch.linalg.inv(z)


class TestConstruction:
    def test_not_a_tensor(self):
        with pytest.raises(TypeError, match=r"im must be a tensor, got float: 1\.0"):
            ComplexTensor(torch.ones(2), 1.0)

    def test_integer_part(self):
        with pytest.raises(TypeError, match=r"parts must have one of .*; got torch\.int64"):
            ComplexTensor(torch.ones(2, dtype=torch.int64), torch.ones(2))

    @pytest.mark.parametrize("im", [torch.ones(3), torch.ones(2, dtype=torch.float64)], ids=str)
    @pytest.mark.parametrize("make", [ComplexTensor, ComplexTensor.from_parts])
    def test_parts_that_differ(self, make, im):
        with pytest.raises(ValueError, match=r"must agree in shape, dtype and device; got float32"):
            make(torch.ones(2), im)

    def test_parts_that_require_gradients(self):
        with pytest.raises(ValueError, match=r"use ComplexTensor\.from_parts"):
            ComplexTensor(torch.ones(2, requires_grad=True), torch.ones(2))

    @pytest.mark.parametrize("t", [torch.ones(3), torch.ones(()), [1.0, 2.0]], ids=str)
    def test_interleaved_shape(self, t):
        with pytest.raises(ValueError, match=r"expected a tensor of shape \(\.\.\., 2\), got"):
            ComplexTensor.from_interleaved(t)

    @pytest.mark.parametrize("z", [torch.ones(3), 1j], ids=str)
    def test_from_complex_of_something_else(self, z):
        with pytest.raises(TypeError, match="expected a complex tensor, got"):
            ComplexTensor.from_complex(z)


def test_describe():
    z = random((2, 3), torch.complex64)
    assert describe([z, 2, [z, None]]) == "complex64[2, 3], 2, [complex64[2, 3], None]"
