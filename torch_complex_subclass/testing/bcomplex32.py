"""Values of bcomplex32 for tests of eager kernels, compared bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

import torch_complex_subclass as tcs
from torch_complex_subclass import ComplexTensor, bcomplex32

UNARY = (
    *("abs", "acos", "acosh", "angle", "asin", "asinh", "atan", "atanh", "cos", "cosh", "exp"),
    *("expm1", "isinf", "isnan", "log", "log10", "log1p", "log2", "neg"),
    *("reciprocal", "rsqrt", "sgn", "sigmoid", "sin", "sinc", "sinh", "sqrt", "square", "tan"),
    *("tanh", "logical_not"),
)
"""Functions of torch that a kernel serves."""


def random(*shape: int) -> ComplexTensor:
    """Normal numbers."""
    drawn = tcs.randn(*shape, dtype=bcomplex32)
    assert isinstance(drawn, ComplexTensor)
    return drawn


def parts(t: Tensor) -> Tensor:
    """Parts of complex numbers in a last dimension, without gradient."""
    t = t.detach()
    return t.as_interleaved() if isinstance(t, ComplexTensor) else t


def assert_same_bits(got: Tensor, want: Tensor) -> None:
    """Class, dtype, shape, strides and bits agree; NaN is NaN."""
    assert type(got) is type(want)
    assert tcs.dtype_of(got) == tcs.dtype_of(want)
    assert got.shape == want.shape
    assert got.stride() == want.stride()
    torch.testing.assert_close(parts(got), parts(want), rtol=0, atol=0, equal_nan=True)


def ordinary(fn: Callable[..., Any], *args: Any) -> Any:
    """Call a function with eager kernels off."""
    with tcs.config.patch(eager_kernels=False):
        return fn(*args)
