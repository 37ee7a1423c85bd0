"""Conversion to bcomplex32."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from torch_complex_subclass import errors
from torch_complex_subclass.bfloat16_parts import dtype_of
from torch_complex_subclass.dtypes import bcomplex32
from torch_complex_subclass.tensor import ComplexTensor


def to_bcomplex32(z: Tensor) -> ComplexTensor:
    """Convert a complex tensor of either class to bcomplex32, with parts in bfloat16.

    Each part is rounded once, to nearest even. Gradients flow through, in the dtype of `z`; a
    tensor that is bcomplex32 already is returned as it is.

    Raises:
        TypeError: `z` is no complex tensor.
    """
    from torch_complex_subclass.autograd import from_interleaved, round_to_bfloat16

    if not isinstance(z, Tensor) or not z.is_complex():
        raise TypeError(f"expected a complex tensor, got {errors.describe([z])}")
    if dtype_of(z) is bcomplex32:
        return cast(ComplexTensor, z)
    if isinstance(z, ComplexTensor):
        t = z.as_interleaved()
    else:
        t = torch.view_as_real(z.resolve_conj().resolve_neg())
    return cast(ComplexTensor, from_interleaved(round_to_bfloat16(t)))
